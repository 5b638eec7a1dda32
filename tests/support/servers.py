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
from importlib.metadata import version
from pathlib import Path

import django_wsgimatch
from tests.support.raw_http import Address, Answer, connect, fetch

# Tests and benchmarks may run as root, and most of them are about something else.
os.environ.setdefault("WSGIMATCH_ALLOW_ROOT", "1")

PROJECT = Path(__file__).parents[1] / "applications" / "project"
# On a machine that is busy with other things.
SECONDS_TO_START = 60
SECONDS_TO_STOP = 10

PYTHON = [sys.executable]
GUNICORN_S_VERSION = tuple(map(int, version("gunicorn").split(".")[:2]))
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
        wait_for(self.process, self.log, lambda: text in self.log.read_text())
        return self.log.read_text()


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
    log = project / "server.log"
    process = start(command, project, log, environ)
    try:
        wait_for(process, log, lambda: listens(address(project / "socket", log)))
        yield Server(process, address(project / "socket", log), log)
    finally:
        stop(process)


def failing(
    command: Sequence[str], project: Path, environ: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a server that is to give up by itself; return its exit status and all that it said."""
    log = project / "server.log"
    process = start(command, project, log, environ)
    try:
        return process.wait(SECONDS_TO_START), log.read_text()
    finally:
        stop(process)


def start(
    command: Sequence[str], project: Path, log: Path, environ: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, where all its processes can be ended together."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [word.format(socket=project / "socket") for word in command],
            cwd=project,
            env=environment() if environ is None else environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def address(socket: Path, log: Path) -> Address:
    """Where a server listens: on its socket, or where its log says, the last time."""
    # runserver knows no unix sockets; with port 0 it prints the port that it was given.
    printed = re.findall(rb"http://127\.0\.0\.1:([1-9]\d*)/", log.read_bytes())
    return ("127.0.0.1", int(printed[-1])) if printed else socket


def listens(address: Address) -> bool:
    try:
        connect(address).close()
    except OSError:
        return False
    return True


def wait_for(process: subprocess.Popen[bytes], log: Path, condition: Callable[[], bool]) -> None:
    """Return as soon as the condition holds; fail, with the log, once the server ends."""
    deadline = time.monotonic() + SECONDS_TO_START
    while not condition():
        with suppress(subprocess.TimeoutExpired):
            status = process.wait(0.02)
            raise AssertionError(f"The server ended with {status}:\n{log.read_text()}")
        assert time.monotonic() < deadline, f"Waited too long. The log:\n{log.read_text()}"


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server and all the processes that it started."""
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
