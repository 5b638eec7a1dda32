"""A place as the manager keeps it, whose processes say on their board whatever a test wants."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django_wsgimatch.daemon.board import Shape
from django_wsgimatch.daemon.group_spec import GroupSpec
from django_wsgimatch.daemon.manager.kept_place import KeptPlace
from django_wsgimatch.daemon.manager.processes import Process
from django_wsgimatch.daemon.manager.starting import Running
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place

OPTIONS = GroupOptions(processes=1, threads=2)
SHAPE = Shape.of(OPTIONS.processes, OPTIONS.threads)
SLEEP = [sys.executable, "-c", "input()"]


@contextmanager
def process(**options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for the end of the block."""
    with subprocess.Popen(SLEEP, stdin=subprocess.PIPE, **options) as started:
        yield started


# Tells the id of a child, and ends with it at the end of its input.
WITH_A_CHILD = """\
import os
pid = os.fork()
if pid:
    print(pid, flush=True)
os.read(0, 1)
"""


@contextmanager
def group() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The first process of a group, and the id of a worker in its session."""
    command = [sys.executable, "-c", WITH_A_CHILD]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True) as leader:
        assert leader.stdout is not None
        yield leader, int(leader.stdout.readline())


@contextmanager
def kept_place(path: Path, board: bytes, leader: Any) -> Iterator[KeptPlace]:
    """A place whose first process is ``leader``, and whose board says so."""
    place = Place("blog", "")
    spec = GroupSpec(place, OPTIONS)
    file = path / "board"
    file.write_bytes(board)
    descriptor = os.open(file, os.O_RDWR)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            process = Process(leader.pid, lambda pid, signum: None)
            running = Running(spec, process, descriptor, str(file), -1, None)
            yield KeptPlace(
                place,
                spec,
                "/nowhere",
                listener,
                (0, 0),
                socket.socket.close,
                starts=1,
                current=running,
            )
    finally:
        os.close(descriptor)
