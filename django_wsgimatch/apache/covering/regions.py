"""Parts of the URLs, each as an alias without a target: which of them meet or cover others."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import islice

from ...aliases.alias import Alias
from .alias_reach import Reach, prefixes_of, region
from .coverage import is_below


def reach_of_region(alias: Alias) -> Reach:
    """Return what is known of the uris of an alias, whatever its target."""
    if alias.kind == "plain":
        return region(alias.location, (alias.location,))
    return region(None, prefixes_of(alias.location))


def in_words(alias: Alias) -> str:
    """Return the URLs of an alias as a report names them."""
    return alias.location if alias.kind == "plain" else f"URLs that match {alias.location}"


class Regions:
    """
    Regions that are found by where they begin, not one by one.

    Optimization: 5,000 aliases and as many regions would be 25,000,000 comparisons.
    """

    def __init__(self) -> None:
        self._plain: list[str] = []
        self._known: dict[str, Alias] = {}
        self._patterns: list[Alias] = []

    def add(self, alias: Alias) -> None:
        """Put a region to the others."""
        if alias.kind == "match":
            self._patterns.append(alias)
        elif alias.location not in self._known:
            self._known[alias.location] = alias
            insort(self._plain, alias.location)

    def covers(self, alias: Alias) -> bool:
        """Whether one of the prefixes holds for all that an alias with a prefix answers."""
        if alias.kind == "match":
            return False
        starts = (alias.location[:end] for end in range(1, len(alias.location) + 1))
        return any(each in self._known and is_below(each, alias.location) for each in starts)

    def meeting(self, reach: Reach) -> Iterator[Alias]:
        """Yield the regions that may have a uri in common with another one."""
        prefixes = tuple(dict.fromkeys(("",) if reach.prefixes is None else reach.prefixes))
        for prefix in prefixes:
            yield from self._by_prefix(prefix)
        for alias in self._patterns:
            own = prefixes_of(alias.location)
            if own is None or any(_may_meet(a, b) for a in own for b in prefixes):
                yield alias

    def _by_prefix(self, prefix: str) -> Iterator[Alias]:
        starts = (prefix[:end] for end in range(1, len(prefix)))
        yield from (self._known[each] for each in starts if each in self._known)
        place = bisect_left(self._plain, prefix)
        for location in islice(self._plain, place, None):
            if not location.startswith(prefix):
                break
            yield self._known[location]


def _may_meet(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
