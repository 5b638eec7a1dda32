"""
The WSGI application that sends each request to the script its alias names.

``Dispatcher(table, fallback)`` needs no Django::

    table = AliasTable.from_directives(["WSGIScriptAlias /blog /srv/blog.wsgi"])
    application = Dispatcher(table, fallback=other_application)

Every request walks the corridor of ``aliases.resolve``. Where the request target is clean and the
alias's script is loaded, a plan gives the same answer in a fraction of the time.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from .aliases.directives import preloads
from .aliases.groups import Server, variable
from .aliases.resolve import DEFAULTS, Resolution, Rules, resolve, resolve_path_info
from .aliases.table import AliasTable
from .exceptions import ApplicationExit, ScriptError
from .pages import error_page, not_found
from .plan import LONGEST_URI, Plan, environ_extra, make_plan
from .scripts import Reloading, Scripts

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

# What a target must not hold to be its own uri, apart from escapes and dot segments.
_FORBIDDEN = bytes((*range(0x21), ord("#"), 0x7F))


class Dispatcher:
    """
    Answers requests as Apache with mod_wsgi in embedded mode would.

    ``fallback`` answers what no alias matches; without one that is a 404. ``rules`` hold for
    all entries; ``reloading`` and ``settings_module`` are those of ``scripts.Scripts``.
    ``server_name`` is the ServerName in group names; None takes the server's. Without
    ``chunked_request`` a chunked request body is refused with 411, as mod_wsgi does by default.
    """

    def __init__(
        self,
        table: AliasTable,
        fallback: WSGIApplication | None = None,
        *,
        rules: Rules = DEFAULTS,
        reloading: Reloading = "safe",
        settings_module: str | None = None,
        server_name: str | None = None,
        chunked_request: bool = True,
    ) -> None:
        self.table = table
        self.fallback: WSGIApplication = fallback or not_found
        self.rules = rules
        self.scripts = Scripts(reloading=reloading, settings_module=settings_module)
        self.server_name = server_name
        self.chunked_request = chunked_request
        self._plans: dict[tuple[AliasTable, int], Plan] = {}
        # Plans know no symlink policy, no virtual hosts and no 411: then all walk the corridor.
        self._may_plan = (
            rules.follow_symlinks is True and not table.virtual_hosts and chunked_request
        )
        self._own_plans: list[Plan | None] = [None] * len(table.aliases)
        self._lookup = table.lookup

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333). The caller's environ is left as it is."""
        get = environ.get
        target = get("RAW_URI") or get("REQUEST_URI")
        if not target or get("SCRIPT_NAME") or len(target) > LONGEST_URI:
            return self._walk(environ, start_response)
        uri = target.partition("?")[0]
        # Optimization: a clean target is its own uri.
        if (
            "//" in uri
            or "/." in uri
            or "%" in uri
            or uri[:1] != "/"
            or len(target.encode("latin-1").translate(None, _FORBIDDEN)) != len(target)
        ):
            return self._walk(environ, start_response)
        hit = self._lookup(uri)
        if hit is None:
            return self.fallback(environ, start_response)
        plan = self._own_plans[hit[0]]
        if plan is None:
            return self._walk(environ, start_response)
        split = plan.split(uri, hit[1])
        if split is None:
            return self._walk(environ, start_response)
        script, script_name, path_info = split
        loaded = self.scripts.loaded.get(script)
        if loaded is None or not self.scripts.is_current(loaded):
            return self._walk(environ, start_response)
        application = loaded.namespace.get(plan.callable_object)
        if application is None:
            return self._walk(environ, start_response)
        environ = environ.copy()
        environ.update(plan.extra)
        environ["SCRIPT_NAME"] = script_name
        environ["PATH_INFO"] = path_info
        environ["SCRIPT_FILENAME"] = script
        if not plan.pass_authorization:
            environ.pop("HTTP_AUTHORIZATION", None)
        try:
            return application(environ, start_response)
        except SystemExit as error:
            raise ApplicationExit(script, error.code) from error

    def preload(self) -> None:
        """Load what mod_wsgi would load before the first request; a failure is logged."""
        tables = (*self.table.virtual_hosts.values(), self.table)
        aliases = [alias for table in tables for alias in table.aliases if preloads(alias)]
        for target in dict.fromkeys(alias.target for alias in aliases):
            try:
                self.scripts.get(os.path.join(self.rules.base_directory, target))
            except ScriptError as error:
                _log(error)

    def resolve(self, environ: WSGIEnvironment) -> Resolution:
        """Walk the corridor for a request: from what the server tells of its target."""
        target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
        server = self._server(environ)
        if target:
            return resolve(
                self.table,
                target,
                rules=self.rules,
                server=server,
                mount_point=environ.get("SCRIPT_NAME", ""),
            )
        return resolve_path_info(
            self.table,
            environ.get("PATH_INFO") or "/",
            environ.get("QUERY_STRING", ""),
            rules=self.rules,
            server=server,
        )

    def _server(self, environ: WSGIEnvironment) -> Server:
        return Server(
            self.server_name or environ["SERVER_NAME"],
            environ.get("HTTP_HOST", ""),
            partial(variable, environ=environ, process_environ=os.environ),
        )

    def _walk(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        resolution = self.resolve(environ)
        if resolution.status is None:
            return self.fallback(environ, start_response)
        if resolution.status != 200:
            logger.info("%s: %s", resolution.target, resolution.reason)
            return error_page(resolution.status, environ, start_response)
        if not self.chunked_request and environ.get("HTTP_TRANSFER_ENCODING"):
            return error_page(411, environ, start_response)
        return self._run(resolution, environ, start_response)

    def _run(
        self, resolution: Resolution, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        assert resolution.script is not None
        assert resolution.callable_object is not None
        try:
            loaded = self.scripts.get(resolution.script)
            application = loaded.application(resolution.callable_object)
        except ScriptError as error:
            _log(error)
            return error_page(error.status, environ, start_response)
        self._keep_plan(resolution)
        environ = {
            **environ,
            **environ_extra(resolution),
            "SCRIPT_NAME": environ.get("SCRIPT_NAME", "").rstrip("/") + str(resolution.script_name),
            "PATH_INFO": resolution.path_info,
            "SCRIPT_FILENAME": resolution.script,
        }
        if not resolution.pass_authorization:
            environ.pop("HTTP_AUTHORIZATION", None)
        try:
            return application(environ, start_response)
        except SystemExit as error:
            raise ApplicationExit(resolution.script, error.code) from error

    def _keep_plan(self, resolution: Resolution) -> None:
        if self._may_plan and resolution.match is not None:
            position = resolution.match.position
            location = self.table.locations[position]
            self._own_plans[position] = make_plan(resolution, location, self.rules)


def _log(error: ScriptError) -> None:
    logger.error("%s", error, exc_info=error.__cause__)
