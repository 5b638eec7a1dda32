"""The files that a project has collected or stored, and what a GET for one of them gets."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from . import page_visits

# The settings that name the files' URLs, and their folders.
ROOTS = {"STATIC_URL": "STATIC_ROOT", "MEDIA_URL": "MEDIA_ROOT"}
# So many names of a folder are looked at, so deep.
_NAMES, _DEEPEST = 200, 4
# What stands in a URL as it is in a file's name.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def answers(
    application: Callable[..., Any],
    script_name: str,
    urls: Mapping[str, str | None],
    settings: Mapping[str, Any],
    host: str,
) -> dict[str, dict[str, Any]]:
    """Return by setting the URL of a file below the project's own prefix, and its status."""
    found = {}
    for setting, root in ROOTS.items():
        url, folder = urls.get(setting), settings.get(root)
        if not url or not folder or not url.startswith(f"{script_name}/"):
            continue
        file = first_file(str(folder))
        if file is None:
            continue
        path = f"{url[len(script_name) :].rstrip('/')}/{file}"
        answer = page_visits.visit(application, script_name, path, host)
        if answer is not None:
            found[setting] = {"url": script_name + path, "status": answer[0]}
    return found


def first_file(folder: str, depth: int = _DEEPEST) -> str | None:
    """Return the path of a file in a folder or below, None where none is found."""
    try:
        with os.scandir(folder) as entries:
            found = [each for each in islice(entries, _NAMES) if _PLAIN.fullmatch(each.name)]
            files = sorted(each.name for each in found if each.is_file())
            folders = sorted(each.name for each in found if each.is_dir(follow_symlinks=False))
    except OSError:
        return None
    if files:
        return files[0]
    for name in folders if depth else ():
        if (below := first_file(os.path.join(folder, name), depth - 1)) is not None:
            return f"{name}/{below}"
    return None
