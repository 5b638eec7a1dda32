"""Has the code that this process runs changed on disk since it was loaded?"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

Stamp = tuple[int, int]


class LoadedFiles:
    """
    The files of the modules that this process has loaded, as they were then.

    Those outside the Python installation and its packages count: an application's own. A file
    that was replaced by an older one has changed, too, and the clock may have been set in the
    meantime: the stamps of a file are compared with each other, as far as they were noted.
    """

    def __init__(self) -> None:
        self._began = time.time_ns()
        self._noted: dict[str, Stamp | None] = {}

    def note(self, since: int | None = None) -> None:
        """
        Note the files of modules that have been loaded since the last time.

        ``since`` is when the first of them began to load (time.time_ns()), at first when this
        process began: of a file that has changed after that nobody knows which version is here.
        """
        since = self._began if since is None else since
        for file in _own_files():
            if file not in self._noted:
                stamp = _stamp(file)
                self._noted[file] = stamp if stamp is None or stamp[1] <= since else None

    def changed(self) -> str | None:
        """Return the file that has changed last since its module was loaded, or None."""
        found = [(stamp[1], file) for file, stamp in self._changed()]
        return max(found)[1] if found else None

    def _changed(self) -> Iterator[tuple[str, Stamp]]:
        for file in _own_files():
            now = _stamp(file)
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


def _own_files() -> Iterator[str]:
    for module in [*sys.modules.values()]:
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and not _is_installed(file):
            yield file


def _is_installed(file: str) -> bool:
    return "site-packages" in file or file.startswith(os.path.dirname(os.__file__) + os.sep)


def _stamp(file: str) -> Stamp | None:
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns
