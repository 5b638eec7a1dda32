"""
``manage.py wsgimatch`` as root: become another user before Django or the project is loaded.

``serve`` becomes the server (``launch``), or with ``--process-group`` a group's user. Every other
subcommand runs as the user that ``--user`` names, else as the one that the running server of this
folder runs as, else as the one that manage.py belongs to. Nothing of a project runs as root, unless
WSGIMATCH_ALLOW_ROOT says so.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from ..exceptions import SettingError
from .accounts import Account, account, become
from .common_options import Parser, sort_words
from .group_command import NO_USER_OF_GROUP, is_for_group, read_group_words
from .gunicorn_command import is_for_help
from .launch import ALLOW_ROOT, AS_ROOT, serve
from .running import users_of_servers, users_of_starters
from .trust import distrust

COMMAND = "wsgimatch"
# Tells the command that its server can be started by root, although it runs as somebody else.
BY_ROOT = "WSGIMATCH_BY_ROOT"
NOBODY = (
    "as root, this command does not know whom to run the project as: {}. Name the user that the "
    "server runs as: `manage.py wsgimatch SUBCOMMAND --user NAME ...`. In a container where root "
    "is all there is: WSGIMATCH_ALLOW_ROOT=1"
)
# Anybody can start something that looks like a server of the folder: whoever is found by that alone
# is told no more of root's environment.
HARMLESS = (
    *("PATH", "LANG", "TZ", "TERM", "COLUMNS", "LINES", "NO_COLOR", "DJANGO_SETTINGS_MODULE"),
    *("RUNTIME_DIRECTORY", "PYTHONDONTWRITEBYTECODE"),
)
LOOKS_LIKE_ONE = "the user of what looks like the running server"
# Django's own options that may stand before the subcommand, with a word of their own behind them.
_WITH_VALUE = ("--settings", "--pythonpath", "-v", "--verbosity")


def is_ours(words: list[str]) -> bool:
    """Whether a command line is ``manage.py wsgimatch ...``, or Django's help for it."""
    if COMMAND not in words[2:]:
        return False
    before = words[words.index(COMMAND, 2) - 1]
    is_script = before.endswith(".py") or os.path.isfile(before)
    return is_script or os.path.basename(before) in ("django", "django-admin", "help")


def run(words: list[str]) -> None:
    """
    Act on a command line of ours: ``manage.py wsgimatch SUBCOMMAND ...``.

    Options of Django's may stand before the subcommand and after it. Returns where root may go on
    with it. Raises SettingError, and OSError.
    """
    at = words.index(COMMAND, 2)
    first = _subcommand_at(words, at + 1)
    if words[first : first + 1] == ["serve"]:
        _serve(words, at, first)
        return
    user, kept = _take_user(words[at + 1 :])
    folder = os.path.dirname(os.path.abspath(_script(words, at)))
    found = (user, "as --user says") if user is not None else _user_of_folder(folder)
    if found is None:
        print(f"wsgimatch: {AS_ROOT}", file=sys.stderr, flush=True)
        return
    this, why = account(found[0]), found[1]
    print(f"wsgimatch: running as {this.name!r}, {why}", file=sys.stderr, flush=True)
    environ = {**os.environ}
    if why == LOOKS_LIKE_ONE:
        environ = {k: v for k, v in environ.items() if k in HARMLESS or k.startswith("LC_")}
    _run_as(this, [sys.executable, *words[1 : at + 1], *kept], environ)


def _subcommand_at(words: list[str], at: int) -> int:
    """Where the subcommand stands, behind options of Django's own."""
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _WITH_VALUE else 1
    return at


def _serve(words: list[str], at: int, first: int) -> None:
    """Become the server, or a group; ``first`` is where the subcommand stands."""
    before, rest = words[at + 1 : first], words[first + 1 :]
    if unknown := sort_words(before).rest:
        raise SettingError(f"{unknown[0]!r} comes before serve, and is not an option of Django")
    if is_for_group(rest) and not is_for_help(rest):
        _become_user_of_group(words, first - 1)
    else:
        serve([*before, *rest])


def _become_user_of_group(words: list[str], at: int) -> None:
    """
    Run ``serve --process-group`` as its user, in this very process.

    systemd hands a socket over to this process's id, and waits for what it says.
    """
    given = read_group_words(words[at + 2 :])
    if given.user is not None:
        this, rest = account(given.user), _take_user(words[at + 2 :])[1]
        become(this)
        command = [sys.executable, *words[1 : at + 2], *rest]
        os.execve(command[0], command, {**os.environ, **this.environment})
    if not (given.may_be_root or os.environ.get(ALLOW_ROOT)):
        raise SettingError(NO_USER_OF_GROUP)


def _script(words: list[str], at: int) -> str:
    """The script that is run, manage.py; Python's own options may come before it."""
    found = (word for word in words[1:at] if word.endswith(".py") or os.path.isfile(word))
    return next(found, "manage.py")


def _take_user(words: list[str]) -> tuple[str | None, list[str]]:
    """The user that ``--user`` names, and the words without it. Raises SettingError."""
    parser = Parser()
    parser.add_argument("--user")
    known, kept = parser.parse_known_args(words)
    return known.user, kept


def _user_of_folder(folder: str) -> tuple[str, str] | None:
    """Whom a project's commands run as; None for root, where that is said. Raises SettingError."""
    proven = users_of_starters(folder)
    running = proven or users_of_servers(folder)
    if len(running) == 1:
        [user] = running
        return str(user), "the user of the running server" if proven else LOOKS_LIKE_ONE
    if running:
        users = ", ".join(map(str, sorted(running)))
        raise SettingError(NOBODY.format(f"servers of users {users} run in {folder!r}"))
    script = os.path.join(folder, "manage.py")
    owner = os.stat(script).st_uid if os.path.exists(script) else os.stat(folder).st_uid
    if owner != 0:
        return str(owner), "to whom manage.py belongs"
    if os.environ.get(ALLOW_ROOT):
        return None
    reason = distrust(script if os.path.exists(script) else folder)
    raise SettingError(NOBODY.format(reason or f"{folder!r} is root's, and no server runs there"))


def _run_as(this: Account, command: list[str], environ: dict[str, str]) -> NoReturn:
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
            os.execve(command[0], command, {**environ, **this.environment, BY_ROOT: "1"})
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
