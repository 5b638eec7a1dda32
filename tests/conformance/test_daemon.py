"""A short run of tests.conformance.daemon: what a script in a process group is told and answers."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.conformance.daemon import Difference, compare_with_apache, compare_with_embedded
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED
from tests.thorough import mostly_thorough

SEED = "1"


@pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)
@pytest.mark.parametrize("count", mostly_thorough([50, 150]))
def test_a_group_does_what_mod_wsgis_daemon_process_does(count: int) -> None:
    tallies = compare_with_apache(SEED, count)

    differences = [found for tally in tallies for found in tally.differences]
    assert not differences, report(differences)


@pytest.mark.parametrize("front", mostly_thorough(["gunicorn", "granian", "waitress"]))
def test_a_group_does_what_the_servers_own_worker_does(front: str) -> None:
    tally = compare_with_embedded(SEED, 60, front)

    assert not tally.differences, report(tally.differences)


def report(differences: Iterable[Difference]) -> str:
    return "\n".join([f"--seed {SEED}", *map(str, differences)])
