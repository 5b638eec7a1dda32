"""
The group's side of a request: a connection in, frames out (``daemon.protocol``).

It knows neither gunicorn nor where it runs: a daemon process's thread and a sub interpreter's
use it alike.
"""

from __future__ import annotations

import io
import logging
import os
import socket
import stat
import tempfile
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper

from ..exceptions import ProtocolError, ScriptError
from .body import pulled
from .protocol import (
    AGAIN,
    DATA,
    END,
    ERROR,
    FILE,
    FRAME,
    HEAD,
    HINTS,
    LAST,
    PULLED,
    RECEIVE,
    REQUEST,
    decode_environ,
    decode_request,
    encode_error,
    encode_head,
    encode_hints,
    frame,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

# Up to so many bytes are copied together and sent by one call.
_JOINED = 16384

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

# The application for an environ. Raises ScriptError, or Superseded.
Find = Callable[["WSGIEnvironment"], "WSGIApplication"]
# Called with the request's id just before the application is.
Begin = Callable[[int], None]


class Superseded(Exception):
    """A newer process answers this request: the front sends it again."""


class Exchange:
    """One request and its response on a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.head: bytes | None = None
        self.is_head_sent = False
        self.environ: WSGIEnvironment = {}
        # What Content-Length still lets through; None where the response has none.
        self.left: int | None = None
        self.is_complete = False

    @property
    def what(self) -> str:
        """The request, as a log names it."""
        target = self.environ.get("RAW_URI") or self.environ.get("PATH_INFO")
        return f"{self.environ.get('REQUEST_METHOD')} {target}"

    def receive(self, base: WSGIEnvironment, queue_timeout: float) -> tuple[WSGIEnvironment, int]:
        """
        Return the request's environ on top of ``base``, and its id.

        Raises ProtocolError, EOFError where no request comes, and TimeoutError where it has
        waited for more than ``queue_timeout`` seconds (0: it may wait for ever).
        """
        connection = self.connection
        packet = connection.recv(RECEIVE)
        if len(packet) < REQUEST.size:
            packet = self._receive_rest(packet, REQUEST.size)
        encoding, length, body, request_id, queued = decode_request(packet)
        end = REQUEST.size + length
        whole = end + max(body, 0)
        if len(packet) < whole:
            packet = self._receive_rest(packet, whole)
        if queue_timeout and time.monotonic() - queued > queue_timeout:
            raise TimeoutError
        environ = base | decode_environ(encoding, packet[REQUEST.size : end])
        self.environ = environ
        environ["wsgi.early_hints"] = self.early_hints
        if body == PULLED:
            environ["wsgi.input"] = pulled(connection, connection.sendall)
        else:
            environ["wsgi.input"] = io.BytesIO(packet[end:])
        return environ, request_id

    def run(self, application: WSGIApplication, environ: WSGIEnvironment) -> None:
        """Call the application and send its response. Raises what the application raises."""
        body = application(environ, self.start_response)  # type: ignore[arg-type]
        try:
            if isinstance(body, FileWrapper) and self._send_file(body.filelike):
                return
            if type(body) is list and len(body) == 1:
                self._send(body[0], is_last=True)
                return
            for data in body:
                if data:
                    self._send(data)
            self.finish()
        finally:
            if hasattr(body, "close"):
                body.close()

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /
    ) -> Callable[[bytes], None]:
        """PEP 3333's start_response()."""
        if exc_info is not None:
            try:
                if self.is_head_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self.head is not None:
            raise AssertionError("Response headers already set!")
        self.head = encode_head(status, headers)
        self.left = None
        for name, value in headers:
            if len(name) == 14 and name.lower() == "content-length":
                self.left = int(value)
        return self._send

    def early_hints(self, headers: list[tuple[str, str]]) -> None:
        """Send a 103 with these headers, unless the response has begun (RFC 8297)."""
        if not self.is_head_sent:
            self.connection.sendall(frame(HINTS, encode_hints(headers)))

    def finish(self) -> None:
        """Send what is left to say after the body's last piece."""
        if not self.is_complete:
            self.is_complete = True
            send_all(self.connection, [*self._unsent_head(), FRAME.pack(END, 0)])

    def refuse(self, status: int, reason: str) -> bool:
        """Let the front answer with an error page, if no response has begun."""
        if self.is_head_sent:
            return False
        self.is_head_sent = self.is_complete = True
        self.connection.sendall(frame(ERROR, encode_error(status, reason)))
        return True

    def send_again(self) -> None:
        """Let the front send the request again, to another process."""
        self.connection.sendall(FRAME.pack(AGAIN, 0))

    def _receive_rest(self, packet: bytes, size: int) -> bytes:
        parts = [packet]
        missing = size - len(packet)
        while missing > 0:
            part = self.connection.recv(missing, socket.MSG_WAITALL)
            if not part:
                raise EOFError
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _unsent_head(self) -> list[bytes]:
        if self.is_head_sent:
            return []
        if self.head is None:
            raise AssertionError("The application did not call start_response().")
        self.is_head_sent = True
        return [FRAME.pack(HEAD, len(self.head)), self.head]

    def _send(self, data: bytes, is_last: bool = False) -> None:
        if self.is_complete:
            return
        if type(data) is not bytes:
            data = _as_bytes(data)
        parts = self._unsent_head()
        if self.left is not None:
            data = data[: self.left]
            self.left -= len(data)
            # Optimization: the front need not wait for an END: 8 us less a response.
            is_last = is_last or (self.left == 0 and len(data) > 0)
        self.is_complete = is_last
        send_all(self.connection, [*parts, FRAME.pack(LAST if is_last else DATA, len(data)), data])

    def _send_file(self, filelike: Any) -> bool:
        """Pass the file itself to the front, at the place where the application would read."""
        descriptor = _regular_file(filelike)
        if descriptor is None or self.is_head_sent:
            return False
        os.lseek(descriptor, filelike.tell(), os.SEEK_SET)
        head = [*self._unsent_head(), FRAME.pack(FILE, 0)]
        socket.send_fds(self.connection, [b"".join(head)], [descriptor])
        self.is_complete = True
        return True


def serve(
    connection: socket.socket, base: WSGIEnvironment, find: Find, begin: Begin, queue_timeout: float
) -> None:
    """
    Answer the request that comes over a connection; what goes wrong is logged.

    ``base`` is what every environ begins with. Raises MemoryError, so that the process can end,
    and OSError where the front goes away while it is being told of an error.
    """
    exchange = Exchange(connection)
    try:
        environ, request_id = exchange.receive(base, queue_timeout)
        application = find(environ)
        begin(request_id)
        exchange.run(application, environ)
    except (ConnectionError, EOFError):
        logger.debug("The front went away.")
    except Superseded:
        exchange.send_again()
    except TimeoutError:
        exchange.refuse(504, f"the request has waited for more than {queue_timeout:g} s")
    except ProtocolError as error:
        logger.warning("Refused what is no request: %s", error)
        exchange.refuse(400, str(error))
    except ScriptError as error:
        logger.error("%s", error, exc_info=error.__cause__)
        exchange.refuse(error.status, str(error))
    except (Exception, SystemExit) as error:
        logger.exception("Error in %s", exchange.what)
        exchange.refuse(500, f"{type(error).__name__} in the application")
        if isinstance(error, MemoryError):
            raise


def send_all(connection: socket.socket, parts: list[bytes]) -> None:
    """Send parts one after the other, without a copy where they are long."""
    size = sum(map(len, parts))
    if size <= _JOINED:
        connection.sendall(b"".join(parts))
        return
    sent = connection.sendmsg(parts)
    if sent < size:
        for part in parts:
            if sent < len(part):
                connection.sendall(memoryview(part)[sent:])
            sent = max(sent - len(part), 0)


def _as_bytes(data: Any) -> bytes:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"An application's body is made of bytes, not of {type(data).__name__}.")
    return bytes(data)


def _regular_file(filelike: Any) -> int | None:
    """The descriptor of what reads a file as it is, from the disk."""
    if isinstance(filelike, tempfile._TemporaryFileWrapper):
        filelike = filelike.file
    # Others with a fileno(), such as GzipFile, do not read what stands in the file.
    if type(filelike) not in (io.BufferedReader, io.BufferedRandom, io.FileIO):
        return None
    try:
        descriptor: int = filelike.fileno()
        return descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except (OSError, ValueError):
        return None
