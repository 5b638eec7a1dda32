"""Why a line cannot be read."""

from __future__ import annotations

from ...exceptions import WSGIMatchError


class Unreadable(WSGIMatchError):
    """A line that Apache would refuse, or that is none of its own; ``cure`` says what to do."""

    def __init__(self, reason: str, cure: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cure = cure
