"""WSGIMATCH_ACCESS as an import writes it: as Python, and as values for JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ...entry_options.access import AccessEntry, BasicLogin, Requirements
from ...entry_options.said_access import said_section
from ...entry_options.texts import utf8, utf8_text
from ..access.access_sections import CarriedSection
from ..lines.directive import Spot
from ..resolving.tables import Tables

_TAKEN_BACK = "What is said above does not hold for these URLs."
_FUNCTIONS = {"plain": "access", "match": "access_match"}
_CONTAINERS: dict[str, str] = {"all": "all_of", "any": "any_of", "none": "none_of"}


@dataclass(frozen=True, slots=True)
class WrittenAccess:
    """An entry of WSGIMATCH_ACCESS, and where the rules stand that it says."""

    entry: AccessEntry
    spots: tuple[Spot, ...]

    @property
    def function(self) -> str:
        """The name of the function that says it."""
        return _FUNCTIONS[self.entry.kind]

    @property
    def comment(self) -> str:
        """What a comment says of it besides the spots."""
        return "" if self.spots else _TAKEN_BACK


def collect_access(tables: Tables) -> Iterator[WrittenAccess]:
    """Yield the entries for all sections of the tables."""
    for patterns, carried in tables.all_access():
        hosts = tuple(map(utf8_text, patterns))
        for each in carried:
            yield WrittenAccess(_entry(each, hosts), each.spots)


def _entry(carried: CarriedSection, hosts: tuple[str, ...]) -> AccessEntry:
    host = hosts[0] if len(hosts) == 1 else hosts or None
    entry = said_section(replace(carried.section, host=host))
    # Each section has been read from its entry before.
    assert entry is not None
    return entry


def functions_of(written: Iterable[WrittenAccess]) -> set[str]:
    """Return the names that the entries need from the package."""
    found: set[str] = set()
    for each in written:
        found.add(each.function)
        if isinstance(each.entry.options.get("auth"), BasicLogin):
            found.add("basic")
        found |= _containers(each.entry.options.get("require"))
    return found


def _containers(require: object) -> set[str]:
    own = {_CONTAINERS[require.kind]} if isinstance(require, Requirements) else set()
    members = require.members if isinstance(require, Requirements) else require
    return own.union(*map(_containers, members)) if isinstance(members, list | tuple) else own


def access_arguments(entry: AccessEntry, literal: Callable[[Any], str]) -> list[str]:
    """Return the arguments of the call that makes an entry, as Python."""
    location = literal(utf8(str(entry.location)))
    options = entry.options.items()
    return [location, *(f"{name}={_source(value, literal)}" for name, value in options)]


def _source(value: Any, literal: Callable[[Any], str]) -> str:
    if isinstance(value, Requirements):
        members = ", ".join(_source(each, literal) for each in value.members)
        return f"{_CONTAINERS[value.kind]}({members})"
    if isinstance(value, BasicLogin):
        return f"basic({', '.join(_login(value, literal))})"
    if isinstance(value, list):
        return f"[{', '.join(_source(each, literal) for each in value)}]"
    return literal(utf8(value)) if isinstance(value, str) else literal(value)


def _login(login: BasicLogin, literal: Callable[[Any], str]) -> Iterator[str]:
    if login.realm is not None:
        yield _source(login.realm, literal)
    for name, path in (("users", login.users), ("groups", login.groups)):
        if path is not None:
            yield f"{name}={_source(path, literal)}"


def access_record(written: WrittenAccess) -> dict[str, Any]:
    """Return an entry as values that JSON can hold."""
    entry = written.entry
    options = {name: _value(value) for name, value in entry.options.items()}
    found = {"kind": written.function, "location": entry.location, "options": options}
    return found | {"from": [*map(str, written.spots)]}


def _value(value: Any) -> Any:
    if isinstance(value, Requirements):
        return {_CONTAINERS[value.kind]: [*map(_value, value.members)]}
    if isinstance(value, BasicLogin):
        given = {"realm": value.realm, "users": value.users, "groups": value.groups}
        return {name: each for name, each in given.items() if each is not None}
    return [*map(_value, value)] if isinstance(value, list) else value
