"""Environment variables that stand in a file which the group alone reads."""

from __future__ import annotations

import os

import pytest

from django_wsgimatch.daemon.group.environment_file import read_environment_file
from django_wsgimatch.exceptions import SettingError
from tests.support.groups import site
from tests.thorough import mostly_thorough


@pytest.fixture
def written(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "secrets"
        path.write_bytes(text.encode())
        return str(path)

    return write


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        pytest.param("A=1\nB=2\n", {"A": "1", "B": "2"}, id="a line each"),
        pytest.param("# A=1\n; A=1\n\n  B = 2  \n", {"B": "2"}, id="comments and blanks"),
        pytest.param("A='x y'\nB=\"it's\"\n", {"A": "x y", "B": "it's"}, id="quotes"),
        pytest.param("A=x#y=z\n", {"A": "x#y=z"}, id="all behind the first sign"),
        pytest.param("A=\n", {"A": ""}, id="an empty value"),
        pytest.param("export A=1\n", {"A": "1"}, id="as a shell writes it"),
        pytest.param("A=1\nA=2\n", {"A": "2"}, id="the last one counts"),
        pytest.param("A=\u0142\r\n", {"A": "\u0142"}, id="text, and the line ends of Windows"),
    ],
)
def test_variables_of_a_file(written, text, variables):
    assert read_environment_file(written(text)) == variables


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("A=1\nsecret\n", ":2 should be NAME=value.", id="no name"),
        pytest.param("A B=1\n", ":1 should be NAME=value.", id="a blank in the name"),
        pytest.param("=1\n", ":1 should be NAME=value.", id="an empty name"),
        pytest.param(
            "A='secret\n", ":1: the quotes of the value do not end it.", id="an open quote"
        ),
        pytest.param(
            "A='x' secret\n", ":1: the quotes of the value do not end it.", id="more behind a quote"
        ),
        pytest.param(
            "PYTHONPATH=/x\n",
            ":1: PYTHONPATH is read before the file is: write it in `environment`.",
            id="what Python has read already",
        ),
    ],
)
def test_lines_that_cannot_be_used_are_named_without_their_values(written, text, said):
    path = written(text)

    with pytest.raises(SettingError) as caught:
        read_environment_file(path)

    assert str(caught.value) == path + said


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(SettingError, match="cannot be read: No such file or directory"):
        read_environment_file(str(tmp_path / "none"))


def test_each_process_of_a_group_reads_it_when_it_starts(tmp_path, written):
    options = {"environment_file": written("GIVEN=first\n"), "environment": {"GIVEN": "setting"}}
    with site(tmp_path / "project", options) as at:
        first = at.told("/blog")
        written("GIVEN=second\n")
        at.order(do="restart", name="blog")
        at.until(lambda: at.told("/blog")["given"] == "second")
        other = at.told("/other")

    assert (first["given"], other["given"]) == ("first", None)


@pytest.mark.parametrize("text", mostly_thorough([None, "no line\n"]))
def test_a_group_whose_file_cannot_be_used_does_not_start(tmp_path, written, text):
    path = written(text or "")
    if text is None:
        os.unlink(path)
    with site(tmp_path / "project", {"environment_file": path}) as at:
        status = at.get("/blog").status
        at.until(lambda: path in at.log)
        others = at.told("/other")

    assert status in (500, 503)
    assert others["process_group"] == "other"
