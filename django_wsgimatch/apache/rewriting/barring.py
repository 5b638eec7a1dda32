"""
Rules of mod_rewrite and mod_alias that answer with an error: which URLs they keep from an alias.

A rule that lets only some in is an access rule like any other. One that refuses only some
requests, as those of a robot, cannot be an entry, and is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ...aliases.quoting import quote_word
from ..covering.coverage import LOCATIONS, is_wildcard, section_pattern
from ..covering.hosts import REDIRECTS, Host, Scope, holder_of, scope_sections
from ..covering.partial_aliases import is_anchored, literally, look_ahead, without_captures
from ..lines.directive import Directive, Section
from ..reading.sections import section_for

# With these the URL goes on to what comes behind mod_rewrite.
PASSING = ("PT", "PASSTHROUGH")
_ENDING, _CHAINING, _OR = {"L", "LAST", "END"}, {"C", "CHAIN"}, {"OR", "ORNEXT"}
_REFUSING, _ANY_CASE = {"F", "FORBIDDEN", "G", "GONE"}, {"NC", "NOCASE"}
_SKIPPING = {"S", "SKIP"}
_QUOTE = '"'
_URI, _FILES = "%{REQUEST_URI}", ("%{REQUEST_FILENAME}", "%{SCRIPT_FILENAME}")
# What everybody chooses, or says nothing of who asks.
_TELLING_NOTHING = (
    *("%{HTTP_USER_AGENT}", "%{HTTP_REFERER}", "%{HTTP_HOST}", "%{SERVER_NAME}", "%{TIME"),
    *("%{HTTP:USER-AGENT}", "%{HTTP:REFERER}", "%{HTTP:HOST}"),
)
# Where nobody has logged in these are empty.
_LOGINS = ("REMOTE_USER}", "%{HTTP:AUTHORIZATION}", "%{HTTP_COOKIE}", "%{SSL:", "%{HTTP:COOKIE}")
_PLAIN_HTTP = {"%{HTTPS}": "off", "%{SERVER_PORT}": "80", "%{REQUEST_SCHEME}": "http"}
TAKING_ALL = ("", "^", ".*", "^.*", "^.*$", ".*$", "(.*)", "^(.*)", "^(.*)$", "(.*)$", ".?", "^.?")


@dataclass(frozen=True, slots=True)
class Rule:
    """
    A RewriteRule: lookaheads for what it says of the URL, and the conditions that say else.

    ``ahead`` is that of its pattern, "" where that takes all, None where it cannot be moved.
    ``all_conditions`` are those that the lookaheads stand for, too.
    """

    directive: Directive
    pattern: str
    substitution: str
    flags: Mapping[str, str]
    ahead: str | None
    uris: tuple[str, ...]
    conditions: tuple[Directive, ...]
    all_conditions: tuple[Directive, ...] = ()

    @property
    def refuses(self) -> bool:
        """Whether it answers with an error."""
        return refuses(self.flags)

    @property
    def maps(self) -> bool:
        """Whether it sends all its URLs elsewhere without a redirect."""
        is_redirect = bool({"R", "REDIRECT"} & self.flags.keys())
        return self.substitution != "-" and not (self.conditions or is_redirect or self.refuses)

    @property
    def is_chained(self) -> bool:
        """Whether the next rule counts only where this one does."""
        return bool(_CHAINING & self.flags.keys())

    @property
    def lets_pass(self) -> bool:
        """Whether no rule behind it sees its URLs, and they stay as they are."""
        is_plain = self.substitution == "-" and not self.conditions and not self.is_chained
        is_ending = bool({*_ENDING, *PASSING} & self.flags.keys())
        return is_plain and is_ending and not self.refuses

    @property
    def skipped(self) -> int:
        """How many rules behind it none of its URLs sees, where it does nothing else."""
        does_more = self.flags.keys() - {*_SKIPPING, *_ANY_CASE, "E", "ENV", ""}
        is_told = self.substitution == "-" and not self.conditions and bool(self.ahead or self.uris)
        count = self.flags.get("S", self.flags.get("SKIP", ""))
        is_number = count.isascii() and count.isdigit() and len(count) < 6
        return int(count) if is_told and is_number and not does_more else 0

    @property
    def passes_on(self) -> bool:
        """Whether it gives the URL that it makes to what comes behind mod_rewrite."""
        is_redirect = bool({"R", "REDIRECT"} & self.flags.keys())
        passes = self.substitution != "-" and bool({*PASSING} & self.flags.keys())
        return passes and not is_redirect and not self.refuses


def refuses(flags: Mapping[str, str]) -> bool:
    """Whether a rule with these flags answers with an error."""
    status = flags.get("R", flags.get("REDIRECT", ""))
    return bool(_REFUSING & flags.keys()) or is_error(status)


def chained(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Yield rules with what those say that they are chained to, about the URL as it was first."""
    before: Rule | None = None
    for rule in rules:
        if before is not None:
            rule = _after(before, rule)
        before = rule if rule.is_chained else None
        yield rule


