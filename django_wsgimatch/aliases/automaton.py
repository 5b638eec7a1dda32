"""
A pattern as a nondeterministic automaton: what a backtracking search walks through.

Look-arounds and anchors become guards on the next byte where one byte decides them. The rest of
them, and back references, are passed freely but marked as unsure: they can fail unforeseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .pcre import bytesets
from .pcre.measures import single_byte
from .pcre.syntax import (
    Anchor,
    Atomic,
    BackReference,
    Bytes,
    Choice,
    Condition,
    Greed,
    Group,
    Look,
    Node,
    Repeat,
    Sequence,
    Text,
)

# The end of the uri, as if it were a byte after the last.
END = 1 << 256
ANYTHING = bytesets.ALL | END
# From this count on a repeat is as good as endless: seven times seven is the most before, which
# has 85 million ways to share a text.
MANY = 8
_MOST_STATES = 400
_MOST_WAYS = 1200

_GUARDS = {
    Anchor.END: END,
    Anchor.END_OR_FINAL_NEWLINE: END | bytesets.NEWLINE,
    Anchor.LINE_END: END | bytesets.NEWLINE,
}


class TooLarge(Exception):
    """The automaton would outgrow the time that a check at load may take."""


@dataclass(frozen=True, slots=True)
class Step:
    """Read one byte of ``mask`` and be in ``target``; ``sure`` unless something can prevent it."""

    mask: int
    target: int
    sure: bool


@dataclass(frozen=True, slots=True)
class _Pass:
    """Go on to ``target`` without reading, if the next byte is in ``guard``."""

    guard: int
    target: int
    sure: bool


@dataclass(slots=True)
class Automaton:
    """
    States by number; ``ends`` are those in which the match, or a look-around, has succeeded.

    :raises TooLarge: on building, for a pattern of several hundred states.
    """

    start: int = 0
    ends: set[int] = field(default_factory=set)
    _reads: list[list[Step]] = field(default_factory=list)
    _passes: list[list[_Pass]] = field(default_factory=list)
    _steps: dict[int, list[Step]] = field(default_factory=dict)

    def steps(self, state: int) -> list[Step]:
        """
        Return every way to read the next byte from a state.

        Two ways are two steps even if they lead to one target: that is what ambiguity means.
        """
        if state not in self._steps:
            self._steps[state] = [
                Step(read.mask & way.guard, read.target, way.sure)
                for way in self._ways(state)
                for read in self._reads[way.target]
                if read.mask & way.guard
            ]
        return self._steps[state]

    def succeeds(self, state: int, following: int) -> bool:
        """Return whether the state surely leads to success before the ``following`` byte."""
        return any(
            way.sure and way.target in self.ends and way.guard & following
            for way in self._ways(state)
        )

    def _ways(self, state: int) -> Iterator[_Pass]:
        """Yield the states reached without reading, once for each way that repeats no pass."""
        pending: list[tuple[_Pass, frozenset[int]]] = [(_Pass(ANYTHING, state, True), frozenset())]
        count = 0
        while pending:
            way, used = pending.pop()
            count += 1
            if count > _MOST_WAYS:
                raise TooLarge
            yield way
            for onward in self._passes[way.target]:
                guard = way.guard & onward.guard
                if guard and id(onward) not in used:
                    sure = way.sure and onward.sure
                    pending.append((_Pass(guard, onward.target, sure), used | {id(onward)}))

    # Building

    def new_state(self) -> int:
        """Return a new state without any way out."""
        if len(self._reads) >= _MOST_STATES:
            raise TooLarge
        self._reads.append([])
        self._passes.append([])
        return len(self._reads) - 1

    def read(self, source: int, mask: int, target: int) -> None:
        """Let a byte of ``mask`` lead from one state to the other."""
        self._reads[source].append(Step(mask, target, True))

    def join(self, source: int, target: int, guard: int = ANYTHING, sure: bool = True) -> None:
        """Let one state lead to the other without reading."""
        self._passes[source].append(_Pass(guard, target, sure))


def build(tree: Node, searched: bool) -> Automaton:
    """
    Return the automaton of a pattern.

    :param searched: whether a match can begin at any offset, as in a search without ``^``.
    :raises TooLarge: where the analysis would take too long.
    """
    automaton = Automaton()
    automaton.start = automaton.new_state()
    if searched:
        automaton.read(automaton.start, bytesets.ALL, automaton.start)
    automaton.ends.add(_add(automaton, tree, automaton.start))
    return automaton


def _add(automaton: Automaton, node: Node, state: int) -> int:
    """Add a node behind a state and return the state behind the node."""
    match node:
        case Text(text):
            for character in text:
                state = _read(automaton, state, 1 << ord(character))
            return state
        case Bytes(mask):
            return _read(automaton, state, mask)
        case Sequence(items):
            for item in items:
                state = _add(automaton, item, state)
            return state
        case Choice(branches):
            return _add_choice(automaton, branches, state)
        case Condition(yes=yes, no=no):
            return _add_choice(automaton, (yes, no), state)
        case Repeat():
            return _add_repeat(automaton, node, state)
        case Group(item=item) | Atomic(Repeat(greed=Greed.LAZY | Greed.POSSESSIVE) as item):
            return _add(automaton, item, state)
        case Atomic(Repeat(item, low, high)):
            return _add_repeat(automaton, Repeat(item, low, high, Greed.POSSESSIVE), state)
        case Atomic(item):
            return _add(automaton, item, state)
        case Look():
            return _add_look(automaton, node, state)
        case _:
            target = automaton.new_state()
            guard = _GUARDS.get(node, ANYTHING) if isinstance(node, Anchor) else ANYTHING
            automaton.join(state, target, guard, sure=not isinstance(node, BackReference))
            return target


def _read(automaton: Automaton, state: int, mask: int) -> int:
    target = automaton.new_state()
    automaton.read(state, mask, target)
    return target


def _add_choice(automaton: Automaton, branches: tuple[Node, ...], state: int) -> int:
    end = automaton.new_state()
    for branch in branches:
        begin = automaton.new_state()
        automaton.join(state, begin)
        automaton.join(_add(automaton, branch, begin), end)
    return end


def _add_repeat(automaton: Automaton, node: Repeat, state: int) -> int:
    low, high = node.low, node.high
    for _ in range(low if low < MANY else 1):
        state = _add(automaton, node.item, state)
    if high is None or high - low >= MANY or high >= MANY > low or low >= MANY:
        state = _add_loop(automaton, node.item, state)
    else:
        state = _add_optional(automaton, node.item, high - low, state)
    if node.greed is Greed.POSSESSIVE and (mask := single_byte(node.item)) is not None:
        end = automaton.new_state()
        # It takes all there are, so that another cannot follow, unless there were enough.
        automaton.join(state, end, ANYTHING ^ mask if high is None else ANYTHING)
        return end
    return state


def _add_loop(automaton: Automaton, item: Node, state: int) -> int:
    loop, end = automaton.new_state(), automaton.new_state()
    automaton.join(state, loop)
    automaton.join(_add(automaton, item, loop), loop)
    automaton.join(loop, end)
    return end


def _add_optional(automaton: Automaton, item: Node, times: int, state: int) -> int:
    end = automaton.new_state()
    automaton.join(state, end)
    for _ in range(times):
        state = _add(automaton, item, state)
        automaton.join(state, end)
    return end


def _add_look(automaton: Automaton, node: Look, state: int) -> int:
    target = automaton.new_state()
    mask = single_byte(node.item)
    if mask is not None and not node.behind:
        automaton.join(state, target, ANYTHING ^ mask if node.negative else mask)
        return target
    automaton.join(state, target, sure=False)
    if not node.behind:
        # The look itself is searched through as well, on a way that ends there.
        inside = automaton.new_state()
        automaton.join(state, inside)
        automaton.ends.add(_add(automaton, node.item, inside))
    return target
