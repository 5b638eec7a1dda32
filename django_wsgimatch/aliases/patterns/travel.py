"""Ways through an automaton: its loops, what they read twice, and what two of them share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, permutations, product
from typing import TypeVar

from .automaton import Automaton, TooLarge, Transition, typical_byte
from .pcre import bytesets

_Place = TypeVar("_Place")
_MOST_PLACES = 20_000

Loop = frozenset[int]
"""States that lead to one another."""


class Budget:
    """How many places the searches for one pattern may still visit."""

    def __init__(self) -> None:
        self._left = _MOST_PLACES

    def shortest_text(
        self,
        start: _Place,
        goal: _Place,
        moves: Callable[[_Place], Iterable[tuple[int, _Place]]],
    ) -> str | None:
        """
        Return a shortest text that leads from one place to the other, None if there is none.

        :raises TooLarge: when too many places have been visited.
        """
        texts = {start: ""}
        pending = deque([start])
        while pending:
            place = pending.popleft()
            if place == goal:
                return texts[place]
            for mask, target in moves(place):
                self._left -= 1
                if self._left < 0:
                    raise TooLarge
                if target not in texts:
                    texts[target] = texts[place] + typical_byte(mask)
                    pending.append(target)
        return None


def loops(automaton: Automaton) -> list[Loop]:
    """Return the loops of an automaton, in the order in which they stand in the pattern."""
    states = {automaton.start} | _reachable(automaton, automaton.start)
    reached = {state: _reachable(automaton, state) for state in states}
    found = {
        frozenset(other for other in others if state in reached[other])
        for state, others in reached.items()
        if state in others
    }
    return sorted(found, key=min)


def _reachable(automaton: Automaton, state: int) -> set[int]:
    reached: set[int] = set()
    pending = [state]
    while pending:
        for step in automaton.steps(pending.pop()):
            if step.target not in reached:
                reached.add(step.target)
                pending.append(step.target)
    return reached


def within(steps: list[Transition], loop: Loop) -> Iterator[Transition]:
    """Yield the steps that stay in a loop."""
    return (step for step in steps if step.target in loop)


def two_ways_back(automaton: Automaton, loop: Loop, state: int, budget: Budget) -> str | None:
    """
    Return a text that leads from a state of a loop back to it in two ways.

    Any one state of a loop will do: the others lead there and back.
    """

    def moves(place: tuple[int, int, bool]) -> Iterator[tuple[int, tuple[int, int, bool]]]:
        one, other, parted = place
        for step in within(automaton.steps(one), loop):
            for twin in within(automaton.steps(other), loop):
                if common := step.mask & twin.mask:
                    yield common, (step.target, twin.target, parted or step is not twin)

    return budget.shortest_text((state, state, False), (state, state, True), moves)


def shared_texts(automaton: Automaton) -> Iterator[str]:
    """
    Yield texts that lead round two loops, and from the first to the second.

    Loops that read a byte a round are left out: any byte of both is such a text.
    """
    budget = Budget()
    for first, second in permutations(loops(automaton), 2):
        if len(first) + len(second) > 2 and _read(automaton, first) & _read(automaton, second):
            texts = (
                _text_for_both(automaton, (first, early), (second, late), budget)
                for early, late in product(first, second)
            )
            yield from islice(filter(None, texts), 1)


def _read(automaton: Automaton, loop: Loop) -> int:
    return bytesets.union(
        step.mask for state in loop for step in within(automaton.steps(state), loop)
    )


def _text_for_both(
    automaton: Automaton, early: tuple[Loop, int], late: tuple[Loop, int], budget: Budget
) -> str | None:
    (first, p), (second, q) = early, late

    def moves(place: tuple[int, int, int]) -> Iterator[tuple[int, tuple[int, int, int]]]:
        for one in within(automaton.steps(place[0]), first):
            for other in within(automaton.steps(place[2]), second):
                if common := one.mask & other.mask:
                    for bridge in automaton.steps(place[1]):
                        if both := common & bridge.mask:
                            yield both, (one.target, bridge.target, other.target)

    return budget.shortest_text((p, p, q), (p, q, q), moves)
