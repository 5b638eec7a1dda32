"""
How a manager has the processes of its places started, signalled and told of.

A manager of root's own, or one without other users, does it itself: ``LocalProcesses``. Where the
server was started as root and has become its own user, a process that stayed root does it:
``StartedByRoot``, the other side of ``starter``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ...exceptions import SettingError
from ..starter import LONGEST_MESSAGE, Children, Order

# How long the starter may take for an order, in seconds.
SECONDS = 10.0

# What is in an answer of the starter, and not in what it tells by itself.
ANSWERS = ("pid", "allowed", "refused")

Limits = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Start:
    """
    What a process is to be.

    ``program`` is its Python, None for the server's own; ``name`` what lists of processes show.
    ``user`` is None for the user that this process runs as. ``limits`` are hard limits by their
    names without RLIMIT_. ``modules`` are what is loaded before a group is forked.
    """

    program: str | None
    name: str
    environment: Mapping[str, str]
    user: int | None = None
    group: int | None = None
    groups: tuple[int, ...] = ()
    limits: Limits = field(default_factory=dict)
    modules: tuple[str, ...] = ()

    def order(self, do: str = "start") -> Order:
        """Return it as the starter is told."""
        return {"do": do, **asdict(self)}


@dataclass(slots=True, eq=False)
class Process:
    """
    A process that was started, as its starter tells of it.

    ``returncode`` is None until it has ended, negative for a signal; ``error`` is why it could
    not become what was ordered. ``is_gone`` says that nothing is left of its session.
    """

    pid: int
    signal: Any
    returncode: int | None = None
    error: str = ""
    is_gone: bool = False

    def send(self, signum: int) -> None:
        """Send it a signal, if it is there; SIGKILL is for all of its session."""
        if self.returncode is None or (signum == signal.SIGKILL and not self.is_gone):
            self.signal(self.pid, signum)

    def learn(self, event: Order) -> None:
        """Take what the starter tells."""
        if "gone" in event:
            self.is_gone = True
            # What tells of the end may have been lost with a manager of before.
            self.returncode = 0 if self.returncode is None else self.returncode
        else:
            self.returncode, self.error = event["status"], event["error"]


class LocalProcesses:
    """Processes that this process starts itself: it always can."""

    is_lost = False

    def __init__(self) -> None:
        self._children = Children()
        self._known: dict[int, Process] = {}

    @property
    def has_strays(self) -> bool:
        """Whether something that left its session is still to be ended by this process."""
        return bool(self._children.strays)

    def fileno(self) -> int | None:
        """A descriptor that can be read when there is something to learn: none, SIGCHLD tells."""
        return None

    def start(self, start: Start, descriptors: Sequence[int]) -> Process:
        """Start one. Raises OSError."""
        child = self._children.start(start.order(), list(descriptors))
        process = self._known[child.pid] = Process(child.pid, self._signal)
        return process

    def check(self, start: Start) -> None:
        """Nobody has to allow it."""

    def look(self) -> None:
        """Reap, and learn what has become of them."""
        for event in self._children.look():
            pass_on(self._known, event)

    def _signal(self, pid: int, signum: int) -> None:
        if child := self._children.get(pid):
            child.send(signum)


class StartedByRoot:
    """
    Processes that the starter starts, over a socket of this manager's own.

    ``is_lost`` says that nothing can be started any more.
    """

    has_strays = False

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * LONGEST_MESSAGE)
        self._known: dict[int, Process] = {}
        self.is_lost = False

    def fileno(self) -> int | None:
        """A descriptor that can be read when there is something to learn."""
        return None if self.is_lost else self.connection.fileno()

    def start(self, start: Start, descriptors: Sequence[int]) -> Process:
        """Have one started. Raises SettingError where root does not allow it, and OSError."""
        data = json.dumps(start.order()).encode()
        if len(data) > LONGEST_MESSAGE:
            raise SettingError("its environment is too long for the starter: 128 KiB at most")
        answer = self._ask(data, descriptors)
        if "pid" not in answer:
            raise SettingError(f"the starter refuses: {answer['refused']}")
        process = self._known[answer["pid"]] = Process(answer["pid"], self._signal)
        return process

    def check(self, start: Start) -> None:
        """Ask whether root allows a start. Raises SettingError, and OSError."""
        answer = self._ask(json.dumps(start.order("check")).encode(), [])
        if "allowed" not in answer:
            raise SettingError(f"the starter refuses: {answer['refused']}")

    def look(self) -> None:
        """Learn what has come."""
        while not self.is_lost and (event := self._receive(0.0)):
            pass_on(self._known, event)

    def _ask(self, data: bytes, descriptors: Sequence[int]) -> Order:
        self.look()
        if not self.is_lost:
            self.connection.settimeout(SECONDS)
            try:
                socket.send_fds(self.connection, [data], list(descriptors))
                deadline = time.monotonic() + SECONDS
                while event := self._receive(max(deadline - time.monotonic(), 0.001)):
                    if not event.keys().isdisjoint(ANSWERS):
                        return event
                    pass_on(self._known, event)
            except ConnectionError:
                # It has ended since the look.
                self._lose()
            except OSError as error:
                self._lose()
                raise OSError(f"the starter does not answer: {error}") from error
        raise OSError("the starter has ended: only root can start the server again")

    def _receive(self, seconds: float) -> Order | None:
        self.connection.settimeout(seconds)
        try:
            data = self.connection.recv(LONGEST_MESSAGE)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self._lose()
            return None
        event: Order = json.loads(data)
        return event

    def _signal(self, pid: int, signum: int) -> None:
        try:
            data = json.dumps({"do": "signal", "pid": pid, "signal": int(signum)}).encode()
            self.connection.settimeout(SECONDS)
            self.connection.send(data)
        except OSError:
            self._lose()

    def _lose(self) -> None:
        """Without the starter, what it has started ends with the pipe that says the server is."""
        self.is_lost = True
        for process in self._known.values():
            process.is_gone = True
            process.returncode = -1 if process.returncode is None else process.returncode


Processes = LocalProcesses | StartedByRoot


def pass_on(known: dict[int, Process], event: Order) -> None:
    """Tell a process what has become of it; one of which nothing is left is forgotten."""
    pid = event.get("gone", event.get("ended"))
    # A signal may be refused, to a starter without CAP_KILL: there is nothing to learn then.
    if pid in known:
        known[pid].learn(event)
        if "gone" in event:
            del known[pid]


def start_of_root(control: int) -> socket.socket:
    """
    Return a new socket to the starter, by the control socket that every server process has.

    Raises OSError where the starter has ended.
    """
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its, socket.socket(fileno=os.dup(control)) as connection:
        socket.send_fds(connection, [b"manager"], [its.fileno()])
    return mine
