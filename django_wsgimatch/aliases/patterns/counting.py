"""
How much a backtracking search does on one uri, counted without doing it.

A search that fails has tried every way through the automaton. Their number can be astronomic, but
counting them is quick: for each state, how many ways lead there once so many bytes are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .automaton import ANYTHING, END, Automaton, TooLarge
from .pcre import bytesets

# Places that may be looked at for one pattern, and how far passes may lead on without reading.
MOST_PLACES = 200_000
_DEEPEST = 400
ENOUGH = 1e13
"""Nanoseconds beyond which nothing more is to be learned."""


@dataclass(frozen=True, slots=True)
class Front:
    """
    How far a search has come after some bytes, or after one from a single state.

    ``ways`` lead to each state, ``sure`` are the states that nothing can have kept it from,
    ``nanoseconds`` is what all this took. ``succeeded`` if it surely would have ended before.
    """

    ways: dict[int, float]
    sure: frozenset[int]
    nanoseconds: float = 0.0
    succeeded: bool = False


class Counter:
    """
    Counts the ways through an automaton.

    :raises TooLarge: from any method, when so much was counted that it would take too long.
    """

    def __init__(self, automaton: Automaton) -> None:
        self.automaton = automaton
        self.classes = _classes(automaton)
        self._masks: dict[str, int] = {}
        self._rows: dict[tuple[int, int], Front] = {}
        self._left = MOST_PLACES

    def renew(self) -> None:
        """Allow for as much counting once more."""
        self._left = MOST_PLACES

    def at(self, state: int) -> Front:
        """Return a search that has come to a state, in one way."""
        return Front({state: 1.0}, frozenset([state]))

    def without_start(self, front: Front) -> Front:
        """Return the same, as if a match that begins from here on did not count as success."""
        return replace(front, sure=front.sure - self.automaton.searching)

    def after(self, front: Front, text: str) -> Front:
        """Return how far the search has come after more bytes."""
        for character in text:
            if front.succeeded or not front.ways:
                break
            front = self._after_one(front, self._mask(character))
        return front

    def ended(self, front: Front) -> Front:
        """Return how the search ends where the uri ends."""
        return front if front.succeeded else self._after_one(front, END)

    def _after_one(self, front: Front, mask: int) -> Front:
        ways: dict[int, float] = {}
        nanoseconds = front.nanoseconds
        sure: set[int] = set()
        succeeds = False
        enough = nanoseconds > ENOUGH
        for state in front.sure if enough else front.ways:
            row = self._row(state, mask)
            self._spend(1 + len(row.ways))
            if state in front.sure:
                sure |= row.sure
                succeeds = succeeds or row.succeeded
            if not enough:
                count = front.ways[state]
                nanoseconds += count * row.nanoseconds
                for target, more in row.ways.items():
                    ways[target] = ways.get(target, 0.0) + count * more
        if enough:
            ways = dict.fromkeys(sure, 1.0)
        return Front(ways, frozenset(sure), nanoseconds, succeeds)

    def _spend(self, places: int) -> None:
        self._left -= places
        if self._left < 0:
            raise TooLarge

    def _mask(self, character: str) -> int:
        if character not in self._masks:
            bit = 1 << ord(character)
            self._masks[character] = next(each for each in self.classes if each & bit)
        return self._masks[character]

    def _row(self, state: int, mask: int) -> Front:
        known = self._rows.get((state, mask))
        return known or self._new_row(state, mask, {})[0]

    def _new_row(self, state: int, mask: int, opened: dict[int, int]) -> tuple[Front, int]:
        """Return a row, and how deep the outermost open state is that it was cut off at."""
        known = self._rows.get((state, mask))
        if known:
            return known, _DEEPEST
        depth = len(opened)
        if depth >= _DEEPEST:
            raise TooLarge
        automaton = self.automaton
        opened[state] = depth
        nanoseconds = automaton.weights[state]
        targets = {read.target: 1.0 for read in automaton.reads[state] if read.mask & mask}
        sure, succeeds, cut = set(targets), state in automaton.ends, _DEEPEST
        for way in automaton.passes[state]:
            if not way.mask & mask:
                continue
            target = way.target
            if target in opened:
                # A round of a loop that read nothing.
                cut = min(cut, opened[target])
                target = automaton.exits.get(target, target)
                if target in opened:
                    continue
            row, deep = self._new_row(target, mask, opened)
            self._spend(1 + len(row.ways))
            cut = min(cut, deep)
            nanoseconds += row.nanoseconds
            for onward, more in row.ways.items():
                targets[onward] = targets.get(onward, 0.0) + more
            if way.sure:
                sure |= row.sure
                succeeds = succeeds or row.succeeded
        del opened[state]
        found = Front(targets, frozenset(sure), nanoseconds, succeeds)
        if cut >= depth:
            self._rows[state, mask] = found
            cut = _DEEPEST
        return found, cut


def _classes(automaton: Automaton) -> list[int]:
    """Return the sets of bytes that the automaton does not tell apart."""
    masks = {read.mask for reads in automaton.reads for read in reads}
    masks |= {way.mask for passes in automaton.passes for way in passes}
    return bytesets.classes(masks - {bytesets.ALL, ANYTHING})
