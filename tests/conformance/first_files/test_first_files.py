"""Files that come first, beside a real Apache: a short run of the comparison."""

from __future__ import annotations

from random import Random

import pytest

from tests.answers.files.sites import HOW_TO_INSTALL, INSTALLED, PATHS, Question
from tests.conformance.first_files.comparing import FIRST, check, compare, first_sites, is_compared
from tests.support.oracle import as_apache

pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)

BEHIND = ("", "/", "/x", "?a=b")


@pytest.fixture(scope="module")
def sites():
    with first_sites() as running, as_apache():
        yield running


@pytest.mark.parametrize("place", [place.name for place in FIRST])
def test_every_file_is_sent_and_every_folder_is_left_as_by_apache(sites, place):
    questions = [
        Question(f"/{place}/{quoted(path)}{behind}", method)
        for path in PATHS
        for behind in BEHIND
        for method in ("GET", "HEAD")
    ]

    kinds = [check(sites, question) for question in questions if is_compared(question)]

    assert {"files", "the application"} <= {*kinds}


def test_random_requests_are_answered_as_by_apache(sites):
    kinds = compare(sites, Random("first files"), 1500)

    assert kinds["files"] > 100
    assert kinds["the application"] > 100


def quoted(path):
    return "".join(f"%{ord(c):02x}" if c in ' %?#\\"<>' or ord(c) > 126 else c for c in path)
