"""A file that tells by a lock that a process lives, also whoever cannot see that process."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

# The descriptors of what this process holds: closing one would let it go.
_held: dict[str, int] = {}


def hold(path: str) -> None:
    """
    Hold a file, made if it is not there, until this process and those that it forks have ended.

    Raises OSError where it cannot be made. Where a file system has no locks, nothing is held.
    """
    if path in _held:
        if is_at(_held[path], path):
            return
        os.close(_held.pop(path))
    file = _held[path] = open_own(path)
    with suppress(OSError):
        # Many hold it: the server's workers, and the manager of its groups.
        fcntl.flock(file, fcntl.LOCK_SH)


def open_own(path: str) -> int:
    """Open a file for this user alone, made if it is not there. Raises OSError, also for a link."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def is_held(path: str) -> bool:
    """Whether a process that holds a file is alive, wherever it is."""
    try:
        file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(file)
    return False


def is_at(descriptor: int, path: str) -> bool:
    """Whether an open file still lies at its path."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False
