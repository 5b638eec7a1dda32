from __future__ import annotations

import os

import pytest

from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.doctor.findings.finding import DiagnosedGroup
from django_wsgimatch.doctor.processes.environment_files import environment_file_findings
from tests.support.trees import open_directory


def found(path, **options):
    group = DiagnosedGroup("shop", GroupOptions(environment_file=str(path), **options))
    return [*environment_file_findings(group)]


@pytest.fixture
def write(tmp_path):
    def write(text, mode=0o400):
        path = tmp_path / "variables"
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


def test_a_group_without_a_file():
    group = DiagnosedGroup("shop", GroupOptions())

    assert [*environment_file_findings(group)] == []


def test_a_file_in_order(write):
    assert found(write("# secret\nKEY='a b'\nexport OTHER=1\n")) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("KEY\n", "{0}:1 should be NAME=value.", id="no value"),
        pytest.param("A=1\n\nKEY='a\n", "{0}:3: the quotes of the value", id="an open quote"),
        pytest.param("LD_PRELOAD=/x\n", "{0}:1: LD_PRELOAD is read before", id="for the loader"),
        pytest.param("PYTHONHASHSEED=1\n", "{0}:1: PYTHONHASHSEED is read", id="for Python"),
    ],
)
def test_a_line_with_which_no_process_starts(write, text, reason):
    path = write(text)

    [finding] = found(path)

    assert (finding.id, finding.where) == ("E031", "WSGIMATCH_PROCESS_GROUPS['shop']")
    assert finding.message.startswith(f"environment_file: {reason.format(path)}")
    assert finding.message.endswith(" The group does not start, and all its URLs get 503.")


def test_no_value_is_shown(write):
    [finding] = found(write("KEY='hunter2\n"))

    assert "hunter2" not in str(finding)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("missing", "cannot be read: No such file or directory.", id="missing"),
        pytest.param("", "is no file.", id="a folder"),
        pytest.param("pipe", "is no file.", id="a pipe, which nobody writes to"),
        pytest.param("a\0b", "cannot be read: embedded null byte.", id="no path"),
    ],
)
def test_what_is_no_file(tmp_path, name, reason):
    os.mkfifo(tmp_path / "pipe")
    path = f"{tmp_path}/{name}" if name else str(tmp_path)

    [finding] = found(path)

    assert finding.id == "E031"
    assert reason in finding.message


@pytest.mark.parametrize(
    ("mode", "can"),
    [
        pytest.param(0o644, "read", id="read"),
        pytest.param(0o602, "change", id="changed"),
    ],
)
def test_a_file_that_is_open_to_all(mode, can):
    with open_directory() as folder:
        path = folder / "some variables"
        path.write_text("KEY=1\n")
        path.chmod(mode)

        [finding] = found(path, user="www-data")

    assert finding.id == "W041"
    assert finding.message == (
        f"any user of this machine can {can} environment_file '{path}': so can the applications "
        "of all other groups."
    )
    assert finding.hint == (
        f"Close it to all but the group's user: chown www-data '{path}'; chmod 400 '{path}'"
    )


def test_a_file_in_a_folder_that_is_closed(write, tmp_path):
    tmp_path.chmod(0o700)

    assert found(write("KEY=1\n", 0o644)) == []


def test_nothing_is_said_of_the_lines_of_a_file_that_only_others_may_read(write, monkeypatch):
    path = write("what is no line\n")
    monkeypatch.setattr("os.access", lambda path, mode: False)

    assert found(path) == []


def test_nothing_is_said_of_a_file_in_a_folder_that_others_alone_may_enter(write, monkeypatch):
    path, stat = write("what is no line\n"), os.stat

    def refuse(asked, **more):
        if asked == str(path):
            raise PermissionError(13, "Permission denied")
        return stat(asked, **more)

    monkeypatch.setattr("os.stat", refuse)

    assert found(path) == []
