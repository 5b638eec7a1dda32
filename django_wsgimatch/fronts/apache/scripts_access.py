"""Which of the sections about files hold for the URLs of each entry, and what closes the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ...aliases.alias import Alias
from ...aliases.patterns.pattern import compile_pattern
from ...apache.covering.access import RULES, Layer, closing_rules
from ...apache.covering.coverage import DIRECTORIES, Coverage, FileKinds, coverage, reach_of
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
from .lines.path_rules import LOOKING_BACK
from .passing import location_pattern
from .remains import BROKEN, CLOSED, SHUT
from .sections import ANSWERING, Asking, FileSection, to_be_said


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
    def lines(self) -> tuple[str, ...]:
        """The lines that close them, in a section."""
        if self.reason == _BROKEN:
            return BROKEN
        return CLOSED if self._is_replaced else SHUT

    @property
    def status(self) -> int:
        """The status that they get."""
        return 500 if self.reason == _BROKEN else 403

    @property
    def _is_replaced(self) -> bool:
        """Whether a rule of a <Location> takes the place of what it says, as of other rules."""
        return self.reason == _PARTIAL and self.section.is_replaced


@dataclass(frozen=True, slots=True, eq=False)
class EntryAccess:
    """
    What must be said of the URLs of an entry: sections in Apache's order, and what is closed.

    ``parts`` are sections that keep somebody out, each said of URLs of the entry.
    """

    alias: Alias
    sections: tuple[FileSection, ...]
    refused: tuple[RefusedPart, ...]
    parts: tuple[tuple[Alias, FileSection], ...] = ()


def access_of(
    alias: Alias,
    sections: Iterable[FileSection],
    kind_of: FileKinds,
    *,
    is_tls: bool,
    asking: Asking,
) -> EntryAccess:
    """Return what sections about files say of the scripts of an entry."""
    reach = reach_of(alias, kind_of)
    covered = [(each, coverage(each.compared, reach)) for each in sections]
    sure = [each for each, how in covered if how == "all"]
    refused = [*_otherwise_handled(alias, covered)]
    parts: list[tuple[Alias, FileSection]] = []
    layers = [each.access for each in sure]
    has_rules = any(d.key == "rewriterule" for each, how in covered for d in each.answering)
    for section, how in covered:
        if how != "some":
            continue
        is_answering = section.answering or (has_rules and section.is_switching_rules)
        is_closing = _is_closing([*layers, section.access], is_tls=is_tls, asking=asking)
        # Of a place that asks for users, and takes the login of this section.
        is_closing = is_closing or any(not section.login <= each for each in asking.logins)
        if not is_answering and (not is_closing or section.repeats(sure)):
            continue
        region = _region(alias, section)
        part: FileSection | None = None
        if not is_closing:
            part = _refusing_part(section, alias, covered)
        elif not (is_answering or any(each.access for _, each in parts)):
            is_open = not closing_rules(layers, is_tls=is_tls)
            part = _closing_part(section, sure, asking) if is_open else None
        if part is not None:
            parts.append((region, part))
        else:
            reason = _ANSWERING if is_answering else _PARTIAL
            refused.append(RefusedPart(region, section, reason))
    # Rules for some URLs may be put together with those for all, or take their login.
    has_askers = asking.without_rule or any(each.access for _, each in parts)
    has_askers = has_askers or any(not login for login in asking.logins)
    kept = to_be_said(sure, is_tls=is_tls, has_askers=has_askers)
    said = [(each, _said(each, alias)) for each in kept]
    unsaid = [_unsaid(alias, each) for each, told in said if told is None]
    told = tuple(told for _, told in said if told is not None)
    return EntryAccess(alias, told, (*unsaid, *refused), tuple(parts))


def _is_closing(layers: Sequence[Layer], *, is_tls: bool, asking: Asking) -> bool:
    """
    Whether rules keep somebody out, also where a place takes some of theirs away.

    Without a Satisfy all must let one in; with one, without a Require, none may have let one in.
    """
    found = [layers]
    if asking.without_satisfy:
        found.append(_without(layers, "satisfy"))
    if asking.without_require:
        found.append(_without(layers, "require"))
    return any(closing_rules(each, is_tls=is_tls) for each in found)


def _without(layers: Sequence[Layer], name: str) -> list[Layer]:
    return [[each for each in layer if each.key != name] for layer in layers]


def _region(alias: Alias, section: FileSection) -> Alias:
    """Return URLs of an entry that a section may hold for: those of each section that it is in."""
    scope = Scope(section.sections, section.rank, access=section.access)
    region = region_of_scope(alias, scope) or alias
    outer = section.sections[:1]
    if len(section.sections) < 2 or outer[0].key not in DIRECTORIES:
        return region
    around = region_of_scope(alias, Scope(outer, section.rank))
    ahead = None if around is None else ahead_of(around)
    pattern = location_pattern(region) if region.kind == "plain" else region.location
    if ahead is None or not is_anchored(pattern):
        return region
    return Alias(f"^{ahead}{pattern[1:]}", region.target, "match")


def _said(section: FileSection, alias: Alias) -> FileSection | None:
    """Return what a section says of the URLs of an entry, None where nothing can."""
    return section if section.is_movable else section.told_for(alias)


def _unsaid(alias: Alias, section: FileSection) -> RefusedPart:
    return RefusedPart(alias, section, _BROKEN if section.is_broken else _UNMOVABLE)


def _refusing_part(
    section: FileSection, alias: Alias, covered: Iterable[tuple[FileSection, Coverage]]
) -> FileSection | None:
    """
    Return what a section for some scripts of an entry refuses, None where more must be said.

    It may be said of more URLs than it holds for, so that no other section may have rules.
    """
    others = [each for each, how in covered if how != "none" and each is not section]
    refusing = None if any(each.is_rewriting for each in others) else section.refusing
    return None if refusing is None else _said(refusing, alias)


def _closing_part(
    section: FileSection, sure: Iterable[FileSection], asking: Asking
) -> FileSection | None:
    """
    Return the access rules of a section for some scripts of an entry, None where more must be said.

    They may be said of more URLs than they hold for: without them everybody is let in, and no rule
    of theirs lets in whom another one does not.
    """
    rules = section.access_alone
    if rules is None or any(each.is_choosing for each in sure):
        return None
    if rules.asks_for_users and not any("authtype" in e.login for e in (rules, *sure)):
        return None
    # A login that it gives would be asked of others.
    return rules if all(rules.login <= each for each in asking.logins) else None


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
_BROKEN = "Apache refuses a .htaccess file on the way to its script"
_UNMOVABLE = "it compares with the path of a file, which no URL has"
_PARTIAL = "it holds for some of the scripts of this entry"
_ANSWERING = "its rules answer some of the scripts of this entry"

_SAYING = {
    _HANDLED: ("sethandler",),
    _BROKEN: (),
    _UNMOVABLE: ("rewriterule",),
    _PARTIAL: RULES,
    _ANSWERING: (*ANSWERING, "rewriteengine", "rewriteoptions"),
}


def pattern_of(alias: Alias, base: str, others: Sequence[Alias] = ()) -> str | None:
    """
    Return the pattern for URLs at a backend that an entry takes, and others before it do not.

    None where no such pattern can be written.
    """
    ahead = ahead_without(alias, others)
    if ahead is None:
        return None
    pattern = f"^{re.escape(base)}{ahead}"
    try:
        compile_pattern(pattern, allow_exponential=True)
    except PatternError:
        return None
    return pattern


def ahead_without(alias: Alias, others: Iterable[Alias]) -> str | None:
    """
    Return lookaheads for the URLs that an entry takes, and others do not.

    None where they cannot be written.
    """
    aheads = [ahead_of(each) for each in others]
    own = ahead_of(alias)
    if own is None or None in aheads:
        return None
    return "".join(f"(?!{each[3:]}" for each in aheads if each is not None) + own


def ahead_of(alias: Alias) -> str | None:
    """Return the lookahead for the URLs that an entry takes, None where none can be written."""
    pattern = location_pattern(alias) if alias.kind == "plain" else alias.location
    told = without_captures(pattern)
    # What looks at the text before it would see the backend's address there.
    if told is None or LOOKING_BACK.search(told):
        return None
    if not is_anchored(told) and re.search(r"(?<![\\\[])\^", told):
        return None
    return look_ahead(told)


def plans(entries: Sequence[EntryAccess]) -> Iterator[tuple[EntryAccess, list[Alias]]]:
    """Yield entries, each with those before it of which something else must be said."""
    for number, entry in enumerate(entries):
        before = entries[:number]
        others = (e for e in before if e.sections != entry.sections or e.parts)
        yield entry, [each.alias for each in others]
