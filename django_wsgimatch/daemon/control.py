"""Orders to the manager: a line of JSON over its unix socket, a line of JSON back."""

from __future__ import annotations

import json
import socket
from typing import Any

from ..exceptions import ManagerError, ManagerGone
from .peers import peer_user

LONGEST_ORDER = 16 << 20
SECONDS = 30.0

Order = dict[str, Any]


def give_order(path: str, order: Order, *, timeout: float = SECONDS) -> Order:
    """
    Give the manager that listens at ``path`` an order and return its answer.

    Raises ManagerGone where there is none, or where it does not answer, and ManagerError where it
    says that something is wrong.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(path)
            connection.sendall(json.dumps(order).encode() + b"\n")
            data = _read_line(connection)
        answer = json.loads(data)
    except (OSError, ValueError) as error:
        raise ManagerGone(f"no manager answers at {path}: {error}") from error
    if not isinstance(answer, dict):
        raise ManagerError(f"the manager at {path} answers {answer!r}")
    if "error" in answer:
        raise ManagerError(str(answer["error"]))
    return answer


def user_of(path: str) -> int | None:
    """Return the user id of the manager that listens, None where the system does not tell."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(path)
        return peer_user(connection)


def is_there(path: str) -> bool:
    """Whether a manager listens."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        try:
            connection.connect(path)
        except OSError:
            return False
    return True


def _read_line(connection: socket.socket) -> bytes:
    parts = []
    while data := connection.recv(65536):
        parts.append(data)
        if data.endswith(b"\n"):
            break
    return b"".join(parts)
