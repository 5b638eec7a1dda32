"""
``manage.py wsgimatch`` as root: become another user before Django or the project is loaded.

``serve`` becomes the server (``launch``), or with ``--process-group`` a group's user. Every other
subcommand runs as the user that ``--user`` names, else as the one that the running server of this
folder runs as, else as the one that manage.py belongs to. Only what is root's alone, up to /, runs
as root, and says so.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from ..common_options import count_leading
from ..exceptions import SettingError
from ..group_command import AS_ROOT, is_for_group, read_words
from ..gunicorn_command import is_for_help
from .accounts import Account, account, become
from .launch import ALLOW_ROOT, serve
from .running import users_of_servers, users_of_starters
from .trust import distrust

COMMAND = "wsgimatch"
# Tells the command that its server can be started by root, although it runs as somebody else.
BY_ROOT = "WSGIMATCH_BY_ROOT"
NOBODY = (
    "as root, this command does not know whom to run the project as: {}. Name the user that the "
    "server runs as: `manage.py wsgimatch {} --user NAME ...`"
)


def run(words: list[str]) -> None:
    """
    Act on a command line, if it is ours: ``manage.py wsgimatch SUBCOMMAND ...``.

    Options of Django's may stand before the subcommand and after it. Returns where root may go on
    with it. Raises SettingError, and OSError.
    """
    at = words.index(COMMAND)
    given = words[at + 1 :]
    count = count_leading(given)
    before, (subcommand, *rest) = given[:count], given[count:]
    if subcommand == "serve" and is_for_group(rest) and not is_for_help(rest):
        _become_user_of_group(words, at + count)
        return
    if subcommand == "serve":
        serve([*before, *rest])
    user, kept = _take_user(rest)
    found = user or _user_of_folder(os.path.dirname(os.path.abspath(_script(words, at))))
    if found is None:
        return
    this, why = account(found[0]), found[1]
    print(f"wsgimatch: running as {this.name!r}, {why}", file=sys.stderr, flush=True)
    _run_as(this, [sys.executable, *words[1 : at + 1], *before, subcommand, *kept])


def subcommand_of(words: list[str]) -> str | None:
    """Return the subcommand of ours that a command line names, None where there is none."""
    at = words.index(COMMAND) if COMMAND in words else 0
    # Python's own -m and -c come first: those words are another program's.
    if at < 2:
        return None
    given = words[at + 1 :]
    given = given[count_leading(given) :]
    return given[0] if given and not given[0].startswith("-") else None


def _become_user_of_group(words: list[str], at: int) -> None:
    """
    Run ``serve --process-group`` as its user, in this very process.

    systemd hands a socket over to this process's id, and waits for what it says.
    """
    given = read_words(words[at + 2 :])
    if given.user is not None:
        this, rest = account(given.user), _take_user(words[at + 2 :])[1]
        become(this)
        command = [sys.executable, *words[1 : at + 2], *rest]
        os.execve(command[0], command, {**os.environ, **this.environment})
    if not (given.may_be_root or os.environ.get(ALLOW_ROOT)):
        raise SettingError(AS_ROOT)


def _script(words: list[str], at: int) -> str:
    """The script that is run, manage.py; Python's own options may come before it."""
    return next((word for word in words[1:at] if word.endswith(".py")), "manage.py")


def _take_user(words: list[str]) -> tuple[tuple[str, str] | None, list[str]]:
    """The user that ``--user`` names, and the words without it."""
    kept, found = [], None
    given = iter(words)
    for word in given:
        if word == "--user":
            found = next(given, "")
        elif word.startswith("--user="):
            found = word.partition("=")[2]
        else:
            kept.append(word)
    return ((found, "as --user says") if found is not None else None), kept


def _user_of_folder(folder: str) -> tuple[str, str] | None:
    """Whom a project's commands run as; None for what is root's alone. Raises SettingError."""
    running = users_of_starters(folder) or users_of_servers(folder)
    if len(running) == 1:
        return str(running.pop()), "the user of the running server"
    if running:
        users = ", ".join(map(str, sorted(running)))
        raise SettingError(NOBODY.format(f"servers of users {users} run in {folder!r}", "..."))
    script = os.path.join(folder, "manage.py")
    owner = os.stat(script).st_uid if os.path.exists(script) else os.stat(folder).st_uid
    if owner != 0:
        return str(owner), "to whom manage.py belongs"
    reason = distrust(script if os.path.exists(script) else folder)
    if reason and not os.environ.get(ALLOW_ROOT):
        raise SettingError(NOBODY.format(reason, "..."))
    return None


def _run_as(this: Account, command: list[str]) -> NoReturn:
    """
    Run a command as a user, and end as it ends.

    In a session of its own: root's terminal is not its controlling terminal, so it cannot type
    into it.
    """
    pid = os.fork()
    if not pid:
        try:
            os.setsid()
            become(this)
            os.execve(command[0], command, {**os.environ, **this.environment, BY_ROOT: "1"})
        except OSError as error:
            print(f"wsgimatch: {command[0]!r} as {this.name!r}: {error}", file=sys.stderr)
        finally:
            os._exit(126)

    def pass_on(signum: int, frame: FrameType | None) -> None:
        os.kill(pid, signum)

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, pass_on)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)
