"""Who is at the other end of a unix socket?"""

from __future__ import annotations

import socket
import struct

_CREDENTIALS = struct.Struct("3i")


def peer_user(connection: socket.socket) -> int | None:
    """Return the peer's user id, None where the system does not tell (SO_PEERCRED)."""
    credentials = _credentials(connection)
    return credentials[1] if credentials is not None else None


def peer_process(connection: socket.socket) -> int | None:
    """Return the peer's process id, None where the system does not tell."""
    credentials = _credentials(connection)
    return credentials[0] if credentials is not None else None


def _credentials(connection: socket.socket) -> tuple[int, int, int] | None:
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    data = connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    pid, user, group = _CREDENTIALS.unpack(data)
    return pid, user, group
