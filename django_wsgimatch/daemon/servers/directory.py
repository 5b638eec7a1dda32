"""
The folders that hold servers' sockets: nobody but the server may look into them.

``<base>/<owner's pid>.<its start>/`` holds the manager's own socket, ``manager.sock``, and a
socket and a board for each place. All that is made, changed or removed here bears a marker. Each
process of the server holds a lock in its folder: in another container, where its pid means nothing,
or another process, that is how one sees that it lives.
"""

from __future__ import annotations

import glob
import hashlib
import os
import pwd
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from ...exceptions import SocketDirectoryError
from ...whole_files import write_whole
from ..place import Place
from .held_file import hold, is_held, open_own
from .owner import Owner

NAME = "wsgimatch"
MARKER = ".wsgimatch"
# What the kernel takes for a socket's path, less the names that are put behind the base.
LONGEST_BASE = 107 - len("/4194304.999999999999/0123456789abcdef.sock")


@dataclass(frozen=True, slots=True)
class Directory:
    """The folder of one server, and the folder that it lies in."""

    base: str
    name: str

    @property
    def path(self) -> str:
        """The folder."""
        return os.path.join(self.base, self.name)

    @property
    def lock(self) -> str:
        """Held by whoever starts the manager."""
        return os.path.join(self.path, "lock")

    @property
    def alive(self) -> str:
        """Held by all processes of the server."""
        return os.path.join(self.path, "alive")

    @property
    def manager(self) -> str:
        """The socket on which the manager takes orders."""
        return os.path.join(self.path, "manager.sock")

    @property
    def project(self) -> str:
        """The file that holds the name of the server's project."""
        return os.path.join(self.path, "project")

    @property
    def draining(self) -> str:
        """The file that is there while the server drains."""
        return os.path.join(self.path, "draining")

    @property
    def is_draining(self) -> bool:
        """Whether the server is to be sent no more requests."""
        return os.path.exists(self.draining)

    def drain(self, *, on: bool) -> None:
        """Have the server say that it is not ready, or no longer. Raises OSError."""
        if on:
            _touch(self.draining)
            return
        with suppress(FileNotFoundError):
            os.unlink(self.draining)

    def set_project(self, name: str) -> None:
        """Write down whose server it is. Raises OSError."""
        write_whole(self.project, name.encode("utf-8", "surrogateescape"), 0o600)

    def is_of_project(self, name: str) -> bool:
        """Whether the server has written down this project."""
        try:
            with open(self.project, "rb") as file:
                return file.read() == name.encode("utf-8", "surrogateescape")
        except OSError:
            return False

    def socket(self, place: Place) -> str:
        """The socket on which a place takes requests."""
        return os.path.join(self.path, f"{place.key}.sock")

    def board(self, place: Place, generation: int) -> str:
        """The board of a place's processes, one for each time that they were started."""
        return os.path.join(self.path, f"{place.key}.{generation}.board")

    def boards(self, place: Place) -> list[str]:
        """The boards of a place: of its processes, and of those that they have replaced."""
        start = os.path.join(self.path, f"{place.key}.")
        found = (path for path in self.files_of_places() if path.startswith(start))
        return [path for path in found if path.endswith(".board")]

    def files_of_places(self) -> list[str]:
        """The boards and sockets of all places."""
        try:
            names = os.listdir(self.path)
        except OSError:
            return []
        own = os.path.basename(self.manager)
        found = (name for name in names if name.endswith((".board", ".sock")) and name != own)
        return [os.path.join(self.path, name) for name in found]


def base_in(parent: str) -> str:
    """Return the folder of this user's servers in a directory that a setting names."""
    return os.path.join(os.path.abspath(parent), f"{NAME}-{os.geteuid()}")


