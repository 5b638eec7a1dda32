"""What was stopped, removed or written over comes back by itself (all kinds: ``make chaos``)."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from django_wsgimatch.daemon.definition import Definition
from django_wsgimatch.daemon.front import server_manager
from django_wsgimatch.daemon.front.front import Places
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.daemon.servers.directory import make_directory
from django_wsgimatch.daemon.servers.managers import MANAGER_NAME, managers_of
from django_wsgimatch.daemon.servers.own_python import own_packages
from django_wsgimatch.daemon.servers.owner import Owner, is_stopped, this_server
from django_wsgimatch.exceptions import ManagerError
from tests.load.groups import TENANTS
from tests.support.groups import HOOKS, PLAIN, SCRIPT, base_of, marked, site, wait_until
from tests.support.relayed import folder
from tests.support.renewals import put
from tests.thorough import mostly_thorough

# The groups of the server that tests share: each leaves it as it was, since all comes back.
SHARED = {
    "blog": {"deadlock_timeout": 1},
    "stopping": {"deadlock_timeout": 1},
    "booted": {"start": "boot"},
}
ALIASES = f"""\
*(script_alias(f"/{{n}}", f"{{n}}.wsgi", process_group=n) for n in {[*SHARED]!r}),
"""


@pytest.fixture(scope="module")
def at(tmp_path_factory):
    project = tmp_path_factory.mktemp("shared")
    for name in SHARED:
        (project / f"{name}.wsgi").write_text(SCRIPT)
    with site(project, aliases=ALIASES, more=f"WSGIMATCH_PROCESS_GROUPS |= {SHARED!r}\n") as at:
        yield at


def manager_of(at):
    return at.order(do="ping")["pid"]


def folder_of(at):
    [path] = [path for path in Path(base_of(at.project)).iterdir() if path.is_dir()]
    return path


def boards_of(at):
    return sorted(path.name for path in folder_of(at).glob("*.board"))


def test_a_worker_that_was_killed_is_not_told_of_any_more(at):
    killed = at.told("/blog")["pid"]
    os.kill(killed, signal.SIGKILL)
    at.until(lambda: at.told("/blog")["pid"] != killed)
    [process] = at.place("blog")["processes"]

    assert process["pid"] != killed


def test_an_arbiter_that_hangs_is_replaced_and_no_request_lost(at):
    hung = at.told("/blog")["parent"]
    os.kill(hung, signal.SIGSTOP)
    statuses = set()

    def has_another() -> bool:
        statuses.add(at.get("/blog").status)
        return bool(at.place("blog")["pid"] != hung)

    at.until(has_another)
    at.until(lambda: at.place("blog")["state"] == "running" and hung not in marked(at.mark))

    assert statuses == {200}


def test_a_worker_that_is_stopped_before_it_is_ready_is_replaced(at):
    at.told("/stopping")
    mark = at.project / "stopped"
    put(at.project / "stopping.wsgi", STOPS_ONCE.format(mark=str(mark)))
    # In one interval a process looks once whether its script has changed.
    at.until(lambda: at.get("/stopping").status == 200 and mark.exists())
    at.until(lambda: mark.read_text() != "")
    stopped = int(mark.read_text())
    at.until(lambda: stopped not in marked(at.mark))
    status = at.get("/stopping").status

    assert status == 200


STOPS_ONCE = """\
import os, signal

if not os.path.exists({mark!r}):
    with open({mark!r}, "w") as file:
        file.write(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGSTOP)


def application(environ, start_response):
    start_response("200 OK", [])
    return [b"new"]
