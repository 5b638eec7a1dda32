"""
The entry: ``gunicorn django_wsgimatch.wsgi``.

Serves the alias table of the Django project whose settings DJANGO_SETTINGS_MODULE names; without
it, of the project whose ``manage.py`` stands in the current folder. The same entry serves as
``WSGI_APPLICATION = "django_wsgimatch.wsgi.application"`` under runserver.
"""

from __future__ import annotations

import gc
import inspect
import logging
import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import django
from django.utils.module_loading import import_string

from .aliases.alias import Alias, Redirection
from .aliases.file_options import FileOptions
from .aliases.groups import GLOBAL
from .answers.access.host_names import HostNames
from .answers.access.judging import Judge
from .answers.access.kept_files import UserFiles
from .answers.access.passwords import Remembered
from .answers.first_files import FilesFirst, tried_files
from .answers.plain_http import PlainHttp
from .answers.proxies.wrapper import BehindProxies
from .answers.rewriter import Rewriter
from .asroot.launch import ALLOW_ROOT, AS_ROOT, NO_USER
from .conf import access_index, configuration, has_access_rules, rewrites_by_host
from .configured import Configuration
from .daemon.front.front import Places
from .daemon.front.gate import Limits
from .daemon.front.server_manager import keep_starter_private
from .daemon.group.worker.interpreters import Interpreters
from .daemon.log_times import given_zone, write_times_in, zone_of
from .daemon.options import GroupOptions
from .daemon.servers.directory import directory_of, sweep
from .daemon.servers.own_python import own_packages
from .daemon.servers.owner import frame_of_arbiter, this_server, watch_of_this_server
from .dispatcher import Dispatcher
from .doctor.findings.finding import STATUS, CannotStart
from .exceptions import ManagerError, SettingError, SocketDirectoryError
from .places import (
    body_timeout,
    definition,
    environment_of_groups,
    has_places,
    is_defined_by_arbiter,
    project_name,
    scripts_of_main_interpreters,
    server_ports,
    socket_directory,
)
from .project import use_settings_of_manage_py
from .server.access_gate import AccessGate, own_rules
from .server.before_fork import Unfinished, preloading_arbiter
from .server.error_pages import ErrorPages
from .server.health import Health
from .server.spokesman import Spokesman
from .settings_guard import VARIABLE

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


logger = logging.getLogger("django_wsgimatch")

Made = TypeVar("Made")

BAD_MOUNT_POINT = (
    "SCRIPT_NAME is %r in the environment: no URL lies below it, so that every one is a 404. "
    "It should be %r."
)


def get_application() -> WSGIApplication:
    """
    Return the application of the project's table, its scripts preloaded by mod_wsgi's rule.

    Raises CannotStart with all that is wrong in the settings.
    """
    refuse_root()
    return make_application(read_settings())


def read_settings() -> Configuration:
    """Return the configuration. Raises CannotStart with all that is wrong in it."""
    write_times_in(zone_of(given_zone()))
    use_settings_of_manage_py()
    configured = configuration()
    configured.require()
    return configured


def make_application(configured: Configuration) -> WSGIApplication:
    """
    Return what answers for a configuration: the dispatcher, behind access rules and what rewrites.

    What trusted proxies tell comes first: the rules ask who the client is, and what answers over
    plain HTTP, before them, asks for the scheme. Files that come first are those of the URL that is
    asked for; the rules, and all behind them, see what it is rewritten to. Raises CannotStart.
    """
    dispatcher = make_dispatcher(configured)
    application: WSGIApplication = dispatcher
    gate = with_access(configured, dispatcher) if has_access_rules(configured) else None
    if gate is not None:
        application = gate
    if rewrites := rewrites_by_host(configured):
        # The rules are those of the new URL, as in Apache.
        application = Rewriter(
            application,
            rewrites,
            dispatcher.server_of,
            rules=configured.rules,
            is_exempt=partial(is_page_of_ours, dispatcher),
        )
    if configured.files_first:
        application = with_files_first(configured, application, dispatcher, gate)
    if configured.plain_http is not None:
        application = PlainHttp(
            application,
            configured.plain_http.table,
            server_of=dispatcher.server_of,
            rules=configured.rules,
            is_exempt=partial(is_page_of_ours, dispatcher),
        )
    if configured.error_pages:
        application = ErrorPages(application, configured.error_pages)
    return (
        application
        if configured.proxies is None
        else BehindProxies(application, configured.proxies)
    )