def _after(before: Rule, rule: Rule) -> Rule:
    conditions = (*before.conditions, *rule.conditions)
    rule = replace(rule, all_conditions=(*before.all_conditions, *rule.all_conditions))
    if before.ahead is None or rule.ahead is None or before.substitution != "-":
        return replace(
            rule,
            ahead=before.ahead,
            uris=before.uris,
            conditions=conditions,
            substitution=before.substitution,
        )
    return replace(rule, uris=(before.ahead, *before.uris, *rule.uris), conditions=conditions)


def _without_skips(rules: Sequence[Rule]) -> Iterator[Rule]:
    """Yield rules with what those say of their URLs that skip them, and those without any more."""
    skips: list[tuple[int, Rule]] = []
    for number, rule in enumerate(rules):
        for last, skip in skips:
            if number <= last:
                rule = _unless_skipped(rule, skip)
        last = number + rule.skipped
        is_in_chain = any(each.is_chained for each in rules[last : last + 1])
        if rule.skipped and rule.ahead is not None and not is_in_chain:
            skips.append((last, rule))
        else:
            yield rule


def _unless_skipped(rule: Rule, skip: Rule) -> Rule:
    uris = (*rule.uris, unless(skip.ahead or "", *skip.uris))
    parts = (*skip.all_conditions, skip.directive, *rule.all_conditions)
    return replace(rule, uris=uris, all_conditions=parts)


def rules_of(directives: Iterable[Directive]) -> Iterator[Rule]:
    """Yield the RewriteRules among directives, each with the conditions before it."""
    conditions: list[Directive] = []
    is_as_sent = True
    for directive in directives:
        name, words = directive.key, directive.words
        if name == "rewritecond" and len(words) > 1:
            conditions.append(directive)
        elif name == "rewriterule" and len(words) > 1:
            flags = flags_of(words)
            own, others = told_of_urls(conditions, is_as_sent=is_as_sent)
            is_as_sent = is_as_sent and words[1] == "-"
            ahead = _ahead(words[0], flags)
            told = tuple(own), tuple(others), tuple(conditions)
            yield Rule(directive, words[0], words[1], flags, ahead, *told)
            conditions = []


def told_of_urls(
    conditions: Iterable[Directive], *, is_as_sent: bool = False
) -> tuple[list[str], list[Directive]]:
    """
    Return what conditions say of the URL, and those that say something else.

    ``is_as_sent`` says that no rule has changed it yet.
    """
    aheads, others = [], []
    for group in alternatives(conditions):
        found = [_uri_condition(each, is_as_sent=is_as_sent) for each in group]
        told = [each for each in found if each is not None]
        if len(told) < len(found):
            others += group
        else:
            aheads.append(told[0] if len(told) == 1 else f"(?:{'|'.join(told)})")
    return aheads, others


def alternatives(conditions: Iterable[Directive]) -> Iterator[list[Directive]]:
    """
    Yield groups of conditions of which one has to hold.

    Mirrors apply_rewrite_rule(): with an OR behind which nothing stands a group always holds.
    """
    group: list[Directive] = []
    for condition in conditions:
        group.append(condition)
        if not _OR & flags_of(condition.words).keys():
            yield group
            group = []


def one_of(conditions: Sequence[Directive]) -> list[Directive]:
    """Return alternatives as a group of their own: with an OR the last one would always hold."""
    *others, last = conditions
    if not _OR & flags_of(last.words).keys():
        return [*conditions]
    flags = (each for each in flags_of(last.words).items() if each[0] not in _OR)
    words = [*map(quote_word, last.words[:2]), f"[{','.join(name for name, _ in flags)}]"]
    return [*others, replace(last, rest=" ".join(words))]


def is_modified(condition: Directive) -> bool:
    """Whether a condition has a flag that says how it compares."""
    return bool(flags_of(condition.words).keys() - {*_OR, ""})


def _uri_condition(condition: Directive, *, is_as_sent: bool) -> str | None:
    test, pattern, *_ = words = condition.words
    # Mirrors hook_uri2file(): outside of sections the URL stands for a file not known yet.
    is_file = is_as_sent and test.upper() in _FILES and not scope_sections(condition)
    sign, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    if not (is_file or test.upper() == _URI) or body.startswith(("<", ">", "-")):
        return None
    if body.startswith("="):
        body = f"^{literally(body[1:].strip(_QUOTE))}$"
    return _ahead(sign + body, flags_of(words))


