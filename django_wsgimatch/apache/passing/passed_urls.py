"""
Rules of mod_rewrite with the flag PT, as entries that rewrite URLs before all else.

Beside them the rules that redirect and refuse are such entries, too: Apache holds no rule against a
new URL. So are those that do it for some requests only, by a header or an address, as no other
entry can ask for that. A rule of whose URLs another one may get some first is left, and is named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...aliases.alias import Alias, Denial, Redirection, Rewriting
from ...aliases.file_options import FileOptions
from ...aliases.patterns.pattern import compile_pattern
from ...answers.proxies.headers import KNOWN
from ...answers.rewriting.rewrites import compile_rewriting
from ...exceptions import WSGIMatchError
from ..covering.alias_lines import MOD_ALIAS
from ..covering.coverage import LOCATIONS, FileKind
from ..covering.file_tests import leaves_files
from ..covering.hosts import Host, proxy_lines, scope_sections
from ..covering.indexes import may_share
from ..outcomes.outcome import Ledger
from ..resolving.files import only_host, root_of_host
from ..rewriting.barring import Rule, server_rules, unless
from ..rewriting.chains import Chains, decides_what_is_next, is_template, new_urls
from ..rewriting.rewriting import (
    ENDING,
    Owned,
    RuleWriter,
    lets_some_pass,
    urls_of_rule,
    with_constants,
)
from .by_name import is_made_of_name, rules_by_name
from .conditions import When, as_if_no_file_has_the_name_of_a_url, when_all_hold
from .left_files import files_before

_BY_NAME = "an entry for each name of its virtual host, where the Host header names no port"
_QUERY = {"QSA", "QSAPPEND", "QSD", "QSDISCARD"}
_SILENT = {"PT", "PASSTHROUGH", "L", "LAST", "END", "NC", "NOCASE", "NE", "NOESCAPE", ""}


def pass_urls_on(main: Host, hosts: Sequence[Host], ledger: Ledger) -> None:
    """Put the rules that pass URLs on to the hosts that they stand in, and what they rewrite."""
    alone = only_host(main, hosts)
    found = {
        id(host): _found(main, host, root_of_host(main, host) if host is alone else "")
        for host in (main, *hosts)
    }
    said = {key: [each.owned[0] for each in rewrites] for key, rewrites in found.items()}
    namesakes = _Namesakes(hosts)
    # Most configurations have no such rule, and thousands of virtual hosts.
    for host in filter(lambda each: said[id(each)], (main, *hosts)):
        others = (each for each in namesakes.of(host) if said[id(each)] != said[id(host)])
        if any(_may_be_united(host, each) for each in others if each is not host):
            # A table cannot tell addresses apart, and both answer a host of the same name.
            continue
        for each in found[id(host)]:
            host.rewrites.append(each.owned)
            if each.first is not None:
                host.first.append((each.first, each.owned[1]))
            host.carried.add(id(each.owned[1]))
            host.direct = [d for d in host.direct if d[1] is not each.owned[1]]
            if each.rule.conditions and is_made_of_name(each.rule):
                ledger.note(each.owned[1], "changed", _BY_NAME)
            for condition in each.rule.all_conditions:
                ledger.note_part(condition, each.owned[1], "kept")


class _Namesakes:
    """
    Virtual hosts by their names.

    Optimization: 1,000 hosts with a rule each took 3.8 s where each was held against all others.
    """

    def __init__(self, hosts: Sequence[Host]) -> None:
        self._hosts = hosts
        self._named: defaultdict[str, list[Host]] = defaultdict(list)
        for host in hosts:
            for name, _ in host.names:
                self._named[name].append(host)
        self._nameless = [host for host in hosts if not host.names]

    def of(self, host: Host) -> Sequence[Host]:
        """Return the hosts that may answer a name of a host; one without names answers any."""
        if not host.names:
            return self._hosts
        named = (each for name, _ in host.names for each in self._named[name])
        return [*{id(each): each for each in (*named, *self._nameless)}.values()]


def _may_be_united(host: Host, other: Host) -> bool:
    """Whether two virtual hosts of one name run scripts at two addresses."""
    if host.section and {*host.addresses} == {*other.addresses}:
        # The first one answers the name wherever the other one would.
        return False
    return _may_run_scripts(host) and _may_run_scripts(other)


def _may_run_scripts(host: Host) -> bool:
    return bool(host.aliases) or any(each.key in MOD_ALIAS for each in host.takers)


@dataclass(frozen=True, slots=True, eq=False)
class _Passed:
    """A rule as an entry that rewrites; ``first`` are files that it leaves alone."""

    rule: Rule
    owned: Owned
    first: Alias | None = None


@dataclass(slots=True)
class _Before:
    """
    What stands before a rule: ``passing`` are lookaheads for URLs that earlier rules leave to it.

    ``unknown`` are the URLs of rules that have become nothing that rewrites, ``files`` entries made
    of rules, which would be held against new URLs. ``taken`` are the URLs that have been passed on.
    ``root`` is the DocumentRoot whose files may come first, "" where none may.
    """

    files: Sequence[Alias]
    root: str
    passing: list[str] = field(default_factory=list)
    unknown: list[Alias] = field(default_factory=list)
    taken: list[Alias] = field(default_factory=list)


def _found(main: Host, host: Host, root: str) -> list[_Passed]:
    """Return the rules of a host that pass URLs on, with those that answer, in their order."""
    rules = [*server_rules(main, host)]
    if not any(map(_is_for_rewriting, rules)) or _has_aliases_in_locations(main, host):
        return []
    found = [*_in_order(rules, main, host, root)]
    return found if any(_is_for_rewriting(each.rule) for each in found) else []


def _is_for_rewriting(rule: Rule) -> bool:
    """Whether only an entry that rewrites can say a rule: it passes on, or asks for conditions."""
    return rule.passes_on or bool(rule.conditions)


def _in_order(rules: Sequence[Rule], main: Host, host: Host, root: str) -> Iterator[_Passed]:
    answering = {id(directive): alias for alias, directive in host.direct}
    files = [alias for alias, directive in host.direct if directive.key == "rewriterule"]
    files = [alias for alias in files if isinstance(alias.answer, FileOptions)]
    before: _Before | None = _Before(files, root)
    scheme = "https" if host.speaks_tls(main) else "http"
    told_by_proxies = _told_by_proxies(main, host)
    chains = Chains(rules)
    for number, each in enumerate(rules, 1):
        told = with_constants(each, host.speaks_tls(main))
        rule = None if told is None else as_if_no_file_has_the_name_of_a_url(told)
        if rule is None or _says_nothing(rule) or chains.passed(number - 1):
            continue
        made = chains.new_urls(number - 1)
        if made is not None and before is not None:
            before.passing.append(unless(rule.ahead or "", *rule.uris))
            before.unknown.append(made)
            continue
        known, first = _answering(answering.get(id(rule.directive))), None
        answers = [] if known is None else [known]
        if known is None and before is not None and rule.passes_on:
            answer, first = _passing_on(rule, before, rules[number:], (main, host))
            answers = [] if answer is None else [answer]
        elif known is None and before is not None and rule.conditions:
            writer = RuleWriter(host, root, _knows_no_file, before.passing, scheme)
            answers = _conditional(rule, before, writer, rules[number:])
        if any(name in told_by_proxies for each in answers for name, _ in each.when):
            answers = []
        for answer in answers:
            if answer.status is None and before is not None:
                before.taken.append(Alias(answer.pattern, "", "match"))
            yield _Passed(rule, (Alias("", "", answer=answer), rule.directive), first)
        if not answers and before is not None:
            own = answering.get(id(rule.directive))
            is_file = own is not None and isinstance(own.answer, FileOptions)
            before = _behind_file(rule, before) if is_file else _behind(rule, before)


def _passing_on(
    rule: Rule, before: _Before, later: Sequence[Rule], servers: tuple[Host, Host]
) -> tuple[Rewriting | None, Alias | None]:
    """Return the entry of a rule with the flag PT, and the files that it leaves alone."""
    is_last = all(map(_says_nothing, later))
    left = leaves_files(rule.conditions, before.root, rule.pattern) if is_last else ""
    answer = _rewriting(rule, before, leaves=bool(left))
    if answer is None or not left:
        return answer, None
    rivals = [*before.taken, *before.files]
    first = files_before(rule, before.root, left, before.passing, rivals, servers)
    return (None if first is None else answer), first


def _conditional(
    rule: Rule, before: _Before, writer: RuleWriter, later: Sequence[Rule]
) -> list[Rewriting]:
    """Return the entries that redirect or refuse the requests that a rule's conditions tell."""
    own = Alias(rule.pattern, "", "match")
    if any(may_share(own, each) for each in before.unknown):
        return []
    when = when_all_hold(rule.conditions)
    bare = replace(rule, conditions=())
    found = [_answered(bare, when, writer, later)] if when else []
    if not any(found):
        found = [_answered(*each, writer, later) for each in rules_by_name(rule, writer.host)]
    return [] if None in found else [each for each in found if each is not None]


