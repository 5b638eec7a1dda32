"""
What comes back of a request: the response as a group sends it, held to what one can be.

It believes nothing that it is told: a group may run as a user that nobody trusts.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper

from ...exceptions import DaemonError, ProtocolError
from ..wire.protocol import (
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
    KEPT,
    LARGEST_CHUNK,
    LAST,
    LONGEST_HEAD,
    PULL,
    READY_FRAME,
    RECEIVE,
    REFUSED,
    ResponseHead,
    decode_error,
    decode_head,
    decode_hints,
)
from ..wire.wire import receive_all
from .gate import Gate
from .kept_connections import Connection
from .link import Link, set_timeouts
from .passed_file import PassedFile
from .patience import read_body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CUT_OFF = "The daemon process went away in the middle of its response"
FORGED = "Malformed response received from daemon process: {}"
TIMED_OUT = "Timeout when reading response from daemon process"
ENDS_EARLY = "the body ends before its Content-Length"

MOST_HINTS = 100
# A response up to this length, whose end is known, is received before it is passed on.
LONGEST_WHOLE = 1 << 18

# Room for one descriptor beside a frame.
_ANCILLARY = socket.CMSG_SPACE(struct.calcsize("i"))
# What is left of a body of known length is counted in the front's own environ.
LEFT = "wsgimatch.left"


class SendAgain(Exception):
    """
    The request has not reached an application, and may be sent once more.

    ``is_refused`` tells that the token is wrong, or that the connection was closed without a word.
    """

    def __init__(self, *, is_refused: bool = False) -> None:
        self.is_refused = is_refused


class Reply:
    """What comes back over a connection: the response's body, once it has begun."""

    __slots__ = (
        *("_at", "_buffer", "_connection", "_due", "_environ", "_gate", "_has_body", "_hints"),
        *("_is_last", "_is_over", "_left", "_link", "_socket", "has_begun", "has_fed"),
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
        # What Content-Length still lets through; None where nothing is announced.
        self._due: int | None = None
        # Whether the client may be sent a body at all; one that comes all the same is dropped.
        self._has_body = True
        self._is_over = False
        self._gate: Gate | None = None
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
            if descriptors:
                _limit(descriptors)
            head = decode_head(self._head(descriptors))
            self._has_body = head.has_body and self._environ["REQUEST_METHOD"] != "HEAD"
            self._due = head.length if self._has_body else None
            if descriptors:
                return self._file(head, descriptors, start_response)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if self._link.response_socket_timeout:
            set_timeouts(self._socket, self._link.response_socket_timeout)
        whole = self._whole()
        start_response(head.status, head.headers)
        return self if whole is None else whole

    def hold(self, gate: Gate) -> bool:
        """Leave a gate when the response is over; return whether that is still to come."""
        if self._is_over:
            return False
        self._gate = gate
        return True

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
            self._end()
            self._socket.close()

    def __del__(self) -> None:
        # Not every server calls close() where a client has gone away.
        self.close()

    def _next(self) -> bytes:
        while True:
            if not self._left:
                self._next_frame()
            elif self._at == len(self._buffer):
                self._buffer, self._at = self._receive(), 0
            else:
                piece = self._buffer[self._at : self._at + self._left]
                self._at += len(piece)
                self._left -= len(piece)
                if self._has_body:
                    return piece

    def _next_frame(self) -> None:
        """Read a frame's head, and what is no part of the body. Raises StopIteration at the end."""
        if self._is_last:
            if self._due:
                raise ProtocolError(ENDS_EARLY)
            self._finish(self._is_last)
            raise StopIteration
        kind, length = self._frame()
        if kind == DATA or kind & ~KEPT == LAST:
            self._left, self._is_last = length, 0 if kind == DATA else kind
            if self._due is not None:
                self._keep_within(length)
        elif kind & ~KEPT == END:
            self._is_last = kind
        elif kind == PULL:
            self._feed(length)
        elif kind == ERROR:
            raise DaemonError(*decode_error(self._take(length)))
        else:
            raise ProtocolError(f"a frame of kind {kind} in a response")

    def _keep_within(self, length: int) -> None:
        """Pass on no more than Content-Length announces: the client would take it for another's."""
        assert self._due is not None
        if length > self._due:
            # A group that is sound announces no more than it sends: this connection is not kept.
            self._left, self._is_last = self._due, LAST
        self._due -= self._left

    def _whole(self) -> list[bytes] | None:
        """The body, where its end has come already, or will soon: most responses."""
        buffer, at = self._buffer, self._at
        if len(buffer) - at < FRAME.size:
            return None
        kind, length = FRAME.unpack_from(buffer, at)
        if kind & ~KEPT not in (LAST, END) or length > LONGEST_WHOLE:
            return None
        if self._due is not None and length != self._due:
            raise ProtocolError(f"a body of {length} bytes, and Content-Length says {self._due}")
        self._at = at + FRAME.size + length
        body = buffer[at + FRAME.size : self._at]
        if len(body) < length:
            # Optimization: one call for all that is missing, where 64 KiB at a time took two.
            body = receive_all(self._socket, body, length)
        self._finish(kind)
        return [body] if body and self._has_body else []

    def _finish(self, kind: int) -> None:
        """Keep the connection for another request if the group does, and close it otherwise."""
        if self._is_over:
            return
        self._end()
        behind = self._buffer[self._at :]
        if kind & KEPT and behind in (b"", READY_FRAME):
            if self._link.response_socket_timeout:
                set_timeouts(self._socket, self._link.socket_timeout)
            self._link.kept.give(self._connection, is_ready=bool(behind))
        else:
            self._socket.close()

    def _end(self) -> None:
        self._is_over = True
        if self._gate is not None:
            self._gate.leave()

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
            elif kind in (AGAIN, REFUSED):
                raise SendAgain(is_refused=kind == REFUSED)
            else:
                raise ProtocolError(f"a frame of kind {kind} before the response")
            if self._at == len(self._buffer):
                self._buffer, ancillary = self._receive_first()
                self._at = 0
                descriptors += _descriptors(ancillary)
                _limit(descriptors)

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
            data = read_body(self._environ, size, self._link.body_timeout) if size else b""
        except BaseException:
            # What the client has done is told, also where the group has gone away by now.
            with suppress(OSError):
                self._socket.sendall(CHUNK.pack(ABORTED))
            raise
        if left is not None:
            if size and not data:
                self._socket.sendall(CHUNK.pack(ABORTED))
                return
            self._environ[LEFT] = left - len(data)
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
        self, head: ResponseHead, descriptors: list[int], start_response: StartResponse
    ) -> Iterable[bytes]:
        """Let the server send a file that the application has opened."""
        is_file = len(descriptors) == 1 and stat.S_ISREG(os.fstat(descriptors[0]).st_mode)
        if not is_file or self._frame() != (FILE, 0):
            raise ProtocolError("a file without a file")
        self._socket.close()
        complaint = FORGED.format(ENDS_EARLY)
        file = PassedFile(descriptors.pop(), self._due, complaint)
        try:
            wrap = self._wrapper(file)
            start_response(head.status, head.headers)
        except BaseException:
            file.abandon()
            raise
        return wrap(file, RECEIVE)

    def _wrapper(self, file: PassedFile) -> Callable[[Any, int], Iterable[bytes]]:
        """What makes a body of a file: the server's own wrapper where it sends all of the file."""
        if not self._has_body:
            return _nothing
        if self._due is not None and file.left < self._due:
            raise ProtocolError(ENDS_EARLY)
        if self._due is not None and file.left > self._due:
            # Not every server stops at Content-Length where it sends a file.
            return FileWrapper
        return self._environ.get("wsgi.file_wrapper") or FileWrapper


def _nothing(file: PassedFile, size: int) -> Iterable[bytes]:
    file.abandon()
    return []


def _left_of(environ: WSGIEnvironment) -> int | None:
    left: int | None = environ.get(LEFT)
    return left


def _limit(descriptors: list[int]) -> None:
    """Raise ProtocolError for more than a response has use for: a group could use up all."""
    if len(descriptors) > 1:
        raise ProtocolError("more than one file")


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    found: list[int] = []
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            whole = len(data) - len(data) % 4
            found += struct.unpack(f"{whole // 4}i", data[:whole])
    return found
