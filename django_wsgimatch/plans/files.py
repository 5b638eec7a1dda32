"""
What is known of files for a moment: which scripts there are, and which are missing.

A moment is WSGIMATCH_SCRIPT_RELOAD_INTERVAL. All of it is bounded, and nothing is known that the
corridor has not found in the file system before.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from time import monotonic

from ..aliases.module_target import is_module
from ..aliases.target import NOT_FOUND, FollowSymlinks, find_script
from ..exceptions import TargetError
from ..scripts import LoadedScript, Scripts

# So many missing files are remembered, each with a path of at most so many characters.
MOST_MISSING = 1024
LONGEST_MISSING = 512
# No name is longer, with the slash before it.
LONGEST_NAME = 256
# Whether a system can be asked for a link itself without an exception that says no.
LOOKS_AT_LINKS = os.access in os.supports_follow_symlinks


@dataclass(slots=True, eq=False)
class Elsewhere:
    """A script that runs in another place; before ``due`` nobody looks at the way to it again."""

    path: str
    due: float


@dataclass(slots=True, eq=False)
class Refused:
    """
    An answer that needs no script, and until when (time.monotonic()) it holds.

    ``path`` is what is missing, "" where the entry itself refuses for a reason of its own.
    """

    status: int
    due: float
    path: str = ""
    own_reason: str = ""

    @property
    def reason(self) -> str:
        """Why, for the log."""
        # Optimization: hardly anybody logs it, and to write it took 0.1 us.
        return self.own_reason or f"{NOT_FOUND}: {self.path}"


# What answers a request.
Answerer = LoadedScript | Elsewhere | Refused


class Files:
    """
    The scripts that are loaded here or run elsewhere, and what is missing.

    What is looked at again after ``interval`` seconds is whether a loaded script has changed
    (``scripts``), and whether the links on the way to a script may be followed.
    """

    def __init__(self, scripts: Scripts, follow_symlinks: FollowSymlinks, interval: float) -> None:
        self.scripts = scripts
        self.loaded = scripts.loaded
        self.elsewhere: dict[str, Elsewhere] = {}
        self._missing: dict[str, Refused] = {}
        # Directories that the corridor has just passed, on its way to what is missing there.
        self._passed: dict[str, float] = {}
        self._follow_symlinks = follow_symlinks
        self._interval = interval

    def get(self, path: str, *, is_here: bool | None = None) -> Answerer | None:
        """
        Return what is known of a path: a script, or that it is missing.

        The script is one that runs here, or elsewhere; None for either.
        """
        script: LoadedScript | Elsewhere | None = None
        if is_here is not False:
            script = self.loaded.get(path)
        if script is None and is_here is not True:
            script = self.elsewhere.get(path)
        return script or self._missing.get(path)

    def find(self, filename: str, directory: int = 0) -> str | None:
        """
        Return the beginning of a filename that is a known script, or known to be missing.

        Behind a directory that the corridor has passed a moment ago, one look tells the latter.
        No script is sought in the first characters of the filename, up to ``directory``.
        """
        beyond, is_passed = None, filename[:directory] in self._passed
        end = directory
        while end >= 0:
            end = filename.find("/", end + 1)
            path = filename if end < 0 else filename[:end]
            if path in self.loaded or path in self.elsewhere or path in self._missing:
                return path
            if is_passed:
                beyond = path
            is_passed = path in self._passed
        if beyond is not None:
            return beyond if self.lacks(beyond) else None
        return self._missing_above(filename, directory)

    def _missing_above(self, filename: str, directory: int) -> str | None:
        end = filename.find("/", 1)
        while 0 < end <= directory:
            if filename[:end] in self._missing:
                return filename[:end]
            end = filename.find("/", end + 1)
        return None

    def holds(self, answerer: Answerer) -> bool:
        """Whether what was known still is so: a look at the file system, as far as it is asked."""
        if isinstance(answerer, Refused):
            self._missing.pop(answerer.path, None)
            return False
        path = answerer.key if isinstance(answerer, LoadedScript) else answerer.path
        if self._follow_symlinks is not True and not self._may_follow(path):
            return False
        if isinstance(answerer, LoadedScript):
            return self.scripts.is_current(answerer)
        answerer.due = monotonic() + self._interval
        return True

    def lead_elsewhere(self, path: str) -> None:
        """Remember a script that runs elsewhere: the corridor has just found it."""
        due = float("inf") if self._follow_symlinks is True else monotonic() + self._interval
        self.elsewhere[path] = Elsewhere(path, due)

    def miss(self, path: str) -> None:
        """Remember that the corridor has just missed a file in a directory it has passed."""
        if len(path) > LONGEST_MISSING or not self._interval:
            return
        if len(self._passed) >= MOST_MISSING:
            self._passed.clear()
        now = monotonic()
        self._passed[_directory_of(path)] = now + self._interval
        self._note_missing(path, now)

    def lacks(self, path: str) -> Refused | None:
        """
        Return what refuses a file that is missing in a directory which the corridor has passed.

        None where it may be there: the corridor must tell.
        """
        directory = _directory_of(path)
        now = monotonic()
        if (
            self._passed.get(directory, 0.0) <= now
            or len(path) - len(directory) > LONGEST_NAME
            or _is_there(path.encode("latin-1"))
        ):
            return None
        return self._note_missing(path, now)

    def _note_missing(self, path: str, now: float) -> Refused:
        if len(self._missing) >= MOST_MISSING:
            self._missing.clear()
        refused = self._missing[path] = Refused(404, now + self._interval, path)
        return refused

    def _may_follow(self, path: str) -> bool:
        if is_module(path):
            return True
        try:
            return find_script(path, follow_symlinks=self._follow_symlinks).path == path
        except TargetError:
            return False


def _is_there(name: bytes) -> bool:
    """Whether something bears a name, be it a link that leads nowhere."""
    # Optimization: to catch the error of lstat() took twice as long.
    if LOOKS_AT_LINKS:
        return os.access(name, os.F_OK, follow_symlinks=False)
    return os.path.lexists(name)


def _directory_of(path: str) -> str:
    return path[: path.rfind("/")]
