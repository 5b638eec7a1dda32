"""One start of a place's processes: the user, the environment, the descriptors, the board."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...asroot.accounts import find_group, find_user, groups_of, variables_of
from ...exceptions import SettingError
from ...settings_guard import VARIABLE
from ..board import BoardReport, Shape, read_board
from ..group_spec import GroupSpec
from ..options import GroupOptions
from ..script_owner import ScriptOwner
from ..servers.open_files import file_with
from .logs import STREAMS, GroupOutput, ServerLog, open_log
from .processes import Process, Start
from .warm_parents import WarmParents

# In these variables a server tells its workers where the sockets are, and who starts groups.
CHOSEN = "WSGIMATCH_SOCKET_DIRECTORY"
STARTER = "WSGIMATCH_STARTER"
ALLOW_ROOT = "WSGIMATCH_ALLOW_ROOT"
# What would make a group take itself for the server, its Python for the server's, or its project
# for the server's.
SCRUBBED = (
    *(CHOSEN, STARTER, ALLOW_ROOT),
    *("GUNICORN_CMD_ARGS", "GUNICORN_FD", "GUNICORN_PID", "SERVER_SOFTWARE", "WEB_CONCURRENCY"),
    *("LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET"),
    *("WATCHDOG_PID", "WATCHDOG_USEC"),
    *("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"),
    *("SCRIPT_NAME", "RUN_MAIN", "DJANGO_AUTORELOAD_ENV"),
)
# What a group that runs as another user than the server has of the server's environment.
PASSED = ("PATH", "LANG", "TZ")
# The descriptors of a group's process: the starter puts them there.
LISTENER, BOARD, LIFELINE = 3, 4, 5


@dataclass(frozen=True, slots=True)
class GroupAccount:
    """The user that a group runs as; ``is_other`` says that it is not the server's."""

    user: int
    group: int
    groups: tuple[int, ...]
    environment: Mapping[str, str]
    is_other: bool = True


@dataclass(slots=True, eq=False)
class Running:
    """
    A started group: its arbiter, and this process's ends of what it was started with.

    Once it is told to end, ``deadline`` is when it is ended by force; times are
    time.monotonic()'s.
    """

    spec: GroupSpec
    process: Process
    board: int
    board_path: str
    lifeline: int
    output: GroupOutput | None
    started: float = field(default_factory=time.monotonic)
    deadline: float = 0.0
    is_ending: bool = False
    # Whether others of the place have taken over.
    is_replaced: bool = False
    was_ready: bool = False
    # When it was last looked whether its arbiter reacts.
    looked: float = 0.0
    # Since when its arbiter has not reacted for too long; 0 where it has.
    late_since: float = 0.0

    def report(self) -> BoardReport:
        """What the group says of itself."""
        shape = Shape.of(self.spec.options.processes, self.spec.options.threads)
        return read_board(self.board, shape)

    def send(self, signum: int) -> None:
        """Send the arbiter a signal, if it is there."""
        if self.process.returncode is None:
            self.process.send(signum)

    def kill(self) -> None:
        """End at once whatever of the group is left, the application's own children too."""
        self.process.send(signal.SIGKILL)

    def release(self) -> None:
        """Close this process's ends; the board is for others to remove."""
        os.close(self.lifeline)
        os.close(self.board)
        if self.output is not None:
            self.output.close()


def start_place(
    spec: GroupSpec,
    *,
    packages: Mapping[str, str],
    listener: socket.socket,
    board_path: str,
    log: ServerLog,
    processes: WarmParents,
    may_switch: bool,
) -> Running:
    """
    Start a place's processes.

    ``may_switch`` says that they can be started as another user than this process's. Raises
    OSError where something cannot be made, and SettingError for a user or a group that does not
    exist, or that they may not run as.
    """
    # First what a mistake in the settings can make fail: nothing is open then.
    start, own_log = _prepared(spec, log, may_switch=may_switch)
    output_read, output = os.pipe()
    mine = [output, output_read]
    try:
        text = make_text(spec, packages, os.environ.get("TZ"))
        mine.append(text)
        board = make_board(spec, board_path)
        mine.append(board)
        lifeline_read, lifeline = os.pipe()
        mine += [lifeline_read, lifeline]
        descriptors = [text, output, listener.fileno(), board, lifeline_read]
        process = processes.start(start, descriptors)
    except BaseException:
        if own_log is not log:
            own_log.close()
        for descriptor in mine:
            os.close(descriptor)
        Path(board_path).unlink(missing_ok=True)
        raise
    for descriptor in (text, output, lifeline_read):
        os.close(descriptor)
    is_file = own_log is not log and own_log.path is not None
    reader = _reader(spec, output_read, own_log, is_own_file=is_file)
    return Running(spec, process, board, board_path, lifeline, reader)


