"""Which of the sections about files hold for the URLs of each entry, and what closes the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...aliases.alias import Alias
from ...aliases.patterns.pattern import compile_pattern
from ...apache.covering.access import RULES, closing_rules
from ...apache.covering.coverage import Coverage, FileKinds, coverage, reach_of
from ...apache.covering.hosts import Scope
from ...apache.covering.partial_aliases import (
    is_anchored,
    look_ahead,
    region_of_scope,
    without_captures,
)
from ...apache.lines.directive import Directive
from ...apache.resolving.mounts import WSGI
from ...exceptions import PatternError
from .passing import location_pattern
from .sections import ANSWERING, FileSection, to_be_said

# What looks at the text before it would see the backend's address there.
_LOOKS_BACK = re.compile(r"\(\?<[=!]|\\[AGKbB]|\(\*")


@dataclass(frozen=True, slots=True, eq=False)
class RefusedPart:
    """URLs that are closed because a section's rules cannot be said of them."""

    region: Alias
    section: FileSection
    reason: str

    @property
    def directive(self) -> Directive:
        """The line that is the reason."""
        keys = _SAYING[self.reason]
        found = (each for each in self.section.directives if each.key in keys)
        return next(found, (self.section.directives or self.section.unread)[0])

    @property
    def is_replaced(self) -> bool:
        """Whether a rule of a <Location> takes the place of what it says, as of other rules."""
        return self.reason == _PARTIAL and self.section.is_replaced


@dataclass(frozen=True, slots=True, eq=False)
class EntryAccess:
    """What must be said of the URLs of an entry: sections in Apache's order, and what is closed."""

    alias: Alias
    sections: tuple[FileSection, ...]
    refused: tuple[RefusedPart, ...]


def access_of(
    alias: Alias,
    sections: Iterable[FileSection],
    kind_of: FileKinds,
    *,
    is_tls: bool,
    has_askers: bool,
) -> EntryAccess:
    """Return what sections about files say of the scripts of an entry."""
    reach = reach_of(alias, kind_of)
    covered = [(each, coverage(each.compared, reach)) for each in sections]
    sure = [each for each, how in covered if how == "all"]
    kept = to_be_said(sure, is_tls=is_tls, has_askers=has_askers)
    refused = [RefusedPart(alias, each, _UNMOVABLE) for each in kept if not each.is_movable]
    refused += _otherwise_handled(alias, covered)
    layers = [each.access for each in sure]
    has_rules = any(d.key == "rewriterule" for each, how in covered for d in each.answering)
    for section, how in covered:
        if how != "some":
            continue
        is_answering = section.answering or (has_rules and section.is_switching_rules)
        if is_answering or closing_rules([*layers, section.access], is_tls=is_tls):
            scope = Scope(section.sections, section.rank, access=section.access)
            region = region_of_scope(alias, scope)
            reason = _ANSWERING if is_answering else _PARTIAL
            refused.append(RefusedPart(region or alias, section, reason))
    movable = tuple(each for each in kept if each.is_movable)
    return EntryAccess(alias, movable, tuple(refused))


def _otherwise_handled(
    alias: Alias, covered: Iterable[tuple[FileSection, Coverage]]
) -> Iterator[RefusedPart]:
    """Yield what another handler than mod_wsgi's answers: it would get the script."""
    last: FileSection | None = None
    for section, how in covered:
        if not section.handler:
            continue
        if how == "all":
            last = None if section.handler in (*WSGI, "none") else section
        elif how == "some" and section.handler not in (*WSGI, "none"):
            scope = Scope(section.sections, section.rank)
            yield RefusedPart(region_of_scope(alias, scope) or alias, section, _HANDLED)
    if last is not None:
        yield RefusedPart(alias, last, _HANDLED)


_HANDLED = "its handler answers, not the application"
_UNMOVABLE = "it compares with the path of a file, which no URL has"
_PARTIAL = "it holds for some of the scripts of this entry"
_ANSWERING = "its rules answer some of the scripts of this entry"

_SAYING = {
    _HANDLED: ("sethandler",),
    _UNMOVABLE: ("rewriterule",),
    _PARTIAL: RULES,
    _ANSWERING: (*ANSWERING, "rewriteengine", "rewriteoptions"),
}


def pattern_of(alias: Alias, base: str, others: Sequence[Alias] = ()) -> str | None:
    """
    Return the pattern for URLs at a backend that an entry takes, and others before it do not.

    None where no such pattern can be written.
    """
    aheads = [_ahead(each) for each in others]
    own = _ahead(alias)
    if own is None or None in aheads:
        return None
    excluded = "".join(f"(?!{each[3:]}" for each in aheads if each is not None)
    pattern = f"^{re.escape(base)}{excluded}{own}"
    try:
        compile_pattern(pattern, allow_exponential=True)
    except PatternError:
        return None
    return pattern


def _ahead(alias: Alias) -> str | None:
    pattern = location_pattern(alias) if alias.kind == "plain" else alias.location
    told = without_captures(pattern)
    if told is None or _LOOKS_BACK.search(told):
        return None
    if not is_anchored(told) and re.search(r"(?<![\\\[])\^", told):
        return None
    return look_ahead(told)


def plans(entries: Sequence[EntryAccess]) -> Iterator[tuple[EntryAccess, list[Alias]]]:
    """Yield entries, each with those before it of which something else must be said."""
    for number, entry in enumerate(entries):
        before = entries[:number]
        yield entry, [each.alias for each in before if each.sections != entry.sections]
