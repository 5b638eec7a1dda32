"""One start of a place's processes: the command, the environment, the descriptors, the user."""

from __future__ import annotations

import grp
import json
import os
import pwd
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..exceptions import SettingError
from ..settings_guard import VARIABLE
from . import boot
from .board import BoardReport, Shape, read_board
from .logs import GroupOutput, ServerLog
from .options import GroupOptions
from .owner import Owner, start_time
from .ownership import ScriptOwner
from .spec import GroupSpec

# In this variable gunicorn's arbiter tells its workers where the sockets are.
CHOSEN = "WSGIMATCH_SOCKET_DIRECTORY"
# What would make a group take itself for the server, its Python for the server's, or its project
# for the server's.
SCRUBBED = (
    CHOSEN,
    *("GUNICORN_CMD_ARGS", "GUNICORN_FD", "GUNICORN_PID", "SERVER_SOFTWARE", "WEB_CONCURRENCY"),
    *("LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET"),
    *("WATCHDOG_PID", "WATCHDOG_USEC"),
    *("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"),
    *("SCRIPT_NAME", "RUN_MAIN", "DJANGO_AUTORELOAD_ENV"),
)
BOOT = "import sys; exec(compile(open(sys.argv[1]).read(), sys.argv[1], 'exec'))"


@dataclass(frozen=True, slots=True)
class Account:
    """The user that a group runs as; None for the one that this process runs as."""

    user: int
    group: int
    groups: tuple[int, ...]
    environment: Mapping[str, str]


@dataclass(slots=True, eq=False)
class Running:
    """
    A started group: its arbiter, and this process's ends of what it was started with.

    Once it is told to end, ``deadline`` is when it is ended by force (time.monotonic()).
    """

    spec: GroupSpec
    process: subprocess.Popen[bytes]
    board: int
    board_path: str
    lifeline: int
    output: GroupOutput | None
    started: float = field(default_factory=time.time)
    deadline: float = 0.0
    is_ending: bool = False
    was_ready: bool = False

    def report(self) -> BoardReport:
        """What the group says of itself."""
        shape = Shape.of(self.spec.options.processes, self.spec.options.threads)
        return read_board(self.board, shape)

    @property
    def owner(self) -> Owner:
        """The arbiter."""
        return Owner(self.process.pid, start_time(self.process.pid) or "")

    def send(self, signum: int) -> None:
        """Send the arbiter a signal, if it is there."""
        if self.process.poll() is None:
            self.process.send_signal(signum)

    def kill(self) -> None:
        """End at once whatever of the group is left, the application's own children too."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return

    def release(self) -> None:
        """Close this process's ends, and remove the board."""
        os.close(self.lifeline)
        os.close(self.board)
        if self.output is not None:
            self.output.close()
        Path(self.board_path).unlink(missing_ok=True)


def start(
    spec: GroupSpec,
    *,
    python: str,
    packages: Mapping[str, str],
    listener: socket.socket,
    board_path: str,
    front: tuple[int, int],
    log: ServerLog,
) -> Running:
    """
    Start a place's processes.

    ``front`` are the user and group that the server's workers run as: they read the board, and a
    group that names no user runs as them.
    Raises OSError where the group's Python cannot be started, and SettingError for a user or a
    group that does not exist, or one that this process may not switch to.
    """
    account = account_of(spec.options, front)
    ScriptOwner.of(spec.options.script_user, spec.options.script_group)
    # First what a mistake in the settings can make fail: nothing is open then.
    output_read, output = _output(spec)
    board = make_board(spec, board_path, front)
    lifeline_read, lifeline = os.pipe()
    told = {
        "spec": spec.to_json(),
        "packages": dict(packages),
        "descriptors": {
            "listener": listener.fileno(),
            "board": board,
            "lifeline": lifeline_read,
        },
    }
    try:
        with tempfile.TemporaryFile() as text:
            text.write(json.dumps(told).encode())
            text.seek(0)
            process = subprocess.Popen(
                [python_of(spec.options, python), "-c", BOOT, boot.__file__, spec.display_name],
                stdin=text,
                stdout=output,
                stderr=output,
                pass_fds=(listener.fileno(), board, lifeline_read),
                env=environment_of(spec.options, account),
                cwd="/",
                start_new_session=True,
                **_switched(account),
            )
    except BaseException:
        for descriptor in filter(None, (board, lifeline, output_read)):
            os.close(descriptor)
        Path(board_path).unlink(missing_ok=True)
        raise
    finally:
        os.close(lifeline_read)
        os.close(output)
    reader = GroupOutput(output_read, spec.place.label, log) if output_read is not None else None
    return Running(spec, process, board, board_path, lifeline, reader)


