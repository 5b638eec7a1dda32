"""Requests over plain HTTP that are answered before all else: WSGIMATCH_PLAIN_HTTP."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..aliases.alias import Redirection
from ..aliases.groups import Server
from ..aliases.hosts.names import host_name
from ..aliases.redirecting import escaped
from ..aliases.resolve import DEFAULTS, Rules, reason_of
from ..aliases.table import AliasTable, Match
from ..plans.names import ALIAS
from ..server.pages import error_page
from ..text import readable
from .proxies.asked import asked_of, shown_target
from .proxies.mount import script_name_below
from .redirects import send_redirect

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

# A pattern's URL is escaped, the name of its host too: redirect_url().
_MADE = re.compile(
    r"(https?)://(?:%\{|%25%7b)(HTTP_HOST|SERVER_NAME)(?:\}|%7d)(:[0-9]{1,5})?(?=[/?#]|\Z)"
)
_OWN = re.compile(r"https?://(?:%\{|%25%7b)")


def own_host_url(url: str, server: Server, mount_point: str = "") -> str:
    """
    Return the URL of a match with the request's own host, where that is what it names.

    ``%{HTTP_HOST}`` is the Host header with its port, ``%{SERVER_NAME}`` its name alone; without
    the header both are the server's name. What follows lies below the ``mount_point``. It is ""
    where it does not begin a path: a request must not choose how the host goes on.
    """
    found = _MADE.match(url)
    if found is None:
        return "" if _OWN.match(url) else url
    scheme, name, port = found.groups(default="")
    host = server.host if name == "HTTP_HOST" else host_name(server.host)
    host = host or server.name
    if ":" in host and name == "SERVER_NAME":
        host = f"[{host}]"
    return f"{scheme}://{host}{port}{escaped(mount_point)}{url[found.end() :]}"


class PlainHttp:
    """
    A WSGI application that answers some requests over plain HTTP, and asks another one for others.

    ``table`` has the entries that redirect and refuse. ``server_of`` tells what host a request was
    sent to. ``is_exempt`` tells of a request that no entry answers, as of those for the pages of
    WSGIMATCH_HEALTH_PATH. What the corridor refuses goes through to it.
    """

    def __init__(
        self,
        application: WSGIApplication,
        table: AliasTable,
        *,
        server_of: Callable[[WSGIEnvironment], Server],
        rules: Rules = DEFAULTS,
        is_exempt: Callable[[WSGIEnvironment], bool] | None = None,
    ) -> None:
        self.application = application
        self.table = table
        self._server_of = server_of
        self._rules = rules
        self._is_exempt = is_exempt

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        if environ.get("wsgi.url_scheme") != "https":
            asked = asked_of(environ, self._rules)
            match = None if asked is None else self.table.match(asked.uri)
            if asked and match and not (self._is_exempt and self._is_exempt(environ)):
                return self._answer(match, asked.host, environ, start_response)
        return self.application(environ, start_response)

    def _answer(
        self, match: Match, host: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        environ[ALIAS] = readable(match.alias.location)
        answer = match.alias.answer
        if isinstance(answer, Redirection):
            server = replace(self._server_of(environ), host=host)
            mount_point = script_name_below(environ, "")
            return send_redirect(
                answer.status,
                own_host_url(match.url, server, mount_point),
                environ,
                start_response,
                server=server,
                mount_point=mount_point,
            )
        logger.info("%s: %s", shown_target(environ), reason_of(match.alias))
        return error_page(403, environ, start_response)
