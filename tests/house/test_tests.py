"""Where tests lie: beside the names of the modules, in folders that one can survey."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.thorough import UNSHOWN

TESTS = Path(__file__).resolve().parents[1]
PROJECT = TESTS.parent
MOST_FILES = 27


def imported(path: Path) -> Iterator[str]:
    """The modules of the tests that a file imports."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tests":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("top", ["tests", "benchmarks"])
def test_what_is_imported_holds_no_tests(top):
    names = {name for path in (PROJECT / top).rglob("*.py") for name in imported(path)}

    assert [name for name in names if ".test_" in name] == []


def test_benchmarks_share_what_supports_the_tests_alone():
    names = {name for path in (PROJECT / "benchmarks").glob("*.py") for name in imported(path)}

    assert {name.split(".")[1] for name in names} == {"support"}


def test_no_folder_of_tests_holds_more_files_than_one_can_survey():
    folders = [TESTS, *(path for path in TESTS.rglob("*") if path.is_dir())]

    assert {path: n for path in folders if (n := len([*path.glob("*.py")])) > MOST_FILES} == {}


def test_all_that_thorough_tests_show_is_shown_by_tests_that_always_run(pytestconfig):
    """Of the files of this run, which may be all."""
    assert pytestconfig.stash[UNSHOWN] == []
