"""
gunicorn's configuration for process groups: ``gunicorn -c python:django_wsgimatch.gunicorn``.

The groups are started by gunicorn's arbiter, before its workers. A HUP reaches the workers only if
the new settings are sound; with --preload they and the groups keep the settings of before. A
configuration of your own takes the hooks over::

    from django_wsgimatch.gunicorn import on_reload, when_ready

Started as root with ``--user``, gunicorn becomes that user before it opens a file: one small
process of ours stays root, the starter of the groups (``asroot.launch``).
"""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from .asroot.accounts import account
from .asroot.launch import ALLOW_ROOT, NO_USER, hand_on
from .daemon.definition import Definition
from .daemon.front.front import Places
from .daemon.front.server_manager import NO_STARTER
from .daemon.log_times import given_zone, write_access_times_in, write_times_in, zone_of
from .daemon.manager.starting import CHOSEN, STARTER
from .daemon.servers.directory import directory_of
from .daemon.servers.own_python import own_python
from .daemon.servers.owner import owner_of, watch_of_gunicorn
from .exceptions import ManagerError, SettingError
from .server.leaving import Leaving, closing_listeners
from .server.worker_renewal import WorkerRenewal

logger = logging.getLogger("gunicorn.error")

# Loading a project's settings takes less, in seconds.
SECONDS = 60
# What ``django_wsgimatch.server.group_definition`` exits with where the settings cannot be used. A
# worker that does not start has the same status, and with it the server.
REFUSED = 3
# The exit status of a server whose starter has ended: systemd starts it again (Restart=on-failure).
WITHOUT_STARTER = 70

OWN_FILE = (
    "gunicorn runs as root, with a configuration file of your own. Start it by `manage.py "
    "wsgimatch serve -c FILE ...`: that becomes the server's user first"
)

# What the last look at the settings has told, until it is given to the manager.
_told: dict[int, Any] = {}


def become_user(cfg: Any) -> NoReturn:
    """
    Start this very command again as the user that gunicorn is to run as.

    It stands in place of gunicorn's class of loggers, as root alone: that is called once all is
    configured, and before gunicorn opens, as root, a log that lies in its user's folder. Raises
    RuntimeError, which gunicorn shows.
    """
    try:
        if cfg.uid == 0:
            raise SettingError(NO_USER)
        server = account(str(cfg.uid), str(cfg.gid))
        command = [sys.executable, *sys.orig_argv[1:]]
        hand_on(server, [], list(cfg.settings["bind"].get()), command)
    except (SettingError, OSError) as error:
        raise RuntimeError(str(error)) from error


if os.geteuid() == 0 and not os.environ.get(ALLOW_ROOT):
    logger_class = f"{__name__}.{become_user.__name__}"


def when_ready(server: Any) -> None:
    """Have the groups started before the first worker is, and look after HUP and the manager."""
    if os.geteuid() == 0 and not os.environ.get(ALLOW_ROOT):
        raise RuntimeError(OWN_FILE)
    _keep_to_its_own_control_socket(server.cfg)
    _keep_to_one_zone(server.log)
    server.handle_hup = _guarded(server, server.handle_hup)
    server.maybe_promote_master = _watching(server, server.maybe_promote_master)
    server.handle_term = _draining(server, server.handle_term)
    server.stop = _cleaning(server, server.stop)
    server.worker_class = closing_listeners(server.worker_class)
    WorkerRenewal(server).begin()
    try:
        told = ask_for_definition(server)
    except SettingError as error:
        logger.error("The settings cannot be used:\n%s", error)
        server.halt(reason="the settings cannot be used", exit_status=REFUSED)
    # Where the project cannot be loaded, the workers say so, as ever.
    if told is not None:
        _open(server, told)


def _keep_to_its_own_control_socket(cfg: Any) -> None:
    """Turn gunicorn's control socket off where it is the one that all servers of a user share."""
    setting = cfg.settings.get("control_socket")
    if setting is not None and setting.get() == setting.default:
        cfg.set("control_socket_disable", True)


def _keep_to_one_zone(log: Any) -> None:
    """Have the log's times in the zone that the server was started in, in its workers too."""
    zone = zone_of(given_zone())
    write_times_in(zone)
    write_access_times_in(zone, log)


def on_reload(server: Any) -> None:
    """Give the manager the new settings."""
    # gunicorn has made the handlers of its logs anew.
    _keep_to_one_zone(server.log)
    # gunicorn has read its settings anew.
    server.worker_class = closing_listeners(server.worker_class)
    told = _told.pop(server.pid, None)
    if server.cfg.preload_app:
        told = _as_before(server)
    if told is not None:
        _open(server, told)


def _as_before(server: Any) -> dict[str, Any] | None:
    """
    Return what the manager was told, as of now: the groups get the new code.

    With --preload the workers keep the settings of before, and the groups have to fit them.
    """
    told: dict[str, Any] | None = getattr(server, "wsgimatch_told", None)
    if told is None or told.get("definition") is None:
        return told
    return {**told, "definition": {**told["definition"], "time": time.monotonic()}}