"""


@pytest.mark.parametrize(
    "command",
    mostly_thorough([pytest.param(PLAIN, id="plain"), pytest.param(HOOKS, id="hooks")], "hooks"),
)
def test_a_manager_that_hangs_is_replaced(tmp_path, command):
    with site(tmp_path, command=command) as at:
        at.told("/blog")
        hung = manager_of(at)
        os.kill(hung, signal.SIGSTOP)
        at.until(lambda: hung not in marked(at.mark))
        at.told("/blog")
        at.until(lambda: managers_of_site(at) == answering(at))


def answering(at):
    """The manager, as soon as it takes orders: one that is just starting may outlive the server."""
    try:
        return [manager_of(at)]
    except ManagerError:
        return []


def managers_of_site(at):
    return [pid for pid in marked(at.mark) if MANAGER_NAME.encode() in command_line(pid)]


def command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def test_a_hup_while_the_manager_hangs_does_not_end_the_server(tmp_path):
    with site(tmp_path) as at:
        front_worker = at.told("/here")["pid"]
        os.kill(manager_of(at), signal.SIGSTOP)
        at.hup()
        at.until(lambda: at.told("/here")["pid"] != front_worker)
        told = at.told("/blog")

    assert told["process_group"] == "blog"


def test_boards_that_were_removed_are_made_anew(tmp_path):
    with site(tmp_path) as at:
        at.told("/blog")
        before = boards_of(at)
        for board in folder_of(at).glob("*.board"):
            board.unlink()
        at.until(lambda: len(boards_of(at)) == len(before))
        at.told("/blog")


def test_an_order_that_comes_as_the_folder_is_removed_finds_it_made_anew(tmp_path):
    with site(tmp_path) as at, socket.socket(socket.AF_UNIX) as connection:
        at.told("/blog")
        told = at.order(**Place("blog", "").to_order())
        connection.settimeout(60)
        connection.connect(str(folder_of(at) / "manager.sock"))
        # In one step: the manager may write there meanwhile.
        folder_of(at).rename(tmp_path / "away")
        connection.sendall(json.dumps(Place("blog", "").to_order()).encode() + b"\n")
        answer = json.loads(connection.makefile().readline())
        at.told("/blog")

    assert answer == told


def test_what_a_manager_that_was_killed_has_left_is_no_hindrance(at):
    at.told("/booted")
    at.until(lambda: at.place("booted")["state"] == "running")
    before = {*boards_of(at)}
    os.kill(manager_of(at), signal.SIGKILL)
    at.until(lambda: {*boards_of(at)} - before != set())
    told = at.told("/booted")

    assert told["process_group"] == "booted"


def test_a_board_that_was_written_over_is_replaced_with_its_workers(at):
    scribbled = at.told("/blog")["pid"]
    for board in folder_of(at).glob("*.board"):
        board.write_bytes(b"\xa5" * board.stat().st_size)
    # At the latest once the arbiter's last word, which is nonsense now, is old.
    at.until(lambda: at.told("/blog")["pid"] != scribbled)
    at.until(lambda: len(at.place("blog")["processes"]) == 1)
    place = at.place("blog")

    assert place["state"] == "running"


def test_tenants_take_turns_where_there_is_room_for_one(tmp_path):
    statuses = []
    options = {"maximum_application_groups": 1}
    with site(tmp_path, options, aliases=TENANTS) as at:
        threads = [
            threading.Thread(target=lambda n=n: statuses.append(at.get(f"/tenant-{n}").status))
            for n in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert statuses == [200] * 5


def places_in(path, owner=None):
    groups = {"blog": GroupOptions()}
    definition = Definition(0.0, sys.executable, own_packages(), (), "/", groups=groups)
    return Places(definition, str(path / "base"), owner or this_server())


def test_a_manager_that_is_started_while_its_server_ends_leaves_no_folder():
    with folder() as path:
        ended = Owner(2**22 + 1, "1")
        places = places_in(path, ended)
        make_directory(ended, places.directory.base)
        with pytest.raises(ManagerError):
            places._manager._run()
        wait_until(lambda: not os.path.exists(places.directory.path))

        assert not os.path.exists(places.directory.base)


def test_whoever_holds_the_lock_and_hangs_does_not_hang_the_others(monkeypatch):
    monkeypatch.setattr(server_manager, "LONGEST_LOCK", 0.1)
    with folder() as path:
        places = places_in(path)
        make_directory(places.owner, places.directory.base)
        with open(places.directory.lock, "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with pytest.raises(ManagerError) as caught:
                places.keep_open()
            message = str(caught.value)

    assert message == (
        f"another process has held {places.directory.lock!r} for 0.1 s. It waits for the manager "
        f"that it starts, or was stopped itself: `fuser -v {places.directory.lock!r}` names it"
    )


@pytest.mark.parametrize(
    "is_there", [pytest.param(True, id="folder"), pytest.param(False, id="no")]
)
def test_a_request_may_have_reached_an_application_whose_board_is_gone(is_there):
    with folder() as path:
        places = places_in(path)
        if is_there:
            os.makedirs(places.directory.path)

        assert places._has_reached(Place("blog", ""), 1)
        shutil.rmtree(path / "base", ignore_errors=True)


def test_a_process_that_was_stopped():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    before = is_stopped(process.pid)
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: is_stopped(process.pid))
    process.kill()
    process.communicate()

    assert (before, is_stopped(process.pid)) == (False, False)


def test_no_process_is_taken_for_a_manager_by_its_own_word_alone():
    assert managers_of(this_server()) == []
