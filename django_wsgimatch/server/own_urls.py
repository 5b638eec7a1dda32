"""The URL that a request was sent to, as far as a redirect repeats it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..aliases.groups import Server
from ..aliases.hosts.names import host_name, split_host

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_USUAL_PORTS = {"http": "80", "https": "443"}


def own_url(scheme: str, server: Server) -> str:
    """
    Return the scheme and the host that a request was sent to: ap_construct_url().

    The Host header names the port, if any. Without the header it is the listening socket's.
    """
    name = host_name(server.host)
    port = split_host(server.host)[1].lstrip("0") if name else server.port
    name = name or server.name
    name = f"[{name}]" if ":" in name else name
    is_usual = not port or port == _USUAL_PORTS.get(scheme)
    return f"{scheme}://{name}" + ("" if is_usual else f":{port}")


def query_of(environ: WSGIEnvironment) -> str:
    """The query of a request with its question mark, which may be all of it."""
    query: str = environ.get("QUERY_STRING", "")
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    return f"?{query}" if query or target.endswith("?") else ""
