"""Has the code that this process runs changed on disk since it was loaded?"""

from __future__ import annotations

import os
import sys


def changed_module(since: float) -> str | None:
    """
    Return a loaded module's file that has changed since a time (time.time()), or None.

    Asked are the modules outside the Python installation and its packages: an application's
    own. A file that was replaced by an older one has changed, too.
    """
    for module in [*sys.modules.values()]:
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and not _is_installed(file) and _changed(file) > since:
            return file
    return None


def _is_installed(file: str) -> bool:
    return "site-packages" in file or file.startswith(os.path.dirname(os.__file__) + os.sep)


def _changed(file: str) -> float:
    try:
        status = os.stat(file)
    except OSError:
        return 0.0
    return max(status.st_mtime, status.st_ctime)
