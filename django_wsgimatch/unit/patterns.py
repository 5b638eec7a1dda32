"""
Unit's patterns as parts of a regular expression.

Mirrors nxt_http_route_pattern_create() and nxt_http_route_test_rule() of Unit 1.35: ``*`` stands
for any text, ``~`` begins a regular expression that is searched, ``!`` one that must not match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from ..aliases.patterns.pattern import compile_pattern
from ..others.regexes import as_regex

_ANYTHING = "(?s:.*)"


@dataclass(frozen=True, slots=True)
class UriTest:
    """
    A pattern for a URI's path.

    ``regex`` stands where the URI begins. ``start`` is the text that every URI begins with that it
    matches, and ``is_exact`` says that it matches no other.
    """

    regex: str
    start: str = ""
    is_exact: bool = False

    @property
    def is_prefix(self) -> bool:
        """Whether it matches whatever begins with ``start``."""
        return not self.is_exact and self.regex == as_regex(self.start)


@dataclass(frozen=True, slots=True)
class UriRule:
    """The patterns of one ``uri``: one of the first must match, and none of the others."""

    positives: tuple[UriTest, ...]
    negatives: tuple[UriTest, ...]


@dataclass(frozen=True, slots=True)
class UriRegion:
    """URIs: those that all rules fit; without a rule all of them."""

    rules: tuple[UriRule, ...] = ()

    @property
    def is_all(self) -> bool:
        """Whether every URI is in it."""
        return not self.rules

    @property
    def test(self) -> UriTest | None:
        """The one pattern that says the same, if there is one."""
        if len(self.rules) != 1 or self.rules[0].negatives or len(self.rules[0].positives) != 1:
            return None
        return self.rules[0].positives[0]

    def starts(self) -> tuple[str, ...]:
        """Return texts of which every URI in it begins with one."""
        candidates = [tuple(t.start for t in rule.positives) for rule in self.rules]
        return max((c for c in candidates if c), key=lambda c: min(map(len, c)), default=("",))

    def is_apart_from(self, other: UriRegion) -> bool:
        """Whether no URI is in both, as far as their beginnings tell."""
        return not any(
            a.startswith(b) or b.startswith(a) for a in self.starts() for b in other.starts()
        )

    def both(self, other: UriRegion) -> UriRegion:
        """Return the URIs that are in both."""
        return UriRegion((*self.rules, *other.rules))

    def lookaheads(self, without: Sequence[UriRegion] = ()) -> str:
        """Return the condition for a URI, to stand behind ``^``; ``without`` are excluded."""
        found = "".join(
            (f"(?={_any_of(rule.positives)})" if rule.positives else "")
            + (f"(?!{_any_of(rule.negatives)})" if rule.negatives else "")
            for rule in self.rules
        )
        return found + "".join(f"(?!{each.lookaheads()})" for each in dict.fromkeys(without))


EVERYWHERE = UriRegion()


def read_uri(texts: Iterable[str]) -> UriRegion:
    """Return what a ``uri`` holds for. Raises PatternError."""
    positives, negatives = [], []
    for text in texts:
        test = read_test(text.removeprefix("!"))
        if text.startswith("!"):
            negatives.append(test)
        else:
            positives.append(test)
    if positives and any(each.is_prefix and each.start in ("", "/") for each in positives):
        positives = []
    if not positives and not negatives:
        return EVERYWHERE
    return UriRegion((UriRule(tuple(positives), tuple(negatives)),))


def read_test(text: str) -> UriTest:
    """Return a pattern without its ``!``. Raises PatternError."""
    if text.startswith("~"):
        return _searched(text[1:])
    pieces = [unquote_to_bytes(piece).decode("latin-1") for piece in text.split("*")]
    # Two stars are one.
    pieces = [piece for n, piece in enumerate(pieces) if piece or n in (0, len(pieces) - 1)]
    if len(pieces) == 1:
        return UriTest(rf"{as_regex(pieces[0])}\z", pieces[0], is_exact=True)
    end = r"\z" if pieces[-1] else ""
    middle = _ANYTHING.join(map(as_regex, pieces if end else pieces[:-1]))
    return UriTest(f"{middle}{end}", pieces[0])


def _searched(regex: str) -> UriTest:
    compile_pattern(regex)
    found = re.match(r"\^((?:[A-Za-z0-9/_-]|\\[.])*)", regex)
    start = ""
    if found and "|" not in regex:
        # A quantifier takes the character before it for its own.
        follows = regex[found.end() : found.end() + 1]
        start = found[1].replace("\\", "")[: -1 if follows in ("*", "?", "{", "+") else None]
    return UriTest(f"(?s:.*?)(?:{regex})" if not start else regex[1:], start)


def _any_of(tests: Iterable[UriTest]) -> str:
    return "|".join(each.regex for each in tests)
