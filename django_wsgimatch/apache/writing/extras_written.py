"""What stands around an application as settings write it: environ, headers and their kin."""

from __future__ import annotations

from typing import Any

from ...aliases.alias import Extras, HeaderChange


def extras_as_options(extras: Extras | None) -> dict[str, Any]:
    """
    Return the options of an entry that say its extras; those that say nothing are left out.

    ``headers`` is a dict where each is only set, and a list of changes otherwise.
    """
    if extras is None:
        return {}
    given: dict[str, Any] = {
        "environ": dict(extras.environ),
        "headers": _headers(extras.headers),
        "charset": extras.charset,
    }
    found = {name: value for name, value in given.items() if value}
    numbers = {"expires": extras.expires, "body_limit": extras.body_limit}
    return found | {name: value for name, value in numbers.items() if value is not None}


def _headers(changes: tuple[HeaderChange, ...]) -> dict[str, str] | list[tuple[str, ...]]:
    names = {each.name for each in changes}
    is_set = all(each.action == "set" and not each.always for each in changes)
    if is_set and len(names) == len(changes):
        return {each.name: each.value for each in changes}
    return [_change(each) for each in changes]


def _change(change: HeaderChange) -> tuple[str, ...]:
    value = () if change.action == "unset" else (change.value,)
    return (change.action, change.name, *value, *(("always",) if change.always else ()))
