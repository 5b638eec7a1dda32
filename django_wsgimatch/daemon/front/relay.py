"""
The front's side of a request: an environ in, a WSGI response out (``daemon.protocol``).

It runs in the server's worker, under any WSGI server.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...exceptions import DaemonError, ProtocolError
from ..wire.protocol import INLINE, PULLED, decode_whole, encode_request
from ..wire.wire import send_all
from .kept_connections import Connection
from .link import PAUSE, PLAIN_SOCKET, Link, connect, not_connected
from .patience import BodyTimeout, read_body
from .reply import FORGED, LEFT, TIMED_OUT, Reply, SendAgain, receive_first

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ENDED = "the process{} that was at this request has ended before it answered: see its group's log"

# Where a place refuses requests, its token is asked for at most once in so many seconds.
ASKED_ONCE_IN = 0.1

_ids = itertools.count(random.SystemRandom().getrandbits(62))


def _number_anew() -> None:
    """No two workers of a server that has loaded this module before its fork use the same ids."""
    global _ids
    _ids = itertools.count(random.SystemRandom().getrandbits(62))


os.register_at_fork(after_in_child=_number_anew)


def relay(link: Link, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """
    Have a request answered in a place.

    Raises DaemonError where no response can be had; nothing has been started then. A request
    that has not reached an application is sent again until connect-timeout is over.
    """
    gate = link.gate
    if gate is None:
        return _relay(link, environ, start_response)
    gate.enter()
    is_held = False
    try:
        body = _relay(link, environ, start_response)
        # A response that is still to come holds the server's thread, and its place in the gate.
        is_held = type(body) is Reply and body.hold(gate)
        return body
    finally:
        if not is_held:
            gate.leave()


def _relay(link: Link, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    body = _short_body(environ, link.body_timeout)
    queued = time.monotonic()
    if not link.token:
        link.ask_for_token()
    while True:
        kept = link.kept.take()
        try:
            connection = kept or Connection(connect(link, queued))
            return _ask(connection, link, environ, body, queued, start_response)
        except SendAgain as again:
            if kept is not None:
                continue
            is_refused = again.is_refused
        if link.gate is not None:
            link.gate.expect_start()
        now = time.monotonic()
        if now - queued > link.connect_timeout:
            raise not_connected(link, "no process takes the request")
        if is_refused and now - link.token_asked > ASKED_ONCE_IN:
            # A manager that has been started again has new tokens.
            link.ask_for_token()
        else:
            time.sleep(PAUSE)


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
    reply: Reply | None = None
    has_sent = has_begun = False
    try:
        may_keep = type(connection.socket) is PLAIN_SOCKET
        token = link.token
        known = connection.texts
        packet = encode_request(
            environ, known, request_id, queued, length, token, may_keep=may_keep
        )
        if body:
            send_all(connection.socket, [packet, body])
        else:
            connection.socket.sendall(packet)
        has_sent = True
        received, descriptors = receive_first(connection.socket)
        has_begun = True
        # Optimization: most responses have come whole by now.
        if not descriptors and (whole := decode_whole(received)) is not None:
            (status, headers, _), data = whole
            start_response(status, headers)
            link.kept.give(connection, is_ready=True)
            return [data] if data and environ["REQUEST_METHOD"] != "HEAD" else []
        reply = Reply(connection, link, environ, received, descriptors)
        return reply.begin(start_response)
    except BaseException as error:
        # A reply may have given the connection back: it is another request's then.
        (reply or connection.socket).close()
        has_fed = reply is not None and reply.has_fed
        meant = _meaning(
            error, link, request_id, has_sent=has_sent, has_begun=has_begun, has_fed=has_fed
        )
        if meant is None:
            raise
        raise meant from error


def _meaning(
    error: BaseException,
    link: Link,
    request_id: int,
    *,
    has_sent: bool,
    has_begun: bool,
    has_fed: bool,
) -> DaemonError | SendAgain | None:
    """
    What went wrong with a request, None where the error says it by itself.

    ``has_sent``: all of its head has been sent; ``has_begun``: something has come back;
    ``has_fed``: a part of its body has been passed on.
    """
    if isinstance(error, SendAgain) and has_fed:
        return DaemonError(500, FORGED.format("a request given back without its body"))
    if isinstance(error, ProtocolError):
        # Nothing was sent: it is the request that cannot be.
        return DaemonError(500, FORGED.format(error)) if has_sent else DaemonError(400, str(error))
    if isinstance(error, BlockingIOError | TimeoutError):
        return DaemonError(504, f"{TIMED_OUT} '{link.path}'")
    if not isinstance(error, ConnectionError | EOFError):
        return None
    # A socket that is closed before all has been read resets the connection (unix(7)).
    is_unread = not has_sent or isinstance(error, ConnectionResetError)
    may_have_begun = (has_begun or not is_unread) and link.has_reached(request_id)
    # Whoever has asked for the body is the application, and a body is there only once.
    if not (has_fed or may_have_begun):
        return SendAgain(is_refused=True)
    pid = link.process_at(request_id)
    return DaemonError(500, ENDED.format(f" {pid}" if pid else ""))


def _short_body(environ: WSGIEnvironment, timeout: BodyTimeout | None) -> bytes | None:
    """
    Return the request's body if it is to travel with the head, else None.

    One that the client sends only when it is asked to (100-continue) is not asked for here.
    """
    given = environ.get("CONTENT_LENGTH")
    if not given:
        # From HTTP/2 on a body needs no header that announces it (RFC 9113 8.1).
        may_come = "HTTP_TRANSFER_ENCODING" in environ or environ["SERVER_PROTOCOL"][:6] > "HTTP/1"
        return None if may_come else b""
    length = int(given) if given.isdecimal() else 0
    if length == 0:
        return b""
    if length > INLINE or "HTTP_EXPECT" in environ:
        environ[LEFT] = length
        return None
    body = read_body(environ, length, timeout)
    if len(body) < length:
        raise DaemonError(400, "The client went away in the middle of the request's body")
    return body
