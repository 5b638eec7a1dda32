"""A request's body that ends where its Content-Length says, or in an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .wrapped_body import WrappedBody

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BROKEN_OFF = "The client went away in the middle of the request's body."


class WholeBody(WrappedBody):
    """
    A server's ``wsgi.input`` whose reads raise OSError where the body ends before its length.

    Of a client that goes away in the middle gunicorn and others say no more than that the body
    ends: an upload would be stored cut off. mod_wsgi raises OSError, too.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Return so many bytes, fewer only at the body's end. Raises OSError."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        data: bytes = self._stream.read() if size is None or size < 0 else self._stream.read(size)
        while len(data) < wanted:
            # Some servers return what has come so far.
            more: bytes = self._stream.read(wanted - len(data))
            if not more:
                raise OSError(BROKEN_OFF)
            data += more
        self._left -= len(data)
        return data

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return a line, or so many bytes of it. Raises OSError."""
        has_size = size is not None and size >= 0
        line: bytes = self._stream.readline(size) if has_size else self._stream.readline()
        is_whole = line.endswith(b"\n") or (has_size and len(line) == size)
        if not is_whole and len(line) < self._left:
            raise OSError(BROKEN_OFF)
        self._left -= len(line)
        return line


def expect_whole_body(environ: WSGIEnvironment) -> None:
    """Have a request's body, if its length is known, end there or in an error."""
    length = environ.get("CONTENT_LENGTH")
    if length and length.isdecimal() and int(length):
        environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(length))
