"""Conditions of a rule that the variables of a request's environ tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ...aliases.patterns.pattern import compile_pattern
from ...exceptions import PatternError
from ..covering.partial_aliases import is_anchored, literally
from ..lines.directive import Directive
from ..rewriting.barring import Rule, alternatives, flags_of
from ..rewriting.rewriting import without_known

# What a server tells as Apache has it.
_VARIABLES = (
    *("HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_COOKIE", "HTTP_ACCEPT", "HTTP_HOST"),
    *("REQUEST_METHOD", "QUERY_STRING", "REMOTE_ADDR"),
)
# Variables with the patterns that are found in them.
When: TypeAlias = "tuple[tuple[str, str], ...]"

_TEST = re.compile(r"%\{([\w-]+)\}", re.ASCII)
_HEADER = re.compile(r"%\{HTTP:([\w-]+)\}", re.ASCII | re.IGNORECASE)
_FILENAME = "%{REQUEST_FILENAME}"
_NO_CASE = {"NC", "NOCASE"}
_OTHERS = {"OR", "ORNEXT", "", *_NO_CASE}


def as_if_no_file_has_the_name_of_a_url(rule: Rule) -> Rule | None:
    """
    Return a rule without the conditions about the file of a URL, None where it never holds.

    Outside of sections REQUEST_FILENAME is the URL itself, and no file at the root of the file
    system is called so. If there is one, a rule that passes others on may pass its URL on, too:
    whoever asks for the new URL gets the same.
    """
    is_leaving = rule.substitution == "-" and not rule.refuses
    if not (rule.passes_on or is_leaving):
        return rule
    known = {"!-f": True} if rule.passes_on else {"-f": False}
    return without_known(
        rule, lambda each: known.get(each.words[1]) if each.words[0].upper() == _FILENAME else None
    )


@dataclass(frozen=True, slots=True)
class VariableTest:
    """
    What a condition asks of a variable: that ``body`` is found in it, or not if ``is_negated``.

    ``is_text`` says that it compares with a text, so that it finds no groups.
    """

    variable: str
    body: str
    is_negated: bool
    is_text: bool

    @property
    def pattern(self) -> str:
        """A pattern that is found where the condition holds."""
        if not self.is_negated:
            return self.body
        inner = self.body[1:] if is_anchored(self.body) else f"(?s:.*)(?:{self.body})"
        return f"^(?!{inner})"


def read_variable_test(condition: Directive) -> VariableTest | None:
    """Return what a condition asks of a variable of the environ, None where it asks for more."""
    test, pattern, *_ = words = condition.words
    flags = flags_of(words).keys()
    name = _variable(test)
    is_negated, body = pattern.startswith("!"), pattern.removeprefix("!")
    if not name or flags - _OTHERS or body.startswith(("<", ">", "-")):
        return None
    is_text = body.startswith("=")
    if is_text:
        body = f"^{literally(body[1:].strip(chr(34)))}$"
    if flags & _NO_CASE:
        is_simple = is_anchored(body) and "|" not in body
        body = f"^(?i:{body[1:]})" if is_simple else f"(?i:{body})"
    return VariableTest(name, body, is_negated, is_text)


def when_all_hold(conditions: Iterable[Directive]) -> When | None:
    """Return variables with the patterns that are found in them where all hold, or None."""
    found: dict[str, str] = {}
    for group in alternatives(conditions):
        told = [_told(each) for each in group]
        names = {each[0] if each else "" for each in told}
        [name, *others] = names
        if others or not name or name in found:
            return None
        patterns = [each[1] for each in told if each]
        found[name] = patterns[0] if len(patterns) == 1 else _one_of(patterns)
    return tuple(found.items())


def _one_of(patterns: Sequence[str]) -> str:
    return "|".join(f"(?:{each})" for each in patterns)


def _told(condition: Directive) -> tuple[str, str] | None:
    test = read_variable_test(condition)
    if test is None:
        return None
    try:
        compile_pattern(test.pattern, empty_counts=True)
    except PatternError:
        return None
    return test.variable, test.pattern


def _variable(test: str) -> str:
    """Return the name of a test's variable in a WSGI environ, "" where it has none."""
    if found := _HEADER.fullmatch(test):
        return f"HTTP_{found[1].upper().replace('-', '_')}"
    found = _TEST.fullmatch(test)
    return found[1].upper() if found and found[1].upper() in _VARIABLES else ""
