"""The aliases that are worth trying at one place of the index, in the table's order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from ..patterns.pattern import Found

# An alias's position in the table, and the offset where its match ends or what its pattern found.
Answer: TypeAlias = tuple[int, int | Found]
LookUp: TypeAlias = Callable[[str], Answer | None]
Find: TypeAlias = Callable[[str], int | Found | None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    An alias by its position in the table.

    ``find`` says whether and where it matches a uri. It is None at a place that no other uris
    reach than those the alias surely matches, up to the offset ``end``.
    """

    position: int
    find: Find | None
    end: int = 0


Candidates: TypeAlias = tuple[Candidate, ...]


def merge(inherited: Candidates, own: Iterable[Candidate]) -> Candidates:
    """Return all candidates in the table's order, up to the first that surely matches."""
    own = tuple(own)
    # Optimization: of most places it is the only one, and this takes a tenth of the time.
    if len(own) == 1 and not inherited:
        return own
    by_position = {candidate.position: candidate for candidate in (*inherited, *own)}
    merged = []
    for position in sorted(by_position):
        merged.append(by_position[position])
        if by_position[position].find is None:
            break
    return tuple(merged)


def first_match(candidates: Candidates, uri: str, before: int = sys.maxsize) -> Answer | None:
    """Return the first match among candidates, if it stands before a position of the table."""
    for candidate in candidates:
        if candidate.position >= before:
            return None
        find = candidate.find
        found = candidate.end if find is None else find(uri)
        if found is not None:
            return candidate.position, found
    return None


def first_of(groups: Iterable[Candidates], uri: str, best: Answer | None = None) -> Answer | None:
    """Return the first match of several groups of candidates, or the best one known before."""
    for candidates in groups:
        best = first_match(candidates, uri, best[0] if best else sys.maxsize) or best
    return best
