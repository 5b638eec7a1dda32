"""
The parent of what an application's processes leave behind: their group's first process.

So they are the group's for as long as it lives, also those that have left its session, and pass
to whoever has started the group when it ends: there they are killed (``starter.Children``). Who
starts a group makes it their parent before it is the group's Python.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress

_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """
    Become the parent of descendants whose own parent ends (PR_SET_CHILD_SUBREAPER).

    A program that this process becomes is it, too: so a group needs no ctypes in its own Python.
    """
    with suppress(ImportError, AttributeError, OSError):
        import ctypes

        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_adopted(own: Collection[int]) -> None:
    """
    Reap adopted children that have ended, all but one's ``own``.

    gunicorn before 27 takes the exit status of any child for a worker's.
    """
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            children = [*map(int, file.read().split())]
    except OSError:
        return
    for pid in children:
        if pid not in own:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
