"""
A pattern as a nondeterministic automaton: what a backtracking search walks through.

Look-arounds and anchors become guards on the next byte where one byte decides them. The rest of
them, and back references, are passed freely but marked as unsure: they can fail unforeseen.

Every state has a weight: about how many nanoseconds Python's ``re`` takes each time that it tries
what stands there. Rounds of a bounded repeat are states of their own, up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from .pcre import bytesets
from .pcre.literals import needed
from .pcre.syntax import (
    Anchor,
    Atomic,
    BackReference,
    Bytes,
    CaptureGroup,
    Choice,
    Greed,
    Look,
    Node,
    Repeat,
    Sequence,
    Text,
    single_byte,
)

# The end of the uri, as if it were a byte after the last.
END = 1 << 256
ANYTHING = bytesets.ALL | END
# More rounds are as good as endless: seven times seven has 85 million ways to share a text.
FEW_ROUNDS = 7
# Longer runs of single bytes, and more rounds, are counted as if they had no end.
ROUNDS_TO_COUNT = 100
_MOST_STATES = 400
_MOST_WAYS = 1200
# An automaton that is only walked along one uri may be larger.
MOST_STATES_TO_COUNT = 4000

# Measured on one machine with Python 3.11. What counts are the ratios.
_READ, _BRANCH, _ROUND, _ENTRY = 1.5, 3.0, 8.0, 4.0
_SCAN_ANY, _SCAN = 0.05, 1.5
# A run backs off to a literal in a loop of its own, to anything else by a jump.
_BACK_OFF_TO_TEXT, _BACK_OFF = 0.5, 6.0
_LAZY_STEP = 4.0
# A reference compares text that may be long.
_BACK_REFERENCE = 1000.0
# Ends of a uri that are tried with what is needed as well.
_ENDS_WITH_NEEDED = 4
PREFERRED_BYTES = b"a0/-._~zA!b1:x %"
# No text of a pattern: it holds no NUL.
_UNREACHED = "\0"

GUARDS = {
    Anchor.END: END,
    Anchor.END_OR_FINAL_NEWLINE: END | bytesets.NEWLINE,
    Anchor.LINE_END: END | bytesets.NEWLINE,
}
"""What anchors need as the next byte, as far as one decides."""


class TooLarge(Exception):
    """The automaton would outgrow the time that a check at load may take."""


@dataclass(frozen=True, slots=True)
class Transition:
    """
    The way to ``target``, if the next byte is in ``mask``, by reading it or without.

    It is ``sure`` unless something can prevent it.
    """

    mask: int
    target: int
    sure: bool = True


@dataclass(slots=True)
class Automaton:
    """
    States by number; ``ends`` are those in which the match, or a look-around, has succeeded.

    :raises TooLarge: on building, for a pattern of several hundred states.
    """

    start: int = 0
    # The states of a search that has not begun to match.
    searching: frozenset[int] = frozenset()
    ends: set[int] = field(default_factory=set)
    # What no uri matches without.
    needed: str = ""
    most_rounds: int = FEW_ROUNDS
    most_states: int = _MOST_STATES
    # References are passed without reading, so that what follows them is not where it seems.
    has_references: bool = False
    weights: list[float] = field(default_factory=list)
    # A text that leads to each state, as far as one can tell without its guards.
    texts: list[str] = field(default_factory=list)
    # Where repeats begin, and what their rounds and the branches of choices read.
    repeats: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    # Where a loop leads on to after a round that read nothing: there is no second such round.
    exits: dict[int, int] = field(default_factory=dict)
    reads: list[list[Transition]] = field(default_factory=list)
    passes: list[list[Transition]] = field(default_factory=list)
    _steps: dict[int, list[Transition]] = field(default_factory=dict)

    def steps(self, state: int) -> list[Transition]:
        """
        Return every way to read the next byte from a state.

        Two ways are two steps even if they lead to one target: that is what ambiguity means.
        """
        if state not in self._steps:
            self._steps[state] = [
                Transition(read.mask & way.mask, read.target, way.sure)
                for way in self._ways(state)
                for read in self.reads[way.target]
                if read.mask & way.mask
            ]
        return self._steps[state]

    def _ways(self, state: int) -> Iterator[Transition]:
        """Yield the states reached without reading, once for each way that repeats no pass."""
        begin = Transition(ANYTHING, state)
        pending: list[tuple[Transition, frozenset[int]]] = [(begin, frozenset())]
        count = 0
        while pending:
            way, used = pending.pop()
            count += 1
            if count > _MOST_WAYS:
                raise TooLarge
            yield way
            for onward in self.passes[way.target]:
                mask = way.mask & onward.mask
                if mask and id(onward) not in used:
                    longer = Transition(mask, onward.target, way.sure and onward.sure)
                    pending.append((longer, used | {id(onward)}))

    def with_needed(self, begin: str, ends: list[str]) -> list[str]:
        """Return ends of a uri, those first with which it holds what every match does."""
        if self.needed in begin:
            return list(dict.fromkeys(ends))
        held = [end for end in ends if self.needed in end]
        for end in [end for end in ends if end not in held][:_ENDS_WITH_NEEDED]:
            held += [end + self.needed, self.needed + end]
        return list(dict.fromkeys([*held, *ends]))

    # Building

    def new_state(self, weight: float = _READ) -> int:
        """Return a new state without any way out."""
        if len(self.reads) >= self.most_states:
            raise TooLarge
        self.reads.append([])
        self.passes.append([])
        self.texts.append(_UNREACHED)
        self.weights.append(weight)
        return len(self.reads) - 1

    def read(self, source: int, mask: int, target: int) -> None:
        """Let a byte of ``mask`` lead from one state to the other."""
        self.reads[source].append(Transition(mask, target))
        self._reach(target, self.texts[source] + typical_byte(mask))

    def join(self, source: int, target: int, guard: int = ANYTHING, sure: bool = True) -> None:
        """Let one state lead to the other without reading."""
        self.passes[source].append(Transition(guard, target, sure))
        self._reach(target, self.texts[source])

    def _reach(self, target: int, text: str) -> None:
        known = self.texts[target]
        if known == _UNREACHED or len(text) < len(known):
            self.texts[target] = text

    def note(self, begin: int, end: int) -> None:
        """Keep what is read between two states as a word of the pattern."""
        word = self.texts[end][len(self.texts[begin]) :]
        if word and word not in self.words:
            self.words.append(word)


def typical_byte(mask: int) -> str:
    """Return a byte of the set, one that paths are made of where there is one."""
    for code in PREFERRED_BYTES:
        if mask >> code & 1:
            return chr(code)
    return chr((mask & bytesets.ALL).bit_length() - 1)


def build(
    tree: Node,
    searched: bool,
    most_rounds: int = FEW_ROUNDS,
    most_states: int = _MOST_STATES,
) -> Automaton:
    """
    Return the automaton of a pattern.

    :param searched: whether a match can begin at any offset, as in a search without ``^``.
    :param most_rounds: how many rounds of bounded repeats to lay out one by one.
    :raises TooLarge: where the analysis would take too long.
    """
    automaton = Automaton(most_rounds=most_rounds, most_states=most_states)
    automaton.start = automaton.new_state()
    automaton.texts[automaton.start] = ""
    automaton.needed = needed(tree)
    if searched:
        _search(automaton, _kept_off(tree))
    automaton.ends.add(_add(automaton, tree, automaton.start))
    return automaton


def _search(automaton: Automaton, kept_off: int) -> None:
    """Let a match begin at any offset but behind some bytes."""
    start = automaton.start
    automaton.searching = frozenset([start])
    if others := bytesets.ALL ^ kept_off:
        automaton.read(start, others, start)
    if kept_off:
        behind = automaton.new_state()
        automaton.searching |= {behind}
        automaton.read(start, kept_off, behind)
        automaton.read(behind, kept_off, behind)
        if others:
            automaton.read(behind, others, start)


def _kept_off(tree: Node) -> int:
    """Return the bytes behind which a pattern says that it does not begin."""
    match tree:
        case Sequence((Look(item, behind=True, negative=True), *_)):
            return single_byte(item) or 0
        case _:
            return 0


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
            return _add_sequence(automaton, items, state)
        case Choice(branches):
            return _add_choice(automaton, branches, state)
        case Repeat():
            return _add_repeat(automaton, node, state)
        case Atomic(Repeat(greed=Greed.GREEDY) as item):
            return _add_repeat(automaton, replace(item, greed=Greed.POSSESSIVE), state)
        case CaptureGroup(item=item) | Atomic(item):
            return _add(automaton, item, state)
        case Look():
            return _add_look(automaton, node, state)
        case BackReference():
            automaton.has_references = True
            target = automaton.new_state(_BACK_REFERENCE)
            automaton.join(state, target, sure=False)
            return target
        case _:
            target = automaton.new_state()
            guard = GUARDS.get(node, ANYTHING) if isinstance(node, Anchor) else ANYTHING
            automaton.join(state, target, guard)
            return target


def _read(automaton: Automaton, state: int, mask: int) -> int:
    target = automaton.new_state()
    automaton.read(state, mask, target)
    return target


def _add_sequence(automaton: Automaton, items: tuple[Node, ...], state: int) -> int:
    jumps = False
    for item, following in zip_longest(items, items[1:]):
        behind = len(automaton.weights)
        if isinstance(item, Repeat) and single_byte(item.item) is not None:
            state = _add_run(automaton, item, isinstance(following, Text), state)
        else:
            state = _add(automaton, item, state)
        if jumps:
            # Behind a run, re jumps where it finds the first byte of the text.
            automaton.weights[behind] += _BACK_OFF
        jumps = isinstance(item, Repeat) and isinstance(following, Text)
    return state


def _add_choice(automaton: Automaton, branches: tuple[Node, ...], state: int) -> int:
    end = automaton.new_state()
    for branch in branches:
        begin = automaton.new_state(_BRANCH)
        automaton.join(state, begin)
        last = _add(automaton, branch, begin)
        automaton.note(begin, last)
        automaton.join(last, end)
    return end


def _add_repeat(automaton: Automaton, node: Repeat, state: int) -> int:
    if single_byte(node.item) is not None:
        return _add_run(automaton, node, False, state)
    low, high = node.low, node.high
    automaton.repeats.append(state)
    for _ in range(min(low, automaton.most_rounds)):
        state = _add_round(automaton, node.item, state)
    if high is None or high > automaton.most_rounds:
        return _add_loop(automaton, node.item, state)
    end = automaton.new_state()
    automaton.join(state, end)
    for _ in range(high - low):
        state = _add_round(automaton, node.item, state)
        automaton.join(state, end)
    return end


def _add_loop(automaton: Automaton, item: Node, state: int) -> int:
    loop, end = automaton.new_state(_ROUND), automaton.new_state()
    automaton.join(state, loop)
    last = _add(automaton, item, loop)
    automaton.note(loop, last)
    automaton.join(last, loop)
    automaton.join(loop, end)
    automaton.exits[loop] = end
    return end


def _add_round(automaton: Automaton, item: Node, state: int) -> int:
    begin = automaton.new_state(_ROUND)
    automaton.join(state, begin)
    end = _add(automaton, item, begin)
    automaton.note(begin, end)
    return end


def _add_run(automaton: Automaton, node: Repeat, before_text: bool, state: int) -> int:
    """Add a repeat of a single byte, which ``re`` scans without a step for each."""
    mask = single_byte(node.item)
    assert mask is not None
    if node.greed is Greed.LAZY:
        scan = back_off = _LAZY_STEP
    else:
        scan = _SCAN_ANY if mask == bytesets.ALL else _SCAN
        back_off = _BACK_OFF_TO_TEXT if before_text else _BACK_OFF
    if node.greed is Greed.POSSESSIVE:
        back_off = 0.0
    automaton.repeats.append(state)
    begin = automaton.new_state(_ENTRY)
    automaton.join(state, begin)
    state, end = begin, automaton.new_state(back_off)
    endless = node.high is None or node.high > automaton.most_rounds
    rounds = min(node.low, automaton.most_rounds) if endless else node.high or 0
    for number in range(rounds):
        if number >= node.low:
            automaton.join(state, end)
        target = automaton.new_state(scan)
        automaton.read(state, mask, target)
        state = target
    if endless:
        automaton.read(state, mask, loop := automaton.new_state(scan))
        automaton.read(loop, mask, loop)
        automaton.join(loop, end)
    automaton.join(state, end)
    if automaton.texts[begin].endswith("/"):
        # No more slashes in a row than a uri has.
        automaton.texts[end] = automaton.texts[begin] + typical_byte(mask)
    if node.greed is not Greed.POSSESSIVE or node.high is not None:
        return end
    # It takes all there are, so that another cannot follow.
    behind = automaton.new_state()
    automaton.join(end, behind, ANYTHING ^ mask)
    return behind


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
