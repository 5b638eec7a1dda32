"""What the manager makes of a warm parent, and of one that lies."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from django_wsgimatch.daemon.manager import warm_parents
from django_wsgimatch.daemon.manager.logs import GroupOutput, ServerLog
from django_wsgimatch.daemon.manager.processes import Process, Start
from django_wsgimatch.daemon.manager.warm_parents import Parent, kind_of

START = Start(None, "(wsgi:blog)", {"PATH": "/bin"})


@pytest.fixture
def parent() -> Iterator[tuple[Parent, socket.socket, list[int]]]:
    """A parent, its own end of the socket, and the signals that it was sent."""
    signals: list[int] = []
    process = Process(4711, lambda pid, signum: signals.append(signum))
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    read, write = os.pipe()
    with mine, its:
        yield Parent(process, mine, GroupOutput(read, "parent", ServerLog(None))), its, signals
    os.close(read)
    os.close(write)


def send(its: socket.socket, *events: Any) -> None:
    for event in events:
        its.send(event if isinstance(event, bytes) else json.dumps(event).encode())


def forked(known: Parent, its: socket.socket, answer: Any) -> Process:
    """Have a parent fork that gives this answer to the order."""

    def reply() -> None:
        its.recv(65536)
        send(its, answer)

    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(reply)
            return known.fork(START, [nothing] * 5)
    finally:
        os.close(nothing)


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        pytest.param({"name": "(wsgi:other)"}, True, id="another name"),
        pytest.param({"limits": {"NOFILE": 9}}, True, id="limits"),
        pytest.param({"environment": {"PATH": "/x", "GIVEN": "1"}}, True, id="variables"),
        pytest.param({"environment": {"PYTHONUTF8": "1"}}, False, id="a variable of Python's"),
        pytest.param({"environment": {"LC_ALL": "C"}}, False, id="a locale"),
        pytest.param({"environment": {"LD_PRELOAD": "x"}}, False, id="a variable of the loader's"),
        pytest.param({"program": "/venv/bin/python"}, False, id="another Python"),
        pytest.param({"user": 33}, False, id="another user"),
        pytest.param({"groups": (33,)}, False, id="other groups"),
    ],
)
def test_which_groups_share_a_parent(changes, is_same):
    given = {"program": None, "name": "(wsgi:blog)", "environment": {"PATH": "/bin"}, **changes}

    assert (kind_of(Start(**given)) == kind_of(START)) == is_same


def test_a_parent_forks_once_it_has_said_that_it_is_there(parent):
    known, its, _ = parent
    before = known.is_ready
    send(its, {"warm": 4711})
    known.look()

    assert (before, known.is_ready) == (False, True)


def test_a_parent_tells_of_what_it_has_forked(parent):
    known, its, _ = parent
    process = forked(known, its, {"pid": 4712})
    ended = {"ended": 4712, "status": 3, "error": "no luck"}
    send(its, ended, {"gone": 4712})
    known.look()

    assert (process.pid, process.returncode, process.error) == (4712, 3, "no luck")
    assert process.is_gone
    assert not known.is_used


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"\xff", id="no text"),
        pytest.param(b"[" * 100_000, id="too deep a list"),
        pytest.param([], id="a list"),
        pytest.param({}, id="nothing"),
        pytest.param({"pid": "4712"}, id="a process's id as text"),
        pytest.param({"pid": 1}, id="the first process of all"),
        pytest.param({"pid": -4712}, id="a group of processes"),
        pytest.param({"pid": [4712]}, id="a list of processes"),
        pytest.param({"ended": 4712}, id="an end without a status"),
        pytest.param({"ended": 4712, "status": "0", "error": ""}, id="a status as text"),
        pytest.param({"gone": None}, id="no process"),
        pytest.param({"pid": 4712, "gone": 4713}, id="two things at once"),
    ],
)
def test_a_parent_that_makes_no_sense_is_killed_and_its_groups_are_gone(parent, said):
    known, its, signals = parent
    process = forked(known, its, {"pid": 4712})
    send(its, said)
    known.look()

    assert known.is_lost
    assert not known.is_ready
    assert signals == [signal.SIGKILL]
    assert process.is_gone


def test_a_parent_that_answers_with_nonsense_forks_nothing(parent):
    known, its, signals = parent
    with pytest.raises(OSError, match="has ended"):
        forked(known, its, {"pid": 0})
    assert signals == [signal.SIGKILL]


def test_a_parent_that_says_nothing_for_long_is_killed(parent, monkeypatch):
    known, its, signals = parent
    send(its, {"warm": 4711})
    known.look()
    before = known.is_lost
    monkeypatch.setattr(warm_parents, "SILENCE", -1.0)
    known.look()

    assert (before, known.is_lost) == (False, True)
    assert signals == [signal.SIGKILL]


def test_a_parent_that_never_stops_talking_keeps_nobody_busy(parent, monkeypatch):
    known, its, _ = parent
    monkeypatch.setattr(warm_parents, "MOST_EVENTS", 4)
    send(its, *[{"warm": 4711}] * 5)
    known.look()

    known.connection.settimeout(1)
    assert json.loads(known.connection.recv(65536)) == {"warm": 4711}
