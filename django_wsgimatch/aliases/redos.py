"""
Can a short uri keep a pattern busy for ages (ReDoS)?

A backtracking search tries every way through the pattern before it gives up. The ways multiply
where the automaton is ambiguous: exponentially if one loop can read one text in two ways (EDA),
polynomially if two loops can share one text between them (IDA). The tests are those of Weber and
Seidl, "On the degree of ambiguity of finite automata" (1991). Ambiguity harms only if the search
can fail behind it, so a text is looked for behind which it does.

Not seen are optional parts in a row, ``a?a?a?aaa``: the length of the pattern bounds their ways.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from .automaton import END, MANY, Automaton, Step, TooLarge, build
from .pcre.literals import anchored
from .pcre.syntax import Choice, Condition, Node, Repeat, children

Degree = Literal["exponential", "polynomial", "unknown"]
_Place = TypeVar("_Place")

_MOST_PLACES = 20_000
_EXPONENTIAL_PUMPS = 32
# Long enough for a square to be felt, short enough for Apache's limit on a request line.
_POLYNOMIAL_LENGTH = 4000
_PREFERRED_BYTES = b"a0/-._~zA!b1:x %"
_FAILING_BYTES = b"!~/-.a0 \n\x01"


@dataclass(frozen=True, slots=True)
class BlowUp:
    """
    How long a search can take: ``degree`` of its growth with the length of the uri.

    ``attack`` is a uri that shows it, empty where ``degree`` is ``"unknown"``: there the pattern
    is too large to be tested in the time that a check at load may take.
    """

    degree: Degree
    attack: str
    reason: str


def blow_up(tree: Node) -> BlowUp | None:
    """Return how a search for the pattern can blow up, or None if it surely cannot."""
    # A search that can begin anywhere is a loop before the pattern.
    if _loops_in(tree) + (not anchored(tree)) < 2 and not may_be_exponential(tree):
        return None
    try:
        return exponential(tree) or _polynomial(tree)
    except TooLarge:
        return _UNKNOWN


def exponential(tree: Node) -> BlowUp | None:
    """Return how a search for the pattern can take exponential time, or None."""
    if not may_be_exponential(tree):
        return None
    try:
        return _exponential(build(tree, searched=False))
    except TooLarge:
        return _UNKNOWN


def may_be_exponential(node: Node) -> bool:
    """Return False where it is plain that a search takes no exponential time."""
    # Only a loop around a choice or another repeat can read one text in two ways.
    if isinstance(node, Repeat) and _is_loop(node) and _has_choices(node.item):
        return True
    return any(map(may_be_exponential, children(node)))


_UNKNOWN = BlowUp("unknown", "", "too large to be tested for catastrophic backtracking")


def _loops_in(node: Node) -> int:
    """Return the number of loops, two at least where one is repeated."""
    inside = sum(map(_loops_in, children(node)))
    if not isinstance(node, Repeat) or node.high in (0, 1):
        return inside
    return inside * 2 + _is_loop(node)


def _is_loop(node: Repeat) -> bool:
    return node.high is None or node.high >= MANY


def _has_choices(node: Node) -> bool:
    return isinstance(node, (Choice, Condition, Repeat)) or any(map(_has_choices, children(node)))


# One loop that reads a text in two ways


def _exponential(automaton: Automaton) -> BlowUp | None:
    budget = _Budget()
    for component in _loops(automaton):
        state = min(component)
        pump = _two_ways_back(automaton, component, state, budget)
        found = pump and _attack(automaton, state, state, pump, _EXPONENTIAL_PUMPS)
        if pump and found:
            reason = f"one more {pump!r} in the uri can double the time"
            return BlowUp("exponential", found, reason)
    return None


def _two_ways_back(
    automaton: Automaton, component: frozenset[int], state: int, budget: _Budget
) -> str | None:
    """
    Return a text that leads from a state of a loop back to it in two ways.

    Any one state of a loop will do: the others lead there and back.
    """

    def moves(place: tuple[int, int, bool]) -> Iterator[tuple[int, tuple[int, int, bool]]]:
        one, other, parted = place
        for step in _within(automaton.steps(one), component):
            for twin in _within(automaton.steps(other), component):
                if common := step.mask & twin.mask:
                    yield common, (step.target, twin.target, parted or step is not twin)

    return budget.shortest_text((state, state, False), (state, state, True), moves)


# Two loops that can share a text


def _polynomial(tree: Node) -> BlowUp | None:
    automaton = build(tree, searched=not anchored(tree))
    budget = _Budget()
    loops = _loops(automaton)
    for first in loops:
        for second in loops:
            if first is not second and _share_bytes(automaton, first, second):
                found = _shared_text(automaton, first, second, budget)
                if found is not None:
                    return found
    return None


def _shared_text(
    automaton: Automaton, first: frozenset[int], second: frozenset[int], budget: _Budget
) -> BlowUp | None:
    for early in first:
        for late in second:
            pump = _text_for_both(automaton, (first, early), (second, late), budget)
            times = _POLYNOMIAL_LENGTH // len(pump) if pump else 0
            found = pump and _attack(automaton, early, late, pump, times)
            if pump and found:
                reason = f"two repeats can share {pump!r} between them in every proportion"
                return BlowUp("polynomial", found, reason)
    return None


def _text_for_both(
    automaton: Automaton,
    early: tuple[frozenset[int], int],
    late: tuple[frozenset[int], int],
    budget: _Budget,
) -> str | None:
    """Return a text that leads round either loop, and from the first to the second."""
    (first, p), (second, q) = early, late

    def moves(place: tuple[int, int, int]) -> Iterator[tuple[int, tuple[int, int, int]]]:
        for one in _within(automaton.steps(place[0]), first):
            for other in _within(automaton.steps(place[2]), second):
                if common := one.mask & other.mask:
                    for bridge in automaton.steps(place[1]):
                        if both := common & bridge.mask:
                            yield both, (one.target, bridge.target, other.target)

    return budget.shortest_text((p, p, q), (p, q, q), moves)


# Ways through the automaton


class _Budget:
    """How many places the searches for one pattern may still visit."""

    def __init__(self) -> None:
        self._left = _MOST_PLACES

    def shortest_text(
        self,
        start: _Place,
        goal: _Place,
        moves: Callable[[_Place], Iterable[tuple[int, _Place]]],
    ) -> str | None:
        """Return a shortest text that leads from one place to the other, None if there is none."""
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
                    texts[target] = texts[place] + _typical_byte(mask)
                    pending.append(target)
        return None


def _loops(automaton: Automaton) -> list[frozenset[int]]:
    """Return the sets of states that lead to one another."""
    reached = {state: _reachable(automaton, state) for state in _states(automaton)}
    loops = {
        frozenset(other for other in others if state in reached[other])
        for state, others in reached.items()
        if state in others
    }
    return sorted(loops, key=min)


def _states(automaton: Automaton) -> set[int]:
    return {automaton.start} | _reachable(automaton, automaton.start)


def _reachable(automaton: Automaton, state: int) -> set[int]:
    reached: set[int] = set()
    pending = [state]
    while pending:
        for step in automaton.steps(pending.pop()):
            if step.target not in reached:
                reached.add(step.target)
                pending.append(step.target)
    return reached


def _within(steps: list[Step], component: frozenset[int]) -> Iterator[Step]:
    return (step for step in steps if step.target in component)


def _share_bytes(automaton: Automaton, first: frozenset[int], second: frozenset[int]) -> bool:
    def read(component: frozenset[int]) -> int:
        mask = 0
        for state in component:
            for step in _within(automaton.steps(state), component):
                mask |= step.mask
        return mask

    return bool(read(first) & read(second))


# The uri that shows it


def _attack(automaton: Automaton, early: int, late: int, pump: str, times: int) -> str | None:
    """Return a uri that goes round the loop and then fails, None if it cannot fail."""
    suffix = _failing_suffix(automaton, late, pump)
    if suffix is None:
        return None
    prefix = _Budget().shortest_text(
        automaton.start,
        early,
        lambda state: [(step.mask, step.target) for step in automaton.steps(state)],
    )
    uri = f"{prefix}{pump * times}{suffix}"
    return uri if uri.startswith("/") else f"/{uri}"


def _failing_suffix(automaton: Automaton, state: int, pump: str) -> str | None:
    candidates = ["", *map(chr, dict.fromkeys([*_FAILING_BYTES, *range(256)]))]
    for suffix in candidates:
        if not _succeeds(automaton, state, pump * 2 + suffix):
            return suffix
    return None


def _succeeds(automaton: Automaton, state: int, text: str) -> bool:
    """Return whether reading the text from a state surely leads to success at some place."""
    states = {state}
    for mask in [*(1 << ord(character) for character in text), END]:
        if any(automaton.succeeds(one, mask) for one in states):
            return True
        states = {
            step.target
            for one in states
            for step in automaton.steps(one)
            if step.sure and step.mask & mask
        }
    return False


def _typical_byte(mask: int) -> str:
    for code in _PREFERRED_BYTES:
        if mask >> code & 1:
            return chr(code)
    return chr(mask.bit_length() - 1)
