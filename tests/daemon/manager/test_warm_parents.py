"""What the manager makes of a warm parent, and of one that lies."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from django_wsgimatch.daemon.manager import warm_parents
from django_wsgimatch.daemon.manager.logs import GroupOutput, ServerLog
from django_wsgimatch.daemon.manager.processes import LocalProcesses, Process, Start
from django_wsgimatch.daemon.manager.warm_parents import Parent, WarmParents, kind_of

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


def asked(known: Parent | WarmParents) -> Process:
    """Ask a parent for a group."""
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        return known.start(START, [nothing] * 5)
    finally:
        os.close(nothing)


def begun(known: Parent, its: socket.socket) -> Process:
    """Have a parent begin a group, which has the number 1."""
    process = asked(known)
    data, descriptors, _, _ = socket.recv_fds(its, 65536, 8)
    for descriptor in descriptors:
        os.close(descriptor)
    assert json.loads(data) == {
        "do": "start",
        "id": 1,
        "name": "(wsgi:blog)",
        "environment": {"PATH": "/bin"},
        "limits": {},
    }
    send(its, {"begun": 1})
    return process


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
        pytest.param({"modules": ("django",)}, False, id="modules that are loaded ahead"),
        pytest.param({"groups": (33,)}, False, id="other groups"),
    ],
)
def test_which_groups_share_a_parent(changes, is_same):
    given = {"program": None, "name": "(wsgi:blog)", "environment": {"PATH": "/bin"}, **changes}

    assert (kind_of(Start(**given)) == kind_of(START)) == is_same


def test_a_parent_tells_what_becomes_of_a_group(parent):
    known, its, _ = parent
    process = begun(known, its)
    send(its, {"ended": 1, "status": 3, "error": "no luck"}, {"gone": 1})
    known.look()

    assert (process.pid, process.returncode, process.error) == (4711, 3, "no luck")
    assert process.is_gone
    assert not known.is_used


def test_a_signal_to_a_group_is_its_parent_s_to_pass_on(parent):
    known, its, signals = parent
    process = begun(known, its)
    process.send(signal.SIGTERM)

    assert json.loads(its.recv(65536)) == {"do": "signal", "id": 1, "signal": 15}
    assert signals == []


def test_what_a_parent_tells_of_no_group_changes_nothing(parent):
    known, its, _ = parent
    process = begun(known, its)
    send(its, {"gone": 2}, {"warm": 4711}, {"begun": 3})
    known.look()

    assert not process.is_gone
    assert not known.is_lost


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"\xff", id="no text"),
        pytest.param(b"[" * 100_000, id="too deep a list"),
        pytest.param([], id="a list"),
        pytest.param({}, id="nothing"),
        pytest.param({"begun": "1"}, id="a number as text"),
        pytest.param({"begun": 0}, id="no number"),
        pytest.param({"begun": -1}, id="a number below zero"),
        pytest.param({"begun": [1]}, id="a list of numbers"),
        pytest.param({"ended": 1}, id="an end without a status"),
        pytest.param({"ended": 1, "status": "0", "error": ""}, id="a status as text"),
        pytest.param({"gone": None}, id="no group"),
        pytest.param({"begun": 1, "gone": 2}, id="two things at once"),
    ],
)
def test_a_parent_that_makes_no_sense_is_ended_alone(parent, said):
    known, its, signals = parent
    process = begun(known, its)
    send(its, said)
    known.look()

    assert known.is_lost
    assert signals == ENDED
    # What its processes have begun they may answer yet.
    assert not process.is_gone


# SIGALRM ends what runs, SIGCONT what was stopped.
ENDED = [signal.SIGALRM, signal.SIGCONT]


def test_a_parent_that_has_ended_takes_its_groups_with_it(parent):
    known, its, _ = parent
    process = begun(known, its)
    its.close()
    known.look()
    known.process.learn({"ended": 4711, "status": -9, "error": ""})
    known.look()
    ended = (process.returncode, process.is_gone)
    known.process.learn({"gone": 4711})
    known.look()

    assert ended == (-9, False)
    assert process.is_gone


def test_a_parent_that_ended_before_it_was_asked_tells_why(parent):
    known, its, _ = parent
    its.close()
    process = asked(known)
    known.look()
    known.process.learn({"ended": 4711, "status": 127, "error": "no such Python"})
    known.look()

    assert (process.returncode, process.error) == (127, "no such Python")


def end(process: Process, known: Parent, its: socket.socket) -> None:
    """End a parent, as far as its socket tells."""
    its.close()


def end_with_an_order_unread(process: Process, known: Parent, its: socket.socket) -> None:
    asked(known)
    its.close()


def order_too_late(process: Process, known: Parent, its: socket.socket) -> None:
    its.close()
    asked(known)


def signal_too_late(process: Process, known: Parent, its: socket.socket) -> None:
    its.close()
    process.send(signal.SIGTERM)


@pytest.mark.parametrize("do", [end, end_with_an_order_unread, order_too_late, signal_too_late])
def test_what_a_parent_has_told_of_a_group_outlasts_it(parent, do):
    known, its, _ = parent
    process = begun(known, its)
    send(its, {"ended": 1, "status": 3, "error": "no luck"})
    do(process, known, its)
    known.look()
    known.process.learn({"ended": 4711, "status": -9, "error": ""})
    known.look()

    assert known.is_lost
    assert (process.returncode, process.error) == (3, "no luck")


class WithoutPython(LocalProcesses):
    """Starts processes that have ended at once, and tells it when it is looked for."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[Process] = []

    def start(self, start: Start, descriptors: Sequence[int]) -> Process:
        """Start one: nobody has the other end of its socket."""
        self.started.append(Process(4711, lambda pid, signum: None))
        return self.started[-1]

    def look(self) -> None:
        """Tell the end of all, and that nothing is left of them."""
        for process in self.started:
            process.learn({"ended": 4711, "status": 127, "error": "no such Python"})
            process.learn({"gone": 4711})


