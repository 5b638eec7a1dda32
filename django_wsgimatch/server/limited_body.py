"""A request's body that may not be longer than its entry allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

TOO_LONG = "The request's body is longer than the {} bytes that the entry's body_limit allows."


class LimitedBody:
    """
    A server's ``wsgi.input`` whose reads raise OSError beyond a number of bytes.

    Of a chunked body nobody knows the length before. Mirrors LimitRequestBody, which refuses to
    read on. What the server's own stream has besides reading is passed on.
    """

    def __init__(self, stream: Any, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._left = limit

    def read(self, size: int | None = -1, /) -> bytes:
        """Return what the stream does. Raises OSError where there is more than is allowed."""
        # One byte beyond the limit tells that there is more.
        wanted = self._left + 1 if size is None or size < 0 else min(size, self._left + 1)
        return self._counted(
            self._read_all(wanted) if size is None or size < 0 else self._stream.read(wanted)
        )

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return a line, or so many bytes of it. Raises OSError."""
        wanted = self._left + 1 if size is None or size < 0 else min(size, self._left + 1)
        return self._counted(self._stream.readline(wanted))

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

    def _read_all(self, wanted: int) -> bytes:
        """Read up to so many bytes: a server may return fewer at once."""
        data = b""
        while len(data) < wanted and (more := self._stream.read(wanted - len(data))):
            data += more
        return data

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise OSError(TOO_LONG.format(self._limit))
        return data
