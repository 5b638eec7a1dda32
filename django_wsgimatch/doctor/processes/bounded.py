"""
Runs a program that is not trusted, such as a tenant's script, within bounds.

However much it prints, however long it runs and whatever children it leaves, what is kept of it
is small, and the answer comes in time.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from ...daemon.manager.starting import GroupAccount
from ...daemon.servers.open_files import nameless_file
from ...exceptions import WSGIMatchError
from ...text import cut, last_line

# So many bytes are kept of standard error: the last, as tracebacks end with what is wrong.
KEPT_ERRORS = 64 << 10
# A program that prints more bytes to standard error than that is ended.
MOST_ERRORS = 16 << 20
_READ = 64 << 10
# How often to look whether a program has ended whose children hold its output open, in seconds.
_TURN = 0.01
# How long a killed program may take to end, in seconds: one that has become another user's stays.
_GRACE = 5.0


class OutOfBounds(WSGIMatchError):
    """A program runs too long or prints too much; it was ended."""


class TooSlow(OutOfBounds):
    """A program runs too long; it was ended."""


@dataclass(frozen=True, slots=True)
class Program:
    """
    A program and how it is run: in a session of its own, without a terminal.

    ``directory`` is where it starts; with ``account`` it runs as another user.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    directory: str
    account: GroupAccount | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """
    How many ``seconds`` a program may run, and how many bytes of ``output`` it may print.

    It is ended too when ``stop`` is set, as a user does who interrupts the command.
    """

    seconds: float
    output: int = 64 << 10
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Ended:
    """
    How a program has ended: its status, negative for a signal, and what it has printed.

    ``failure`` says why it could not be started, or what bound it has broken; ``is_late`` that
    this was its time. Then the rest is empty.
    """

    status: int
    output: bytes = b""
    errors: str = ""
    failure: str = ""
    is_late: bool = False

    @property
    def reason(self) -> str:
        """What went wrong, as a traceback ends."""
        return self.failure or last_line(self.errors) or f"it ended with status {self.status}"


def run_bounded(program: Program, bounds: Bounds, standard_input: bytes = b"") -> Ended:
    """Run a program to its end, and end what it leaves of its process group."""
    try:
        return _run(program, bounds, standard_input)
    except (OSError, OutOfBounds) as error:
        return Ended(-1, failure=cut(str(error), 300), is_late=isinstance(error, TooSlow))


def _run(program: Program, bounds: Bounds, standard_input: bytes) -> Ended:
    deadline = time.monotonic() + bounds.seconds
    with open(nameless_file("wsgimatch-input"), "w+b") as given:
        given.write(standard_input)
        given.seek(0)
        process = _start(program, given)
    try:
        reader = _Reader(process, bounds.output)
        try:
            while not reader.has_ended():
                if bounds.stop.is_set():
                    raise OutOfBounds("it was interrupted")
                if time.monotonic() > deadline:
                    raise TooSlow(f"it takes more than {bounds.seconds:g} s")
                reader.read()
        finally:
            reader.close()
    finally:
        _end(process)
    errors = bytes(reader.errors).decode("utf-8", "backslashreplace")
    return Ended(process.returncode, bytes(reader.output), errors)


def _start(program: Program, given: IO[bytes]) -> subprocess.Popen[bytes]:
    account = program.account
    return subprocess.Popen(
        program.command,
        stdin=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(program.environment),
        cwd=program.directory,
        start_new_session=True,
        user=account.user if account is not None else None,
        group=account.group if account is not None else None,
        extra_groups=account.groups if account is not None else None,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    # The process is reaped last: until then nobody else's group can have its number.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process has ended, which is left to be reaped where the system can do so."""
    if not hasattr(os, "waitid"):
        return process.poll() is not None
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


class _Reader:
    """Reads what a process prints, while it runs."""

    def __init__(self, process: subprocess.Popen[bytes], most: int) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.output = bytearray()
        self.errors = bytearray()
        self._process = process
        self._most = most
        self._all_errors = 0
        self._files = (process.stdout, process.stderr)
        self._selector = selectors.DefaultSelector()
        for file, take in zip(self._files, (self._take_output, self._take_errors), strict=True):
            os.set_blocking(file.fileno(), False)
            self._selector.register(file, selectors.EVENT_READ, take)

    def has_ended(self) -> bool:
        """Whether the process has ended; what it had printed is read by then."""
        if not _has_exited(self._process):
            return False
        # Children of its own may print on without end.
        for _ in range(2 + (self._most + KEPT_ERRORS) // _READ):
            if not self._read_ready(0):
                break
        return True

    def read(self) -> None:
        """Read what comes, and wait for a moment where nothing does."""
        if self._selector.get_map():
            self._read_ready(_TURN)
        else:
            time.sleep(_TURN)

    def close(self) -> None:
        self._selector.close()
        for file in self._files:
            file.close()

    def _read_ready(self, seconds: float) -> bool:
        ready = self._selector.select(seconds) if self._selector.get_map() else []
        for key, _ in ready:
            data = os.read(key.fd, _READ)
            if data:
                key.data(data)
            else:
                self._selector.unregister(key.fileobj)
        return bool(ready)

    def _take_output(self, data: bytes) -> None:
        self.output += data
        if len(self.output) > self._most:
            raise OutOfBounds(f"it prints more than {self._most:,} bytes to standard output")

    def _take_errors(self, data: bytes) -> None:
        self.errors += data
        del self.errors[:-KEPT_ERRORS]
        self._all_errors += len(data)
        if self._all_errors > MOST_ERRORS:
            raise OutOfBounds(f"it prints more than {MOST_ERRORS:,} bytes to standard error")
