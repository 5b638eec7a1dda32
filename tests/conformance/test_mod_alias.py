"""Random redirects, files and directive lines: a short run of tests.conformance.mod_alias."""

from __future__ import annotations

import pytest

from tests.conformance.mod_alias import compare_mod_alias_lines, compare_sites
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED

pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)

SEED = "1"


def test_random_requests_are_redirected_and_find_files_as_in_apache() -> None:
    tally = compare_sites(SEED, requests=400)

    assert not tally.differences, "\n".join(map(str, tally.differences))


def test_random_lines_of_mod_alias_are_refused_as_by_apache() -> None:
    tally = compare_mod_alias_lines(SEED, count=60)

    assert not tally.differences, "\n".join(map(str, tally.differences))
