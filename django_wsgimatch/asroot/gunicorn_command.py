"""The command line with which ``serve`` becomes gunicorn."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from ..exceptions import SettingError
from .common_options import sort_words

CONFIGURATION = "python:django_wsgimatch.gunicorn"
APPLICATION = "django_wsgimatch.wsgi"
NOT_INSTALLED = (
    "gunicorn is not installed for {}, and `serve` becomes gunicorn: pip install "
    '"django-wsgimatch[gunicorn]"'
)
HELP = """\
usage: manage.py wsgimatch serve [OPTION ...] [OPTION OF GUNICORN'S ...]

Serves the table with gunicorn: becomes `gunicorn -c python:django_wsgimatch.gunicorn
django_wsgimatch.wsgi`. To gunicorn this adds:

  The process groups start with the server, before its first worker, and end with it.
  At a HUP the old workers serve until new ones have loaded; settings that cannot be used
  are an error in the log, and nothing changes.
  With --reload an edit of a process group's project renews that group.
  At a TERM the server says first that it is not ready (WSGIMATCH_HEALTH_PATH).
  The times of all log lines are in one zone, that of TZ or the system.
  gunicorn's control socket is off: all servers of a user would have the same one.
  --control-socket PATH turns it on.

options of serve:
  --settings MODULE     the settings module, such as mysite.production
  --process-group NAME  become one process group, and no server; takes --bind unix:PATH,
                        --user and --allow-root, and nothing of gunicorn's

options of serve, for root, who becomes another user before the project is loaded:
  --user NAME           whom the server runs as; with --group NAME, its group
  --allow-user NAME, --allow-user NAME:GROUP,GROUP
                        a user that process groups may run as; may be given again
  --allow-root          run everything as root, in a container that has nobody else
  --config FILE         gunicorn's configuration, a file that root alone can write;
                        other users start `gunicorn -c FILE django_wsgimatch.wsgi`

All other options are gunicorn's: `gunicorn --help` lists them.
"""


def arguments(given: Sequence[str]) -> list[str]:
    """
    Return the command with which ``manage.py wsgimatch serve`` becomes gunicorn.

    Raises SettingError for a configuration file, which would stand in place of this one, and
    where gunicorn is not installed.
    """
    words = for_gunicorn(given)
    for word in words:
        if word in ("-c", "--config") or word.startswith(("--config=", "-c=")):
            raise SettingError(
                f"{word} would stand in place of the configuration that starts the groups. Put "
                "`from django_wsgimatch.gunicorn import on_reload, when_ready` into your file and "
                "start `gunicorn -c FILE django_wsgimatch.wsgi`"
            )
    return [sys.executable, *program(), "-c", CONFIGURATION, *words, APPLICATION]


def for_gunicorn(given: Sequence[str]) -> list[str]:
    """Return the words that gunicorn knows: of Django's own options --pythonpath alone."""
    words = sort_words(given)
    path = ["--pythonpath", words.python_path] if words.python_path is not None else []
    return [*path, *words.rest]


def is_for_help(given: Sequence[str]) -> bool:
    """Whether ``serve`` is to say what it takes, and no more."""
    return "-h" in given or "--help" in given


def program() -> list[str]:
    """
    Return the script that pip has put beside Python, if it is there.

    Started with -m, gunicorn cannot start itself again on USR2: it then takes its own ``http``
    for Python's. Raises SettingError where gunicorn is not installed.
    """
    if find_spec("gunicorn") is None:
        raise SettingError(NOT_INSTALLED.format(sys.executable))
    script = os.path.join(os.path.dirname(sys.executable), "gunicorn")
    return [script] if os.path.isfile(script) else ["-m", "gunicorn"]
