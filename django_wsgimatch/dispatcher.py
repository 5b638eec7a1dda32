"""
The WSGI application that sends each request to the script its alias names.

``Dispatcher(table, fallback)`` needs no Django::

    table = AliasTable.from_directives(["WSGIScriptAlias /blog /srv/blog.wsgi"])
    application = Dispatcher(table, fallback=other_application)

Every answer is that of ``corridor``, and is reached by one of three ways, the quickest first: what
is remembered of a path, the plan of its alias, the corridor itself. The first two stand here. Both
lead to something *known*: the script, and how the path is split.

1. The Host header leads to a *site*: a table with the plans of its aliases. Which one it is, and
   that the header may be as it is, is remembered.
2. The target leads to what is known: it is remembered, or the path in it is, or else the uri is
   looked up in the site's table, and the alias's plan splits the uri.
3. The script's file is looked at, if that is due; the names of groups are filled in, if a request
   decides about them; and the application is called, here or in its place.

Whatever is unusual walks: what is not known at one of these steps, and every request that may have
to be refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle
from time import monotonic
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from .aliases.hosts.validity import is_valid_host
from .aliases.index.candidates import Answer
from .aliases.resolve import Resolution, without_mount_point
from .aliases.table import AliasTable
from .answers.direct import Direct, direct
from .answers.extras import with_always
from .answers.proxies.asked import request_target
from .answers.proxies.mount import (
    MOUNT,
    own_mount_point,
    replaces_script_name,
    script_name_below,
)
from .corridor import Corridor, guarded, log_refusal
from .exceptions import ApplicationExit
from .plans.files import Answerer, Elsewhere, Refused
from .plans.keys import before_path, unusual_key
from .plans.names import (
    ALIAS,
    IN_APPLICATION_GROUP,
    IN_GROUP,
    PROCESS_GROUP,
    SCRIPT_NAME,
    Named,
)
from .plans.plan import Plan, Planner
from .plans.splits import Parts, Split, behind_the_location, divide, find_filename, parts_by
from .plans.targets import LONGEST_URI, uri_of
from .scripts import LoadedScript
from .server.pages import error_page
from .server.whole_body import expect_whole_body
from .text import shown

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# So many targets and paths are remembered, each of at most so many characters, and of those that
# are not known yet one in so many: what comes often is soon known, other things cost next to
# nothing. Then all is forgotten.
# Optimization: to keep what was remembered before, and look there as well, took 0.1 us more for a
# path that has never been asked for, and 0.09 us more for a mix, than to find it out again.
MOST_REMEMBERED = 4096
LONGEST_REMEMBERED = 256
REMEMBERED_ONE_IN = 16
# So many hosts that have been found valid are remembered, and twice as many as virtual hosts.
MOST_HOSTS = 1024

# Where a path leads: a script that runs here in groups that no request names, its alias's plan,
# SCRIPT_NAME, PATH_INFO, and SCRIPT_NAME as an access log has it. Where there is no such script,
# the last says what answers; where the groups depend on the request, it is the script's path.
Known = tuple[LoadedScript | None, Plan | None, str, str, str, Answerer | Direct | str | None]

FALLBACK: Known = (None, None, "", "", "", None)


class HostPlans:
    """A table, the plans of its aliases, and what is remembered of paths."""

    __slots__ = ("lookup", "plans", "remembered", "splits", "table")

    def __init__(self, table: AliasTable) -> None:
        self.table = table
        self.lookup = table.lookup_merged
        self.plans: list[Plan | None] = [None] * len(table.aliases)
        # Of the aliases whose scripts run here, in groups that no request names, without extras.
        self.splits: list[Split | None] = [None] * len(table.aliases)
        self.remembered: dict[str, Known] = {}

    def forget(self, target: str) -> None:
        """Forget where a target leads: it is no longer so."""
        for key in (target, target.partition("?")[0]):
            self.remembered.pop(key, None)

    def keep(self, position: int, plan: Plan | None) -> None:
        """Keep the plan of an alias."""
        is_usual = (
            plan is not None
            and plan.named is not None
            and plan.named[3] is None
            and plan.extras is None
        )
        self.plans[position] = plan
        self.splits[position] = plan.split if plan is not None and is_usual else None


class Dispatcher(Corridor):
    """
    Answers requests as Apache with mod_wsgi would.

    ``fallback`` answers what no alias matches; without one that is a 404. ``rules`` hold for
    all entries; ``reloading`` and ``settings_module`` are those of ``scripts.Scripts``, and a
    script's file is looked at once in ``reload_interval`` seconds. ``server_name`` is the
    ServerName in group names; None takes the server's. ``server_ports`` are ports of a Host header
    that count in them, besides the one that the server listens on; None for all. Without
    ``chunked_request`` a chunked request body is refused with 411, as mod_wsgi does by default.
    ``places`` answers what does not run here; without it all applications run here, whatever
    groups their aliases name. With ``interpreters``, application groups are sub interpreters.
    ``own_pages`` holds applications that answer their paths before the table does.

    The environ of a request that an alias answers gains three keys for an access log, and is left
    as it is otherwise.
    """

    def begin(self) -> None:
        """Remember nothing yet."""
        # By the identities of the tables: virtual hosts with equal entries share one.
        self._sites: dict[int, HostPlans] = {}
        self._hosts: dict[str | None, HostPlans] = {}
        self._most_hosts = max(MOST_HOSTS, 2 * len(self.table.virtual_hosts))
        self._loaded = self.files.loaded
        self._is_remembered = cycle([*[False] * (REMEMBERED_ONE_IN - 1), True])
        self._number_remembered = 0
        self._planner = Planner(self.rules, self.server_of, has_places=self.places is not None)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        # Optimization: a look into a dict took 0.03 us, a look at the host 1.0 us.
        site = self._hosts.get(environ.get("HTTP_HOST")) or self._site_of_new_host(environ)
        target: str | None = environ.get("RAW_URI") or environ.get("REQUEST_URI")
        if site and (not target or environ.get("SCRIPT_NAME")):
            path = environ.get("PATH_INFO", "")
            # Optimization: a remembered path took 0.2 us more where it was quoted first.
            is_new = target or environ.get("SCRIPT_NAME") or path not in site.remembered
            target = unusual_key(environ, target) if is_new or "%" in path or "?" in path else path
        if site is None or target is None:
            return self.walk(environ, start_response)
        # Optimization: a remembered target took half the time of a new one.
        known = site.remembered.get(target) or self._recognise(site, target, environ)
        if known is None or (not self.chunked_request and environ.get("HTTP_TRANSFER_ENCODING")):
            return self.walk(environ, start_response)
        script, plan, script_name, path_info, told, _ = known
        if script is None or plan is None:
            if plan is None:
                return self.fallback(environ, start_response)
            return self._answer_otherwise(site, target, known, environ, start_response)
        # Optimization: the stat() of is_current() took 1.8 us, a look at the clock takes 0.05 us.
        if monotonic() >= script.due and not self.files.holds(script):
            self._forget_one(site, target, script)
            return self.walk(environ, start_response)
        application: WSGIApplication | None = script.namespace.get(plan.callable_object)
        if application is None:
            return self.walk(environ, start_response)
        callers, environ = environ, {**environ}
        assert plan.named is not None
        environ[IN_GROUP], environ[IN_APPLICATION_GROUP], callers[PROCESS_GROUP], _ = plan.named
        callers[ALIAS], callers[SCRIPT_NAME] = plan.location, told
        environ["mod_wsgi.callable_object"] = plan.callable_object
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = script_name, path_info
        environ["SCRIPT_FILENAME"] = script.path
        if environ.get("CONTENT_LENGTH"):
            expect_whole_body(environ)
        if not plan.pass_authorization:
            environ.pop("HTTP_AUTHORIZATION", None)
        # Optimization: as run_application(), whose call took 0.05 us of 0.8.
        try:
            body = application(environ, start_response)
        except SystemExit as error:
            raise ApplicationExit(script.path, error.code) from error
        return guarded(body, script.path) if type(body) is GeneratorType else body

    def _answer_otherwise(
        self,
        site: HostPlans,
        target: str,
        known: Known,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Answer where no application is called here, or a request decides in which group."""
        _, plan, script_name, _, _, answerer = known
        assert plan is not None
        if isinstance(answerer, Direct):
            environ[ALIAS] = plan.location
            return self.answer(answerer, script_name, environ, start_response)
        named = plan.named
        if isinstance(answerer, str):
            assert plan.names is not None
            # Optimization: the look for the key takes 0.02 us, the call 0.07.
            if MOUNT in environ and replaces_script_name(environ):
                # The alias's own SCRIPT_NAME is part of the names, and is not known here.
                return self.walk(environ, start_response)
            mount_point = environ.get("SCRIPT_NAME", "").rstrip("/")
            named = plan.names.of(environ, script_name[len(mount_point) :])
            answerer = named and self.files.get(answerer, is_here=named[3] is None)
        if answerer is None or (monotonic() >= answerer.due and not self.files.holds(answerer)):
            self._forget_one(site, target, answerer)
            return self.walk(environ, start_response)
        if isinstance(answerer, Refused):
            start_response = with_always(plan.extras, start_response)
            return self._refuse(answerer, environ, start_response)
        assert named is not None
        return self._send(answerer, known, named, environ, start_response)

    def _refuse(
        self, answerer: Refused, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        told = request_target(environ) or environ.get("PATH_INFO") or "/"
        log_refusal(answerer.status, told, answerer.reason)
        return error_page(answerer.status, environ, start_response)

    def _send(
        self,
        answerer: LoadedScript | Elsewhere,
        known: Known,
        named: Named,
        environ: WSGIEnvironment,
        start_response: StartResponse,
    ) -> Iterable[bytes]:
        """Send a request to its script, here or in its place."""
        _, plan, script_name, path_info, told, _ = known
        assert plan is not None
        application: WSGIApplication | None = None
        if isinstance(answerer, LoadedScript):
            application = answerer.namespace.get(plan.callable_object)
            if application is None:
                return self.walk(environ, start_response)
        callers, environ = environ, {**environ}
        environ[IN_GROUP], environ[IN_APPLICATION_GROUP] = named[:2]
        environ["mod_wsgi.callable_object"] = plan.callable_object
        callers[ALIAS] = plan.location
        callers[PROCESS_GROUP], place = named[2:]
        callers[SCRIPT_NAME] = told
        environ["SCRIPT_NAME"] = script_name
        environ["PATH_INFO"] = path_info
        environ["SCRIPT_FILENAME"] = answerer.path
        if not plan.pass_authorization:
            environ.pop("HTTP_AUTHORIZATION", None)
        answers = place if application is None else application
        assert answers is not None
        return self.hand_over(answers, plan.extras, environ, start_response)

    def keep(self, resolution: Resolution, environ: WSGIEnvironment) -> None:
        """Keep the plan of the alias that a request has led to, and what is missing."""
        match = resolution.match
        if match is None:
            return
        if resolution.missing is not None:
            self.files.miss(resolution.missing)
        site = self._site(environ.get("HTTP_HOST", ""))
        aliases, position = site.table.aliases, match.position
        # A target may name another host than a request of HTTP/1.0, which need not have a header.
        if position >= len(aliases) or aliases[position] is not match.alias:
            return
        if site.plans[position] is None or resolution.script is not None:
            location = site.table.locations[position]
            # Where the way through the file system ends: at a script, or at what is missing.
            end = resolution.script or resolution.missing
            site.keep(position, self._planner.plan(match.alias, location, end))

    def forget(self) -> None:
        """Forget where paths lead: a script is gone, or there is no room for more."""
        self._number_remembered = 0
        for site in [*self._sites.values()]:
            site.remembered = {}

    def _forget_one(self, site: HostPlans, target: str, answerer: Answerer | None) -> None:
        """Forget where a target leads; a script that has been replaced is not kept in memory."""
        if isinstance(answerer, LoadedScript) and self._loaded.get(answerer.key) is not answerer:
            self.forget()
        else:
            site.forget(target)

    def _site(self, host: str) -> HostPlans:
        table = self.table.for_host(host)
        site = self._sites.get(id(table))
        if site is None:
            site = self._sites.setdefault(id(table), HostPlans(table))
        return site

    def _site_of_new_host(self, environ: WSGIEnvironment) -> HostPlans | None:
        """Return the site of a host, None for one that is refused; a valid one is remembered."""
        host = environ.get("HTTP_HOST")
        if not host:
            return self._site("") if environ.get("SERVER_PROTOCOL") != "HTTP/1.1" else None
        if not is_valid_host(host):
            return None
        site = self._site(host)
        if len(host) <= LONGEST_REMEMBERED:
            if len(self._hosts) >= self._most_hosts:
                self._hosts.clear()
            self._hosts[host] = site
        return site

    def _recognise(self, site: HostPlans, target: str, environ: WSGIEnvironment) -> Known | None:
        """What is known of a target that is not remembered; None where it must be walked."""
        # Optimization: one function of straight lines took 0.7 of the time of four.
        if "#" in target or " " in target or not target.isprintable():
            return None
        path, mark, _ = target.partition("?")
        if mark:
            known = site.remembered.get(path)
            if known is not None:
                if next(self._is_remembered):
                    self._remember(site, target, known)
                return known
        if (
            "%" in path
            or "//" in path
            or ("." in path and "/." in path)
            or target[0] != "/"
            or len(path) > LONGEST_URI
            or (self.own_pages and environ.get("PATH_INFO") in self.own_pages)
        ):
            known = self._decode(site, path, environ)
        elif (hit := site.lookup(path)) is None:
            known = FALLBACK
        else:
            found: Any
            position, found = hit
            split = site.splits[position]
            parts: Parts | None
            if split is None:
                parts = None
            elif split[0] is behind_the_location:
                # Optimization: as that function, whose call took 0.06 us.
                parts = split[1], split[2], path[found:]
            else:
                parts = split[0](split, path, found)
            script = None if parts is None else self._loaded.get(parts[0])
            if parts is None or script is None:
                known = self._find(site, path, hit, parts)
            else:
                _, script_name, path_info = parts
                known = script, site.plans[position], script_name, path_info, script_name, None
        if next(self._is_remembered) and known is not None:
            self._remember(site, path, known)
        return known

    def _decode(self, site: HostPlans, key: str, environ: WSGIEnvironment) -> Known | None:
        """What plans make of a path that is not its own uri, or lies below a SCRIPT_NAME."""
        mount_point = environ.get("SCRIPT_NAME", "")
        path = key[len(before_path(environ)) :] if mount_point else key
        uri = uri_of(path, merge_slashes=self.rules.merge_slashes)
        if uri is None or environ.get("PATH_INFO") in self.own_pages:
            return None
        if mount_point:
            uri = without_mount_point(uri, own_mount_point(environ))
        hit = site.lookup(uri)
        if hit is None:
            # The corridor gives the fallback no SCRIPT_NAME that is a slash alone.
            return None if mount_point == "/" else FALLBACK
        known = self._find(site, uri, hit)
        if known is None:
            return None
        script, plan, script_name, path_info, _, answerer = known
        if mount_point:
            script_name = script_name_below(environ, script_name)
        return script, plan, script_name, path_info, shown(script_name), answerer

    def _remember(self, site: HostPlans, key: str, known: Known) -> None:
        if len(key) > LONGEST_REMEMBERED:
            return
        if self._number_remembered >= MOST_REMEMBERED:
            self.forget()
        self._number_remembered += 1
        site.remembered[key] = known

    def _find(
        self, site: HostPlans, uri: str, hit: Answer, parts: Parts | None = None
    ) -> Known | None:
        """
        What the plan of the alias that matches, and the known files, make of a uri.

        ``parts`` are those that the plan's split makes of it, if that has been asked already.
        """
        position, found = hit
        plan = site.plans[position]
        if plan is None:
            return None
        if plan.refusal is not None:
            return None, plan, "", "", "", plan.refusal
        if plan.is_direct:
            match = site.table.match(uri)
            return None, plan, "", "", "", None if match is None else direct(match)
        is_here = None if plan.named is None else plan.named[3] is None
        if parts is None and plan.split is not None:
            parts = parts_by(plan.split, uri, found)
        answerer: Answerer | None = None
        if parts is not None:
            answerer = self.files.get(parts[0], is_here=is_here) or self.files.lacks(parts[0])
        if answerer is None:
            parts = self._searched(plan, uri, found)
            answerer = self.files.get(parts[0], is_here=is_here) if parts is not None else None
        if parts is None or answerer is None:
            return None
        path, script_name, path_info = parts
        if is_here is None and not isinstance(answerer, Refused):
            return None, plan, script_name, path_info, script_name, path
        if isinstance(answerer, LoadedScript) and plan.extras is None:
            return answerer, plan, script_name, path_info, script_name, None
        return None, plan, script_name, path_info, script_name, answerer

    def _searched(self, plan: Plan, uri: str, found: Any) -> Parts | None:
        """What the known files make of a uri whose script the alias alone does not tell."""
        if not plan.target:
            # It is a module, which the corridor has yet to find.
            return None
        filename = find_filename(plan.target, plan.location, plan.filling, uri, found)
        path = self.files.find(filename, plan.directory) if filename is not None else None
        if filename is None or path is None:
            return None
        return divide(path, uri, filename[len(path) :])
