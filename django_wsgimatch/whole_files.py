"""
Files written whole, and sent whole.

Whoever reads one that is written finds the old text or the new one, never a part. Whoever is sent
one gets all of it, or learns that there was more.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Names of what the process has open: writing there is writing to that, whatever it is.
_OPEN_FILES = ("/dev/fd/", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/proc/")
_TEMPORARY = ".wsgimatch-"


def write_whole(path: str, data: bytes, mode: int = 0o666) -> None:
    """
    Write a file, or leave it as it is. Raises OSError, which names the path.

    The bytes go to a temporary file in the same folder, are synced to the disk, and take the
    place of the file at once. The file keeps its mode, and its owner where the process may give
    files away; a new one has ``mode`` less the umask. A symbolic link stays, and what it leads
    to is written. A pipe or a device is written to as it is.
    """
    with _naming(path):
        old = _status(path)
        if (old is not None and not stat.S_ISREG(old.st_mode)) or path.startswith(_OPEN_FILES):
            _write_as_it_is(path, data)
            return
        target = os.path.realpath(path)
        with _temporary_beside(target, data, mode, old) as temporary:
            os.replace(temporary, target)
        _sync_folder(os.path.dirname(target))


def write_new(path: str, data: bytes, mode: int = 0o666) -> None:
    """Write a file that is not there yet, whole. Raises FileExistsError, or another OSError."""
    with _naming(path):
        with _temporary_beside(path, data, mode, None) as temporary:
            _name_first(temporary, path)
        _sync_folder(os.path.dirname(path))


def _name_first(temporary: str, path: str) -> None:
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP):
            raise
        # A file system without hard links, such as a folder shared with a virtual machine.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        os.rename(temporary, path)
    else:
        os.unlink(temporary)


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Have errors name the path that was asked for, not the temporary file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error


def _status(path: str) -> os.stat_result | None:
    """
    Return what is at a path, following links, None if nothing is.

    It is opened, as it would be if it were written in place: so its permissions count, and the
    system refuses links that others have put into folders such as /tmp.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISREG(status.st_mode):
        os.close(os.open(path, os.O_WRONLY | os.O_CLOEXEC))
    return status


def _write_as_it_is(path: str, data: bytes) -> None:
    with open(path, "wb", buffering=0) as file:
        _write_all(file.fileno(), data)


@contextmanager
def _temporary_beside(
    target: str, data: bytes, mode: int, old: os.stat_result | None
) -> Iterator[str]:
    """Yield a file in the folder of another that holds the bytes; it is gone after an error."""
    name = os.path.join(os.path.dirname(target), f"{_TEMPORARY}{os.urandom(8).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    # What is private stays private from the first byte.
    descriptor = os.open(name, flags, mode if old is None else 0o600)
    try:
        try:
            _write_all(descriptor, data)
            if old is not None:
                _keep_access(descriptor, old)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        yield name
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _keep_access(descriptor: int, old: os.stat_result) -> None:
    with suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode))


def _sync_folder(folder: str) -> None:
    """Have the new name survive a power failure, where the file system can."""
    try:
        descriptor = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


class SentFile(io.BufferedReader):
    """
    An open file that a server sends from its position on: ``announced`` bytes, all if that is None.

    It can be shortened meanwhile. A server would then send less than Content-Length says and keep
    its connection, and a proxy would take the next response for the rest of this one. So what the
    server has sent is counted: what it reads, and where socket.sendfile() ends. Where that is not
    enough, read() or close() raises ``complaint``, and the server cuts its connection.
    """

    def __init__(self, descriptor: int, announced: int | None, complaint: Exception) -> None:
        super().__init__(io.FileIO(descriptor, "rb"))
        self._announced = announced
        self._complaint = complaint
        self._begin = os.lseek(descriptor, 0, os.SEEK_CUR)
        # Where the server is, by what it has asked for: others may share the descriptor's position.
        self._place = 0
        self._sent = 0

    @property
    def left(self) -> int:
        """How many bytes the file has from its position on, at this moment."""
        return max(os.fstat(self.fileno()).st_size - self._begin, 0)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, none beyond what is announced. Raises the complaint."""
        most = None if self._announced is None else max(self._announced - self._place, 0)
        if most is not None:
            size = most if size is None or size < 0 else min(size, most)
        data = super().read(size)
        if most and size and not data:
            # Some servers would ask again and again.
            self._announced = None
            raise self._complaint
        self._move(self._place + len(data))
        return data

    def seek(self, position: int, whence: int = os.SEEK_SET, /) -> int:
        """Mirror io's; socket.sendfile() tells so where it has come to, and waitress goes back."""
        found = super().seek(position, whence)
        if whence == os.SEEK_SET:
            self._move(position - self._begin)
        return found

    def _move(self, place: int) -> None:
        self._place = place
        self._sent = max(self._sent, place)

    def abandon(self) -> None:
        """Close the file, of which nothing is to be sent."""
        self._announced = None
        self.close()

    def close(self) -> None:
        """Close the file. Raises the complaint where the server has sent less than is announced."""
        if self.closed:
            return
        left = self.left
        super().close()
        if self._announced is None or sys.exc_info()[0] is not None:
            # The client has gone away, or something else is wrong: the server knows already.
            return
        # Servers in C send by the descriptor alone.
        if (self._sent or left) < self._announced:
            raise self._complaint
