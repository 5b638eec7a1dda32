"""The command line with which ``serve`` becomes gunicorn."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from .exceptions import SettingError

CONFIGURATION = "python:django_wsgimatch.gunicorn"
APPLICATION = "django_wsgimatch.wsgi"


def arguments(given: Sequence[str]) -> list[str]:
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
    return [sys.executable, *program(), "-c", CONFIGURATION, *given, APPLICATION]


def program() -> list[str]:
    """
    Return the script that pip has put beside Python, if it is there.

    Started with -m, gunicorn cannot start itself again on USR2: it then takes its own ``http``
    for Python's.
    """
    script = os.path.join(os.path.dirname(sys.executable), "gunicorn")
    return [script] if os.path.isfile(script) else ["-m", "gunicorn"]
