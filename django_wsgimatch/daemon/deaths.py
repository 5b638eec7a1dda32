"""What a process's wait status says of its end, in words for the log."""

from __future__ import annotations

import os
import signal

# A process that is told to end, or to end at last, dies of these in good order.
ORDERED = (signal.SIGTERM, signal.SIGKILL, signal.SIGALRM)


def cause_of(status: int) -> str:
    """Return what a process died of, by what os.waitpid() tells; "" for an end in good order."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        guess = " (out of memory?)" if number == signal.SIGKILL else ""
        return f"died of {signal_name(number)}{guess}"
    code = os.waitstatus_to_exitcode(status)
    return f"exited with status {code}" if code else ""


def is_ordered(status: int) -> bool:
    """Whether a process that was told to end has done so."""
    return not status or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in ORDERED)


def signal_name(number: int) -> str:
    """Return a signal's name; some have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
