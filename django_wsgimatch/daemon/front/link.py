"""How the front reaches a place: its socket, its token, and how long one waits for it."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ...exceptions import DaemonError
from ..wire.wire import timeval
from .gate import Gate
from .kept_connections import KeptConnections
from .patience import BodyTimeout

NOT_CONNECTED = "Unable to connect to WSGI daemon process on '{}': {}"
# Whoever finds nobody listening looks again after so long, in seconds.
PAUSE = 0.02


@dataclass(slots=True, eq=False)
class Link:
    """
    How a place is reached.

    ``wake`` makes the place known and returns its token; it is called before the first request,
    where nobody listens, and where requests are refused. ``has_reached`` tells whether a request,
    by its id, has reached the application, ``process_at`` which process has it (0: nobody knows).
    Times are in seconds, 0 for no limit. ``gate`` limits
    how many requests are on their way at once, ``body_timeout`` how long a client may take for its
    body. ``cure`` is what to do where the place cannot be reached.
    """

    path: str
    wake: Callable[[], bytes]
    has_reached: Callable[[int], bool]
    process_at: Callable[[int], int] = lambda request_id: 0
    connect_timeout: float = 15
    socket_timeout: float = 60
    response_socket_timeout: float = 0
    cure: str = ""
    kept: KeptConnections = field(default_factory=KeptConnections)
    gate: Gate | None = None
    body_timeout: BodyTimeout | None = None
    # What shows the place that a request is the front's, once it is known, and when it was asked
    # for (time.monotonic()).
    token: bytes = field(default=b"", repr=False)
    token_asked: float = field(default=0.0, init=False)

    def ask_for_token(self) -> None:
        """Ask for the place's token. Raises DaemonError (503)."""
        self.token_asked = time.monotonic()
        self.token = self.wake()


def connect(link: Link, began: float) -> socket.socket:
    """Return a connection to the place's socket. Raises DaemonError (503)."""
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            # Before connect(): connecting and sending back to back wakes the group's thread once.
            set_timeouts(connection, link.socket_timeout, link.connect_timeout)
            connection.connect(link.path)
            return connection
        except OSError as error:
            connection.close()
            late = time.monotonic() - began > link.connect_timeout
            if late or error.errno not in (errno.ENOENT, errno.ECONNREFUSED):
                raise not_connected(link, error) from error
        if link.gate is not None:
            link.gate.expect_start()
        link.ask_for_token()
        time.sleep(PAUSE)


def not_connected(link: Link, reason: object) -> DaemonError:
    text = NOT_CONNECTED.format(link.path, reason)
    return DaemonError(503, f"{text}; {link.cure}" if link.cure else text)


def set_timeouts(connection: socket.socket, receive: float, send: float | None = None) -> None:
    if type(connection) is not PLAIN_SOCKET:
        # gevent's sockets wait in a loop of their own, that knows no SO_RCVTIMEO.
        connection.settimeout(receive or None)
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(receive))
    if send is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval(send))


# The kernel's own sockets, not gevent's.
PLAIN_SOCKET = socket.socket if socket.socket.__module__ == "socket" else None
