"""Macros, as mod_macro reads, fills in and forgets them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ...aliases.directives import get_word
from ..lines.conditions import CONDITIONS
from ..lines.directive import Directive, Section, Spot, Unreadable, split_words
from ..lines.limits import Volume
from ..lines.lines import Line
from .sections import spelled

# MAX_STRING_LEN: the size of mod_macro's buffers, with the NUL at the end.
_BUFFER = 8192
# Of warnings only: /IgnoreEmptyArgs and /IgnoreBadNesting.
_FLAGS = re.compile(r"(?:/\S*(?:\s+|$))*")


@dataclass(slots=True)
class Macro:
    """A macro; ``broken`` says why it cannot be used, "" if it can."""

    spot: Spot
    name: str = ""
    parameters: tuple[str, ...] = ()
    body: list[Line] = field(default_factory=list)
    broken: str = ""
    is_used: bool = False

    @property
    def label(self) -> str:
        """The macro as a report names it."""
        return f"<Macro {self.name}> in {self.spot}"

    def read_header(self, rest: str) -> None:
        """Read what stands behind ``<Macro``; raises Unreadable."""
        header, bracket, _ = rest.rpartition(">")
        if not bracket:
            raise Unreadable("<Macro> directive missing closing '>'", "end the line with >")
        name, parameters = get_word(header)
        if not name:
            raise Unreadable("<Macro> has no name", "write <Macro name $parameter>")
        self.name = name.lower()
        self.parameters = tuple(split_words(_FLAGS.sub("", parameters, count=1)))
        for parameter in self.parameters:
            if not parameter:
                raise Unreadable(f"macro {name} has a parameter without a name", "give it one")
            if self.parameters.count(parameter) > 1:
                raise Unreadable(
                    f"macro {name} has the parameter {parameter} twice", "rename one of them"
                )

    def read_body(self, lines: Iterable[Line]) -> None:
        """Take the lines up to </Macro>; raises Unreadable if that does not come."""
        depth = 1
        for line in lines:
            first = get_word(line.text)[0].lower()
            depth += (first == "<macro") - (first == "</macro>")
            if not depth:
                break
            if not line.text.startswith("#"):
                self.body.append(line)
        if depth:
            raise Unreadable(
                "<Macro> is not closed: the file ends before </Macro>",
                "write </Macro> behind its last line",
            )
        if any(len(line.text) > _BUFFER - 2 for line in self.body):
            raise Unreadable(
                f"a line in the macro is longer than the {_BUFFER - 2} bytes that mod_macro takes",
                "break it into several directives",
            )

    def used(self, values: list[str], spot: Spot, volume: Volume) -> list[Line]:
        """Return the lines with values filled in, for a ``Use`` line at ``spot``."""
        if len(values) != len(self.parameters):
            raise Unreadable(
                f"macro {self.name} takes {len(self.parameters)} arguments, not {len(values)}: "
                f"{self.spot}",
                "give each parameter a value, in quotes if it holds blanks",
            )
        pairs = dict(zip(self.parameters, values, strict=True))
        texts = (filled_in(f"{line.text}\n", pairs, volume) for line in self.body)
        spots = (Spot(line.spot.file, line.spot.line, spot) for line in self.body)
        return list(map(Line, spots, texts))

    def unused(self) -> Iterator[Directive]:
        """Yield the directives of a macro that nobody uses, switched off."""
        because = self.broken or f"{self.label} is used nowhere"
        sections: list[Section] = []
        for spot, text in self.body:
            name, rest = get_word(text)
            if name.startswith("</"):
                del sections[-1:]
            elif name.startswith("<"):
                title = spelled(name[1:].rstrip(">"))
                sections.append(Section(title, rest.rpartition(">")[0].strip(), spot))
            else:
                around = (each for each in sections if each.key not in CONDITIONS)
                yield Directive(name, rest, spot, tuple(around), True, because)


def filled_in(text: str, values: dict[str, str], volume: Volume) -> str:
    """
    Return a macro's line with values in place of parameters, as substitute_macro_args() does.

    Of two parameters at one place the longer wins. A value for a parameter that begins with @
    comes in quotes.
    """
    if not values:
        return text
    # An alternation takes the first that fits.
    parameters = sorted(values, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, parameters)))
    position = 0
    while found := pattern.search(text, position):
        name, value = found[0], values[found[0]]
        written = _quoted(value) if name.startswith("@") and value != name else value
        # Each value is a copy of the line.
        volume.add_text(len(text), "values fill in the macro's lines")
        text = text[: found.start()] + written + text[found.end() :]
        if len(text) >= _BUFFER:
            raise Unreadable(
                f"a line of the macro gets longer than {_BUFFER - 2} bytes by {name}",
                "use shorter values",
            )
        # As in Apache: what quotes and backslashes have added is looked at again.
        position = found.start() + len(value)
    return text


def _quoted(value: str) -> str:
    escaped = re.sub(r'([\\"])', r"\\\1", value)
    return f'"{escaped}"'
