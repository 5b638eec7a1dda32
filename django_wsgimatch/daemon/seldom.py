"""Warnings of what another process can cause as often as it likes."""

from __future__ import annotations

import logging
import threading
import time

# A warning comes at most once in so many seconds.
ONCE_IN = 10.0


class Seldom:
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
