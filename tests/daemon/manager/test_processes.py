"""The starter, asked as a manager asks it."""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from django_wsgimatch.daemon import starter
from django_wsgimatch.daemon.manager.processes import Process, Start, StartedByRoot, start_of_root
from tests.support.groups import wait_until

NOBODY = pwd.getpwnam("nobody")


@contextmanager
def started() -> Iterator[StartedByRoot]:
    """A manager's side of a starter that runs for the time of the block."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    word = f"nobody={NOBODY.pw_uid}:{NOBODY.pw_gid}:"
    number = its.fileno()
    command = [sys.executable, "-I", "-S", starter.__file__, str(number), os.getcwd(), word]
    with mine, subprocess.Popen(command, pass_fds=[number]) as process:
        its.close()
        with start_of_root(mine.fileno()) as connection:
            yield StartedByRoot(connection)
        mine.close()
        process.wait()


def start_one(processes: StartedByRoot) -> Process:
    """Start a process that soon ends: there is nothing that it could read."""
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        order = Start(None, "test", {}, user=NOBODY.pw_uid, group=NOBODY.pw_gid)
        return processes.start(order, [nothing] * 5)
    finally:
        os.close(nothing)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start processes as others")
def test_processes_that_have_ended_keep_no_other_from_starting():
    with started() as processes:
        for _ in range(5):
            some = [start_one(processes) for _ in range(8)]

            def are_gone(some=some) -> bool:
                processes.look()
                return all(process.is_gone for process in some)

            wait_until(are_gone)


def test_a_starter_that_ends_at_the_moment_of_an_order_is_said_to_have_ended(monkeypatch):
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # After the look, and before the order.
    monkeypatch.setattr(StartedByRoot, "look", lambda processes: its.close())
    with mine:
        processes = StartedByRoot(mine)
        with pytest.raises(OSError, match="the starter") as raised:
            start_one(processes)

    assert str(raised.value).startswith("the starter has ended")
