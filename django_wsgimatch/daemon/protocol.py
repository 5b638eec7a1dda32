"""
The frames between a server's worker (the front) and a daemon process (the group).

A connection to a place's unix socket carries one request. The front sends a packet: a header,
the environ's text items, and a short body behind them. The group answers in frames, each a kind,
a length and so many bytes::

    HINTS*  (HEAD DATA* (LAST | END)  |  HEAD FILE  |  ERROR  |  AGAIN)

with PULL wherever the application reads on: the front then sends a chunk of the body, a length
and so many bytes; 0 is the end of it and ``ABORTED`` says that the client went away.

Both sides may be of different versions of Python, and a group may run as a user that the front
does not trust: there is nothing but text and numbers in a frame.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from ..exceptions import ProtocolError

# magic, the encoding of the environ, its length, the body's length behind it (-1: pulled), the
# request's id, and when it came, on the clock that all processes of a machine share (seconds).
REQUEST = struct.Struct("<3scIqQd")
MAGIC = b"WM1"
PULLED = -1
# A body up to this length travels with its head.
INLINE = 65536
# Apache passes on 100 headers of 8190 bytes; servers beside it may allow more.
LONGEST_ENVIRON = 16 << 20

FRAME = struct.Struct("<BI")
HEAD, DATA, LAST, END, HINTS, FILE, PULL, ERROR, AGAIN = range(1, 10)
LONGEST_HEAD = 1 << 20

CHUNK = struct.Struct("<I")
ABORTED = 0xFFFFFFFF
LARGEST_CHUNK = 1 << 18

RECEIVE = 65536

# A status and headers, one a line, as a server would have to write them (RFC 9112, RFC 9110 5.5).
_STATUS = r"[1-9][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*)?"
_HEADER = r"\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*"
_HEAD = re.compile(f"{_STATUS}(?:{_HEADER})*")
_HEADERS = re.compile(f"(?:{_HEADER})*")

Headers = list[tuple[str, str]]


def encode_request(
    environ: Mapping[str, Any], request_id: int, queued: float, body: bytes | None
) -> bytes:
    """
    Return the packet that begins a request.

    Of the environ its text items travel; ``body`` is the whole body, None where it is pulled.
    Raises ProtocolError for an item that holds a NUL, which no server lets through.
    """
    parts: list[str] = []
    for item in environ.items():
        if type(item[1]) is str:
            parts += item
    # Optimization: one text with NULs is written in 3.1 us, marshal takes 4.4 (37 items).
    text = "\0".join(parts)
    if text.count("\0") >= len(parts) > 0:
        raise ProtocolError("the environ holds a NUL character")
    try:
        encoding, data = b"L", text.encode("latin-1")
    except UnicodeEncodeError:
        encoding, data = b"U", text.encode("utf-8", "surrogatepass")
    length = PULLED if body is None else len(body)
    head = REQUEST.pack(MAGIC, encoding, len(data), length, request_id, queued)
    return b"".join((head, data, body or b""))


def decode_environ(encoding: bytes, data: bytes) -> dict[str, str]:
    """Return the text items of an environ. Raises ProtocolError."""
    try:
        if encoding == b"L":
            parts = data.decode("latin-1").split("\0")
        else:
            parts = data.decode("utf-8", "surrogatepass").split("\0")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"the environ is no text: {error}") from None
    if len(parts) % 2:
        raise ProtocolError("the environ has a name without a value")
    return dict(zip(parts[::2], parts[1::2], strict=True))


def decode_request(head: bytes) -> tuple[bytes, int, int, int, float]:
    """Return encoding, environ's length, body's length, id and time. Raises ProtocolError."""
    magic, encoding, length, body, request_id, queued = REQUEST.unpack_from(head)
    if magic != MAGIC or encoding not in b"LU":
        raise ProtocolError(f"no request begins with {head[:4]!r}")
    if length > LONGEST_ENVIRON:
        raise ProtocolError(f"an environ of {length} bytes")
    if not PULLED <= body <= INLINE:
        raise ProtocolError(f"a body of {body} bytes behind the environ")
    return encoding, length, body, request_id, queued


def frame(kind: int, data: bytes = b"") -> bytes:
    """Return a whole frame."""
    return FRAME.pack(kind, len(data)) + data


def encode_head(status: str, headers: Sequence[tuple[str, str]]) -> bytes:
    """
    Return a status and headers as a frame's data.

    Raises ValueError for what cannot be a response's head: the application is told.
    """
    text = "\n".join([status, *[f"{name}:{value}" for name, value in headers]])
    if not _HEAD.fullmatch(text) or _says_more(text, headers):
        raise ValueError(f"Invalid status or headers: {status!r}, {headers!r}")
    return text.encode("latin-1")


def decode_head(data: bytes) -> tuple[str, Headers]:
    """Return the status and headers of a frame's data. Raises ProtocolError for anything else."""
    text = data.decode("latin-1")
    if not _HEAD.fullmatch(text):
        raise ProtocolError("malformed response headers")
    status, *lines = text.split("\n")
    return status, [(name, value) for name, _, value in [line.partition(":") for line in lines]]


def encode_hints(headers: Sequence[tuple[str, str]]) -> bytes:
    """Return the headers of a 103 as a frame's data. Raises ValueError."""
    text = "".join([f"\n{name}:{value}" for name, value in headers])
    if not _HEADERS.fullmatch(text) or _says_more(text, headers):
        raise ValueError(f"Invalid headers: {headers!r}")
    return text.encode("latin-1")


def decode_hints(data: bytes) -> Headers:
    """Return the headers of a 103. Raises ProtocolError."""
    return decode_head(b"103" + data)[1]


def _says_more(text: str, headers: Sequence[tuple[str, str]]) -> bool:
    """Whether a line break or a colon in a header would make other headers of them."""
    return text.count("\n") != len(headers) or ":" in "".join([name for name, _ in headers])


def encode_error(status: int, reason: str) -> bytes:
    """Return a refusal as a frame's data: a status and what the front's log should say."""
    return f"{status}\n{reason}".encode("utf-8", "backslashreplace")


def decode_error(data: bytes) -> tuple[int, str]:
    """Return a refusal's status and reason. Raises ProtocolError."""
    status, _, reason = data.decode("utf-8", "replace").partition("\n")
    if status not in ("400", "403", "404", "500", "503", "504"):
        raise ProtocolError(f"no refusal has the status {status[:20]!r}")
    return int(status), reason[:2000]