def default_base(owner: Owner) -> str:
    """
    Return where the folder of this server lies if no setting says so.

    That is systemd's RuntimeDirectory=, or what root has made in it, the folder in /run that root
    has made, or the user's own state directory: they outlive a login. Who has none of them gets a
    folder in /tmp whose name nobody can take first.
    """
    for runtime in os.environ.get("RUNTIME_DIRECTORY", "").split(":"):
        if runtime and (_is_usable(runtime) or _is_usable(os.path.join(runtime, NAME))):
            return os.path.join(runtime, NAME)
    if _is_usable(run_base(os.geteuid())):
        return run_base(os.geteuid())
    home = home_base(os.geteuid())
    if home is not None and _is_usable(os.path.dirname(os.path.dirname(os.path.dirname(home)))):
        return home
    return os.path.join(_temporary(), f"{NAME}-{os.geteuid()}.{_secret(owner)}")


def run_base(user: int) -> str:
    """Return the folder for a user's servers that root makes when it starts one."""
    return f"/run/{NAME}-{user}"


def home_base(user: int) -> str | None:
    """Return the folder for a user's servers in his home, None for one without a home."""
    try:
        home = pwd.getpwuid(user).pw_dir
    except KeyError:
        return None
    return os.path.join(home, ".local", "state", NAME) if os.path.isabs(home) else None


def _is_usable(folder: str) -> bool:
    """Whether a folder is this user's own, and short enough."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    is_own = status.st_uid == os.geteuid() and stat.S_ISDIR(status.st_mode)
    is_short = len(os.fsencode(folder)) + len("/.local/state/wsgimatch") <= LONGEST_BASE
    return is_own and is_short and os.access(folder, os.W_OK | os.X_OK)


def _temporary() -> str:
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError:
        # Nobody can write anywhere. Whoever tries to make the folder says so, and the cure.
        return "/tmp"
    return folder if len(folder) + 40 < LONGEST_BASE else "/tmp"


def _secret(owner: Owner) -> str:
    """A name that all processes of a server find, and no other user: from its address space."""
    try:
        with open(f"/proc/{owner.pid}/auxv", "rb") as file:
            secret = file.read(4096)
    except OSError:
        secret = b""
    return hashlib.blake2s(secret + owner.name.encode(), digest_size=8).hexdigest()


def make_base(path: str) -> str:
    """
    Make the folder of servers' folders and return it.

    Raises SocketDirectoryError where it cannot be made, or where others could put something in.
    """
    if len(os.fsencode(path)) > LONGEST_BASE:
        raise SocketDirectoryError(
            f"{path!r} is too long for a folder of sockets: the kernel takes {LONGEST_BASE} bytes"
        )
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        if not os.listdir(path):
            _touch(os.path.join(path, MARKER))
    except OSError as error:
        raise SocketDirectoryError(f"{path!r} cannot be made: {error.strerror}") from error
    if reason := distrust_of_folder(path):
        raise SocketDirectoryError(reason)
    return path


def try_base(path: str, room: int = 0) -> str:
    """
    Return why sockets cannot lie in a folder of servers' folders, "" where they can.

    It is made, a socket is bound in it, a file of so many bytes (``room``) is written, and what was
    not there before is removed.
    """
    made = [*_missing(path)]
    try:
        make_base(path)
        with tempfile.TemporaryDirectory(prefix="trial.", dir=path) as trial:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(os.path.join(trial, "socket"))
            if room and hasattr(os, "posix_fallocate"):
                with open(os.path.join(trial, "room"), "xb") as file:
                    os.posix_fallocate(file.fileno(), 0, room)
    except SocketDirectoryError as error:
        return str(error)
    except OSError as error:
        return f"{path!r}: {error.strerror}"
    finally:
        for folder in made:
            _remove_unused(folder)
    return ""


def _missing(path: str) -> Iterator[str]:
    """Yield the folders that are not there yet, the innermost first."""
    while not os.path.lexists(path):
        yield path
        path = os.path.dirname(path)


def _remove_unused(folder: str) -> None:
    """Remove a folder that holds nothing but its marker, or not even that."""
    with suppress(OSError):
        if os.listdir(folder) == [MARKER]:
            os.unlink(os.path.join(folder, MARKER))
        os.rmdir(folder)


def distrust_of_folder(path: str) -> str:
    """Return why a folder of sockets cannot be trusted, "" where it can."""
    try:
        status = os.lstat(path)
    except OSError as error:
        return f"{path!r} cannot be read: {error.strerror}"
    if not stat.S_ISDIR(status.st_mode):
        return f"{path!r} is not a directory"
    if status.st_uid != os.geteuid():
        return f"{path!r} belongs to user {status.st_uid}, not to {os.geteuid()}"
    if status.st_mode & 0o022:
        return f"others can write to {path!r}: its mode is {stat.S_IMODE(status.st_mode):04o}"
    if not is_marked(path):
        return f"{path!r} holds other files than a server's: it has no {MARKER}"
    return _distrust_parents(os.path.dirname(path))


def _distrust_parents(folder: str) -> str:
    """Whoever can rename a folder can put another in its place."""
    while True:
        status = os.stat(folder)
        if status.st_uid not in (0, os.geteuid()):
            return f"{folder!r} belongs to user {status.st_uid}, who can put another folder there"
        if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
            mode = stat.S_IMODE(status.st_mode)
            return f"others can write to {folder!r}: its mode is {mode:04o}"
        if folder == os.path.dirname(folder):
            return ""
        folder = os.path.dirname(folder)


def is_marked(path: str) -> bool:
    """Whether a folder was made here."""
    return os.path.isfile(os.path.join(path, MARKER))


def _touch(path: str) -> None:
    os.close(open_own(path))


def directory_of(owner: Owner, base: str) -> Directory:
    """Return a server's folder."""
    return Directory(base, owner.name)


