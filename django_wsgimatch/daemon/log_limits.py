"""How often one thing is logged: who causes it again and again must not fill the log."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Hashable

# A warning comes at most once in so many seconds.
ONCE_IN = 10.0
# So many kinds are remembered.
MOST_KINDS = 1024


class Seldom:
    """Says of each kind of event, once in so many seconds, that it is due."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: dict[Hashable, float] = {}

    def is_due(self, kind: Hashable) -> bool:
        """Whether so many seconds have passed since it was due last."""
        now = time.monotonic()
        last = self._last.get(kind)
        if last is not None and now - last < self._seconds:
            return False
        if len(self._last) >= MOST_KINDS:
            self._last.clear()
        self._last[kind] = now
        return True


class SeldomWarning:
    """Logs a warning at most once in ``ONCE_IN`` seconds, with the number of those left out."""

    def __init__(self, logger: logging.Logger, message: str) -> None:
        self._logger = logger
        self._message = message
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._left_out = 0

    def warn(self, *values: object) -> None:
        """Log the message with these values, or count it."""
        now = time.monotonic()
        with self._lock:
            if now < self._not_before:
                self._left_out += 1
                return
            self._not_before = now + ONCE_IN
            left_out, self._left_out = self._left_out, 0
        more = f" ({left_out} more before this one)" if left_out else ""
        self._logger.warning(f"{self._message}%s", *values, more)
