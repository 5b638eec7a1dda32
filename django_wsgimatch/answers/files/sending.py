"""An open file as the response to a GET, HEAD or POST: conditions, ranges, headers, body."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ...aliases.file_options import FileOptions
from ...server.pages import error_page
from .bodies import SMALL, PiecesOfFile, multipart, read_small, whole_body
from .conditions import CONDITIONAL, meets, range_is_meant
from .ranges import Range, parse_ranges
from .representation import Representation, representation

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LINES = {
    200: "200 OK",
    206: "206 Partial Content",
    304: "304 Not Modified",
    412: "412 Precondition Failed",
}
# How often a small file is looked at that changes while it is read.
ATTEMPTS = 3

_Answer = tuple[int, list[tuple[str, str]], bytes | Callable[[], Iterable[bytes]]]
"""Status, headers and body: its bytes, or what makes it and takes the descriptor over."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """
    A regular file that is open, and what it answers for.

    ``path`` is the file's own, ``name`` that of the resource (another one where ``coding`` says
    how the file is compressed). Both are latin-1.
    """

    descriptor: int
    path: str
    name: str
    status: os.stat_result
    coding: str = ""

    def close(self) -> None:
        """Close the file, of which nothing is to be sent."""
        os.close(self.descriptor)


def send_file(
    file: OpenFile, options: FileOptions, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer with a file, and see to it that it is closed."""
    body: bytes | Callable[[], Iterable[bytes]] = b""
    try:
        status, headers, body = _answer(file, options, environ)
    finally:
        if isinstance(body, bytes):
            file.close()
    if status not in LINES:
        return error_page(status, environ, start_response)
    if isinstance(body, bytes):
        start_response(LINES[status], headers)
        return [body] if body else []
    made = body()
    try:
        start_response(LINES[status], headers)
    except BaseException:
        if (close := getattr(made, "close", None)) is not None:
            close()
        raise
    return made


def _answer(file: OpenFile, options: FileOptions, environ: WSGIEnvironment) -> _Answer:
    method, now = environ["REQUEST_METHOD"], time.time()
    known = representation(file.name, file.status, options, now, file.coding)
    # Optimization: one look for all of them took 0.15 us, a get() for each 0.5.
    if not environ.keys().isdisjoint(CONDITIONAL):
        status = meets(environ, known.etag, known.modified, now, is_get=method != "POST")
        if status == 304:
            return 304, [*known.state, *known.expiry(now)], b""
        if status == 412:
            length = known.size if method == "HEAD" else 0
            return 412, [*known.state, ("Content-Length", str(length)), *known.description], b""
        if (ranges := _ranges(known, environ, now)) is not None:
            return _partly(file, known, ranges, now, is_head=method == "HEAD")
    if method == "HEAD":
        return 200, [*known.whole, *known.expiry(now)], b""
    if known.size <= SMALL:
        return _at_once(file, known, options, now)
    headers = [*known.whole, *known.expiry(now)]
    return 200, headers, partial(whole_body, file.descriptor, file.path, known.size, environ)


def _ranges(known: Representation, environ: WSGIEnvironment, now: float) -> list[Range] | None:
    header = environ.get("HTTP_RANGE")
    if header is None or not range_is_meant(environ, known.etag, known.modified, now):
        return None
    return parse_ranges(header, known.size)


def _partly(
    file: OpenFile, known: Representation, ranges: Sequence[Range], now: float, *, is_head: bool
) -> _Answer:
    """Answer with parts of a file, 416 where there are none."""
    if not ranges:
        return 416, [], b""
    parts: list[bytes | Range] = [*ranges]
    description = [*known.description]
    if len(ranges) == 1:
        [(start, end)] = ranges
        length = end - start + 1
        description.append(("Content-Range", f"bytes {start}-{end}/{known.size}"))
    else:
        media_type = dict(description).get("Content-Type", "")
        parts, length, multipart_type = multipart(ranges, known.size, media_type)
        description = [each for each in description if each[0] != "Content-Type"]
        description.append(("Content-Type", multipart_type))
    headers = [*known.state, *known.expiry(now), ("Content-Length", str(length)), *description]
    if is_head:
        return 206, headers, b""
    return 206, headers, partial(PiecesOfFile, file.descriptor, file.path, parts)


def _at_once(file: OpenFile, known: Representation, options: FileOptions, now: float) -> _Answer:
    """Answer with a small file, which is read before its headers are told."""
    for _ in range(ATTEMPTS):
        data = read_small(file.descriptor, known.size)
        if data is not None:
            return 200, [*known.whole, *known.expiry(now)], data
        status = os.fstat(file.descriptor)
        known = representation(file.name, status, options, now, file.coding)
    return 503, [], b""
