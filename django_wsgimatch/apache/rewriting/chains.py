"""Chains of rules: what becomes of the URLs that the first rule of one has changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...aliases.alias import Alias
from ...aliases.substitution import parse_template
from ..covering.indexes import may_share
from ..covering.partial_aliases import literally
from .barring import Rule

# Which rule comes next depends on these.
DECIDING = {"S", "SKIP", "N", "NEXT", "C", "CHAIN"}
_CHAINING = {"C", "CHAIN", "NC", "NOCASE", ""}
# Of these a template means what a substitution means.
_PLAIN = re.compile(r"[\w\-./~+=&,;:@!$?*()' ]*", re.ASCII)


def decides_what_is_next(rule: Rule) -> bool:
    """Whether it depends on a rule which one comes next."""
    is_mere_chain = rule.is_chained and rule.substitution == "-"
    return bool(DECIDING & rule.flags.keys()) and not is_mere_chain


def is_template(text: str) -> bool:
    """Whether a template means the same as a substitution: no maps, variables and escapes."""
    return bool(_PLAIN.fullmatch(text)) and not re.search(r"\$(?!\d)", text)


def new_urls(url: str) -> Alias:
    """Return an alias for all URLs that a substitution may make."""
    template = parse_template(url.partition("?")[0])
    start = template[0] if template and isinstance(template[0], str) else ""
    return Alias(f"^{literally(start)}", "", "match")


@dataclass(slots=True)
class Chains:
    """
    The chains among rules whose first rule changes all its URLs, and what it makes of them.

    No rule behind such a chain gets these URLs as they were. What one may get instead is known.
    """

    rules: Sequence[Rule]
    _end: int = 0
    _changed: list[Alias] = field(default_factory=list)

    def passed(self, number: int) -> bool:
        """Whether a rule belongs to a chain that has been told."""
        return number < self._end

    def new_urls(self, number: int) -> Alias | None:
        """Return what a chain makes of its URLs that a rule begins, None where it is not known."""
        first = self.rules[number]
        count = len(self.rules)
        end = next((n for n in range(number, count) if not self.rules[n].is_chained), count)
        if not _changes_all(first) or not all(map(_leaves_url, self.rules[number + 1 : end + 1])):
            return None
        self._end = end + 1
        self._changed.append(new_urls(first.substitution))
        return self._changed[-1]

    def may_see_changed(self, rule: Rule) -> bool:
        """Whether a rule may get a URL that a chain before it has made."""
        own = Alias(rule.pattern, "", "match")
        is_negated = bool(self._changed) and rule.pattern.startswith("!")
        return is_negated or any(may_share(own, each) for each in self._changed)


def _changes_all(rule: Rule) -> bool:
    """Whether a rule begins a chain and changes all its URLs to some that are known."""
    url = rule.substitution
    is_told = rule.is_chained and not rule.conditions and bool(rule.ahead or rule.uris)
    is_plain = rule.ahead is not None and not rule.flags.keys() - _CHAINING
    return is_told and is_plain and url.startswith("/") and is_template(url)


def _leaves_url(rule: Rule) -> bool:
    """Whether a rule in a chain leaves the URL that it gets, or refuses it."""
    is_deciding = bool((DECIDING - _CHAINING) & rule.flags.keys())
    return not is_deciding and (rule.refuses or rule.directive.words[1] == "-")