def _answered(
    rule: Rule, when: When, writer: RuleWriter, later: Sequence[Rule]
) -> Rewriting | None:
    """Return the entry that answers as a rule without conditions does, when others hold."""
    answer = _answering(writer.entry(rule, later))
    if answer is None:
        return None
    answer = replace(answer, when=when)
    try:
        compile_rewriting(answer)
    except WSGIMatchError:
        return None
    return answer


def _told_by_proxies(main: Host, host: Host) -> frozenset[str]:
    """
    Return the variables that are not those of mod_rewrite where proxies are trusted.

    What a proxy's header says counts where its sender is trusted, and Apache believes everybody.
    """
    headers = frozenset(each.key for each in KNOWN.values())
    scopes = (*main.scopes.values(), *host.scopes.values())
    values = (main.values, host.values, *(each.values for each in scopes))
    has_proxies = any(map(proxy_lines, values))
    return headers | {"REMOTE_ADDR", "HTTP_HOST"} if has_proxies else headers


def _knows_no_file(path: str) -> FileKind:
    """Rules that lead to files are left."""
    return "missing"


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


def _behind_file(rule: Rule, before: _Before) -> _Before | None:
    """Return what stands before the next rule, behind one that leads all its URLs to files."""
    if rule.conditions or not (ENDING & rule.flags.keys() and (rule.ahead or rule.uris)):
        return _behind(rule, before)
    before.passing.append(unless(rule.ahead or "", *rule.uris))
    return before


