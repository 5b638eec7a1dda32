"""Which sections can hold for an alias at all: found by their paths, not one by one."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from ..lines.limits import COMPARED, SEARCHED
from .alias_reach import Reach
from .coverage import FILES, LOCATIONS, heads_of, is_wildcard, section_pattern
from .hosts import Scope

# A scope with its place in the file, which decides between scopes of one rank.
Numbered = tuple[int, Scope]


class PrefixIndex:
    """Scopes by a path, found by all that begins like the path and all that it begins with."""

    def __init__(self) -> None:
        self._found: dict[str, list[Numbered]] = {}
        self._sorted: list[str] = []

    def add(self, path: str, numbered: Numbered) -> None:
        """Put a scope at a path."""
        self._found.setdefault(path, []).append(numbered)

    def close(self) -> None:
        """Make ready to be asked."""
        self._sorted = sorted(self._found)

    def above(self, text: str) -> Iterator[Numbered]:
        """Yield the scopes whose path a text begins with."""
        if self._found:
            for end in range(len(text) + 1):
                yield from self._found.get(text[:end], ())

    def below(self, text: str) -> Iterator[Numbered]:
        """Yield the scopes whose path begins with a text and goes on."""
        for place in range(bisect_left(self._sorted, text), len(self._sorted)):
            path = self._sorted[place]
            if not path.startswith(text):
                return
            if path != text:
                yield from self._found[path]


class ScopeIndex:
    """
    Scopes in their order.

    Optimization: 10,000 aliases with as many sections would be 100,000,000 comparisons.
    """

    def __init__(self, scopes: Iterable[Scope]) -> None:
        self._directories, self._locations = PrefixIndex(), PrefixIndex()
        self._files: dict[str, list[Numbered]] = {}
        self._others: list[Numbered] = []
        for numbered in enumerate(scopes):
            self._add(numbered)
        self._directories.close()
        self._locations.close()

    def near(self, reach: Reach) -> dict[int, Scope]:
        """Return the scopes that may hold for an alias, and some that do not, by their numbers."""
        found = dict(self._others)
        found.update(self._directories.above(reach.inside))
        if reach.script is None:
            found.update(self._directories.below(reach.directory))
            found.update(chain.from_iterable(self._files.values()))
        else:
            found.update(self._files.get(posixpath.basename(reach.script), ()))
        for prefix in ("",) if reach.prefixes is None else reach.prefixes:
            found.update(self._locations.above(prefix))
            found.update(self._locations.below(prefix))
        return found

    def steps(self, found: Mapping[int, Scope]) -> int:
        """Return what it costs to hold an alias against the sections that near() has found."""
        return SEARCHED * len(self._others) + COMPARED * len(found)

    def _add(self, numbered: Numbered) -> None:
        section = numbered[1].sections[0]
        text, is_pattern = section_pattern(section)
        kind, heads = section.name.lower(), heads_of(section)
        if kind in FILES and not is_pattern and not is_wildcard(text):
            self._files.setdefault(text, []).append(numbered)
        elif heads is None:
            self._others.append(numbered)
        else:
            for head in heads:
                (self._locations if kind in LOCATIONS else self._directories).add(head, numbered)
