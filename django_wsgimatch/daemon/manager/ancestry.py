"""Whose child is a process? The groups' own processes give the manager no orders."""

from __future__ import annotations

import os
from collections.abc import Collection

# More parents than any process has.
MOST_PARENTS = 256
# No process has such a parent and such a session.
GONE = (-1, -1)


def stems_from(pid: int, ancestors: Collection[int]) -> bool:
    """
    Whether a process is one of ``ancestors``, a descendant of one, or in the session of one.

    Of one that has ended meanwhile nobody can tell: it counts as one.
    """
    for _ in range(MOST_PARENTS):
        if pid in ancestors:
            return True
        parent, session = _parent_and_session(pid)
        if session in ancestors or (parent, session) == GONE:
            return True
        if parent <= 1:
            return False
        pid = parent
    return True


def _parent_and_session(pid: int) -> tuple[int, int]:
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[1]), int(fields[3])
    except OSError:
        # Without /proc there is nothing to be told.
        return GONE if os.path.exists("/proc/self/stat") else (0, 0)
