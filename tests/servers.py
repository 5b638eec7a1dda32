"""Real servers as the tests start them: a command, a place to listen, a log."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import django_wsgimatch
from tests.raw_http import Address, Answer, connect, fetch

PROJECT = Path(__file__).parent / "applications" / "project"
SECONDS_TO_START = 30
SECONDS_TO_STOP = 10

PYTHON = [sys.executable]
GUNICORN = [*PYTHON, "-m", "gunicorn", "--no-control-socket", "--bind", "unix:{socket}"]
GRANIAN = [
    *(*PYTHON, "-m", "granian", "--interface", "wsgi"),
    *("--blocking-threads", "4", "--uds", "{socket}"),
]
WAITRESS = [*PYTHON, "-m", "waitress", "--unix-socket", "{socket}"]
UWSGI = [
    # pyuwsgi is a command without a module to run.
    str(Path(sys.executable).with_name("uwsgi")),
    *("--die-on-term", "--need-app", "--http-socket", "{socket}"),
]
RUNSERVER = [*PYTHON, "manage.py", "runserver", "--noreload", "127.0.0.1:0"]
ENTRY = "django_wsgimatch.wsgi:application"

# A command's words; {socket} stands for the unix socket to listen on.
COMMANDS = {
    "gunicorn sync": [*GUNICORN, ENTRY],
    "gunicorn gthread": [*GUNICORN, "--threads", "4", ENTRY],
    "granian": [*GRANIAN, ENTRY],
    "waitress": [*WAITRESS, ENTRY],
    "cheroot": [*PYTHON, "-m", "cheroot", "--bind", "{socket}", ENTRY],
    "uwsgi": [*UWSGI, "--module", ENTRY],
    "runserver": RUNSERVER,
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. What it writes to standard output and error goes to ``log``."""

    process: subprocess.Popen[bytes]
    address: Address
    log: Path

    def get(self, target: bytes, headers: Mapping[bytes, bytes] | None = None) -> Answer:
        """Ask once over a connection of its own."""
        return fetch(self.address, target, headers=headers)

    def wait_for_log(self, text: str) -> str:
        """Return the log once it holds the text."""

        def found() -> str | None:
            log = self.log.read_text(errors="replace")
            return log if text in log else None

        return wait_for(self.process, self.log, found)


def environment(settings: str | None = "settings", **variables: str) -> dict[str, str]:
    """The environment of a server that imports the very django_wsgimatch that the tests import."""
    given = {**os.environ, "PYTHONPATH": str(Path(django_wsgimatch.__file__).parents[1])}
    given.pop("DJANGO_SETTINGS_MODULE", None)
    if settings:
        given["DJANGO_SETTINGS_MODULE"] = settings
    return {**given, "PYTHONUNBUFFERED": "1", **variables}


@contextmanager
def running(
    command: Sequence[str], project: Path, environ: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run a server in a project's folder, from the moment it listens to the end of the block."""
    socket, log = project / "socket", project / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [word.format(socket=socket) for word in command],
            cwd=project,
            env=environment() if environ is None else environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Server(process, wait_for(process, log, lambda: listening(socket, log)), log)
    finally:
        stop(process)


def listening(socket: Path, log: Path) -> Address | None:
    """Where the server listens: on its socket, or where its log says; None: not yet."""
    # runserver knows no unix sockets; with port 0 it prints the port that it was given.
    printed = re.search(rb"http://127\.0\.0\.1:([1-9]\d*)/", log.read_bytes())
    address: Address = ("127.0.0.1", int(printed[1])) if printed else socket
    try:
        connect(address).close()
    except OSError:
        return None
    return address


def wait_for(process: subprocess.Popen[bytes], log: Path, condition: Callable[[], T | None]) -> T:
    """Return what the condition gives as soon as it gives something; fail once the server ends."""
    deadline = time.monotonic() + SECONDS_TO_START
    while (found := condition()) is None:
        with suppress(subprocess.TimeoutExpired):
            status = process.wait(0.02)
            raise AssertionError(f"The server ended with {status}:\n{log.read_text()}")
        assert time.monotonic() < deadline, f"Waited too long. The log:\n{log.read_text()}"
    return found


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and all the processes that it started."""
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
