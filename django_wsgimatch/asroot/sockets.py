"""The addresses that only root can bind, bound before this process becomes another user."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..exceptions import SettingError
from .accounts import Account
from .trust import distrust

# As systemd hands sockets over: from this descriptor on.
FIRST = 3
_PORT = re.compile(r"(?:(?:tcp://)?(?P<host>\[[^]]*\]|[^:]*):)?(?P<port>[0-9]+)")
# Below it, ports are root's (ip_unprivileged_port_start).
_PRIVILEGED = "/proc/sys/net/ipv4/ip_unprivileged_port_start"


def bind_for(binds: Sequence[str], account: Account) -> list[socket.socket]:
    """
    Bind gunicorn's addresses for a user who cannot bind all of them; [] for one who can.

    A server that is given sockets binds none itself, so all are bound here: root's own alone as
    root. Raises SettingError.
    """
    if not any(_needs_root(bind, account) for bind in binds):
        return []
    return [_bind(bind, account) for bind in binds]


def hand_over(sockets: Sequence[socket.socket]) -> dict[str, str]:
    """
    Put sockets where a server looks for those that systemd gives it (sd_listen_fds(3)).

    Return the environment variables that say so, for the program that this process becomes.
    """
    arrange({place: each.fileno() for place, each in enumerate(sockets, FIRST)})
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(sockets))}


def arrange(given: Mapping[int, int]) -> None:
    """Put descriptors at their places, for the program that this process becomes."""
    # Out of the way first: one may lie where another belongs.
    beyond = max(given) + 1
    aside = {at: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, beyond) for at, fd in given.items()}
    for place, descriptor in aside.items():
        os.dup2(descriptor, place)
        os.close(descriptor)


def _needs_root(bind: str, account: Account) -> bool:
    if path := _path(bind):
        return not _may_write(os.path.dirname(os.path.abspath(path)), account)
    found = _PORT.fullmatch(bind)
    return found is not None and 0 < int(found["port"]) < _first_free_port()


def _may_write(folder: str, account: Account) -> bool:
    try:
        status = os.stat(folder)
    except OSError:
        return True
    if status.st_uid == account.user:
        return bool(status.st_mode & 0o200)
    if status.st_gid in (account.group, *account.groups):
        return bool(status.st_mode & 0o020)
    return bool(status.st_mode & 0o002)


def _first_free_port() -> int:
    try:
        with open(_PRIVILEGED) as file:
            return int(file.read())
    except (OSError, ValueError):
        return 1024


def _path(bind: str) -> str | None:
    if not bind.startswith("unix:"):
        return None
    return bind.removeprefix("unix:").removeprefix("//")


def _bind(bind: str, account: Account) -> socket.socket:
    try:
        if (path := _path(bind)) and not _needs_root(bind, account):
            with _acting_as(account):
                return _bind_in_own_folder(os.path.abspath(path))
        if path:
            return _bind_path(os.path.abspath(path), account)
        return _bind_port(bind)
    except OSError as error:
        raise SettingError(f"--bind {bind}: {error.strerror}") from error


@contextmanager
def _acting_as(account: Account) -> Iterator[None]:
    """Be a user for a while, as far as files are concerned: nobody can signal this process yet."""
    group, groups = os.getegid(), os.getgroups()
    os.setgroups(account.groups)
    os.setegid(account.group)
    os.seteuid(account.user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def _bind_path(path: str, account: Account) -> socket.socket:
    if reason := distrust(os.path.dirname(path)):
        raise SettingError(f"--bind unix:{path}: root makes no socket there. {reason}")
    listener = _bind_in_own_folder(path)
    os.chown(path, account.user, account.group, follow_symlinks=False)
    return listener


def _bind_in_own_folder(path: str) -> socket.socket:
    if os.path.lexists(path) and not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise SettingError(f"--bind unix:{path}: something else than a socket lies there")
    return bind_unix(path, 0o777)


def bind_unix(path: str, mode: int) -> socket.socket:
    """
    Return a new socket at a path, in place of what lies there.

    Raises OSError, with the path, where it cannot be made.
    """
    Path(path).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o777 & ~mode)
    try:
        listener.bind(path)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.umask(before)
    return listener


def _bind_port(bind: str) -> socket.socket:
    found = _PORT.fullmatch(bind)
    if found is None:
        raise SettingError(f"--bind {bind}: root binds HOST:PORT and unix:PATH alone")
    host = (found["host"] or "0.0.0.0").strip("[]")
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, int(found["port"]), type=socket.SOCK_STREAM
    )[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    return listener
