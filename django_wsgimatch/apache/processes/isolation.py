"""
Application groups of several virtual hosts by name.

``%{RESOURCE}`` and ``%{SERVER}`` begin with the ServerName, and settings have one for all hosts. So
where there are several, what Apache would make of them is written out: their scripts stay apart.
"""

from __future__ import annotations

from dataclasses import replace

from ...aliases.alias import Alias
from ...aliases.target import split_uri
from ..covering.coverage import FileKinds, path_info_of_target, reach_of
from ..outcomes.outcome import Ledger
from ..resolving.resolving import ResolvedAlias
from ..resolving.tables import Tables

RESOURCE = "%{RESOURCE}"
SERVER = "%{SERVER}"

# Stands for what a request has behind the alias: no text of a configuration holds it.
_REST = "/\0"


def write_out_groups(
    tables: Tables, server_name: str | None, ledger: Ledger, kind_of: FileKinds
) -> Tables:
    """
    Return tables in which no group's name depends on which virtual host answered.

    ``server_name`` is the main server's, which virtual hosts without a name have too.
    """
    if not tables.hosts:
        return tables
    hosts = {
        pattern: [_written_out(each, server_name, ledger, kind_of) for each in entries]
        for pattern, entries in tables.hosts.items()
        if pattern not in tables.same_as
    }
    for pattern, other in tables.same_as.items():
        hosts[pattern] = hosts[other]
    return replace(tables, hosts={pattern: hosts[pattern] for pattern in tables.hosts})


def _written_out(
    entry: ResolvedAlias, server_name: str | None, ledger: Ledger, kind_of: FileKinds
) -> ResolvedAlias:
    alias = entry.alias
    group = alias.application_group or RESOURCE
    if group not in (RESOURCE, SERVER):
        return entry
    name = entry.host.server_name or server_name
    script_name = script_name_of(alias, kind_of)
    if name is None or (group == RESOURCE and script_name is None):
        ledger.note(
            entry.directive,
            "needs you",
            f"its application group {group} begins with the virtual host's name in Apache, and "
            "with the server's here: if another host runs the same SCRIPT_NAME, both share one "
            "interpreter. Give each entry its own application_group",
        )
        return entry
    written = name if group == SERVER else f"{name}|{script_name}"
    ledger.note(entry.directive, "changed", f"its application group {group} is written in full")
    return replace(
        entry,
        alias=replace(alias, application_group=written),
        given_on_line=entry.given_on_line | {"application_group"},
    )


def script_name_of(alias: Alias, kind_of: FileKinds) -> str | None:
    """Return the SCRIPT_NAME of all requests to an alias, or None if they have several."""
    script = reach_of(alias, kind_of).script
    if alias.kind != "plain" or script is None:
        return None
    if alias.location.endswith("/") and alias.location != "/":
        return None
    start = "" if alias.location == "/" else alias.location
    tail = path_info_of_target(alias, script)
    names = {split_uri(start + rest, tail + rest)[0] for rest in ("" if start else "/", _REST)}
    return names.pop() if len(names) == 1 else None
