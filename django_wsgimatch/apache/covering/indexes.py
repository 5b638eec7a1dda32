"""Sections, and parts of the URLs, that are found by how their paths begin, not one by one."""

from __future__ import annotations

import posixpath
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Generic, TypeVar

from ...aliases.alias import Alias
from .coverage import (
    FILES,
    LOCATIONS,
    Reach,
    heads_of,
    is_below,
    is_wildcard,
    may_meet,
    prefixes_of,
    region,
    section_pattern,
)
from .hosts import Scope

T = TypeVar("T")
# A scope with its place in the file, which decides between scopes of one rank.
Numbered = tuple[int, Scope]


class PrefixIndex(Generic[T]):
    """
    Things by a path each.

    Optimization: 600 aliases and as many sections would be 360,000 comparisons.
    """

    def __init__(self) -> None:
        self._found: dict[str, list[T]] = {}
        self._sorted: list[str] = []

    def add(self, path: str, thing: T) -> None:
        """Put a thing at a path."""
        if path not in self._found:
            insort(self._sorted, path)
        self._found.setdefault(path, []).append(thing)

    def meeting(self, text: str) -> Iterator[T]:
        """Yield what is at the beginnings of a text, and at paths that begin with it."""
        for end in range(len(text)):
            yield from self._found.get(text[:end], ())
        for place in range(bisect_left(self._sorted, text), len(self._sorted)):
            if not self._sorted[place].startswith(text):
                return
            yield from self._found[self._sorted[place]]


class ScopeIndex:
    """Scopes in their order."""

    def __init__(self, scopes: Iterable[Scope]) -> None:
        self._directories = PrefixIndex[Numbered]()
        self._locations = PrefixIndex[Numbered]()
        self._files: dict[str, list[Numbered]] = {}
        self._others: list[Numbered] = []
        for numbered in enumerate(scopes):
            self._add(numbered)

    def near(self, reach: Reach) -> dict[int, Scope]:
        """Return the scopes that may hold for an alias, and some that do not, by their numbers."""
        found = dict(self._others)
        found.update(self._directories.meeting(reach.inside))
        if reach.script is None:
            found.update(chain.from_iterable(self._files.values()))
        else:
            found.update(self._files.get(posixpath.basename(reach.script), ()))
        for prefix in ("",) if reach.prefixes is None else reach.prefixes:
            found.update(self._locations.meeting(prefix))
        return found

    def _add(self, numbered: Numbered) -> None:
        section = numbered[1].sections[0]
        text, is_pattern = section_pattern(section)
        heads = heads_of(section)
        if section.key in FILES and not is_pattern and not is_wildcard(text):
            self._files.setdefault(text, []).append(numbered)
        elif heads is None:
            self._others.append(numbered)
        else:
            for head in heads:
                index = self._locations if section.key in LOCATIONS else self._directories
                index.add(head, numbered)


class Regions:
    """Parts of the URLs, each as an alias without a target: which meet or cover others."""

    def __init__(self) -> None:
        self._plain = PrefixIndex[Alias]()
        self._known: set[str] = set()
        self._patterns: list[Alias] = []

    def add(self, alias: Alias) -> None:
        """Put a region to the others."""
        if alias.kind == "match":
            self._patterns.append(alias)
        elif alias.location not in self._known:
            self._known.add(alias.location)
            self._plain.add(alias.location, alias)

    def covers(self, alias: Alias) -> bool:
        """Whether one of the prefixes holds for all that an alias with a prefix answers."""
        near = self._plain.meeting(alias.location) if alias.kind == "plain" else ()
        return any(is_below(each.location, alias.location) for each in near)

    def meeting(self, reach: Reach) -> Iterator[Alias]:
        """Yield the regions that may have a uri in common with another one."""
        prefixes = tuple(dict.fromkeys(("",) if reach.prefixes is None else reach.prefixes))
        for prefix in prefixes:
            yield from self._plain.meeting(prefix)
        for alias in self._patterns:
            own = prefixes_of(alias.location)
            if own is None or any(may_meet(a, b) for a in own for b in prefixes):
                yield alias


def reach_of_region(alias: Alias) -> Reach:
    """Return what is known of the uris of an alias, whatever its target."""
    if alias.kind == "plain":
        return region(alias.location, (alias.location,))
    return region(None, prefixes_of(alias.location))


def may_share(one: Alias, other: Alias) -> bool:
    """Whether two aliases may answer the same URLs."""
    if one.kind == other.kind == "plain":
        return is_below(one.location, other.location) or is_below(other.location, one.location)
    here, there = (reach_of_region(each).prefixes for each in (one, other))
    return here is None or there is None or any(may_meet(a, b) for a in here for b in there)


def in_words(alias: Alias) -> str:
    """Return the URLs of an alias as a report names them."""
    return alias.location if alias.kind == "plain" else f"URLs that match {alias.location}"
