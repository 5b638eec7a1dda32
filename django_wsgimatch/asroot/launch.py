"""
``serve`` as root: leave a starter behind, become the server's user, become gunicorn.

Everything that root has to say is on the command line, or in a file that root alone can write:
who the server runs as, who its groups may run as, and what it listens on.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from ..exceptions import SettingError
from .accounts import Account, account, allowed_account, become, merged
from .common_options import SETTINGS_MODULE
from .gunicorn_command import APPLICATION, CONFIGURATION, HELP, is_for_help, program
from .sockets import bind_for, hand_over
from .trust import distrust, own_files, require_trusted
from .words import read_words

STARTER = "WSGIMATCH_STARTER"
ALLOW_ROOT = "WSGIMATCH_ALLOW_ROOT"
# Out of the way of the descriptors that a server looks for.
_HIGH = 64

NO_USER = (
    "started as root, the server has nobody to become, and nothing of a project runs as root. "
    "Name its user: `manage.py wsgimatch serve --user www-data --group www-data ...`, and the "
    "users of groups with `--allow-user NAME`; or start it as that user. In a container where "
    "root is all there is: --allow-root, or WSGIMATCH_ALLOW_ROOT=1"
)
AS_ROOT = (
    "WSGIMATCH_ALLOW_ROOT: the project runs as root here, and whoever can write its code is "
    "root, too."
)


def serve(given: list[str]) -> NoReturn:
    """
    Become gunicorn for the project in this folder, or say what that takes.

    Raises SettingError, and OSError.
    """
    if is_for_help(given):
        print(HELP, end="", flush=True)
        os._exit(0)
    words = read_words(given)
    own = [] if words.config is not None else ["-c", CONFIGURATION]
    command = [sys.executable, *program(), *own, *words.rest, APPLICATION]
    if words.settings is not None:
        os.environ[SETTINGS_MODULE] = words.settings
    if words.user is None:
        if not (words.may_be_root or os.environ.get(ALLOW_ROOT)):
            raise SettingError(NO_USER)
        print(f"wsgimatch: {AS_ROOT}", file=sys.stderr, flush=True)
        os.execve(command[0], command, {**os.environ, ALLOW_ROOT: "1"})
    server = account(words.user, words.group)
    hand_on(server, [*map(allowed_account, words.allowed)], words.binds, command)


def is_gunicorn(words: list[str]) -> bool:
    """Whether a command line starts gunicorn, with this package's configuration."""
    is_program = any(os.path.basename(word) == "gunicorn" for word in words[1:3])
    return is_program and any(word.endswith(CONFIGURATION) for word in words)


def serve_by_hand(words: list[str]) -> None:
    """
    Start gunicorn's own command line again, as the server's user.

    gunicorn imports its configuration, this package's, from the project's folder if it is there,
    too. Returns where root may go on. Raises SettingError, and OSError.
    """
    if os.environ.get(ALLOW_ROOT):
        return
    at = next(n for n, word in enumerate(words) if os.path.basename(word) == "gunicorn")
    read = read_words([*shlex.split(os.environ.get("GUNICORN_CMD_ARGS", "")), *words[at + 1 :]])
    if read.user is None:
        raise SettingError(NO_USER)
    hand_on(account(read.user, read.group), [], read.binds, [sys.executable, *words[1:]])


def hand_on(
    server: Account, allowed: Sequence[Account], binds: Sequence[str], command: Sequence[str]
) -> NoReturn:
    """
    Leave a starter behind, become the server's user, and then another program.

    ``allowed`` are the users that groups may run as, beside the server's own. Raises SettingError
    where others than root could change what root runs, and OSError.
    """
    require_trusted([*own_files(), starter_file()])
    listeners = bind_for(binds, server)
    _make_run_folder(server)
    control, pid = _leave_starter(merged([server, *allowed]))
    environ = {**os.environ, **server.environment, STARTER: f"{control},{pid}"}
    environ.pop(ALLOW_ROOT, None)
    if listeners:
        environ |= hand_over(listeners)
    os.set_inheritable(control, True)
    become(server)
    os.execve(command[0], [*command], environ)


def starter_file() -> str:
    """Return the file that the starter runs."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return os.path.join(package, "daemon", "starter.py")


def _leave_starter(allowed: Sequence[Account]) -> tuple[int, int]:
    """Start the process that stays root; return the other end of its control socket, and its id."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    words = [each.word for each in allowed]
    pid = os.fork()
    if not pid:
        try:
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1):
                os.dup2(nothing, number)
            number = _moved(its.detach())
            os.set_inheritable(number, True)
            command = [sys.executable, "-I", "-S", starter_file(), str(number), os.getcwd(), *words]
            os.execve(command[0], command, {"PATH": os.defpath})
        finally:
            os._exit(127)
    its.close()
    return _moved(mine.detach()), pid


def _moved(descriptor: int) -> int:
    """Move a descriptor up; it stays this process's alone."""
    found = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    os.close(descriptor)
    return found


def _make_run_folder(server: Account) -> None:
    """
    Make the folder in /run that the server keeps its sockets in.

    It lies in systemd's RuntimeDirectory=, which is root's own here, where there is one.
    """
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    is_safe = runtime and not distrust(runtime)
    path = os.path.join(runtime, "wsgimatch") if is_safe else f"/run/wsgimatch-{server.user}"
    try:
        os.mkdir(path, 0o700)
    except OSError:
        # It is there, or /run is read-only: the server looks for itself what it can use.
        return
    try:
        os.chown(path, server.user, server.group, follow_symlinks=False)
    except OSError:
        # Root may not give files away here (CAP_CHOWN): the folder is of no use to the server.
        os.rmdir(path)
