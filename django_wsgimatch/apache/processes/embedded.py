"""What mod_wsgi's directives say of its own processes: Python, scripts that are loaded ahead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...aliases.groups import GLOBAL
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger
from ..resolving.resolving import ResolvedAlias
from ..resolving.tables import Tables


def note_embedded(
    entries: Sequence[ResolvedAlias],
    homes: Iterable[Directive],
    paths: Iterable[Directive],
    restrictions: Iterable[Directive],
    ledger: Ledger,
) -> None:
    """
    Note what becomes of what holds for scripts that run in no process group.

    ``homes`` are the WSGIPythonHome lines, ``paths`` WSGIPythonPath, ``restrictions``
    WSGIRestrictEmbedded.
    """
    embedded = [each for each in entries if each.alias.process_group in (None, GLOBAL)]
    if not embedded:
        return
    for directive in homes:
        reason = "run the server with the Python of this virtual environment"
        ledger.note(directive, "needs you", reason)
    for directive in paths:
        reason = "set PYTHONPATH for the server to it, or gunicorn's --pythonpath"
        ledger.note(directive, "needs you", reason)
    for directive in restrictions:
        if directive.rest.strip("\"' ").lower() == "on":
            location = embedded[0].alias.location
            reason = (
                f"{location} runs in no process group, so Apache answers 500: give it a "
                "process_group"
            )
            ledger.note(directive, "needs you", reason)


def load_ahead(tables: Tables, imports: Iterable[Directive], ledger: Ledger) -> Tables:
    """
    Return tables whose entries load what WSGIImportScript lines load.

    An entry that names both its groups, and whose target names the script, is loaded ahead.
    """
    for directive in imports:
        script, groups = _read(directive)
        found = [each for each in tables.all_entries() if _loads(each, script, groups)]
        if not found:
            ledger.note(
                directive,
                "needs you",
                "no entry runs this script in these groups: let the application import what it "
                "needs, or add an entry that names both groups",
            )
            continue
        ahead = {id(each): _naming_both(each, groups) for each in found}
        tables = replace(
            tables,
            entries=[ahead.get(id(each), each) for each in tables.entries],
            hosts={
                pattern: [ahead.get(id(each), each) for each in entries]
                for pattern, entries in tables.hosts.items()
            },
        )
        location = found[0].alias.location
        ledger.note(
            directive,
            "changed",
            f"{location} names both groups, so the script is loaded at the start",
        )
    return tables


Groups = tuple[str, str]


def _read(directive: Directive) -> tuple[str, Groups]:
    script, *options = directive.words or [""]
    named = dict(option.split("=", 1) for option in options if "=" in option)
    return script, (named.get("process-group", ""), named.get("application-group", ""))


def _loads(entry: ResolvedAlias, script: str, groups: Groups) -> bool:
    alias = entry.alias
    own = (alias.process_group or GLOBAL, alias.application_group or "")
    return alias.target == script and own == groups and entry.part is None


def _naming_both(entry: ResolvedAlias, groups: Groups) -> ResolvedAlias:
    alias = replace(entry.alias, process_group=groups[0], application_group=groups[1])
    named = entry.given_on_line | {"process_group", "application_group"}
    return replace(entry, alias=alias, given_on_line=named)
