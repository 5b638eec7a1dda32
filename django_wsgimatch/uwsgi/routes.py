"""
uWSGI's internal routing: the rules that redirect or refuse become entries, the others are named.

A rule that refuses or asks for a password, and cannot be carried, closes what it may hold for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..aliases.alias import Alias, Denial, Redirection
from ..apache.outcomes.outcome import Category
from ..apache.writing.settings import Written
from ..others.draft import Draft, closing_note, written
from ..others.regexes import as_regex, is_pattern
from .options import UwsgiInstance, UwsgiOption

_REDIRECTS = {
    "redirect": 302,
    "redirect-302": 302,
    "redirect-permanent": 301,
    "redirect-301": 301,
}
_PROTECTING = ("basicauth", "basicauth-next", "ldapauth", "radius", "break", "break-with-status")
_RETURNING = ("break", "return", "break-with-status")
_CLOSED = "403 until you decide: {0}. Delete the entry once something else enforces the rule"
_RULE = "no entry does what this rule does: write it into the server in front, or the application"


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule: the pattern, "" for none, the action's name, and its argument."""

    option: UwsgiOption
    pattern: str
    action: str
    argument: str


def route_entries(
    draft: Draft, instance: UwsgiInstance, mounts: Sequence[str], *, has_root: bool
) -> Iterator[Written]:
    """
    Yield the entries of the rules, in their order.

    A rule sees what stands behind the mount, and so holds below each of them, and below the root if
    ``has_root``.
    """
    for each in instance.options:
        if each.line.is_off or not is_route(each.key):
            continue
        rule = _read(each)
        patterns = _patterns(rule, mounts, has_root)
        answer = _answer(rule) if patterns else None
        if answer is not None:
            draft.note(each.line, *_told(rule, answer))
            for pattern in patterns:
                yield written(Alias(pattern, "", "match", answer=answer), [each.line])
        elif _protects(rule):
            yield from _closed(draft, rule, patterns)
        else:
            draft.note(each.line, "needs you", _RULE)


def is_route(key: str) -> bool:
    """Whether an option is a rule of the internal routing."""
    return re.match(r"(?:final-|error-|response-)?route(?:-|$)", key) is not None


def _read(option: UwsgiOption) -> _Rule:
    if option.key == "route-run":
        pattern, action = "", option.value
    else:
        pattern, _, action = option.value.partition(" ")
    name, _, argument = action.strip().partition(":")
    return _Rule(option, pattern, name, argument.strip())


def _patterns(rule: _Rule, mounts: Sequence[str], has_root: bool) -> list[str]:
    """Return patterns for the whole path, one for each root; none where a rule sees more."""
    pattern, key = rule.pattern, rule.option.key
    is_of_path = key == "route" or (key == "route-uri" and _is_of_path(pattern) and not mounts)
    if not is_of_path or not pattern or (mounts and not _is_of_path(pattern)):
        return []
    found = []
    for root in [*mounts, *([""] if has_root else [])]:
        deeper = [each for each in mounts if each.startswith(f"{root}/")]
        without = "".join(rf"(?!{as_regex(each)}(?:/|\z))" for each in deeper)
        found.append(f"^{without}{as_regex(root)}{pattern[1:]}" if mounts else pattern)
    return found if all(map(is_pattern, found)) else []


def _is_of_path(pattern: str) -> bool:
    """Whether a pattern looks at the beginning of a path alone, query or no query."""
    return pattern.startswith("^/") and not any(each in pattern for each in ("|", "%", "=", r"\?"))


def _answer(rule: _Rule) -> Denial | Redirection | None:
    """Return what an entry answers that does what a rule says, None where none does."""
    if rule.action in _REDIRECTS:
        is_plain = rule.argument.startswith(("/", "http://", "https://"))
        if not is_plain or "${" in rule.argument or "\\" in rule.argument:
            return None
        return Redirection(rule.argument, _REDIRECTS[rule.action])
    status = _status(rule.argument) if rule.action in _RETURNING else None
    if status == 403:
        return Denial("a route of uWSGI")
    return Redirection("", status) if status and 400 <= status < 600 else None


def _told(rule: _Rule, answer: Denial | Redirection) -> tuple[Category, str]:
    if isinstance(answer, Denial):
        return "kept", "deny_match()"
    if answer.url:
        return "changed", "redirect_match(); it puts the query behind the URL, and uWSGI does not"
    return "kept", f"redirect_match() with the status {answer.status}"


def _status(argument: str) -> int | None:
    found = re.match(r"[0-9]{3}(?!\S)", argument)
    return int(found[0]) if found else None


def _protects(rule: _Rule) -> bool:
    if rule.action == "return":
        status = _status(rule.argument)
        return status is None or status >= 400
    return rule.action in _PROTECTING


def _closed(draft: Draft, rule: _Rule, patterns: list[str]) -> Iterator[Written]:
    """Yield entries that refuse what a rule may hold for; that is all where it is not known."""
    line = rule.option.line
    denial = Denial(closing_note([line]))
    urls = f"URLs that {rule.pattern} matches" if patterns else "all URLs"
    draft.note(line, "needs you", _CLOSED.format(urls))
    for pattern in patterns:
        yield written(Alias(pattern, "", "match", answer=denial), [line])
    if not patterns:
        yield written(Alias("/", "", answer=denial), [line])
