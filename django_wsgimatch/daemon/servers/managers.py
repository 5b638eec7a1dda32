"""Which processes are managers: lists of processes show their name, and whose they are."""

from __future__ import annotations

import os

from .owner import Owner

MANAGER_NAME = "(wsgi:manager)"


def managers_of(owner: Owner) -> list[int]:
    """Return the processes of this user that are, or say that they are, a server's manager."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else []:
        if name.isdigit() and _is_manager(f"/proc/{name}", owner):
            found.append(int(name))
    return found


def _is_manager(path: str, owner: Owner) -> bool:
    try:
        if os.stat(path).st_uid != os.geteuid():
            return False
        with open(f"{path}/cmdline", "rb") as file:
            words = file.read(65536).split(b"\0")
    except OSError:
        return False
    return words[-3:-1] == [MANAGER_NAME.encode(), owner.name.encode()]
