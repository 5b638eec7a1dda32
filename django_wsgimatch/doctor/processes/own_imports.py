"""This process: where its own project is imported from, and what of it has been imported."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator

from .leaks import find_top_level

_LIBRARIES = tuple(
    sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


def own_paths() -> tuple[str, ...]:
    """Return the directories of sys.path that hold no libraries."""
    paths = dict.fromkeys(os.path.abspath(path) for path in sys.path)
    return tuple(path for path in paths if not path.startswith(_LIBRARIES))


def own_modules(paths: tuple[str, ...]) -> dict[str, str]:
    """Return the files or folders of what has been imported from some directories, by name."""
    found = {name: find_top_level(name, paths) for name in _imported_from(paths)}
    return {name: path for name, path in found.items() if path}


def _imported_from(paths: tuple[str, ...]) -> Iterator[str]:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and "." not in name and file.startswith(paths):
            yield name
