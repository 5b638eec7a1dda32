"""Uris that some aliases match and others do not: the shortest, a handful, or proof of none."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from ..aliases.pcre import bytesets
from .language import Language, Runs, holds_all

# More places than this are not searched.
MOST_PLACES = 2_000
_MOST_TRIED = 2_000

# The bytes that make the most readable examples come first.
_READABLE = b"abcdefghijklmnopqrstuvwxyz0123456789/-_.~ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORDER = (*_READABLE, *(code for code in range(1, 256) if code not in _READABLE))

_DOT, _SLASH = ord("."), ord("/")
# How far a uri has come: what the segment that is being read consists of so far.
_BEGIN, _LEADING, _EMPTY, _ONE_DOT, _TWO_DOTS, _NAME = range(6)


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


Place = tuple[int, Runs, tuple[Runs, ...]]


class Search:
    """
    A walk over the uris that one language holds and none of the excluded ones.

    Of the bytes that make no difference to these languages nor to those that are ``heeded``,
    one stands for all.
    """

    def __init__(
        self,
        included: Language,
        excluded: Sequence[Language] = (),
        *,
        heeded: Iterable[Language] = (),
        merge_slashes: bool = True,
    ) -> None:
        self.uris = Uris(merge_slashes)
        self.included = included
        self.excluded = excluded
        languages = (included, *excluded, *heeded)
        self.alphabet = _alphabet(self.uris.masks.union(*(each.masks for each in languages)))
        self.begin: Place = (_BEGIN, included.starts, tuple(each.starts for each in excluded))

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
        uri, runs, others = place
        return (
            self.uris.accepts(uri)
            and self.included.holds(runs)
            and not any(map(Language.holds, self.excluded, others))
        )

    def _onward(self, place: Place) -> Iterator[tuple[int, Place]]:
        uri, runs, others = place
        for byte in self.alphabet:
            after = self.uris.step(uri, byte)
            reached = self.included.step(runs, byte)
            if after is None or not reached:
                continue
            beside = tuple(
                each.step(runs, byte) for each, runs in zip(self.excluded, others, strict=True)
            )
            if not any(map(holds_all, beside)):
                yield byte, (after, reached, beside)


def _spell(place: Place, came_from: dict[Place, tuple[Place, int] | None]) -> str:
    bytes_backwards = bytearray()
    step = came_from[place]
    while step is not None:
        place, byte = step
        bytes_backwards.append(byte)
        step = came_from[place]
    return bytes_backwards[::-1].decode("latin-1")


@lru_cache(maxsize=1024)
def _alphabet(masks: Iterable[int]) -> tuple[int, ...]:
    """One byte of each kind that the sets tell apart, the most readable one; no NUL."""
    kinds: dict[int, int] = {}
    ordered = tuple(masks)
    for byte in _ORDER:
        kind = sum(1 << number for number, mask in enumerate(ordered) if mask >> byte & 1)
        kinds.setdefault(kind, byte)
    return tuple(kinds.values())
