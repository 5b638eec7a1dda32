"""What wrappers of a server's ``wsgi.input`` share: all but how much they let through."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any


class WrappedBody(ABC):
    """
    A server's ``wsgi.input`` of which a part is read: a subclass says which.

    What the server's own stream has besides reading is passed on.
    """

    def __init__(self, stream: Any, left: int) -> None:
        self._stream = stream
        self._left = left

    @abstractmethod
    def read(self, size: int | None = -1, /) -> bytes:
        """Return so many bytes, or all. Raises OSError."""

    @abstractmethod
    def readline(self, size: int | None = -1, /) -> bytes:
        """Return a line, or so many bytes of it. Raises OSError."""

    def readlines(self, hint: int | None = -1, /) -> list[bytes]:
        """Return all lines, or as many as have so many bytes. Raises OSError."""
        lines: list[bytes] = []
        size = 0
        for line in self:
            lines.append(line)
            size += len(line)
            if hint and 0 < hint <= size:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
