"""
Groups are run by warm parents: those of one Python and one user share one.

``group.warm`` is that parent, a process that is started as the groups' user. What a Python reads
from its environment when it starts is the parent's: a group for which that would be otherwise has
another parent.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ...exceptions import SettingError
from ..options import READ_AT_START
from ..wire.control import LONGEST_START, Order, receive_message
from .logs import GroupOutput, ServerLog
from .processes import Process, Processes, Start

# Of so many groups that may be started the parent is there before anybody asks for one.
LEAST = 2
# How long a parent may take to begin a group, its own start included, and to be silent, in seconds.
PATIENCE, FIRST_PATIENCE, SILENCE = 5.0, 20.0, 60.0
# How much is learned from a parent at a time: it may not keep the manager busy.
MOST_EVENTS = 256
# What lists of processes show of a parent, with room for the name of a group in its place.
NAME = "(wsgi:parent)".ljust(120)
# Where temporary files lie: what the parent takes for that is no group's.
TEMPORARY = ("TMPDIR", "TEMP", "TMP")

Key = tuple[Any, ...]


def kind_of(start: Start) -> Key:
    """Return what groups have in common that one parent can run."""
    variables = [item for item in start.environment.items() if item[0].startswith(READ_AT_START)]
    given = (start.program, start.user, start.group, start.groups, start.modules)
    return (*given, tuple(sorted(variables)))


class Parent:
    """
    A warm parent, as the manager sees it: ``process``, and a socket to it.

    It belongs to the groups' user, and is trusted no more than they are: one that says what makes
    no sense, or does not answer, is ended. Its groups' processes answer then what they have begun.
    """

    def __init__(self, process: Process, control: socket.socket, output: GroupOutput) -> None:
        self.process = process
        self.connection = control
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * LONGEST_START)
        self.output = output
        self.heard = time.monotonic()
        self.lost = 0.0
        self._is_ready = False
        self._number = 0
        # The groups by their numbers; since when some are to be begun; which are to be killed.
        self._groups: dict[int, Process] = {}
        self._asked: dict[int, float] = {}
        self._unwanted: set[int] = set()

    @property
    def is_lost(self) -> bool:
        """Whether it begins nothing any more."""
        return self.lost > 0

    @property
    def is_used(self) -> bool:
        """Whether something is left of its groups."""
        return bool(self._groups)

    def start(self, start: Start, descriptors: Sequence[int]) -> Process:
        """
        Have a group started. Raises OSError, and SettingError for too much to tell.

        One that has ended takes no order, but the group ends as it has: the cause is told with
        that end, and would be hidden by an error here.
        """
        self._number += 1
        number = self._number
        order = {
            "do": "start",
            "id": number,
            "name": start.name,
            "environment": dict(start.environment),
            "limits": dict(start.limits),
        }
        data = json.dumps(order).encode()
        if len(data) > LONGEST_START:
            raise SettingError("its environment is too long: 128 KiB at most")
        self.connection.settimeout(PATIENCE)
        try:
            # look() learns of the end, after what it has told before.
            with suppress(ConnectionError):
                socket.send_fds(self.connection, [data], list(descriptors))
        except OSError as error:
            self.lose()
            raise OSError(f"the parent of its processes takes no orders: {error}") from error
        self._asked[number] = time.monotonic()
        process = Process(self.process.pid, lambda pid, signum: self._signal(number, signum))
        self._groups[number] = process
        return process

    def look(self) -> None:
        """Learn what has come, and pass on what it prints."""
        if not self.output.must_wait:
            self.output.drain()
        for _ in range(MOST_EVENTS):
            event = self._receive()
            if event is None:
                break
            self._learn(event)
        now = time.monotonic()
        patience = PATIENCE if self._is_ready else FIRST_PATIENCE
        is_late = any(now - asked > patience for asked in self._asked.values())
        if not self.is_lost and (is_late or now - self.heard > SILENCE):
            self.lose()
        if self.is_lost:
            self._look_at_end(now)

    def lose(self) -> None:
        """Expect nothing more of it: end it, and only it."""
        self.lost = self.lost or time.monotonic()
        # SIGALRM ends what runs, SIGCONT what has been stopped.
        self.process.send(signal.SIGALRM)
        self.process.send(signal.SIGCONT)

    def close(self) -> None:
        """Close this process's ends; one that runs ends then."""
        self.connection.close()
        self.output.close()

    def _receive(self) -> Order | None:
        if self.is_lost:
            return None
        self.connection.settimeout(0)
        try:
            # It has no descriptors to pass on: the kernel closes what comes all the same.
            event = json.loads(receive_message(self.connection, LONGEST_START, 0)[0])
            if not _is_sound(event):
                raise ValueError
        except BlockingIOError:
            return None
        except (OSError, ValueError, RecursionError):
            # What has ended says nothing, which is no event.
            self.lose()
            return None
        self.heard = time.monotonic()
        found: Order = event
        return found

    def _learn(self, event: Order) -> None:
        self._is_ready = True
        number = next((event[name] for name in ("begun", "ended", "gone") if name in event), 0)
        self._asked.pop(number, None)
        if number in self._groups and "begun" not in event:
            self._groups[number].learn(event)
            if "gone" in event:
                del self._groups[number]

    def _signal(self, number: int, signum: int) -> None:
        if self.is_lost:
            if signum == signal.SIGKILL:
                self._unwanted.add(number)
                self._kill_unwanted()
            return
        if signum == signal.SIGALRM:
            # An arbiter that hangs is this process.
            self.lose()
            return
        order = {"do": "signal", "id": number, "signal": int(signum)}
        self.connection.settimeout(PATIENCE)
        try:
            with suppress(ConnectionError):
                self.connection.send(json.dumps(order).encode())
        except OSError:
            self.lose()

    def _look_at_end(self, now: float) -> None:
        """The groups have ended with it; what is left of them is in its session."""
        if self.process.returncode is None:
            if now - self.lost > PATIENCE:
                self.process.send(signal.SIGKILL)
            return
        for group in self._groups.values():
            if group.returncode is None:
                group.returncode, group.error = self.process.returncode, self.process.error
            group.is_gone = self.process.is_gone
        if self.process.is_gone:
            self._groups.clear()

    def _kill_unwanted(self) -> None:
        """Kill what is left, once none of the groups answers anything any more."""
        if self.process.returncode is not None and self._groups.keys() <= self._unwanted:
            self.process.send(signal.SIGKILL)


