"""
Groups of one Python and one user are forked by a warm parent that they share.

``group.warm`` is that parent, a process as any group's. What a Python reads from its environment
when it starts is the parent's: a group for which that would be otherwise has another parent, or
none. A group that no parent forks is started by itself, as if there were no parents.
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
from dataclasses import replace
from typing import Any

from ...exceptions import SettingError
from ..starter import Order
from .logs import GroupOutput, ServerLog
from .processes import Process, Processes, Start, StartedByAnother, pass_on

# From so many groups on they share a parent, which takes as much memory as one.
LEAST = 2
# No parent is begun for so long after one that was lost, in seconds.
PAUSE = 60.0
# How long a parent may take for an answer, and be silent, in seconds.
PATIENCE, SILENCE = 5.0, 60.0
# How much is learned from a parent at a time: it may not keep the manager busy.
MOST_EVENTS = 256
# What lists of processes show of a parent, with room for the name of a group in its place.
NAME = "(wsgi:parent)".ljust(120)
# What is read when a process starts: by Python, the loader, the C library.
READ_AT_START = ("PYTHON", "LD_", "DYLD_", "MALLOC_", "GLIBC_", "LC_", "LANG", "HOME")

Key = tuple[Any, ...]


def kind_of(start: Start) -> Key:
    """Return what processes have in common that one parent can fork."""
    variables = [item for item in start.environment.items() if item[0].startswith(READ_AT_START)]
    return start.program, start.user, start.group, start.groups, tuple(sorted(variables))


class Parent(StartedByAnother):
    """
    A warm parent, as the manager sees it: ``process``, and a socket to it.

    It belongs to the groups' user, and is trusted no more than they are: one that says what makes
    no sense, or does not answer, is killed, and its groups with it.
    """

    patience = PATIENCE

    def __init__(self, process: Process, control: socket.socket, output: GroupOutput) -> None:
        super().__init__(control)
        self.process = process
        self.output = output
        self.is_ready = False
        self.heard = time.monotonic()

    @property
    def is_used(self) -> bool:
        """Whether something is left of what it has forked."""
        return bool(self._known)

    def fork(self, start: Start, descriptors: Sequence[int]) -> Process:
        """Have a process forked. Raises OSError, and SettingError for too much to tell."""
        return self.start(replace(start, user=None, group=None, groups=()), descriptors)

    def look(self) -> None:
        """Learn what has come, and pass on what it prints."""
        if not self.output.must_wait:
            self.output.drain()
        for _ in range(MOST_EVENTS):
            event = self._receive(0.0)
            if event is None:
                break
            pass_on(self._known, event)
        if time.monotonic() - self.heard > SILENCE:
            self._lose()

    def _receive(self, seconds: float) -> Order | None:
        try:
            event = None if self.is_lost else super()._receive(seconds)
            if event is None:
                return None
            if not _is_sound(event):
                raise ValueError
        except (ValueError, RecursionError):
            self._lose()
            return None
        self.heard = time.monotonic()
        self.is_ready = self.is_ready or "warm" in event
        return event

    def _lose(self) -> None:
        super()._lose()
        self.is_ready = False
        self.process.send(signal.SIGKILL)


class WarmParents:
    """
    Processes that are forked by warm parents, or else started by ``processes``.

    ``packages`` says where a parent finds this package and gunicorn.
    """

    def __init__(self, processes: Processes, packages: Mapping[str, str], log: ServerLog) -> None:
        self._processes = processes
        self._packages = packages
        self._log = log
        self._parents: dict[Key, Parent] = {}
        # Those that were started by themselves.
        self._alone: dict[Key, list[Process]] = {}
        self._not_before = 0.0
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
        """Have a parent for each kind of which several may be started, and for no other."""
        kinds = {kind_of(start): start for start in starts}
        counts = Counter(map(kind_of, starts))
        for key in [key for key, parent in self._parents.items() if not parent.is_used]:
            if key not in kinds:
                self._drop(key)
        for key, start in kinds.items():
            if counts[key] >= LEAST:
                self._begin(key, start)

    def start(self, start: Start, descriptors: Sequence[int]) -> Process:
        """Start a process. Raises OSError, and SettingError where root does not allow it."""
        key = kind_of(start)
        parent = self._parents.get(key)
        if parent is not None:
            parent.look()
            if parent.is_ready:
                try:
                    return parent.fork(start, descriptors)
                except (OSError, SettingError):
                    self._drop_lost()
        process = self._processes.start(start, descriptors)
        others = [other for other in self._alone.get(key, []) if not other.is_gone]
        self._alone[key] = [*others, process]
        if len(self._alone[key]) >= LEAST:
            self._begin(key, start)
        return process

    def check(self, start: Start) -> None:
        """Raise SettingError where root does not allow a start, and start nothing."""
        self._processes.check(start)

    def look(self) -> None:
        """Learn what has become of them."""
        self._processes.look()
        for parent in self._parents.values():
            parent.look()
        self._drop_lost()

    def _begin(self, key: Key, start: Start) -> None:
        """Start a parent, unless there is one; it forks once it has said that it is there."""
        if key in self._parents or time.monotonic() < self._not_before:
            return
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        read, output = os.pipe()
        text, told = os.pipe()
        try:
            os.write(told, json.dumps({"packages": dict(self._packages)}).encode())
            descriptors = [text, output, its.fileno(), output, output]
            process = self._processes.start(_parent_of(start), descriptors)
        except (OSError, SettingError):
            # The groups tell, when they are started.
            mine.close()
            os.close(read)
            return
        finally:
            its.close()
            for descriptor in (output, text, told):
                os.close(descriptor)
        self._parents[key] = Parent(process, mine, GroupOutput(read, "parent", self._log))
        self._selector.register(mine, selectors.EVENT_READ)

    def _drop_lost(self) -> None:
        for key in [key for key, parent in self._parents.items() if parent.is_lost]:
            self._not_before = time.monotonic() + PAUSE
            self._drop(key)

    def _drop(self, key: Key) -> None:
        """Forget a parent; without this end of its socket it ends."""
        parent = self._parents.pop(key)
        self._selector.unregister(parent.connection)
        parent.connection.close()
        parent.output.close()


def _is_sound(event: Any) -> bool:
    """Whether a parent has said something that makes sense."""
    if not isinstance(event, dict):
        return False
    processes = [event[name] for name in ("pid", "ended", "gone", "warm") if name in event]
    is_end = isinstance(event.get("status"), int) and isinstance(event.get("error"), str)
    are_processes = all(isinstance(pid, int) and pid > 1 for pid in processes)
    return len(processes) == 1 and are_processes and ("ended" not in event or is_end)


def _parent_of(start: Start) -> Start:
    """Return how the parent is started that is to fork something."""
    return replace(start, name=NAME, limits={})
