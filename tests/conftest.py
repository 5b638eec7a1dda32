from __future__ import annotations

import compileall
import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import django_wsgimatch
from tests.support.rooted import environment_of_root
from tests.support.servers import PROJECT

# Tests edit a module twice within a second: the times in compiled files do not tell that.
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
# The rewritten tests themselves are kept.
sys.dont_write_bytecode = False


def pytest_configure(config: pytest.Config) -> None:
    """Compile the package before the first test."""
    # Optimization: 100 ms of CPU for each of the thousand processes that servers and commands are.
    if not hasattr(config, "workerinput"):
        for package in (Path(django_wsgimatch.__file__).parent, PROJECT.parents[2] / "testproject"):
            compileall.compile_dir(package, quiet=2)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Have no collection of garbage look at all tests again and again."""
    # Optimization: a tenth of the CPU that tests of this process alone take.
    gc.collect()
    gc.freeze()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the tests' Django project, to be edited at will."""
    return shutil.copytree(PROJECT, tmp_path / "project")


@pytest.fixture(scope="session")
def root_s_home() -> Iterator[Path]:
    """A folder of root's with an environment that servers of root's run in."""
    with environment_of_root() as home:
        yield home
