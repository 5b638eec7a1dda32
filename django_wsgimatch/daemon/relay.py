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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper

from ..exceptions import DaemonError, ProtocolError
from .kept import Connection, KeptConnections
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
    KEPT,
    LARGEST_CHUNK,
    LAST,
    LONGEST_HEAD,
    PULL,
    PULLED,
    READY_FRAME,
    RECEIVE,
    decode_error,
    decode_head,
    decode_hints,
    encode_request,
    texts_of,
)
from .wire import receive_all, send_all

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TRUNCATED = "Truncated or oversized response headers received from daemon process"
CUT_OFF = "The daemon process went away in the middle of its response"
FORGED = "Malformed response received from daemon process: {}"
TIMED_OUT = "Timeout when reading response from daemon process"
NOT_CONNECTED = "Unable to connect to WSGI daemon process on '{}': {}"

MOST_HINTS = 100
# A response up to this length, whose end is known, is received before it is passed on.
LONGEST_WHOLE = 1 << 18

# Room for one descriptor beside a frame.
_ANCILLARY = socket.CMSG_SPACE(struct.calcsize("i"))
# A request that no process has begun is sent again after so long, in seconds.
_PAUSE = 0.02

_ids = itertools.count(random.SystemRandom().getrandbits(62))


def _number_anew() -> None:
    """No two workers of a server that has loaded this module before its fork use the same ids."""
    global _ids
    _ids = itertools.count(random.SystemRandom().getrandbits(62))


os.register_at_fork(after_in_child=_number_anew)


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
    kept: KeptConnections = field(default_factory=KeptConnections, compare=False)


