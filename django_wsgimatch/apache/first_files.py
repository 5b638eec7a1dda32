"""The files that come before the table, as far as everybody may have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..aliases.alias import Alias, Rewriting
from ..aliases.file_options import FileOptions
from .covering.access import closing_rules
from .covering.coverage import Coverage
from .covering.hosts import Host, Scope
from .covering.partial_aliases import as_match, excluded
from .lines.directive import Directive
from .resolving.files import root_line
from .resolving.programs import OFTEN_RUN, program_rules
from .resolving.resolving import ResolvedAlias, Resolver
from .resolving.tables import Tables
from .rewriting.barring import rules_of
from .rewriting.rewriting import Owned

_KEPT = "WSGIMATCH_FILES_FIRST; what is no file there goes on, and so does what is no GET or HEAD"
_HOSTS = "WSGIMATCH_FILES_FIRST would say so, but holds for all hosts, and here are several"
_PROTECTED = (
    "WSGIMATCH_FILES_FIRST would say so, but {0} keeps somebody out of these files, or runs them: "
    "write it with `access`, or an entry for each file"
)
_REFUSED = "The URLs of the rule: 403 until you decide"
_PARTS = (
    "WSGIMATCH_FILES_FIRST would say so, but sections give some of these files other options: "
    "write an entry for each"
)


def first_entries(resolver: Resolver, hosts: Sequence[Host], tables: Tables) -> list[ResolvedAlias]:
    """Return the files that come first, and say what becomes of their rules."""
    return [
        found
        for host in (resolver.main, *hosts)
        for owned in host.first
        if (found := _resolved(resolver, host, owned, tables)) is not None
    ]


def _resolved(resolver: Resolver, host: Host, owned: Owned, tables: Tables) -> ResolvedAlias | None:
    alias, directive = owned
    scopes = resolver.scopes(host, alias, directive)
    found: list[ResolvedAlias] = []
    rules = _closing(resolver.main, host, scopes)
    reason = _HOSTS if tables.hosts else _PROTECTED.format(rules[0].spot) if rules else ""
    if not reason:
        found = resolver.entries(host, alias, directive)
        reason = _PARTS if len(found) != 1 else ""
    answering = (
        None if reason else _without_programs(resolver, host, _with_own_index(found[0], alias))
    )
    if answering is None:
        refused = f"{_REFUSED}; " if _is_refused(tables, directive) else ""
        resolver.ledger.note(directive, "needs you", f"{refused}{reason or _PARTS}")
        return None
    resolver.ledger.note(directive, "changed", _KEPT)
    for rule in rules_of(host.rewriting):
        for condition in rule.all_conditions if rule.directive is directive else ():
            resolver.ledger.note_part(condition, directive, "kept")
    return answering


def _is_refused(tables: Tables, directive: Directive) -> bool:
    """
    Refuse the URLs that a rule would pass on if they are no files; return whether it is one.

    It leaves those files to rules that keep somebody out: passed on, they would be past them.
    """
    is_one = False
    for entries in (tables.entries, *tables.hosts.values()):
        for place, each in enumerate(entries):
            answer = each.alias.answer
            if each.directive is directive and isinstance(answer, Rewriting):
                refusing = replace(answer, url="", append_query=False, status=403)
                entries[place] = replace(each, alias=replace(each.alias, answer=refusing))
                is_one = True
    return is_one


def _with_own_index(entry: ResolvedAlias, alias: Alias) -> ResolvedAlias:
    """Return an entry with no index where the alias that it was made of has none."""
    answer, given = entry.alias.answer, alias.answer
    assert isinstance(answer, FileOptions)
    assert isinstance(given, FileOptions)
    if given.index:
        return entry
    return replace(entry, alias=replace(entry.alias, answer=replace(answer, index=())))


def _without_programs(resolver: Resolver, host: Host, entry: ResolvedAlias) -> ResolvedAlias | None:
    """
    Return an entry without files of DocumentRoot that a module may run of which nothing is known.

    None where one pattern cannot say so.
    """
    line = root_line(host) or root_line(resolver.main)
    root = line.words[0].rstrip("/") if line and line.words else ""
    target = entry.alias.target.replace("\\", "")
    if not resolver.is_part or not root or not target.startswith(root):
        return entry
    alias = excluded(as_match(entry.alias), Alias(OFTEN_RUN, "", "match"))
    if alias is None or not isinstance(alias.answer, FileOptions):
        return None
    return replace(entry, alias=replace(alias, answer=replace(alias.answer, is_root=False)))


def _closing(
    main: Host, host: Host, scopes: Sequence[tuple[Scope, Coverage]]
) -> tuple[Directive, ...]:
    """Return rules that keep somebody out of some of the files, or that run some of them."""
    servers = list(dict.fromkeys((main, host)))
    is_tls = host.speaks_tls(main)
    for held in _held_together(scopes):
        layers = [*(each.access for each in servers), *(each.access for each in held)]
        programs = [*(each.programs for each in servers), *(each.programs for each in held)]
        if found := closing_rules(layers, is_tls=is_tls) or program_rules(programs):
            return found
    return ()


def _held_together(scopes: Sequence[tuple[Scope, Coverage]]) -> Iterator[list[Scope]]:
    """Yield the sections that hold for all the files, and each that holds for some with them."""
    yield [scope for scope, covered in scopes if covered == "all"]
    for part in (scope for scope, covered in scopes if covered == "some"):
        yield [scope for scope, covered in scopes if covered == "all" or scope is part]
