"""
What comes back of a request: the response as a group sends it, held to what one can be.

It believes nothing that it is told: a group may run as a user that nobody trusts.
"""

from __future__ import annotations

import os
import socket
import stat
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper

from ...exceptions import DaemonError, ProtocolError
from ..wire import protocol
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

# For two descriptors.
_ROOM = socket.CMSG_LEN(2 * array("i").itemsize)
MOST_HINTS = 100
# A response up to this length, whose end is known, is received before it is passed on.
LONGEST_WHOLE = 1 << 18
# So much is received at once, in bytes. Optimization: with 64 KiB the hop of a response of 100 KiB
# took two calls and one more copy: 171 us instead of 144 under granian. From 128 KiB on malloc()
# may take the memory from the kernel each time: 27 page faults with 256 KiB.
RECEIVE = 131_000
# So much of a file is read at once, where the server does not send it itself.
FILE_BLOCK = 65536

# What is left of a body of known length is counted in the front's own environ.
LEFT = "wsgimatch.left"


class SendAgain(Exception):
    """
    The request has not reached an application, and may be sent once more.

    ``is_refused`` tells that the token is wrong, or that the connection was closed without a word.
    """

    def __init__(self, *, is_refused: bool = False) -> None:
        self.is_refused = is_refused


def receive_first(connection: socket.socket) -> tuple[bytes, list[int]]:
    """
    Return what comes first, and the descriptors that come with it. Raises EOFError, and OSError.

    A descriptor comes with the head if at all; what another call receives is dropped.
    """
    # A second descriptor is one too many; the kernel closes all others.
    data, ancillary, _, _ = connection.recvmsg(RECEIVE, _ROOM)
    if not data:
        raise EOFError
    return data, _descriptors_in(ancillary) if ancillary else []


