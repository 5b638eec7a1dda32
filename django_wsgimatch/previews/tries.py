"""How each alias of a table fares with a uri, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..aliases.alias import Alias
from ..aliases.index.prefix import alias_matches
from ..aliases.patterns.pattern import Pattern
from ..aliases.table import AliasTable
from ..answers.rewriting.rewrites import is_rewriting
from ..text import quoted

Outcome = Literal["won", "lost", "later"]


@dataclass(frozen=True, slots=True)
class Try:
    """
    How one alias fared with a uri: it ``won``, ``lost``, or would match but comes ``later``.

    ``is_near`` where one that lost is so like the uri that somebody may wonder why.
    """

    position: int
    alias: Alias
    outcome: Outcome
    reason: str
    is_near: bool = False


def tries(table: AliasTable, uri: str) -> Iterator[Try]:
    """
    Yield how each alias of a table fares with a uri, in order, and why.

    An entry that rewrites URLs is not compared with what has become of one.
    """
    won = False
    for position, (alias, location) in enumerate(zip(table.aliases, table.locations, strict=True)):
        if is_rewriting(alias):
            continue
        reason = _match_reason(location, uri)
        if reason is None:
            if not won:
                near = _near_reason(location, uri)
                reason = near or _miss_reason(location)
                yield Try(position, alias, "lost", reason, is_near=near is not None)
        elif won:
            yield Try(position, alias, "later", f"{reason}, but an earlier alias has won")
        else:
            yield Try(position, alias, "won", reason)
            won = True


def _match_reason(location: str | Pattern, uri: str) -> str | None:
    if isinstance(location, str):
        return "the URL begins with it" if alias_matches(uri, location) else None
    found = location.find(uri)
    return None if found is None else f"found: {quoted(found.group(0) or '')}"


def _miss_reason(location: str | Pattern) -> str:
    if isinstance(location, Pattern):
        return "not found in the URL"
    if not location:
        return "`wsgimatch check` says why"
    if not location.startswith("/"):
        return "it can never match: it does not begin with '/'"
    return "the URL does not begin with it"


def _near_reason(location: str | Pattern, uri: str) -> str | None:
    if isinstance(location, Pattern) or not location.startswith("/"):
        return None
    if alias_matches(uri.lower(), location.lower()):
        return "upper and lower case differ"
    if alias_matches(uri + "/", location):
        return "it ends in '/', the URL does not"
    if uri.startswith(location):
        return f"{quoted(uri[len(location)])} follows it, not '/'"
    return None
