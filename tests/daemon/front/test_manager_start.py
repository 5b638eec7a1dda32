"""A manager that is stopped or hangs while it starts is told from one that is only slow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from django_wsgimatch.daemon.definition import Definition
from django_wsgimatch.daemon.front import manager_start, server_manager
from django_wsgimatch.daemon.front.manager_start import LOOKS, Stopped, runs_of_stopped
from django_wsgimatch.daemon.front.server_manager import ServerManager
from django_wsgimatch.daemon.servers.directory import directory_of
from django_wsgimatch.daemon.servers.managers import MANAGER_NAME, managers_of, send_to
from django_wsgimatch.daemon.servers.own_python import own_packages
from django_wsgimatch.daemon.servers.owner import Owner, this_server
from django_wsgimatch.daemon.wire.control import give_order, is_there
from django_wsgimatch.exceptions import ManagerError
from tests.support.groups import wait_until
from tests.support.relayed import folder

# A manager's program that does ``what`` at some moment of its start, if it is among the first so
# many that are started.
PROGRAM = """\
import os, signal, sys, time

sys.path.insert(0, sys.argv[1])
from django_wsgimatch.daemon.manager import main


def disturb():
    with open({starts!r}, "a+") as file:
        print(os.getpid(), file=file, flush=True)
        file.seek(0)
        is_disturbed = len(file.readlines()) <= {most}
    if is_disturbed:
        {what}


def disturbed(listen):
    def listening(manager):
        if {moment!r} == "before it listens":
            disturb()
        listen(manager)
        if {moment!r} == "after it listens":
            disturb()

    return listening


if {moment!r} == "as it begins":
    disturb()
main.Manager.listen = disturbed(main.Manager.listen)
main.run_manager()
"""
STOPS, HANGS = "os.kill(os.getpid(), signal.SIGSTOP)", "signal.pause()"


@contextmanager
def server_whose_managers(monkeypatch, what, *, most=1, moment="before it listens"):
    """A server's manager that is not started yet, and the file of the managers' processes."""
    with folder() as path:
        starts = str(path / "starts")
        program = path / "run.py"
        program.write_text(PROGRAM.format(what=what, most=most, moment=moment, starts=starts))
        monkeypatch.setattr(server_manager, "PROGRAM", str(program))
        definition = Definition(0.0, sys.executable, own_packages(), (), "/", groups={})
        owner = this_server()
        directory = directory_of(owner, str(path / "base"))
        server = ServerManager(definition, owner, directory, os.environ)
        try:
            yield server, path / "starts"
        finally:
            for pid in managers_of(owner):
                send_to(pid, signal.SIGKILL)
            wait_until(lambda: managers_of(owner) == [])


def look_often(monkeypatch):
    monkeypatch.setattr(manager_start, "LOOK", 0.05)
    monkeypatch.setattr(manager_start, "LOOKS", 2)


def pid_of_manager(server):
    return give_order(server.directory.manager, {"do": "ping"})["pid"]


@pytest.mark.parametrize("moment", ["as it begins", "before it listens", "after it listens"])
def test_a_manager_that_is_stopped_while_it_starts_is_replaced_by_the_same_start(
    monkeypatch, caplog, moment
):
    look_often(monkeypatch)
    with server_whose_managers(monkeypatch, STOPS, moment=moment) as (server, starts):
        server.open()
        stopped, _ = starts.read_text().split()

        assert managers_of(server.owner) == [pid_of_manager(server)]
    assert f"(process {stopped}) was stopped by a signal (SIGSTOP) while it started" in caplog.text


def test_managers_that_are_stopped_each_time_are_not_started_without_end(monkeypatch):
    look_often(monkeypatch)
    with server_whose_managers(monkeypatch, STOPS, most=9) as (server, starts):
        with pytest.raises(ManagerError) as caught:
            server.open()
        wait_until(lambda: managers_of(server.owner) == [])

        assert len(starts.read_text().split()) == server_manager.MOST_STARTS
    assert "it was stopped (SIGSTOP) each time" in str(caught.value)


def test_a_manager_that_hangs_while_it_starts_does_not_come_later_beside_the_next(monkeypatch):
    monkeypatch.setattr(manager_start, "LONGEST_START", 1.0)
    with server_whose_managers(monkeypatch, HANGS, moment="as it begins") as (server, _):
        with pytest.raises(ManagerError) as caught:
            server.open()
        wait_until(lambda: managers_of(server.owner) == [])

        assert not is_there(server.directory.manager)
    assert "and was killed" in str(caught.value)


@contextmanager
def process_named_as_a_manager(owner):
    """A process that is taken for a server's manager; it answers each byte that it gets."""
    command = [sys.executable, "-uc", ECHO, MANAGER_NAME, owner.name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdout.read(1)
            yield process
        finally:
            process.kill()


ECHO = """\
import os
while os.write(1, b"."):
    os.read(0, 1)
"""
# A server that nobody has.
NOBODY_S = Owner(2**22 + 1, "1")


def stop(process):
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: runs_of_stopped(process.pid) != [])


def test_a_stopped_manager_is_found_once_it_has_been_stopped_at_each_of_several_looks():
    stopped = Stopped(NOBODY_S)
    with process_named_as_a_manager(NOBODY_S) as process:
        stop(process)
        found = [stopped.look() for _ in range(LOOKS)]

    assert found == [[]] * (LOOKS - 1) + [[process.pid]]


def test_a_slow_manager_is_never_found_stopped():
    stopped = Stopped(NOBODY_S)
    with process_named_as_a_manager(NOBODY_S):
        found = [stopped.look() for _ in range(3 * LOOKS)]

    assert found == [[]] * 3 * LOOKS


def test_a_manager_that_has_run_between_two_looks_is_slow():
    """As under a limiter of CPU time: each look may find it stopped."""
    stopped, found = Stopped(NOBODY_S), []
    with process_named_as_a_manager(NOBODY_S) as process:
        for _ in range(2 * LOOKS):
            stop(process)
            found += stopped.look()
            process.send_signal(signal.SIGCONT)
            process.stdin.write(b".")
            process.stdout.read(1)

    assert found == []


@pytest.mark.parametrize(
    ("state", "is_stopped"),
    [("T (stopped)", True), ("t (tracing stop)", False), ("D (disk sleep)", False)],
)
def test_only_a_signal_stops_a_process_for_this_not_a_tracer_nor_a_disk(
    monkeypatch, state, is_stopped
):
    lines = ["Name:\tT", f"State:\t{state}", "voluntary_ctxt_switches:\t7"]
    monkeypatch.setattr(manager_start, "proc_status_of", lambda pid: lines)

    assert bool(runs_of_stopped(1)) == is_stopped
