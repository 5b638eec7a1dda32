"""The answers of Redirect and RedirectMatch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..aliases.redirecting import with_query
from ..server.pages import error_page, redirect_page

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_USUAL_PORTS = {"http": "80", "https": "443"}


def send_redirect(
    status: int, url: str, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """
    Answer with a status, and the URL to go to if it has one.

    Mirrors translate_alias_redir() of mod_alias: a URL without a host gets the request's, one that
    asks for nothing gets the request's query, and what is no URL is a 500.
    """
    if not 300 <= status <= 399:
        return error_page(status, environ, start_response)
    if url.startswith("/"):
        url = own_url(environ) + url
    if not _ABSOLUTE.match(url):
        return error_page(500, environ, start_response)
    url = with_query(url, environ.get("QUERY_STRING", ""))
    return redirect_page(status, url, environ, start_response)


def own_url(environ: WSGIEnvironment) -> str:
    """Return the scheme and the host that a request was sent to: ap_construct_url()."""
    scheme = environ.get("wsgi.url_scheme", "http")
    host = environ.get("HTTP_HOST")
    if host:
        return f"{scheme}://{host.removesuffix(':' + _USUAL_PORTS.get(scheme, ''))}"
    port = environ.get("SERVER_PORT", "")
    is_usual = port == _USUAL_PORTS.get(scheme) or not port.isdecimal()
    return f"{scheme}://{environ['SERVER_NAME']}" + ("" if is_usual else f":{port}")
