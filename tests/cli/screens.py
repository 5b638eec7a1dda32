"""What stands on a terminal's screen after a program has run: a pseudo-terminal, and its screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

COLUMNS, ROWS = 80, 24
# Wipes a line out and moves the cursor to the one above.
WIPE_UP = "\x1b[2K\x1b[1A"
# A control sequence, a control character, or one that is printed.
_PIECE = re.compile(
    r"\x1b\[(?P<numbers>[0-9;?]*)(?P<final>[@-~])"
    r"|(?P<control>[\r\n])"
    r"|(?P<text>[^\x00-\x1f\x7f])"
)
# Colours, and whether the cursor is seen, change no text.
_STYLES = "mhl"


@dataclass
class Screen:
    """
    A terminal of 24 lines of 80 columns, and the lines that have left it at its top.

    Raises ValueError for what it does not know.
    """

    lines: list[list[str]] = field(default_factory=lambda: [[]])
    row: int = 0
    column: int = 0

    def feed(self, output: str) -> None:
        """Write what a program has written."""
        at = 0
        while at < len(output):
            found = _PIECE.match(output, at)
            if found is None:
                raise ValueError(f"what does it mean? {output[at : at + 20]!r}")
            self._obey(found)
            at = found.end()

    def text(self) -> str:
        """All that can be seen, also by scrolling back."""
        return "\n".join("".join(line).rstrip() for line in self.lines)

    def _obey(self, found: re.Match[str]) -> None:
        if found["text"]:
            self._print(found["text"])
        elif found["control"] == "\r":
            self.column = 0
        elif found["control"]:
            self._move(self.row + 1)
        elif found["final"] == "A":
            self._move(max(self.row - int(found["numbers"] or 1), len(self.lines) - ROWS, 0))
        elif found["final"] == "K" and found["numbers"] == "2":
            self.lines[self.row] = []
        elif found["final"] not in _STYLES:
            raise ValueError(f"what does it mean? {found[0]!r}")

    def _print(self, character: str) -> None:
        if self.column == COLUMNS:
            self._move(self.row + 1)
            self.column = 0
        line = self.lines[self.row]
        line += " " * (self.column + 1 - len(line))
        line[self.column] = character
        self.column += 1

    def _move(self, row: int) -> None:
        self.row = row
        while len(self.lines) <= row:
            self.lines.append([])


@dataclass(frozen=True)
class Shown:
    """What a program has left on the terminal, all the bytes it wrote, and its exit status."""

    text: str
    output: str
    status: int


def run_in_terminal(
    command: Sequence[str], directory: str | os.PathLike[str], environ: Mapping[str, str]
) -> Shown:
    """Run a program in a pseudo-terminal, to its end."""
    pid, terminal = pty.fork()
    if not pid:
        try:
            _resize(0)
            os.chdir(directory)
            os.execve(command[0], [*command], {**environ, "TERM": "xterm-256color"})
        finally:
            os._exit(127)
    output = _read_all(terminal).decode()
    os.close(terminal)
    screen = Screen()
    screen.feed(output)
    return Shown(screen.text(), output, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _resize(terminal: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))


def _read_all(terminal: int) -> bytes:
    output = b""
    while True:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:
            # Linux's word for the end: nobody has the terminal open any more.
            return output
        if not data:
            return output
        output += data
