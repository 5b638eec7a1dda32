"""
What applications leave behind: children of a warm parent that are no daemon processes of a group.

The parent adopts them when whoever has started them ends. They may live as long as their group.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress

from .shared import SharedArbiter


class Strays:
    """
    The strays of a process, by their ids: whose they are, None where nobody can tell.

    A process belongs to the group whose process group it is in. One that has left that belongs to
    the group of whose processes one has ended when it came here.
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
        """Reap those that have ended, learn whose the others are, and end those of no group."""
        by_process_group = {id: n for n, each in groups.items() for id in each.process_groups}
        bereaved = next((n for n, each in groups.items() if each.has_buried), None)
        workers = {self._own, *(pid for each in groups.values() for pid in each.WORKERS)}
        found: dict[int, int | None] = {}
        alive = {*workers}
        for pid in _children() - workers:
            with suppress(ChildProcessError, ProcessLookupError):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    continue
                process_group = os.getpgid(pid)
                alive.add(process_group)
                owner = by_process_group.get(process_group, self._owners.get(pid, bereaved))
                found[pid] = owner
        self._owners = found
        for each in groups.values():
            each.process_groups &= alive
            each.has_buried = False

    def kill(self, number: int | None) -> None:
        """Kill those of a group, or those of which nobody can tell."""
        for pid in [pid for pid, owner in self._owners.items() if owner == number]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _children() -> set[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return {*map(int, file.read().split())}
    except OSError:
        return set()