def ask_for_definition(server: Any) -> dict[str, Any] | None:
    """
    Return what ``django_wsgimatch.server.group_definition`` prints.

    {} stands for a project without groups; None, after an error in the log, for one that cannot
    be loaded. Raises SettingError where its WSGIMATCH_ settings cannot be used.
    """
    cfg = server.cfg
    path = [*filter(None, [cfg.pythonpath, os.environ.get("PYTHONPATH")])]
    try:
        done = subprocess.run(
            [own_python(), "-m", "django_wsgimatch.server.group_definition"],
            env={**os.environ, **({"PYTHONPATH": os.pathsep.join(path)} if path else {})},
            cwd=cfg.chdir,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        if not done.returncode:
            told: dict[str, Any] = json.loads(done.stdout) or {}
            return told
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        logger.error("The settings cannot be read for process groups: %s", error)
        return None
    text = done.stderr.decode(errors="backslashreplace").rstrip()
    if done.returncode == REFUSED:
        raise SettingError(text)
    logger.error("The settings cannot be used:\n%s", text)
    return None


def _open(server: Any, told: dict[str, Any]) -> None:
    if not told:
        return
    os.environ[CHOSEN] = told["base"]
    server.wsgimatch_told = told
    directory = directory_of(owner_of(server.pid), told["base"])
    seconds = told.get("drain_seconds") or 0.0
    server.wsgimatch_leaving = Leaving(directory, seconds, is_own=told.get("definition") is None)
    _open_places(server, told)


def _open_places(server: Any, told: dict[str, Any]) -> None:
    if told.get("definition") is None:
        return
    environment = {k: v for k, v in told["environment"].items() if k != "PYTHONPATH"}
    definition = Definition.from_json(told["definition"])
    definition = replace(definition, watch=watch_of_gunicorn(server.cfg))
    places = Places(definition, told["base"], owner_of(server.pid), environment)
    try:
        places.open()
        server.wsgimatch_places = places
    except (ManagerError, SettingError, OSError) as error:
        logger.error("The process groups cannot be started: %s", error)


def _draining(server: Any, handle_term: Callable[[], None]) -> Callable[[], None]:
    """A TERM has the server say that it is not ready; it ends after that, or at a second one."""

    def draining() -> None:
        leaving: Leaving | None = getattr(server, "wsgimatch_leaving", None)
        if leaving is None or not leaving.begin():
            handle_term()
            return
        logger.info(
            "The server is not ready any more, and ends in %g s (WSGIMATCH_DRAIN_SECONDS), or at "
            "another TERM.",
            leaving.seconds,
        )

    return draining


def _cleaning(server: Any, stop: Callable[..., None]) -> Callable[..., None]:
    def cleaning(*arguments: Any, **options: Any) -> None:
        stop(*arguments, **options)
        leaving: Leaving | None = getattr(server, "wsgimatch_leaving", None)
        if leaving is not None:
            leaving.clean()

    return cleaning


def _guarded(server: Any, handle_hup: Callable[[], None]) -> Callable[[], None]:
    """A HUP with settings that cannot be used would end gunicorn, the old workers too."""

    def guarded() -> None:
        if server.cfg.preload_app:
            handle_hup()
            return
        try:
            told = ask_for_definition(server)
        except SettingError as error:
            logger.error("The settings cannot be used:\n%s", error)
            told = None
        if told is None:
            logger.error("HUP is ignored: the server keeps the settings of before.")
            return
        _told[server.pid] = told
        handle_hup()

    return guarded


def _watching(server: Any, turn: Callable[[], None]) -> Callable[[], None]:
    """Look each second, in gunicorn's own turn, whether the manager and the starter are there."""
    said = ""

    def watching() -> None:
        nonlocal said
        turn()
        leaving: Leaving | None = getattr(server, "wsgimatch_leaving", None)
        if leaving is not None and leaving.is_over:
            raise StopIteration
        _define_again(server)
        places: Places | None = getattr(server, "wsgimatch_places", None)
        if not has_starter():
            logger.critical("The server ends: %s", NO_STARTER)
            server.halt(reason=NO_STARTER, exit_status=WITHOUT_STARTER)
        if places is None:
            return
        try:
            places.keep_open()
            said = ""
        except (ManagerError, SettingError, OSError) as error:
            if str(error) != said:
                logger.error("The manager of the groups cannot be started again: %s", error)
            said = str(error)

    return watching


def _define_again(server: Any) -> None:
    """While developing, a worker that has taken the place of another one has read the settings."""
    before = getattr(server, "wsgimatch_worker_age", server.worker_age)
    server.wsgimatch_worker_age = server.worker_age
    if not server.cfg.reload or server.worker_age == before:
        return
    try:
        _open_places(server, ask_for_definition(server) or {})
    except SettingError as error:
        logger.error("The settings cannot be used:\n%s", error)


def has_starter() -> bool:
    """Whether the starter is there, or has never been."""
    given = os.environ.get(STARTER)
    if given is None:
        return True
    # It sends nothing here: that there is something to read is its end.
    return not select.select([int(given.partition(",")[0])], [], [], 0)[0]
