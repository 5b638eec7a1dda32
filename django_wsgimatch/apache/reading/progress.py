"""What has been read of a configuration, and what holds for the lines to come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..lines.conditions import Conditions
from ..lines.directive import ApacheConfiguration, Directive, Refusal, Remark, Spot
from ..lines.limits import TooMuch, Volume
from ..lines.lines import Line, Lines
from ..lines.modules import Modules
from ..lines.surroundings import Surroundings
from ..lines.unreadable import Unreadable
from ..lines.variables import Variables
from .includes import absolute, exists
from .macros import Macro
from .nesting import Nesting


@dataclass(slots=True)
class Source:
    """
    A file that is being read.

    ``depth`` is how many Include lines led to it, and ``is_begun`` whether a line of it has been
    read.
    """

    lines: Lines
    nesting: Nesting
    depth: int
    is_begun: bool = False


class Progress:
    """
    A configuration that is being read.

    The last of ``sources`` is read first; the one before it then goes on behind its Include line.
    ``volume`` is held against the limits. ``private`` are the included files that root reads and
    others may not.
    """

    def __init__(self, options: Surroundings, server_root: str) -> None:
        self.server_root = server_root
        self.variables = Variables(options.defines, options.environ)
        self.modules = Modules(options.modules)
        self.conditions = Conditions(
            self.variables,
            self.modules,
            options.version,
            lambda path: exists(absolute(path, self.server_root)),
        )
        self.macros: dict[str, Macro] = {}
        self.sources: list[Source] = []
        self.volume = Volume()
        self.private: set[str] = set()
        self._read: list[Directive | Macro] = []
        self._refusals: list[Refusal] = []
        self._remarks: dict[str, Remark] = {}

    def keep(self, directive: Directive) -> None:
        self._read.append(directive)

    def keep_macro(self, macro: Macro) -> None:
        """Remember where a macro is defined, for its lines if nobody uses it."""
        self._read.append(macro)

    def refuse(self, line: Line, error: Unreadable) -> None:
        """Add a line that cannot be read."""
        self._refusals.append(Refusal(line.spot, line.text, error.reason, error.cure))

    def give_up(self, spot: Spot, text: str, error: TooMuch) -> None:
        """Leave all that has been read: where there is too much of it, the reason is enough."""
        self.sources.clear()
        self._read.clear()
        self._remarks.clear()
        text = "" if spot.file in self.private else text
        self._refusals = [Refusal(spot, text, error.reason, error.cure)]
        # The reason should be shown, wherever it lies.
        self.private.clear()

    def resolve(self, line: Line) -> str:
        """Return the text of a line with variables filled in; one without a value is remarked."""
        text, unknown = self.fill_in(line)
        for name in unknown:
            remark = (
                f"${{{name}}} has no value and stays as it is: give it one in the environment, or "
                "with Define in front of this line"
            )
            self._remarks.setdefault(name, Remark(line.spot, remark))
        return text

    def fill_in(self, line: Line) -> tuple[str, list[str]]:
        """Return the text of a line with variables filled in, and the names without a value."""
        most = self.volume.room + len(line.text)
        text, unknown = self.variables.resolve(line.text, most)
        more = len(text) - len(line.text)
        if more > 0:
            self.volume.add_text(more, f"variables make this line {len(text):,} characters long")
        return text, unknown

    def configuration(self) -> ApacheConfiguration:
        return ApacheConfiguration(
            tuple(self._directives()),
            tuple(self._refusals),
            tuple(self._remarks.values()),
            frozenset(self.private),
        )

    def _directives(self) -> Iterator[Directive]:
        for each in self._read:
            if isinstance(each, Directive):
                yield each
            elif not each.is_used:
                yield from each.unused()
