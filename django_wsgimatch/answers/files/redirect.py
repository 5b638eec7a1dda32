"""The URL that a client is sent to for a directory: ap_construct_url()."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# What ap_os_escape_path() leaves as it is, beside letters and digits.
_SAFE = "$-_.+!*'(),:;@&=/~"
_ESCAPE = re.compile("%[0-9A-F]{2}")
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x20\x7f]")
_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?\Z", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def absolute_url(uri: str, environ: WSGIEnvironment) -> str:
    """Return the URL of a decoded path (latin-1) at the host and with the query of a request."""
    path = _ESCAPE.sub(lambda found: found[0].lower(), quote(uri, safe=_SAFE, encoding="latin-1"))
    return f"{_origin(environ)}{path}{_query(environ)}"


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
    name = quote(name.lower().removesuffix("."), safe=_SAFE + "[]", encoding="latin-1")
    if port is None or port == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{name}"
    return f"{scheme}://{name}:{port}"


def _query(environ: WSGIEnvironment) -> str:
    """The query with its question mark; a mark alone is kept where the server tells of it."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    _, mark, query = target.partition("?")
    if not mark and environ.get("QUERY_STRING"):
        mark, query = "?", environ["QUERY_STRING"]
    return mark + _NOT_IN_A_HEADER.sub(lambda found: f"%{ord(found[0]):02x}", query)
