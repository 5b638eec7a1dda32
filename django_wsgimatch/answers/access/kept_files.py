"""
Files of users and of groups: read once, and again when they change.

Mirrors check_password() of mod_authn_file and groups_for_user() of mod_authz_groupfile.
"""

from __future__ import annotations

import os
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeAlias, TypeVar

from ...aliases.access.requirements import split_line
from ...exceptions import AccessFileError
from ...text import quoted

Content = TypeVar("Content")
Users: TypeAlias = Mapping[str, str]
Groups: TypeAlias = Mapping[str, frozenset[str]]

# Apache's MAX_STRING_LEN: at a longer line it stops reading a file of users.
_LONGEST_LINE = 8190
_BLANKS = " \t\n\v\f\r"
_CONTINUED = re.compile(r"\\\r?\n")
# A file that has just been written may change again without a new time.
_SETTLED = 2.0


def parse_users(text: str) -> Users:
    """Return the entries of an htpasswd file by the users' names; the first of a name counts."""
    users: dict[str, str] = {}
    for line in _lines(text):
        if len(line) > _LONGEST_LINE:
            break
        line = line.strip(_BLANKS)
        if line and line[0] != "#":
            user, _, rest = line.partition(":")
            users.setdefault(user, rest.lstrip(":").partition(":")[0])
    return MappingProxyType(users)


def parse_groups(text: str) -> Groups:
    """Return the groups of each user, in lower case: Apache does not tell cases apart there."""
    groups: dict[str, set[str]] = {}
    for line in _lines(text):
        line = line.strip(_BLANKS)
        if line and line[0] != "#":
            name, _, members = line.partition(":")
            for member in split_line(members.lstrip(":")):
                groups.setdefault(member, set()).add(name.rstrip(_BLANKS).lower())
    return MappingProxyType({user: frozenset(names) for user, names in groups.items()})


def _lines(text: str) -> Iterator[str]:
    """Yield the lines as Apache reads them: a backslash before the end joins two."""
    for line in _CONTINUED.sub("", text).split("\n"):
        yield line.partition("\0")[0]


@dataclass(frozen=True, slots=True)
class _Version(Generic[Content]):
    """What a file held, and how to tell that it still holds it; None where that cannot be told."""

    content: Content
    signature: tuple[int, ...] | None


class KeptFile(Generic[Content]):
    """
    A file, looked at once in ``interval`` seconds and read anew when it has changed.

    ``path`` is latin-1 text, ``parse`` makes its content of the file's text.
    """

    def __init__(self, path: str, parse: Callable[[str], Content], interval: float) -> None:
        self.path = path
        self._parse = parse
        self._interval = interval
        self._lock = threading.Lock()
        self._version: _Version[Content] | None = None
        self._due = 0.0

    def get(self) -> Content:
        """Return the content. Raises AccessFileError where the file cannot be read."""
        version = self._version
        if version is not None and time.monotonic() < self._due:
            return version.content
        with self._lock:
            version = self._version
            if version is not None and time.monotonic() < self._due:
                return version.content
            return self._renewed().content

    def _renewed(self) -> _Version[Content]:
        version = self._version
        try:
            if version is None or version.signature != _signature(os.stat(self._name)):
                version = self._read()
        except (OSError, ValueError) as error:
            self._version = None
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise AccessFileError(f"{quoted(self.path)} cannot be read: {reason}") from error
        self._version = version
        self._due = time.monotonic() + self._interval
        return version

    def _read(self) -> _Version[Content]:
        # What is no file, such as a pipe that nobody writes to, must not keep requests waiting.
        descriptor = os.open(self._name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ValueError("it is not a file")
            text = file.read().decode("latin-1")
        is_settled = time.time() - status.st_mtime > _SETTLED
        return _Version(self._parse(text), _signature(status) if is_settled else None)

    @property
    def _name(self) -> bytes:
        return self.path.encode("latin-1")


def _signature(status: os.stat_result) -> tuple[int, ...]:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev


class UserFiles:
    """All files of users and groups that rules name, each kept once."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._users: dict[str, KeptFile[Users]] = {}
        self._groups: dict[str, KeptFile[Groups]] = {}

    def users(self, path: str) -> Users:
        """Return the entries of an htpasswd file by user. Raises AccessFileError."""
        file = self._users.get(path)
        if file is None:
            file = self._users.setdefault(path, KeptFile(path, parse_users, self._interval))
        return file.get()

    def groups(self, path: str) -> Groups:
        """Return the groups of each user that a group file names. Raises AccessFileError."""
        file = self._groups.get(path)
        if file is None:
            file = self._groups.setdefault(path, KeptFile(path, parse_groups, self._interval))
        return file.get()
