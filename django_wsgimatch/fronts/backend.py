"""The server behind a front: where it listens, and what its project's settings must trust."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

from ..exceptions import FrontError

_HTTP = re.compile(r"http://(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?/?", re.ASCII)
_UNIX = re.compile(r"unix:(/[\w./@+~-]+)(?:\|http://([\w.-]+)/?)?", re.ASCII)
_CURE = "write http://HOST:PORT, or unix:/PATH for a socket"
DEFAULT_BACKEND = "http://127.0.0.1:8000"
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Backend:
    """
    A server that a front passes requests to.

    ``url`` is what mod_proxy is given, without a slash at its end; ``base`` is what a <Proxy>
    section compares with: of a socket, the part behind the bar. ``peers`` are the addresses that
    the server sees the front's connections come from, ``("unix",)`` for a socket.
    """

    url: str
    base: str
    peers: tuple[str, ...]


def read_backend(text: str) -> Backend:
    """Return the backend that a command line names. Raises FrontError."""
    if found := _UNIX.fullmatch(text):
        base = f"http://{found[2] or 'localhost'}"
        return Backend(f"unix:{found[1]}|{base}", base, ("unix",))
    if found := _HTTP.fullmatch(text):
        url = text.rstrip("/")
        return Backend(url, url, _peers(found[1].strip("[]")))
    raise FrontError(f"{text!r} is no address of a server: {_CURE}")


def _peers(host: str) -> tuple[str, ...]:
    """Return where connections to a host come from, () where only its operator knows."""
    if host == "localhost":
        return (_LOOPBACK, "::1")
    try:
        address = ip_address(host)
    except ValueError:
        return ()
    return (host if address.version == 6 else _LOOPBACK,) if address.is_loopback else ()
