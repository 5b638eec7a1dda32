"""
What the rules of mod_rewrite say of URLs: patterns, conditions and chains as lookaheads.

Mirrors apply_rewrite_list(), as far as it can be told without a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..covering.partial_aliases import is_anchored, literally, look_ahead, without_captures
from ..lines.directive import Directive

_ENDING, _CHAINING, _OR = {"L", "LAST", "END"}, {"C", "CHAIN"}, {"OR", "ORNEXT"}
_REFUSING, _ANY_CASE = {"F", "FORBIDDEN", "G", "GONE"}, {"NC", "NOCASE"}
_QUOTE = '"'
_URI = "%{REQUEST_URI}"
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
    """

    directive: Directive
    pattern: str
    substitution: str
    flags: Mapping[str, str]
    ahead: str | None
    uris: tuple[str, ...]
    conditions: tuple[Directive, ...]

    @property
    def refuses(self) -> bool:
        """Whether it answers with an error."""
        status = self.flags.get("R", self.flags.get("REDIRECT", ""))
        return bool(_REFUSING & self.flags.keys()) or is_error(status)

    @property
    def is_chained(self) -> bool:
        """Whether the next rule counts only where this one does."""
        return bool(_CHAINING & self.flags.keys())

    @property
    def lets_pass(self) -> bool:
        """Whether no rule behind it sees its URLs, and they stay as they are."""
        is_plain = self.substitution == "-" and not self.conditions and not self.is_chained
        return is_plain and bool(_ENDING & self.flags.keys()) and not self.refuses


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
    if before.ahead is None or rule.ahead is None or before.substitution != "-":
        return replace(
            rule,
            ahead=before.ahead,
            uris=before.uris,
            conditions=conditions,
            substitution=before.substitution,
        )
    return replace(rule, uris=(before.ahead, *before.uris, *rule.uris), conditions=conditions)


def rules_of(directives: Iterable[Directive]) -> Iterator[Rule]:
    """Yield the RewriteRules among directives, each with the conditions before it."""
    conditions: list[Directive] = []
    for directive in directives:
        name, words = directive.key, directive.words
        if name == "rewritecond" and len(words) > 1:
            conditions.append(directive)
        elif name == "rewriterule" and len(words) > 1:
            flags = _flags(words)
            own, others = _told(conditions)
            ahead = _ahead(words[0], flags)
            yield Rule(directive, words[0], words[1], flags, ahead, tuple(own), tuple(others))
            conditions = []


def _told(conditions: Iterable[Directive]) -> tuple[list[str], list[Directive]]:
    """Return what conditions say of the URL, and those that say something else."""
    aheads, others = [], []
    for group in _alternatives(conditions):
        found = [_uri_condition(each) for each in group]
        told = [each for each in found if each is not None]
        if len(told) < len(found):
            others += group
        else:
            aheads.append(told[0] if len(told) == 1 else f"(?:{'|'.join(told)})")
    return aheads, others


def _alternatives(conditions: Iterable[Directive]) -> Iterator[list[Directive]]:
    group: list[Directive] = []
    for condition in conditions:
        group.append(condition)
        if not _OR & _flags(condition.words).keys():
            yield group
            group = []
    if group:
        yield group


def _uri_condition(condition: Directive) -> str | None:
    test, pattern, *_ = words = condition.words
    sign, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    if test.upper() != _URI or body.startswith(("<", ">", "-")):
        return None
    if body.startswith("="):
        body = f"^{literally(body[1:].strip(_QUOTE))}$"
    return _ahead(sign + body, _flags(words))


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


def _flags(words: Sequence[str]) -> Mapping[str, str]:
    text = words[2].strip().strip("[]") if len(words) > 2 else ""
    parts = (each.strip().partition("=") for each in text.split(","))
    return {name.upper(): value for name, _, value in parts}


def is_error(status: str) -> bool:
    """Whether the status of a rule or a redirect is an error's."""
    return status.lower() == "gone" or (status.isdigit() and int(status) >= 400)


def unless(*aheads: str) -> str:
    """Return the lookahead for where not all of some hold."""
    told = list(filter(None, aheads))
    is_one = len(told) == 1 and told[0].startswith("(?=")
    return f"(?!{told[0][3:]}" if is_one else f"(?!{''.join(told)})"
