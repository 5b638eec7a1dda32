"""The folder of sockets, the log, the orders to the manager, and who owns a process."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from django_wsgimatch.daemon.changes import changed_module
from django_wsgimatch.daemon.control import give_order, is_there
from django_wsgimatch.daemon.directory import (
    LONGEST_BASE,
    default_base,
    distrust,
    make_base,
    make_directory,
    running_servers,
    sweep,
)
from django_wsgimatch.daemon.logs import GroupOutput, ServerLog, printable
from django_wsgimatch.daemon.owner import Owner, end_of, has_ended, start_time, this_server
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.exceptions import ManagerError, SettingError
from tests.relayed import folder


def this_process() -> Owner:
    return Owner(os.getpid(), start_time(os.getpid()) or "")


def test_a_folder_is_made_for_its_owner_alone():
    with folder() as path:
        base = make_base(str(path / "run"))
        directory = make_directory(this_process(), base)

        assert os.stat(directory.path).st_mode & 0o777 == 0o700
        assert list(running_servers(base)) == [(this_process(), directory)]


def test_what_a_killed_server_has_left_is_removed(tmp_path):
    gone = Owner(os.getpid(), "1")
    make_directory(gone, str(tmp_path))

    sweep(str(tmp_path))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        pytest.param(lambda path: path.mkdir(mode=0o700), "", id="ours alone"),
        pytest.param(lambda path: (path.mkdir(), path.chmod(0o777)), "others can write", id="open"),
        pytest.param(lambda path: path.touch(), "is not a directory", id="a file"),
        pytest.param(lambda path: None, "cannot be read: No such file", id="nothing"),
    ],
)
def test_distrust(tmp_path, make, complaint):
    make(tmp_path / "run")

    found = distrust(str(tmp_path / "run"))

    assert complaint in found
    assert bool(found) == bool(complaint)


def test_a_folder_that_others_can_write_to_is_refused():
    with folder() as path:
        path.chmod(0o777)

        with pytest.raises(SettingError, match="others can write to"):
            make_base(str(path))


def test_a_folder_with_too_long_a_name_is_refused():
    with pytest.raises(SettingError, match="is too long for a folder of sockets"):
        make_base("/" + "x" * LONGEST_BASE)


def test_a_folder_that_cannot_be_made_is_refused():
    with folder() as path:
        (path / "file").touch()

        with pytest.raises(SettingError, match="cannot be made: Not a directory"):
            make_base(str(path / "file" / "run"))


def test_the_folder_of_sockets_is_the_user_s_own_by_default(monkeypatch):
    with folder() as path:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(path))
        assert default_base() == str(path / "wsgimatch")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert default_base().endswith(f"wsgimatch-{os.geteuid()}")


def test_owner_of_a_process_that_nobody_has_started():
    assert this_server() == this_process()


def test_a_process_that_has_ended_is_no_owner():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = Owner(process.pid, start_time(process.pid) or "")
    end = end_of(owner)
    before = owner.is_alive
    process.communicate(b"\n")

    assert (before, owner.is_alive, end_of(owner)) == (True, False, None)
    if end is not None:
        assert has_ended(end)
        os.close(end)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param(b"plain\ttext", b"plain\ttext", id="text"),
        pytest.param("caf\xe9".encode(), "caf\xe9".encode(), id="UTF-8"),
        pytest.param(b"\x1b[2J\x00", rb"\x1b[2J\x00", id="control characters"),
        pytest.param(b"\xff", rb"\xff", id="no text"),
    ],
)
def test_printable(line, shown):
    assert printable(line) == shown


def test_output_is_written_line_by_line_with_the_group_s_name(tmp_path):
    log = ServerLog(str(tmp_path / "log"))
    read, write = os.pipe()
    output = GroupOutput(read, "blog", log)

    os.write(write, b"one\ntw")
    first = output.drain()
    nothing = output.drain()
    os.write(write, b"o\nrest")
    os.close(write)
    output.close()

    assert (tmp_path / "log").read_text() == "[blog] one\n[blog] two\n[blog] rest\n"
    assert (first, nothing) == (True, True)


def test_a_log_that_was_moved_away_is_made_anew(tmp_path):
    log = ServerLog(str(tmp_path / "log"))
    log.write(b"one\n")
    (tmp_path / "log").rename(tmp_path / "old")
    log.write(b"two\n")

    assert (tmp_path / "old").read_text() == "one\n"
    assert (tmp_path / "log").read_text() == "two\n"


def test_a_log_that_cannot_be_written_is_passed_over(tmp_path):
    log = ServerLog(str(tmp_path))

    log.write(b"lost\n")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        pytest.param(b'{"error": "no"}\n', "^no$", id="an error"),
        pytest.param(b"[]\n", "answers", id="no object"),
        pytest.param(b"garbage\n", "no manager answers", id="garbage"),
        pytest.param(b"", "no manager answers", id="nothing"),
        pytest.param(b"[" * 100_000 + b"\n", "no manager answers", id="lists without an end"),
        pytest.param(b'["\\u001b[2J"]\n', r"answers \[\S+x1b\[2J", id="an escape sequence"),
        pytest.param(
            b'{"error": "\\u001b[2J' + b"x" * 9000 + b'"}\n',
            r"^\\x1b\[2Jx{1996}$",
            id="an error without an end",
        ),
    ],
)
def test_a_manager_that_does_not_do_what_it_should(answer, complaint):
    with folder() as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path / "m"))
        listener.listen()

        def reply():
            with listener.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        with pytest.raises(ManagerError, match=complaint):
            give_order(str(path / "m"), {"do": "status"})
        thread.join()


def test_a_manager_whose_answer_does_not_end_is_given_up():
    done = threading.Event()
    with folder() as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path / "m"))
        listener.listen()

        def drip():
            with listener.accept()[0] as connection, suppress(OSError):
                while not done.wait(0.01):
                    connection.sendall(b" ")

        thread = threading.Thread(target=drip)
        thread.start()
        with pytest.raises(ManagerError, match="timed out"):
            give_order(str(path / "m"), {"do": "status"}, timeout=0.2)
        done.set()
        thread.join()


def test_no_manager(tmp_path):
    assert not is_there(str(tmp_path / "m"))


def test_a_changed_module_is_found(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "module_that_changes.py").write_text("")
    __import__("module_that_changes")
    changed = os.stat(tmp_path / "module_that_changes.py").st_ctime

    assert changed_module(changed + 1) is None
    assert changed_module(changed - 1) is not None


@pytest.mark.parametrize(
    ("groups", "label"),
    [
        (("", ""), "%{GLOBAL}"),
        (("blog", ""), "blog"),
        (("", "red"), "red"),
        (("blog", "red"), "blog/red"),
    ],
)
def test_label_of_a_place(groups, label):
    assert Place(*groups).label == label
