"""The addresses that only root can bind, bound before this process becomes another user."""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..exceptions import SettingError
from .accounts import Account
from .trust import distrust

# As systemd hands sockets over: from this descriptor on.
FIRST = 3
_PORT = re.compile(r"(?:(?:tcp://)?(?P<host>\[[^]]*\]|[^:]*):)?(?P<port>[0-9]+)")
# Below it, ports are root's (ip_unprivileged_port_start).
_PRIVILEGED = "/proc/sys/net/ipv4/ip_unprivileged_port_start"


def need_root(binds: Sequence[str], account: Account) -> bool:
    """Whether one of gunicorn's addresses cannot be bound by a user."""
    return any(_needs_root(bind, account) for bind in binds)


def bind_all(binds: Sequence[str], account: Account) -> list[socket.socket]:
    """
    Bind gunicorn's addresses, for a user: root's own alone as root. Raises SettingError.

    A server that is given sockets binds none itself, so all are bound here.
    """
    return [_bind(bind, account) for bind in binds]


def hand_over(sockets: Sequence[socket.socket]) -> dict[str, str]:
    """
    Put sockets where a server looks for those that systemd gives it (sd_listen_fds(3)).

    Return the environment variables that say so, for the program that this process becomes.
    """
    # Out of the way first: one may lie where another belongs.
    high = [os.dup(each.fileno()) for each in sockets]
    aside = [_moved_up(number, FIRST + len(high)) for number in high]
    for place, number in enumerate(aside, FIRST):
        os.dup2(number, place, inheritable=True)
        os.close(number)
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(sockets))}


def _moved_up(number: int, least: int) -> int:
    while number < least:
        number = os.dup(number)
    return number


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
    listener = socket.socket(socket.AF_UNIX)
    if os.path.lexists(path):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise SettingError(f"--bind unix:{path}: something else than a socket lies there")
        os.unlink(path)
    before = os.umask(0)
    try:
        listener.bind(path)
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
