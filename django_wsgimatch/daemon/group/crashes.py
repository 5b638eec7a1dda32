"""Processes of a group that end: those that die while they load, and those it has adopted."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

# After a crash another process is started so many seconds later, twice as many each time.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0


@dataclass(slots=True)
class CrashLoop:
    """
    How often processes have died in a row before they were ready.

    While others serve they are started ever more seldom. Where none is left the group ends: then
    its manager refuses requests at once, and starts it ever more seldom.
    """

    crashes: int = 0
    reason: str = ""
    is_exit: bool = False
    # On time.monotonic()'s clock.
    not_before: float = 0.0

    def count(self, reason: str, *, is_exit: bool) -> None:
        """Count a process that has died while it loaded, by its own ``is_exit`` or by a signal."""
        self.crashes += 1
        self.reason, self.is_exit = reason, is_exit
        pause = min(SHORTEST_PAUSE * 2 ** min(self.crashes - 1, 10), LONGEST_PAUSE)
        self.not_before = time.monotonic() + pause

    def end(self) -> None:
        """Forget the crashes: a process has been ready, and none has died since its pause."""
        if time.monotonic() > self.not_before + LONGEST_PAUSE:
            self.crashes, self.not_before = 0, 0.0

    def is_hopeless(self, processes: int) -> bool:
        """Whether a group of so many processes should end, if none of them is ready."""
        # A signal may have come from outside, and will not come again.
        return self.crashes > (0 if self.is_exit else processes)


def reap_adopted(own: Collection[int]) -> None:
    """
    Reap adopted children that have ended, all but one's ``own``.

    What an application's processes leave behind is adopted by the group's first process, also what
    has left its session, and passes to whoever has started the group when that ends: there it is
    killed (``starter.Children``). gunicorn before 27 takes the exit status of any child for a
    worker's.
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