def _says_nothing(rule: Rule) -> bool:
    """Whether a rule leaves the URL as it is and goes on, as one that sets a variable does."""
    flags = {"E", "ENV", "NC", "NOCASE", "NE", "NOESCAPE", ""}
    return rule.substitution == "-" and not rule.flags.keys() - flags


def _has_aliases_in_locations(main: Host, host: Host) -> bool:
    """Whether an Alias stands in a <Location>: Apache compares that with the URL as it came."""
    lines = (d for server in (main, host) for d in server.takers if d.key in MOD_ALIAS)
    return any(each.key in LOCATIONS for d in lines for each in scope_sections(d))


def _rewriting(rule: Rule, before: _Before, *, leaves: bool) -> Rewriting | None:
    """Return the entry that rewrites as a rule does, None where there is none."""
    query = _QUERY & rule.flags.keys()
    if rule.is_chained or rule.ahead is None or rule.flags.keys() - {*_SILENT, *_QUERY}:
        return None
    when = () if leaves else when_all_hold(rule.conditions)
    url = rule.substitution
    if not url.startswith(("/", "$")) and ":" not in url:
        # As Apache takes it.
        url = f"/{url}"
    # With a pattern that must not match, Apache fills groups with what it finds in memory.
    is_filled = rule.pattern.startswith("!") and "$" in url
    is_own = url.startswith(("/", "$")) and is_template(url) and not is_filled
    if when is None or not is_own or len(query) > 1:
        return None
    own, new = Alias(rule.pattern, "", "match"), new_urls(url)
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
