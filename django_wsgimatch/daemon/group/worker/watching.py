"""
A group's processes while their code is being developed: an edit is noticed without a request.

Each process looks once a second at the files of all that it has loaded. Where new processes do not
load, the old ones may have nothing to do with what is to be corrected: then the group's arbiter
looks at the files of those that did not.
"""

from __future__ import annotations

import glob
import json
import os
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .changes import LoadedFiles, Stamp, edits

# An error has no more causes than that.
MOST_CAUSES = 100


@dataclass(slots=True, eq=False)
class Watch:
    """
    Notices edits of what a process has loaded, and of ``extra``: files, and patterns of files.

    ``files`` are noted here, as they are loaded.
    """

    files: LoadedFiles
    extra: Sequence[str]
    _looked: int = field(default_factory=time.time_ns, init=False)
    _told: set[tuple[str, Stamp]] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self.files.add(matching(self.extra))

    def look(self) -> str | None:
        """Return the newest file of those that were edited since the last look, None without."""
        since, self._looked = self._looked, time.time_ns()
        self.files.add_new(matching(self.extra))
        self.files.note(since)
        found = {*edits(self.files.noted())} - self._told
        self._told |= found
        return max(found, key=lambda each: each[1][1])[0] if found else None


@dataclass(frozen=True, slots=True)
class FailedLoad:
    """What processes have read that did not load: they may once some of it has been edited."""

    noted: Mapping[str, Stamp | None]

    @classmethod
    def read(cls, descriptor: int) -> FailedLoad | None:
        """Return what write() has written to a file, None where that is nothing."""
        with suppress(ValueError):
            told: dict[str, Any] = json.loads(os.pread(descriptor, os.fstat(descriptor).st_size, 0))
            return cls({file: tuple(stamp) if stamp else None for file, stamp in told.items()})
        return None

    def write(self, descriptor: int) -> None:
        """Write it to an empty file."""
        with open(descriptor, "wb", closefd=False) as file:
            file.write(json.dumps(self.noted).encode())

    def edited(self) -> str | None:
        """Return a file that has been edited since, None without."""
        return next((file for file, _ in edits(self.noted)), None)


def matching(extra: Iterable[str]) -> Iterator[str]:
    """Yield the files that are named, and those that patterns stand for now."""
    for path in extra:
        yield from glob.glob(path, recursive=True) if glob.has_magic(path) else [path]


def files_of(error: BaseException | None) -> Iterator[str]:
    """Yield the files that had a part in an error, and those whose absence is its cause."""
    for _ in range(MOST_CAUSES):
        if error is None:
            return
        if isinstance(error, SyntaxError) and error.filename:
            yield os.path.abspath(error.filename)
        if isinstance(error, ModuleNotFoundError) and error.name:
            yield from _files_of_module(error.name)
        for frame, _line in traceback.walk_tb(error.__traceback__):
            if os.path.isabs(frame.f_code.co_filename):
                yield frame.f_code.co_filename
        error = error.__cause__ or error.__context__


def forget_templates() -> None:
    """Have Django's templates read anew: its loaders keep those that they have read."""
    apps: Any = sys.modules.get("django.apps")
    autoreload: Any = sys.modules.get("django.template.autoreload")
    if apps is None or autoreload is None or not apps.apps.ready:
        return
    # What is wrong with the engines is told to who uses one.
    with suppress(Exception):
        autoreload.reset_loaders()


def _files_of_module(name: str) -> Iterator[str]:
    package, _, last = name.rpartition(".")
    parent = sys.modules.get(package)
    for folder in [*getattr(parent, "__path__", [])] if package else sys.path:
        yield os.path.join(folder, f"{last}.py")
        yield os.path.join(folder, last, "__init__.py")
