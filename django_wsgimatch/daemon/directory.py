"""
The folder that holds a server's sockets: nobody but the server may look into it.

``<base>/<owner's pid>.<its start>/`` holds the manager's own socket, ``manager.sock``, and a
socket and a board for each place.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from ..exceptions import SettingError
from .owner import Owner
from .place import Place

# What the kernel takes for a socket's path, less the names that are put behind the base.
LONGEST_BASE = 107 - len("/4194304.999999999999/0123456789abcdef.sock")


@dataclass(frozen=True, slots=True)
class Directory:
    """The folder of one server."""

    path: str

    @property
    def lock(self) -> str:
        """Held by whoever starts the manager."""
        return os.path.join(self.path, "lock")

    @property
    def manager(self) -> str:
        """The socket on which the manager takes orders."""
        return os.path.join(self.path, "manager.sock")

    def socket(self, place: Place) -> str:
        """The socket on which a place takes requests."""
        return os.path.join(self.path, f"{place.key}.sock")

    def board(self, place: Place, generation: int) -> str:
        """The board of a place's processes, one for each time that they were started."""
        return os.path.join(self.path, f"{place.key}.{generation}.board")

    def boards(self, place: Place) -> list[str]:
        """The boards of a place: of its processes, and of those that they have replaced."""
        try:
            names = os.listdir(self.path)
        except OSError:
            return []
        return [os.path.join(self.path, n) for n in names if _is_board(n, place.key)]


def _is_board(name: str, key: str) -> bool:
    return name.startswith(f"{key}.") and name.endswith(".board")


def default_base() -> str:
    """Return where the folders of this user's servers lie if no setting says so."""
    name = f"wsgimatch-{os.geteuid()}"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and os.access(runtime, os.W_OK | os.X_OK) and len(runtime) + 20 < LONGEST_BASE:
        return os.path.join(runtime, "wsgimatch")
    if os.access("/run", os.W_OK):
        return os.path.join("/run", name)
    folder = tempfile.gettempdir()
    return os.path.join(folder if len(folder) + 20 < LONGEST_BASE else "/tmp", name)


def make_base(path: str) -> str:
    """
    Make the folder of servers' folders and return it.

    Raises SettingError where it cannot be made, or where others could put something into it.
    """
    if len(os.fsencode(path)) > LONGEST_BASE:
        raise SettingError(
            f"{path!r} is too long for a folder of sockets: the kernel takes {LONGEST_BASE} bytes"
        )
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
    except OSError as error:
        raise SettingError(f"{path!r} cannot be made: {error.strerror}") from error
    if reason := distrust(path):
        raise SettingError(reason)
    return path


def distrust(path: str) -> str:
    """Return why a folder of sockets cannot be trusted, "" where it can."""
    try:
        status = os.lstat(path)
    except OSError as error:
        return f"{path!r} cannot be read: {error.strerror}"
    if not stat.S_ISDIR(status.st_mode):
        return f"{path!r} is not a directory"
    if status.st_uid not in (os.geteuid(), 0):
        return f"{path!r} belongs to user {status.st_uid}, not to {os.geteuid()}"
    if status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX:
        return f"others can write to {path!r}: its mode is {stat.S_IMODE(status.st_mode):04o}"
    return ""


def directory_of(owner: Owner, base: str) -> Directory:
    """Return a server's folder."""
    return Directory(os.path.join(base, owner.name))


def make_directory(owner: Owner, base: str, user: int | None = None) -> Directory:
    """
    Make a server's folder, for ``user`` (this process's own by default) and nobody else.

    Raises SettingError where somebody else has made it.
    """
    directory = directory_of(owner, base)
    os.makedirs(directory.path, mode=0o700, exist_ok=True)
    if os.lstat(directory.path).st_uid not in (os.geteuid(), user):
        raise SettingError(f"somebody else has made {directory.path!r}")
    if user is not None and os.lstat(directory.path).st_uid != user:
        os.chown(directory.path, user, -1)
        # The servers' folders are passed through, not read.
        os.chmod(base, 0o711)
    return directory


def running_servers(base: str) -> Iterator[tuple[Owner, Directory]]:
    """Yield the servers that have a folder and still run."""
    for owner in _owners(base):
        if owner.is_alive:
            yield owner, directory_of(owner, base)


def sweep(base: str) -> None:
    """Remove what servers have left that were killed."""
    for owner in _owners(base):
        if not owner.is_alive:
            shutil.rmtree(directory_of(owner, base).path, ignore_errors=True)


def _owners(base: str) -> list[Owner]:
    try:
        names = os.listdir(base)
    except OSError:
        return []
    parts = [name.partition(".") for name in names]
    return [Owner(int(pid), started) for pid, dot, started in parts if pid.isdigit() and dot]
