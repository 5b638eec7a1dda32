"""Has the code that this process runs changed on disk since it was loaded?"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from ...raised import is_library

Stamp = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Inherited:
    """
    The modules that a process has loaded before it forks: how many, and the newest ones' names.

    A process that is forked anew has the same ones, so it is of no use to look for changes of
    them. Optimization: who looks at a module has the page of memory that it is in as its own from
    then on; a look at all took 0.8 MiB a process.
    """

    count: int = 0
    newest: tuple[str, ...] = ()

    @classmethod
    def by_now(cls) -> Inherited:
        """Return those of this process."""
        return cls(len(sys.modules), tuple(islice(reversed(sys.modules), 8)))

    def others(self) -> list[str]:
        """Return the modules that have been loaded since; all, where some of before are gone."""
        end = len(sys.modules) - self.count
        found = [*islice(reversed(sys.modules), max(end, 0) + len(self.newest))]
        return found[:end] if tuple(found[end:]) == self.newest else [*sys.modules]


_NOTHING = Inherited()


@dataclass(slots=True, eq=False)
class LoadedFiles:
    """
    The files of the modules that this process has loaded, as they were then.

    Those outside the Python installation and its packages count: an application's own; with
    ``is_whole`` all do. ``inherited`` is what the parent had loaded, which does not count.
    A file that was replaced by an older one has changed, too, and the clock may have been set in
    the meantime: the stamps of a file are compared with each other, as far as they were noted.
    """

    inherited: Inherited = _NOTHING
    is_whole: bool = False
    _began: int = field(default_factory=time.time_ns, init=False)
    _noted: dict[str, Stamp | None] = field(default_factory=dict, init=False)
    _added: set[str] = field(default_factory=set, init=False)

    def add(self, files: Iterable[str]) -> None:
        """Count further files, whether they are there or not: one that appears has changed."""
        self._added.update(files)

    def add_new(self, files: Iterable[str]) -> None:
        """Count further files that were not there before, whatever their times say."""
        for file in {*files} - self._added:
            self._noted[file] = None
            self._added.add(file)

    def note(self, since: int | None = None) -> None:
        """
        Note the files of modules that have been loaded since the last time.

        ``since`` is when the first of them began to load (time.time_ns()), at first when this
        process began: of a file that has changed after that nobody knows which version is here.
        """
        since = self._began if since is None else since
        for file in self._files():
            if file not in self._noted:
                stamp = stamp_of(file)
                self._noted[file] = None if _is_unsure(stamp, since) else stamp

    def noted(self) -> dict[str, Stamp | None]:
        """Return the stamps of the noted files, None for what no version is known of."""
        return dict(self._noted)

    def changed(self) -> str | None:
        """Return the file that has changed last since its module was loaded, or None."""
        found = [(stamp[1], file) for file, stamp in self._changed()]
        return max(found)[1] if found else None

    def _files(self) -> Iterator[str]:
        yield from _loaded_files(self.inherited.others(), is_whole=self.is_whole)
        yield from [*self._added]

    def _changed(self) -> Iterator[tuple[str, Stamp]]:
        for file in self._files():
            now = stamp_of(file)
            if now is None:
                continue
            # Some were loaded by a request, and nobody has noted when.
            is_noted = file in self._noted
            if now != self._noted[file] if is_noted else max(now) > self._began:
                yield file, now


def change_time(path: str | bytes) -> float:
    """Return when a file was last changed or replaced (time.time()); 0 where it is gone."""
    try:
        return os.stat(path).st_ctime
    except OSError:
        return 0.0


def edits(noted: Mapping[str, Stamp | None]) -> Iterator[tuple[str, Stamp]]:
    """Yield the files that are other than they were noted, and their stamps."""
    for file, before in noted.items():
        now = stamp_of(file)
        if now is not None and now != before:
            yield file, now


def stamp_of(file: str) -> Stamp | None:
    """Return when a file was last written, and when changed, in nanoseconds; None without it."""
    try:
        status = os.stat(file)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_ctime_ns


def _is_unsure(stamp: Stamp | None, since: int) -> bool:
    """Whether a file has changed after its module began to load."""
    # What lies ahead is of another machine's clock, with which nothing can be compared.
    return stamp is not None and since < stamp[1] <= time.time_ns()


def _loaded_files(names: Iterable[str], *, is_whole: bool) -> Iterator[str]:
    for name in names:
        file = getattr(sys.modules.get(name), "__file__", None)
        if isinstance(file, str) and (is_whole or not is_library(file)):
            yield file
