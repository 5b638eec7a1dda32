"""Uris that some aliases match and others do not: the shortest, a handful, or proof of none."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import count, repeat

from ...aliases.patterns.pattern import Pattern
from ...aliases.patterns.pcre import bytesets
from ...aliases.patterns.pcre.syntax import Anchor, Look, Sequence, Text
from .language import CERTAIN as CERTAIN_RUNS
from .language import Language, Runs, language_of, language_of_tree

# No uri goes on from here; whatever follows here belongs to the language.
DEAD, CERTAIN = 0, 1
# More places than this are not searched.
MOST_PLACES = 2_000
_MOST_TRIED = 2_000

# The bytes that make the most readable examples come first.
_READABLE = b"abcdefghijklmnopqrstuvwxyz0123456789/-_.~ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORDER = (*_READABLE, *(code for code in range(1, 256) if code not in _READABLE))

_DOT, _SLASH = ord("."), ord("/")
# How far a uri has come: what the segment that is being read consists of so far.
_URI_STATES = _BEGIN, _LEADING, _EMPTY, _ONE_DOT, _TWO_DOTS, _NAME = range(6)


class TooComplex(Exception):
    """The answer would take too long."""


class Uris:
    """The uris that aliases ever see: normalised, with merged slashes unless these are kept."""

    masks = frozenset([bytesets.of(b"/"), bytesets.of(b"."), bytesets.of(b"\0")])

    def __init__(self, merge_slashes: bool) -> None:
        self._before_slash = {_BEGIN: _LEADING, _NAME: _EMPTY}
        if not merge_slashes:
            self._before_slash[_EMPTY] = _EMPTY

    def step(self, state: int, byte: int) -> int | None:
        """Return the state after one more byte, or None where no uri goes on like this."""
        if byte == _SLASH:
            return self._before_slash.get(state)
        if state == _BEGIN:
            return None
        if byte == _DOT:
            return {_LEADING: _ONE_DOT, _EMPTY: _ONE_DOT, _ONE_DOT: _TWO_DOTS}.get(state, _NAME)
        return _NAME

    def accepts(self, state: int) -> bool:
        """Return whether a uri may end here."""
        return state in (_LEADING, _EMPTY, _NAME)


class States:
    """
    The states of a language, numbered as they are met.

    A state is a set of runs: numbers are quicker to hash and to compare.
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self._runs: list[Runs] = [frozenset(), CERTAIN_RUNS]
        self._numbers = {runs: number for number, runs in enumerate(self._runs)}
        # By state, the state after each byte that has been asked for.
        self._after: list[dict[int, int]] = [{}, {}]
        self.begin = self._number(language.starts)

    def after(self, state: int, byte: int) -> int:
        """Return the state after one more byte, DEAD where no uri of the language goes on so."""
        row = self._after[state]
        known = row.get(byte)
        if known is None:
            known = row[byte] = self._number(self.language.step(self._runs[state], byte))
        return known

    def holds(self, state: int) -> bool:
        """Return whether the uri may end here."""
        return self.language.holds(self._runs[state])

    def _number(self, runs: Runs) -> int:
        number = self._numbers.setdefault(runs, len(self._runs))
        if number == len(self._runs):
            self._runs.append(runs)
            self._after.append({})
        return number


@lru_cache(maxsize=1024)
def states_of(location: str | Pattern) -> States:
    """Return the states of the language of a plain location or of a pattern."""
    return States(language_of(location))


def elsewhere(beginning: str) -> States:
    """Return the states of the uris that do not begin with a text."""
    # A match that ends at the very start does not count, so the slash has to be in it.
    ahead = Look(Text(beginning), behind=False, negative=True)
    return States(language_of_tree(Sequence((Anchor.START, ahead, Text("/")))))


# How far a uri has come, and the states of the language and of the excluded ones.
Place = tuple[int, int, tuple[int, ...]]


