"""Which directory keeps a user from a file: the first on its way that does not let him pass."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from ...daemon.manager.starting import GroupAccount


def barrier(path: str, account: GroupAccount) -> str | None:
    """Return what an account may not pass on the way to a file, links followed, or may not run."""
    for step in _way(path):
        try:
            found = os.stat(step)
        except OSError:
            return None
        if not _may_pass(found, account):
            return step
    return None


def _way(path: str) -> Iterator[str]:
    """All directories above a file and above what it is a link to, then the file itself."""
    real = os.path.realpath(path)
    seen: dict[str, None] = {}
    for end in (os.path.abspath(path), real):
        names = end.split("/")[1:-1]
        seen.update(dict.fromkeys("/" + "/".join(names[:count]) for count in range(len(names) + 1)))
    yield from seen
    yield real


def _may_pass(found: os.stat_result, account: GroupAccount) -> bool:
    if found.st_uid == account.user:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid in (account.group, *account.groups):
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
