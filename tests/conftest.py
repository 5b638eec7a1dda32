from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.servers import PROJECT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the tests' Django project, to be edited at will."""
    return shutil.copytree(PROJECT, tmp_path / "project")