class Search:
    """
    A walk over the uris that one language holds and none of the excluded ones.

    Of the bytes that make no difference to these languages nor to those that are ``heeded``,
    one stands for all.
    """

    def __init__(
        self,
        included: States,
        excluded: Collection[States] = (),
        *,
        heeded: Iterable[States] = (),
        merge_slashes: bool = True,
    ) -> None:
        self.uris = Uris(merge_slashes)
        self.included = included
        self.excluded = excluded
        languages = [each.language for each in (included, *excluded, *heeded)]
        alphabet = _alphabet(self.uris.masks.union(*(each.masks for each in languages)))
        self.moves = _moves(alphabet, merge_slashes)
        self.begin: Place = (_BEGIN, included.begin, tuple(each.begin for each in excluded))

    def shortest(self) -> str | None:
        """Return the shortest such uri, None if there is none. Raises TooComplex."""
        return next(self.words(), None)

    def words(self) -> Iterator[str]:
        """Yield a uri for every place where one may end, the shortest first. Raises TooComplex."""
        came_from: dict[Place, tuple[Place, int] | None] = {self.begin: None}
        waiting = deque([self.begin])
        while waiting:
            place = waiting.popleft()
            if self._accepts(place):
                yield _spell(place, came_from)
            for byte, following in self._onward(place):
                if following not in came_from:
                    came_from[following] = (place, byte)
                    waiting.append(following)
            if len(came_from) > MOST_PLACES:
                raise TooComplex

    def variety(self) -> Iterator[str]:
        """Yield such uris of one place too, the shortest first, until a fair number is tried."""
        waiting = deque([(self.begin, "")])
        for _ in range(_MOST_TRIED):
            if not waiting:
                return
            place, text = waiting.popleft()
            if self._accepts(place):
                yield text
            waiting += [(onward, text + chr(byte)) for byte, onward in self._onward(place)]

    def _accepts(self, place: Place) -> bool:
        uri, state, others = place
        return (
            self.uris.accepts(uri)
            and self.included.holds(state)
            and not any(map(States.holds, self.excluded, others))
        )

    def _onward(self, place: Place) -> Iterator[tuple[int, Place]]:
        uri, state, others = place
        onward, excluded = self.included.after, self.excluded
        for byte, after in self.moves[uri]:
            reached = onward(state, byte)
            if reached == DEAD:
                continue
            if not excluded:
                yield byte, (after, reached, ())
                continue
            beside = tuple(map(States.after, excluded, others, repeat(byte)))
            if CERTAIN not in beside:
                yield byte, (after, reached, beside)


class Words:
    """The uris of a search, found once however often they are gone through. Raises TooComplex."""

    def __init__(self, search: Search) -> None:
        self._found: list[str] = []
        self._more = search.words()
        self._is_too_complex = False

    def __iter__(self) -> Iterator[str]:
        for number in count():
            if number == len(self._found) and not self._finds_another():
                return
            yield self._found[number]

    def _finds_another(self) -> bool:
        if self._is_too_complex:
            raise TooComplex
        try:
            uri = next(self._more, None)
        except TooComplex:
            self._is_too_complex = True
            raise
        if uri is not None:
            self._found.append(uri)
        return uri is not None


@lru_cache(maxsize=16)
def words_of(location: str | Pattern, merge_slashes: bool) -> Words:
    """Return the uris of a location's or pattern's language, the shortest first."""
    return Words(Search(states_of(location), merge_slashes=merge_slashes))


def until_too_complex(uris: Iterable[str]) -> Iterator[str]:
    """Yield uris as long as they are found in a reasonable time."""
    with suppress(TooComplex):
        yield from uris


def _spell(place: Place, came_from: dict[Place, tuple[Place, int] | None]) -> str:
    bytes_backwards = bytearray()
    step = came_from[place]
    while step is not None:
        place, byte = step
        bytes_backwards.append(byte)
        step = came_from[place]
    return bytes_backwards[::-1].decode("latin-1")


Moves = tuple[tuple[tuple[int, int], ...], ...]


@lru_cache(maxsize=1024)
def _moves(alphabet: tuple[int, ...], merge_slashes: bool) -> Moves:
    """For each state of a uri, the bytes with which one goes on, and the state after each."""
    uris = Uris(merge_slashes)
    ways = ([(byte, uris.step(state, byte)) for byte in alphabet] for state in _URI_STATES)
    return tuple(tuple((b, after) for b, after in way if after is not None) for way in ways)


@lru_cache(maxsize=1024)
def _alphabet(masks: Iterable[int]) -> tuple[int, ...]:
    """One byte of each kind that the sets tell apart, the most readable one; no NUL."""
    kinds: dict[int, int] = {}
    ordered = tuple(masks)
    for byte in _ORDER:
        kind = sum(1 << number for number, mask in enumerate(ordered) if mask >> byte & 1)
        kinds.setdefault(kind, byte)
    return tuple(kinds.values())