def test_a_group_whose_parent_ends_at_once_says_why_it_did_not_start():
    parents = WarmParents(WithoutPython(), {}, ServerLog(None))
    process = asked(parents)
    parents.look()

    assert (process.returncode, process.error) == (127, "no such Python")


def test_what_is_left_of_a_parent_is_killed_once_no_group_is_wanted(parent):
    known, its, signals = parent
    one = begun(known, its)
    other = asked(known)
    its.close()
    known.look()
    known.process.learn({"ended": 4711, "status": -9, "error": ""})
    known.look()
    one.send(signal.SIGKILL)
    after_one = [*signals]
    other.send(signal.SIGKILL)

    assert (after_one, signals) == (ENDED, [*ENDED, signal.SIGKILL])


def test_a_parent_that_does_not_end_is_killed(parent, monkeypatch):
    known, its, signals = parent
    its.close()
    known.look()
    monkeypatch.setattr(warm_parents, "PATIENCE", -1.0)
    known.look()

    assert signals == [*ENDED, signal.SIGKILL]


def test_a_group_whose_arbiter_hangs_has_a_parent_that_does(parent):
    known, its, signals = parent
    process = begun(known, its)
    process.send(signal.SIGALRM)

    assert known.is_lost
    assert signals == ENDED


@pytest.mark.parametrize(
    "patience",
    [
        pytest.param("FIRST_PATIENCE", id="at its start"),
        pytest.param("PATIENCE", id="later"),
        pytest.param("SILENCE", id="at any time"),
    ],
)
def test_a_parent_that_does_not_react_is_ended(parent, monkeypatch, patience):
    known, its, signals = parent
    begun(known, its)
    if patience == "PATIENCE":
        known.look()
    asked(known)
    before = known.is_lost
    if patience == "FIRST_PATIENCE":
        its.recv(65536)
        known.connection.recv(65536)
    monkeypatch.setattr(warm_parents, patience, -1.0)
    known.look()

    assert (before, known.is_lost) == (False, True)
    assert signals[:2] == ENDED


def test_a_parent_that_never_stops_talking_keeps_nobody_busy(parent, monkeypatch):
    known, its, _ = parent
    monkeypatch.setattr(warm_parents, "MOST_EVENTS", 4)
    send(its, *[{"warm": 4711}] * 5)
    known.look()

    known.connection.settimeout(1)
    assert json.loads(known.connection.recv(65536)) == {"warm": 4711}
