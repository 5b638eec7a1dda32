"""The folder of sockets, the log, the orders to the manager, and who owns a process."""

from __future__ import annotations

import fcntl
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

import pytest

from django_wsgimatch.daemon.group.worker.changes import LoadedFiles
from django_wsgimatch.daemon.manager import logs
from django_wsgimatch.daemon.manager.logs import GroupOutput, ServerLog, open_log, printable
from django_wsgimatch.daemon.manager.starting import log_of
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.daemon.servers import directory
from django_wsgimatch.daemon.servers.directory import (
    LONGEST_BASE,
    MARKER,
    bases_of,
    default_base,
    directory_of,
    distrust_of_folder,
    make_base,
    make_directory,
    remove_directory,
    running_servers,
    sweep,
)
from django_wsgimatch.daemon.servers.held_file import is_held
from django_wsgimatch.daemon.servers.owner import Owner, end_of, start_time, this_server
from django_wsgimatch.daemon.wire.control import give_order, is_there
from django_wsgimatch.exceptions import ManagerError, SettingError
from tests.support.relayed import folder


def this_process() -> Owner:
    return Owner(os.getpid(), start_time(os.getpid()) or "")


def test_a_folder_is_made_for_its_owner_alone():
    with folder() as path:
        base = make_base(str(path / "run"))
        made = make_directory(this_process(), base)

        assert os.stat(made.path).st_mode & 0o777 == 0o700
        assert list(running_servers([base])) == [(this_process(), made)]


GONE = Owner(1, "1")
# Makes a server's folder, says so, and lives until it is told to end; a child of its, too.
SERVER = """\
import os, sys
from django_wsgimatch.daemon.servers.directory import make_directory
from django_wsgimatch.daemon.servers.owner import Owner
make_directory(Owner(1, "1"), sys.argv[1])
if sys.argv[2] == "forks" and os.fork():
    os._exit(0)
print("made", flush=True)
sys.stdin.read()
"""


@contextmanager
def server_that_is_not_to_be_seen(base, what="stays"):
    """A server whose main process has another pid here than it says, as in a container."""
    command = [sys.executable, "-c", SERVER, base, what]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"made\n"
        yield process


@pytest.mark.parametrize("what", ["stays", "forks"])
def test_the_folder_of_a_server_that_lives_is_not_removed_wherever_it_lives(what):
    with folder() as path:
        base = make_base(str(path / "run"))
        with server_that_is_not_to_be_seen(base, what):
            sweep(base)

            assert sorted(os.listdir(base)) == [MARKER, GONE.name]


def test_what_a_killed_server_has_left_is_removed():
    with folder() as path:
        base = make_base(str(path / "run"))
        with server_that_is_not_to_be_seen(base) as process:
            process.kill()
        sweep(base)

        assert os.listdir(base) == [MARKER]


def test_what_a_server_without_a_lock_has_left_is_removed():
    """As one of an earlier version."""
    with folder() as path:
        base = make_base(str(path / "run"))
        with server_that_is_not_to_be_seen(base):
            os.unlink(directory_of(GONE, base).alive)
            sweep(base)

            assert os.listdir(base) == [MARKER]


def test_a_folder_that_was_made_anew_is_held_anew():
    with folder() as path:
        base = make_base(str(path / "run"))
        made = make_directory(this_process(), base)
        shutil.rmtree(made.path)
        made = make_directory(this_process(), base)

        assert is_held(made.alive)


@pytest.mark.parametrize(
    "name",
    [
        *("2024.backup", "3.11", "other"),
        pytest.param(f"{os.getpid()}.1", id="as a server's that was killed"),
    ],
)
def test_what_no_server_has_made_is_never_removed(name):
    with folder() as path:
        base = make_base(str(path / "run"))
        os.mkdir(os.path.join(base, name))

        sweep(base)

        assert sorted(os.listdir(base)) == sorted([MARKER, name])


def test_a_folder_that_holds_other_things_is_refused_and_left_as_it_is():
    with folder() as path:
        path.chmod(0o755)
        (path / "2024.backup").mkdir()

        with pytest.raises(SettingError, match="holds other files than a server's"):
            make_base(str(path))

        assert (os.listdir(path), path.stat().st_mode & 0o777) == (["2024.backup"], 0o755)


