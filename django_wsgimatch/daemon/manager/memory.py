"""What a process costs in memory."""

from __future__ import annotations

import os


def memory_of(pid: int) -> int | None:
    """
    Return a process's memory in bytes, None where the system does not tell.

    That is PSS: the pages of its own, and its share of the others. Of another user's process only
    root is told so; then the pages of its own are counted, without those that others may share.
    """
    size = proportional_set_size(pid)
    return size if size is not None else _unshared(pid)


def proportional_set_size(pid: int) -> int | None:
    """Return a process's PSS in bytes, None where the system does not tell."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return None
    return None


def _unshared(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            _, resident, shared, *_ = map(int, file.read().split())
    except (OSError, ValueError):
        return None
    return max(resident - shared, 0) * os.sysconf("SC_PAGE_SIZE") or None
