"""What mod_wsgi's directives say of its own processes: Python, scripts that are loaded ahead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...aliases.alias import Alias
from ...aliases.groups import GLOBAL
from ...aliases.target import split_uri
from ..covering.coverage import FileKinds, path_info_of_target, reach_of
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger
from ..resolving.resolving import ResolvedAlias
from ..resolving.tables import Tables
from .command import ServerStart, Words

_RESTRICTED = "{} runs in no process group, so Apache answers 500: give it a process_group"
_REPLACED = "A later line replaces it"
_HOME = "the server is started by the Python of this virtual environment, {}"
_UNTOLD_HOME = "run the server with the Python of this virtual environment"
_PATH = "`{}` of the server; Python does not read the .pth files there"
_UNTOLD_PATH = "set PYTHONPATH for the server to it"
_PYTHON_PATH = "--pythonpath"


def note_embedded(
    entries: Sequence[ResolvedAlias], named: Mapping[str, Sequence[Directive]], ledger: Ledger
) -> ServerStart:
    """
    Return what the server is started with, as scripts in no process group need it.

    ``named`` are the directives that hold for those; it is noted what becomes of each.
    """
    embedded = [each for each in entries if each.alias.process_group in (None, GLOBAL)]
    if not embedded:
        return ServerStart("", ())
    for directive in named.get("wsgirestrictembedded", ()):
        if directive.rest.strip("\"' ").lower() == "on":
            where = embedded[0].alias.location
            ledger.note(directive, "needs you", _RESTRICTED.format(where))
    homes, paths = (_last(named.get(n, ()), ledger) for n in ("wsgipythonhome", "wsgipythonpath"))
    python = ""
    options: Words = ()
    for directive in homes:
        python = _python(directive, ledger)
    for directive in paths:
        options = _path_options(directive, ledger)
    return ServerStart(python, options)


def _last(lines: Sequence[Directive], ledger: Ledger) -> Sequence[Directive]:
    for each in lines[:-1]:
        ledger.note(each, "not needed", _REPLACED)
    return lines[-1:]


def _python(directive: Directive, ledger: Ledger) -> str:
    words = directive.words
    if len(words) != 1 or not words[0].startswith("/"):
        ledger.note(directive, "needs you", _UNTOLD_HOME)
        return ""
    python = f"{words[0].rstrip('/')}/bin/python"
    ledger.note(directive, "changed", _HOME.format(python))
    return python


def _path_options(directive: Directive, ledger: Ledger) -> Words:
    words = directive.words
    folders = words[0].split(":") if len(words) == 1 else []
    if not folders or any("," in each or not each.startswith("/") for each in folders):
        ledger.note(directive, "needs you", _UNTOLD_PATH)
        return ()
    # gunicorn puts each before those that it has put there already.
    options = (_PYTHON_PATH, ",".join(reversed(folders)))
    ledger.note(directive, "changed", _PATH.format(" ".join(options)))
    return options


def load_ahead(tables: Tables, imports: Iterable[Directive], ledger: Ledger) -> Tables:
    """
    Return tables whose entries load what WSGIImportScript lines load.

    An entry that names both its groups, and whose target names the script, is loaded ahead.
    """
    for directive in imports:
        script, groups = _read(directive)
        found = [each for each in tables.all_scripts() if _loads(each, script, groups)]
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
    if alias.answer is not None or group not in (RESOURCE, SERVER):
        return entry
    name = entry.host.server_name or server_name
    script_name = script_name_of(alias, kind_of)
    if script_name is None and entry.whole is not None:
        # A part has the SCRIPT_NAME of all of it.
        script_name = script_name_of(entry.whole, kind_of)
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