def _ahead(pattern: str, flags: Mapping[str, str]) -> str | None:
    """Return the lookahead, from the start of the URL, for what a pattern takes, or not with !."""
    is_negated = pattern.startswith("!")
    body = without_captures(pattern.removeprefix("!"))
    if body is None or pattern in TAKING_ALL:
        return None if body is None else ""
    if _ANY_CASE & flags.keys():
        body = f"^(?i:{body[1:]})" if is_anchored(body) else f"(?i:{body})"
    found = look_ahead(body)
    return f"(?!{found[3:]}" if is_negated else found


def lets_few_in(condition: Directive) -> bool:
    """Whether a condition holds for all but some: those who come from here, have logged in."""
    test, pattern, *_ = condition.words
    test = test.upper()
    if test == "EXPR":
        return True
    if any(each in test for each in _TELLING_NOTHING):
        return False
    is_negated, body = pattern.startswith("!"), pattern.removeprefix("!").strip("=^$\"'").lower()
    if test in _PLAIN_HTTP:
        return is_negated or body == _PLAIN_HTTP[test]
    if any(each in test for each in _LOGINS):
        return is_negated != (body in ("", "-?"))
    return is_negated


def flags_of(words: Sequence[str]) -> Mapping[str, str]:
    """Return the flags of a line of mod_rewrite, upper case, each with its value."""
    text = words[2].strip().strip("[]") if len(words) > 2 else ""
    parts = (each.strip().partition("=") for each in text.split(","))
    return {name.upper(): value for name, _, value in parts}


def is_error(status: str) -> bool:
    """Whether the status of a rule or a redirect is an error's."""
    is_number = status.isascii() and status.isdigit()
    # int() refuses numbers with thousands of digits, and superscripts.
    return status.lower() == "gone" or (is_number and (len(status) > 9 or int(status) >= 400))


def unless(*aheads: str) -> str:
    """Return the lookahead for where not all of some hold."""
    told = list(filter(None, aheads))
    is_one = len(told) == 1 and told[0].startswith("(?=")
    return f"(?!{told[0][3:]}" if is_one else f"(?!{''.join(told)})"


@dataclass(frozen=True, slots=True, eq=False)
class Barred:
    """
    A rule that refuses URLs: those of ``section``, None where they cannot be told.

    ``conditions`` are those that no entry can say. ``is_kept`` says that the URLs are to be closed.
    """

    directive: Directive
    section: Section | None
    conditions: tuple[Directive, ...] = ()
    is_kept: bool = True


def bar(main: Host, hosts: Sequence[Host]) -> list[Barred]:
    """
    Put the rules that refuse URLs to the access rules of each host, and return the others.

    Those that are entries of the host already are left out.
    """
    sections = [d for host in (main, *hosts) for d in host.rewriting if scope_sections(d)]
    is_on_below = any(map(_is_on, sections))
    told = []
    for host in (main, *hosts):
        for barred in (*_redirects(host), *_rewritten(main, host), *_below(host, is_on_below)):
            if not _put(host, barred):
                told.append(barred)
    return told


def _put(host: Host, barred: Barred) -> bool:
    around = scope_sections(barred.directive)
    # Of its URLs it gets those alone that what stands around it holds for.
    place = holder_of(host, around if barred.section is None else (barred.section, *around))
    if not barred.is_kept or not isinstance(place, Scope):
        return False
    place.access.append(barred.directive)
    place.is_inherited = bool(around) or barred.directive.key != "rewriterule"
    return True


def _redirects(host: Host) -> Iterator[Barred]:
    for directive in host.takers:
        if id(directive) in host.carried:
            continue
        name, words = directive.key, directive.words
        if name not in REDIRECTS or not words or not is_error(words[0]):
            continue
        kind = "Location" if name == "redirect" else "LocationMatch"
        section = section_for(kind, words[1], directive.spot) if len(words) > 1 else None
        yield Barred(directive, section)


