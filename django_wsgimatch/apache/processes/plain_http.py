"""
What hosts answer over plain HTTP before all else: WSGIMATCH_PLAIN_HTTP.

The setting holds for every host, so all that are asked over plain HTTP must say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...aliases.file_options import FileOptions
from ..covering.alias_lines import takes_everything
from ..covering.hosts import Host, scope_sections
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger
from ..resolving.addresses import ANY_PART, listened_at, parts_of
from ..resolving.files import root_of_host
from ..resolving.resolving import Resolver
from ..resolving.tables import Tables
from ..rewriting.barring import flags_of
from ..rewriting.plain_rules import PlainRule, PlainRules, plain_rules
from ..rewriting.rewriting import NOT_ESCAPED

NAME = "WSGIMATCH_PLAIN_HTTP"
_AN_ENTRY = f"an entry of {NAME}"
_ESCAPED = f"{_AN_ENTRY}; characters that NE leaves as they are in the URL are escaped"
_SERVER_NAME = "%{SERVER_NAME}"
_BEFORE = ("proxypass", "proxypassmatch")


def read_plain_http(
    resolver: Resolver, hosts: Sequence[Host], directives: Iterable[Directive]
) -> PlainRules:
    """
    Return the rules that redirect from plain HTTP to HTTPS, and note what became of them.

    There are none where not all hosts that are asked over plain HTTP have the same.
    """
    main, directives = resolver.main, [*directives]
    asked = _asked(main, hosts, directives)
    rules = [plain_rules(main, h, root_of_host(main, h), resolver.kind_of) for h in asked]
    found = _agreed(asked, rules)
    urls = [rule.alias.template for each in rules for rule in each]
    if any(_SERVER_NAME in url for url in urls) and not _is_called_as_asked(directives):
        return PlainRules()
    _note(found, resolver.ledger)
    return found


def redirected_ports(tables: Tables, main: Host, hosts: Sequence[Host], ledger: Ledger) -> None:
    """
    Put to tables what the hosts without TLS answer that only redirect, beside others with TLS.

    Their lines are no entries of a table, as another host of the same name has all of that.
    """
    plain = [host for host in hosts if not host.speaks_tls(main)]
    if tables.plain_http.rules or not plain or len(plain) == len(hosts):
        return
    found = _agreed(plain, [_all_redirected(host) for host in plain])
    written = {id(each.directive) for each in tables.all_entries()}
    if not found.lines & written:
        tables.plain_http = found
        _note(found, ledger)


def _asked(main: Host, hosts: Sequence[Host], directives: Iterable[Directive]) -> list[Host]:
    """Return the hosts that are asked over plain HTTP, as far as lines tell."""
    plain = [host for host in hosts if not host.speaks_tls(main)]
    ports = {parts_of(address)[1] for host in hosts for address in host.addresses}
    lines = [d.words[0] for d in directives if d.key == "listen" and d.words]
    is_all = ANY_PART in ports or all(listened_at(word)[1] in ports for word in lines)
    return plain if plain and is_all else [main, *plain]


def _agreed(hosts: Sequence[Host], rules: Sequence[Sequence[PlainRule]]) -> PlainRules:
    """Return the rules of hosts where all have the same, none where they differ."""
    said = {tuple((rule.alias, rule.is_plain) for rule in each) for each in rules}
    if len(said) != 1 or not rules[0]:
        return PlainRules()
    return PlainRules(tuple(hosts), tuple(map(tuple, rules)))


def _is_called_as_asked(directives: Iterable[Directive]) -> bool:
    """Whether Apache calls a host as the client does, and no line gives it another name."""
    lines = (d.rest.strip().lower() for d in directives if d.key == "usecanonicalname")
    return all(each == "off" for each in lines)


def _all_redirected(host: Host) -> list[PlainRule]:
    """Return what a host answers first, up to what redirects all to HTTPS, [] without that."""
    lines = [d for d in host.takers if not scope_sections(d)]
    asking = [d for d in lines if d.key.startswith("redirect") or d.key == "rewriterule"]
    if any(id(d) not in host.carried for d in asking) or any(d.key in _BEFORE for d in lines):
        return []
    found: list[PlainRule] = []
    for alias, directive in host.direct:
        if isinstance(alias.answer, FileOptions):
            return []
        found.append(PlainRule(alias, directive))
        if takes_everything(alias):
            return found if found[-1].leads_to_tls else []
    return []


def _note(found: PlainRules, ledger: Ledger) -> None:
    for rules in found.rules:
        for rule in rules:
            if rule.is_plain:
                is_changed = rule.directive.key == "rewriterule" and _is_not_escaped(rule)
                note = _ESCAPED if is_changed else _AN_ENTRY
                ledger.note(rule.directive, "changed" if is_changed else "kept", note)


def _is_not_escaped(rule: PlainRule) -> bool:
    return bool(NOT_ESCAPED & flags_of(rule.directive.words).keys())
