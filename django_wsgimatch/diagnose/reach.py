"""
Which aliases can any uri reach?

A uri that an alias matches is put to the table. Where an earlier alias takes it, that one's
language is taken out of the alias's own, and the shortest uri that is left is tried next, until
one gets through or none is left: then the earlier ones hide the alias, and that is proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from ..aliases.pattern import Pattern
from ..aliases.table import AliasTable
from .search import Search, TooComplex, words_of
from .states import states_of

# As many aliases together may hide one before the search is given up.
_MOST_HIDERS = 12
# So many uris are tried where a pattern does not allow of a proof.
_MOST_SAMPLES = 200


@dataclass(frozen=True, slots=True)
class Unreachable:
    """
    An alias that no uri reaches.

    ``hiders`` are the positions of the earlier aliases that take all it matches; without any, it
    matches nothing. ``example`` is a uri that it would match. Where nothing was ``proved``, as
    many uris as ``tried`` were all taken.
    """

    position: int
    hiders: tuple[int, ...] = ()
    example: str = ""
    proved: bool = True
    tried: int = 0


def unreachable(
    table: AliasTable, positions: Iterable[int], *, merge_slashes: bool = True
) -> Iterator[Unreachable]:
    """Yield those of the aliases at some positions of a table that no uri reaches."""
    for position in positions:
        try:
            found = _proof(table, position, merge_slashes)
        except TooComplex:
            found = _sampling(table, position, merge_slashes)
        if found is not None:
            yield found


def example_uris(location: str | Pattern, *, merge_slashes: bool = True) -> Iterator[str]:
    """Yield short uris that a location or a pattern surely matches, the shortest first."""
    return _matching(location, _until_too_complex(words_of(location, merge_slashes)))


def _proof(table: AliasTable, position: int, merge_slashes: bool) -> Unreachable | None:
    hiders: list[int] = []
    first = uri = next(iter(words_of(table.locations[position], merge_slashes)), None)
    while len(hiders) < _MOST_HIDERS:
        if uri is None:
            return Unreachable(position, tuple(hiders), first or "")
        taken_by = _taken_by(table, uri)
        if taken_by == position:
            return None
        if taken_by is None or taken_by > position:
            raise TooComplex  # The language holds more than the alias matches.
        if not states_of(table.locations[taken_by]).language.exact:
            raise TooComplex
        hiders.append(taken_by)
        uri = _shortest_left(table, position, hiders, merge_slashes)
    return None


def _shortest_left(
    table: AliasTable, position: int, hiders: Iterable[int], merge_slashes: bool
) -> str | None:
    """The shortest uri that an alias matches and others do not."""
    included, *excluded = (states_of(table.locations[n]) for n in (position, *hiders))
    return Search(included, excluded, merge_slashes=merge_slashes).shortest()


def _sampling(table: AliasTable, position: int, merge_slashes: bool) -> Unreachable | None:
    hiders: set[int] = set()
    uris: list[str] = []
    # The second time with an eye to what makes a difference to those that took the first ones.
    for _ in range(2):
        uris = _samples(table, position, hiders, merge_slashes)
        takers = {_taken_by(table, uri) for uri in uris}
        if not uris or position in takers:
            return None
        hiders.update(taker for taker in takers if taker is not None)
    return Unreachable(position, tuple(sorted(hiders)), uris[0], proved=False, tried=len(uris))


def _samples(
    table: AliasTable, position: int, hiders: Iterable[int], merge_slashes: bool
) -> list[str]:
    location = table.locations[position]
    heeded = [states_of(table.locations[hider]) for hider in hiders]
    search = Search(states_of(location), heeded=heeded, merge_slashes=merge_slashes)
    return list(islice(_matching(location, search.variety()), _MOST_SAMPLES))


def _matching(location: str | Pattern, uris: Iterable[str]) -> Iterator[str]:
    """Those uris that a location surely matches, found among those of its language."""
    for uri in uris:
        if isinstance(location, str) or location.find(uri) is not None:
            yield uri


def _until_too_complex(words: Iterable[str]) -> Iterator[str]:
    try:
        yield from words
    except TooComplex:
        return


def _taken_by(table: AliasTable, uri: str) -> int | None:
    hit = table.lookup(uri)
    return None if hit is None else hit[0]