def make_board(spec: GroupSpec, path: str, front: tuple[int, int]) -> int:
    """Make a board's file, that the front may read, and return its descriptor."""
    # The folder may be the front's, and this process root's: no link of the front's is followed.
    Path(path).unlink(missing_ok=True)
    board = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.ftruncate(board, Shape.of(spec.options.processes, spec.options.threads).size)
    if front[0] != os.geteuid():
        os.fchown(board, *front)
    return board


def python_of(options: GroupOptions, own: str) -> str:
    """Return the Python that a group runs: its python-home's, or the server's."""
    if options.python_home is None:
        return own
    python = os.path.join(options.python_home, "bin", "python")
    # Debian's own Python has no bin/python.
    return python if os.path.exists(python) else f"{python}3"


def environment_of(options: GroupOptions, account: Account | None) -> dict[str, str]:
    """Return a group's environment variables: the server's, less what is the server's own."""
    scrubbed = {*SCRUBBED, VARIABLE}
    environ = {name: value for name, value in os.environ.items() if name not in scrubbed}
    if account is not None:
        environ |= account.environment
    if options.lang:
        environ["LANG"] = options.lang
    if options.locale:
        environ["LC_ALL"] = options.locale
    if options.python_eggs:
        environ["PYTHON_EGG_CACHE"] = options.python_eggs
    environ |= dict(options.environment)
    if options.settings:
        environ[VARIABLE] = options.settings
    return environ


def account_of(options: GroupOptions, front: tuple[int, int] | None = None) -> Account | None:
    """
    Return the account that a group is to run as, None for this process's own.

    A group that names no user runs as ``front``, the user and group of the server's workers, as in
    mod_wsgi it runs as Apache's User. Raises SettingError for a user or a group that does not
    exist, for root, and for one that this process may not switch to.
    """
    own = (os.geteuid(), os.getegid())
    default = front or own
    names_none = options.user is options.group is None and not options.supplementary_groups
    if names_none and default[0] == own[0]:
        return None
    given = _user(options.user) if options.user is not None else None
    user, group = (given.pw_uid, given.pw_gid) if given else default
    if options.group is not None:
        group = _group(options.group)
    if own[0] == 0:
        groups = _other_groups(options, given or _entry(user), group)
        return Account(user, group, groups, _of_user(given))
    if user != own[0] or group not in {own[1], *os.getgroups()}:
        raise SettingError(
            f"user {options.user!r} and group {options.group!r} need a server that is started as "
            "root, with -c python:django_wsgimatch.gunicorn"
        )
    return None


def _other_groups(
    options: GroupOptions, entry: pwd.struct_passwd | None, group: int
) -> tuple[int, ...]:
    if options.supplementary_groups:
        return tuple(map(_group, options.supplementary_groups))
    return tuple(os.getgrouplist(entry.pw_name, group)) if entry else (group,)


def _of_user(entry: pwd.struct_passwd | None) -> dict[str, str]:
    if entry is None:
        return {}
    return {"HOME": entry.pw_dir, "USER": entry.pw_name, "LOGNAME": entry.pw_name}


def _user(name: str) -> pwd.struct_passwd:
    number = name.removeprefix("#")
    try:
        entry = pwd.getpwuid(int(number)) if number.isdigit() else pwd.getpwnam(name)
    except (KeyError, OverflowError):
        raise SettingError(f"there is no user {name!r}") from None
    if entry.pw_uid == 0:
        raise SettingError(
            f"user {name!r} is refused: as in mod_wsgi no process group is made to run as root"
        )
    return entry


def _entry(user: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(user)
    except KeyError:
        return None


def _group(name: str) -> int:
    number = name.removeprefix("#")
    try:
        return int(number) if number.isdigit() else grp.getgrnam(name).gr_gid
    except KeyError:
        raise SettingError(f"there is no group {name!r}") from None


def _switched(account: Account | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account.user, "group": account.group, "extra_groups": account.groups}


def _output(spec: GroupSpec) -> tuple[int | None, int]:
    """Where a group's output is read from and written to; a file of its own is not read."""
    if spec.options.log_file is None:
        return os.pipe()
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return None, os.open(spec.options.log_file, flags, 0o640)
