from __future__ import annotations

import compileall
import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import django_wsgimatch
from tests.support.rooted import environment_of_root
from tests.support.servers import PROJECT
from tests.support.trees import open_directory
from tests.thorough import LEFT_OUT, UNSHOWN, are_wanted, is_thorough, unshown

# Tests edit a module twice within a second: the times in compiled files do not tell that.
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
# The rewritten tests themselves are kept.
sys.dont_write_bytecode = False


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="run all cases of every matrix")


def pytest_configure(config: pytest.Config) -> None:
    """Compile the package before the first test."""
    # Optimization: 100 ms of CPU for each of the thousand processes that servers and commands are.
    if not hasattr(config, "workerinput"):
        for package in (Path(django_wsgimatch.__file__).parent, PROJECT.parents[2] / "testproject"):
            compileall.compile_dir(package, quiet=2)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a thorough run has."""
    config.stash[UNSHOWN] = unshown(items)
    left_out = [] if are_wanted(config) else [item for item in items if is_thorough(item)]
    if left_out:
        items[:] = [item for item in items if not is_thorough(item)]
        config.hook.pytest_deselected(items=left_out)
    config.stash[LEFT_OUT] = len(left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Have a process of pytest-xdist's tell how many it has left out."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """All processes of pytest-xdist's leave out the same; one that has crashed tells nothing."""
    if "left_out" in (told := getattr(node, "workeroutput", {})):
        node.config.stash[LEFT_OUT] = told["left_out"]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(
            f"{left_out} thorough tests are left out; make test-all, or the option --thorough, "
            "runs them too."
        )


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


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter; each run of pytest closes those of all runs to them."""
    with open_directory() as folder:
        yield folder


@pytest.fixture(scope="session")
def root_s_home() -> Iterator[Path]:
    """A folder of root's with an environment that servers of root's run in."""
    with environment_of_root() as home:
        yield home
