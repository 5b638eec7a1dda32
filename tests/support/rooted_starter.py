"""The starter alone, as root runs it, and a manager that says to it whatever a test likes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django_wsgimatch.daemon.starter import LONGEST_MESSAGE
from tests.support.rooted import OTHER, TENANT

ALLOWED = (f"{TENANT}=33:33:33", f"{OTHER}=5:60:60,20")
# What a test starts: it tells who it is, has what it may hold on to, and stays.
PROGRAM = """\
#!/bin/sh
{ id -u; id -g; id -G; } | tr '\\n' ' ' >> "$WHERE/$$"
echo >> "$WHERE/$$"
mv "$WHERE/$$" "$WHERE/$$.who"
[ -n "$STAY" ] && exec sleep "$STAY"
"""


def order_of(where: Path, changes: dict[str, Any]) -> dict[str, Any]:
    """An order that the starter carries out."""
    return {
        "do": "start",
        "program": str(where / "program"),
        "name": "(wsgi:test)",
        "environment": {"PATH": os.defpath, "WHERE": str(where), "STAY": "1000"},
        "user": 33,
        "group": 33,
        "groups": [33],
        "limits": {},
        **changes,
    }


@dataclass(slots=True)
class TestManager:
    """One end of a manager's socket to the starter."""

    __test__ = False

    socket: socket.socket
    descriptors: list[int] = field(default_factory=list)

    def send(self, data: bytes, descriptors: Sequence[int] | None = None) -> None:
        """Send a message as it is, by default with the five descriptors of a process."""
        given = self.descriptors if descriptors is None else descriptors
        socket.send_fds(self.socket, [data], list(given))

    def receive(self, seconds: float = 60) -> dict[str, Any]:
        """Return the next message."""
        self.socket.settimeout(seconds)
        event: dict[str, Any] = json.loads(self.socket.recv(LONGEST_MESSAGE))
        return event

    def answer(self, order: Any, descriptors: Sequence[int] | None = None) -> dict[str, Any]:
        """Give an order and return its answer; what else is told in between is passed over."""
        self.send(json.dumps(order).encode(), descriptors)
        while True:
            event = self.receive()
            if not event.keys().isdisjoint(("pid", "allowed", "refused")):
                return event

    def kill(self, pid: int) -> list[dict[str, Any]]:
        """Have a process and its session killed; return what is told until nothing is left."""
        self.send(json.dumps({"do": "signal", "pid": pid, "signal": 9}).encode(), [])
        told = [self.receive()]
        while told[-1] != {"gone": pid}:
            told.append(self.receive())
        return told

    def kill_all(self, pids: Sequence[int]) -> None:
        """Have processes killed, and wait until nothing is left of them."""
        for pid in pids:
            self.send(json.dumps({"do": "signal", "pid": pid, "signal": 9}).encode(), [])
        left = set(pids)
        while left:
            left.discard(self.receive().get("gone", 0))


@dataclass(slots=True)
class RunningStarter:
    """The starter, and the server's end of its control socket."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    where: Path
    nothing: int
    opened: list[socket.socket] = field(default_factory=list)

    def manager(self) -> TestManager:
        """A new manager."""
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * LONGEST_MESSAGE)
        self.opened.append(mine)
        with its:
            socket.send_fds(self.control, [b"manager"], [its.fileno()])
        return TestManager(mine, [self.nothing] * 5)

    def order(self, **changes: Any) -> dict[str, Any]:
        return order_of(self.where, changes)

    def children(self) -> list[int]:
        """The starter's children, and what has become one."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def who(self) -> set[str]:
        """Who those were that have been started: user, group and groups."""
        return {path.read_text().strip() for path in self.where.glob("*.who")}

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None


@contextmanager
def starter(
    home: Path, allowed: Sequence[str] = ALLOWED, **limits: int
) -> Iterator[RunningStarter]:
    """Run the starter; at the end nothing that it has started may be left."""
    where = home / f"who-{time.monotonic_ns()}"
    where.mkdir()
    where.chmod(0o1777)
    program = where / "program"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    [file] = home.glob("env/lib/python3*/site-packages/django_wsgimatch/daemon/starter.py")
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    number = os.dup2(its.fileno(), 64)
    its.close()
    ulimits = "".join(f"ulimit -{name} {value}; " for name, value in limits.items())
    words = [str(home / "env/bin/python"), "-I", "-S", str(file), "64", str(home), *allowed]
    process = subprocess.Popen(
        ["/bin/sh", "-c", f'{ulimits}exec "$@"', "sh", *words],
        pass_fds=[number],
        env={"PATH": os.defpath},
        start_new_session=True,
    )
    os.close(number)
    nothing = os.open(os.devnull, os.O_RDWR)
    running = RunningStarter(process, mine, where, nothing)
    _wait_until_it_takes_orders(running)
    try:
        yield running
    finally:
        for each in (mine, *running.opened):
            each.close()
        os.close(nothing)
        left = running.children() if running.is_running else []
        try:
            process.wait(60)
            assert not [pid for pid in left if _lives(pid)]
        finally:
            process.kill()
            process.wait()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _wait_until_it_takes_orders(running: RunningStarter) -> None:
    """Until then a signal may end it."""
    manager = running.manager()
    manager.answer({"do": "check", "user": 0, "group": 0, "groups": []})
    manager.socket.close()
    running.opened.remove(manager.socket)


def _lives(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")