def test_the_last_server_removes_the_folder_of_folders():
    with folder() as path:
        made = make_directory(this_process(), str(path / "run"))

        remove_directory(made)

        assert os.listdir(path) == []


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        pytest.param(lambda path: make_base(str(path)), "", id="ours alone"),
        pytest.param(lambda path: (path.mkdir(), path.chmod(0o777)), "others can write", id="open"),
        pytest.param(
            lambda path: (path.mkdir(), path.chmod(0o1777)), "others can write", id="as /tmp"
        ),
        pytest.param(lambda path: path.mkdir(mode=0o700), "it has no .wsgimatch", id="unmarked"),
        pytest.param(
            lambda path: (make_base(f"{path}.its"), path.symlink_to(f"{path}.its")),
            "is not a directory",
            id="a link",
        ),
        pytest.param(lambda path: path.touch(), "is not a directory", id="a file"),
        pytest.param(lambda path: None, "cannot be read: No such file", id="nothing"),
    ],
)
def test_distrust(make, complaint):
    with folder() as path:
        make(path / "run")

        found = distrust_of_folder(str(path / "run"))

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


@pytest.fixture
def _without_run_folder(monkeypatch):
    monkeypatch.setattr(directory, "run_base", lambda user: f"/nowhere/wsgimatch-{user}")


def test_systemd_says_where_the_sockets_lie(monkeypatch):
    with folder() as path:
        monkeypatch.setenv("RUNTIME_DIRECTORY", f"{path}:/run/other")

        assert default_base(this_process()) == str(path / "wsgimatch")


@pytest.mark.usefixtures("_without_run_folder")
def test_the_sockets_lie_in_the_user_s_home_and_outlive_a_login(monkeypatch):
    with folder() as path:
        monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/0")
        monkeypatch.setattr(directory, "home_base", lambda user: f"{path}/.local/state/wsgimatch")

        assert default_base(this_process()) == f"{path}/.local/state/wsgimatch"


@pytest.mark.usefixtures("_without_run_folder")
@pytest.mark.parametrize("folder", [None, "/" + "x" * 90], ids=["none", "one with a long name"])
def test_without_a_folder_for_temporary_files_that_can_be_used_it_is_tmp(monkeypatch, folder):
    def gettempdir():
        if folder is None:
            raise FileNotFoundError
        return folder

    monkeypatch.setattr("tempfile.gettempdir", gettempdir)

    assert directory._temporary() == "/tmp"


def test_without_a_home_nobody_can_guess_the_folder_s_name(monkeypatch):
    monkeypatch.setattr(directory, "home_base", lambda user: None)

    first, again = default_base(this_process()), default_base(this_process())
    other = default_base(Owner(os.getppid(), start_time(os.getppid()) or ""))

    assert re.fullmatch(rf"/tmp/wsgimatch-{os.geteuid()}\.[0-9a-f]{{16}}", first)
    assert first == again != other


def test_the_folders_of_a_user_s_servers_are_found_again(monkeypatch):
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    with folder() as path:
        monkeypatch.setattr(directory, "run_base", lambda user: str(path / "run"))
        monkeypatch.setattr(directory, "home_base", lambda user: str(path / "home"))
        make_base(str(path / "home"))
        (path / "run").mkdir()

        found = bases_of(os.geteuid())

        assert str(path / "home") in found
        assert str(path / "run") not in found


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
        assert select.select([end], [], [], 0)[0]
        os.close(end)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param(b"plain\ttext", b"plain\ttext", id="text"),
        pytest.param("caf\xe9".encode(), "caf\xe9".encode(), id="UTF-8"),
        pytest.param(b"\x1b[2J\x00", rb"\x1b[2J\x00", id="control characters"),
        pytest.param(b"\xff", rb"\xff", id="no text"),
        pytest.param("\x9b31m\x85".encode(), rb"\x9b31m\x85", id="C1 controls"),
        pytest.param("\u202e\u200b".encode(), rb"\u202e\u200b", id="what reverses and hides"),
        pytest.param("a\u2028[b] c".encode(), rb"a\u2028[b] c", id="a line of another group"),
    ],
)
def test_printable(line, shown):
    assert printable(line) == shown


def test_a_group_s_name_that_a_client_has_chosen_stays_in_its_brackets(tmp_path):
    log = ServerLog(str(tmp_path / "log"))
    read, write = os.pipe()
    output = GroupOutput(read, "a\n[b] \x1b[2J\xff", log)

    os.write(write, b"one\n")
    os.close(write)
    output.close()

    assert (tmp_path / "log").read_bytes() == rb"[a\n[b] \x1b[2J\xff] one" + b"\n"


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


