"""Random tables, requests and directive lines: a short run of tests.conformance.tables."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.conformance.tables import Difference, compare_lines, compare_tables
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)

SEED = "1"


@pytest.mark.parametrize("pairs", mostly_thorough([200, 800]))
def test_random_requests_are_answered_as_by_apache(pairs: int) -> None:
    tally = compare_tables(SEED, pairs)

    assert not tally.differences, report(tally.differences)


def test_random_directive_lines_are_refused_as_by_apache() -> None:
    tally = compare_lines(SEED, count=60)

    assert not tally.differences, report(tally.differences)


def report(differences: Iterable[Difference]) -> str:
    return "\n".join([f"--seed {SEED}", *map(str, differences)])
