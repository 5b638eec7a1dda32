"""``manage.py wsgimatch serve``: this process becomes gunicorn, or one process group."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from ..aliases.groups import GLOBAL
from ..asroot import group_command, gunicorn_command
from ..asroot.group_command import NO_USER_OF_GROUP, GroupWords
from ..asroot.launch import ALLOW_ROOT, AS_ROOT
from ..conf import configuration
from ..configured import Configuration
from ..daemon.group.alone import become_first_process, require_own_account
from ..daemon.group.listening import open_listener, peers_of
from ..daemon.place import Place
from ..entry_options.texts import utf8
from ..exceptions import SettingError
from ..places import definition, environment_of_groups
from ..text import quoted, shown
from .common.output import Output
from .common.subcommand import Options, Subcommand, command_error

Warn = Callable[[str], None]


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "arguments", nargs="*", metavar="...", help="gunicorn's own, such as -w 4 -b :80"
    )


def _run(options: Options, output: Output) -> int:
    """Become gunicorn, with the configuration that starts the groups, or one group; or help."""
    given = options["arguments"]
    if gunicorn_command.is_for_help(given):
        output.stdout.write(gunicorn_command.HELP, ending="")
    else:
        _become_server(given, options["pythonpath"], output)
    return 0


def _become_server(given: Sequence[str], python_path: str | None, output: Output) -> NoReturn:
    def warn(reason: str) -> None:
        output.stderr.write(shown(f"wsgimatch: {reason.removesuffix('.')}."))

    try:
        if group_command.is_for_group(given):
            _become_group(configuration(), group_command.read_group_words(given), warn)
        path = ["--pythonpath", python_path] if python_path else []
        command = gunicorn_command.arguments([*path, *given])
    except (SettingError, OSError) as error:
        raise command_error(f"{error}.") from error
    except ImproperlyConfigured as error:
        # Each problem has a line of its own.
        raise CommandError("\n".join(map(shown, str(error).splitlines()))) from error
    output.stdout.flush()
    os.execve(command[0], command, environment_of_groups())


def _become_group(configured: Configuration, words: GroupWords, warn: Warn) -> NoReturn:
    """
    Become a process group, on the socket that it is given or told.

    ``warn`` is called with what is odd and no error. Raises SettingError and OSError where it
    cannot be, and ImproperlyConfigured where the settings cannot be used.
    """
    _refuse_root(words, warn)
    if words.user is not None:
        raise SettingError("only root can become another user: leave --user out")
    configured.require()
    place = Place(utf8(words.name), "")
    _require_defined(configured, place.process_group)
    options = configured.groups[place.process_group]
    require_own_account(words.name, options)
    told = definition(configured)
    listener = open_listener(words.path, options)
    path = os.fsdecode(listener.getsockname())
    if reason := _unasked(words.name, options.socket, path):
        warn(reason)
    become_first_process(
        told.spec(place, peers_of(path)),
        python=told.python,
        packages=told.packages,
        listener=listener,
        environ=environment_of_groups(),
    )


def _refuse_root(words: GroupWords, warn: Warn) -> None:
    if os.geteuid() != 0:
        return
    if not (words.may_be_root or os.environ.get(ALLOW_ROOT)):
        raise SettingError(NO_USER_OF_GROUP)
    warn(AS_ROOT)


def _require_defined(configured: Configuration, name: str) -> None:
    defined = [group for group in configured.groups if group != GLOBAL]
    if name not in defined:
        known = ", ".join(map(quoted, defined)) or "none"
        raise SettingError(
            f"there is no process group {quoted(name)}: WSGIMATCH_PROCESS_GROUPS has {known}"
        )


def _unasked(name: str, expected: str | None, path: str) -> str:
    """Return why no server that has these settings asks a group at this path, "" if one does."""
    if expected is None:
        return (
            f"process group {name!r} has no option `socket`: a server with these settings starts "
            f"it itself and sends nothing to {path!r}"
        )
    if os.path.realpath(expected) != os.path.realpath(path):
        return (
            f"process group {name!r} listens at {path!r}, and a server with these settings looks "
            f"for it at {expected!r} (its option `socket`)"
        )
    return ""


SUBCOMMAND = Subcommand(_add_arguments, _run)
