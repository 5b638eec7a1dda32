"""Random access rules beside Apache: a short run of tests.conformance.access."""

from __future__ import annotations

import pytest

from tests.conformance.access import compare_access
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED

pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)

SEED = "1"


def test_random_access_rules_are_kept_as_by_apache() -> None:
    tally = compare_access(SEED, requests=500)

    assert not tally.differences, "\n".join([f"--seed {SEED}", *map(str, tally.differences)])
