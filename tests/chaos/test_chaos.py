"""A short run of ``make chaos``."""

from __future__ import annotations

import os

import pytest

from tests.chaos.run import run
from tests.thorough import mostly_thorough


@pytest.mark.parametrize(
    ("mode", "faults"),
    mostly_thorough(
        [
            pytest.param("plain", 2, id="a server of one user, a few faults"),
            pytest.param("plain", 8, id="a server of one user"),
            pytest.param(
                "root",
                8,
                id="a server that root has started",
                marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can start it"),
            ),
        ]
    ),
)
def test_a_site_comes_back_by_itself(mode, faults):
    result = run(mode, 0, seed=1, least=faults, is_quick=True)

    told = "\n".join(result.lines())
    assert result.is_kept, told
    assert result.faults.total() >= faults
