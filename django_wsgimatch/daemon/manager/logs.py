"""What a group prints, line by line, into the server's log, each line with the group's name."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from ...exceptions import SettingError
from ...text import readable, shown
from ..servers.held_file import is_at
from ..wire.wire import is_readable

# What a log_file may be beside a file: the server's own standard output and error.
STREAMS = ("/dev/stdout", "/dev/stderr")

LONGEST_LINE = 8192
READ = 65536
# So much of a group's output is passed on at once, and a second: a group that prints without end
# waits, and fills the disk no quicker.
BURST, RATE = 4 << 20, 1 << 20
# So much is still passed on of a group that has ended.
LONGEST_REST = 1 << 20


def _open_server_log(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)


@dataclass(slots=True, eq=False)
class ServerLog:
    """
    A log: a file that may be moved away and made anew, or a stream, standard error at first.

    It takes whole lines. ``open_file`` opens the file to write at its end; ``stream`` is the
    descriptor of the stream, and ``stdout`` that of the server's standard output.
    """

    path: str | None
    stream: int = 2
    stdout: int = 2
    open_file: Callable[[str], int] = _open_server_log
    _file: int | None = field(default=None, init=False)

    def write(self, data: bytes) -> None:
        """Append; a log that cannot be written to takes nothing and raises nothing."""
        try:
            left, descriptor = memoryview(data), self.open()
            while left:
                left = left[os.write(descriptor, left) :]
        except (OSError, SettingError):
            self.close()

    def close(self) -> None:
        """Close the file, until something is to be written."""
        if self._file is not None:
            # A disk that is full, or away, may say so now.
            with suppress(OSError):
                os.close(self._file)
            self._file = None

    def open(self) -> int:
        """
        Return the descriptor, of a file that is opened if it is not, or was moved away.

        Raises what opening it raises; later it is tried anew with each line.
        """
        if self.path is None:
            return self.stream
        if self._file is not None and is_at(self._file, self.path):
            return self._file
        self.close()
        self._file = self.open_file(self.path)
        return self._file


@dataclass(slots=True, eq=False)
class GroupOutput:
    """
    The output of a group's processes: a pipe's reading end that is drained into a log.

    ``has_prefix`` puts the group's name before each line. A file of the group's own
    (``is_own_file``) without it takes the output as it is, and is closed at the end.
    """

    descriptor: int
    label: str
    log: ServerLog
    has_prefix: bool = True
    is_own_file: bool = False
    _rest: bytes = field(default=b"", init=False)
    _allowance: float = field(default_factory=lambda: float(BURST), init=False)
    _measured: float = field(default_factory=lambda: time.monotonic(), init=False)

    def __post_init__(self) -> None:
        os.set_blocking(self.descriptor, False)

    @property
    def must_wait(self) -> bool:
        """Whether the group has printed more than it may, and is not read for a while."""
        now = time.monotonic()
        self._allowance = min(self._allowance + (now - self._measured) * RATE, BURST)
        self._measured = now
        return self._allowance < READ

    def drain(self) -> bool:
        """Pass on what is there, but not without end; False once there will be no more."""
        try:
            data = os.read(self.descriptor, READ)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        self._allowance -= len(data)
        if data:
            self._pass_on(self._rest + data)
        elif self._rest:
            self._pass_on(self._rest + b"\n")
        return bool(data)

    def close(self) -> None:
        """Pass on what is left."""
        for _ in range(LONGEST_REST // READ):
            if not self.drain() or not is_readable(self.descriptor):
                break
        os.close(self.descriptor)
        if self.is_own_file:
            self.log.close()

    def _pass_on(self, data: bytes) -> None:
        if self.is_own_file and not self.has_prefix:
            self.log.write(data)
            return
        *lines, self._rest = data.split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        prefix = f"[{readable(self.label)}] ".encode() if self.has_prefix else b""
        if lines:
            self.log.write(b"".join(prefix + printable(line) + b"\n" for line in lines))


def printable(line: bytes) -> bytes:
    """Return a line without anything that could move a terminal's cursor."""
    text = line[:LONGEST_LINE].decode("utf-8", "backslashreplace").rstrip("\r")
    return "\t".join(map(shown, text.split("\t"))).encode()


def open_log(path: str) -> int:
    """
    Open a file that may lie in a tenant's folder, to write at its end; never waits for it.

    Raises OSError, and SettingError for what is not a file.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    # A FIFO would block, and so would a file that its owner has a lease on.
    file = os.open(path, flags | os.O_NONBLOCK, 0o640)
    mode = os.fstat(file).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISCHR(mode)):
        os.close(file)
        raise SettingError(f"log_file: {path!r} is not a file")
    os.set_blocking(file, True)
    return file


def own_log(message: str) -> bytes:
    """Return a line of the manager's own."""
    return f"[wsgimatch] {shown(message)}\n".encode()
