"""From a filename to the script in the file system, and to SCRIPT_NAME and PATH_INFO."""

from __future__ import annotations

import os
import re
import stat
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ..exceptions import TargetError

FollowSymlinks = bool | Literal["owner"]

# As observed: Apache answers 404 to a longer filename, though the script exists.
LONGEST_FILENAME = 4092

NOT_FOUND = "Target WSGI script not found or unable to stat"
IS_DIRECTORY = "Attempt to invoke directory as WSGI application"
OUTSIDE_ROOTS = "Target WSGI script is outside WSGIMATCH_ROOTS"
LINK_REFUSED = "Symbolic link not allowed or link target not accessible"
NO_ACCESS = "Search permissions are missing on a component of the path"
NOT_A_FILE = "Target WSGI script is not a regular file"

_SLASHES = re.compile("//+")


@dataclass(frozen=True, slots=True)
class Script:
    """A script file and the rest of the filename, which is the PATH_INFO."""

    path: str
    path_info: str


def find_script(
    filename: str,
    *,
    base_directory: str = "/",
    follow_symlinks: FollowSymlinks = True,
    roots: tuple[str, ...] | None = None,
) -> Script:
    """
    Walk the file system down a filename: the first regular file is the script.

    Mirrors ap_directory_walk(). ``//``, ``.`` and ``..`` are resolved in the text before any
    file is looked at. ``roots`` are the directories that scripts may lie in, None for any.
    Raises TargetError with status 403 or 404.
    """
    if len(filename) > LONGEST_FILENAME:
        raise TargetError(404, NOT_FOUND, filename)
    if not filename.startswith("/"):
        filename = f"{base_directory}/{filename}" if filename else "/"
    components, tail = split_filename(filename)
    path = ""
    for number, name in enumerate(components):
        path += "/" + name
        if stat.S_ISREG(mode_of(path, follow_symlinks)):
            if not is_inside(path, roots):
                raise TargetError(403, OUTSIDE_ROOTS, path)
            rest = "".join("/" + component for component in components[number + 1 :])
            return Script(path, rest + tail)
    raise TargetError(403, IS_DIRECTORY, path or "/")


def split_filename(filename: str) -> tuple[list[str], str]:
    """The components of an absolute path, dots resolved, and "/" where it names a directory."""
    components: list[str] = []
    name = ""
    for name in filename.split("/"):
        if name == "..":
            del components[-1:]
        elif name not in ("", "."):
            components.append(name)
    return components, "/" if name in ("", ".", "..") else ""


def split_uri(uri: str, path_info: str) -> tuple[str, str]:
    """
    Return SCRIPT_NAME and PATH_INFO.

    Mirrors ap_find_path_info(): SCRIPT_NAME is what is left of the uri when the PATH_INFO, as
    the file system gave it, is compared with it from the right, up to the next slash. Then, as
    mod_wsgi does, runs of slashes are merged in both.
    """
    script_name = uri[: _path_info_start(uri, path_info)] if path_info else uri
    return _SLASHES.sub("/", script_name), _SLASHES.sub("/", path_info)


def is_inside(path: str, roots: tuple[str, ...] | None) -> bool:
    """
    Whether a script's normalised path lies in one of the directories.

    The directories have no slash at the end. A root that leads *through* the script, as the
    derived root of a target ``x.wsgi/tail`` does, allows that script.
    """
    if roots is None:
        return True
    roots = roots if isinstance(roots, Roots) else _ready(roots)
    return roots.lead_through(path) or not roots.known.isdisjoint(_directories_of(path))


def is_directory_inside(refused: TargetError, roots: tuple[str, ...] | None) -> bool:
    """Whether a walk has ended at a directory, and one that scripts may lie in."""
    # With the slash no root leads through it: what lies beside all of them is not told.
    path = f"{refused.path.rstrip('/')}/"
    return refused.reason == IS_DIRECTORY and is_inside(path, roots)


class Roots(tuple[str, ...]):
    """
    The directories that scripts may lie in, quick to be asked however many there are.

    A path costs as much among 100,000 as among one.
    """

    def __init__(self, _: Iterable[str] = ()) -> None:
        # At once, so that what is made before a fork is made for all.
        self.known = frozenset(self)
        self._in_order = sorted(self)

    def lead_through(self, path: str) -> bool:
        """Whether one of the directories is a path, or lies below it."""
        if path in self.known:
            return True
        # Those below it stand together in their order, behind the path with its slash.
        below = path + "/"
        place = bisect_left(self._in_order, below)
        return place < len(self) and self._in_order[place].startswith(below)


@lru_cache(maxsize=8)
def _ready(roots: tuple[str, ...]) -> Roots:
    # Optimization: to hash 100,000 directories takes 1.4 ms, to make them ready 22 ms.
    return Roots(roots)


def _directories_of(path: str) -> Iterator[str]:
    """The directories above a path, without a slash at the end."""
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)


def _path_info_start(uri: str, path_info: str) -> int:
    u, p = len(uri), len(path_info)
    while u and p and uri[u - 1] == path_info[p - 1]:
        u -= 1
        p -= 1
        if path_info[p] == "/":
            while u and uri[u - 1] == "/":
                u -= 1
    slash = uri.find("/", max(u - 1, 0))
    return slash if slash >= 0 else len(uri)


def mode_of(path: str, follow_symlinks: FollowSymlinks) -> int:
    """
    Return the kind of file that a path leads to, looking at its last component alone.

    Raises TargetError, 403 or 404, where Apache goes no further.
    """
    try:
        name = path.encode("latin-1")
        found = os.lstat(name)
        if stat.S_ISLNK(found.st_mode):
            found = _follow(name, path, found, follow_symlinks)
    except FileNotFoundError:
        raise TargetError(404, NOT_FOUND, path) from None
    except (OSError, ValueError):
        raise TargetError(403, NO_ACCESS, path) from None
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise TargetError(403, NOT_A_FILE, path)
    return found.st_mode


def _follow(
    name: bytes, path: str, link: os.stat_result, follow_symlinks: FollowSymlinks
) -> os.stat_result:
    if not follow_symlinks:
        raise TargetError(403, LINK_REFUSED, path)
    try:
        found = os.stat(name)
    except OSError:
        raise TargetError(403, LINK_REFUSED, path) from None
    if follow_symlinks == "owner" and found.st_uid != link.st_uid:
        raise TargetError(403, LINK_REFUSED, path)
    return found
