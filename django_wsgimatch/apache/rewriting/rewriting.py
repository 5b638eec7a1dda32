"""
Rules of mod_rewrite as entries: redirects, refusals, and URLs that are files.

A rule becomes an entry where that answers every request as the rule does. All others are left,
and are named in the report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ...aliases.alias import Alias, Answer, Denial, Redirection
from ...aliases.directives import STATUSES, root_of
from ...aliases.file_options import FileOptions
from ...aliases.patterns.pattern import compile_pattern
from ...aliases.patterns.pcre.measures import shortest
from ...aliases.patterns.pcre.parser import parse
from ...aliases.substitution import as_template, group_numbers, parse_template
from ...exceptions import PatternError
from ..covering.coverage import FileKinds
from ..covering.file_tests import asks_for, leaves_files, with_own_name
from ..covering.hosts import Host
from ..covering.indexes import may_share
from ..covering.partial_aliases import is_anchored, restricted
from ..lines.directive import Directive
from .barring import (
    PASSING,
    TAKING_ALL,
    Rule,
    alternatives,
    is_modified,
    one_of,
    server_rules,
    told_of_urls,
    unless,
)
from .chains import Chains, decides_what_is_next, is_template

Owned = tuple[Alias, Directive]

ENDING = {"L", "LAST", "END"}
_STATUS_FLAGS = ("R", "REDIRECT")
_FORBIDDEN, _GONE = {"F", "FORBIDDEN"}, {"G", "GONE"}
# They say nothing of the answer, or only what an entry says anyway.
_SILENT = {*ENDING, "NC", "NOCASE", "E", "ENV", "DPI", "DISCARDPATH", "UNSAFEPREFIXSTAT", ""}
NOT_ESCAPED, _ADDING = {"NE", "NOESCAPE"}, {"QSA", "QSAPPEND"}
ABSOLUTE_URL = re.compile(
    r"(https?)://([\w.-]+|%\{HTTP_HOST\}|%\{SERVER_NAME\})(:\d+)?(?=[/$]|\Z)", re.ASCII
)
_OF_REQUEST = "%{REQUEST_URI}"
_ROOT = "%{DOCUMENT_ROOT}"
# Where TLS is spoken, and where not: what these test for.
_SCHEMES = {"%{HTTPS}": ("on", "off"), "%{REQUEST_SCHEME}": ("https", "http")}
# Of all URLs they leave out the slash at the start.
_ALL_BELOW = ("^/?(.*)", "^/?(.*)$", "^/(.*)", "^/(.*)$")
_SOME_URIS = ("/", "/x", "/x/y.z")
_NEVER = "It never holds in this virtual host"


@dataclass(slots=True)
class Rewritten:
    """
    What becomes of a server's rules.

    ``entries`` stand in their order; ``parts`` are conditions of rules that became entries, each
    with the rule, ``idle`` are directives with the reason why nothing is lost without them.
    ``first`` are files that come before all entries, where they are there, each with its rule and
    what that answers otherwise, if it does.
    """

    entries: list[Owned] = field(default_factory=list)
    parts: list[tuple[Directive, Directive]] = field(default_factory=list)
    idle: list[tuple[Directive, str]] = field(default_factory=list)
    first: list[tuple[Alias, Directive, Alias | None]] = field(default_factory=list)


def rewritten(
    main: Host,
    host: Host,
    root: str,
    kind_of: FileKinds,
    elsewhere: Collection[int] = (),
    *,
    with_first: bool = False,
) -> Rewritten:
    """
    Return what becomes of the rules of a server that stand in no section.

    ``root`` is its DocumentRoot, "" where it has none. ``elsewhere`` are rules, by identity, that
    are no entries of the table; ``with_first`` lets files come first, which are those of all hosts.
    """
    found = Rewritten()
    chains = Chains([*server_rules(main, host)])
    passing: list[str] = []
    is_tls = host.speaks_tls(main)
    for number, each in enumerate(chains.rules):
        rule = with_constants(each, is_tls)
        if rule is None:
            found.idle += ((d, _NEVER) for d in (each.directive, *each.all_conditions))
            continue
        if id(rule.directive) in elsewhere:
            found.parts += ((condition, rule.directive) for condition in rule.all_conditions)
        if id(rule.directive) in elsewhere or chains.passed(number):
            continue
        is_known = chains.new_urls(number) is not None
        if chains.may_see_changed(rule) or (ends_rules(rule) and not is_known):
            break
        if is_known or (rule.lets_pass and rule.ahead is not None):
            passing.append(unless(rule.ahead or "", *rule.uris))
            continue
        later = chains.rules[number + 1 :]
        writer = RuleWriter(host, root, kind_of, passing, "https" if is_tls else "http")
        entry = writer.entry(rule, later)
        first = writer.first_files(rule, later) if with_first else None
        if first is not None and not any(may_share(first[0], each) for each, _ in found.entries):
            entry = first[1]
            found.first.append((first[0], rule.directive, entry))
        if entry is not None:
            found.entries.append((entry, rule.directive))
            found.parts += ((condition, rule.directive) for condition in rule.all_conditions)
    return _without_early_files(found)


def ends_rules(rule: Rule) -> bool:
    """Whether nobody knows which URLs the rules behind one see."""
    if decides_what_is_next(rule):
        return True
    if rule.lets_pass and rule.ahead is not None:
        return not rule.ahead and not rule.uris
    return lets_some_pass(rule)


def lets_some_pass(rule: Rule) -> bool:
    """Whether nobody knows whom a rule lets pass the rules behind it."""
    is_ending = bool({*ENDING, *PASSING} & rule.flags.keys())
    return rule.substitution == "-" and bool(rule.conditions) and is_ending


def _without_early_files(found: Rewritten) -> Rewritten:
    """Leave out files before which another entry would come that is written behind them."""
    kept: list[Owned] = []
    later: list[Alias] = []
    for alias, directive in reversed(found.entries):
        is_file = isinstance(alias.answer, FileOptions)
        if is_file and any(may_share(alias, each) for each in later):
            continue
        kept.insert(0, (alias, directive))
        if not is_file:
            later.append(alias)
    found.entries = kept
    return found


def with_constants(rule: Rule, is_tls: bool) -> Rule | None:
    """Return a rule without the conditions that always hold, None where one never does."""
    return without_known(rule, lambda condition: always_holds(condition, is_tls))


def without_known(rule: Rule, holds: Callable[[Directive], bool | None]) -> Rule | None:
    """
    Return a rule without the conditions that are known, None where it never holds.

    Of alternatives those are left out that do not hold: what is left may be about the URL alone.
    """
    left: list[Directive] = []
    for group in alternatives(rule.conditions):
        held = [holds(condition) for condition in group]
        open_ones = [each for each, is_held in zip(group, held, strict=True) if is_held is None]
        if True not in held and not open_ones:
            return None
        if True not in held:
            left += one_of(open_ones)
    uris, conditions = told_of_urls(left)
    return replace(rule, uris=(*rule.uris, *uris), conditions=tuple(conditions))


def always_holds(condition: Directive, is_tls: bool) -> bool | None:
    """Return whether a condition holds for all requests or for none, None where some differ."""
    test, pattern, *_ = condition.words
    values = _SCHEMES.get(test.upper())
    if values is None or is_modified(condition):
        return None
    return value_holds(pattern, values[0] if is_tls else values[1])


def value_holds(pattern: str, value: str) -> bool | None:
    """Return whether a value is what a condition asks for, None where that is not known."""
    is_negated = pattern.startswith("!")
    body = pattern.removeprefix("!")
    if body.startswith("="):
        return (body[1:].strip('"') == value) != is_negated
    try:
        return (compile_pattern(body).find(value) is not None) != is_negated
    except PatternError:
        return None


@dataclass(frozen=True, slots=True)
class RuleWriter:
    """
    Writes the entries of a host's rules.

    ``passing`` are what no rule behind some sees, as look-aheads; ``scheme`` is what the host is
    asked with. With ``is_plain`` the entries are those of WSGIMATCH_PLAIN_HTTP.
    """

    host: Host
    root: str
    kind_of: FileKinds
    passing: Sequence[str]
    scheme: str
    is_plain: bool = False

    def entry(self, rule: Rule, later: Iterable[Rule]) -> Alias | None:
        """Return the entry that answers as a rule does, None where there is none."""
        if rule.conditions or rule.is_chained or rule.ahead is None:
            return None
        flags = set(rule.flags)
        status = next((rule.flags[name] for name in _STATUS_FLAGS if name in flags), None)
        if flags & _FORBIDDEN:
            return self._written(rule, "", Denial())
        if flags & _GONE:
            return self._written(rule, "", Redirection("", 410))
        number = _status(status)
        if status is not None and number is None:
            return None
        if status is None and self._leads_away(rule.substitution):
            number = 302
        if number is not None and number >= 400:
            return self._written(rule, "", Redirection("", number))
        if number is not None and not ENDING & flags and not all(map(_ignores_urls, later)):
            return None
        if flags - {*_SILENT, *_STATUS_FLAGS, *NOT_ESCAPED, *_ADDING}:
            return None
        if number is not None:
            return self._redirect(rule, number)
        return self._file(rule) if ENDING & flags or not list(later) else None

    def first_files(self, rule: Rule, later: Sequence[Rule]) -> tuple[Alias, Alias | None] | None:
        """
        Return the files that a rule makes come first, and its own entry behind them, if any.

        Its conditions ask for the file that it leads to, or leave those of DocumentRoot alone.
        """
        pattern, substitution = with_own_name(rule.pattern, rule.substitution)
        own = replace(rule, pattern=pattern, substitution=substitution, conditions=())
        entry = self.entry(own, later) if rule.conditions else None
        if entry is None or not isinstance(entry.answer, FileOptions):
            return None
        if asks_for(rule.conditions, self.root, pattern, entry.target):
            return replace(entry, answer=FileOptions(index=())), None
        left = leaves_files(rule.conditions, self.root, rule.pattern)
        if not left:
            return None
        options = FileOptions() if left == "all" else FileOptions(index=())
        return self._root_of(rule, options), entry

    def _root_of(self, rule: Rule, options: FileOptions) -> Alias:
        """Return the files of DocumentRoot for the URLs of a rule."""
        aheads = aheads_of(rule, self.passing)
        return root_files(self.root, aheads, options) if aheads else root_of(self.root, options)

    def _leads_away(self, substitution: str) -> bool:
        """Whether Apache redirects without being told to: a URL of its own host it would map."""
        found = ABSOLUTE_URL.match(substitution.replace(_OF_REQUEST, ""))
        if found is not None and found[1] != self.scheme:
            return True
        if found is None or found[2].startswith("%"):
            return False
        names = [name for name, _ in self.host.names]
        return found[2].lower() not in names and not any("*" in n or "?" in n for n in names)

    def _redirect(self, rule: Rule, status: int) -> Alias | None:
        url = self._own(rule.substitution)
        template = url.replace(_OF_REQUEST, "")
        is_whole = template != url
        captures = "$" in template
        site = ABSOLUTE_URL.match(template)
        is_plain = template.startswith("/") or site or not template
        own = site.end() if self.is_plain and site else 0
        if not is_plain or not is_template(template[own:]) or (is_whole and captures):
            return None
        if (captures or is_whole) and NOT_ESCAPED & rule.flags.keys() and not self.is_plain:
            return None
        path, asks, query = template.partition("?")
        if asks and (not query or "$" in query or is_whole or _ADDING & rule.flags.keys()):
            return None
        if is_whole and not url.endswith(_OF_REQUEST):
            return None
        if self.is_plain and (start := self._start_of_all(rule, template, is_whole=is_whole)):
            return Alias("/", "", answer=Redirection(start, status))
        if is_whole:
            rule = replace(rule, pattern="^(.*)$", uris=(*filter(None, [rule.ahead]), *rule.uris))
            template = f"{path}$1"
        return self._written(rule, template, Redirection(template, status))

    def _start_of_all(self, rule: Rule, template: str, *, is_whole: bool) -> str:
        """Return what the URLs of a rule that sends all elsewhere begin with, "" for any other."""
        before, group, after = template.partition("$1")
        if rule.uris or self.passing or after or "$" in before or "?" in before:
            return ""
        if rule.pattern in TAKING_ALL and (is_whole or (group and "(" in rule.pattern)):
            return "" if before.endswith("/") else f"{before}/"
        return before if rule.pattern in _ALL_BELOW and group and before.endswith("/") else ""

    def _own(self, substitution: str) -> str:
        """Return a URL without the host where that is the request's own."""
        found = ABSOLUTE_URL.match(substitution)
        if found and found[1] == self.scheme and found[2].startswith("%") and not found[3]:
            return substitution[found.end() :]
        return substitution

    def _file(self, rule: Rule) -> Alias | None:
        path = rule.substitution
        is_root = path.startswith(_ROOT)
        path = path.removeprefix(_ROOT)
        if not path.startswith("/") or "?" in path or not is_template(path):
            return None
        first = "/" + path.split("/")[1]
        if is_root or "$" in first or self.kind_of(first) == "missing":
            if not self.root:
                return None
            path = as_template(self.root.rstrip("/")) + path
        return self._written(rule, path, FileOptions())

    def _written(self, rule: Rule, template: str, answer: Answer) -> Alias | None:
        """Return an entry for the URLs of a rule, None where one pattern cannot say which."""
        alias = urls_of_rule(rule, template, self.passing)
        target = template if isinstance(answer, FileOptions) else ""
        return None if alias is None else replace(alias, target=target, answer=answer)


