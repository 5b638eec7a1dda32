"""The servers that run here, as the kernel lists their processes: what root can believe of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

STARTER_FILE = os.path.join("django_wsgimatch", "daemon", "starter.py")
ENTRY = "django_wsgimatch.wsgi"


def starters(folder: str) -> Iterator[list[str]]:
    """Yield the accounts of each of root's starters for a project's folder, the server's first."""
    for pid, _ in processes_of(lambda user: user == 0):
        # Programs that run as root for everybody (setuid) take any words from anybody.
        if os.geteuid() == 0 and _link(f"/proc/{pid}/exe") != os.path.realpath(sys.executable):
            continue
        words = command_line_of(pid)
        at = next((n for n, word in enumerate(words) if word.endswith(STARTER_FILE)), None)
        if at is not None and words[at + 2 : at + 3] == [folder]:
            yield words[at + 3 :]


def users_of_starters(folder: str) -> set[int]:
    """Return the users of the servers of a folder that root has started."""
    return {user_of(words[0])[0] for words in starters(folder) if words}


def allowed_users(folder: str) -> dict[int, set[int]] | None:
    """
    Return the users that the groups of a folder's running server may run as, with their groups.

    None where no server of it was started by root.
    """
    found = [*starters(folder)]
    return dict(user_of(word) for words in found for word in words) if found else None


def user_of(word: str) -> tuple[int, set[int]]:
    """Read an account as a starter's command line has it: the user's number, and its groups'."""
    user, group, groups = word.rpartition("=")[2].split(":")
    return int(user), {int(group), *map(int, filter(None, groups.split(",")))}


def users_of_servers(folder: str) -> set[int]:
    """Return the users, other than root, of the servers that run in a folder."""
    found = set()
    for pid, user in processes_of(lambda user: user != 0):
        is_server = any(word.startswith(ENTRY) for word in command_line_of(pid))
        if is_server and _link(f"/proc/{pid}/cwd") == folder:
            found.add(user)
    return found


def processes_of(accept: Callable[[int], bool]) -> Iterator[tuple[str, int]]:
    """Yield the processes, and their users, whose user will do; none without /proc."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in filter(str.isdecimal, names):
        try:
            user = os.stat(f"/proc/{name}").st_uid
        except OSError:
            continue
        if accept(user):
            yield name, user


def command_line_of(pid: str) -> list[str]:
    """Return a process's command line, [] where it is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read(65536).decode("utf-8", "surrogateescape").split("\0")[:-1]
    except OSError:
        return []


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
