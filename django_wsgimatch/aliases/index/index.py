"""
The first alias that matches a uri, found at about the same cost in a table of any size.

Apache tries one alias after the other. Here one or two looks into dicts lead to the few that can
match at all: those whose location or pattern begins as the uri does, those whose pattern asks
for a segment that the uri has, and those of which neither is known. The first of these in the
table's order that matches is the answer, as in Apache.
"""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple, TypeAlias

from ..patterns.pattern import Pattern
from .candidates import Answer, Candidate, LookUp, first_of
from .prefix import alias_matches, find_prefix, merge_slashes
from .trie import MOST_INHERITED, ROOT, key_of
from .walk import plant

Filed: TypeAlias = Mapping[str, list[Candidate]]

# Up to so many patterns are sooner tried one by one than looked up.
FEWEST = 2
# In a larger table than this, patterns are compiled when they are first needed.
MOST_COMPILED = 5_000


def build_index(locations: Sequence[str | Pattern], *, merged: bool = False) -> LookUp:
    """
    Return a function from a uri to the first match among locations, or to None.

    A str is the location of a plain alias and is compared as alias_matches() does; a pattern is
    searched for. The answer is the position in ``locations`` and the offset where the plain
    location ends, or what the pattern found. A uri begins with a slash. With ``merged`` the
    caller warrants that it has no two slashes in a row, which saves the test for them.
    """
    entries = tuple(enumerate(locations))
    look_up = _look_up(entries)
    if merged:
        return look_up
    unmerged = _Unmerged(entries)

    def look_up_any(uri: str) -> Answer | None:
        return unmerged.look_up(uri) if "//" in uri else look_up(uri)

    return look_up_any


class _Unmerged:
    """
    The look-up for uris with runs of slashes, as there are under ``MergeSlashes Off``.

    Patterns see the uri as it is, plain locations as if its slashes were merged. The indexes of
    both are only built when such a uri comes.
    """

    def __init__(self, entries: Sequence[tuple[int, str | Pattern]]) -> None:
        self.entries = entries

    @cached_property
    def plain(self) -> LookUp:
        return _look_up([entry for entry in self.entries if isinstance(entry[1], str)])

    @cached_property
    def patterns(self) -> LookUp:
        return _look_up([entry for entry in self.entries if not isinstance(entry[1], str)])

    def look_up(self, uri: str) -> Answer | None:
        plain = self.plain(merge_slashes(uri))
        pattern = self.patterns(uri)
        if plain is None or (pattern is not None and pattern[0] < plain[0]):
            return pattern
        position, location = self.entries[plain[0]]
        assert isinstance(location, str)
        return position, alias_matches(uri, location)


class _Entry(NamedTuple):
    """A candidate, the keys it can be filed under, and segments that its uris surely have."""

    candidate: Candidate
    keys: Collection[str]
    segments: Collection[str]


def _look_up(entries: Sequence[tuple[int, str | Pattern]]) -> LookUp:
    patterns = sum(not isinstance(location, str) for _, location in entries)
    with _no_garbage_collection():
        read = _read(entries)
        if patterns == len(entries) <= FEWEST:
            return plant({ROOT: [entry.candidate for entry in read]})
        by_key, by_segment = _file(read)
        look_up = plant(by_key)
    return _with_segments(look_up, by_segment) if by_segment else look_up


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    # Optimization: half of the 2.2 s that 100,000 entries took went into looking for cycles.
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _file(read: Iterable[_Entry]) -> tuple[Filed, Filed]:
    """File the candidates under their keys, or where those are crowded under a segment."""
    by_key, with_segments = defaultdict[str, list[Candidate]](list), list[_Entry]()
    for entry in read:
        for key in entry.keys:
            by_key[key].append(entry.candidate)
        if entry.segments:
            with_segments.append(entry)
    crowded = [
        entry
        for entry in with_segments
        if max(len(by_key[key]) for key in entry.keys) > MOST_INHERITED
    ]
    _take_out(crowded, by_key)
    rarity = Counter(segment for entry in crowded for segment in entry.segments)
    by_segment = defaultdict[str, list[Candidate]](list)
    for candidate, _, segments in crowded:
        rarest = min(segments, key=lambda segment: (rarity[segment], segment))
        by_segment[rarest].append(candidate)
    return by_key, by_segment


def _take_out(crowded: Sequence[_Entry], by_key: dict[str, list[Candidate]]) -> None:
    positions = {entry.candidate.position for entry in crowded}
    for key in {key for entry in crowded for key in entry.keys}:
        by_key[key] = [each for each in by_key[key] if each.position not in positions]
        if not by_key[key]:
            del by_key[key]


def _with_segments(look_up: LookUp, by_segment: Filed) -> LookUp:
    """Return a look-up that also tries the candidates filed under segments of the uri."""
    groups = {segment: tuple(candidates) for segment, candidates in by_segment.items()}
    segments = frozenset(groups)

    def look_up_all(uri: str) -> Answer | None:
        present = segments.intersection(uri.split("/"))
        return first_of([groups[segment] for segment in present], uri, look_up(uri))

    return look_up_all


def _read(entries: Sequence[tuple[int, str | Pattern]]) -> Iterator[_Entry]:
    """Yield what is known of each alias; those that can never match are left out."""
    seen = set()
    for position, location in entries:
        if not isinstance(location, str):
            entry = _read_pattern(position, location, large=len(entries) > MOST_COMPILED)
        else:
            merged = merge_slashes(location)
            if merged in seen or not merged.startswith("/"):
                continue
            seen.add(merged)
            entry = _read_plain(position, merged)
        if entry.keys:
            yield entry


def _read_plain(position: int, location: str) -> _Entry:
    closed = location if location.endswith("/") else location + "/"
    key = key_of(closed)
    # The key /app/ leads to all that /app matches; for /app/ it would let /app itself through.
    sure = key == location + "/" or location == ROOT
    find = None if sure else find_prefix(location)
    return _Entry(Candidate(position, find, len(location)), (key,), ())


def _read_pattern(position: int, pattern: Pattern, *, large: bool) -> _Entry:
    prefixes = (ROOT,) if pattern.prefixes is None else pattern.prefixes
    # A uri begins with a slash: so does every beginning of one, and the empty one says no more.
    keys = frozenset(key_of(prefix or ROOT) for prefix in prefixes if prefix[:1] in (ROOT, ""))
    known = {segment for key in keys for segment in key.split("/")[1:-1]}
    segments = frozenset(pattern.segments) - known
    # What is known by nothing is tried for every uri: it would not stay uncompiled for long.
    lazily = large and (segments or ROOT not in keys)
    find = pattern.search if lazily else pattern.find
    return _Entry(Candidate(position, find), keys, segments)
