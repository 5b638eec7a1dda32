"""
The group's side of a request: a connection in, frames out (``daemon.protocol``).

It knows neither gunicorn nor where it runs: a daemon process's thread and a sub interpreter's
use it alike.
"""

from __future__ import annotations

import hmac
import io
import logging
import os
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any
from wsgiref.util import FileWrapper

from ....exceptions import ProtocolError, ScriptError
from ...log_limits import SeldomWarning
from ...wire import protocol
from ...wire.wire import JOINED, FrontGone, peer_user, receive_all, say_last, send_all
from .body import PulledBody

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

# Both can come as often as a process of the front's user likes.
_wrong_token = SeldomWarning(
    logger,
    "Refused a request of user %s that does not carry this place's token. One after the manager of "
    "the daemon processes was started again is the server's; others are a process that passes "
    "itself off as the server.",
)
_no_request = SeldomWarning(logger, "Refused bytes that are no request: %s")

# The application for an environ. Raises ScriptError, or Superseded.
Find = Callable[["WSGIEnvironment"], "WSGIApplication"]
# Called with the request's id just before the application is.
Begin = Callable[[int], None]


def base_environ(*, multithread: bool, multiprocess: bool) -> WSGIEnvironment:
    """Return what every environ of a process, or of a sub interpreter, begins with."""
    return {
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
    }


class _Late(Exception):
    """The request has waited for longer than queue-timeout."""


class WrongToken(Exception):
    """The request does not come from the front."""


class Superseded(Exception):
    """A newer process answers this request: the front sends it again."""


@dataclass(slots=True, eq=False, repr=False)
class Exchange:
    """
    One request and its response on a connection.

    ``token`` is the place's, that a request must carry. ``may_keep`` tells, when the response ends,
    whether a thread may wait for another request here, None where the front does not want that;
    ``is_kept`` says then that the front has been promised so.
    """

    connection: socket.socket
    token: bytes
    may_keep: Callable[[], bool] | None
    head: bytes | None = field(default=None, init=False)
    # What Content-Length still lets through; None where the response has none.
    left: int | None = field(default=None, init=False)
    is_head_sent: bool = field(default=False, init=False)
    is_complete: bool = field(default=False, init=False)
    is_kept: bool = field(default=False, init=False)
    is_ready_sent: bool = field(default=False, init=False)
    _body: PulledBody | None = field(default=None, init=False)

    def receive(
        self, packet: bytes | memoryview, known: WSGIEnvironment, queue_timeout: float
    ) -> tuple[WSGIEnvironment, int]:
        """
        Return the request's environ and its id.

        ``packet`` is what has come of the request, ``known`` the environ of the request before
        on the connection, which becomes this one's. Raises ProtocolError, WrongToken before
        anything else is read, FrontGone where no more comes, and _Late where it has waited for
        more than ``queue_timeout`` seconds (0: it may wait for ever).
        """
        begins = protocol.REQUEST.size
        if len(packet) < begins:
            packet = self._rest(packet, begins)
        said = protocol.decode_request(packet)
        _, encoding, may_keep, gone, environ_length, length, request_id, queued, token = said
        if not hmac.compare_digest(token, self.token):
            raise WrongToken
        if not may_keep:
            self.may_keep = None
        end = begins + environ_length
        if len(packet) < end:
            packet = self._rest(packet, end)
        protocol.update_environ(known, encoding, gone, packet[begins:end])
        environ = known.copy()
        environ["wsgi.early_hints"] = self.early_hints
        if length == protocol.PULLED:
            self._body = PulledBody(self.connection)
            environ["wsgi.input"] = self._body.buffered()
        elif not length:
            # Optimization: an empty slice and a copy of it took 0.25 us.
            environ["wsgi.input"] = io.BytesIO()
        else:
            given = packet[end:]
            if len(given) < length:
                given = self._rest(given, length)
            # The packet's memory is used again for the next request.
            environ["wsgi.input"] = io.BytesIO(bytes(given))
        if queue_timeout and time.monotonic() - queued > queue_timeout:
            raise _Late
        return environ, request_id

    def run(self, application: WSGIApplication, environ: WSGIEnvironment) -> None:
        """Call the application and send its response. Raises what the application raises."""
        body = application(environ, self.start_response)  # type: ignore[arg-type]
        if type(body) is list and len(body) == 1:
            # Optimization: nothing is left to be closed, so one call says it all.
            self._send_all(body[0])
            return
        try:
            if isinstance(body, FileWrapper) and self._send_file(body.filelike):
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
        self.head, self.left = protocol.encode_head(status, headers)
        return self._send

    def early_hints(self, headers: list[tuple[str, str]]) -> None:
        """Send a 103 with these headers, unless the response has begun (RFC 8297)."""
        if not self.is_head_sent:
            self._tell([protocol.frame(protocol.HINTS, protocol.encode_hints(headers))])

    def finish(self) -> None:
        """Send what is left to say after the body's last piece."""
        if not self.is_complete:
            head = self._unsent_head()
            self._tell([*head, protocol.FRAME.pack(self._complete(protocol.END), 0)])

    def refuse(self, status: int, reason: str, *, is_logged: bool = False) -> bool:
        """Let the front answer with an error page, if no response has begun."""
        if self.is_head_sent:
            return False
        self.is_head_sent = self.is_complete = True
        said = protocol.encode_error(status, reason, is_logged=is_logged)
        self.connection.sendall(protocol.frame(protocol.ERROR, said))
        return True

    def refuse_token(self) -> None:
        """
        Let the front ask for the token that counts now, and take nothing more.

        The word says that nothing has run: without it only the board could tell, and that may be
        gone, or cut off.
        """
        say_last(self.connection, protocol.frame(protocol.REFUSED))

    def send_again(self) -> None:
        """Let the front send the request again, to another process."""
        self.connection.sendall(protocol.FRAME.pack(protocol.AGAIN, 0))

    def _rest(self, begun: bytes | memoryview, size: int) -> bytes:
        try:
            return receive_all(self.connection, begun, size)
        except (OSError, EOFError) as error:
            raise FrontGone(*error.args) from error

    def _unsent_head(self) -> list[bytes]:
        if self.is_head_sent:
            return []
        if self.head is None:
            raise AssertionError("The application did not call start_response().")
        self.is_head_sent = True
        return [protocol.FRAME.pack(protocol.HEAD, len(self.head)), self.head]

    def _send_all(self, data: bytes) -> None:
        """Send a response whose body is one piece."""
        is_usual = type(data) is bytes and self.left in (None, len(data))
        head = self.head
        if head is None or self.is_head_sent or not is_usual or len(data) > JOINED:
            self._send(data, is_last=True, is_all=True)
            return
        # Optimization: 0.9 us instead of 1.3.
        self.is_head_sent = True
        kind = self._complete(protocol.LAST, is_all=True)
        frame = protocol.FRAME.pack
        parts = frame(protocol.HEAD, len(head)), head, frame(kind, len(data)), data
        try:
            self.connection.sendall(b"".join(parts))
        except OSError as error:
            raise FrontGone(*error.args) from error

    def _send(self, data: bytes, is_last: bool = False, is_all: bool = False) -> None:
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
        kind = self._complete(protocol.LAST, is_all=is_all) if is_last else protocol.DATA
        parts += protocol.FRAME.pack(kind, len(data)), data
        self._tell(parts)

    def _tell(self, parts: list[bytes]) -> None:
        try:
            send_all(self.connection, parts)
        except OSError as error:
            raise FrontGone(*error.args) from error

    def _complete(self, kind: int, *, is_all: bool = False) -> int:
        """
        Let nobody use the connection any more; return the last frame's kind.

        With ``is_all`` the application has nothing to do any more, and no READY is to follow.
        """
        self.is_complete = True
        is_clean = self._body is None or self._body.expire()
        self.is_kept = is_clean and self.may_keep is not None and self.may_keep()
        if not self.is_kept:
            return kind
        self.is_ready_sent = is_all
        return kind | protocol.KEPT_AT_ONCE if is_all else kind | protocol.KEPT

    def _send_file(self, filelike: Any) -> bool:
        """Pass the file itself to the front, at the place where the application would read."""
        descriptor = _regular_file(filelike)
        if descriptor is None or self.is_head_sent:
            return False
        os.lseek(descriptor, filelike.tell(), os.SEEK_SET)
        head = [*self._unsent_head(), protocol.FRAME.pack(protocol.FILE, 0)]
        try:
            socket.send_fds(self.connection, [b"".join(head)], [descriptor])
        except OSError as error:
            raise FrontGone(*error.args) from error
        self.is_complete = True
        return True