def examine(spec: GroupSpec, log: ServerLog, processes: WarmParents, *, may_switch: bool) -> None:
    """Raise OSError or SettingError where a start of these processes would, and start nothing."""
    start, own_log = _prepared(spec, log, may_switch=may_switch)
    if own_log is not log:
        own_log.close()
    if start.program is not None:
        # What only the group's user can see is not seen.
        with suppress(PermissionError):
            os.stat(start.program)
    processes.check(start)


def _prepared(spec: GroupSpec, log: ServerLog, *, may_switch: bool) -> tuple[Start, ServerLog]:
    """Return how a place's processes are started, and the log, open, that their output goes to."""
    start = start_of(spec, may_switch=may_switch)
    ScriptOwner.of(spec.options.script_user, spec.options.script_group)
    return start, log_of(spec.options, log)


def _reader(spec: GroupSpec, output: int, log: ServerLog, *, is_own_file: bool) -> GroupOutput:
    prefix = spec.options.log_prefix
    has_prefix = not is_own_file if prefix is None else prefix
    return GroupOutput(
        output, spec.place.label, log, has_prefix=has_prefix, is_own_file=is_own_file
    )


def start_of(spec: GroupSpec, *, may_switch: bool) -> Start:
    """Return how a place's first process is to be started. Raises SettingError, as account_of()."""
    options = spec.options
    account = account_of(options, may_switch=may_switch)
    program = python_of(options, "") if options.python_home is not None else None
    start = Start(
        program,
        spec.display_name,
        environment_of(options, account),
        limits=resource_limits(options),
        modules=options.preload,
    )
    if account is None:
        return start
    return replace(start, user=account.user, group=account.group, groups=account.groups)


def resource_limits(options: GroupOptions) -> dict[str, int]:
    """Return the limits that hold from a process's first line on, by their names in setrlimit()."""
    given = {
        "NPROC": options.process_limit,
        "NOFILE": options.open_files_limit,
        "CORE": options.core_limit,
    }
    return {name: limit for name, limit in given.items() if limit is not None}


def make_text(spec: GroupSpec, packages: Mapping[str, str], zone: str | None) -> int:
    """
    Return the descriptor of what the group's process reads on standard input.

    ``zone`` is the server's TZ, in which the times of its log lines are.
    """
    descriptors = {"listener": LISTENER, "board": BOARD, "lifeline": LIFELINE}
    told = {
        "spec": spec.to_json(),
        "packages": dict(packages),
        "descriptors": descriptors,
        "zone": zone,
    }
    return file_with(json.dumps(told), "wsgimatch-spec")


def make_board(spec: GroupSpec, path: str) -> int:
    """
    Make a board's file and return its descriptor.

    Raises OSError, with the path, where there is no room for it.
    """
    Path(path).unlink(missing_ok=True)
    board = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        make_room(board, spec)
    except OSError as error:
        os.close(board)
        Path(path).unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, path) from error
    return board


def make_room(board: int, spec: GroupSpec) -> None:
    """Give a board's file its size. Raises OSError where there is no room for it."""
    size = Shape.of(spec.options.processes, spec.options.threads).size
    if hasattr(os, "posix_fallocate"):
        # A full disk is an error here; later it would end whoever writes, by SIGBUS.
        os.posix_fallocate(board, 0, size)
    else:
        os.ftruncate(board, size)


def python_of(options: GroupOptions, own: str) -> str:
    """Return the Python that a group runs: its python-home's, or the server's."""
    if options.python_home is None:
        return own
    python = os.path.join(options.python_home, "bin", "python")
    # Debian's own Python has no bin/python.
    return python if os.path.exists(python) else f"{python}3"


def environment_of(
    options: GroupOptions, account: GroupAccount | None, given: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """
    Return a group's environment variables; ``given`` are the server's.

    A group that runs as the server's user has the server's, less what is the server's own; one
    that runs as another has PATH, LANG, LC_* and TZ. ``pass_environment`` stands in place of
    either, and ``environment`` is added.
    """
    environ = {name: value for name, value in given.items() if _passes(name, options, account)}
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


def _passes(name: str, options: GroupOptions, account: GroupAccount | None) -> bool:
    if name in SCRUBBED or name == VARIABLE:
        return False
    is_other = account is not None and account.is_other
    if options.pass_environment is None and not is_other:
        return True
    return name in PASSED or name.startswith("LC_") or name in (options.pass_environment or ())


def account_of(options: GroupOptions, *, may_switch: bool | None = None) -> GroupAccount | None:
    """
    Return the account that a group is to run as, None for this process's own.

    ``may_switch`` says that processes can be started as other users, which by default only root
    can. A group that names no user runs as the server, as in mod_wsgi it runs as Apache's User;
    one that is run elsewhere has whatever user it is started as.
    Raises SettingError for a user or a group that does not exist, for root, and for one that the
    server cannot switch to.
    """
    own = (os.geteuid(), os.getegid())
    may_switch = own[0] == 0 if may_switch is None else may_switch
    given = _user(options.user) if options.user is not None else None
    user, group = (given.pw_uid, given.pw_gid) if given else own
    if options.group is not None:
        group = _group(options.group)
    if not may_switch:
        if options.socket is None:
            _require_own(options, user, group, own)
        return None
    names_none = options.user is options.group is None and not options.supplementary_groups
    if own[0] == 0 and names_none:
        return None
    groups = _other_groups(options, given or _own_entry(user), group)
    variables = variables_of(given) if given else {}
    return GroupAccount(user, group, groups, variables, is_other=user != own[0])


def _require_own(options: GroupOptions, user: int, group: int, own: tuple[int, int]) -> None:
    if user != own[0] or group not in {own[1], *os.getgroups()}:
        raise SettingError(needs_root(options))


def needs_root(options: GroupOptions) -> str:
    """Return what is said of a group that another server than one of root's cannot start."""
    return (
        f"user {options.user!r} and group {options.group!r} need a server that is started as root: "
        f"`manage.py wsgimatch serve --user ... --allow-user {options.user or 'NAME'}`"
    )


def _other_groups(
    options: GroupOptions, entry: pwd.struct_passwd | None, group: int
) -> tuple[int, ...]:
    if options.supplementary_groups:
        return tuple(map(_group, options.supplementary_groups))
    return groups_of(entry, group) if entry else tuple(filter(None, [group]))


def _user(name: str) -> pwd.struct_passwd:
    entry = find_user(name)
    if entry.pw_uid == 0:
        raise SettingError(
            f"user {name!r} is refused: as in mod_wsgi no process group is made to run as root"
        )
    return entry


def _own_entry(user: int) -> pwd.struct_passwd | None:
    with suppress(SettingError):
        return find_user(str(user))
    return None


def _group(name: str) -> int:
    found = find_group(name)
    if found == 0:
        raise SettingError(f"group {name!r} is refused: no process group runs in root's group")
    return found


def log_of(options: GroupOptions, server: ServerLog) -> ServerLog:
    """
    Return where a group's output goes: the server's log unless its log_file is another.

    Raises OSError for a file that cannot be opened, and SettingError for what is not a file.
    """
    if options.log_file is None:
        return server
    if options.log_file in STREAMS:
        return ServerLog(None, stream=server.stdout if options.log_file == STREAMS[0] else 2)
    own = ServerLog(options.log_file, open_file=open_log)
    own.open()
    return own