def relay(link: Link, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """
    Have a request answered in a place.

    Raises DaemonError where no response can be had; nothing has been started then. A request
    that has not reached an application is sent again until connect-timeout is over.
    """
    body = _short_body(environ)
    queued = time.monotonic()
    while True:
        kept = link.kept.take()
        try:
            connection = kept or Connection(_connect(link, queued))
            return _ask(connection, link, environ, body, queued, start_response)
        except _SendAgain:
            if kept is not None:
                continue
        if time.monotonic() - queued > link.connect_timeout:
            raise DaemonError(503, NOT_CONNECTED.format(link.path, "no process takes the request"))
        time.sleep(_PAUSE)


class _SendAgain(Exception):
    """The request has not reached an application, and may be sent once more."""


def _ask(
    connection: Connection,
    link: Link,
    environ: WSGIEnvironment,
    body: bytes | None,
    queued: float,
    start_response: StartResponse,
) -> Iterable[bytes]:
    request_id = next(_ids) & 0xFFFFFFFFFFFFFFFF
    length = PULLED if body is None else len(body)
    texts, before = texts_of(environ), connection.texts
    reply = Reply(connection, link, environ)
    has_sent = False
    try:
        may_keep = type(connection.socket) is _SOCKET
        packet = encode_request(texts, before, request_id, queued, length, may_keep=may_keep)
        connection.texts = texts
        if body:
            send_all(connection.socket, [packet, body])
        else:
            connection.socket.sendall(packet)
        has_sent = True
        return reply.begin(start_response)
    except _SendAgain:
        connection.socket.close()
        if reply.has_fed:
            raise DaemonError(500, FORGED.format("a request given back without its body")) from None
        raise
    except (ConnectionError, EOFError) as error:
        connection.socket.close()
        # A socket that is closed before all has been read resets the connection (unix(7)).
        is_unread = not has_sent or isinstance(error, ConnectionResetError)
        may_have_begun = (reply.has_begun or not is_unread) and link.has_reached(request_id)
        # Whoever has asked for the body is the application, and a body is there only once.
        if reply.has_fed or may_have_begun:
            raise DaemonError(500, f"{TRUNCATED} '{link.path}'") from error
        raise _SendAgain from error
    except ProtocolError as error:
        connection.socket.close()
        if not has_sent:
            raise DaemonError(400, str(error)) from None
        raise DaemonError(500, FORGED.format(error)) from error
    except (BlockingIOError, TimeoutError) as error:
        connection.socket.close()
        raise DaemonError(504, f"{TIMED_OUT} '{link.path}'") from error
    except BaseException:
        connection.socket.close()
        raise


class Reply:
    """What comes back over a connection: the response's body, once it has begun."""

    __slots__ = (
        *("_at", "_buffer", "_connection", "_environ", "_hints", "_is_last", "_is_over"),
        *("_left", "_link", "_socket", "has_begun", "has_fed"),
    )

    def __init__(self, connection: Connection, link: Link, environ: WSGIEnvironment) -> None:
        self._connection = connection
        self._socket = connection.socket
        self._link = link
        self._environ = environ
        # What has been received, and how far it has been read.
        self._buffer = b""
        self._at = 0
        # What is still to come of the frame that is being passed on, and whether it is the last:
        # its kind then.
        self._left = 0
        self._is_last = 0
        self._is_over = False
        self._hints = 0
        # Whether anything has come at all.
        self.has_begun = False
        # Whether a part of the request's body has been passed on.
        self.has_fed = False

    def begin(self, start_response: StartResponse) -> Iterable[bytes]:
        """
        Read up to the response's head and start the response; return its body.

        Raises ConnectionError or EOFError where the group goes away, ProtocolError for what is
        no response, DaemonError for a refusal, and BlockingIOError after socket-timeout.
        """
        # A descriptor comes with the head if at all; what another call receives is dropped.
        self._buffer, ancillary = self._receive_first()
        descriptors = _descriptors(ancillary) if ancillary else []
        try:
            status, headers = decode_head(self._head(descriptors))
            if descriptors:
                return self._file(status, headers, descriptors, start_response)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if self._link.response_socket_timeout:
            _set_timeouts(self._socket, self._link.response_socket_timeout)
        whole = self._whole()
        start_response(status, headers)
        return self if whole is None else whole

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
        if not self._is_over:
            self._is_over = True
            self._socket.close()

    def _next(self) -> bytes:
        while not self._left:
            if self._is_last:
                self._finish(self._is_last)
                raise StopIteration
            kind, length = self._frame()
            if kind == DATA:
                self._left = length
            elif kind & ~KEPT == LAST:
                self._left, self._is_last = length, kind
            elif kind & ~KEPT == END:
                self._is_last = kind
            elif kind == PULL:
                self._feed(length)
            elif kind == ERROR:
                raise DaemonError(*decode_error(self._take(length)))
            else:
                raise ProtocolError(f"a frame of kind {kind} in a response")
        if self._at == len(self._buffer):
            self._buffer, self._at = self._receive(), 0
        piece = self._buffer[self._at : self._at + self._left]
        self._at += len(piece)
        self._left -= len(piece)
        return piece

    def _whole(self) -> list[bytes] | None:
        """The body, where its end has come already, or will soon: most responses."""
        buffer, at = self._buffer, self._at
        if len(buffer) - at < FRAME.size:
            return None
        kind, length = FRAME.unpack_from(buffer, at)
        if kind & ~KEPT not in (LAST, END) or length > LONGEST_WHOLE:
            return None
        self._at = at + FRAME.size + length
        body = buffer[at + FRAME.size : self._at]
        if len(body) < length:
            # Optimization: one call for all that is missing, where 64 KiB at a time took two.
            body = receive_all(self._socket, body, length)
        self._finish(kind)
        return [body] if body else []

    def _finish(self, kind: int) -> None:
        """Keep the connection for another request if the group does, and close it otherwise."""
        if self._is_over:
            return
        self._is_over = True
        behind = self._buffer[self._at :]
        if kind & KEPT and behind in (b"", READY_FRAME):
            if self._link.response_socket_timeout:
                _set_timeouts(self._socket, self._link.socket_timeout)
            self._link.kept.give(self._connection, is_ready=bool(behind))
        else:
            self._socket.close()

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
            if self._at == len(self._buffer):
                self._buffer, ancillary = self._receive_first()
                self._at = 0
                descriptors += _descriptors(ancillary)

    def _receive_first(self) -> tuple[bytes, list[tuple[int, int, bytes]]]:
        # Descriptors that come where none is expected must not stay open.
        data, ancillary, _, _ = self._socket.recvmsg(RECEIVE, _ANCILLARY)
        if not data:
            raise EOFError
        self.has_begun = True
        return data, ancillary

    def _frame(self) -> tuple[int, int]:
        self._need(FRAME.size)
        kind, length = FRAME.unpack_from(self._buffer, self._at)
        self._at += FRAME.size
        return kind, length

    def _take(self, length: int) -> bytes:
        """The data of a frame that must be short enough to be held."""
        if length > LONGEST_HEAD:
            raise ProtocolError(f"headers of {length} bytes")
        self._need(length)
        data = self._buffer[self._at : self._at + length]
        self._at += length
        return data

    def _need(self, length: int) -> None:
        if len(self._buffer) - self._at < length:
            self._buffer, self._at = self._buffer[self._at :], 0
            while len(self._buffer) < length:
                self._buffer += self._receive()

    def _receive(self) -> bytes:
        data = self._socket.recv(RECEIVE)
        if not data:
            raise EOFError
        return data

    def _feed(self, wanted: int) -> None:
        """Read on in the request's body, as far as the application does, and pass it on."""
        self.has_fed = True
        size = min(max(wanted, 1), LARGEST_CHUNK)
        left = _left_of(self._environ)
        if left is not None:
            size = min(size, left)
        try:
            data = self._environ["wsgi.input"].read(size) if size else b""
        except BaseException:
            self._socket.sendall(CHUNK.pack(ABORTED))
            raise
        if left is not None:
            if size and not data:
                self._socket.sendall(CHUNK.pack(ABORTED))
                return
            self._environ[_LEFT] = left - len(data)
        self._socket.sendall(CHUNK.pack(len(data)) + data)

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
        self._socket.close()
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
