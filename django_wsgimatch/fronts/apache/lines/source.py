"""The text of a configuration file, and changes of some lines: all others stay as they are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ....aliases.directives import get_word
from ....apache.lines.conditions import CONDITIONS
from ....apache.lines.lines import Lines, physical_lines

_INDENT = re.compile(r"[ \t]*")


@dataclass(frozen=True, slots=True)
class SourceLine:
    """
    A line as Apache reads it, with the numbers of the first and the last line in the file.

    ``conditions`` are the <IfModule> and the like that are open around it, outermost first.
    """

    first: int
    last: int
    text: str
    conditions: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its first word, in lower case."""
        return get_word(self.text)[0].lower()


class SourceText:
    """A file's text, and what is to become of it. Text has a character a byte."""

    def __init__(self, text: str, name: str) -> None:
        self._physical = [each.text for each in physical_lines(text, name)]
        self.lines = tuple(_with_conditions(_logical(text, name, len(self._physical))))
        self._by_first = {line.first: line for line in self.lines}
        self._replaced: dict[int, list[str]] = {}
        self._before: defaultdict[int, list[str]] = defaultdict(list)
        self._at_end: list[str] = []
        ends_crlf = bool(self._physical) and self._physical[0].endswith("\r\n")
        self._newline = "\r\n" if ends_crlf else "\n"

    def line_at(self, number: int) -> SourceLine | None:
        """Return the line that begins at a number, None where none does."""
        return self._by_first.get(number)

    def put(self, number: int, lines: Sequence[str]) -> None:
        """Put lines in the place of the one that begins at a number."""
        self._replaced[number] = [*lines]

    def put_before(self, number: int, lines: Iterable[str]) -> None:
        """Put lines before the one that begins at a number."""
        self._before[number] += lines

    def put_at_end(self, lines: Iterable[str]) -> None:
        """Put lines behind all others."""
        self._at_end += lines

    def changed(self) -> str:
        """Return the text with all changes."""
        pieces: list[str] = []
        for line in self.lines:
            own = self._physical[line.first - 1 : line.last]
            found = _INDENT.match(own[0])
            indent = found[0] if found else ""
            pieces += self._made(self._before.get(line.first, ()), indent)
            if line.first in self._replaced:
                pieces += self._made(self._replaced[line.first], indent)
            else:
                pieces += own
        if self._at_end and pieces and not pieces[-1].endswith("\n"):
            pieces.append(self._newline)
        return "".join((*pieces, *self._made(self._at_end, "")))

    def _made(self, lines: Iterable[str], indent: str) -> Iterator[str]:
        for line in lines:
            yield f"{indent}{line}{self._newline}" if line else self._newline


def _logical(text: str, name: str, count: int) -> Iterator[SourceLine]:
    """Yield the lines as Apache reads them; each ends where the next one begins."""
    before = None
    for spot, line in Lines(physical_lines(text, name)):
        if before is not None:
            yield SourceLine(before[0], spot.line - 1, before[1])
        before = (spot.line, line)
    if before is not None:
        yield SourceLine(before[0], count, before[1])


def _with_conditions(lines: Iterable[SourceLine]) -> Iterator[SourceLine]:
    opened: list[str] = []
    for line in lines:
        key = line.key
        if key.startswith("</") and key[2:].rstrip(">") in CONDITIONS and opened:
            opened.pop()
        yield replace(line, conditions=tuple(opened))
        if key.startswith("<") and key[1:] in CONDITIONS:
            opened.append(line.text)