def test_output_is_passed_on_to_the_end_where_many_files_are_open(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "READ", 16)
    read, write = os.pipe()
    high = fcntl.fcntl(read, fcntl.F_DUPFD_CLOEXEC, 2000)
    os.close(read)
    output = GroupOutput(high, "blog", ServerLog(str(tmp_path / "log")))
    os.write(write, b"a line of the application's\nthe last line")
    os.close(write)

    output.close()

    assert (tmp_path / "log").read_text().endswith("[blog] the last line\n")


def test_a_group_that_prints_without_end_is_read_at_a_bounded_rate(tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("django_wsgimatch.daemon.manager.logs.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(logs, "BURST", 2 * logs.READ)
    read, write = os.pipe()
    output = GroupOutput(read, "blog", ServerLog(str(tmp_path / "log")))

    waits = []
    for _ in range(3):
        os.write(write, b"x" * logs.READ)
        output.drain()
        waits.append(output.must_wait)
    clock[0] += 2 * logs.READ / logs.RATE
    waits.append(output.must_wait)
    os.close(write)
    output.close()

    assert waits == [False, True, True, False]


def test_the_end_of_a_group_is_not_held_up_by_what_still_prints(tmp_path):
    log = tmp_path / "log"
    read, write = os.pipe()
    output = GroupOutput(read, "blog", ServerLog(str(log)))
    printer = subprocess.Popen(["yes"], stdout=write)
    os.close(write)
    select.select([read], [], [])
    try:
        output.close()
    finally:
        printer.kill()
        printer.wait()

    assert log.stat().st_size < 16 * logs.LONGEST_REST


def test_a_log_that_was_moved_away_is_made_anew(tmp_path):
    log = ServerLog(str(tmp_path / "log"))
    log.write(b"one\n")
    (tmp_path / "log").rename(tmp_path / "old")
    log.write(b"two\n")

    assert (tmp_path / "old").read_text() == "one\n"
    assert (tmp_path / "log").read_text() == "two\n"


def test_a_file_of_a_group_s_own_takes_its_output_as_it_is(tmp_path):
    read, write = os.pipe()
    log = ServerLog(str(tmp_path / "log"), open_file=open_log)
    output = GroupOutput(read, "blog", log, has_prefix=False, is_own_file=True)

    os.write(write, b'{"a": 1}\n\x1b[1mb')
    os.close(write)
    output.close()

    assert (tmp_path / "log").read_bytes() == b'{"a": 1}\n\x1b[1mb'


@pytest.mark.parametrize(
    ("has_prefix", "written"),
    [
        pytest.param(True, "[blog] one\n", id="with the group's name"),
        pytest.param(False, "one\n", id="without"),
    ],
)
def test_a_stream_takes_the_output_line_by_line(tmp_path, has_prefix, written):
    read, write = os.pipe()
    stream = os.open(tmp_path / "stream", os.O_WRONLY | os.O_CREAT)
    output = GroupOutput(read, "blog", ServerLog(None, stream=stream), has_prefix=has_prefix)

    os.write(write, b"one\n")
    os.close(write)
    output.close()
    os.close(stream)

    assert (tmp_path / "stream").read_text() == written


def test_where_the_output_of_a_group_goes(tmp_path):
    server = ServerLog(None, stdout=7)
    options = [None, "/dev/stdout", "/dev/stderr", str(tmp_path / "log")]
    logs_of = [log_of(GroupOptions(log_file=each), server) for each in options]
    logs_of[3].close()

    assert [(log.path, log.stream) for log in logs_of] == [
        (None, 2),
        (None, 7),
        (None, 2),
        (str(tmp_path / "log"), 2),
    ]
    assert logs_of[0] is server


def test_a_full_disk_takes_nothing_and_raises_nothing():
    log = ServerLog("/dev/full")

    log.write(b"lost\n")


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


@pytest.fixture
def module_that_changes(tmp_path, monkeypatch):
    path = tmp_path / "module_that_changes.py"
    path.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield path
    sys.modules.pop(path.stem, None)


@pytest.mark.parametrize("mtime", [1, 4_000_000_000], ids=["an older file", "a file of tomorrow"])
def test_a_module_that_was_replaced_has_changed(module_that_changes, mtime):
    files = LoadedFiles()
    __import__(module_that_changes.stem)
    files.note()
    before = files.changed()

    os.utime(module_that_changes, (mtime, mtime))

    assert (before, files.changed()) == (None, str(module_that_changes))


def test_a_module_that_nobody_has_noted_has_changed_if_it_is_newer_than_its_process(
    module_that_changes,
):
    files = LoadedFiles()
    __import__(module_that_changes.stem)
    os.utime(module_that_changes, (4_000_000_000, 4_000_000_000))

    assert files.changed() == str(module_that_changes)


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