def serve_request(
    exchange: Exchange,
    packet: bytes | memoryview,
    known: WSGIEnvironment,
    find: Find,
    begin: Begin,
    queue_timeout: float,
) -> bool:
    """
    Answer a request, of which ``packet`` has come; what goes wrong is logged.

    ``known`` is the environ of the request before on the connection, at first what every environ
    begins with; it becomes this request's. Returns whether all went well: only then may the
    connection be kept. Raises MemoryError, so that the process can end, and OSError where the
    front goes away while it is being told of an error.
    """
    environ: WSGIEnvironment = {}
    try:
        environ, request_id = exchange.receive(packet, known, queue_timeout)
        application = find(environ)
        begin(request_id)
        exchange.run(application, environ)
        return True
    except FrontGone as error:
        logger.debug("The front went away: %s", error)
    except Superseded:
        exchange.send_again()
    except _Late:
        exchange.refuse(504, f"the request has waited for more than {queue_timeout:g} s")
    except WrongToken:
        _wrong_token.warn(peer_user(exchange.connection))
        exchange.refuse_token()
    except ProtocolError as error:
        _no_request.warn(error)
        exchange.refuse(400, str(error))
    except ScriptError as error:
        logger.error("%s: %s", _named(environ), error, exc_info=error.__cause__)
        exchange.refuse(error.status, str(error), is_logged=True)
    except (Exception, SystemExit) as error:
        logger.exception("Error in %s", _named(environ))
        exchange.refuse(500, f"{type(error).__name__} in the application", is_logged=True)
        if isinstance(error, MemoryError):
            raise
    return False


def _named(environ: WSGIEnvironment) -> str:
    """A request, as a log names it."""
    target = environ.get("RAW_URI") or environ.get("PATH_INFO")
    return f"{environ.get('REQUEST_METHOD')} {target}"


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
