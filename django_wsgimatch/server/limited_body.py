"""A request's body that may not be longer than its entry allows."""

from __future__ import annotations

from typing import Any

from .wrapped_body import WrappedBody

TOO_LONG = "The request's body is longer than the {} bytes that the entry's body_limit allows."


class LimitedBody(WrappedBody):
    """
    A server's ``wsgi.input`` whose reads raise OSError beyond a number of bytes.

    Of a chunked body nobody knows the length before. Mirrors LimitRequestBody, which refuses to
    read on. ``error`` is what was raised, None as long as nothing was.
    """

    def __init__(self, stream: Any, limit: int) -> None:
        super().__init__(stream, limit)
        self._limit = limit
        self.error: OSError | None = None

    def read(self, size: int | None = -1, /) -> bytes:
        """Return what the stream does. Raises OSError where there is more than is allowed."""
        is_all = size is None or size < 0
        wanted = self._wanted(size)
        return self._counted(self._read_all(wanted) if is_all else self._stream.read(wanted))

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return a line, or so many bytes of it. Raises OSError."""
        return self._counted(self._stream.readline(self._wanted(size)))

    def _wanted(self, size: int | None) -> int:
        """How much to ask for: one byte beyond the limit tells that there is more."""
        most = self._left + 1
        return most if size is None or size < 0 else min(size, most)

    def _read_all(self, wanted: int) -> bytes:
        """Read up to so many bytes: a server may return fewer at once."""
        data = b""
        while len(data) < wanted and (more := self._stream.read(wanted - len(data))):
            data += more
        return data

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            self.error = OSError(TOO_LONG.format(self._limit))
            raise self.error
        return data
