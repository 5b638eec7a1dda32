"""A language's sets of runs as numbers, which are quicker to hash and to compare."""

from __future__ import annotations

from functools import lru_cache

from ...aliases.patterns.pattern import Pattern
from .language import CERTAIN as CERTAIN_RUNS
from .language import Language, Runs, language_of

# No uri goes on from here; whatever follows here belongs to the language.
DEAD, CERTAIN = 0, 1


class States:
    """The states of a language, numbered as they are met."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._runs: list[Runs] = [frozenset(), CERTAIN_RUNS]
        self._numbers = {runs: number for number, runs in enumerate(self._runs)}
        self._after: dict[tuple[int, int], int] = {}
        self.begin = self._number(language.starts)

    def after(self, state: int, byte: int) -> int:
        """Return the state after one more byte, DEAD where no uri of the language goes on so."""
        known = self._after.get((state, byte))
        if known is None:
            known = self._number(self.language.step(self._runs[state], byte))
            self._after[state, byte] = known
        return known

    def holds(self, state: int) -> bool:
        """Return whether the uri may end here."""
        return self.language.holds(self._runs[state])

    def _number(self, runs: Runs) -> int:
        number = self._numbers.setdefault(runs, len(self._runs))
        if number == len(self._runs):
            self._runs.append(runs)
        return number


@lru_cache(maxsize=1024)
def states_of(location: str | Pattern) -> States:
    """Return the states of the language of a plain location or of a pattern."""
    return States(language_of(location))
