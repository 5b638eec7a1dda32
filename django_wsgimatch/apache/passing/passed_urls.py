"""
Rules of mod_rewrite with the flag PT, as entries that rewrite URLs before all else.

Beside them the rules that redirect and refuse are such entries, too: Apache holds no rule against a
new URL. A rule of whose URLs another one may get some first is left, and is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ...aliases.alias import Alias, Denial, Redirection, Rewriting
from ...aliases.file_options import FileOptions
from ...aliases.patterns.pattern import compile_pattern
from ...aliases.substitution import parse_template
from ...answers.rewriting.rewrites import compile_rewriting
from ...exceptions import WSGIMatchError
from ..covering.alias_lines import MOD_ALIAS
from ..covering.coverage import LOCATIONS
from ..covering.hosts import Host, scope_sections
from ..covering.indexes import may_share
from ..covering.partial_aliases import literally
from ..outcomes.outcome import Ledger
from ..rewriting.barring import Rule, server_rules, unless
from ..rewriting.rewriting import (
    Owned,
    decides_what_is_next,
    is_template,
    lets_some_pass,
    urls_of_rule,
    with_constants,
)
from .conditions import when_all_hold

_QUERY = {"QSA", "QSAPPEND", "QSD", "QSDISCARD"}
_SILENT = {"PT", "PASSTHROUGH", "L", "LAST", "END", "NC", "NOCASE", "NE", "NOESCAPE", ""}


def pass_urls_on(main: Host, hosts: Sequence[Host], ledger: Ledger) -> None:
    """Put the rules that pass URLs on to the hosts that they stand in, and what they rewrite."""
    found = {id(host): list(_found(main, host)) for host in (main, *hosts)}
    said = {key: [each.owned[0] for each in rewrites] for key, rewrites in found.items()}
    for host in (main, *hosts):
        others = (each for each in hosts if each is not host and _may_be_united(host, each))
        if any(said[id(each)] != said[id(host)] for each in others):
            # A table cannot tell addresses apart, and both answer a host of the same name.
            continue
        for each in found[id(host)]:
            host.rewrites.append(each.owned)
            host.carried.add(id(each.owned[1]))
            host.direct = [d for d in host.direct if d[1] is not each.owned[1]]
            for condition in each.rule.all_conditions:
                ledger.note_part(condition, each.owned[1], "kept")


def _may_be_united(host: Host, other: Host) -> bool:
    """Whether two virtual hosts run scripts at two addresses under one name."""
    names, others = ({name for name, _ in each.names} for each in (host, other))
    is_one_name = bool(names & others) or not names or not others
    return is_one_name and _may_run_scripts(host) and _may_run_scripts(other)


def _may_run_scripts(host: Host) -> bool:
    return bool(host.aliases) or any(each.key in MOD_ALIAS for each in host.takers)


@dataclass(frozen=True, slots=True, eq=False)
class _Passed:
    """A rule as an entry that rewrites."""

    rule: Rule
    owned: Owned


@dataclass(slots=True)
class _Before:
    """
    What stands before a rule: ``passing`` are lookaheads for URLs that earlier rules leave to it.

    ``unknown`` are the URLs of rules that have become nothing that rewrites, ``files`` entries made
    of rules, which would be held against new URLs.
    """

    files: Sequence[Alias]
    passing: list[str] = field(default_factory=list)
    unknown: list[Alias] = field(default_factory=list)


def _found(main: Host, host: Host) -> list[_Passed]:
    """Return the rules of a host that pass URLs on, with those that answer, in their order."""
    rules = [*server_rules(main, host)]
    if not any(rule.passes_on for rule in rules) or _has_aliases_in_locations(main, host):
        return []
    found = [*_in_order(rules, host, is_tls=host.speaks_tls(main))]
    return found if any(each.rule.passes_on for each in found) else []


def _in_order(rules: Iterable[Rule], host: Host, *, is_tls: bool) -> Iterator[_Passed]:
    answering = {id(directive): alias for alias, directive in host.direct}
    files = [alias for alias, directive in host.direct if directive.key == "rewriterule"]
    before: _Before | None = _Before([a for a in files if isinstance(a.answer, FileOptions)])
    for each in rules:
        rule = with_constants(each, is_tls)
        if rule is None or _says_nothing(rule):
            continue
        answer = _answering(answering.get(id(rule.directive)))
        if answer is None and before is not None and rule.passes_on:
            answer = _rewriting(rule, before)
        if answer is not None:
            yield _Passed(rule, (Alias("", "", answer=answer), rule.directive))
        elif before is not None:
            before = _behind(rule, before)


def _answering(alias: Alias | None) -> Rewriting | None:
    """
    Return an entry that a rule has become already as one that rewrites, None where it is none.

    As one of the table it would be held against new URLs, too.
    """
    match alias:
        case Alias(answer=Redirection(url, status)):
            return Rewriting(alias.location, url, status=status)
        case Alias(answer=Denial() as denial):
            return Rewriting(alias.location, "", status=denial.status)
    return None


def _behind(rule: Rule, before: _Before) -> _Before | None:
    """Return what stands before the next rule, None where nobody knows which URLs it gets."""
    if decides_what_is_next(rule) or lets_some_pass(rule) or rule.ahead is None:
        return None
    if rule.lets_pass:
        if not (rule.ahead or rule.uris):
            return None
        before.passing.append(unless(rule.ahead, *rule.uris))
    elif rule.pattern.startswith("!"):
        return None
    else:
        before.unknown.append(Alias(rule.pattern, "", "match"))
    return before


def _says_nothing(rule: Rule) -> bool:
    """Whether a rule leaves the URL as it is and goes on, as one that sets a variable does."""
    flags = {"E", "ENV", "NC", "NOCASE", "NE", "NOESCAPE", ""}
    return rule.substitution == "-" and not rule.flags.keys() - flags


def _has_aliases_in_locations(main: Host, host: Host) -> bool:
    """Whether an Alias stands in a <Location>: Apache compares that with the URL as it came."""
    lines = (d for server in (main, host) for d in server.takers if d.key in MOD_ALIAS)
    return any(each.key in LOCATIONS for d in lines for each in scope_sections(d))


def _rewriting(rule: Rule, before: _Before) -> Rewriting | None:
    """Return the entry that rewrites as a rule does, None where there is none."""
    query = _QUERY & rule.flags.keys()
    if rule.is_chained or rule.ahead is None or rule.flags.keys() - {*_SILENT, *_QUERY}:
        return None
    when = when_all_hold(rule.conditions)
    url = rule.substitution
    if not url.startswith(("/", "$")) and ":" not in url:
        # As Apache takes it.
        url = f"/{url}"
    # With a pattern that must not match, Apache fills groups with what it finds in memory.
    is_filled = rule.pattern.startswith("!") and "$" in url
    is_own = url.startswith(("/", "$")) and is_template(url) and not is_filled
    if when is None or not is_own or len(query) > 1:
        return None
    own, new = Alias(rule.pattern, "", "match"), _new_urls(url)
    if any(may_share(own, each) for each in before.unknown):
        return None
    if any(may_share(new, each) for each in before.files):
        return None
    try:
        url = _without_unknown_groups(url, rule.pattern)
        urls = urls_of_rule(rule, url, before.passing)
        if urls is None:
            return None
        if query & {"QSD", "QSDISCARD"} and "?" not in url:
            url += "?"
        answer = Rewriting(urls.location, url, bool(query & {"QSA", "QSAPPEND"}), when)
        compile_rewriting(answer)
    except WSGIMatchError:
        return None
    return answer


def _without_unknown_groups(url: str, pattern: str) -> str:
    """Return a substitution without groups that the pattern has not: Apache leaves them empty."""
    groups = compile_pattern(pattern.removeprefix("!"), empty_counts=True).groups
    for number in range(groups + 1, 10):
        url = url.replace(f"${number}", "")
    return url


def _new_urls(url: str) -> Alias:
    """Return an alias for all URLs that a substitution may make."""
    template = parse_template(url.partition("?")[0])
    start = template[0] if template and isinstance(template[0], str) else ""
    return Alias(f"^{literally(start)}", "", "match")
