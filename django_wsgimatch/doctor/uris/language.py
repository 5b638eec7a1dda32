"""
The uris that an alias matches, as a finite automaton.

What a pattern says beyond a regular language (back references, atomic groups, looking back) is
left out: the language then holds more than the alias matches and is not ``exact``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from ...aliases.index.prefix import SLASHES
from ...aliases.patterns.pattern import Pattern
from ...aliases.patterns.pcre import bytesets
from ...aliases.patterns.pcre.parser import parse
from ...aliases.patterns.pcre.syntax import (
    Anchor,
    Atomic,
    BackReference,
    Bytes,
    CaptureGroup,
    Choice,
    Foreign,
    Greed,
    Look,
    Node,
    Repeat,
    Sequence,
    Text,
    children,
)

# What must (or, if True comes first, must not) be found ahead: the states of that search.
Duty: TypeAlias = tuple[bool, frozenset[int]]
# A state, and what else the rest of the uri must hold for it to count.
Run: TypeAlias = tuple[int, frozenset[Duty]]
Runs: TypeAlias = frozenset[Run]

_FREE: frozenset[Duty] = frozenset()
_ANYTHING = Repeat(Bytes(bytesets.ALL), 0, None, Greed.GREEDY)
# A repeat that would take more copies than this is taken for one without limits.
_MOST_COPIES = 64
# A pattern with more states than this is taken for one that matches everything.
_MOST_STATES = 4000

_BEGIN, _FOUND, _SEEN = 0, 1, 2
# The runs that hold whatever follows.
CERTAIN: Runs = frozenset([(_FOUND, _FREE)])


class _TooLarge(Exception):
    """The pattern needs too many states."""


class Language:
    """
    The uris that an alias matches, or more of them where it is not ``exact``.

    ``starts`` are the runs before the first byte; ``masks`` are the sets of bytes that make a
    difference anywhere.
    """

    def __init__(self, tree: Node, *, exact: bool = True) -> None:
        self.exact = exact
        self._edges: list[list[tuple[int, int]]] = [[], [(bytesets.ALL, _FOUND)], []]
        self._ways: list[list[tuple[Anchor | Duty | None, int]]] = [[], [], []]
        self._closed: dict[Run, Runs] = {}
        self._ways[_BEGIN].append((None, self._add(tree, _FOUND)))
        starts = self._close([(_BEGIN, _FREE)], Anchor.START)
        # What matches at offset 0 of every uri is never searched for further on, and a match
        # that ends there does not count; whether it takes more is a matter of preferences.
        if (_FOUND, _FREE) not in starts or not self.exact:
            self._edges[_BEGIN].append((bytesets.ALL, _BEGIN))
        self.starts: Runs = frozenset(run for run in starts if run[0] != _FOUND)
        self.exact = self.exact and self.starts == starts
        self.masks = frozenset(mask for edges in self._edges for mask, _ in edges)
        self._useful = self._leading_to_a_match()

    def _leading_to_a_match(self) -> set[int]:
        """The states from which, behind the start of the uri, a match can still be found."""
        leading_to: dict[int, set[int]] = {}
        for state, (edges, ways) in enumerate(zip(self._edges, self._ways, strict=True)):
            reached = [to for _, to in edges]
            reached += [to for condition, to in ways if condition is not Anchor.START]
            for to in reached:
                leading_to.setdefault(to, set()).add(state)
        useful = {_FOUND}
        waiting = [_FOUND]
        while waiting:
            added = leading_to.get(waiting.pop(), set()) - useful
            useful |= added
            waiting += added
        return useful

    def step(self, runs: Runs, byte: int) -> Runs:
        """Return the runs after one more byte; once a match is CERTAIN, nothing else counts."""
        known: set[Run] = set()
        for run in self._moved(runs, byte):
            known |= self._onward(run)
        return CERTAIN if (_FOUND, _FREE) in known else frozenset(known)

    def holds(self, runs: Runs) -> bool:
        """Return whether the uri may end here."""
        at_end = self._close(runs, Anchor.END)
        return any(
            state == _FOUND and all(self._is_done(duty) for duty in duties)
            for state, duties in at_end
        )

    def _is_done(self, duty: Duty) -> bool:
        negative, states = duty
        seen = self._close([(state, _FREE) for state in states], Anchor.END)
        return negative != ((_SEEN, _FREE) in seen)

    def _moved(self, runs: Runs, byte: int) -> Iterator[Run]:
        bit = 1 << byte
        for state, duties in runs:
            for mask, to in self._edges[state]:
                if mask & bit:
                    if duties:
                        moved = {self._watch(negative, seen, byte) for negative, seen in duties}
                        yield from _with_duties(to, moved)
                    else:
                        yield to, duties

    def _onward(self, run: Run) -> Runs:
        """
        Return what is reached from a run without a byte, as far as it may lead to a match.

        Optimization: it is remembered; that halves the time.
        """
        known = self._closed.get(run)
        if known is None:
            closed = self._close([run], None)
            known = frozenset(each for each in closed if each[0] in self._useful)
            self._closed[run] = known
        return known

    def _watch(self, negative: bool, states: frozenset[int], byte: int) -> Duty:
        moved = self._moved(frozenset((state, _FREE) for state in states), byte)
        return negative, frozenset(state for state, _ in self._close(moved, None))

    def _close(self, runs: Iterable[Run], passable: Anchor | None) -> Runs:
        closed = set(runs)
        waiting = list(closed)
        while waiting:
            state, duties = waiting.pop()
            for condition, to in self._ways[state]:
                if condition is None or condition is passable:
                    reached: Iterable[Run] = [(to, duties)]
                elif isinstance(condition, Anchor):
                    continue
                else:
                    begun = self._begin(condition, passable)
                    reached = _with_duties(to, {*duties, begun})
                waiting += [run for run in reached if run not in closed]
                closed.update(waiting)
        return frozenset(closed)

    def _begin(self, duty: Duty, passable: Anchor | None) -> Duty:
        negative, states = duty
        closed = self._close([(state, _FREE) for state in states], passable)
        return negative, frozenset(state for state, _ in closed)

    def _state(self) -> int:
        if len(self._edges) > _MOST_STATES:
            raise _TooLarge
        self._edges.append([])
        self._ways.append([])
        return len(self._edges) - 1

    def _eat(self, mask: int, then: int) -> int:
        state = self._state()
        self._edges[state].append((mask, then))
        return state

    def _pass(self, condition: Anchor | Duty | None, *then: int) -> int:
        state = self._state()
        self._ways[state] += [(condition, to) for to in then]
        return state

    def _add(self, node: Node, then: int) -> int:
        """Add the states of a node in front of ``then``; return the first of them."""
        match node:
            case Text(text):
                for character in reversed(text):
                    then = self._eat(1 << ord(character), then)
                return then
            case Bytes(mask):
                return self._eat(mask, then)
            case Sequence(items):
                for item in reversed(items):
                    then = self._add(item, then)
                return then
            case Choice(branches):
                return self._pass(None, *[self._add(branch, then) for branch in branches])
            case CaptureGroup(item=item):
                return self._add(item, then)
            case Repeat():
                return self._repeat(node, then)
            case Anchor.START | Anchor.END:
                return self._pass(node, then)
            case Look(item, behind=False, negative=negative) if not _looks(item):
                return self._look(item, negative, then)
            case _:
                return self._add_more_than(node, then)

    def _repeat(self, node: Repeat, then: int) -> int:
        low, high = node.low, node.high
        if max(low, high or 0) > _MOST_COPIES:
            self.exact = False
            low, high = min(low, 1), None
        if node.greed is Greed.POSSESSIVE:
            self.exact = False
        if high is None:
            first = self._pass(None, then)
            self._ways[first].append((None, self._add(node.item, first)))
        else:
            first = then
            for _ in range(high - low):
                first = self._pass(None, self._add(node.item, first), then)
        for _ in range(low):
            first = self._add(node.item, first)
        return first

    def _look(self, item: Node, negative: bool, then: int) -> int:
        before, self.exact = self.exact, True
        duty = (negative, frozenset([self._add(item, _SEEN)]))
        # To ask for the absence of too much would be to ask for too much.
        is_usable = self.exact or not negative
        self.exact = before and self.exact
        return self._pass(duty, then) if is_usable else then

    def _add_more_than(self, node: Node, then: int) -> int:
        self.exact = False
        match node:
            case Atomic(item):
                return self._add(item, then)
            case BackReference() | Foreign():
                return self._add(_ANYTHING, then)
            case _:
                return then


def _with_duties(state: int, duties: set[Duty]) -> Iterator[Run]:
    """The run of a state with those duties that are still open; none where one has failed."""
    left = set()
    for negative, states in duties:
        if _SEEN in states:
            if negative:
                return
        elif states:
            left.add((negative, states))
        elif not negative:
            return
    yield state, frozenset(left)


def _looks(node: Node) -> bool:
    return isinstance(node, Look) or any(map(_looks, children(node)))


def language_of(location: str | Pattern) -> Language:
    """Return the language of a plain location or of a pattern."""
    if isinstance(location, str):
        return language_of_tree(_plain(location))
    parsed = parse(location.source)
    if not parsed.foreign:
        return language_of_tree(parsed.tree)
    literals = tuple(Text(prefix) for prefix in location.prefixes or ("",))
    return Language(Sequence((Anchor.START, Choice(literals), _ANYTHING)), exact=False)


def language_of_tree(tree: Node) -> Language:
    try:
        return Language(tree)
    except _TooLarge:
        return Language(_ANYTHING, exact=False)


def _plain(location: str) -> Node:
    """What alias_matches() asks of a uri."""
    before, *names = SLASHES.split(location)
    items: list[Node] = [Anchor.START, Text(before)]
    for name in names:
        items += [Repeat(Text("/"), 1, None, Greed.GREEDY), Text(name)]
    if not location.endswith("/"):
        items.append(Choice((Text("/"), Anchor.END)))
    return Sequence(tuple(items))
