"""
Where a process group that is run alone listens, and whose requests it takes.

Its socket is one that systemd hands over (sd_listen_fds(3)), or lies at a path that it is told.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import socket
import stat
from collections.abc import Iterator, MutableMapping
from contextlib import suppress

from ...asroot.sockets import bind_unix
from ...exceptions import SettingError
from ..options import LONGEST_SOCKET_PATH, GroupOptions
from ..servers.listener import begin_to_listen

# The first descriptor that systemd hands over.
FIRST = 3

NO_SOCKET = (
    "there is no socket to listen on. Let a .socket unit hand one over (`ListenStream=`, and "
    "`systemctl start` it instead of the service), or name a path: --bind "
    "unix:/run/NAME/NAME.sock, or the option `socket` in WSGIMATCH_PROCESS_GROUPS"
)


def open_listener(
    told: str | None, options: GroupOptions, environ: MutableMapping[str, str] = os.environ
) -> socket.socket:
    """
    Return the listening socket: the one that systemd hands over, or else one at a path.

    ``told`` is a path on the command line; else ``options.socket`` counts. The variables in
    ``environ`` that tell of a socket are removed. Raises SettingError, with the cure.
    """
    count = _handed_over(environ, is_needed=told is None)
    if count and told is not None:
        raise SettingError(f"systemd hands a socket over: leave --bind unix:{told} out")
    path = told or options.socket
    if count:
        listener = _given(count)
    elif path is not None:
        _require_place_for(path)
        listener = _bound(path)
    else:
        raise SettingError(NO_SOCKET)
    begin_to_listen(listener, options)
    # Threads wait in accept().
    listener.setblocking(True)
    return listener


def peers_of(path: str) -> tuple[int, ...]:
    """
    Return the users that may send requests to a socket, by what its file says.

    They are this process's user, root, and the socket's owner; and the members of its group where
    its mode lets them in. Raises SettingError where the file cannot be seen.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise SettingError(
            f"the socket {path!r} cannot be looked at, so nobody knows who may send requests: "
            f"{error.strerror}. Its folder must be there for this process too"
        ) from error
    users = {0, os.geteuid(), status.st_uid}
    if status.st_mode & stat.S_IWGRP:
        users |= {*_members(status.st_gid)}
    return tuple(sorted(users))


def _members(group: int) -> Iterator[int]:
    yield from (entry.pw_uid for entry in pwd.getpwall() if entry.pw_gid == group)
    with suppress(KeyError):
        for name in grp.getgrgid(group).gr_mem:
            with suppress(KeyError):
                yield pwd.getpwnam(name).pw_uid


def _handed_over(environ: MutableMapping[str, str], *, is_needed: bool) -> int:
    """How many sockets systemd hands over to this process; 0 for none, or another's."""
    count = environ.pop("LISTEN_FDS", "")
    pid = environ.pop("LISTEN_PID", "")
    environ.pop("LISTEN_FDNAMES", None)
    if not count.isdecimal() or not int(count):
        return 0
    if pid == str(os.getpid()):
        return int(count)
    if is_needed:
        raise SettingError(
            f"systemd hands a socket over to process {pid or '?'}, and this is process "
            f"{os.getpid()}. Let ExecStart= start Python itself, without a shell or another "
            "program in between"
        )
    return 0


def _given(count: int) -> socket.socket:
    if count != 1:
        raise SettingError(
            f"systemd hands {count} sockets over, and a process group takes one: leave one "
            "ListenStream= in its .socket unit, and one .socket unit in Sockets="
        )
    try:
        listener = socket.socket(fileno=FIRST)
    except OSError as error:
        raise SettingError(
            f"systemd says that descriptor {FIRST} is a socket: {error.strerror}"
        ) from error
    os.set_inheritable(FIRST, False)
    if listener.family != socket.AF_UNIX or listener.type != socket.SOCK_STREAM:
        raise SettingError(
            "what systemd hands over is not a unix stream socket: write "
            "ListenStream=/run/NAME.sock into the .socket unit"
        )
    if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise SettingError(
            "systemd hands over a socket that does not listen: write Accept=no into the .socket "
            "unit, or leave Accept= out"
        )
    if not os.path.isabs(os.fsdecode(listener.getsockname())):
        raise SettingError(
            "systemd hands over a socket without a file, to which everybody could connect: write "
            "a path after ListenStream="
        )
    return listener


def _require_place_for(path: str) -> None:
    """Raise SettingError where a socket cannot lie at a path, or others could take its place."""
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise SettingError(
            f"{path!r} is too long for a socket: the kernel takes {LONGEST_SOCKET_PATH} bytes"
        )
    folder = os.path.dirname(path)
    try:
        status = os.stat(folder)
    except OSError as error:
        raise SettingError(
            f"{folder!r}, the folder of the socket, cannot be used: {error.strerror}. "
            "RuntimeDirectory= in the unit makes one"
        ) from error
    if status.st_uid not in (0, os.geteuid()) or status.st_mode & stat.S_IWOTH:
        raise SettingError(
            f"others than this process's user can put a socket into {folder!r} and be taken for "
            "the process group. Give it a folder of its own: RuntimeDirectory= in the unit"
        )


def _bound(path: str) -> socket.socket:
    try:
        _require_free(path)
        return bind_unix(path, 0o660)
    except OSError as error:
        raise SettingError(
            f"the socket {path!r} cannot be made: {error.strerror}. This process is user "
            f"{os.geteuid()}"
        ) from error


def _require_free(path: str) -> None:
    """Raise SettingError for a path that somebody listens at, or at which another file lies."""
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise SettingError(f"{path!r} exists and is not a socket: remove it, or name another path")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.setblocking(False)
        found = connection.connect_ex(path)
    if found not in (errno.ECONNREFUSED, errno.ENOENT):
        raise SettingError(
            f"the socket {path!r} is taken: another process listens there. If it is systemd's, "
            "start the .socket unit, not this command; else end the other process first"
        )
