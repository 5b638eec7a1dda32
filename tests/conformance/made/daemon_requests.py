"""Random HTTP requests to the script ``tests/applications/daemon/echo.wsgi``, and their answers."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from random import Random

from tests.support.raw_http import Address, connect

SECONDS = 60
MEGABYTE = 1 << 20
METHODS = (
    *("GET", "GET", "GET", "POST", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"),
    *("PROPFIND", "REPORT", "SEARCH", "UNKNOWN", "X-ODD", "get", "post"),
)
SEGMENTS = (
    *("a", "b.html", "%C3%A9", "%252F", "z/%2e%2e", "z/..", ".", "", "a%20b", "%7Euser", "x;y=1"),
    *("%25zz", "a+b", "%E9", "~", "a:b", "%22", "(x)", "%41"),
)
QUERIES = ("", "", "?", "?a=1", "?a=%20b&c=%C3%A9", "?a=1?b=2", "?a%2Fb", "?=&&=", "?x=//y/../z")
HOSTS = ("localhost", "localhost", "LocalHost", "other.test:8080")
VALUES = (
    *("1", "text/html;q=0.5, */*", "caf\xe9", "\xff\xfe", "a\tb", "x" * 4000, '"quoted, comma"'),
    *("0", "None", "a=b; c=d", "", "%20", "\xc3\xa9"),
)
NAMES = (
    *(
        "Accept",
        "Accept-Language",
        "User-Agent",
        "Referer",
        "Cookie",
        "X-Custom",
        "X-Forwarded-For",
    ),
    *("Origin", "If-None-Match", "Cache-Control", "Range", "Pragma", "DNT", "X-Script-Name-2"),
)
LENGTHS = (0, 1, 9, 10, 11, 100, 8192, 65535, 65536, 65537, 131072, 262144, 300_000)
CHUNKS = (1, 10, 1000, 8192, 65536, 100_000, MEGABYTE)
MOST_CHUNKS = 200
READS = (
    *("read", "read", "read-in-pieces", "read-in-small-pieces", "readline", "readline-limited"),
    *("readlines", "iterate", "past-the-end", "partly", "a-line", "not-at-all"),
)
UNREAD = {"partly", "a-line", "not-at-all"}
REPLIES = (
    *("list", "list", "list", "without-length", "generator", "late", "write", "file"),
    *("file-without-length", "bytes-file", "empty", "204", "304", "odd-status", "404", "redirect"),
    *("restart", "duplicates", "long", "cut", "raise", "raise-late", "closing"),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, but for the path's beginning: which application it is for."""

    method: str
    rest: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    chunks: tuple[int, ...] | None = None

    def head(self, path: str) -> bytes:
        """The bytes up to the body."""
        lines = [f"{self.method} {path}{self.rest} {self.version}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def wire(self) -> Iterator[bytes]:
        """The bytes of the body, cut into chunks where it is chunked."""
        if self.chunks is None:
            yield self.body
            return
        start = 0
        for size in self.chunks:
            piece = self.body[start : start + size]
            start += size
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
        yield b"0\r\n\r\n"

    @property
    def waits(self) -> bool:
        """Whether the body is sent only when the server asks for it."""
        return ("Expect", "100-continue") in self.headers

    @property
    def wishes(self) -> list[str]:
        """What the script is told to do."""
        return [value for name, value in self.headers if name in ("X-Read", "X-Reply")]

    @property
    def is_left_unread(self) -> bool:
        """Whether the script answers before it has read the body."""
        return bool(UNREAD & set(self.wishes))

    def __str__(self) -> str:
        head = self.head("").decode("latin-1").replace("\r\n", "\n  ")
        return f"  {head.strip()}\n  and {len(self.body)} bytes, chunks: {self.chunks}"


@dataclass(frozen=True, slots=True)
class Got:
    """An answer: headers in their order, names in lower case. ``status`` 0: there was none."""

    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    is_whole: bool = True


def random_requests(seed: str, count: int) -> Iterator[Sent]:
    """So many requests that a careful enemy might send, or anybody, one at a time."""
    rng = Random(seed)
    return (random_request(rng) for _ in range(count))


def random_request(rng: Random) -> Sent:
    """One such request."""
    method = rng.choice(METHODS)
    version = "HTTP/1.0" if rng.random() < 0.1 else "HTTP/1.1"
    rest = "".join("/" + rng.choice(SEGMENTS) for _ in range(rng.choice((0, 0, 1, 2, 3))))
    headers = [("Host", rng.choice(HOSTS)), ("Connection", "close")]
    headers += [("X-Read", rng.choice(READS)), ("X-Reply", rng.choice(REPLIES))]
    names = rng.sample(NAMES, rng.randrange(5))
    headers += [(name, rng.choice(VALUES)) for name in names]
    if rng.random() < 0.1:
        headers += [("X-Twice", rng.choice(VALUES)) for _ in range(2)]
    if rng.random() < 0.1:
        headers.append(("Authorization", "Basic dXNlcjpwdw=="))
    body, chunks = random_body(rng, method, version)
    if body is not None:
        headers += announcement(rng, body, chunks, version)
    rng.shuffle(headers)
    return Sent(method, rest + rng.choice(QUERIES), version, tuple(headers), body or b"", chunks)


def random_body(
    rng: Random, method: str, version: str
) -> tuple[bytes | None, tuple[int, ...] | None]:
    """A body, None where the request has none, and the sizes of its chunks."""
    if rng.random() < (0.8 if method in ("GET", "HEAD", "get") else 0.1):
        return None, None
    size = rng.choice(LENGTHS)
    if rng.random() < 0.12:
        size = rng.randrange(5 * MEGABYTE)
    words = [
        rng.randbytes(rng.randrange(1, 200)) + rng.choice((b"\n", b"", b"\r\n")) for _ in "abcd"
    ]
    pattern = b"".join(words)
    body = (pattern * (size // len(pattern) + 1))[:size]
    if version == "HTTP/1.0" or rng.random() < 0.6:
        return body, None
    return body, random_chunks(rng, size)


def random_chunks(rng: Random, size: int) -> tuple[int, ...]:
    """The sizes of chunks for a body, the last of all what is left."""
    chunks: list[int] = []
    while size > 0:
        most = size if len(chunks) == MOST_CHUNKS else rng.choice(CHUNKS)
        chunks.append(min(size, most))
        size -= chunks[-1]
    return tuple(chunks)


def announcement(
    rng: Random, body: bytes, chunks: tuple[int, ...] | None, version: str
) -> list[tuple[str, str]]:
    """The headers that go with a body."""
    headers = [("Content-Type", rng.choice(("text/plain", "multipart/form-data; boundary=x", "")))]
    if rng.random() < 0.3:
        headers = []
    if chunks is None:
        headers.append(("Content-Length", str(len(body))))
    else:
        headers.append(("Transfer-Encoding", "chunked"))
    if body and version == "HTTP/1.1" and rng.random() < 0.15:
        headers.append(("Expect", "100-continue"))
    return headers


def exchange(address: Address, path: str, sent: Sent) -> Got:
    """Send a request over a connection of its own and read the whole answer."""
    with connect(address, SECONDS) as connection:
        connection.sendall(sent.head(path))
        if not sent.waits or is_asked_for(connection):
            # The answer may come before the body is read, if ever it is.
            sender = threading.Thread(target=send_body, args=(connection, sent))
            sender.start()
            try:
                return answer(connection, sent.method)
            finally:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                sender.join()
        return answer(connection, sent.method)


def is_asked_for(connection: socket.socket) -> bool:
    """Whether the server says 100, and not something else at once."""
    select.select([connection], [], [], SECONDS)
    begun = connection.recv(12, socket.MSG_PEEK | socket.MSG_WAITALL)
    return begun.endswith(b" 100")


def send_body(connection: socket.socket, sent: Sent) -> None:
    with suppress(OSError):
        for piece in sent.wire():
            connection.sendall(piece)


def answer(connection: socket.socket, method: str) -> Got:
    with HTTPResponse(connection, method=method.upper()) as response:
        try:
            response.begin()
        except (HTTPException, OSError):
            return Got(0)
        headers = tuple((name.lower(), value) for name, value in response.getheaders())
        body, is_whole = b"", True
        try:
            while piece := response.read(65536):
                body += piece
        except (HTTPException, OSError):
            is_whole = False
        is_whole = is_whole and not response.length
        return Got(response.status, response.reason, headers, body, is_whole)
