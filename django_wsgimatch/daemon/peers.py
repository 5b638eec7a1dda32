"""Who is at the other end of a unix socket?"""

from __future__ import annotations

import socket
import struct

_CREDENTIALS = struct.Struct("3i")


def peer_user(connection: socket.socket) -> int | None:
    """Return the peer's user id, None where the system does not tell (SO_PEERCRED)."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    data = connection.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(data)[1]
    return user
