"""The sockets that places listen on, and what waits there."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress

from ...asroot.sockets import bind_unix
from ..options import GroupOptions
from ..wire.protocol import AGAIN, ERROR, encode_error, frame
from ..wire.wire import release_waiters, say_last

DEFAULTS = GroupOptions()
# A thread that waits in accept() looks up after so many seconds.
LOOK_UP = 1.0


def refuse_waiting(listener: socket.socket, reason: str, *, is_logged: bool) -> None:
    """Answer 503 to whoever waits; ``is_logged`` says that the reason is in the log already."""
    answer = frame(ERROR, encode_error(503, reason, is_logged=is_logged))
    for connection in _waiting(listener):
        say_last(connection, answer)


def has_request(listener: socket.socket) -> bool:
    """
    Whether a request waits; it is sent again by its front.

    What has been closed in the meantime is none, nor is what has let threads look up.
    """
    connection = next(_waiting(listener), None)
    if connection is None:
        return False
    with connection:
        try:
            if not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                return False
        except BlockingIOError:
            pass
        except OSError:
            return False
        say_last(connection, frame(AGAIN))
    return True


def _waiting(listener: socket.socket) -> Iterator[socket.socket]:
    """Yield the connections that wait at a socket that only this process has, or that is shut."""
    with suppress(OSError):
        while True:
            yield listener.accept()[0]


def give_back(listener: socket.socket) -> None:
    """
    Take no more requests on a socket; whoever waits there is told to come again.

    Other processes may have the socket, and may have made accept() wait: shut down, it cannot,
    and nobody can undo that.
    """
    with listener, suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
        for connection in _waiting(listener):
            say_last(connection, frame(AGAIN))


def identity_of(path: str) -> tuple[int, int]:
    """Return what tells a file from another that takes its name. Raises OSError."""
    status = os.lstat(path)
    return status.st_dev, status.st_ino


def listen(path: str, options: GroupOptions = DEFAULTS) -> socket.socket:
    """
    Return a new listening socket at a path, for this process's user alone.

    It does not block. Raises OSError, with the path, where it cannot be made.
    """
    listener = bind_unix(path, 0o600)
    begin_to_listen(listener, options)
    listener.setblocking(False)
    return listener


def begin_to_listen(listener: socket.socket, options: GroupOptions) -> None:
    """Let a place's threads accept on a socket, as its options say."""
    release_waiters(listener, LOOK_UP)
    for option, size in (
        (socket.SO_SNDBUF, options.send_buffer_size),
        (socket.SO_RCVBUF, options.receive_buffer_size),
    ):
        if size:
            listener.setsockopt(socket.SOL_SOCKET, option, size)
    listener.listen(options.listen_backlog)
