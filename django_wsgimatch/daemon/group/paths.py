"""sys.path as the processes of a place have it."""

from __future__ import annotations

import site
import sys


def set_sys_path(own: tuple[str, ...] | None, python_path: tuple[str, ...]) -> None:
    """
    Make sys.path that of a place.

    ``own`` are the server's directories, None for a process group, which has nothing of the
    server's. ``python_path`` and what its .pth files name stand in front (python-path).
    """
    if own is not None:
        sys.path[:] = own
    known = [*sys.path]
    for directory in python_path:
        site.addsitedir(directory)
    added = [path for path in sys.path if path not in known]
    sys.path[:] = list(dict.fromkeys([*python_path, *added, *known]))
