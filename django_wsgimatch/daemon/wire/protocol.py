"""
The frames between a server's worker (the front) and a daemon process (the group).

A connection to a place's unix socket carries one request after the other. The front sends a
packet: a header, the environ's text items, and a short body behind them. The group answers in
frames, each a kind, a length and so many bytes::

    HINTS*  (HEAD DATA* (LAST | END)  |  HEAD FILE  |  ERROR  |  AGAIN  |  REFUSED)

with PULL wherever the application reads on: the front then sends a chunk of the body, a length
and so many bytes; 0 is the end of it and ``ABORTED`` says that the client went away.

Of the environ only what differs from the request before on the same connection travels, and the
names that are gone: most requests of a site differ in few items.

A connection is over with its response, unless the front allows to keep it and LAST or END has
the bit ``KEPT``: then READY comes as soon as the application has closed its response, and the
group's thread waits for the next request. With the bit ``AT_ONCE``, too, it waits already and no
READY comes. Either side may close a connection at any time between requests; the front then sends
its request over another one.

Both sides may be of different versions of Python, and a group may run as a user that the front
does not trust: there is nothing but text and numbers in a frame.

Each request carries the place's token, which the manager makes and only the front and the place
know. A group reads nothing more of a request that carries another one: it says REFUSED, so that the
front asks the manager for the token that counts now, and closes the connection.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from itertools import chain, filterfalse, islice
from typing import Any

from ...exceptions import ProtocolError
from ...text import shown

# magic, the encoding of the environ, whether the connection may be kept, how many names are gone,
# the environ's length, the body's length behind it (-1: pulled), the request's id, when it came, on
# the clock that all processes of a machine share (seconds), and the place's token.
REQUEST = struct.Struct("<3sc?HIqQd16s")
MAGIC = b"WM3"
TOKEN_SIZE = 16
# What a group that somebody else runs is sent: who may reach its socket may send requests.
NO_TOKEN = bytes(TOKEN_SIZE)
PULLED = -1
# A body up to this length travels with its head.
INLINE = 65536
# Apache passes on 100 headers of 8190 bytes; servers beside it may allow more.
LONGEST_ENVIRON = 16 << 20

FRAME = struct.Struct("<BI")
HEAD, DATA, LAST, END, HINTS, FILE, PULL, ERROR, AGAIN, READY, REFUSED = range(1, 12)
# What follows the status of a refusal whose group has logged it.
LOGGED = " logged"
KEPT, AT_ONCE = 0x40, 0x80
KEPT_AT_ONCE = KEPT | AT_ONCE
KIND = 0xFF & ~KEPT_AT_ONCE
LONGEST_HEAD = 1 << 20
# Optimization: looked up once; decode_whole() takes 1.16 us instead of 1.38.
_unpack_frame, _FRAME_SIZE, _TWO_FRAMES = FRAME.unpack_from, FRAME.size, 2 * FRAME.size
_LAST_AND_KEPT = LAST | KEPT_AT_ONCE
# In characters: it is written into the server's log.
LONGEST_REASON = 2000

CHUNK = struct.Struct("<I")
ABORTED = 0xFFFFFFFF
LARGEST_CHUNK = 1 << 18

# A status and a header, as a server would have to write them (RFC 9112, RFC 9110 5.5).
# A 1xx is no response yet, and there is no 600 or more (RFC 9110 15).
_STATUS = re.compile(r"[2-5][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*)?")
_HEADER = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)")

# 1*DIGIT (RFC 9110 8.6), and no more than any file system can hold.
_LENGTH = re.compile(r"[0-9]{1,18}")
_WITHOUT_BODY = ("204", "304")
# What holds for one connection only (RFC 9110 7.6.1) is the server's to say (PEP 3333). gunicorn
# drops these headers of an application's, and so does the front: under gunicorn an application
# behaves alike in a group and outside. Transfer-Encoding would change where the body ends: a 500.
_OF_THE_CONNECTION = frozenset(
    (
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("proxy-connection", "te", "trailer", "trailers", "upgrade"),
    )
)

# Optimization: most lines of a head come again and again; with those remembered, a head of three
# lines is written in 0.6 us instead of 3.6 and read in 0.8 us instead of 2.4. So many are
# remembered, of at most so many characters: a group cannot fill the front's memory.
_MOST_LINES, _LONGEST_LINE = 1024, 200
_written: dict[tuple[str, str], tuple[str, int | None]] = {}
_statuses: dict[str, bool] = {}
# A line's header, None for one that is dropped, and the body's length if the line announces it.
_read: dict[str, tuple[tuple[str, str] | None, int | None]] = {}

Headers = list[tuple[str, str]]


# A response's status and headers, and the body's length as its Content-Length announces it.
ResponseHead = tuple[str, Headers, int | None]
# What a request's first bytes say: the magic, the environ's encoding, whether the connection may be
# kept, how many names are gone, the environ's length and the body's, the request's id, when it
# came, on time.monotonic()'s clock, and the token.
# Optimization: tuples without names. Named ones took 0.15 and 0.33 us more.
RequestHead = tuple[bytes, bytes, bool, int, int, int, int, float, bytes]


def encode_request(
    environ: Mapping[str, Any],
    known: dict[str, str],
    request_id: int,
    queued: float,
    body_length: int,
    token: bytes,
    *,
    may_keep: bool = False,
) -> bytes:
    """
    Return what begins a request, without its body.

    ``known`` are the text items of the request before on the same connection, and become those of
    this one's ``environ``. The body of ``body_length`` bytes is to follow, unless it is ``PULLED``;
    ``token`` is the place's. Raises ProtocolError for an item that holds a NUL, which no server
    lets through.
    """
    gone, changed = _changes(environ, known)
    encoding, data = b"L", b""
    if gone or changed:
        parts = [*gone, *chain.from_iterable(changed)]
        text = "\0".join(parts)
        if text.count("\0") >= len(parts):
            raise ProtocolError("the environ holds a NUL character")
        try:
            data = text.encode("latin-1")
        except UnicodeEncodeError:
            encoding, data = b"U", text.encode("utf-8", "surrogatepass")
    count, size = len(gone), len(data)
    head = REQUEST.pack(
        MAGIC, encoding, may_keep, count, size, body_length, request_id, queued, token
    )
    return head + data


def _changes(
    environ: Mapping[str, Any], known: dict[str, str]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Make of known text items those of an environ; return what is gone and what is new."""
    # Optimization: with all items on each request, the group took 27 us more for one.
    # A comprehension took 0.4 us more.
    new = [*filterfalse(known.items().__contains__, environ.items())]
    texts = [item for item in new if type(item[1]) is str]
    known.update(texts)
    gone: list[str] = []
    if len(known) + len(new) - len(texts) > len(environ):
        gone = [name for name in known if type(environ.get(name)) is not str]
        for name in gone:
            del known[name]
    return gone, texts