class WarmParents:
    """
    The warm parents of a server's groups, which are started by ``processes``.

    ``packages`` says where a parent finds this package and gunicorn.
    """

    def __init__(self, processes: Processes, packages: Mapping[str, str], log: ServerLog) -> None:
        self._processes = processes
        self._packages = packages
        self._log = log
        self._parents: dict[Key, Parent] = {}
        # Those that were lost, as long as something is left of them.
        self._lost: list[Parent] = []
        # How many groups of each kind may be started.
        self._expected: Counter[Key] = Counter()
        self._selector = selectors.DefaultSelector()
        if (told_by := processes.fileno()) is not None:
            self._selector.register(told_by, selectors.EVENT_READ)

    @property
    def is_lost(self) -> bool:
        """Whether nothing can be started any more."""
        return self._processes.is_lost

    @property
    def has_strays(self) -> bool:
        """Whether something that left its session is still to be ended by this process."""
        return self._processes.has_strays

    def fileno(self) -> int:
        """A descriptor that can be read when there is something to learn."""
        return self._selector.fileno()

    def expect(self, starts: Sequence[Start]) -> None:
        """Have a parent for each kind of which several may be started."""
        self._expected = Counter(map(kind_of, starts))
        for start in {kind_of(start): start for start in starts}.values():
            if self._expected[kind_of(start)] >= LEAST:
                # What is wrong is told when a group is started.
                with suppress(OSError, SettingError):
                    self._parent(start)

    def start(self, start: Start, descriptors: Sequence[int]) -> Process:
        """Start a group. Raises OSError, and SettingError where root does not allow it."""
        return self._parent(start).start(start, descriptors)

    def check(self, start: Start) -> None:
        """Raise SettingError where root does not allow a start, and start nothing."""
        self._processes.check(start)

    def look(self) -> None:
        """Learn what has become of them."""
        self._processes.look()
        for key, parent in [*self._parents.items()]:
            parent.look()
            if parent.is_lost:
                self._lost.append(self._forget(key))
            elif not parent.is_used and self._expected[key] < LEAST:
                self._forget(key).close()
        for parent in [*self._lost]:
            parent.look()
            if parent.process.is_gone:
                self._lost.remove(parent)
                parent.close()

    def _parent(self, start: Start) -> Parent:
        """Return the parent that runs a group, which is started if there is none."""
        key = kind_of(start)
        found = self._parents.get(key)
        if found is not None:
            found.look()
            if not found.is_lost:
                return found
            self._lost.append(self._forget(key))
        parent = self._parents[key] = self._begin(start)
        self._selector.register(parent.connection, selectors.EVENT_READ)
        return parent

    def _begin(self, start: Start) -> Parent:
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        read, output = os.pipe()
        text, told = os.pipe()
        try:
            given = {"packages": dict(self._packages), "modules": start.modules}
            os.write(told, json.dumps(given).encode())
            descriptors = [text, output, its.fileno(), output, output]
            process = self._processes.start(_parent_of(start), descriptors)
        except BaseException:
            mine.close()
            os.close(read)
            raise
        finally:
            its.close()
            for descriptor in (output, text, told):
                os.close(descriptor)
        return Parent(process, mine, GroupOutput(read, "parent", self._log))

    def _forget(self, key: Key) -> Parent:
        parent = self._parents.pop(key)
        self._selector.unregister(parent.connection)
        return parent


def _is_sound(event: Any) -> bool:
    """Whether a parent has said something that makes sense."""
    if not isinstance(event, dict):
        return False
    numbers = [event[name] for name in ("begun", "ended", "gone", "warm") if name in event]
    is_end = isinstance(event.get("status"), int) and isinstance(event.get("error"), str)
    are_numbers = all(isinstance(number, int) and number > 0 for number in numbers)
    return len(numbers) == 1 and are_numbers and ("ended" not in event or is_end)


def _parent_of(start: Start) -> Start:
    """Return how the parent is started that is to run something."""
    environment = {k: v for k, v in start.environment.items() if k not in TEMPORARY}
    return replace(start, name=NAME, limits={}, environment=environment)