def make_directory(owner: Owner, base: str) -> Directory:
    """
    Make a server's folder, for this process's user and nobody else, and hold it.

    Raises SocketDirectoryError where it cannot be made, or is somebody else's.
    """
    make_base(base)
    directory = directory_of(owner, base)
    try:
        os.makedirs(directory.path, mode=0o700, exist_ok=True)
        # What is marked and not held is swept away.
        hold(directory.alive)
        _touch(os.path.join(directory.path, MARKER))
    except OSError as error:
        raise SocketDirectoryError(
            f"{directory.path!r} cannot be made: {error.strerror}"
        ) from error
    if reason := distrust_of_folder(directory.path):
        raise SocketDirectoryError(reason)
    return directory


def remove_directory(directory: Directory) -> None:
    """Remove a server's folder, and the one that it lies in if no other server's is there."""
    shutil.rmtree(directory.path, ignore_errors=True)
    _remove_unused(directory.base)


def bases_of(user: int) -> list[str]:
    """Return the folders in which servers of a user may have theirs, as far as they are there."""
    home = home_base(user)
    runtimes = [*filter(None, os.environ.get("RUNTIME_DIRECTORY", "").split(":"))]
    candidates = [
        *runtimes,
        *(os.path.join(runtime, NAME) for runtime in runtimes),
        run_base(user),
        *glob.glob(f"/run/*/{NAME}"),
        *([home] if home is not None else []),
        *glob.glob(f"{glob.escape(_temporary())}/{NAME}-{user}.*"),
    ]
    found = (os.path.abspath(path) for path in candidates if path)
    return [path for path in dict.fromkeys(found) if _is_base_of(path, user)]


def _is_base_of(path: str, user: int) -> bool:
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == user and is_marked(path)


def running_servers(bases: Iterable[str]) -> Iterator[tuple[Owner, Directory]]:
    """Yield the servers that have a folder and still run."""
    for base in bases:
        for owner in _owners(base):
            if owner.is_alive:
                yield owner, directory_of(owner, base)


def sweep(base: str) -> None:
    """Remove what servers have left that were killed; those of other containers are alive."""
    for owner in _owners(base):
        directory = directory_of(owner, base)
        is_left = not owner.is_alive and not is_held(directory.alive)
        if is_left and is_marked(directory.path):
            shutil.rmtree(directory.path, ignore_errors=True)


def _owners(base: str) -> list[Owner]:
    try:
        names = os.listdir(base)
    except OSError:
        return []
    parts = [name.partition(".") for name in names]
    return [Owner(int(pid), started) for pid, dot, started in parts if pid.isdigit() and dot]
