"""What is logged seldom: a client that causes it again and again must not fill the log."""

from __future__ import annotations

import time
from collections.abc import Hashable

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
