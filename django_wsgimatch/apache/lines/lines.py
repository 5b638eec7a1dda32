"""
Text as the lines that Apache sees: joined where a backslash ends one, and trimmed.

Mirrors ap_cfg_getline(), and the files that mod_macro puts in place of a ``Use`` line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...aliases.directives import BLANKS
from .directive import Spot

# VARBUF_MAX_LEN of server/config.c, in bytes.
LONGEST = 16 * 1024 * 1024


class Line(NamedTuple):
    """A line, and where it begins."""

    spot: Spot
    text: str


def physical_lines(text: str, file: str) -> Iterator[Line]:
    """Yield the lines of a file, each with its line feed if it has one."""
    *lines, last = text.split("\n")
    for number, line in enumerate(lines, 1):
        yield Line(Spot(file, number), f"{line}\n")
    if last:
        yield Line(Spot(file, len(lines) + 1), last)


class Lines:
    """
    The logical lines of a file, and of the macros used in it.

    A macro's text takes the place of the line that uses it. A backslash at its very end so joins
    the line behind that one, as in Apache.
    """

    def __init__(self, physical: Iterable[Line]) -> None:
        self._sources = [("", iter(physical))]

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        spot, text = self._physical()
        if not text.endswith(("\\\n", "\\\r\n")):
            return Line(spot, text.strip(BLANKS))
        return Line(spot, self._joined(text))

    def insert(self, macro: str, physical: Iterable[Line]) -> None:
        """Go on with the lines of a macro."""
        self._sources.append((macro, iter(physical)))

    def is_in(self, macro: str) -> bool:
        """Whether the line read last came from a macro, or from one used within it."""
        return any(name == macro for name, _ in self._sources)

    def _physical(self) -> Line:
        while True:
            line = next(self._sources[-1][1], None)
            if line is not None:
                return line
            if len(self._sources) == 1:
                raise StopIteration
            self._sources.pop()

    def _joined(self, text: str) -> str:
        pieces = [text]
        while _goes_on(pieces):
            try:
                pieces.append(self._physical().text)
            except StopIteration:
                break
        return "".join(pieces).strip(BLANKS)


def _goes_on(pieces: list[str]) -> bool:
    """
    Take the backslash off the end of what has been read; tell whether there was one.

    Apache looks at all it has, not only at the line it has just read: an empty line behind two
    backslashes goes on too. A line without a line feed, the last, never does.
    """
    if not pieces[-1].endswith("\n"):
        return False
    pieces[-1] = pieces[-1][:-1]
    _take_off(pieces, "\r")
    return _take_off(pieces, "\\")


def _take_off(pieces: list[str], character: str) -> bool:
    while pieces and not pieces[-1]:
        pieces.pop()
    if not pieces or not pieces[-1].endswith(character):
        return False
    pieces[-1] = pieces[-1][:-1]
    return True
