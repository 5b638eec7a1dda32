"""
How much an import reads and works before it gives up.

Apache has no such limits: a few lines of macros, of Define, or of sections that hold for parts of
aliases can stand for more than any machine can hold.
"""

from __future__ import annotations

from dataclasses import dataclass

from .directive import Spot, Unreadable

# Of all files, each time one is included, and what macros make: ten seconds to half a minute.
MOST_LINES = 200_000
# Characters of these lines, variables filled in.
MOST_TEXT = 32 << 20
# A step is about a microsecond: what 200,000 lines of real configurations take, twice.
MOST_STEPS = 20_000_000
# For an alias held against a section, and for each that becomes a part of the alias.
COMPARED, MADE = 20, 350


class TooMuch(Unreadable):
    """The configuration grows beyond a limit; nothing more of it is read."""


@dataclass(slots=True)
class Volume:
    """What has been read of a configuration, held against the limits. Its methods raise TooMuch."""

    lines: int = 0
    text: int = 0

    @property
    def room(self) -> int:
        """How many characters more there may be."""
        return MOST_TEXT - self.text

    def add_lines(self, count: int, whose: str) -> None:
        """Count lines before they are made or read."""
        self.lines += count
        if self.lines > MOST_LINES:
            cure = "use fewer macros and files in one another"
            raise _too_much(whose, f"{MOST_LINES:,} lines", cure)

    def add_text(self, count: int, whose: str) -> None:
        """Count characters before they are read or filled in."""
        self.text += count
        if self.text > MOST_TEXT:
            cure = "give the variables shorter values"
            raise _too_much(whose, f"{MOST_TEXT:,} characters", cure)


def _too_much(whose: str, limit: str, cure: str) -> TooMuch:
    return TooMuch(
        f"the import gives up: {whose}, and the configuration has more than {limit}",
        f"import its parts one by one, or {cure}",
    )


@dataclass(slots=True)
class Effort:
    """What the resolving of aliases has cost, in steps; the limit ends it."""

    steps: int = 0

    def spend(self, steps: int, spot: Spot, what: str) -> None:
        """Count steps that a directive takes. Raises Exhausted."""
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise Exhausted(spot, what)


class Exhausted(TooMuch):
    """The aliases and sections of a configuration meet too often."""

    def __init__(self, spot: Spot, what: str) -> None:
        super().__init__(
            f"the import gives up: {what} takes it beyond {MOST_STEPS:,} steps, as every alias "
            "is held against every section that may hold for a part of its URLs",
            "import its parts one by one, each with the aliases and sections that belong together",
        )
        self.spot = spot
