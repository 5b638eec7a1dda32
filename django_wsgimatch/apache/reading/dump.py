"""
What ``apache2ctl -t -D DUMP_CONFIG`` prints: directives, and where each of them stands.

mod_info writes it, when Apache has followed all that decides what is read: no Define, Include, Use
or <IfModule> is left, and no variable that has a value. It indents what stands in a section, and
writes no closing line for an empty one, so the indentation says what is open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ...aliases.directives import get_word
from ..lines.directive import ApacheConfiguration, Directive, Refusal, Section, Spot
from .includes import readable_path
from .sections import make_section

_BEGINNING = re.compile(r"^# In file: .+\n *# +[0-9]+:\r?$", re.MULTILINE)
_FILE = re.compile(r"# In file: (.+)", re.DOTALL)
_LINE = re.compile(r"# +([0-9]{1,9}):")
_DEFINED = re.compile(r"macro '.*?' \(defined on line ([0-9]{1,9}) of \"(.*?)\"\)", re.DOTALL)
_USED = re.compile(r".* used on line ([0-9]{1,9}) of \"(.*?)\"", re.DOTALL)
# What Apache says on standard error, where both came through one pipe.
_MESSAGE = re.compile(r"Syntax OK$|AH[0-9]{5}: |\[\w{3} \w{3} [0-9]{2} [0-9:.]+ [0-9]{4}\] ")
_INDENT = 2


def is_dump(text: str) -> bool:
    """Whether a text is such a list, and no configuration."""
    return _BEGINNING.search(text) is not None


def read_dump(text: str, name: str) -> ApacheConfiguration:
    """
    Return what the list consists of; spots are those in the configuration.

    What a macro put in stands where that is defined, as the list does not say on which line of it.
    ``name`` is for lines that come before the first place.
    """
    dump = _Dump(Spot(name, 0))
    for number, line in enumerate(text.split("\n"), 1):
        dump.read(line, number)
    return ApacheConfiguration(tuple(dump.directives), tuple(dump.refusals))


@dataclass(slots=True)
class _Dump:
    # Line 0 stands for the line that the list says, or else for that of the list.
    place: Spot
    line: int | None = None
    open: list[Section] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def read(self, line: str, number: int) -> None:
        text = line.lstrip(" ").removesuffix("\r")
        if found := _FILE.fullmatch(text):
            self.place, self.line = _place(found[1]), None
        elif found := _LINE.fullmatch(text):
            self.line = int(found[1])
        elif text and not _MESSAGE.match(text):
            depth = (len(line) - len(line.lstrip(" "))) // _INDENT
            spot = self._spot(number if self.line is None else self.line)
            self._read_text(text, depth, spot)

    def _read_text(self, text: str, depth: int, spot: Spot) -> None:
        if text.startswith("</"):
            self._close(text, depth, spot)
            return
        del self.open[depth:]
        name, rest = get_word(text)
        if name.startswith("<"):
            self.open.append(make_section(name[1:], rest, spot))
        else:
            self.directives.append(Directive(name, rest, spot, tuple(self.open)))

    def _close(self, text: str, depth: int, spot: Spot) -> None:
        # What is open further in was empty.
        del self.open[depth + 1 :]
        name = text[2:].rstrip(">").lower()
        if len(self.open) == depth + 1 and self.open[-1].name.lower() == name:
            self.open.pop()
            return
        cure = "import what Apache has printed, with the blanks at the beginning of lines"
        self.refusals.append(Refusal(spot, text, "this section is not open there", cure))

    def _spot(self, number: int) -> Spot:
        return self.place if self.place.line else Spot(self.place.file, number)


def _place(text: str) -> Spot:
    if (found := _DEFINED.match(text)) is None:
        return Spot(readable_path(text), 0)
    used = _USED.match(text)
    used_at = Spot(readable_path(used[2]), int(used[1])) if used else None
    return Spot(readable_path(found[2]), int(found[1]), used_at)