def aheads_of(rule: Rule, passing: Iterable[str]) -> str:
    """Return lookaheads for the URLs that a rule gets, "" where it gets all."""
    return "".join(filter(None, [rule.ahead, *rule.uris, *passing]))


def root_files(root: str, aheads: str, options: FileOptions) -> Alias:
    """Return the files of DocumentRoot for the URLs that some lookaheads let through."""
    target = f"{as_template(root.rstrip('/'))}$0"
    return Alias(f"^{aheads}(?s:/.*)", target, "match", answer=options)


def urls_of_rule(rule: Rule, template: str, passing: Sequence[str]) -> Alias | None:
    """
    Return an alias for the URLs of a rule, None where one pattern cannot say which.

    Its groups are those that the template names; ``passing`` are lookaheads for its URLs.
    """
    pattern, aheads = rule.pattern, [*filter(None, rule.uris), *passing]
    groups = group_numbers(parse_template(template))
    if pattern.startswith("!") or (pattern in TAKING_ALL and not groups):
        if groups:
            return None
        aheads, pattern = [*filter(None, [rule.ahead]), *aheads], "^/.*"
    elif {"NC", "NOCASE"} & rule.flags.keys():
        pattern = f"^(?i:{pattern[1:]})" if is_anchored(pattern) else f"(?i:{pattern})"
    if not may_be_entry(pattern):
        return None
    alias = Alias(pattern, template, "match")
    return restricted(alias, "".join(aheads)) if aheads else alias


def may_be_entry(pattern: str) -> bool:
    """Whether an entry takes the URLs of a pattern: one that takes nothing of a URL has none."""
    try:
        found = compile_pattern(pattern)
        return bool(shortest(parse(pattern).tree)) or all(map(found.find, _SOME_URIS))
    except PatternError:
        return False


def _ignores_urls(rule: Rule) -> bool:
    """Whether a rule never takes the URL that a redirect before it has made."""
    return rule.pattern.startswith("^/") and is_anchored(rule.pattern)


def _status(given: str | None) -> int | None:
    """Return the status of the flag R, None where there is no such flag or no such status."""
    if given is None:
        return None
    is_number = given.isascii() and given.isdigit() and len(given) < 10
    number = STATUSES.get(given.lower()) or (int(given) if is_number else 302 * (not given))
    return number if 300 <= number <= 599 else None
