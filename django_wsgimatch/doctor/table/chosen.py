"""Tables in which clients choose the groups that are started."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...aliases.alias import Alias
from ...aliases.groups import GLOBAL
from ...aliases.resolve import Rules
from ...daemon.options import GroupOptions
from ...text import quoted
from ..findings.finding import Finding, Findings, Subject

# A pattern that one text alone fits, but for what follows it.
_ONE_TEXT = re.compile(r"\^[\w/.-]*(?:\$|\((?:\?:)?/\|\$\)|\(\?=/\|\$\))?")
_CAPTURE = re.compile(r"\$[0-9]")
_GROUPS, _OPTION = "WSGIMATCH_PROCESS_GROUPS", "maximum_application_groups"


@dataclass(frozen=True, slots=True)
class Limit:
    """
    A process group's maximum_application_groups, and whether the settings say it.

    ``line`` is what one writes into the settings to say it.
    """

    most: int
    is_given: bool
    line: str


def limits_of(given: Mapping[str, object], groups: Mapping[str, GroupOptions]) -> dict[str, Limit]:
    """Return the limits of the process groups, by name; ``given`` is WSGIMATCH_PROCESS_GROUPS."""
    most = GroupOptions().maximum_application_groups
    item = {GLOBAL: {_OPTION: 20}}
    line = f"{_GROUPS}[{GLOBAL!r}] = {item[GLOBAL]}" if groups else f"{_GROUPS} = {item}"
    limits = {GLOBAL: Limit(most, is_given=False, line=line)}
    for name, options in groups.items():
        told = given.get(name)
        is_given = isinstance(told, Mapping) and _OPTION in told
        line = f"{_GROUPS}[{name!r}][{_OPTION!r}] = 20"
        limits[name] = Limit(options.maximum_application_groups, is_given, line)
    return limits


def chosen_findings(
    subjects: Iterable[tuple[str | None, Subject]], rules: Rules, limits: Mapping[str, Limit]
) -> Findings:
    """
    Yield the aliases whose application group a client chooses, where nothing limits it.

    Each subject comes with the pattern of its virtual host, None for an entry for all hosts.
    """
    for host, subject in subjects:
        alias = subject.alias
        process_group = alias.process_group or rules.process_group
        value = alias.application_group or rules.application_group
        limit = limits.get(process_group)
        if limit is None:
            # Which one it is differs from request to request, or it is not defined.
            continue
        what = _chosen_without_end(value, alias, host)
        if what and not (limit.is_given and limit.most):
            yield _finding(subject.where, value, what, limit)
        elif _is_chosen_among_scripts(value, alias) and not limit.most:
            yield _finding(subject.where, value, "each script", limit)


def _chosen_without_end(value: str, alias: Alias, host: str | None) -> str:
    """What a client makes up to have a group of its own, "" where it cannot."""
    if value == "%{HOST}" and (host is None or host[:1] in (".", "*")):
        return "each Host header" + (f" that matches {quoted(host)}" if host else "")
    if value.startswith("%{ENV:"):
        return f"each value of the variable {value[6:-1]}"
    if value == "%{RESOURCE}" and alias.kind == "match":
        is_any = not _CAPTURE.search(alias.target) and not _ONE_TEXT.fullmatch(alias.location)
        return "each URL that the pattern matches" if is_any else ""
    return ""


def _is_chosen_among_scripts(value: str, alias: Alias) -> bool:
    if value != "%{RESOURCE}" or alias.is_module:
        return False
    if alias.kind == "match":
        return _CAPTURE.search(alias.target) is not None
    return "." not in alias.target.rpartition("/")[2]


def _finding(where: str, value: str, what: str, limit: Limit) -> Finding:
    most = f"at most {limit.most} at a time" if limit.most else "without a limit"
    hosts = " Or list the hosts: WSGIMATCH_VIRTUAL_HOSTS = {...}." if value == "%{HOST}" else ""
    return Finding(
        "W046",
        where,
        f"application_group {quoted(value)}: clients start processes with {what}, {most}.",
        f"Limit how many may run at once: `{limit.line}`.{hosts}",
    )
