"""
What applications leave behind: children of a warm parent that are no daemon processes of a group.

The parent adopts them when whoever has started them ends. They may live as long as their group.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress

from .forking import MARK
from .shared import SharedArbiter


class Strays:
    """
    The strays of a process, by their ids: whose they are, None where nobody can tell.

    A process belongs to the group whose process group it is in. One that has left that has the
    mark of its group in its environment. Else it belongs to the group of which something has ended
    when it came here.
    """

    def __init__(self, own: int) -> None:
        # A child of this process's own.
        self._own = own
        self._owners: dict[int, int | None] = {}

    def __bool__(self) -> bool:
        return bool(self._owners)

    def has_any_of(self, number: int) -> bool:
        """Whether a group has left something behind."""
        return number in self._owners.values()

    def look(self, groups: Mapping[int, SharedArbiter]) -> None:
        """Reap those that have ended, and learn whose the others are."""
        workers = {pid for each in groups.values() for pid in each.WORKERS}
        bereaved = [number for number, each in groups.items() if each.has_buried]
        found = set()
        for pid in _children() - workers - {self._own}:
            with suppress(ChildProcessError):
                if not os.waitpid(pid, os.WNOHANG)[0]:
                    found.add(pid)
                elif (owner := self._owners.get(pid)) is not None:
                    bereaved.append(owner)
        by_process_group = {id: n for n, each in groups.items() for id in each.process_groups}
        owners: dict[int, int | None] = {}
        alive = {*workers}
        for pid in found:
            process_group = _process_group_of(pid)
            alive.add(process_group)
            owner = by_process_group.get(process_group, self._owners.get(pid))
            if owner is None:
                owner = next((n for n in (marked_by(pid), *bereaved) if n in groups), None)
            if owner is not None:
                groups[owner].process_groups.add(process_group)
            owners[pid] = owner
        self._owners = owners
        for each in groups.values():
            each.process_groups &= alive
            each.has_buried = False

    def kill(self, number: int | None) -> None:
        """Kill those of a group, or those of which nobody can tell."""
        for pid in [pid for pid, owner in self._owners.items() if owner == number]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def marked_by(pid: int) -> int | None:
    """Return the number of the group whose mark a program has that one of its processes started."""
    with suppress(OSError, ValueError):
        with open(f"/proc/{pid}/environ", "rb") as file:
            items = file.read().split(b"\0")
        begin = MARK.encode() + b"="
        return next((int(item[len(begin) :]) for item in items if item.startswith(begin)), None)
    return None


def _process_group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return pid


def _children() -> set[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return {*map(int, file.read().split())}
    except OSError:
        return set()
