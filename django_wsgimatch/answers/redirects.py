"""The answers of Redirect and RedirectMatch."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..aliases.groups import Server
from ..aliases.redirecting import escaped, header_url, is_redirect, redirect_status
from ..server.own_urls import own_url, query_of
from ..server.pages import error_page, redirect_page
from ..text import quoted

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")


def send_redirect(
    status: int,
    url: str,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    *,
    server: Server,
    mount_point: str = "",
) -> Iterable[bytes]:
    """
    Answer with a status, and the URL to go to if it has one.

    A URL without a host gets the request's, and the ``mount_point`` that all uris of the table are
    below. One without a query gets the request's. What is no URL is a 500. Mirrors
    translate_alias_redir() of mod_alias.
    """
    answered = redirect_status(status, url)
    if answered != status:
        # Any visitor may cause it.
        logger.info("a redirect with status %d to %s is answered with 500", status, quoted(url))
    if answered != status or not is_redirect(status):
        return error_page(answered, environ, start_response)
    if url.startswith("/"):
        site = own_url(environ.get("wsgi.url_scheme", "http"), server)
        url = site + escaped(mount_point) + url
    if "?" not in url:
        url += query_of(environ)
    return redirect_page(status, header_url(url), environ, start_response)
