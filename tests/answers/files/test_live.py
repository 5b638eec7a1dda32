"""Files below an Alias, asked of a real Apache and of us."""

from __future__ import annotations

from random import Random
from urllib.parse import quote

import pytest

from django_wsgimatch.answers.files.media_types import system_types
from django_wsgimatch.answers.files.suffixes import CHARSETS, LANGUAGES, TYPES
from tests.answers.files.sites import (
    HOW_TO_INSTALL,
    INSTALLED,
    LONG_AGO,
    NUMBERS,
    PATHS,
    PLACES,
    Question,
    can_be_compared,
    file_sites,
)
from tests.answers.files.tricks import TRICKS
from tests.fuzz.files import check, compare
from tests.support.oracle import as_apache
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PROPFIND", "FOO")
BEHIND = ("", "/", "/x", "//", "/.htx", "?a=%20b")
CONDITIONS = (
    {"If-None-Match": "{tag}"},
    {"If-None-Match": "W/{tag}"},
    {"If-None-Match": '"x", {tag}'},
    {"If-None-Match": "*"},
    {"If-Match": "{tag}"},
    {"If-Match": "W/{tag}"},
    {"If-Match": '"x"'},
    {"If-Modified-Since": "Sun, 13 Sep 2020 12:26:40 GMT"},
    {"If-Modified-Since": "Sunday, 13-Sep-20 12:26:40 GMT"},
    {"If-Modified-Since": "Sun Sep 13 12:26:39 2020"},
    {"If-Unmodified-Since": "Sun, 13 Sep 2020 12:26:40 GMT"},
    {"If-Unmodified-Since": "Sun, 13 Sep 2020 12:26:39 GMT"},
    {"If-None-Match": "{tag}", "Range": "bytes=0-0"},
    {"If-None-Match": "{tag}", "If-Modified-Since": "Sat, 12 Sep 2020 12:26:40 GMT"},
    {"Range": "bytes=1-2", "If-Range": "{tag}"},
    {"Range": "bytes=1-2", "If-Range": "W/{tag}"},
    {"Range": "bytes=1-2", "If-Range": "Sun, 13 Sep 2020 12:26:40 GMT"},
    {"Range": "bytes=1-2", "If-Range": '"x"'},
)
RANGES = (
    *("0-0", "-5", "10-", "0-", "4000-", "-0", "5-3", "0-0,10-10", "0-0, 10-10", "3-4,0-9,20-29"),
    *("4000-,0-0", "0-5,3-9,9-12", "-5,0-5", "0-3999,0-3999", "", ",", "x", "0-0,", ",0-0"),
    ",".join(f"{n * 9}-{n * 9}" for n in range(200)),
    ",".join(f"{n * 9}-{n * 9}" for n in range(201)),
    ",".join(["0-0"] * 22),
    ",".join(f"{n}-{n}" for n in range(40, 0, -1)),
)


@pytest.fixture(scope="module")
def sites():
    with file_sites() as running, as_apache():
        yield running


@pytest.mark.parametrize("place", mostly_thorough([place.name for place in PLACES], "said"))
def test_every_file_and_folder_is_answered_as_by_apache_with_every_method(sites, place):
    questions = [
        Question(f"/{place}/{quoted(path)}{behind}", method)
        for path in PATHS
        for behind in BEHIND
        for method in METHODS
    ]
    asked = [question for question in questions if can_be_compared(question)]

    files = [check(sites, question) for question in asked]

    assert len(asked) > 2000
    assert any(files) or place == "one.txt"


def test_the_place_itself_is_answered_as_by_apache(sites):
    for place in PLACES:
        for behind in BEHIND:
            for method in METHODS:
                check(sites, Question(f"/{place.name}{behind}", method))


@pytest.mark.parametrize("headers", CONDITIONS, ids=str)
@pytest.mark.parametrize("place", ["plain", "said", "bare", "both"])
def test_a_condition_is_answered_as_by_apache(sites, place, headers):
    tag = f'"{len(NUMBERS):x}-{round(LONG_AGO * 1e6):x}"'
    filled = tuple((name, value.format(tag=tag)) for name, value in headers.items())

    for method in METHODS:
        check(sites, Question(f"/{place}/numbers.txt", method, filled))


@pytest.mark.parametrize("ranges", RANGES, ids=range(len(RANGES)))
def test_a_range_is_answered_as_by_apache(sites, ranges):
    for method in ("GET", "HEAD", "POST"):
        for name in ("numbers.txt", "empty.txt", "no-suffix", "page.en.html"):
            headers = (("Range", f"bytes={ranges}"),)
            check(sites, Question(f"/said/{name}", method, headers))


@pytest.mark.parametrize("host", ["LocalHost:80", "a.test:8080", "a.test:443", "[::1]:8", "a.b."])
def test_a_redirect_names_the_host_as_apache_does(sites, host):
    check(sites, Question("/plain/a%20dir:&%E9?a=%20&b", headers=(("Host", host),)))
    check(sites, Question("http://Other.test:90/plain/d"))


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_is_answered_as_by_apache(sites, trick):
    for place in ("plain", "nolinks", "owner"):
        question = Question(f"/{place}/d/{trick.replace(' ', '%20')}")
        if can_be_compared(question):
            check(sites, question)
            assert b"secret" not in sites.ours(question).body


def test_every_suffix_stands_for_what_it_stands_for_in_apache(sites):
    suffixes = sorted({*system_types(), *LANGUAGES, *CHARSETS, *TYPES})
    folder = sites.directory / "plain.files"
    wrong = {}
    for suffix in suffixes:
        name = f"x.html.{suffix}"
        question = Question(f"/plain/{quoted(name)}", "OPTIONS")
        if (given := sites.ours(question)) != (expected := sites.apache(question)):
            wrong[suffix] = given, expected

    # Apache takes a .var for a list of what to choose from, and there is none.
    assert (folder.is_dir(), set(wrong) <= {"var"}) == (True, True), wrong


def test_random_requests_are_answered_as_by_apache(sites):
    assert compare(sites, Random(15), 1500) > 300


def quoted(path: str) -> str:
    """A path of the tree as it stands in a target."""
    return quote(path, encoding="latin-1")
