"""A place in this process: a listening socket with request threads, and the relay to it."""

from __future__ import annotations

import io
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

from django_wsgimatch.daemon.board import Board, Shape, has_reached
from django_wsgimatch.daemon.front.link import Link
from django_wsgimatch.daemon.front.relay import relay
from django_wsgimatch.daemon.group.worker.threads import RequestThreads
from django_wsgimatch.daemon.wire.wire import release_waiters
from tests.support.wsgi import Answer, make_environ

TOKEN = bytes(range(16))
BASE = {
    "wsgi.errors": io.StringIO(),
    "wsgi.version": (1, 0),
    "wsgi.file_wrapper": FileWrapper,
}


@contextmanager
def folder() -> Iterator[Path]:
    """A folder whose name is short enough for a socket."""
    path = Path(tempfile.mkdtemp(prefix="wm"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@dataclass(slots=True)
class RelayedPlace:
    """A place, and what there is to reach it."""

    path: Path
    threads: RequestThreads
    link: Link

    def get(self, **environ: Any) -> Answer:
        """Ask as a server would, and read the whole answer."""
        return ask(self.link, make_environ(**environ))


@contextmanager
def place(
    application: Callable[..., Any], *, threads: int = 4, token: bytes = TOKEN, **link: Any
) -> Iterator[RelayedPlace]:
    """Run an application in a place of this process."""
    with folder() as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path / "s"))
        release_waiters(listener, 0.2)
        listener.listen(100)
        shape = Shape.of(1, threads)
        board = os.open(path / "b", os.O_RDWR | os.O_CREAT)
        os.ftruncate(board, shape.size)
        slot = Board(board, shape).slot(0)
        os.close(board)
        running = RequestThreads(
            listener,
            BASE,
            lambda environ: application,
            slot,
            threads=threads,
            trusted=frozenset([os.geteuid()]),
            token=token,
            queue_timeout=link.pop("queue_timeout", 0),
        )
        running.start()
        reached = partial(has_reached, str(path / "b"))
        to_place = Link(str(path / "s"), link.pop("wake", lambda: TOKEN), reached, **link)
        try:
            yield RelayedPlace(path, running, to_place)
        finally:
            running.close()
            to_place.kept.clear()
            assert running.join(60)


@contextmanager
def scripted(
    *replies: Callable[[socket.socket], None], has_reached: bool = True, **link: Any
) -> Iterator[Link]:
    """A group that answers each connection as it is told, whatever it is asked."""
    with folder() as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path / "s"))
        listener.listen(100)
        listener.settimeout(60)

        def run() -> None:
            for reply in replies:
                connection = listener.accept()[0]
                with connection:
                    connection.settimeout(60)
                    connection.recv(65536)
                    try:
                        reply(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=run)
        thread.start()
        to_group = Link(str(path / "s"), lambda: TOKEN, lambda request_id: has_reached, **link)
        try:
            yield to_group
        finally:
            to_group.kept.clear()
            thread.join()


def ask(link: Link, environ: dict[str, Any]) -> Answer:
    """Ask through a link and read the whole answer. Raises DaemonError."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started.append((status, headers))

    body = relay(link, environ, start_response)
    try:
        data = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    [(status, headers)] = started
    return Answer(status, headers, data)


def descriptors() -> int:
    """How many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))


def settled(count: int, seconds: float = 60.0) -> bool:
    """Whether there come to be no more descriptors than so many."""
    deadline = time.monotonic() + seconds
    while descriptors() > count:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
