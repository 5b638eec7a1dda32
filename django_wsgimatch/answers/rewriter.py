"""The WSGI application before another one that passes some URLs on as others."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..aliases.groups import Server
from ..aliases.redirecting import redirect_status
from ..aliases.resolve import DEFAULTS, Rules
from ..aliases.table import AliasTable
from ..aliases.uri import authority_of
from ..plans.names import ALIAS, PROCESS_GROUP, SCRIPT_NAME
from ..plans.targets import is_clean, quoted_path
from ..server.pages import error_page
from .proxies.asked import REWRITTEN, asked_of, request_target, shown_target
from .proxies.by_target import ByTarget
from .proxies.mount import own_mount_point, script_name_below
from .redirects import send_redirect
from .rewriting.rewrites import NewUrl, Rewrites, RewritesByHost

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

_SLASHES = re.compile("//+")
_SECOND_SLASH = re.compile("(?<=/)/")
# What an access log finds in the server's own environ.
_FOR_A_LOG = (ALIAS, PROCESS_GROUP, SCRIPT_NAME, "REMOTE_USER", "AUTH_TYPE")


class Rewriter:
    """
    A WSGI application that asks another one, for another URL where an entry says so.

    As in Apache, all that comes behind sees the new URL alone: access rules, and the table. The
    application has what the client has sent as REQUEST_URI. ``server_of`` tells what host a request
    was sent to, for entries that redirect; ``is_exempt`` tells of a request whose URL stays as it
    is, as of those for the pages of WSGIMATCH_HEALTH_PATH.
    """

    def __init__(
        self,
        application: WSGIApplication,
        rewrites: RewritesByHost,
        server_of: Callable[[WSGIEnvironment], Server],
        *,
        rules: Rules = DEFAULTS,
        is_exempt: Callable[[WSGIEnvironment], bool] | None = None,
    ) -> None:
        self.application = application
        self._rewrites = rewrites
        self._server_of = server_of
        self._rules = rules
        self._is_exempt = is_exempt
        self._asked = ByTarget(self._find)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        rewrites, found = self._rewritten(environ)
        if rewrites is None or found is None:
            return self.application(environ, start_response)
        if found.status is not None:
            return self._answer(found, environ, start_response)
        new = rewritten_environ(environ, found, _path_of(found.uri, rewrites.table))
        try:
            return self.application(new, start_response)
        finally:
            environ.update((key, new[key]) for key in _FOR_A_LOG if key in new)

    def _answer(
        self, found: NewUrl, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer with a status, and where clients are to go if it sends them elsewhere."""
        assert found.status is not None
        if found.location:
            return send_redirect(
                found.status,
                found.location,
                environ,
                start_response,
                server=self._server_of(environ),
                mount_point=script_name_below(environ, ""),
            )
        # Any visitor may cause it.
        logger.info("%s: %s", shown_target(environ), found.reason)
        status = redirect_status(found.status, found.location)
        return error_page(status, environ, start_response)

    def _rewritten(self, environ: WSGIEnvironment) -> tuple[Rewrites | None, NewUrl | None]:
        """Return the entries of the host that a request is for, and what they make of its uri."""
        if self._is_exempt is not None and self._is_exempt(environ):
            return None, None
        asked = self._asked(environ)
        if asked is None:
            return None, None
        uri, rewrites = asked
        return rewrites, rewrites.apply(uri, environ.get("QUERY_STRING", ""), environ)

    def _find(self, environ: WSGIEnvironment) -> tuple[str, Rewrites] | None:
        """Return the uri of a request and the entries of its host, None where it is refused."""
        asked = asked_of(environ, self._rules)
        return None if asked is None else (asked.uri, self._rewrites.for_host(asked.host))


def rewritten_environ(environ: WSGIEnvironment, found: NewUrl, path: str) -> WSGIEnvironment:
    """
    Return the environ of a request for the new URL, whose ``path`` is that of a target.

    RAW_URI is its target, below the server's own mount point. REQUEST_URI stays what the client has
    sent, as in Apache, and so does the host of a target in absolute form.
    """
    target = request_target(environ)
    mount_point = own_mount_point(environ).rstrip("/")
    # A question mark with nothing behind it is kept, as a redirect repeats it.
    is_marked = target.endswith("?") and not found.has_own_query
    query = f"?{found.query}" if found.query or is_marked else ""
    new = environ | {
        "RAW_URI": f"{quoted_path(mount_point)}{path}{query}",
        "REQUEST_URI": target or _told_by_parts(environ),
        "PATH_INFO": found.uri,
        "QUERY_STRING": found.query,
        REWRITTEN: mount_point + found.uri,
    }
    if (authority := authority_of(target)) is not None:
        new["HTTP_HOST"] = authority
    return new


def _path_of(uri: str, table: AliasTable) -> str:
    """
    Return the path of a target for a uri.

    A slash behind another one says that the target is not the uri: that is found in the environ.
    """
    if "//" not in uri:
        return uri if is_clean(uri) else quoted_path(uri)
    merged = _SLASHES.sub("/", uri)
    if _is_one_script(uri, merged, table):
        # Optimization: the quick way took 2 us of the 80 that a walk takes.
        return quoted_path(merged)
    return _SECOND_SLASH.sub("%2F", quoted_path(uri))


def _is_one_script(uri: str, merged: str, table: AliasTable) -> bool:
    """Whether a script gets the same SCRIPT_NAME and PATH_INFO of a uri with one slash for many."""
    hit, other = table.lookup(uri), table.lookup_merged(merged)
    if hit is None or other is None or hit[0] != other[0]:
        return False
    alias = table.aliases[hit[0]]
    return alias.answer is None and alias.kind == "plain" and not alias.is_module


def _told_by_parts(environ: WSGIEnvironment) -> str:
    """Return the target of a request whose server does not tell it."""
    query = environ.get("QUERY_STRING", "")
    path = own_mount_point(environ).rstrip("/") + environ.get("PATH_INFO", "")
    return quoted_path(path) + (f"?{query}" if query else "")
