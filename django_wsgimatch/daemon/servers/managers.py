"""Which processes are managers, and which are a group's: those give the manager no orders."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress

from ...asroot.running import command_line_of, processes_of
from .owner import Owner, stat_of

# Lists of processes show it, and whose manager it is.
MANAGER_NAME = "(wsgi:manager)"
# More parents than any process has.
MOST_PARENTS = 256


def managers_of(owner: Owner) -> list[int]:
    """Return the processes of this user that are, or say that they are, a server's manager."""
    own = processes_of(lambda user: user == os.geteuid())
    return [int(pid) for pid, _ in own if command_line_of(pid)[-2:] == [MANAGER_NAME, owner.name]]


def send_to(pid: int, signum: int) -> None:
    """Signal a manager, which may have ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signum)


def stems_from(pid: int, ancestors: Collection[int]) -> bool:
    """
    Whether a process is one of ``ancestors``, a descendant of one, or in the session of one.

    Of one that has ended meanwhile nobody can tell: it counts as one.
    """
    for _ in range(MOST_PARENTS):
        if pid in ancestors:
            return True
        fields = stat_of(pid)
        if not fields:
            # Without /proc there is nothing to be told.
            return os.path.exists("/proc/self/stat")
        parent, session = int(fields[1]), int(fields[3])
        if session in ancestors:
            return True
        if parent <= 1:
            return False
        pid = parent
    return True
