"""
The slow way of a request: the whole corridor, ``aliases.resolve``, and then its application.

``dispatcher`` has the quick way, which answers as this one would.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from types import GeneratorType
from typing import TYPE_CHECKING

from .aliases.alias import Alias, Extras
from .aliases.directives import preloads
from .aliases.groups import GLOBAL, GroupName, Server, variable
from .aliases.redirecting import escaped
from .aliases.resolve import (
    DEFAULTS,
    Resolution,
    Rules,
    resolve,
    resolve_path_info,
    resolve_uri,
    without_mount_point,
)
from .aliases.table import AliasTable
from .aliases.uri import Target, authority_of
from .answers.body_limits import instead, limited_body, within_limit
from .answers.direct import Direct, direct, is_direct, send
from .answers.extras import add_to_environ, is_too_long, with_always, with_headers
from .answers.proxies.asked import REWRITTEN, lacks_host, request_target
from .answers.proxies.mount import MOUNT, own_mount_point, script_name_below
from .answers.redirects import send_redirect
from .daemon.front.front import Places
from .daemon.front.patience import close_connection
from .daemon.front.relay import relay
from .daemon.group.worker.interpreters import Interpreters
from .daemon.log_limits import Seldom
from .daemon.place import Place
from .exceptions import ApplicationExit, DaemonError, ScriptError
from .plans.files import Files
from .plans.names import (
    ALIAS,
    IN_APPLICATION_GROUP,
    IN_GROUP,
    PROCESS_GROUP,
    SCRIPT_NAME,
    listens_on_a_path,
)
from .preloading import Preloads, script_path
from .scripts import Reloading, Scripts
from .server.limited_body import LimitedBody
from .server.pages import error_page, not_found
from .server.whole_body import expect_whole_body
from .text import cut, readable, shown

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

# So much of a request's method and path stands in the log, in characters.
LONGEST_REQUEST = 200

OFF_MOUNT_POINT = "the path lies beside the server's SCRIPT_NAME"
NO_HOST = "a request of HTTP/1.1 without a Host header"

# Of refusals of one kind one is logged in so many seconds.
SECONDS_BETWEEN = 10.0


class Corridor:
    """
    Answers requests as Apache with mod_wsgi would: what Dispatcher says, in its own time.

    A subclass learns from each request: ``keep()``, from ``begin()`` on.
    """

    def __init__(
        self,
        table: AliasTable,
        fallback: WSGIApplication | None = None,
        *,
        rules: Rules = DEFAULTS,
        reloading: Reloading = "safe",
        reload_interval: float = 1.0,
        settings_module: str | None = None,
        server_name: str | None = None,
        server_ports: Collection[int] | None = (),
        chunked_request: bool = True,
        places: Places | None = None,
        interpreters: Interpreters | None = None,
    ) -> None:
        self.table = table
        self.fallback: WSGIApplication = fallback or not_found
        self.rules = rules
        # Without reloading there is nothing to look at, but perhaps the links on the way there.
        is_looking = bool(reloading) or rules.follow_symlinks is not True
        self.scripts = Scripts(
            reloading=reloading,
            settings_module=settings_module,
            interval=reload_interval if is_looking else math.inf,
        )
        self.files = Files(self.scripts, rules.follow_symlinks, reload_interval)
        self.server_name = server_name
        self.server_ports = None if server_ports is None else frozenset(map(str, server_ports))
        self.chunked_request = chunked_request
        self.places = places
        self.interpreters = interpreters
        self.preloads = Preloads(self.scripts, rules)
        # Read at each request that takes a slow way: the quick way never leads to one.
        self.own_pages: Mapping[str, WSGIApplication] = {}
        self._seldom = Seldom(SECONDS_BETWEEN)
        self.begin()

    def begin(self) -> None:
        """Make ready for what ``keep()`` is told."""

    def preload(self, required: Iterable[str] = ()) -> None:
        """
        Load what mod_wsgi would load before the first request, and the ``required`` scripts.

        A failure is logged; that of a required script stands in ``preloads``, too.
        """
        tables = (*self.table.virtual_hosts.values(), self.table)
        aliases = [alias for table in tables for alias in table.aliases if preloads(alias)]
        here = [alias for alias in aliases if self.places is None or is_here(alias)]
        for path in dict.fromkeys(required):
            self.preloads.load(path)
        base = self.rules.base_directory
        for path in dict.fromkeys(script_path(alias, base) for alias in here):
            if path not in self.scripts.loaded:
                self.preloads.load(path, is_required=False)

    def resolve(self, environ: WSGIEnvironment) -> Resolution:
        """Walk the corridor for a request, from what its server tells of the target."""
        target = request_target(environ)
        mount_point, path = own_mount_point(environ), environ.get("PATH_INFO") or "/"
        if mount_point and not path.startswith("/"):
            # The server cut the path in the middle of a segment: nothing is mounted there.
            return Resolution(mount_point + path, status=404, reason=OFF_MOUNT_POINT)
        if lacks_host(environ):
            return Resolution(target or path, status=400, reason=NO_HOST)
        server = self.server_of(environ)
        query = environ.get("QUERY_STRING", "")
        if (uri := environ.get(REWRITTEN)) is not None:
            new = Target(without_mount_point(uri, mount_point), query)
            return resolve_uri(self.table, new, rules=self.rules, server=server)
        if not target:
            return resolve_path_info(self.table, path, query, rules=self.rules, server=server)
        return resolve(
            self.table,
            target,
            rules=self.rules,
            server=server,
            mount_point=mount_point,
        )

    def server_of(self, environ: WSGIEnvironment) -> Server:
        """What the names of groups are made of."""
        port: str = environ.get("SERVER_PORT", "")
        name = self.server_name
        if listens_on_a_path(environ):
            # gunicorn then makes both of the Host header: a client would choose the name.
            port = ""
            name = name or self.table.name_of_host(environ.get("HTTP_HOST", "")) or "localhost"
        return Server(
            name or environ["SERVER_NAME"],
            environ.get("HTTP_HOST", ""),
            partial(variable, environ=environ, process_environ=os.environ),
            # waitress and granian tell a path or 0 of a unix socket.
            port.lstrip("0") if port.isdecimal() else "",
            self.server_ports,
        )

    def walk(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333), whatever it is."""
        if (page := self.own_pages.get(environ.get("PATH_INFO", ""))) is not None:
            return page(environ, start_response)
        callers, environ = environ, _with_host_of_target(environ)
        resolution = self.resolve(environ)
        if resolution.status is None:
            return self.fallback(_for_fallback(environ), start_response)
        if (match := resolution.match) is not None and is_direct(match.alias):
            self.keep(resolution, environ)
            callers[ALIAS] = readable(match.alias.location)
            mount_point = script_name_below(environ, "")
            return self.answer(direct(match), mount_point, environ, start_response)
        if resolution.status != 200:
            if resolution.status != 500:
                self.keep(resolution, environ)
            if match is not None:
                start_response = with_always(match.alias.extras, start_response)
            if resolution.directory is not None:
                return self._add_slash(resolution.directory, environ, start_response)
            log_refusal(resolution.status, resolution.target, resolution.reason)
            return error_page(resolution.status, environ, start_response)
        if not self.chunked_request and environ.get("HTTP_TRANSFER_ENCODING"):
            return error_page(411, environ, start_response)
        script_name = script_name_below(environ, str(resolution.script_name))
        environ = environ | {"SCRIPT_NAME": script_name}
        assert resolution.match is not None
        callers[ALIAS] = readable(resolution.match.alias.location)
        callers[PROCESS_GROUP] = readable(str(resolution.process_group))
        callers[SCRIPT_NAME] = shown(script_name)
        return self._run(resolution, environ, start_response)

    def answer(
        self,
        found: Direct,
        mount_point: str,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Answer a request that needs no application."""
        return send(
            found, mount_point, self.rules, environ, start_response, server_of=self.server_of
        )

    def _add_slash(
        self, uri: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Send a client to the URL of a directory."""
        return send_redirect(
            301,
            escaped(uri),
            environ,
            start_response,
            server=self.server_of(environ),
            mount_point=script_name_below(environ, ""),
        )

    def keep(self, resolution: Resolution, environ: WSGIEnvironment) -> None:
        """Learn from what has become of a request."""

    def _run(
        self, resolution: Resolution, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        script, callable_object = resolution.script, resolution.callable_object
        assert script is not None
        assert resolution.match is not None
        assert callable_object is not None
        place = self._place(resolution)
        if place is not None:
            self.files.lead_elsewhere(script)
        else:
            try:
                loaded = self.scripts.get(script)
                application = loaded.application(callable_object)
            except ScriptError as error:
                _log(error)
                start_response = with_always(resolution.match.alias.extras, start_response)
                return error_page(error.status, environ, start_response)
            # Of a module, the file that it was found in.
            script = loaded.path
        self.keep(resolution, environ)
        environ = environ | {
            "SCRIPT_FILENAME": script,
            "PATH_INFO": str(resolution.path_info),
            IN_GROUP: str(resolution.process_group),
            IN_APPLICATION_GROUP: str(resolution.application_group),
            "mod_wsgi.callable_object": callable_object,
        }
        if not resolution.pass_authorization:
            environ.pop("HTTP_AUTHORIZATION", None)
        answers = application if place is None else place
        extras = resolution.match.alias.extras
        return self.hand_over(answers, extras, environ, start_response)

    def hand_over(
        self,
        answers: WSGIApplication | Place,
        extras: Extras | None,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Give a request to its application, here or in its place, with what its entry adds."""
        if extras is not None:
            if is_too_long(extras, environ):
                return error_page(413, environ, with_always(extras, start_response))
            add_to_environ(extras, environ)
            if (body := limited_body(environ)) is not None:
                answer = partial(self._answered_by, answers, extras, environ, start_response)
                refuse = partial(_refuse_body, body, extras, environ, start_response)
                return within_limit(body, environ, answer, refuse)
        return self._answered_by(answers, extras, environ, start_response)

    def _answered_by(
        self,
        answers: WSGIApplication | Place,
        extras: Extras | None,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        if isinstance(answers, Place):
            return self.relay(answers, environ, start_response, extras)
        expect_whole_body(environ)
        if extras is not None:
            script = environ.get("SCRIPT_FILENAME", "")
            start_response = with_headers(extras, start_response, script)
        return run_application(answers, environ, start_response)

    def _place(self, resolution: Resolution) -> Place | None:
        """Where the script runs, None for here."""
        if self.places is None:
            return None
        group = resolution.group or GroupName("")
        place = Place(str(resolution.process_group), group.text, group.kind, group.is_chosen)
        return None if place.is_here else place

    def relay(
        self,
        place: Place,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        extras: Extras | None,
    ) -> Iterable[bytes]:
        """Have a request answered in another place."""
        assert self.places is not None
        start = with_headers(extras, start_response, environ.get("SCRIPT_FILENAME", ""))
        try:
            if self.interpreters is None or not place.application_group:
                return self.places.relay(place, environ, start)
            if place.process_group:
                return self.places.relay_inside(place, environ, start)
            return relay(self.interpreters.link(place, environ), environ, start)
        except DaemonError as error:
            self._log_failure(place, error, environ)
            if error.status == 408:
                close_connection(start_response)
            if error.status == 404:
                # The script is gone: the corridor tells what becomes of its urls now.
                self.files.elsewhere.pop(environ["SCRIPT_FILENAME"], None)
                self.forget()
            return error_page(error.status, environ, with_always(extras, start_response))

    def forget(self) -> None:
        """Forget where paths lead: a script is gone."""

    def _log_failure(self, place: Place, error: DaemonError, environ: WSGIEnvironment) -> None:
        """Log what a client gets instead of a response; that there is no room, once in a while."""
        if error.status in (400, 408) or error.is_logged:
            # Any visitor can cause the former; an error should be in a log once.
            logger.info("%s: %s", place.label, error)
        elif error.status != 503:
            logger.error("%s: %s: %s", place.label, _request_of(environ), error)
        elif self._seldom.is_due((place.process_group, str(error))):
            logger.error("%s: %s", place.label, error)


def log_refusal(status: int, target: str, reason: str) -> None:
    """Log why a request is refused; what any visitor can cause is no error."""
    if status == 500:
        logger.error("%s: %s", target, reason)
    else:
        logger.info("%s: %s", target, reason)


def is_here(alias: Alias) -> bool:
    """Whether an alias names the embedded process group and the main interpreter, in full."""
    return alias.process_group == GLOBAL and alias.application_group == GLOBAL


def _with_host_of_target(environ: WSGIEnvironment) -> WSGIEnvironment:
    """
    Replace the Host header by the host of an absolute-form target, as Apache does.

    RFC 9112 3.2.2 asks for it: what the header says then is not looked at.
    """
    authority = authority_of(request_target(environ))
    if authority is None or "HTTP_HOST" not in environ:
        return environ
    return environ | {"HTTP_HOST": authority}


def _for_fallback(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Have an empty SCRIPT_NAME where a proxy says that the site is mounted at the root."""
    is_root = MOUNT in environ and environ["SCRIPT_NAME"] == "/"
    return environ | {"SCRIPT_NAME": ""} if is_root else environ


def guarded(body: Iterable[bytes], script: str) -> Iterator[bytes]:
    """
    Pass a generator's body on, but no SystemExit.

    It would end the server's worker, and all the applications with it. Raises ApplicationExit.
    """
    try:
        yield from body
    except SystemExit as error:
        raise ApplicationExit(script, error.code) from error


def _refuse_body(
    body: LimitedBody,
    extras: Extras,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Iterable[bytes]:
    """Answer 413 in place of what the application would have answered."""
    close_connection(start_response)
    return error_page(413, environ, with_always(extras, instead(body, start_response)))


def run_application(
    application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Call a script's application. Raises ApplicationExit, and what the application raises."""
    script: str = environ["SCRIPT_FILENAME"]
    try:
        body = application(environ, start_response)
    except SystemExit as error:
        raise ApplicationExit(script, error.code) from error
    return guarded(body, script) if type(body) is GeneratorType else body


def _log(error: ScriptError) -> None:
    logger.error("%s", error, exc_info=error.__cause__)


def _request_of(environ: WSGIEnvironment) -> str:
    """A request as the log names it: any visitor decides what stands there."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return shown(cut(f"{environ['REQUEST_METHOD']} {path}", LONGEST_REQUEST))
