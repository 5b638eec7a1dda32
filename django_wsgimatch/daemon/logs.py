"""What a group prints, line by line, into the server's log, each line with the group's name."""

from __future__ import annotations

import os
import select
import sys
import time

LONGEST_LINE = 8192
READ = 65536
# So much of a group's output is passed on at once, and a second: a group that prints without end
# waits, and fills the disk no quicker.
BURST, RATE = 4 << 20, 1 << 20
# So much is still passed on of a group that has ended.
LONGEST_REST = 1 << 20


class ServerLog:
    """
    The server's log: a file that may be moved away and made anew, or standard error.

    It takes whole lines.
    """

    def __init__(self, path: str | None) -> None:
        self.path = path
        self._file: int | None = None

    def write(self, data: bytes) -> None:
        """Append; a log that cannot be written to takes nothing and raises nothing."""
        try:
            _write_all(self._descriptor(), data)
        except OSError:
            self._close()

    def _descriptor(self) -> int:
        if self.path is None:
            return 2
        if self._file is not None and not self._is_moved(self._file):
            return self._file
        self._close()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self.path, flags, 0o644)
        return self._file

    def _is_moved(self, descriptor: int) -> bool:
        assert self.path is not None
        try:
            return not os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except OSError:
            return True

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class GroupOutput:
    """The output of a group's processes: a pipe's reading end that is drained into the log."""

    def __init__(self, descriptor: int, label: str, log: ServerLog) -> None:
        self.descriptor = descriptor
        self._prefix = f"[{label}] ".encode("latin-1", "replace")
        self._log = log
        self._rest = b""
        self._allowance = float(BURST)
        self._measured = time.monotonic()
        os.set_blocking(descriptor, False)

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
            if not self.drain() or not _has_more(self.descriptor):
                break
        os.close(self.descriptor)

    def _pass_on(self, data: bytes) -> None:
        *lines, self._rest = data.split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        shown = b"".join(self._prefix + printable(line) + b"\n" for line in lines)
        if shown:
            self._log.write(shown)


def printable(line: bytes) -> bytes:
    """Return a line without anything that could move a terminal's cursor."""
    text = line[:LONGEST_LINE].decode("utf-8", "backslashreplace").rstrip("\r")
    if text.replace("\t", "").isprintable():
        return text.encode()
    return "".join(
        c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text
    ).encode()


def own_log(message: str) -> bytes:
    """Return a line of the manager's own."""
    return f"[wsgimatch] {message}\n".encode("utf-8", "backslashreplace")


def _has_more(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def error_log_of_gunicorn() -> str | None:
    """Return the file that gunicorn logs errors to, None where that is standard error."""
    logging = sys.modules.get("logging")
    if logging is None:
        return None
    for handler in logging.getLogger("gunicorn.error").handlers:
        path: str | None = getattr(handler, "baseFilename", None)
        if path:
            return path
    return None
