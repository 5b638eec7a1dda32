"""How a command ends where nobody reads what it writes, and at Ctrl-C: as other programs do."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_closed_streams() -> None:
    """
    Open what the shell has closed (``>&-``), so that what is written there goes nowhere.

    A program that this one becomes has them, too: no socket of its takes their numbers.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode)  # noqa: SIM115
            setattr(sys, name, stream)
            if stream.fileno() == number:
                os.set_inheritable(number, True)


def signal_that_ended(run: Callable[[], object]) -> signal.Signals | None:
    """
    Run a command and write out what it has printed; return what it is to end by, if anything.

    That is SIGINT after Ctrl-C, and SIGPIPE where the reader of its output is gone.
    """
    try:
        try:
            run()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        # Whoever does not want to wait while what was started is ended asks again.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        return signal.SIGINT
    except BrokenPipeError:
        if not has_lost_reader():
            raise
        return signal.SIGPIPE
    return None


def has_lost_reader() -> bool:
    """Whether standard output or standard error is a pipe that nobody reads any more."""
    poller = select.poll()
    for number in (1, 2):
        poller.register(number, 0)
    return any(events & select.POLLERR for _, events in poller.poll(0))


def end_by(signum: signal.Signals) -> NoReturn:
    """End this process as a signal does: a shell's status is then 128 and its number."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
    # The signal is blocked.
    os._exit(128 + signum)
