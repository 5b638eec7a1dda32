"""
Is a pattern prone to catastrophic backtracking (ReDoS)?

A backtracking search tries every way through the pattern before it gives up. The ways multiply
where one text can be read in several: exponentially if one loop can read a text in two ways (EDA,
see Weber and Seidl, "On the degree of ambiguity of finite automata", 1991), as a power of the
length if repeats can share a text between them, by a large number if there are many rounds or
optional parts to share it. The first is proved; for the others the ways are counted on the worst
uri that is found. Ambiguity harms only if the search can fail behind it.

All work is bounded: what is too large to be examined is said to be so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf
from typing import Literal, TypeAlias

from .attacks import LONGEST_URI, Parts, Worst, find_worst
from .automaton import (
    MOST_STATES_TO_COUNT,
    ROUNDS_TO_COUNT,
    Automaton,
    TooLarge,
    build,
    typical_byte,
)
from .canonical import canonical
from .counting import Counter
from .pcre import bytesets
from .pcre.literals import anchored
from .pcre.syntax import (
    EMPTY,
    CaptureGroup,
    Choice,
    Greed,
    Node,
    Repeat,
    Sequence,
    Text,
    walk,
)
from .plain import is_plain
from .travel import Budget, loops, shared_texts, two_ways_back

Degree = Literal["exponential", "polynomial", "unknown"]

_EXPONENTIAL_PUMPS = 32
# From so many rounds on the branches of a repeated choice are looked at one by one.
_MANY_ROUNDS = 20
_FAILING_BYTES = b"!~/-.a0 \n\x01"
# A byte that stands in no uri.
_END_OF_ROUNDS = "\0"
# Before what takes less than this many nanoseconds is worth a word.
_WORTH_A_WORD = 5e6


@dataclass(frozen=True, slots=True)
class BlowUp:
    """
    How long a search can take.

    ``parts`` make a uri that shows it, none where ``degree`` is ``"unknown"``: there the pattern
    is too large to be tested in the time that a check at load may take. ``nanoseconds`` is about
    what `re` takes for the worst uri of 8,000 bytes, which is this one if ``"polynomial"``.
    """

    degree: Degree
    parts: Parts
    reason: str
    nanoseconds: float = inf

    @property
    def attack(self) -> str:
        """The uri itself, empty if there is none."""
        return "".join(text * times for text, times in self.parts)

    @property
    def recipe(self) -> str:
        """The uri as an expression that a reader can take in: ``'/' + 'a' * 7999``."""
        shown = [(text, times) for text, times in self.parts if text and times]
        return " + ".join(repr(text) + f" * {times}" * (times > 1) for text, times in shown)


def blow_up(tree: Node) -> BlowUp | None:
    """Return how a search for the pattern can blow up, or None if no way was found."""
    if is_plain(tree) and _repeats_in(tree) + (not anchored(tree)) < 2:
        return None
    same, back = canonical(tree)
    found = _examined(same)
    if found is None:
        return None
    told, words = found
    shown = " and ".join(dict.fromkeys(repr(word.translate(back)) for word in words))
    parts = tuple((text.translate(back), times) for text, times in told.parts)
    return replace(told, parts=parts, reason=told.reason.format(shown))


def costly(tree: Node, nanoseconds: float) -> BlowUp | None:
    """Return how a search can take longer than that, None if it surely or seemingly cannot."""
    # Optimization: telling plain patterns takes 10 us, examining the others 10 ms.
    if is_plain(tree):
        return None
    found = blow_up(tree)
    return found if found is not None and found.nanoseconds > nanoseconds else None


def _repeats_in(tree: Node) -> int:
    return sum(isinstance(node, Repeat) and node.high not in (0, 1) for node in walk(tree))


# What was found, and the words that its reason still has to be filled with.
_Examined: TypeAlias = tuple[BlowUp, tuple[str, ...]]

_TOO_LARGE = "too large to be tested for catastrophic backtracking"
_UNKNOWN: _Examined = BlowUp("unknown", (), _TOO_LARGE), ()


# Optimization: a table of 10,000 patterns has a few dozen that differ in more than their words.
@lru_cache(maxsize=2048)
def _examined(tree: Node) -> _Examined | None:
    unknown = None
    try:
        if found := _exponential(tree):
            return found
    except TooLarge:
        unknown = _UNKNOWN
    try:
        worst = _worst(tree)
    except TooLarge:
        return _UNKNOWN
    if worst is None or not (worst.grows or worst.nanoseconds > _WORTH_A_WORD):
        return unknown
    words = tuple(word for _, word in worst.shown.phases)
    parts = worst.shown.parts(LONGEST_URI)
    return BlowUp("polynomial", parts, _reason(worst), worst.nanoseconds), words


def _reason(worst: Worst) -> str:
    if worst.nanoseconds == inf or not worst.grows:
        return "repeats or optional parts can share {} between them in very many ways"
    return "repeats can share {} between them in every proportion"


def _worst(tree: Node) -> Worst | None:
    found = [_worst_of(tree, searched=not anchored(tree))]
    for branch, others, sooner in _tried_each_round(tree):
        # It may fail late in each round that the others read, also where the pattern matches in
        # the end: as a search for that branch alone does, at each place.
        rounds = _Rounds(branch, others, sooner)
        found.append(_worst_of(branch, searched=True, more=rounds.words(), only=rounds.read))
    return max(filter(None, found), key=lambda each: each.nanoseconds, default=None)


def _tried_each_round(tree: Node) -> Iterator[tuple[Node, Node, Node]]:
    """Yield the branches with repeats in each round of repeats, as `_detours`."""
    for node in walk(tree):
        if isinstance(node, Repeat) and (node.high is None or node.high > _MANY_ROUNDS):
            yield from _detours(node.item)


def _detours(node: Node) -> Iterator[tuple[Node, Node, Node]]:
    """Yield branches with what follows in a node, the node without them, and up to them."""
    match node:
        case Choice(branches):
            for number, branch in enumerate(branches):
                sooner, later = branches[:number], branches[number + 1 :]
                if _repeats_in(branch):
                    yield branch, Choice((*sooner, *later)), Choice(sooner)
                for inner, without, up_to in _detours(branch):
                    yield inner, Choice((*sooner, without, *later)), Choice((*sooner, up_to))
        case Repeat(item, 0, 1, greed):
            both = (EMPTY, item) if greed is Greed.LAZY else (item, EMPTY)
            yield from _detours(Choice(both))
        case CaptureGroup(item=item):
            yield from _detours(item)
        case Sequence(items):
            for number, item in enumerate(items):
                before, behind = items[:number], items[number + 1 :]
                for inner, *others in _detours(item):
                    without, up_to = (Sequence((*before, each, *behind)) for each in others)
                    yield Sequence((inner, *behind)), without, up_to


class _Rounds:
    """What rounds of a repeat read without a branch, though not before it is tried."""

    def __init__(self, branch: Node, others: Node, sooner: Node) -> None:
        self._without, self._sooner = map(_rounds, (others, sooner))
        self._letters = Counter(build(Choice((branch, others)), False, ROUNDS_TO_COUNT)).classes

    def words(self) -> list[str]:
        """Return what they may read, of letters that the branch and they tell apart."""
        letters = [typical_byte(each) for each in self._letters if each & bytesets.ALL]
        return [*self._without.automaton.words, *letters]

    def read(self, word: str) -> bool:
        """Whether they read a word over and over."""
        return _all_read(self._without, word) and not _all_read(self._sooner, word)


def _rounds(item: Node) -> Counter:
    rounds = Repeat(item, 0, None, Greed.GREEDY)
    return Counter(build(Sequence((rounds, Text(_END_OF_ROUNDS))), False, ROUNDS_TO_COUNT))


def _all_read(rounds: Counter, word: str) -> bool:
    rounds.renew()
    front = rounds.after(rounds.at(rounds.automaton.start), word * 10 + _END_OF_ROUNDS)
    return rounds.ended(front).succeeded


def _worst_of(
    tree: Node,
    *,
    searched: bool,
    more: Iterable[str] = (),
    only: Callable[[str], bool] | None = None,
) -> Worst | None:
    try:
        words = list(shared_texts(build(tree, searched)))
    except TooLarge:
        words = []
    automaton = build(tree, searched, ROUNDS_TO_COUNT, MOST_STATES_TO_COUNT)
    return find_worst(automaton, [*words, *more], only)


# One loop that reads a text in two ways


def _exponential(tree: Node) -> _Examined | None:
    if not _may_be_exponential(tree):
        return None
    try:
        return _exponential_in(build(tree, False, ROUNDS_TO_COUNT))
    except TooLarge:
        return _exponential_in(build(tree, False))


def _may_be_exponential(tree: Node) -> bool:
    """Return False where it is plain that a search takes no exponential time."""
    # Only a loop around a choice or another repeat can read one text in two ways.
    loops_in = (each for each in walk(tree) if isinstance(each, Repeat) and each.high not in (0, 1))
    return any(
        isinstance(inner, (Choice, Repeat)) for loop in loops_in for inner in walk(loop.item)
    )


def _exponential_in(automaton: Automaton) -> _Examined | None:
    budget = Budget()
    for loop in loops(automaton):
        state = min(loop)
        pump = two_ways_back(automaton, loop, state, budget)
        found = pump and _attack(automaton, state, pump)
        if pump and found:
            reason = "one more {} in the uri can double the time"
            return BlowUp("exponential", found, reason), (pump,)
    return None


def _attack(automaton: Automaton, state: int, pump: str) -> Parts | None:
    """Return a uri that goes round the loop and then fails, None if it cannot fail."""
    prefix = automaton.texts[state]
    begin = prefix if (prefix or pump).startswith("/") else f"/{prefix}"
    suffix = _failing_suffix(automaton, state, begin, pump)
    if suffix is None:
        return None
    if automaton.needed not in begin + pump + suffix:
        # It can fail with that in front of the loop at most.
        begin += automaton.needed
    return ((begin, 1), (pump, _EXPONENTIAL_PUMPS), (suffix, 1))


def _failing_suffix(automaton: Automaton, state: int, begin: str, pump: str) -> str | None:
    candidates = ["", *map(chr, dict.fromkeys([*_FAILING_BYTES, *range(256)]))]
    counter = Counter(automaton)
    looped = counter.after(counter.at(state), pump * 2)
    for suffix in automaton.with_needed(begin + pump, candidates):
        if not counter.ended(counter.after(looped, suffix)).succeeded:
            return suffix
    return None


def time_in_words(nanoseconds: float) -> str:
    """Return a time in words: ``"140 ms"``, ``"more than a day"``."""
    if nanoseconds > 86_400e9:
        return "more than a day"
    for unit, size in (("hours", 3600e9), ("minutes", 60e9), ("s", 1e9)):
        if nanoseconds >= 2 * size:
            return f"{nanoseconds / size:.0f} {unit}"
    return f"{max(nanoseconds / 1e6, 1):.0f} ms"
