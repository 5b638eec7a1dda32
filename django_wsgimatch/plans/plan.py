"""
What the dispatcher keeps of an alias, so that few requests need a walk through the file system.

A plan says exactly what the corridor would (``aliases.resolve``), or declines. It is made when the
corridor has been walked for the alias for the first time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..aliases.alias import BROKEN, Alias
from ..aliases.groups import Server
from ..aliases.patterns.pattern import Pattern
from ..aliases.resolve import (
    LOCALHOST,
    Rules,
    named_groups,
    passes_authorization,
    reason_of,
    refused_group,
)
from ..text import quoted
from .files import Refused
from .names import GroupNames, Named, named, names_fixed_groups
from .splits import (
    Filename,
    Split,
    is_resolved,
    literal_directory,
    make_filename,
    make_split,
    target_of,
)
from .targets import LONGEST_URI


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How the requests of one alias are answered.

    ``split`` takes the uri and what the index found there; without one, or where it declines,
    ``filename`` does, and ``Files`` tell the script in it, which does not lie above the first
    ``directory`` characters. ``named`` is what the groups make of
    every request; where they differ, it is None and ``names`` tells. An entry that refuses requests
    has ``refusal`` alone.
    """

    callable_object: str
    pass_authorization: bool
    filename: Filename | None = None
    split: Split | None = None
    named: Named | None = None
    names: GroupNames | None = None
    refusal: Refused | None = None
    directory: int = 0


class Planner:
    """Makes the plans of a dispatcher's aliases."""

    def __init__(self, rules: Rules, server_of: Callable[..., Server], *, has_places: bool) -> None:
        self._rules = rules
        self._server_of = server_of
        self._has_places = has_places
        self._names: dict[tuple[object, ...], Named] = {}

    def plan(self, alias: Alias, location: str | Pattern, script: str | None) -> Plan | None:
        """Return the plan of an alias that has led to a script, or to none; None without plan."""
        rules = self._rules
        name = alias.callable_object or "application"
        if alias.answer is not None:
            refusal = Refused(alias.answer.status, reason_of(alias), math.inf)
            return Plan(name, pass_authorization=True, refusal=refusal)
        if why_unplanned(alias, rules):
            return None
        filename = make_filename(alias, location, rules)
        split = make_split(alias, location, rules, script) if script is not None else None
        passes = passes_authorization(alias, rules)
        fixed = names = None
        if names_fixed_groups(alias, rules):
            fixed = named(alias, rules, LOCALHOST, "", has_places=self._has_places)
        else:
            names = GroupNames(
                alias, rules, self._server_of, self._names, has_places=self._has_places
            )
        return Plan(
            name, passes, filename, split, fixed, names, directory=literal_directory(alias, rules)
        )


def why_unplanned(alias: Alias, rules: Rules) -> str:
    """Return why each request of an alias walks through the file system, "" where it need not."""
    if alias.answer is not None or alias is BROKEN:
        return ""
    # Behind a capture that begins with a slash there would be two: such a filename is declined.
    if not alias.target or (alias.kind == "match" and alias.target[0] == "\\"):
        return "its target does not begin with the name of a folder or file"
    target = target_of(alias, rules)
    if not is_resolved(target):
        return (
            f"its target {quoted(alias.target)} holds '//', '/.' or '/..', to be resolved each time"
        )
    if len(target) > LONGEST_URI:
        return f"its target has more than {LONGEST_URI} characters"
    if names_fixed_groups(alias, rules):
        return refused_group(named_groups(alias, rules, LOCALHOST, "")[0], rules)
    return ""
