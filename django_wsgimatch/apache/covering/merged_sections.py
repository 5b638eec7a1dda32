"""What holds where several sections meet, and in which order their entries stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .coverage import Coverage, coverage, section_pattern
from .hosts import Scope
from .indexes import ScopeIndex
from .option_values import DEFAULTS, ENTRY_OPTIONS, Given
from .partial_aliases import region_of

Values = dict[str, Given]

NAMES = tuple(ENTRY_OPTIONS.values())
"""The options of an entry."""


def merged_values(server: Values, scopes: Iterable[Scope]) -> Values:
    """Return what holds in sections, the last one's first of all."""
    values = dict(server)
    for scope in scopes:
        values.update(scope.values)
    return values


def value_of(values: Values, name: str) -> Any:
    """Return an option's value, mod_wsgi's default where none is given."""
    return values[name].value if name in values else DEFAULTS[name]


def agrees(values: Values, scope: Scope) -> bool:
    """Whether a scope gives no other options than hold without it."""
    return all(
        value_of(values, name) == given.value
        for name, given in scope.values.items()
        if name in NAMES
    )


def most_particular_first(scopes: Sequence[Scope]) -> list[Scope]:
    """
    Return scopes so that of two that hold for one uri the one that wins comes first.

    A <Location> comes before all that it lies below. For the rest the last one wins.
    """
    found = list(reversed(scopes))
    plain = [n for n, scope in enumerate(found) if region_of(scope.sections[0]).location]
    by_length = sorted((found[n] for n in plain), key=lambda scope: -len(_argument(scope)))
    for place, scope in zip(plain, by_length, strict=True):
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
        later = [each for each in holding if self._turn_of(each) > self._turn_of(other)]
        names = {name for each in later for name in each.values}
        return all(
            name in names or value_of(own, name) == given.value
            for name, given in other.values.items()
            if name in NAMES
        )

    def _turn_of(self, scope: Scope) -> int:
        return self._turn[id(scope)]


def _argument(scope: Scope) -> str:
    return section_pattern(scope.sections[0])[0]
