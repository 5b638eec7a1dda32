"""
gunicorn's configuration for process groups: ``gunicorn -c python:django_wsgimatch.gunicorn``.

The groups are started by gunicorn's arbiter, before its workers give up the rights of root; so
they can run as other users. A HUP reaches the workers only if the new settings are sound.
A configuration of your own takes the hooks over::

    from django_wsgimatch.gunicorn import on_reload, when_ready
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from .daemon.definition import Definition
from .daemon.front import Places, own_python
from .daemon.owner import Owner, start_time
from .daemon.starting import CHOSEN
from .exceptions import ManagerError, SettingError

logger = logging.getLogger("gunicorn.error")

# Loading a project's settings takes less, in seconds.
SECONDS = 60

# What the last look at the settings has told, until it is given to the manager.
_told: dict[int, Any] = {}


def when_ready(server: Any) -> None:
    """Have the groups started before the first worker is, and look after HUP and the manager."""
    server.handle_hup = _guarded(server, server.handle_hup)
    server.handle_chld = server.handle_cld = _watching(server, server.handle_chld)
    told = ask_for_definition(server)
    # Where the settings are wrong, the workers say so, as ever.
    if told is not None:
        _open(server, told)


def on_reload(server: Any) -> None:
    """Give the manager the new settings."""
    told = _told.pop(server.pid, None)
    if told is not None:
        _open(server, told)


def ask_for_definition(server: Any) -> dict[str, Any] | None:
    """
    Return what ``django_wsgimatch.defining`` prints, run as the workers' user.

    {} stands for a project without groups; None, after an error in the log, for one whose
    settings cannot be used.
    """
    cfg = server.cfg
    path = [*filter(None, [cfg.pythonpath, os.environ.get("PYTHONPATH")])]
    account: dict[str, Any] = {}
    if os.geteuid() == 0 and cfg.uid != 0:
        account = {"user": cfg.uid, "group": cfg.gid, "extra_groups": []}
    try:
        done = subprocess.run(
            [own_python(), "-m", "django_wsgimatch.defining"],
            env={**os.environ, **({"PYTHONPATH": os.pathsep.join(path)} if path else {})},
            cwd=cfg.chdir,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            **account,
        )
        if not done.returncode:
            told: dict[str, Any] = json.loads(done.stdout) or {}
            return told
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        logger.error("The settings cannot be read for process groups: %s", error)
        return None
    text = done.stderr.decode(errors="backslashreplace").rstrip()
    logger.error("The settings cannot be used:\n%s", text)
    return None


def _open(server: Any, told: dict[str, Any]) -> None:
    if not told:
        return
    os.environ[CHOSEN] = told["base"]
    environment = {k: v for k, v in told["environment"].items() if k != "PYTHONPATH"}
    places = Places(
        Definition.from_json(told["definition"]),
        told["base"],
        Owner(server.pid, start_time(server.pid) or ""),
        (server.cfg.uid, server.cfg.gid),
        environment,
    )
    try:
        places.open()
        server.wsgimatch_places = places
    except (ManagerError, SettingError, OSError) as error:
        logger.error("The process groups cannot be started: %s", error)


def _guarded(server: Any, handle_hup: Callable[[], None]) -> Callable[[], None]:
    """A HUP with settings that cannot be used would end gunicorn, the old workers too."""

    def guarded() -> None:
        told = ask_for_definition(server)
        if told is None:
            logger.error("HUP is ignored: everything serves on with the settings of before.")
            return
        _told[server.pid] = told
        handle_hup()

    return guarded


def _watching(server: Any, handle_chld: Callable[[], None]) -> Callable[[], None]:
    """The arbiter's children end: perhaps somebody has ended the manager, too."""

    def watching() -> None:
        handle_chld()
        places: Places | None = getattr(server, "wsgimatch_places", None)
        if places is not None:
            try:
                places.keep_open()
            except (ManagerError, SettingError, OSError) as error:
                logger.error("The manager of the groups cannot be started again: %s", error)

    return watching


def arguments(given: list[str]) -> list[str]:
    """
    Return the command with which ``manage.py wsgimatch serve`` becomes gunicorn.

    Raises SettingError for a configuration file, which would stand in place of this one.
    """
    for word in given:
        if word in ("-c", "--config") or word.startswith(("--config=", "-c=")):
            raise SettingError(
                f"{word} would stand in place of the configuration that starts the groups. Put "
                "`from django_wsgimatch.gunicorn import on_reload, when_ready` into your file and "
                "start `gunicorn -c FILE django_wsgimatch.wsgi`"
            )
    configuration = ["-c", f"python:{__name__}"]
    return [sys.executable, *_program(), *configuration, *given, "django_wsgimatch.wsgi"]


def _program() -> list[str]:
    """
    The script that pip has put beside Python, if it is there.

    Started with -m, gunicorn cannot start itself again on USR2: it then takes its own ``http``
    for Python's.
    """
    script = os.path.join(os.path.dirname(sys.executable), "gunicorn")
    return [script] if os.path.isfile(script) else ["-m", "gunicorn"]
