"""Which hosts a Unit configuration tells apart, and what it does for each of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NAME = re.compile(r"[a-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class HostCase:
    """
    Hosts for which one table holds: ``pattern`` is a name, ``.name`` for all below it, or ``*``.

    What comes before it in the order of all cases is not of it.
    """

    pattern: str

    def fits(self, texts: Sequence[str]) -> bool:
        """Whether a ``host`` of Unit's, whose patterns are given, matches the hosts of it."""
        positives = [text for text in texts if not text.startswith("!")]
        negatives = [text[1:] for text in texts if text.startswith("!")]
        if any(map(self._fits_one, negatives)):
            return False
        return not positives or any(map(self._fits_one, positives))

    def _fits_one(self, text: str) -> bool:
        text = text.lower()
        if text == "*":
            return True
        if self.pattern == "*":
            return False
        return self.pattern == text or (text.startswith("*.") and self.pattern.endswith(text[1:]))


def is_host_pattern(text: str) -> bool:
    """Whether a table can have a pattern: a name, or ``*.`` and a name."""
    name = text.removeprefix("!").lower()
    return name == "*" or _NAME.fullmatch(name.removeprefix("*.")) is not None


def host_cases(texts: Iterable[str]) -> list[HostCase]:
    """Return the cases that patterns tell apart, the closest first; the last is all other hosts."""
    names = {text.removeprefix("!").lower() for text in texts if is_host_pattern(text)} - {"*"}
    below = {name[1:] for name in names if name.startswith("*.")}
    # A pattern of virtual hosts that begins with a dot has the name behind it, too: Unit's has not.
    exact = {name for name in names if not name.startswith("*.")} | {name[1:] for name in below}
    ordered = [*sorted(exact), *sorted(below, key=lambda name: (-len(name), name))]
    return [HostCase(each) for each in [*ordered, "*"]]
