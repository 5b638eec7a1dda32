"""How many files a process that looks after many groups may have open, and nameless ones."""

from __future__ import annotations

import os
import resource
import tempfile

OPEN_FILES = 8192


def allow_open_files() -> None:
    """Allow this process as many as it needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def nameless_file(name: str) -> int:
    """Return the descriptor of a new file that is in no folder; ``name`` is for lists of files."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(name)
    with tempfile.TemporaryFile() as temporary:
        return os.dup(temporary.fileno())


def file_with(text: str, name: str) -> int:
    """Return the descriptor of a new file that is in no folder, and begins with a text."""
    file = nameless_file(name)
    with open(file, "wb", closefd=False) as stream:
        stream.write(text.encode())
    os.lseek(file, 0, os.SEEK_SET)
    return file
