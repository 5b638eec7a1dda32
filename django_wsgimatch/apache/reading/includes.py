"""
The files that an Include or IncludeOptional line names, and what is in them.

Mirrors ap_process_fnmatch_configs() and ap_pcfg_openfile(). Paths are text with a character a byte.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from fnmatch import fnmatchcase

from ..lines.directive import Unreadable

# AP_MAX_INCLUDE_DEPTH of Apache 2.4.71, and AP_MAX_INCLUDE_DIR_DEPTH of most of 2.4.
DEEPEST = 128
DEEPEST_DIRECTORY = 20

_MISSING = (
    "copy the file too, or name the folder that relative paths start from with --server-root, or "
    "import what `apache2ctl -t -D DUMP_CONFIG` prints on the server"
)
_CLOSED = "make it readable, or import what `apache2ctl -t -D DUMP_CONFIG` prints on the server"
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NOT_REGULAR = "name a regular file; what a command prints is read with -"


def absolute(path: str, server_root: str) -> str:
    """Return a path as ap_server_root_relative() does."""
    path = posixpath.normpath(posixpath.join(server_root, path))
    # Two slashes at the beginning stay two in Python.
    return "/" + path.lstrip("/") if path.startswith("//") else path


def readable_path(path: str) -> str:
    """Return a path as it is shown, and as Python opens it."""
    return os.fsdecode(path.encode("latin-1", "replace"))


def exists(path: str) -> bool:
    """Whether anything is at a path, as <IfFile> asks."""
    return os.path.exists(path.encode("latin-1", "replace"))


def read_text_of(path: str, most: int) -> str:
    """
    Return what is in a file, as text with a character a byte; raises Unreadable.

    Of a file that is longer, or has no end, one byte more than ``most`` is read.
    """
    try:
        with open(path, "rb", opener=_open_regular) as file:
            # None where a file of the kernel has nothing to tell at present.
            return (file.read(most + 1) or b"").decode("latin-1")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def is_private(path: str) -> bool:
    """
    Whether root reads a file here that not everybody may read.

    Its permissions and those of the folders above count, once links are followed.
    """
    if os.geteuid() != 0:
        return False
    file = os.path.realpath(path.encode("latin-1", "replace"))
    folders = [file]
    while folders[-1] != b"/":
        folders.append(os.path.dirname(folders[-1]))
    return not (_allows(file, stat.S_IROTH) and all(_allows(f, stat.S_IXOTH) for f in folders[1:]))


def _allows(path: bytes, right: int) -> bool:
    try:
        return bool(os.stat(path).st_mode & right)
    except OSError:
        return False


def named_files(path: str, *, optional: bool) -> list[str]:
    """
    Return the files that an absolute path with wildcards stands for, in the order of Apache.

    Raises Unreadable where Apache would refuse the line.
    """
    if not has_wildcard(path):
        return _below(path, optional, 0)
    return _expanded("/", path.lstrip("/"), optional)


def has_wildcard(text: str) -> bool:
    """Mirror apr_fnmatch_test(): a lone bracket is none, and a backslash hides one."""
    shown = re.sub(r"\\.", "", text, flags=re.DOTALL)
    return "?" in shown or "*" in shown or "]" in shown.partition("[")[2]


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern matches a file's name; no wildcard stands for a leading dot."""
    if name.startswith(".") and pattern[:1] in ("*", "?", "["):
        return False
    return fnmatchcase(name, _ESCAPED.sub(_plainly, pattern).replace("[^", "[!"))


def _plainly(escaped: re.Match[str]) -> str:
    return f"[{escaped[1]}]" if escaped[1] in "*?[" else escaped[1]


def _expanded(directory: str, rest: str, optional: bool) -> list[str]:
    name, slash, rest = rest.partition("/")
    if not has_wildcard(name):
        path = posixpath.join(directory, name)
        return _expanded(path, rest, optional) if slash else _below(path, optional, 0)
    found = [each for each in _names(directory, optional) if fits(name, each)]
    paths = [posixpath.join(directory, each) for each in found]
    if slash:
        # As Apache has it, a symbolic link is no directory on the way.
        paths = [path for path in paths if _is_real_directory(path)]
    if not paths and not optional:
        raise Unreadable(
            f"no file matches {name} in {directory}",
            f"{_MISSING}; IncludeOptional accepts no match",
        )
    files: list[str] = []
    for path in paths:
        files += _expanded(path, rest, optional) if slash else _below(path, optional, 0)
    return files


def _below(path: str, optional: bool, depth: int) -> list[str]:
    """Return a file, or all files in a directory and below it."""
    if not os.path.isdir(path.encode("latin-1", "replace")):
        return [] if optional and not exists(path) else [path]
    if depth == DEEPEST_DIRECTORY:
        raise Unreadable(
            f"Directory {path} exceeds the maximum include directory nesting level of {depth}",
            "look for a symbolic link to a directory above it",
        )
    files: list[str] = []
    for name in _names(path, False):
        files += _below(posixpath.join(path, name), optional, depth + 1)
    return files


def _names(directory: str, optional: bool) -> list[str]:
    try:
        names = os.listdir(directory.encode("latin-1", "replace"))
    except (OSError, ValueError) as error:
        if optional and isinstance(error, FileNotFoundError):
            return []
        raise _unreadable(directory, error) from error
    return sorted(name.decode("latin-1") for name in names)


def _is_real_directory(path: str) -> bool:
    name = path.encode("latin-1", "replace")
    return os.path.isdir(name) and not os.path.islink(name)


def _open_regular(path: str, flags: int) -> int:
    # Opening a pipe would wait for somebody to write to it.
    descriptor = os.open(path.encode("latin-1", "replace"), flags | os.O_NONBLOCK)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) or path == os.devnull:
        return descriptor
    os.close(descriptor)
    kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
    raise Unreadable(f"{readable_path(path)} is {kind}", _NOT_REGULAR)


def _unreadable(path: str, error: OSError | ValueError) -> Unreadable:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    is_missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
    return Unreadable(
        f"{readable_path(path)} cannot be read: {reason}", _MISSING if is_missing else _CLOSED
    )
