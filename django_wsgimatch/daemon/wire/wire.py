"""
Whole messages over a socket, by few calls, and how long such a call may wait.

Each call gives up the interpreter's lock.
"""

from __future__ import annotations

import socket
import struct

# Up to so many bytes are copied together and sent by one call.
_JOINED = 16384


class FrontGone(ConnectionError):
    """The front's worker, or the client behind it, has gone away."""


def send_all(connection: socket.socket, parts: list[bytes]) -> None:
    """Send parts one after the other, without a copy where they are long. Raises OSError."""
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


def release_waiters(listener: socket.socket, seconds: float) -> None:
    """Let accept() on a listening socket give up after so many seconds (SO_RCVTIMEO)."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval(seconds))


def timeval(seconds: float) -> bytes:
    """Return a time in seconds as the kernel has it (struct timeval)."""
    whole = int(seconds)
    return struct.pack("ll", whole, int((seconds - whole) * 1_000_000))
