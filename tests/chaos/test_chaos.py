"""A short run of ``make chaos``."""

from __future__ import annotations

import os

import pytest

from tests.chaos.run import run

FAULTS = 8


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param("plain", id="a server of one user"),
        pytest.param(
            "root",
            id="a server that root has started",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root can start it"),
        ),
    ],
)
def test_a_site_comes_back_by_itself(mode):
    result = run(mode, 0, seed=1, least=FAULTS, is_quick=True)

    told = "\n".join(result.lines())
    assert result.is_kept, told
    assert result.faults.total() >= FAULTS
