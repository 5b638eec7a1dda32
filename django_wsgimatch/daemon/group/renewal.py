"""A renewal of a group's processes, and what was asked for while it ran."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(slots=True)
class Renewal:
    """
    Whether new processes load, that are to take the place of all others.

    They may have read code already that has changed since. So whoever asks in the meantime is
    heard after it: ``again`` says that there must be another renewal, ``look_again`` that the
    processes must look whether their code has changed.
    """

    # When it began, on time.time()'s clock and on time.monotonic()'s; 0: none runs.
    began: float = 0.0
    since: float = 0.0
    again: bool = False
    look_again: bool = False
    # When the code changed that the newest one was wanted for; 0: it was not for that.
    tried: float = 0.0

    @property
    def is_running(self) -> bool:
        """Whether new processes load."""
        return self.began > 0

    def begin(self) -> None:
        """Note that the new processes are started from now on."""
        self.began, self.since = time.time(), time.monotonic()
        self.again, self.look_again = False, False

    def end(self) -> tuple[bool, bool]:
        """Note that it is over; return whether another must follow, and whether to look again."""
        told = self.again, self.look_again
        self.began, self.again, self.look_again = 0.0, False, False
        return told

    def is_wanted_for(self, changed: float) -> bool:
        """
        Whether code that has changed at that time (0: none has) is not loaded as it is.

        Where it did not load, the next process that notices the same change is not heard.
        """
        return changed > self.began and changed != self.tried