def decode_request(head: bytes | memoryview) -> RequestHead:
    """Return what a request's first bytes say. Raises ProtocolError."""
    found: RequestHead = REQUEST.unpack_from(head)
    magic, encoding, _, _, environ_length, body_length, _, _, _ = found
    if magic != MAGIC or encoding not in b"LU":
        raise ProtocolError(f"no request begins with {bytes(head[:4])!r}")
    if environ_length > LONGEST_ENVIRON:
        raise ProtocolError(f"an environ of {environ_length} bytes")
    if not PULLED <= body_length <= INLINE:
        raise ProtocolError(f"a body of {body_length} bytes behind the environ")
    return found


def update_environ(
    environ: dict[str, Any], encoding: bytes, gone: int, data: bytes | memoryview
) -> None:
    """Make of a request's environ that of the next one on its connection. Raises ProtocolError."""
    if not data:
        return
    try:
        if encoding == b"L":
            parts = str(data, "latin-1").split("\0")
        else:
            parts = str(data, "utf-8", "surrogatepass").split("\0")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"the environ is not text: {error}") from None
    if (len(parts) - gone) % 2 or gone > len(parts):
        raise ProtocolError("the environ has a name without a value")
    items = iter(parts)
    for name in islice(items, gone):
        if environ.pop(name, None) is None:
            raise ProtocolError("the environ lacks a name that is to be removed from it")
    # Optimization: few items differ; with update(zip(...)) one took 0.2 us more.
    for name in items:
        environ[name] = next(items)


def frame(kind: int, data: bytes = b"") -> bytes:
    """Return a whole frame."""
    return FRAME.pack(kind, len(data)) + data


READY_FRAME = frame(READY)


def encode_head(status: str, headers: Sequence[tuple[str, str]]) -> tuple[bytes, int | None]:
    """
    Return a status and headers as a frame's data, and what Content-Length announces.

    Raises ValueError for what cannot be a response's head: the application is told.
    """
    if not (status in _statuses or _is_status(status)):
        raise ValueError(f"Invalid status: {status!r}")
    lines, length = _lines(headers)
    return (status + lines).encode("latin-1"), length


def allows_body(status: str) -> bool:
    """Whether a status allows a body (RFC 9110 6.4.1)."""
    return status[:3] not in _WITHOUT_BODY


def decode_whole(data: bytes) -> tuple[ResponseHead, bytes] | None:
    """
    Return the head and the body of a response that is there whole, over a connection that is kept.

    None for all others, and for what is no response: that is to be read frame by frame.
    """
    all_of_it = len(data)
    if all_of_it < _TWO_FRAMES:
        return None
    kind, length = _unpack_frame(data)
    begins = length + _TWO_FRAMES
    if kind != HEAD or all_of_it < begins or length > LONGEST_HEAD:
        return None
    ends = begins - _FRAME_SIZE
    kind, size = _unpack_frame(data, ends)
    if kind != _LAST_AND_KEPT or all_of_it != begins + size:
        return None
    head = decode_head(data[_FRAME_SIZE:ends])
    # Optimization: as allows_body(), whose call took 0.05 us.
    if head[2] not in (size, None) or head[0][:3] in _WITHOUT_BODY:
        return None
    return head, data[begins:]


