"""The file of a group's environment: is it one, what stands in it, and who can read it."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator

from ...daemon.group.environment_file import read_environment_file
from ...exceptions import SettingError
from ..findings.finding import DiagnosedGroup, Finding, Findings

# A longer one is left unread: it holds variables, and nobody has so many.
_LONGEST = 1 << 20
_NOT_STARTED = "The group does not start, and all its URLs get 503."


def environment_file_findings(group: DiagnosedGroup) -> Findings:
    """
    Yield what is wrong with a group's ``environment_file``, as far as this user can tell.

    Only the group's user has to be able to read it: nothing is said where the way to it, or the
    file itself, is closed to the one who checks.
    """
    path = group.options.environment_file
    if path is None:
        return
    try:
        status = os.stat(path)
    except PermissionError:
        return
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        yield _unusable(group, f"{path!r} cannot be read: {reason}.")
        return
    if not stat.S_ISREG(status.st_mode):
        yield _unusable(group, f"{path!r} is no file.")
        return
    yield from _open_to_all(group, path, status)
    if status.st_size <= _LONGEST and os.access(path, os.R_OK):
        try:
            read_environment_file(path)
        except SettingError as error:
            yield _unusable(group, str(error))


def _unusable(group: DiagnosedGroup, reason: str) -> Finding:
    return group.finding(
        "E031",
        f"environment_file: {reason} {_NOT_STARTED}",
        "Correct the path, or the line: NAME=value, whose value may stand in quotes. A relative "
        "path starts at settings.BASE_DIR.",
    )


def _open_to_all(group: DiagnosedGroup, path: str, status: os.stat_result) -> Findings:
    is_open = status.st_mode & (stat.S_IROTH | stat.S_IWOTH)
    if not is_open or not all(map(_lets_all_pass, _folders_above(path))):
        return
    can = "change" if status.st_mode & stat.S_IWOTH else "read"
    user = group.options.user
    owner = "" if user is None else f"chown {shlex.quote(user)} {shlex.quote(path)}; "
    yield group.finding(
        "W041",
        f"any user of this machine can {can} environment_file {path!r}: so can the applications "
        "of all other groups.",
        f"Close it to all but the group's user: {owner}chmod 400 {shlex.quote(path)}",
    )


def _folders_above(path: str) -> Iterator[str]:
    """Yield the folders that one comes through to a file, links followed."""
    folder = os.path.dirname(os.path.realpath(path))
    while folder != "/":
        yield folder
        folder = os.path.dirname(folder)


def _lets_all_pass(folder: str) -> bool:
    try:
        return bool(os.stat(folder).st_mode & stat.S_IXOTH)
    except OSError:
        return False
