"""What holds where sections meet: values merged in Apache's order, and what differs by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from .coverage import Coverage, coverage
from .extra_values import (
    Values,
    expiring_otherwise,
    is_expiring,
    is_extra,
    may_undo,
    merged_layers,
)
from .hosts import Scope
from .indexes import ScopeIndex
from .option_values import DEFAULTS, ENTRY_OPTIONS
from .partial_aliases import region_of

NAMES = tuple(ENTRY_OPTIONS.values())
"""The options of an entry that mod_wsgi has, too."""


def merged_values(server: Values, scopes: Iterable[Scope]) -> Values:
    """
    Return what holds in sections, the last one's first of all.

    Apache merges directories with each other before it merges them over the server, and so files
    and locations; scopes come in that order.
    """
    values = dict(server)
    for _, walk in groupby(scopes, key=lambda scope: scope.rank[0]):
        values.update(merged_layers([scope.values for scope in walk]))
    return values


def value_of(values: Values, name: str) -> Any:
    """Return an option's value, mod_wsgi's default where none is given."""
    return values[name].value if name in values else DEFAULTS.get(name)


def is_option(name: str) -> bool:
    """Whether a value is an option of an entry, or a part of one."""
    return name in NAMES or is_extra(name)


def options_of(scope: Scope) -> Values:
    """Return what a scope gives that options of an entry can say."""
    return {name: given for name, given in scope.values.items() if is_option(name)}


def differing(values: Values, given: Values) -> set[str]:
    """Return the names of what is given, and is another without it."""
    found = {name for name, each in given.items() if value_of(values, name) != each.value}
    expiring = expiring_otherwise(values, given)
    return {name for name in found if not is_expiring(name)} | expiring


def most_particular_first(scopes: Sequence[Scope]) -> list[Scope]:
    """
    Return scopes so that of two that hold for one uri the one that wins comes first.

    A <Location> comes before all that it lies below. For the rest the last one wins.
    """
    found = list(reversed(scopes))
    plain = {n: p for n, s in enumerate(found) if (p := region_of(s.sections[0]).location)}
    longest_first = [found[n] for n in sorted(plain, key=lambda number: -len(plain[number]))]
    for place, scope in zip(plain, longest_first, strict=True):
        found[place] = scope
    return found


class Meetings:
    """
    What holds where several sections meet.

    ``scopes`` hold for an alias or a part of it, in Apache's order; ``partial`` are those of them
    that become entries, and ``ordered`` the same in the order of the entries: the first answers.
    """

    def __init__(
        self,
        scopes: Sequence[tuple[Scope, Coverage]],
        partial: Sequence[Scope],
        ordered: Sequence[Scope],
        server: Values,
    ) -> None:
        self._server = server
        self._index = ScopeIndex(partial)
        self._turn = {id(scope): number for number, (scope, _) in enumerate(scopes)}
        self._place = {id(scope): number for number, scope in enumerate(ordered)}
        self._sure = [scope for scope, covered in scopes if covered == "all"]

    def values(self, scope: Scope) -> Values | None:
        """Return what holds where a section holds, or None if one entry cannot say it."""
        holding, meeting = list(self._sure), []
        uris = region_of(scope.sections[0])
        for other in self._index.near(uris).values():
            is_same = other.sections[0].argument == scope.sections[0].argument
            covered = "all" if is_same else coverage(other.sections, uris)
            if covered == "all":
                holding.append(other)
            elif covered == "some" and self._place[id(other)] > self._place[id(scope)]:
                meeting.append(other)
        holding.sort(key=self._turn_of)
        own = merged_values(self._server, holding)
        return own if all(self._is_covered(other, holding, own) for other in meeting) else None

    def _is_covered(self, other: Scope, holding: Iterable[Scope], own: Values) -> bool:
        """Whether the part where another section holds too, whose turn it is not, is right."""
        if may_undo([other.values, *(each.values for each in holding)]):
            return False
        later = [each for each in holding if self._turn_of(each) > self._turn_of(other)]
        said = {name for each in later for name in each.values}
        return differing(own, options_of(other)) <= said

    def _turn_of(self, scope: Scope) -> int:
        return self._turn[id(scope)]
