"""Signal handlers that an application registers: ignored, as mod_wsgi does."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import Any

from ...deaths import signal_name

logger = logging.getLogger("django_wsgimatch")

IGNORED = (
    "The handler for %s that is registered at '%s', line %s, is ignored: this process's signals "
    "are the server's."
)


def ignore_handlers() -> None:
    """
    Have signal.signal() register nothing in this process from now on; a line in the log says so.

    A handler of an application's would keep the process from ending when it is told to, and in the
    thread of a request Python would refuse it with an error. What the process forks may register.
    """
    own, pid = signal.signal, os.getpid()

    def register(signalnum: int, handler: Any, /) -> Any:
        if os.getpid() != pid:
            return own(signalnum, handler)
        before = signal.getsignal(signalnum)
        caller = sys._getframe(1)
        name = signal_name(signalnum)
        logger.warning(IGNORED, name, caller.f_code.co_filename, caller.f_lineno)
        return before

    signal.signal = register  # type: ignore[assignment]
