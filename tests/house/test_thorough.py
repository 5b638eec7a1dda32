"""What is marked thorough, what of it runs, and what is told of the rest."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.thorough import mostly_thorough

ROOT = Path(__file__).resolve().parents[2]
MATRIX = """\
import pytest

from tests.thorough import mostly_thorough


@pytest.mark.parametrize("number", mostly_thorough(range(5)))
def test_short(number):
    pass


@pytest.mark.thorough("test_short")
def test_long():
    pass


@pytest.mark.thorough("test_lon")
def test_that_nothing_shows(pytestconfig):
    pass


def test_what_is_not_shown(pytestconfig):
    from tests.thorough import UNSHOWN

    names = [name.partition("::")[2] for name in pytestconfig.stash[UNSHOWN]]

    assert names == ["test_that_nothing_shows"]
"""


def ids_and_marks(cases):
    return [(case.id or case.values, bool(case.marks)) for case in cases]


def test_the_first_case_of_a_matrix_always_runs():
    cases = mostly_thorough(["a", pytest.param("b", id="the b"), ("c", 1)])

    assert ids_and_marks(cases) == [(("a",), False), ("the b", True), (("c", 1), True)]


def test_the_cases_that_are_named_always_run():
    cases = mostly_thorough(["a", pytest.param("b", id="the b"), "c"], "the b", "c")

    assert ids_and_marks(cases) == [(("a",), True), ("the b", False), (("c",), False)]


def test_a_name_of_no_case_is_an_error():
    with pytest.raises(ValueError, match="only"):
        mostly_thorough(["a", "b"], "a", "c")


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    """A file of tests beside the project's own."""
    folder = tmp_path_factory.mktemp("matrix")
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    (folder / "test_matrix.py").write_text(MATRIX)
    return folder


LEFT_OUT = "6 thorough tests are left out; make test-all, or the option --thorough, runs them too."


@pytest.mark.parametrize(
    ("words", "expected"),
    mostly_thorough(
        [
            pytest.param([], [LEFT_OUT, "2 passed"], id="as a rule"),
            pytest.param(["-n1"], [LEFT_OUT, "2 passed"], id="in processes of their own"),
            pytest.param(["--thorough"], ["8 passed"], id="thorough"),
        ],
        "in processes of their own",
        "thorough",
    ),
)
def test_what_runs_and_what_is_told(matrix, words, expected):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", ROOT / "setup.cfg", *words, matrix],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert told(done.stdout) == expected


def told(output: str) -> list[str]:
    """The lines that say what has run and what has not."""
    lines = (re.sub(r"( passed).*", r"\1", line) for line in output.splitlines())
    return [line for line in lines if "passed" in line or "left out" in line]