def server_rules(main: Host, host: Host) -> Iterator[Rule]:
    """Yield the rules of a server in no section; a virtual host has the main one's if it asks."""
    own = [d for d in host.rewriting if not scope_sections(d)]
    above = [] if host is main else [d for d in main.rewriting if not scope_sections(d)]
    if not host.rewriting:
        # Mod_rewrite leaves a virtual host in peace that has none of its directives.
        return
    engines = [d for d in (*above, *own) if d.key == "rewriteengine"]
    rules = _without_skips([*chained(rules_of(_with_inherited(own, above)))])
    if any(map(_is_on, engines[-1:])):
        yield from rules
    elif on := [*filter(_is_on, (*_in_locations(main), *_in_locations(host)))]:
        within = _ahead_of_locations(on)
        yield from (replace(rule, uris=(*within, *rule.uris)) for rule in rules)


def _rewritten(main: Host, host: Host) -> Iterator[Barred]:
    """Yield what the rules of a server refuse, but for those that are entries."""
    passing: list[str] = []
    for rule in server_rules(main, host):
        if id(rule.directive) in host.carried:
            continue
        if rule.refuses:
            yield _barred(rule, _section_of(rule, passing))
        elif rule.lets_pass and rule.ahead is not None:
            if not rule.ahead and not rule.uris:
                return
            passing.append(unless(rule.ahead, *rule.uris))


def mapped_rules(main: Host, host: Host) -> Iterator[tuple[Rule, Section]]:
    """Yield rules that are no entries and send URLs elsewhere, whatever files are there."""
    passing: list[str] = []
    for rule in server_rules(main, host):
        if rule.lets_pass and rule.ahead is not None:
            passing.append(unless(rule.ahead, *rule.uris))
        elif rule.maps and id(rule.directive) not in host.carried:
            section = _section_of(rule, passing)
            yield rule, section or section_for("Location", "/", rule.directive.spot)


def _in_locations(host: Host) -> Iterator[Directive]:
    """Yield what a <Location> says: it puts the engine on for the rules of the server, too."""
    for directive in host.rewriting:
        if any(each.key in LOCATIONS for each in directive.sections):
            yield directive


def _ahead_of_locations(lines: Iterable[Directive]) -> tuple[str, ...]:
    """Return a lookahead for the URLs of the sections that lines stand in, none for any URLs."""
    aheads = []
    for line in lines:
        [section, *_] = (each for each in line.sections if each.key in LOCATIONS)
        text, is_pattern = section_pattern(section)
        if is_wildcard(text) and not is_pattern:
            return ()
        end = "" if text.endswith("/") else "(?:/|$)"
        ahead = _ahead(text if is_pattern else f"^{literally(text)}{end}", {})
        if not ahead or (not is_pattern and text == "/"):
            return ()
        aheads.append(ahead)
    return (aheads[0],) if len(aheads) == 1 else (f"(?:{'|'.join(aheads)})",)


def _with_inherited(own: list[Directive], above: list[Directive]) -> list[Directive]:
    """Mirror config_server_merge(): options are handed down themselves, where there are no own."""
    down = _options(above)
    options = _options(own) or down
    if "ignoreinherit" in options:
        down = set()
    if "inherit" in options or "inheritdown" in down:
        return [*own, *above]
    if "inheritbefore" in options or "inheritdownbefore" in down:
        return [*above, *own]
    return own


def _options(directives: Iterable[Directive]) -> set[str]:
    given = (d.rest.lower().split() for d in directives if d.key == "rewriteoptions")
    return {word for words in given for word in words}


def _below(host: Host, is_on: bool) -> Iterator[Barred]:
    """Yield what rules in sections refuse: they are compared with the file, not with the URL."""
    own = [d for d in host.rewriting if scope_sections(d)]
    for rule in rules_of(own) if is_on else ():
        if not rule.refuses:
            continue
        section = None
        if rule.uris:
            section = _match("^" + "".join(rule.uris), rule.directive)
        barred = _barred(rule, section)
        yield barred if rule.pattern in TAKING_ALL else replace(barred, is_kept=False)


def _section_of(rule: Rule, passing: Sequence[str]) -> Section | None:
    if rule.ahead is None:
        return None
    aheads = list(filter(None, [rule.ahead, *rule.uris, *passing]))
    if len(aheads) == 1 and aheads[0].startswith("(?="):
        return _match(f"^{aheads[0][3:-1]}", rule.directive)
    return _match("^" + "".join(aheads), rule.directive)


def _barred(rule: Rule, section: Section | None) -> Barred:
    is_kept = not rule.conditions or any(map(lets_few_in, rule.conditions))
    return Barred(rule.directive, section, rule.conditions, is_kept)


def _is_on(directive: Directive) -> bool:
    is_engine = directive.key == "rewriteengine"
    return is_engine and directive.rest.strip().lower() == "on"


def _match(pattern: str, directive: Directive) -> Section:
    return section_for("LocationMatch", pattern, directive.spot)
