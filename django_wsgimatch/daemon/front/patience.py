"""
How long a client may take to send a request's body that the front reads for a group.

As Apache's mod_reqtimeout has it (``RequestReadTimeout body=20,MinRate=500``): so many seconds to
begin with, and one more for each so many bytes that have come. Only time spent waiting counts. It
needs the client's socket, which gunicorn alone hands out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...exceptions import DaemonError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

TOO_SLOW = (
    "The client has not sent the request's body within WSGIMATCH_BODY_TIMEOUT: {:g} s, and 1 s "
    "more for each {:g} bytes"
)
GONE = "The client went away in the middle of the request's body: {}"

# What is left of the time, in the front's own environ.
_TIMER = "wsgimatch.body_timer"


@dataclass(frozen=True, slots=True)
class BodyTimeout:
    """``seconds`` to begin with, and one more for each ``rate`` bytes."""

    seconds: float
    rate: float


class Timer:
    """
    A client's socket that stops reading when the time is over.

    It stands in for the socket where the server reads the body, and has nothing but recv().
    """

    __slots__ = ("_limit", "_socket", "left")

    def __init__(self, client: Any, limit: BodyTimeout) -> None:
        self._socket = client
        self._limit = limit
        # In seconds.
        self.left = limit.seconds

    def recv(self, size: int) -> bytes:
        """Receive. Raises TimeoutError when the time is over."""
        began = time.monotonic()
        before = self._socket.gettimeout()
        self._socket.settimeout(max(self.left, 0.001))
        try:
            data: bytes = self._socket.recv(size)
        finally:
            self._socket.settimeout(before)
            self.left -= time.monotonic() - began
        self.left += len(data) / self._limit.rate
        return data


def read_body(environ: WSGIEnvironment, size: int, limit: BodyTimeout | None) -> bytes:
    """
    Read on in a request's body, from the server.

    Raises DaemonError: 408 where the time is over, 400 where the client has gone away.
    """
    reader = _reader(environ) if limit is not None else None
    try:
        if reader is None or limit is None:
            data: bytes = environ["wsgi.input"].read(size)
        else:
            data = _read_in_time(environ, reader, size, limit)
    except TimeoutError as error:
        text = GONE.format(error) if limit is None else TOO_SLOW.format(limit.seconds, limit.rate)
        raise DaemonError(408, text) from error
    except ConnectionError as error:
        raise DaemonError(400, GONE.format(error)) from error
    return data


def close_connection(start_response: StartResponse) -> None:
    """Let gunicorn close the client's connection: the rest of a request stands in it."""
    response = getattr(start_response, "__self__", None)
    force_close = getattr(response, "force_close", None)
    if callable(force_close):
        force_close()


def _read_in_time(environ: WSGIEnvironment, reader: Any, size: int, limit: BodyTimeout) -> bytes:
    timer = environ.get(_TIMER)
    client = reader.sock
    if timer is None:
        timer = environ[_TIMER] = Timer(client, limit)
    reader.sock = timer
    try:
        data: bytes = environ["wsgi.input"].read(size)
    finally:
        reader.sock = client
    return data


def _reader(environ: WSGIEnvironment) -> Any:
    """What reads from the client's socket for gunicorn's ``wsgi.input``; None for another."""
    client = environ.get("gunicorn.socket")
    if client is None:
        return None
    reader = getattr(environ["wsgi.input"], "reader", None)
    unreader = getattr(reader, "unreader", None) or getattr(
        getattr(reader, "req", None), "unreader", None
    )
    return unreader if getattr(unreader, "sock", None) is client else None
