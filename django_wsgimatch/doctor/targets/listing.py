"""What lies in directories: each is listed once in a check, however many aliases lead there."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice, takewhile

# Of a directory of scripts, this many are looked at.
_MOST_SCRIPTS = 1000


@dataclass(frozen=True, slots=True)
class Listing:
    """The names of a directory's files and of the directories in it, sorted."""

    path: str
    files: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listings:
    """
    The directories that have been listed; paths and names are latin-1 text.

    One that may not be read is empty.
    """

    _known: dict[str, Listing] = field(default_factory=dict)
    _scripts: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)

    def __getitem__(self, path: str) -> Listing:
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = _listed(path or "/")
        return known

    def scripts(self, path: str, beginning: str, ending: str = "") -> tuple[str, ...]:
        """Return the files of a directory whose names begin and end as said, a thousand at most."""
        key = (path, beginning, ending)
        known = self._scripts.get(key)
        if known is None:
            files = self[path].files
            sorted_names = islice(files, bisect_left(files, beginning), None)
            same = takewhile(lambda name: name.startswith(beginning), sorted_names)
            named = islice((name for name in same if name.endswith(ending)), _MOST_SCRIPTS)
            known = self._scripts[key] = tuple(os.path.join(path or "/", name) for name in named)
        return known


def _listed(path: str) -> Listing:
    files, directories = [], []
    try:
        with os.scandir(path.encode("latin-1")) as entries:
            for entry in entries:
                if _is(entry.is_file):
                    files.append(entry.name.decode("latin-1"))
                elif _is(entry.is_dir):
                    directories.append(entry.name.decode("latin-1"))
    except OSError:
        return Listing(path)
    return Listing(path, tuple(sorted(files)), tuple(sorted(directories)))


def _is(kind: Callable[[], bool]) -> bool:
    try:
        return kind()
    except OSError:
        # A link that leads round in a circle, or where nobody may look.
        return False
