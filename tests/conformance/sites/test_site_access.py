"""Whole sites with access rules beside Apache: a short run of the comparison."""

from __future__ import annotations

import pytest

from tests.conformance.sites.site_access import compare_sites
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED

pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)

SEEDS = ("1-0", "2-1", "2-4", "2-5")


def test_imported_access_rules_let_in_whom_apache_lets_in() -> None:
    tally = compare_sites(SEEDS, requests=25)

    assert not tally.differences, "\n".join(map(str, tally.differences))
    assert tally.sections > 15
    assert tally.statuses.total() - tally.closed > 100
