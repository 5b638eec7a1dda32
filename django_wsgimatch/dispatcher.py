"""
The WSGI application that sends each request to the script its alias names.

``Dispatcher(table, fallback)`` needs no Django::

    table = AliasTable.from_directives(["WSGIScriptAlias /blog /srv/blog.wsgi"])
    application = Dispatcher(table, fallback=other_application)

Every answer is that of the corridor, ``aliases.resolve``. It is reached by one of three ways, the
quickest first: what is remembered of a path, an alias's plan, the walk itself.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from time import monotonic
from types import GeneratorType
from typing import TYPE_CHECKING

from .aliases.alias import Alias
from .aliases.directives import preloads
from .aliases.groups import GLOBAL, GroupName, Server, variable
from .aliases.hosts import is_valid_host
from .aliases.resolve import DEFAULTS, Resolution, Rules, resolve, resolve_path_info
from .aliases.table import AliasTable
from .aliases.uri import authority_of
from .daemon.front.front import Places
from .daemon.front.patience import close_connection
from .daemon.front.relay import relay
from .daemon.group.worker.interpreters import Interpreters
from .daemon.log_limits import Seldom
from .daemon.place import Place
from .exceptions import ApplicationExit, DaemonError, ScriptError
from .plan import SCRIPT_NAME, Plan, is_clean, make_plan, mod_wsgi_keys, told_of
from .preloading import Preloads
from .scripts import LoadedScript, Reloading, Scripts
from .server.pages import error_page, not_found
from .server.whole_body import expect_whole_body
from .text import cut, shown

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

# So much of a request's method and path stands in the log, in characters.
LONGEST_REQUEST = 200

OFF_MOUNT_POINT = "the path lies beside the server's SCRIPT_NAME"
NO_HOST = "a request of HTTP/1.1 without a Host header"

# So many paths are remembered, each of at most so many characters, and of those that are not
# known yet one in so many: paths that come often are soon known, others cost next to nothing.
MOST_REMEMBERED = 1024
LONGEST_REMEMBERED = 256
REMEMBERED_ONE_IN = 8
# So many hosts that have been found valid are remembered.
MOST_HOSTS = 1024
# Of refusals of one kind one is logged in so many seconds.
SECONDS_BETWEEN = 10.0


# Where a path leads: the script (its path where it runs elsewhere), its alias's plan, SCRIPT_NAME
# and PATH_INFO.
Known = tuple[LoadedScript | str | None, Plan | None, str, str]

FALLBACK: Known = (None, None, "", "")


class Dispatcher:
    """
    Answers requests as Apache with mod_wsgi would.

    ``fallback`` answers what no alias matches; without one that is a 404. ``rules`` hold for
    all entries; ``reloading`` and ``settings_module`` are those of ``scripts.Scripts``, and once
    in ``reload_interval`` seconds it looks at a script's file.
    ``server_name`` is the ServerName in group names; None takes the server's. ``server_ports``
    are ports of a Host header that count in them, besides the one that the server listens on;
    None for all. Without
    ``chunked_request`` a chunked request body is refused with 411, as mod_wsgi does by default.
    ``places`` answers what does not run here; without it all applications run here, whatever
    groups their aliases name. With ``interpreters``, application groups are sub interpreters.
    ``own_pages`` holds applications that answer their paths before the table does.

    The environ of a request that an alias answers gains three keys for an access log, and is left
    as it is otherwise.
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
        self.scripts = Scripts(
            reloading=reloading, settings_module=settings_module, interval=reload_interval
        )
        self.server_name = server_name
        self.server_ports = None if server_ports is None else frozenset(map(str, server_ports))
        self.chunked_request = chunked_request
        self.places = places
        self.interpreters = interpreters
        self.preloads = Preloads(self.scripts, rules)
        # Read at each request that takes a slow way: the quick way never leads to one.
        self.own_pages: Mapping[str, WSGIApplication] = {}
        # Scripts elsewhere that the corridor has led to, so that plans may lead there, too.
        self._elsewhere: set[str] = set()
        # Plans know no virtual hosts, no policy for symbolic links and no 411.
        self._plans: list[Plan | None] | None = None
        if rules.follow_symlinks is True and not table.virtual_hosts and chunked_request:
            self._plans = [None] * len(table.aliases)
        self._remembered: dict[str, Known] = {}
        self._hosts: set[str | None] = set()
        self._new_paths = 0
        self._seldom = Seldom(SECONDS_BETWEEN)
        self._lookup = table.lookup_merged

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        # Optimization: a set of valid hosts took 0.03 us, a look at the host 1.0 us.
        if environ.get("HTTP_HOST") not in self._hosts and not self._accepts_host(environ):
            return self._walk(environ, start_response)
        path = environ.get("RAW_URI") or environ.get("REQUEST_URI")
        if not path:
            # A path that is clean is its own request target.
            path = environ.get("PATH_INFO", "")
        elif "?" in path:
            path, _, query = path.partition("?")
            if "#" in query or " " in query or not query.isprintable():
                return self._walk(environ, start_response)
        # Optimization: a remembered path took 0.57 us, a new one 1.53 us.
        known = self._remembered.get(path) or self._recognise(path)
        if known is None or environ.get("SCRIPT_NAME"):
            return self._walk(environ, start_response)
        script, plan, script_name, path_info = known
        if script is None or plan is None:
            return self.fallback(environ, start_response)
        if type(script) is str:
            return self._go_elsewhere(script, known, environ, start_response)
        assert isinstance(script, LoadedScript)
        # Optimization: the stat() of is_current() took 1.8 us, a look at the clock takes 0.05 us.
        if monotonic() >= script.due and not self.scripts.is_current(script):
            self._remembered.pop(path, None)
            return self._walk(environ, start_response)
        application: WSGIApplication | None = script.namespace.get(plan.callable_object)
        if application is None:
            return self._walk(environ, start_response)
        callers, environ = environ, environ | plan.gains
        callers |= plan.tells
        callers[SCRIPT_NAME] = environ["SCRIPT_NAME"] = script_name
        environ["PATH_INFO"] = path_info
        environ["SCRIPT_FILENAME"] = script.path
        if environ.get("CONTENT_LENGTH"):
            expect_whole_body(environ)
        if not plan.pass_authorization:
            environ.pop("HTTP_AUTHORIZATION", None)
        try:
            body = application(environ, start_response)
        except SystemExit as error:
            raise ApplicationExit(script.path, error.code) from error
        return guarded(body, script.path) if type(body) is GeneratorType else body

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
        for target in dict.fromkeys(alias.target for alias in here):
            path = os.path.join(self.rules.base_directory, target)
            if path not in self.scripts.loaded:
                self.preloads.load(path, is_required=False)

    def resolve(self, environ: WSGIEnvironment) -> Resolution:
        """Walk the corridor for a request, from what its server tells of the target."""
        target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
        mount_point, path = environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO") or "/"
        if mount_point and not path.startswith("/"):
            # The server cut the path in the middle of a segment: nothing is mounted there.
            return Resolution(mount_point + path, status=404, reason=OFF_MOUNT_POINT)
        if _lacks_host(environ):
            return Resolution(target or path, status=400, reason=NO_HOST)
        server = self._server(environ)
        if not target:
            query = environ.get("QUERY_STRING", "")
            return resolve_path_info(self.table, path, query, rules=self.rules, server=server)
        return resolve(
            self.table,
            target,
            rules=self.rules,
            server=server,
            mount_point=mount_point,
        )

    def _server(self, environ: WSGIEnvironment) -> Server:
        """What the names of groups are made of."""
        port: str = environ.get("SERVER_PORT", "")
        name = self.server_name
        if _listens_on_a_path(environ):
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

    def _accepts_host(self, environ: WSGIEnvironment) -> bool:
        """Whether the Host header may be as it is; a valid one is remembered."""
        host = environ.get("HTTP_HOST")
        if not host:
            return environ.get("SERVER_PROTOCOL") != "HTTP/1.1"
        if not is_valid_host(host):
            return False
        if len(host) <= LONGEST_REMEMBERED:
            if len(self._hosts) >= MOST_HOSTS:
                self._hosts.clear()
            self._hosts.add(host)
        return True

    def _recognise(self, path: str) -> Known | None:
        """What a plan makes of a path; None where the corridor must be walked."""
        if self._plans is None or path in self.own_pages or not is_clean(path):
            return None
        known: Known = FALLBACK
        hit = self._lookup(path)
        if hit is not None:
            position, found = hit
            plan = self._plans[position]
            parts = plan.split(path, found) if plan is not None else None
            if plan is None or parts is None:
                return None
            script = self._script_of(plan, parts[0])
            if script is None:
                return None
            known = script, plan, parts[1], parts[2]
        self._new_paths += 1
        if self._new_paths % REMEMBERED_ONE_IN == 0 and len(path) <= LONGEST_REMEMBERED:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[path] = known
        return known

    def _script_of(self, plan: Plan, path: str) -> LoadedScript | str | None:
        if plan.place is None:
            return self.scripts.loaded.get(path)
        return path if path in self._elsewhere else None

    def _go_elsewhere(
        self,
        script: str,
        known: Known,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        _, plan, script_name, path_info = known
        assert plan is not None
        assert plan.place is not None
        callers, environ = environ, environ | plan.gains
        callers |= plan.tells
        callers[SCRIPT_NAME] = environ["SCRIPT_NAME"] = script_name
        environ["PATH_INFO"] = path_info
        environ["SCRIPT_FILENAME"] = script
        if not plan.pass_authorization:
            environ.pop("HTTP_AUTHORIZATION", None)
        return self._relay(plan.place, environ, start_response)

    def _relay(
        self, place: Place, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        assert self.places is not None
        try:
            if self.interpreters is None or not place.application_group:
                return self.places.relay(place, environ, start_response)
            if place.process_group:
                return self.places.relay_inside(place, environ, start_response)
            link = self.interpreters.link(place, environ)
            return relay(link, environ, start_response)
        except DaemonError as error:
            self._log_failure(place, error, environ)
            if error.status == 408:
                close_connection(start_response)
            if error.status == 404:
                # The script is gone: the corridor tells what becomes of its urls now.
                self._elsewhere.discard(environ["SCRIPT_FILENAME"])
                self._remembered.clear()
            return error_page(error.status, environ, start_response)

    def _log_failure(self, place: Place, error: DaemonError, environ: WSGIEnvironment) -> None:
        """Log what a client gets instead of a response; that there is no room, once in a while."""
        if error.status in (400, 408) or error.is_logged:
            # Any visitor can cause the former; an error should be in a log once.
            logger.info("%s: %s", place.label, error)
        elif error.status != 503:
            logger.error("%s: %s: %s", place.label, _request_of(environ), error)
        elif self._seldom.is_due((place.process_group, str(error))):
            logger.error("%s: %s", place.label, error)

    def _walk(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if (page := self.own_pages.get(environ.get("PATH_INFO", ""))) is not None:
            return page(environ, start_response)
        callers, environ = environ, _with_host_of_target(environ)
        resolution = self.resolve(environ)
        if resolution.status is None:
            return self.fallback(environ, start_response)
        if resolution.status != 200:
            level = logging.ERROR if resolution.status == 500 else logging.INFO
            logger.log(level, "%s: %s", resolution.target, resolution.reason)
            return error_page(resolution.status, environ, start_response)
        if not self.chunked_request and environ.get("HTTP_TRANSFER_ENCODING"):
            return error_page(411, environ, start_response)
        mount_point = environ.get("SCRIPT_NAME", "").rstrip("/")
        script_name = mount_point + str(resolution.script_name)
        environ = environ | {"SCRIPT_NAME": script_name}
        callers |= told_of(resolution)
        callers[SCRIPT_NAME] = shown(script_name)
        return self._run(resolution, environ, start_response)

    def _run(
        self, resolution: Resolution, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        script, callable_object = resolution.script, resolution.callable_object
        assert script is not None
        assert callable_object is not None
        place = self._place(resolution)
        if place is None:
            try:
                application = self.scripts.get(script).application(callable_object)
            except ScriptError as error:
                _log(error)
                return error_page(error.status, environ, start_response)
        self._keep_plan(resolution, place)
        environ = environ | {
            "SCRIPT_FILENAME": script,
            "PATH_INFO": str(resolution.path_info),
            **mod_wsgi_keys(resolution),
        }
        if not resolution.pass_authorization:
            environ.pop("HTTP_AUTHORIZATION", None)
        if place is not None:
            return self._relay(place, environ, start_response)
        expect_whole_body(environ)
        return _call(application, environ, start_response)

    def _place(self, resolution: Resolution) -> Place | None:
        """Where the script runs, None for here."""
        if self.places is None:
            return None
        group = resolution.group or GroupName("")
        place = Place(str(resolution.process_group), group.text, group.kind, group.is_chosen)
        return None if place.is_here else place

    def _keep_plan(self, resolution: Resolution, place: Place | None) -> None:
        if self._plans is not None and resolution.match is not None:
            position = resolution.match.position
            location = self.table.locations[position]
            self._plans[position] = make_plan(resolution, location, self.rules, place)
            if place is not None:
                self._elsewhere.add(str(resolution.script))


def is_here(alias: Alias) -> bool:
    """Whether an alias names the embedded process group and the main interpreter, in full."""
    return alias.process_group == GLOBAL and alias.application_group == GLOBAL


def _lacks_host(environ: WSGIEnvironment) -> bool:
    """Whether a request of HTTP/1.1 names no host: its header is missing, or empty and all."""
    host = environ.get("HTTP_HOST")
    if host or environ.get("SERVER_PROTOCOL") != "HTTP/1.1":
        return False
    return host is None or authority_of(_target_of(environ)) is None


def _target_of(environ: WSGIEnvironment) -> str:
    return environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"


def _listens_on_a_path(environ: WSGIEnvironment) -> bool:
    """Whether the server is gunicorn and listens on a unix socket."""
    return getattr(environ.get("gunicorn.socket"), "family", None) == socket.AF_UNIX


def _with_host_of_target(environ: WSGIEnvironment) -> WSGIEnvironment:
    """
    Replace the Host header by the host of an absolute-form target, as Apache does.

    RFC 9112 3.2.2 asks for it: what the header says then is not looked at.
    """
    authority = authority_of(_target_of(environ))
    if authority is None or "HTTP_HOST" not in environ:
        return environ
    return environ | {"HTTP_HOST": authority}


def guarded(body: Iterable[bytes], script: str) -> Iterator[bytes]:
    """
    Pass a generator's body on, but no SystemExit.

    It would end the server's worker, and all the applications with it. Raises ApplicationExit.
    """
    try:
        yield from body
    except SystemExit as error:
        raise ApplicationExit(script, error.code) from error


def _call(
    application: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
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
