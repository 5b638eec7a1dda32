"""A request that nobody sends: what would become of its headers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...aliases.hosts.names import split_host
from .addresses import UNIX
from .headers import environ_key
from .trusted import TrustedProxies

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# What proxies may tell, in the order in which it is shown.
_TOLD = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT")


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """
    Who asks, and what is made of the headers.

    ``peer`` is the address of who connects, or "unix"; ``is_trusted`` says whether it is a trusted
    proxy. ``environ`` holds what proxies may tell, as applications have it; ``dropped`` are the
    headers that no application sees.
    """

    peer: str
    is_trusted: bool
    environ: dict[str, str]
    dropped: tuple[str, ...]


def sample_environ(host: str, peer: str, headers: Iterable[tuple[str, str]]) -> WSGIEnvironment:
    """Return what a server without proxies makes of a request; ``peer`` may be "unix"."""
    name, port = split_host(host)
    environ: WSGIEnvironment = {
        "REMOTE_ADDR": "" if peer == UNIX else peer,
        "wsgi.url_scheme": "http",
        "HTTP_HOST": host,
        "SERVER_NAME": name or "localhost",
        "SERVER_PORT": port or "80",
        "SCRIPT_NAME": "",
    }
    for header, value in headers:
        key = environ_key(header)
        is_repeated = key in environ and key != "HTTP_HOST"
        environ[key] = f"{environ[key]},{value}" if is_repeated else value
    return environ


def take_from_proxies(
    proxies: TrustedProxies | None, environ: WSGIEnvironment, peer: str
) -> SampleRequest:
    """Make of an environ what applications have of it, and return what that is."""
    before = {key: value for key, value in environ.items() if key.startswith("HTTP_")}
    is_trusted = proxies is not None and proxies.trusts(environ)
    variables: Iterable[str] = ()
    if proxies is not None:
        proxies.apply(environ)
        variables = [name for name, _ in proxies.variables]
    shown = (name for name in (*_TOLD, *variables) if name in environ)
    return SampleRequest(
        peer,
        is_trusted,
        {name: environ[name] for name in shown},
        tuple(key for key in before if key not in environ),
    )
