"""Files that root alone can change: root runs nothing else (as sshd's StrictModes)."""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Iterable, Iterator

from ..exceptions import SettingError

# More links than a path may hold (as the kernel's MAXSYMLINKS).
MOST_LINKS = 40


def require_trusted(paths: Iterable[str]) -> None:
    """Raise SettingError, with the path and the cure, for what others than root can change."""
    for path in paths:
        if reason := distrust(path):
            raise SettingError(reason)


def own_files() -> list[str]:
    """
    Return what this process runs, and where the next one looks for what it runs.

    That is its Python, the files of the loaded modules, and what Python reads where it starts.
    """
    files = (getattr(module, "__file__", None) for module in [*sys.modules.values()])
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    found = [sys.executable, package, *filter(os.path.exists, [*sys.path, *_read_by_python()])]
    return [*dict.fromkeys([*found, *(os.path.abspath(file) for file in files if file)])]


def _read_by_python() -> Iterator[str]:
    """The configuration of a virtual environment, and the lines that its packages have run."""
    yield os.path.join(sys.prefix, "pyvenv.cfg")
    for folder in sys.path:
        yield from glob.iglob(os.path.join(glob.escape(folder), "*.pth"))


def distrust(path: str) -> str:
    """
    Return why others than root can change what a path leads to, "" where they cannot.

    That is the file, each directory up to the root directory, and wherever symbolic links lead.
    """
    for part in _parts(os.path.abspath(path)):
        try:
            status = os.lstat(part)
        except OSError as error:
            return f"{part!r} cannot be looked at: {error.strerror}"
        why = ""
        if status.st_uid != 0:
            why = f"{part!r} belongs to user {status.st_uid}"
        elif _is_open(status):
            why = f"others can write to {part!r} ({stat.S_IMODE(status.st_mode):04o})"
        if why:
            return f"{path!r} is not root's alone: {why}. {_CURE}"
    return ""


_CURE = (
    "What root runs must be writable by root alone, up to /: `chown -R root` it, `chmod -R go-w` "
    "it, or start the server as another user than root"
)


def _is_open(status: os.stat_result) -> bool:
    if stat.S_ISLNK(status.st_mode):
        return False
    if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
        # Others may add files, as in /tmp, but not touch root's.
        return False
    by_group = status.st_mode & stat.S_IWGRP and status.st_gid != 0
    return bool(by_group or status.st_mode & stat.S_IWOTH)


def _parts(path: str) -> Iterator[str]:
    """Yield a path's parts from / on, following links as the kernel does."""
    done, left = "/", path.split("/")[1:]
    yield done
    links = 0
    while left:
        name = left.pop(0)
        if name in ("", "."):
            continue
        done = os.path.dirname(done) if name == ".." else os.path.join(done, name)
        yield done
        if os.path.islink(done):
            links += 1
            if links > MOST_LINKS:
                return
            target = os.readlink(done)
            left = target.split("/") + left
            done = "/" if target.startswith("/") else os.path.dirname(done)
