from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rooted import environment_of_root
from tests.support.servers import PROJECT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the tests' Django project, to be edited at will."""
    return shutil.copytree(PROJECT, tmp_path / "project")


@pytest.fixture(scope="session")
def root_s_home() -> Iterator[Path]:
    """A folder of root's with an environment that servers of root's run in."""
    with environment_of_root() as home:
        yield home
