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

    def note(self) -> None:
        """Note the files of modules that have been loaded since the last time."""
        for file in _own_files():
            if file not in self._noted:
                self._noted[file] = _stamp(file)

    def changed(self) -> str | None:
        """Return a file that has changed since its module was loaded, or None."""
        for file in _own_files():
            now = _stamp(file)
            if file in self._noted:
                if now is not None and now != self._noted[file]:
                    return file
            elif now is not None and max(now) > self._began:
                # It was loaded by a request, and nobody has noted when.
                return file
        return None


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
