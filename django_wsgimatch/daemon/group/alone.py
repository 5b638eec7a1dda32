"""
A process group that is run alone: this process becomes it, without a manager or a starter.

systemd, or whoever started this process, keeps it: its user, its limits, its output are this
process's own. It has the same descriptors as where a manager starts it; the pipe that would tell
of the server's end stays open at both ends.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import resource
import signal
import socket
import sys
from collections.abc import Mapping
from typing import NoReturn

from ...asroot.sockets import arrange
from ...exceptions import SettingError
from ..group_spec import GroupSpec
from ..manager import starting
from ..manager.logs import STREAMS, open_log
from ..options import GroupOptions
from ..script_owner import ScriptOwner
from ..servers.open_files import nameless_file
from ..starter import SET_CHILD_SUBREAPER, prctl

# Above the descriptors that the group's process is started with.
_HIGH = 16
# What systemd's units call the limits.
_UNIT_LIMITS = {"NPROC": "LimitNPROC", "NOFILE": "LimitNOFILE", "CORE": "LimitCORE"}


def require_own_account(name: str, options: GroupOptions) -> None:
    """Raise SettingError where the options name another user or groups than this process's."""
    account = starting.account_of(options, may_switch=True)
    if account is None:
        return
    if account.user != os.geteuid():
        raise SettingError(
            f"process group {name!r} is to run as user {options.user!r}, and this process is "
            f"user {_user_name()!r}: write User={options.user} into its unit, or leave the option "
            "`user` out"
        )
    if options.group is not None and account.group != os.getegid():
        raise SettingError(
            f"process group {name!r} is to run in group {options.group!r}, and this process is in "
            f"group {os.getegid()}: write Group={options.group} into its unit, or leave the option "
            "`group` out"
        )
    if options.supplementary_groups and {*account.groups} - {os.getegid(), *os.getgroups()}:
        wanted = " ".join(options.supplementary_groups)
        raise SettingError(
            f"process group {name!r} is to be in the groups {wanted}, and this process is not: "
            f"write SupplementaryGroups={wanted} into its unit, or leave the option out"
        )


def become_first_process(
    spec: GroupSpec,
    *,
    python: str,
    packages: Mapping[str, str],
    listener: socket.socket,
    environ: Mapping[str, str],
) -> NoReturn:
    """
    Become the first process of a group, which listens on ``listener``.

    ``python`` is the one for a group that has none of its own; ``environ`` are the variables of
    this process. Raises SettingError and OSError where that cannot be.
    """
    options = spec.options
    ScriptOwner.of(options.script_user, options.script_group)
    program = starting.python_of(options, python)
    if not os.access(program, os.X_OK):
        raise SettingError(f"python_home {options.python_home!r} has no Python: {program!r}")
    board = nameless_file("wsgimatch-board")
    starting.make_room(board, spec)
    end_of_server, never_closed = os.pipe()
    given = {
        0: starting.make_text(spec, packages, environ.get("TZ")),
        starting.LISTENER: listener.fileno(),
        starting.BOARD: board,
        starting.LIFELINE: end_of_server,
    }
    if options.log_file is not None:
        streams = dict(zip(STREAMS, (1, 2), strict=True))
        log = streams.get(options.log_file) or open_log(options.log_file)
        given |= dict.fromkeys((1, 2), log)
    _set_limits(starting.resource_limits(options))
    boot = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot.py")
    # A module of the project's folder must not be taken for one of Python's.
    os.chdir("/")
    fcntl.fcntl(never_closed, fcntl.F_DUPFD, _HIGH)
    sys.stdout.flush()
    sys.stderr.flush()
    arrange(given)
    # What the application's processes leave behind is the group's, as where a manager starts it.
    prctl(SET_CHILD_SUBREAPER, 1)
    for signum in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(signum, signal.SIG_DFL)
    os.execve(program, [program, boot, spec.display_name], _environment(options, environ))


def _environment(options: GroupOptions, environ: Mapping[str, str]) -> dict[str, str]:
    variables = starting.environment_of(options, None, environ)
    if "NOTIFY_SOCKET" in environ:
        variables["NOTIFY_SOCKET"] = environ["NOTIFY_SOCKET"]
    return variables


def _set_limits(limits: Mapping[str, int]) -> None:
    for name, number in limits.items():
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (number, number))
        except (OSError, ValueError) as error:
            raise SettingError(
                f"the limit of {number} for RLIMIT_{name} is more than this process may have: "
                f"write {_UNIT_LIMITS[name]}={number} into the unit, or a lower option"
            ) from error


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
