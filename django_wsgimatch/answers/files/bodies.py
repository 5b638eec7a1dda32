"""The bytes of a file as they are sent: whole, in ranges, by the server's own means."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ...exceptions import FileCutShort
from ...whole_files import SentFile
from .ranges import Range

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# A file up to this size is read at once.
SMALL = 1 << 16
PIECE = 1 << 16


class PiecesOfFile:
    """
    A response's body: parts of an open file, with text between them.

    Iteration raises FileCutShort where the file has less than it had. Closes the file.
    """

    def __init__(self, descriptor: int, path: str, parts: Iterable[bytes | Range]) -> None:
        # The file object closes the descriptor even where a server forgets close().
        self._file = io.FileIO(descriptor, "rb")
        self._pieces = self._read(path, parts)

    def __iter__(self) -> Iterator[bytes]:
        """The body is its own iterator."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece."""
        return next(self._pieces)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, path: str, parts: Iterable[bytes | Range]) -> Iterator[bytes]:
        for part in parts:
            if isinstance(part, bytes):
                yield part
                continue
            start, end = part
            while start <= end:
                data = os.pread(self._file.fileno(), min(PIECE, end + 1 - start), start)
                if not data:
                    raise FileCutShort(path)
                start += len(data)
                yield data


def whole_body(descriptor: int, path: str, size: int, environ: WSGIEnvironment) -> Iterable[bytes]:
    """
    Return the body of a whole file that is too large to be read at once.

    The server sends it by its own means if it has any (``wsgi.file_wrapper``). uWSGI's would send
    a file that grows meanwhile beyond its Content-Length.
    """
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is None or "uwsgi.version" in environ:
        return PiecesOfFile(descriptor, path, [(0, size - 1)])
    file = SentFile(descriptor, size, FileCutShort(path))
    try:
        body: Iterable[bytes] = wrapper(file, PIECE)
    except BaseException:
        file.abandon()
        raise
    return body


def read_small(descriptor: int, size: int) -> bytes | None:
    """Return so many bytes of a small file, None where it has become shorter."""
    data = os.pread(descriptor, size, 0)
    while len(data) < size and (more := os.pread(descriptor, size - len(data), len(data))):
        data += more
    return data if len(data) == size else None


def multipart(
    ranges: Sequence[Range], size: int, media_type: str
) -> tuple[list[bytes | Range], int, str]:
    """
    Return the parts of a body of several ranges, its length, and its type.

    The text between them is as ap_byterange_filter() writes it.
    """
    boundary = secrets.token_hex(8)
    line = f"Content-type: {media_type}\r\n" if media_type else ""
    parts: list[bytes | Range] = []
    for start, end in ranges:
        head = f"\r\n--{boundary}\r\n{line}Content-range: bytes {start}-{end}/{size}\r\n\r\n"
        parts += [head.encode("latin-1"), (start, end)]
    parts.append(f"\r\n--{boundary}--\r\n".encode())
    length = sum(len(part) if isinstance(part, bytes) else part[1] - part[0] + 1 for part in parts)
    return parts, length, f"multipart/byteranges; boundary={boundary}"