def make_dispatcher(configured: Configuration) -> Dispatcher:
    """Return the dispatcher for a configuration, its scripts preloaded. Raises CannotStart."""
    django.setup(set_prefix=False)
    values = configured.values
    limits = Limits(values["THREADS_PER_PLACE"], body_timeout(configured))
    dispatcher = Dispatcher(
        configured.table,
        _fallback(values["FALLBACK"]),
        rules=configured.rules,
        reloading=values["SCRIPT_RELOADING"],
        reload_interval=values["SCRIPT_RELOAD_INTERVAL"],
        settings_module=os.environ[VARIABLE],
        server_name=values["SERVER_NAME"],
        server_ports=server_ports(configured),
        chunked_request=values["CHUNKED_REQUEST"],
        places=open_places(configured, limits),
        interpreters=make_interpreters(configured, limits),
    )
    warn_of_mount_point()
    here = scripts_of_main_interpreters(configured)
    dispatcher.preload(script for place, script in here if place.is_here)
    if values["HEALTH_PATH"] is not None:
        health = open_health(configured, dispatcher)
        dispatcher.own_pages = health.pages(values["HEALTH_PATH"])
    return dispatcher


def with_access(configured: Configuration, application: Dispatcher) -> AccessGate:
    """Return an application behind the access rules of the settings."""
    values = configured.values
    return AccessGate(
        application,
        access_index(configured),
        Judge(
            UserFiles(values["SCRIPT_RELOAD_INTERVAL"]),
            Remembered(values["ACCESS_REMEMBER"]),
            HostNames(),
        ),
        configured.table,
        rules=configured.rules,
        is_exempt=partial(is_page_of_ours, application),
        # As in Apache, which redirects before it asks who comes.
        comes_first=lambda alias: isinstance(alias.answer, Redirection),
        own_rules=own_rules,
        served_uris=index_uris,
    )


def is_page_of_ours(dispatcher: Dispatcher, environ: WSGIEnvironment) -> bool:
    """Whether a request is for a page of WSGIMATCH_HEALTH_PATH."""
    return environ.get("PATH_INFO") in dispatcher.own_pages


def with_files_first(
    configured: Configuration,
    application: WSGIApplication,
    dispatcher: Dispatcher,
    gate: AccessGate | None,
) -> FilesFirst:
    """
    Return an application, which asks a dispatcher, with the files before it that come first.

    They are those of the URL that is asked for, not of what it may be rewritten to.
    """

    def guard(number: int, sender: WSGIApplication) -> WSGIApplication:
        """Have a file meet all that its URL would meet without it, and its own rules."""
        if gate is None:
            return sender
        entry = configured.files_first[number].table
        own = gate.before(sender, entry, own_rules=own_rules, served_uris=index_uris)
        return gate.before(own, configured.table, own_rules=own_rules)

    return FilesFirst(
        application,
        tried_files(configured),
        rules=configured.rules,
        guard=guard,
        is_exempt=partial(is_page_of_ours, dispatcher),
    )


def index_uris(alias: Alias, uri: str) -> list[str]:
    """Return the uris of the files that may answer for a folder: their own rules hold, too."""
    answer = alias.answer
    if not isinstance(answer, FileOptions) or not uri.endswith("/"):
        return []
    return [uri + name for name in answer.index]


def warn_of_mount_point() -> None:
    """Log that no URL will be answered where the environment's SCRIPT_NAME is no prefix of any."""
    prefix = os.environ.get("SCRIPT_NAME", "")
    if prefix and (prefix.endswith("/") or not prefix.startswith("/")):
        logger.warning(BAD_MOUNT_POINT, prefix, f"/{prefix.strip('/')}".rstrip("/"))


def refuse_root() -> None:
    """Raise CannotStart where the applications would run as root, unless that is said."""
    if os.geteuid() != 0:
        return
    if not os.environ.get(ALLOW_ROOT):
        raise CannotStart(NO_USER[:1].upper() + NO_USER[1:])
    logger.warning(AS_ROOT)


