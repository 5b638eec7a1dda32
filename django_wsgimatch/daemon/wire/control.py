"""Orders to the manager: a line of JSON over its unix socket, a line of JSON back."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from ...exceptions import ManagerError, ManagerGone
from ...text import shown

LONGEST_ORDER = 16 << 20
# The longest order to start a group that a warm parent takes, in bytes.
LONGEST_START = 1 << 17
LONGEST_ERROR = 2000
SECONDS = 30.0

Order = dict[str, Any]


def give_order(path: str, order: Order, *, timeout: float = SECONDS) -> Order:
    """
    Give the manager that listens at ``path`` an order and return its answer.

    Raises ManagerGone where there is none, or where its answer does not come whole within
    ``timeout`` seconds, and ManagerError where it says that something is wrong.
    """
    deadline = time.monotonic() + timeout
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(path)
            connection.sendall(json.dumps(order).encode() + b"\n")
            data = _read_line(connection, deadline)
        answer = json.loads(data)
    except (OSError, ValueError, RecursionError) as error:
        raise ManagerGone(f"no manager answers at {path}: {error}") from error
    if not isinstance(answer, dict):
        raise ManagerError(f"the manager at {path} answers {shown(repr(answer)[:200])}")
    if "error" in answer:
        raise ManagerError(shown(str(answer["error"])[:LONGEST_ERROR]))
    return answer


def is_there(path: str) -> bool:
    """Whether a manager listens."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        return not connection.connect_ex(path)


def receive_message(connection: socket.socket, size: int, most: int) -> tuple[bytes, list[int]]:
    """
    Return a message of at most ``size`` bytes, and the descriptors with it, ``most`` at most.

    It is empty where the other end has ended. Raises OSError.
    """
    try:
        data, descriptors, _, _ = socket.recv_fds(connection, size, most)
    except ConnectionResetError:
        # It has left something unread (unix(7)): that comes first, and what it has told next.
        data, descriptors, _, _ = socket.recv_fds(connection, size, most)
    return data, descriptors


def _read_line(connection: socket.socket, deadline: float) -> bytes:
    parts, size = [], 0
    while data := connection.recv(65536):
        parts.append(data)
        size += len(data)
        if data.endswith(b"\n"):
            break
        if size > LONGEST_ORDER:
            raise OSError("an answer without an end")
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
    return b"".join(parts)
