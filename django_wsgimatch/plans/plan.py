"""
What the dispatcher keeps of an alias, so that few requests need a walk through the file system.

A plan says exactly what the corridor would (``aliases.resolve``), or declines. It is made when the
corridor has been walked for the alias for the first time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..aliases.alias import BROKEN, Alias, Denial, Extras
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
from ..aliases.substitution import Filling, Template, make_filling, parse_template
from ..text import quoted, readable
from .files import Refused
from .names import GroupNames, Named, named, names_fixed_groups
from .splits import (
    Split,
    is_resolved,
    literal_directory,
    make_match_split,
    make_module_split,
    make_split,
    target_of,
)
from .targets import LONGEST_URI


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How the requests of one alias are answered.

    ``location`` is what an access log is told of the alias. ``split`` takes the uri and what the
    index found there; without one, or where it declines, the filename is made of ``target``, an
    absolute path, by ``filling`` for a match alias, and ``Files`` tell the script in it, which does
    not lie above the first ``directory`` characters. For a module ``target`` is "". ``named`` is
    what the groups make of every request; where they differ, it is None and ``names`` tells. An
    entry without an application has ``refusal`` alone, or none of all this and ``is_direct``.
    ``extras`` are the entry's.
    """

    callable_object: str
    pass_authorization: bool
    location: str = ""
    target: str = ""
    filling: Filling | None = None
    split: Split | None = None
    named: Named | None = None
    names: GroupNames | None = None
    refusal: Refused | None = None
    directory: int = 0
    is_direct: bool = False
    extras: Extras | None = None


class Planner:
    """Makes the plans of a dispatcher's aliases."""

    def __init__(self, rules: Rules, server_of: Callable[..., Server], *, has_places: bool) -> None:
        self._rules = rules
        self._server_of = server_of
        self._has_places = has_places
        self._names: dict[tuple[object, ...], Named] = {}
        # By the groups that an alias gives: aliases of the same groups share what they are named.
        self._fixed: dict[tuple[str | None, str | None], Named | None] = {}

    def plan(self, alias: Alias, location: str | Pattern, script: str | None) -> Plan | None:
        """Return the plan of an alias that has led to a script, or to none; None without plan."""
        rules = self._rules
        name = alias.callable_object or "application"
        if isinstance(alias.answer, Denial):
            refusal = Refused(alias.answer.status, math.inf, own_reason=reason_of(alias))
            return Plan(name, pass_authorization=True, refusal=refusal)
        if alias.answer is not None:
            told = readable(alias.location)
            return Plan(name, pass_authorization=True, location=told, is_direct=True)
        if why_unplanned(alias, rules):
            return None
        # A module lies in no folder: its split tells all.
        target = "" if alias.is_module else target_of(alias, rules)
        template: Template = ()
        filling = split = None
        if alias.is_module:
            split = make_module_split(alias.target, location)
        elif isinstance(location, Pattern):
            template = parse_template(target)
            filling = make_filling(template, location.groups)
            split = make_match_split(template, filling, location, script)
        elif script is not None:
            split = make_split(target, location, script)
        fixed = names = None
        if names_fixed_groups(alias, rules):
            fixed = self._named(alias)
        else:
            names = GroupNames(
                alias, rules, self._server_of, self._names, has_places=self._has_places
            )
        return Plan(
            name,
            passes_authorization(alias, rules),
            readable(alias.location),
            target,
            filling,
            split,
            fixed,
            names,
            directory=literal_directory(template),
            extras=alias.extras,
        )

    def _named(self, alias: Alias) -> Named | None:
        groups = alias.process_group, alias.application_group
        if groups not in self._fixed:
            self._fixed[groups] = named(
                alias, self._rules, LOCALHOST, "", has_places=self._has_places
            )
        return self._fixed[groups]


def why_unplanned(alias: Alias, rules: Rules) -> str:
    """Return why each request of an alias walks through the file system, "" where it need not."""
    if alias.answer is not None or alias is BROKEN:
        return ""
    if not alias.is_module and (reason := _unplanned_file(alias, rules)):
        return reason
    if names_fixed_groups(alias, rules):
        return refused_group(named_groups(alias, rules, LOCALHOST, "")[0], rules)
    return ""


def _unplanned_file(alias: Alias, rules: Rules) -> str:
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
    return ""
