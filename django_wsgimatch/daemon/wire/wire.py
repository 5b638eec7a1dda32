"""
Whole messages over a socket, by few calls, how long such a call may wait, and for whom.

Each call gives up the interpreter's lock.
"""

from __future__ import annotations

import select
import socket
import struct
from contextlib import suppress

# Up to so many bytes are copied together and sent by one call.
JOINED = 16384
# A peer's process, user and group (struct ucred).
_CREDENTIALS = struct.Struct("3i")


class FrontGone(ConnectionError):
    """The front's worker, or the client behind it, has gone away."""


def send_all(connection: socket.socket, parts: list[bytes]) -> None:
    """Send parts one after the other, without a copy where they are long. Raises OSError."""
    size = sum(map(len, parts))
    if size <= JOINED:
        connection.sendall(b"".join(parts))
        return
    sent = connection.sendmsg(parts)
    if sent < size:
        for part in parts:
            if sent < len(part):
                connection.sendall(memoryview(part)[sent:])
            sent = max(sent - len(part), 0)


def receive_all(connection: socket.socket, begun: bytes | memoryview, size: int) -> bytes:
    """Return ``size`` bytes, of which some have come. Raises EOFError, and OSError."""
    parts = [begun]
    missing = size - len(begun)
    while missing > 0:
        part = connection.recv(missing, socket.MSG_WAITALL)
        if not part:
            raise EOFError
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def say_last(connection: socket.socket, word: bytes) -> None:
    """
    Say a last word, without waiting for whoever reads it, and end the connection.

    Shut down it is over also where a process that the application has forked holds it open.
    """
    with suppress(OSError):
        connection.send(word, socket.MSG_DONTWAIT)
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def peer_of(connection: socket.socket) -> tuple[int | None, int | None]:
    """Return the process and the user at the other end; None where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None, None
    data = connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    pid, user, _ = _CREDENTIALS.unpack(data)
    return pid, user


def peer_user(connection: socket.socket) -> int | None:
    """Return the user at the other end."""
    return peer_of(connection)[1]


def is_readable(file: int | socket.socket, seconds: float = 0.0) -> bool:
    """Whether a file can be read before so many seconds are over; a closed one says so at once."""
    poller = select.poll()
    try:
        poller.register(file, select.POLLIN)
        return bool(poller.poll(seconds * 1000))
    except (OSError, ValueError):
        return True


def release_waiters(listener: socket.socket, seconds: float) -> None:
    """Let accept() on a listening socket give up after so many seconds (SO_RCVTIMEO)."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(seconds))


def timeval(seconds: float) -> bytes:
    """Return a time in seconds as the kernel has it (struct timeval)."""
    whole = int(seconds)
    return struct.pack("ll", whole, int((seconds - whole) * 1_000_000))
