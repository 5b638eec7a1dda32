"""A client that writes the request target as it is: http.client would refuse or quote it."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

Address = tuple[str, int] | Path
"""Where a server listens: host and port, or the path of a unix socket."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: status code, headers (lower-case names) and the whole body."""

    status: int
    headers: dict[str, str]
    body: bytes


def connect(address: Address, timeout: float = 60.0) -> socket.socket:
    """Open a connection; raise OSError where nobody listens."""
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        connection.connect(str(address))
    except OSError:
        connection.close()
        raise
    return connection


def request_bytes(target: bytes, method: bytes, headers: Mapping[bytes, bytes]) -> bytes:
    """Write one HTTP/1.1 request that asks for the connection to be closed."""
    fields = {b"Host": b"localhost", b"Connection": b"close", **headers}
    lines = [method + b" " + target + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in fields.items()]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def fetch(
    address: Address,
    target: bytes,
    *,
    method: bytes = b"GET",
    headers: Mapping[bytes, bytes] | None = None,
    body: bytes = b"",
) -> Answer:
    """
    Ask once, with the bytes of ``target`` on the wire untouched, and read the whole answer.

    Raise http.client.RemoteDisconnected where the server closes without a word.
    """
    with connect(address) as connection:
        connection.sendall(request_bytes(target, method, headers or {}) + body)
        with HTTPResponse(connection, method=method.decode("latin-1")) as response:
            response.begin()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
