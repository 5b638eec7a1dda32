"""Rules of mod_rewrite, and lines of mod_alias, that answer requests over plain HTTP alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...aliases.alias import Alias, Redirection
from ...aliases.file_options import FileOptions
from ..covering.coverage import FileKinds
from ..covering.hosts import Host
from ..lines.directive import Directive
from .barring import Rule, alternatives, is_modified, server_rules, unless
from .chains import DECIDING
from .rewriting import (
    ABSOLUTE_URL,
    ENDING,
    RuleWriter,
    always_holds,
    ends_rules,
    value_holds,
    with_constants,
)

_PORT = "%{SERVER_PORT}"
_SOME_PORTS = ("80", "8000", "8080")
_HTTPS = "https://"


@dataclass(frozen=True, slots=True)
class PlainRule:
    """
    A rule, or a line of mod_alias, that answers requests over plain HTTP.

    ``is_plain`` says that it does so over plain HTTP alone: it is no entry of the table.
    """

    alias: Alias
    directive: Directive
    is_plain: bool = True

    @property
    def leads_to_tls(self) -> bool:
        """Whether it redirects to HTTPS."""
        answer = self.alias.answer
        is_redirect = isinstance(answer, Redirection) and answer.status < 400
        return is_redirect and self.alias.template.startswith(_HTTPS)


@dataclass(frozen=True, slots=True)
class PlainRules:
    """What all ``hosts`` that are asked over plain HTTP answer before all else, host by host."""

    hosts: tuple[Host, ...] = ()
    rules: tuple[tuple[PlainRule, ...], ...] = ()

    @property
    def lines(self) -> frozenset[int]:
        """The directives, by identity, that hold for plain HTTP alone."""
        return frozenset(id(r.directive) for rules in self.rules for r in rules if r.is_plain)

    def entries(self) -> Iterator[tuple[PlainRule, ...]]:
        """Yield for each entry the rules that say it, one of each host."""
        return zip(*self.rules, strict=True)


def plain_rules(main: Host, host: Host, root: str, kind_of: FileKinds) -> list[PlainRule]:
    """
    Return the rules of a host without TLS that redirect to HTTPS, with what comes before them.

    They stand in their order, the last one redirects. There are none where it is not known of all
    URLs what a rule before them does.
    """
    found: list[PlainRule] = []
    rules = list(server_rules(main, host))
    passing: list[str] = []
    for number, each in enumerate(rules):
        told, rule = _told_by_scheme(each, host)
        if rule is None or _is_silent(rule):
            continue
        if ends_rules(rule):
            break
        if rule.lets_pass and rule.ahead is not None:
            passing.append(unless(rule.ahead, *rule.uris))
            continue
        writer = RuleWriter(host, root, kind_of, passing, "http", is_plain=True)
        entry = writer.entry(rule, rules[number + 1 :])
        if entry is not None and not isinstance(entry.answer, FileOptions):
            is_told = told or _names_own_host(entry.template)
            plain = PlainRule(entry, rule.directive)
            found.append(replace(plain, is_plain=is_told and plain.leads_to_tls))
        elif _takes_some(rule):
            passing.append(unless(rule.ahead or "", *rule.uris))
        else:
            break
    last = max((n for n, rule in enumerate(found, 1) if rule.is_plain), default=0)
    return found[:last]


def _is_silent(rule: Rule) -> bool:
    """Whether a rule leaves all URLs to those behind it, as one that sets a variable."""
    leaves = rule.substitution == "-" and not rule.refuses and not rule.is_chained
    return leaves and not (ENDING | DECIDING) & rule.flags.keys()


def _takes_some(rule: Rule) -> bool:
    """Whether it is known which URLs no rule behind one sees, as of one that leads to a file."""
    is_sure = not rule.conditions and not rule.is_chained and rule.ahead is not None
    is_last = ENDING & rule.flags.keys() and bool(rule.ahead or rule.uris)
    return bool(is_sure and is_last)


def _names_own_host(url: str) -> bool:
    found = ABSOLUTE_URL.match(url)
    return found is not None and found[2].startswith("%")


def _told_by_scheme(rule: Rule, host: Host) -> tuple[bool, Rule | None]:
    """
    Return whether conditions of a rule hold for plain HTTP alone, and the rule without them.

    It is None where one never holds for it.
    """
    is_told = False
    left: list[Directive] = []
    for group in alternatives(rule.conditions):
        if len(group) == 1 and _tells_plain_http(group[0], host):
            is_told = True
        else:
            left += group
    return is_told, with_constants(replace(rule, conditions=tuple(left)), False)


def _tells_plain_http(condition: Directive, host: Host) -> bool:
    """Whether a condition holds for all requests to a host without TLS, and none over HTTPS."""
    test, pattern, *_ = condition.words
    if test.upper() != _PORT:
        return always_holds(condition, False) is True and always_holds(condition, True) is False
    if is_modified(condition):
        return False
    named = {address.rpartition(":")[2] for address in host.addresses}
    ports = named if named and all(map(str.isdigit, named)) else _SOME_PORTS
    return (
        all(value_holds(pattern, port) for port in ports) and value_holds(pattern, "443") is False
    )