def open_places(configured: Configuration, limits: Limits) -> Places | None:
    """Return the places outside this process, their manager started; None where there are none."""
    if not has_places(configured):
        return None
    try:
        places = Places(
            definition(configured),
            socket_directory(configured),
            environment=environment_of_groups(),
            is_defining=not is_defined_by_arbiter(),
            limits=limits,
        )
        places.open()
    except SocketDirectoryError as error:
        raise CannotStart(f"WSGIMATCH_SOCKET_DIRECTORY: {error}") from error
    except (ManagerError, SettingError, OSError) as error:
        raise CannotStart(f"WSGIMATCH_PROCESS_GROUPS: {error}") from error
    if not is_defined_by_arbiter():
        places.watch()
    keep_starter_private()
    return places


def open_health(configured: Configuration, dispatcher: Dispatcher) -> Health:
    """
    Return what answers below WSGIMATCH_HEALTH_PATH.

    Raises CannotStart where `wsgimatch drain` could not find this server.
    """
    owner = this_server()
    directory = directory_of(owner, socket_directory(configured))
    health = Health(dispatcher.preloads, dispatcher.places, owner, directory, project_name())
    try:
        health.open()
        sweep(directory.base)
    except (SocketDirectoryError, OSError) as error:
        raise CannotStart(f"WSGIMATCH_HEALTH_PATH: {error}") from error
    return health


def make_interpreters(configured: Configuration, limits: Limits) -> Interpreters | None:
    """Return the sub interpreters of this process, None where application groups are processes."""
    backend = configured.values["APPLICATION_GROUP_BACKEND"]
    if backend == "process" or not has_places(configured):
        return None
    options = configured.groups.get(GLOBAL, GroupOptions())
    return Interpreters(
        backend,
        packages=own_packages(),
        settings_module=options.settings,
        threads=options.threads,
        most=options.maximum_application_groups,
        limits=limits,
    )


def _fallback(path: str | None) -> WSGIApplication | None:
    if path is None:
        return None
    try:
        factory = import_string(path)
        inspect.signature(factory).bind()
    except ImportError as error:
        raise CannotStart(f"WSGIMATCH_FALLBACK: {error}") from error
    except TypeError as error:
        # Most likely the path of an application, as in WSGI_APPLICATION.
        raise CannotStart(
            f"WSGIMATCH_FALLBACK: {path!r} should be a function that takes no arguments and "
            f"returns an application: {error}"
        ) from error
    application: WSGIApplication = factory()
    return application


def start() -> WSGIApplication | Unfinished:
    """
    Return the application of this server.

    Where gunicorn loads it before it forks, each worker makes it of the configuration that they
    share. Where the settings cannot be used, the server's worker ends.
    """
    arbiter = preloading_arbiter()
    configured = or_say_why_not(begin)
    make = partial(or_say_why_not, partial(make_application, configured))
    return make() if arbiter is None else Unfinished(arbiter, make)


def begin() -> Configuration:
    """Read the settings, and keep what there is now from the garbage collector."""
    refuse_root()
    configured = read_settings()
    # Optimization: among 100,000 aliases a full collection took 0.2 s, and in a worker that shares
    # them it would copy them all.
    gc.freeze()
    return configured


def or_say_why_not(make: Callable[[], Made]) -> Made:
    """
    Return what a function makes at the start of the server.

    Where the settings cannot be used it says so without a traceback, and the server's worker ends.
    While gunicorn reloads, it raises SyntaxError for whatever is wrong.
    """
    try:
        return make()
    except Exception as error:
        is_reloaded = frame_of_arbiter() is not None and watch_of_this_server() is not None
        if is_reloaded and not isinstance(error, SyntaxError):
            raise for_reloader(error) from error
        if not isinstance(error, CannotStart):
            raise
        log = logging.getLogger("gunicorn.error")
        if log.handlers:
            # gunicorn may have no standard error, but a log.
            raise SystemExit(_say_for_all(log, error)) from None
        print(error, file=sys.stderr, flush=True)
        raise SystemExit(STATUS) from None


def for_reloader(error: Exception) -> SyntaxError:
    """Return the one error after which gunicorn's reloader goes on, and waits for an edit."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__}: {error}"
    return SyntaxError(text, (place.filename, place.lineno, None, place.line))


def _say_for_all(log: logging.Logger, error: CannotStart) -> int:
    """Log why the server cannot start, unless another worker has; return the exit status."""
    spokesman = Spokesman(this_server())
    if spokesman.is_first:
        log.error("The server cannot start:\n%s", error)
    spokesman.stay()
    return STATUS if spokesman.is_first else 0


application = start()
