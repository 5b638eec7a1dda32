"""
The front's side of a request: an environ in, a WSGI response out (``daemon.protocol``).

It runs in the server's worker, under any WSGI server, and believes nothing that it is told but
what a response can be: a group may run as a user that nobody trusts.
"""

from __future__ import annotations

import errno
import itertools
import os
import random
import socket
import stat
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper

from ..exceptions import DaemonError, ProtocolError
from .protocol import (
    ABORTED,
    AGAIN,
    CHUNK,
    DATA,
    END,
    ERROR,
    FILE,
    FRAME,
    HEAD,
    HINTS,
    INLINE,
    LARGEST_CHUNK,
    LAST,
    LONGEST_HEAD,
    PULL,
    RECEIVE,
    decode_error,
    decode_head,
    decode_hints,
    encode_request,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TRUNCATED = "Truncated or oversized response headers received from daemon process"
CUT_OFF = "The daemon process went away in the middle of its response"
FORGED = "Malformed response received from daemon process: {}"
TIMED_OUT = "Timeout when reading response from daemon process"
NOT_CONNECTED = "Unable to connect to WSGI daemon process on '{}': {}"

MOST_HINTS = 100

# Room for one descriptor beside a frame.
_ANCILLARY = socket.CMSG_SPACE(struct.calcsize("i"))
# A request that no process has begun is sent again after so long, in seconds.
_PAUSE = 0.02

_ids = itertools.count(random.SystemRandom().getrandbits(62))


@dataclass(frozen=True, slots=True)
class Link:
    """
    How a place is reached.

    ``wake`` is called where nobody listens; ``has_reached`` tells whether a request, by its id,
    has reached the application. Times are in seconds, 0 for no limit.
    """

    path: str
    wake: Callable[[], None]
    has_reached: Callable[[int], bool]
    connect_timeout: float = 15
    socket_timeout: float = 60
    response_socket_timeout: float = 0


def relay(link: Link, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """
    Have a request answered in a place.

    Raises DaemonError where no response can be had; nothing has been started then. A request
    that has not reached an application is sent again until connect-timeout is over.
    """
    body = _short_body(environ)
    queued = time.monotonic()
    while True:
        request_id = next(_ids) & 0xFFFFFFFFFFFFFFFF
        try:
            packet = encode_request(environ, request_id, queued, body)
        except ProtocolError as error:
            raise DaemonError(400, str(error)) from None
        connection = _connect(link, queued)
        try:
            connection.sendall(packet)
            return Reply(connection, link, environ).begin(start_response)
        except _SendAgain:
            connection.close()
        except (ConnectionError, EOFError) as error:
            connection.close()
            if link.has_reached(request_id):
                raise DaemonError(500, f"{TRUNCATED} '{link.path}'") from error
        except ProtocolError as error:
            connection.close()
            raise DaemonError(500, FORGED.format(error)) from error
        except (BlockingIOError, TimeoutError) as error:
            connection.close()
            raise DaemonError(504, f"{TIMED_OUT} '{link.path}'") from error
        except BaseException:
            connection.close()
            raise
        if time.monotonic() - queued > link.connect_timeout:
            raise DaemonError(503, NOT_CONNECTED.format(link.path, "no process takes the request"))
        time.sleep(_PAUSE)


class _SendAgain(Exception):
    """The group asks for the request to be sent once more."""


class Reply:
    """What comes back over a connection: the response's body, once it has begun."""

    def __init__(self, connection: socket.socket, link: Link, environ: WSGIEnvironment) -> None:
        self._connection = connection
        self._link = link
        self._environ = environ
        self._buffer = b""
        # What is still to come of the frame that is being passed on, and whether it is the last.
        self._left = 0
        self._is_last = False
        self._hints = 0

    def begin(self, start_response: StartResponse) -> Iterable[bytes]:
        """
        Read up to the response's head and start the response; return its body.

        Raises ConnectionError or EOFError where the group goes away, ProtocolError for what is
        no response, DaemonError for a refusal, and BlockingIOError after socket-timeout.
        """
        # A descriptor comes with the head if at all; what another call receives is dropped.
        self._buffer, ancillary = self._receive_first()
        descriptors = _descriptors(ancillary)
        try:
            status, headers = decode_head(self._head(descriptors))
            if descriptors:
                return self._file(status, headers, descriptors, start_response)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        start_response(status, headers)
        if self._link.response_socket_timeout:
            _set_timeouts(self._connection, self._link.response_socket_timeout)
        return self._whole() or self

    def __iter__(self) -> Iterator[bytes]:
        """The body is its own iterator."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece. Raises DaemonError where the response is not whole."""
        try:
            return self._next()
        except (ConnectionError, EOFError) as error:
            raise DaemonError(500, f"{CUT_OFF} '{self._link.path}'") from error
        except ProtocolError as error:
            raise DaemonError(500, FORGED.format(error)) from error
        except (BlockingIOError, TimeoutError) as error:
            raise DaemonError(504, f"{TIMED_OUT} '{self._link.path}'") from error

    def close(self) -> None:
        """Let the group know that nobody reads on."""
        self._connection.close()

    def _next(self) -> bytes:
        while not self._left:
            if self._is_last:
                raise StopIteration
            kind, length = self._frame()
            if kind in (DATA, LAST):
                self._left, self._is_last = length, kind == LAST
            elif kind == END:
                self._is_last = True
            elif kind == PULL:
                self._feed(length)
            elif kind == ERROR:
                raise DaemonError(*decode_error(self._take(length)))
            else:
                raise ProtocolError(f"a frame of kind {kind} in a response")
        data = self._buffer or self._receive()
        piece, self._buffer = data[: self._left], data[self._left :]
        self._left -= len(piece)
        return piece

    def _whole(self) -> list[bytes] | None:
        """The body, if all of it is here already: most responses."""
        buffer = self._buffer
        if len(buffer) < FRAME.size:
            return None
        kind, length = FRAME.unpack_from(buffer)
        if kind == END or (kind == LAST and len(buffer) == FRAME.size + length):
            self._connection.close()
            return [buffer[FRAME.size :]] if length else []
        return None

    def _head(self, descriptors: list[int]) -> bytes:
        while True:
            kind, length = self._frame()
            if kind == HEAD:
                return self._take(length)
            if kind == PULL:
                self._feed(length)
            elif kind == HINTS:
                self._hint(self._take(length))
            elif kind == ERROR:
                raise DaemonError(*decode_error(self._take(length)))
            elif kind == AGAIN:
                raise _SendAgain
            else:
                raise ProtocolError(f"a frame of kind {kind} before the response")
            if not self._buffer:
                self._buffer, ancillary = self._receive_first()
                descriptors += _descriptors(ancillary)

    def _receive_first(self) -> tuple[bytes, list[tuple[int, int, bytes]]]:
        # Descriptors that come where none is expected must not stay open.
        data, ancillary, _, _ = self._connection.recvmsg(RECEIVE, _ANCILLARY)
        if not data:
            raise EOFError
        return data, ancillary

    def _frame(self) -> tuple[int, int]:
        while len(self._buffer) < FRAME.size:
            self._buffer += self._receive()
        kind, length = FRAME.unpack_from(self._buffer)
        self._buffer = self._buffer[FRAME.size :]
        return kind, length

    def _take(self, length: int) -> bytes:
        """The data of a frame that must be short enough to be held."""
        if length > LONGEST_HEAD:
            raise ProtocolError(f"headers of {length} bytes")
        while len(self._buffer) < length:
            self._buffer += self._receive()
        data, self._buffer = self._buffer[:length], self._buffer[length:]
        return data

    def _receive(self) -> bytes:
        data = self._connection.recv(RECEIVE)
        if not data:
            raise EOFError
        return data

    def _feed(self, wanted: int) -> None:
        """Read on in the request's body, as far as the application does, and pass it on."""
        size = min(max(wanted, 1), LARGEST_CHUNK)
        left = _left_of(self._environ)
        if left is not None:
            size = min(size, left)
        try:
            data = self._environ["wsgi.input"].read(size) if size else b""
        except BaseException:
            self._connection.sendall(CHUNK.pack(ABORTED))
            raise
        if left is not None:
            if size and not data:
                self._connection.sendall(CHUNK.pack(ABORTED))
                return
            self._environ[_LEFT] = left - len(data)
        self._connection.sendall(CHUNK.pack(len(data)) + data)

    def _hint(self, data: bytes) -> None:
        headers = decode_hints(data)
        self._hints += 1
        if self._hints > MOST_HINTS:
            raise ProtocolError("early hints without an end")
        send: Callable[[Any], None] | None = self._environ.get("wsgi.early_hints")
        if send is not None:
            send(headers)

    def _file(
        self,
        status: str,
        headers: list[tuple[str, str]],
        descriptors: list[int],
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Let the server send a file that the application has opened."""
        is_file = len(descriptors) == 1 and stat.S_ISREG(os.fstat(descriptors[0]).st_mode)
        if not is_file or self._frame() != (FILE, 0):
            raise ProtocolError("a file without a file")
        self._connection.close()
        file = os.fdopen(descriptors.pop(), "rb")
        start_response(status, headers)
        wrap: Callable[[Any, int], Iterable[bytes]]
        wrap = self._environ.get("wsgi.file_wrapper") or FileWrapper
        return wrap(file, RECEIVE)


# What is left of a body of known length is counted in the front's own environ.
_LEFT = "wsgimatch.left"


def _short_body(environ: WSGIEnvironment) -> bytes | None:
    """
    Return the request's body if it is to travel with the head, else None.

    One that the client sends only when it is asked to (100-continue) is not asked for here.
    """
    given = environ.get("CONTENT_LENGTH")
    if not given:
        return None if _has_unknown_length(environ) else b""
    length = int(given) if given.isdecimal() else 0
    if length == 0:
        return b""
    if length > INLINE or "HTTP_EXPECT" in environ:
        environ[_LEFT] = length
        return None
    body: bytes = environ["wsgi.input"].read(length)
    if len(body) < length:
        raise DaemonError(400, "The client went away in the middle of the request's body")
    return body


def _has_unknown_length(environ: WSGIEnvironment) -> bool:
    # From HTTP/2 on a body needs no header that announces it (RFC 9113 8.1).
    return "HTTP_TRANSFER_ENCODING" in environ or environ["SERVER_PROTOCOL"][:6] > "HTTP/1"


def _left_of(environ: WSGIEnvironment) -> int | None:
    left: int | None = environ.get(_LEFT)
    return left


def _connect(link: Link, began: float) -> socket.socket:
    """Return a connection to the place's socket. Raises DaemonError (503)."""
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            # Before connect(): connecting and sending back to back wakes the group's thread once.
            _set_timeouts(connection, link.socket_timeout, link.connect_timeout)
            connection.connect(link.path)
            return connection
        except OSError as error:
            connection.close()
            late = time.monotonic() - began > link.connect_timeout
            if late or error.errno not in (errno.ENOENT, errno.ECONNREFUSED):
                raise DaemonError(503, NOT_CONNECTED.format(link.path, error)) from error
        link.wake()
        time.sleep(_PAUSE)


def _set_timeouts(connection: socket.socket, receive: float, send: float | None = None) -> None:
    if type(connection) is not _SOCKET:
        # gevent's sockets wait in a loop of their own, that knows no SO_RCVTIMEO.
        connection.settimeout(receive or None)
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(receive))
    if send is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(send))


_SOCKET = socket.socket if socket.socket.__module__ == "socket" else None


def _timeval(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack("ll", whole, int((seconds - whole) * 1_000_000))


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    found: list[int] = []
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            whole = len(data) - len(data) % 4
            found += struct.unpack(f"{whole // 4}i", data[:whole])
    return found
