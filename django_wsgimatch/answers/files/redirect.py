"""The URL that a client is sent to for a directory: ap_construct_url()."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from ...aliases.redirecting import escaped
from ...server.own_urls import query_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# What stays as it is in the name of a host, beside letters and digits.
_SAFE = "$-_.+!*'(),:;@&=/~[]"
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x20\x7f]")
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?\Z", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def absolute_url(uri: str, environ: WSGIEnvironment) -> str:
    """Return the URL of a decoded path (latin-1) at the host and with the query of a request."""
    query = _NOT_IN_A_HEADER.sub(lambda found: f"%{ord(found[0]):02x}", query_of(environ))
    return f"{_origin(environ)}{escaped(uri)}{query}"


def _origin(environ: WSGIEnvironment) -> str:
    """Scheme, host and port, as with ``UseCanonicalName Off``."""
    scheme = environ["wsgi.url_scheme"]
    host = environ.get("HTTP_HOST")
    if not host:
        # A request of HTTP/1.0 need not name one.
        host = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    found = _HOST.match(host)
    name, digits = (found[1], found[2]) if found else (host, "")
    port = int(digits) if digits else None
    name = quote(name.lower().removesuffix("."), safe=_SAFE, encoding="latin-1")
    if port is None or port == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{name}"
    return f"{scheme}://{name}:{port}"
