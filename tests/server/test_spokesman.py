"""Of the workers of a server that cannot start one says why."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack, closing

import pytest

from django_wsgimatch.daemon.servers.owner import Owner
from django_wsgimatch.server import spokesman
from django_wsgimatch.server.spokesman import Spokesman

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the names are Linux's")
FIRST = """\
import sys
from django_wsgimatch.daemon.servers.owner import Owner
from django_wsgimatch.server.spokesman import Spokesman
worker = Spokesman(Owner(int(sys.argv[1]), "x"))
print(worker.is_first, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def server():
    return Owner(os.getpid(), "x")


@pytest.fixture
def first(server):
    """The process of a worker that was first."""
    command = [sys.executable, "-c", FIRST, str(server.pid)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        yield process


@pytest.fixture
def worker():
    """Makes workers of this process."""
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(closing(Spokesman(server)))


def test_the_first_worker_speaks(server, worker):
    assert worker(server).is_first


def test_another_one_does_not_and_ends_after_it(server, worker, first):
    other = worker(server)
    was_first, was_there = other.is_first, first.poll() is None
    first.stdin.close()
    other.stay()
    first.wait()

    assert (was_first, was_there) == (False, True)


@pytest.mark.usefixtures("first")
def test_a_worker_of_another_server_speaks(worker):
    assert worker(Owner(os.getpid(), "y")).is_first


def test_a_worker_speaks_again_where_the_first_one_is_gone(server, worker, first):
    first.stdin.close()
    first.wait()

    assert worker(server).is_first


@pytest.mark.usefixtures("first")
def test_somebody_else_s_word_does_not_count(server, worker, monkeypatch):
    monkeypatch.setattr(spokesman, "peer_user", lambda connection: os.geteuid() + 1)

    assert worker(server).is_first


def test_where_there_are_no_such_names_all_speak(server, worker, monkeypatch):
    def refuse(*arguments):
        raise OSError

    monkeypatch.setattr(socket.socket, "bind", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)

    assert worker(server).is_first


def test_nobody_is_waited_for_without_end(server, worker, first, monkeypatch):
    monkeypatch.setattr(spokesman, "STAY", 0.01)
    worker(server).stay()

    assert first.poll() is None