def decode_head(data: bytes) -> ResponseHead:
    """
    Return what a head's data say. Raises ProtocolError if they are not a response's head.

    Headers that hold for one connection only are dropped; Transfer-Encoding is refused.
    """
    status, *lines = data.decode("latin-1").split("\n")
    if not (status in _statuses or _is_status(status)):
        raise ProtocolError(f"the status {status[:40]!r}, which is not one of 200 to 599")
    headers, length = _read_lines(lines)
    return status, headers, length


def encode_hints(headers: Sequence[tuple[str, str]]) -> bytes:
    """Return the headers of a 103 as a frame's data. Raises ValueError."""
    return _lines(headers)[0].encode("latin-1")


def decode_hints(data: bytes) -> Headers:
    """Return the headers of a 103. Raises ProtocolError."""
    nothing, *lines = data.decode("latin-1").split("\n")
    headers, length = _read_lines(lines)
    if nothing or length is not None:
        raise ProtocolError("malformed early hints")
    return headers


def _is_status(status: str) -> bool:
    is_one = _STATUS.fullmatch(status) is not None
    if is_one:
        _remember(_statuses, status, True, status)
    return is_one


def _lines(headers: Sequence[tuple[str, str]]) -> tuple[str, int | None]:
    lines, length = "", None
    for header in headers:
        # Servers take lists of two for tuples.
        known = _written.get(header) if type(header) is tuple else None
        line, announced = known or _line(header)
        lines += line
        if announced is not None:
            if length is not None:
                raise ValueError("More than one Content-Length header")
            length = announced
    return lines, length


def _line(header: tuple[str, str]) -> tuple[str, int | None]:
    """
    A header as a line, with the line break before it, and what it announces of the length.

    Raises ValueError.
    """
    name, value = header
    match = _HEADER.fullmatch(f"{name}:{value}")
    # A colon in the name would make another header of it.
    if match is None or match[1] != name or match[2] != value:
        raise ValueError(f"Invalid header: {name!r}, {value!r}")
    lower = name.lower()
    if lower == "transfer-encoding":
        raise ValueError(f"The server says how the body is sent: {name}: {value}")
    if lower == "content-length" and not _LENGTH.fullmatch(value):
        raise ValueError(f"Invalid Content-Length: {value!r}")
    line = f"\n{name}:{value}"
    told = line, int(value) if lower == "content-length" else None
    _remember(_written, (name, value), told, line)
    return told


def _read_lines(lines: list[str]) -> tuple[Headers, int | None]:
    headers: Headers = []
    length = None
    for line in lines:
        header, announced = _read.get(line) or _read_line(line)
        if header is not None:
            headers.append(header)
        if announced is not None:
            if length is not None:
                raise ProtocolError("more than one Content-Length")
            length = announced
    return headers, length


def _read_line(line: str) -> tuple[tuple[str, str] | None, int | None]:
    match = _HEADER.fullmatch(line)
    if match is None:
        raise ProtocolError("malformed response headers")
    name, value = match.groups()
    known = name.lower()
    if known == "transfer-encoding":
        raise ProtocolError(f"the {name} {value[:40]!r}")
    if known == "content-length" and not _LENGTH.fullmatch(value):
        raise ProtocolError(f"the Content-Length {value[:40]!r}")
    header = None if known in _OF_THE_CONNECTION else (name, value)
    found = header, int(value) if known == "content-length" else None
    _remember(_read, line, found, line)
    return found


def _remember(known: dict[Any, Any], key: object, value: object, line: str) -> None:
    if len(line) <= _LONGEST_LINE:
        if len(known) >= _MOST_LINES:
            known.clear()
        known[key] = value


def encode_error(status: int, reason: str, *, is_logged: bool = False) -> bytes:
    """Return a refusal as a frame's data: a status, why, and whether a log has it already."""
    first = f"{status}{LOGGED}" if is_logged else str(status)
    return f"{first}\n{reason}".encode("utf-8", "backslashreplace")


def decode_error(data: bytes) -> tuple[int, str, bool]:
    """
    Return a refusal's status, its reason, of one line, and whether a log has it already.

    Raises ProtocolError.
    """
    first, _, reason = data.decode("utf-8", "replace").partition("\n")
    status = first.removesuffix(LOGGED)
    if status not in ("400", "403", "404", "500", "503", "504"):
        raise ProtocolError(f"no refusal has the status {status[:20]!r}")
    return int(status), shown(reason[:LONGEST_REASON]), first != status