@dataclass(slots=True, eq=False, repr=False)
class Reply:
    """
    What comes back over a connection: the response's body, once it has begun.

    It begins with what has been received, and closes the descriptors that have come with it.
    """

    connection: Connection
    link: Link
    environ: WSGIEnvironment
    # What has been received, and how far it has been read.
    _buffer: bytes
    _descriptors: list[int]
    # Whether a part of the request's body has been passed on.
    has_fed: bool = field(default=False, init=False)
    _at: int = field(default=0, init=False)
    # What is still to come of the frame that is being passed on, and whether it is the last: its
    # kind then.
    _left: int = field(default=0, init=False)
    _is_last: int = field(default=0, init=False)
    # What Content-Length still lets through; None where nothing is announced.
    _due: int | None = field(default=None, init=False)
    # Whether the client may be sent a body at all; one that comes all the same is dropped.
    _has_body: bool = field(default=True, init=False)
    _is_over: bool = field(default=False, init=False)
    _gate: Gate | None = field(default=None, init=False)
    _hints: int = field(default=0, init=False)

    def begin(self, start_response: StartResponse) -> Iterable[bytes]:
        """
        Read up to the response's head and start the response; return its body.

        Raises ConnectionError or EOFError where the group goes away, ProtocolError for what is
        no response, DaemonError for a refusal, and BlockingIOError after socket-timeout.
        """
        descriptors = self._descriptors
        try:
            _limit(descriptors)
            status, headers, length = protocol.decode_head(self._head(descriptors))
            is_head = self.environ["REQUEST_METHOD"] == "HEAD"
            self._has_body = not is_head and protocol.allows_body(status)
            self._due = length if self._has_body else None
            if descriptors:
                return self._file(status, headers, descriptors, start_response)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if self.link.response_socket_timeout:
            set_timeouts(self.connection.socket, self.link.response_socket_timeout)
        whole = self._whole()
        start_response(status, headers)
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
            raise DaemonError(500, f"{CUT_OFF} '{self.link.path}'") from error
        except ProtocolError as error:
            raise DaemonError(500, FORGED.format(error)) from error
        except (BlockingIOError, TimeoutError) as error:
            raise DaemonError(504, f"{TIMED_OUT} '{self.link.path}'") from error

    def close(self) -> None:
        """Let the group know that nobody reads on."""
        if not self._is_over:
            self._end()
            self.connection.socket.close()

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
        if kind == protocol.DATA or kind & protocol.KIND == protocol.LAST:
            self._left, self._is_last = length, 0 if kind == protocol.DATA else kind
            if self._due is not None:
                self._keep_within(length)
        elif kind & protocol.KIND == protocol.END:
            self._is_last = kind
        elif kind == protocol.PULL:
            self._feed(length)
        elif kind == protocol.ERROR:
            raise DaemonError(*protocol.decode_error(self._take(length)))
        else:
            raise ProtocolError(f"a frame of kind {kind} in a response")

    def _keep_within(self, length: int) -> None:
        """Pass on no more than Content-Length announces: the client would take it for another's."""
        assert self._due is not None
        if length > self._due:
            # A group that is sound announces no more than it sends: this connection is not kept.
            self._left, self._is_last = self._due, protocol.LAST
        self._due -= self._left

    def _whole(self) -> list[bytes] | None:
        """The body, where its end has come already, or will soon: most responses."""
        buffer, at = self._buffer, self._at
        if len(buffer) - at < protocol.FRAME.size:
            return None
        kind, length = protocol.FRAME.unpack_from(buffer, at)
        if kind & protocol.KIND not in (protocol.LAST, protocol.END) or length > LONGEST_WHOLE:
            return None
        if self._due is not None and length != self._due:
            raise ProtocolError(f"a body of {length} bytes, and Content-Length says {self._due}")
        begins = at + protocol.FRAME.size
        self._at = begins + length
        if len(buffer) < self._at:
            # Optimization: one call for all that is missing, and one copy of what has come.
            body = receive_all(self.connection.socket, memoryview(buffer)[begins:], length)
        else:
            body = buffer[begins : self._at]
        self._finish(kind)
        return [body] if body and self._has_body else []

    def _finish(self, kind: int) -> None:
        """Keep the connection for another request if the group does, and close it otherwise."""
        if self._is_over:
            return
        self._end()
        behind = self._buffer[self._at :]
        if kind & protocol.KEPT and behind in (b"", protocol.READY_FRAME):
            if self.link.response_socket_timeout:
                set_timeouts(self.connection.socket, self.link.socket_timeout)
            is_ready = bool(behind or kind & protocol.AT_ONCE)
            self.link.kept.give(self.connection, is_ready=is_ready)
        else:
            self.connection.socket.close()

    def _end(self) -> None:
        self._is_over = True
        if self._gate is not None:
            self._gate.leave()

    def _head(self, descriptors: list[int]) -> bytes:
        while True:
            kind, length = self._frame()
            if kind == protocol.HEAD:
                return self._take(length)
            if kind == protocol.PULL:
                self._feed(length)
            elif kind == protocol.HINTS:
                self._hint(self._take(length))
            elif kind == protocol.ERROR:
                raise DaemonError(*protocol.decode_error(self._take(length)))
            elif kind in (protocol.AGAIN, protocol.REFUSED):
                raise SendAgain(is_refused=kind == protocol.REFUSED)
            else:
                raise ProtocolError(f"a frame of kind {kind} before the response")
            if self._at == len(self._buffer):
                self._buffer, more = receive_first(self.connection.socket)
                self._at = 0
                descriptors += more
                _limit(descriptors)

    def _frame(self) -> tuple[int, int]:
        self._need(protocol.FRAME.size)
        kind, length = protocol.FRAME.unpack_from(self._buffer, self._at)
        self._at += protocol.FRAME.size
        return kind, length

    def _take(self, length: int) -> bytes:
        """The data of a frame that must be short enough to be held."""
        if length > protocol.LONGEST_HEAD:
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
        data = self.connection.socket.recv(RECEIVE)
        if not data:
            raise EOFError
        return data

    def _feed(self, wanted: int) -> None:
        """Read on in the request's body, as far as the application does, and pass it on."""
        self.has_fed = True
        size = min(max(wanted, 1), protocol.LARGEST_CHUNK)
        left: int | None = self.environ.get(LEFT)
        if left is not None:
            size = min(size, left)
        try:
            data = read_body(self.environ, size, self.link.body_timeout) if size else b""
        except BaseException:
            # What the client has done is told, also where the group has gone away by now.
            with suppress(OSError):
                self.connection.socket.sendall(protocol.CHUNK.pack(protocol.ABORTED))
            raise
        if left is not None:
            if size and not data:
                self._pass_on(protocol.CHUNK.pack(protocol.ABORTED))
                return
            self.environ[LEFT] = left - len(data)
        self._pass_on(protocol.CHUNK.pack(len(data)) + data)

    def _pass_on(self, chunk: bytes) -> None:
        # A group that has given the request up takes no more: it has said why, which is read next.
        with suppress(ConnectionError):
            self.connection.socket.sendall(chunk)

    def _hint(self, data: bytes) -> None:
        headers = protocol.decode_hints(data)
        self._hints += 1
        if self._hints > MOST_HINTS:
            raise ProtocolError("early hints without an end")
        send: Callable[[Any], None] | None = self.environ.get("wsgi.early_hints")
        if send is not None:
            send(headers)

    def _file(
        self,
        status: str,
        headers: protocol.Headers,
        descriptors: list[int],
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Let the server send a file that the application has opened."""
        is_file = len(descriptors) == 1 and stat.S_ISREG(os.fstat(descriptors[0]).st_mode)
        if not is_file or self._frame() != (protocol.FILE, 0):
            raise ProtocolError("a file without a file")
        self.connection.socket.close()
        complaint = FORGED.format(ENDS_EARLY)
        file = PassedFile(descriptors.pop(), self._due, complaint)
        try:
            wrap = self._wrapper(file)
            start_response(status, headers)
        except BaseException:
            file.abandon()
            raise
        return wrap(file, FILE_BLOCK)

    def _wrapper(self, file: PassedFile) -> Callable[[Any, int], Iterable[bytes]]:
        """What makes a body of a file: the server's own wrapper where it sends all of the file."""
        if not self._has_body:
            return _nothing
        if self._due is not None and file.left < self._due:
            raise ProtocolError(ENDS_EARLY)
        if self._due is not None and file.left > self._due:
            # Not every server stops at Content-Length where it sends a file.
            return FileWrapper
        return self.environ.get("wsgi.file_wrapper") or FileWrapper


def _nothing(file: PassedFile, size: int) -> Iterable[bytes]:
    file.abandon()
    return []


def _descriptors_in(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    """The descriptors that have come, as socket.recv_fds() has them."""
    found = array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return found.tolist()


def _limit(descriptors: list[int]) -> None:
    """Raise ProtocolError for more than a response has use for: a group could use up all."""
    if len(descriptors) > 1:
        raise ProtocolError("more than one file")
