"""What stands around an application as settings write it: environ, headers and their kin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...aliases.alias import Extras, HeaderChange
from ...aliases.lines.expiry import Expires, SinceChange
from ..lines.environment import OwnVariable


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
        "expires_by_type": {name: expires_written(e) for name, e in extras.expires_by_type},
    }
    found = {name: value for name, value in given.items() if value}
    numbers = {"expires": expires_written(extras.expires), "body_limit": extras.body_limit}
    return found | {name: value for name, value in numbers.items() if value is not None}


def passed_names(every: Iterable[Extras | None]) -> list[str]:
    """Return the names of all variables that entries have from the server's own environment."""
    named = (
        name
        for extras in every
        for name, value in (extras.environ if extras else ())
        if isinstance(value, OwnVariable)
    )
    return sorted({*named})


def expires_written(expires: Expires | None) -> int | str | None:
    """Return what settings say for it: a number of seconds, or Apache's text."""
    return str(expires) if isinstance(expires, SinceChange) else expires


# What so many entries have, and takes so many characters, has a name of its own.
_MANY, _LONG = 3, 60


def shared_values(every: Iterable[Extras | None]) -> dict[tuple[str, str], tuple[str, Any]]:
    """
    Return names for long values of ``environ`` and ``headers`` that many entries have.

    By the option and what its value looks like: the name, and the value.
    """
    found: dict[tuple[str, str], list[Any]] = {}
    for extras in every:
        for option, value in extras_as_options(extras).items():
            if option in ("environ", "headers"):
                found.setdefault((option, repr(value)), []).append(value)
    named: dict[tuple[str, str], tuple[str, Any]] = {}
    for key, values in found.items():
        if len(values) >= _MANY and len(key[1]) >= _LONG:
            number = sum(option == key[0] for option, _ in named) + 1
            name = f"_{key[0].upper()}"
            named[key] = (name if number == 1 else f"{name}_{number}", values[0])
    return named


def _headers(changes: tuple[HeaderChange, ...]) -> dict[str, str] | list[tuple[str, ...]]:
    names = {each.name for each in changes}
    is_set = all(each.action == "set" and not each.always for each in changes)
    if is_set and len(names) == len(changes):
        return {each.name: each.value for each in changes}
    return [_change(each) for each in changes]


def _change(change: HeaderChange) -> tuple[str, ...]:
    value = () if change.action == "unset" else (change.value,)
    return (change.action, change.name, *value, *(("always",) if change.always else ()))
