"""
Which aliases can any uri reach?

A uri that an alias matches is put to the table. Where an earlier alias takes it, that one's
language is taken out of the alias's own, and the shortest uri that is left is tried next, until
one gets through or none is left: then the earlier ones hide the alias, and that is proved.

An alias that some uris reach may still lose those that it was written for; that is tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from ...aliases.index.prefix import alias_matches
from ...aliases.patterns.pattern import Pattern
from ...aliases.table import AliasTable
from .search import Search, TooComplex, elsewhere, states_of, until_too_complex, words_of

# As many aliases together may hide one before the search is given up.
_MOST_HIDERS = 12
# How many uris are tried where a pattern does not allow a proof.
_MOST_SAMPLES = 200
# Of so many of its uris, each with such texts behind it, an alias is likely to be asked for.
_MOST_EXAMPLES, _MOST_BEGINNINGS = 2, 8
_TAILS = ("", "/", "/x", "/x/", "/2024/05/")


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


@dataclass(frozen=True, slots=True)
class OftenTaken:
    """
    How many likely uris of an alias are matched by earlier ones, at the positions ``takers``.

    ``taken`` of the ``tried`` ones, ``example`` among them.
    """

    takers: tuple[int, ...]
    example: str
    taken: int
    tried: int


def unreachable(
    table: AliasTable, position: int, *, merge_slashes: bool = True
) -> Unreachable | None:
    """Return why no uri reaches the alias at a position of a table, None where one does."""
    try:
        return _proof(table, position, merge_slashes)
    except TooComplex:
        return _sampling(table, position, merge_slashes)


def often_taken(
    table: AliasTable, position: int, *, merge_slashes: bool = True
) -> OftenTaken | None:
    """
    Return what earlier aliases take of the uris that an alias is likely to be asked for, if often.

    That is its first uri, or half of those that are tried. An earlier alias that is narrower there
    does not count: the special case is meant to stand before the general one.
    """
    location = table.locations[position]
    uris = list(_likely_uris(location, merge_slashes))
    taken: dict[int, list[str]] = {}
    for uri in uris:
        taker = _taken_by(table, uri)
        if taker is not None and taker < position:
            taken.setdefault(taker, []).append(uri)
    crossing = {
        taker: those
        for taker, those in taken.items()
        if _is_meant_otherwise(table.locations[taker], location, those[0], merge_slashes)
    }
    all_taken = [uri for those in crossing.values() for uri in those]
    if not all_taken:
        return None
    is_first_taken = len(_beginnings(location)) == 1 and uris[0] in all_taken
    if not is_first_taken and 2 * len(all_taken) < len(uris):
        return None
    example = min(all_taken, key=uris.index)
    return OftenTaken(tuple(sorted(crossing)), example, len(all_taken), len(uris))


def _likely_uris(location: str | Pattern, merge_slashes: bool) -> Iterator[str]:
    """The first uris of a location, and what may well follow them, as far as it matches that."""
    seen = set()
    examples = islice(example_uris(location, merge_slashes=merge_slashes), _MOST_EXAMPLES)
    for uri in (*examples, *_beginnings(location)[:_MOST_BEGINNINGS]):
        for tail in _TAILS:
            longer = uri.removesuffix("/") + tail or "/"
            if longer.startswith("/") and longer not in seen and _holds(location, longer):
                seen.add(longer)
                yield longer


def _beginnings(location: str | Pattern) -> tuple[str, ...]:
    """The texts of which one begins all uris of a location: there are several for branches."""
    return (location,) if isinstance(location, str) else location.prefixes or ("",)


def _is_meant_otherwise(
    earlier: str | Pattern, later: str | Pattern, uri: str, merge_slashes: bool
) -> bool:
    """Whether an alias that takes another one's uri is hardly a special case of that one."""
    beginning = _beginning(later, uri)
    is_narrower = any(each.startswith(beginning) for each in _beginnings(earlier))
    return not is_narrower or _takes_more(earlier, later, uri, merge_slashes)


def _beginning(location: str | Pattern, uri: str) -> str:
    """The longest text that a location is known to begin this uri with, less its last slash."""
    known = [each for each in _beginnings(location) if uri.startswith(each)]
    return max(known, key=len, default="").rstrip("/")


def _takes_more(
    earlier: str | Pattern, later: str | Pattern, uri: str, merge_slashes: bool
) -> bool:
    """Whether an alias matches, among all that begins as a uri does, what another one does not."""
    excluded = [states_of(later), elsewhere(uri)]
    try:
        more = Search(states_of(earlier), excluded, merge_slashes=merge_slashes).shortest()
    except TooComplex:
        return False
    return more is not None and _holds(earlier, more) and not _holds(later, more)


def _holds(location: str | Pattern, uri: str) -> bool:
    if isinstance(location, str):
        return bool(alias_matches(uri, location))
    return location.find(uri) is not None


def example_uris(location: str | Pattern, *, merge_slashes: bool = True) -> Iterator[str]:
    """Yield short uris that a location or a pattern surely matches, the shortest first."""
    uris = until_too_complex(words_of(location, merge_slashes))
    return filter(partial(_holds, location), uris)


def branch_uris(location: str | Pattern) -> Iterator[str]:
    """Yield a uri for each branch of a pattern, as far as one begins with literal text."""
    for beginning in location.prefixes or () if isinstance(location, Pattern) else ():
        whole = beginning.startswith("/") and location.find(beginning) is not None
        yield from [beginning] if whole else ()


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
        included, *excluded = (states_of(table.locations[n]) for n in (position, *hiders))
        uri = Search(included, excluded, merge_slashes=merge_slashes).shortest()
    return None


def _sampling(table: AliasTable, position: int, merge_slashes: bool) -> Unreachable | None:
    location = table.locations[position]
    hiders: set[int] = set()
    uris: list[str] = []
    # The second time with an eye to what makes a difference to those that took the first ones.
    for _ in range(2):
        heeded = [states_of(table.locations[hider]) for hider in hiders]
        search = Search(states_of(location), heeded=heeded, merge_slashes=merge_slashes)
        uris = list(islice(filter(partial(_holds, location), search.variety()), _MOST_SAMPLES))
        takers = {_taken_by(table, uri) for uri in uris}
        if not uris or position in takers:
            return None
        hiders.update(taker for taker in takers if taker is not None)
    return Unreachable(position, tuple(sorted(hiders)), uris[0], proved=False, tried=len(uris))


def _taken_by(table: AliasTable, uri: str) -> int | None:
    hit = table.lookup(uri)
    return None if hit is None else hit[0]
