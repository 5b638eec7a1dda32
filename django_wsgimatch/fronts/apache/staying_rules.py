"""
Lines about URLs that stay as they are, and compare with a file that no passed-on request has.

Rules of mod_rewrite in a <Location> are said of the URLs of each entry. What cannot be said so is
closed: a line that keeps somebody out would keep out nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ...aliases.alias import Alias
from ...apache.covering.access import RULES
from ...apache.covering.coverage import CONDITIONS, DIRECTORIES, FILES, LOCATIONS
from ...apache.covering.hosts import REWRITING, scope_sections
from ...apache.covering.indexes import Regions, reach_of_region
from ...apache.lines.directive import Directive, Section
from ...apache.rewriting.barring import TAKING_ALL, flags_of
from ...apache.rewriting.chains import DECIDING
from .exempted import section_region
from .lines.path_rules import (
    ComparedPath,
    asks_for_path,
    looks_ahead,
    names_file,
    subject_of,
    told_lines,
)
from .lines.quoting import as_one_line, raw_words
from .scripts_access import ahead_without
from .sections import ANSWERING

WHY = "it compares with a file, which no URL that is passed on has"
_COUNTING = (*RULES, *ANSWERING, "setenvifexpr")
_REWRITING = (*REWRITING, "rewritebase")


@dataclass(frozen=True, slots=True)
class StayingRule:
    """
    A line that compares with a file, with the conditions before it.

    ``is_counted`` says that a rule beside it jumps over rules.
    """

    directive: Directive
    conditions: tuple[Directive, ...]
    is_counted: bool = False

    @property
    def is_inherited(self) -> bool:
        """Whether it is a rule of mod_rewrite in a section of the main server."""
        is_rule = self.directive.key == "rewriterule" and bool(scope_sections(self.directive))
        return is_rule and self.directive.host is None

    @property
    def region(self) -> Alias | None:
        """The URLs that it is about, None for all."""
        scoped = scope_sections(self.directive)
        is_url = bool(scoped) and scoped[0].key in LOCATIONS
        return section_region(scoped[0]) if is_url else None

    @property
    def lines(self) -> tuple[Directive, ...]:
        """The conditions and the line."""
        return (*self.conditions, self.directive)

    @property
    def as_it_is(self) -> list[str]:
        """The lines as they stand."""
        return [as_one_line(each) for each in self.lines]

    def among(self, aliases: Iterable[Alias]) -> list[Alias]:
        """Return those of some entries that it may be about."""
        region, found = self.region, []
        for alias in aliases:
            regions = Regions()
            regions.add(Alias(alias.location, "", alias.kind))
            if region is None or any(regions.meeting(reach_of_region(region))):
                found.append(alias)
        return found


def staying_rules(directives: Sequence[Directive]) -> Iterator[StayingRule]:
    """Yield those lines of a host that compare with a file, but in sections about files."""
    counted = {each.sections for each in directives if _is_counting(each)}
    groups: dict[tuple[Section, ...], list[Directive]] = {}
    for each in directives:
        scoped = scope_sections(each)
        if scoped and scoped[0].key in (*DIRECTORIES, *FILES):
            continue
        if each.key == "rewritecond":
            groups.setdefault(each.sections, []).append(each)
            continue
        rule = each.key == "rewriterule"
        conditions = groups.pop(each.sections, []) if rule else []
        if _compares(each, conditions, scoped):
            yield StayingRule(each, tuple(conditions), each.sections in counted)


def _is_counting(directive: Directive) -> bool:
    is_rule = directive.key == "rewriterule"
    return is_rule and bool(DECIDING & flags_of(directive.words).keys())


def _compares(
    directive: Directive, conditions: Sequence[Directive], scoped: Sequence[Section]
) -> bool:
    """Whether a line asks for what only a request for a file has."""
    texts = [each.rest for each in (directive, *conditions)]
    if directive.key == "rewriterule" and not scoped:
        return any(map(looks_ahead, texts))
    asked = (each.argument for each in scoped if each.key in CONDITIONS)
    if directive.key in _COUNTING and any(map(names_file, (*texts, *asked))):
        return True
    if directive.key != "rewriterule":
        return False
    pattern, *_ = (*raw_words(directive.rest), "")
    return any(map(asks_for_path, conditions)) or pattern not in TAKING_ALL


def told_of_entries(rule: StayingRule, aliases: Sequence[Alias]) -> list[str] | None:
    """
    Return the lines that say a rule of the URLs of entries, and as it is of all others.

    None where that cannot be said. ``aliases`` are all entries of the host, in order.
    """
    scoped = scope_sections(rule.directive)
    if len(scoped) != 1 or rule.directive.key != "rewriterule" or rule.is_counted:
        return None
    lines: list[str] = []
    for alias in rule.among(aliases):
        subject = _only_of(alias, aliases, scoped[0])
        told = None if subject is None else told_lines(rule.lines, subject, has_odd_urls=False)
        if told is None:
            return None
        lines += [line for each in rule.lines for line in told.get(id(each), [as_one_line(each)])]
    return [*lines, "RewriteCond %{REQUEST_FILENAME} !^proxy:", *rule.as_it_is]


def copied_sections(
    directives: Sequence[Directive], host: Section, aliases: Sequence[Alias]
) -> list[str] | None:
    """
    Return what the <Location> sections of the main server say to mod_rewrite, for one host.

    A section of the host comes behind them and takes the place of all their rules. None where that
    cannot be written: the host has such rules of its own, or a rule cannot be said of its URLs.
    """
    found: dict[Section, list[Directive]] = {}
    for each in directives:
        scoped = scope_sections(each)
        if each.key not in _REWRITING or not scoped or scoped[0].key in (*DIRECTORIES, *FILES):
            continue
        if len(scoped) > 1 or each.host == host or each.key == "rewriteoptions":
            return None
        found.setdefault(scoped[0], []).append(each)
    lines: list[str] = []
    for section, own in found.items():
        told = _copied(own, aliases)
        if told is None:
            return None
        lines.append(f"<{section.name} {section.argument}>")
        lines += [*(f"    {each}" for each in told), f"</{section.name}>"]
    return lines


def _copied(directives: Sequence[Directive], aliases: Sequence[Alias]) -> list[str] | None:
    is_counted = any(map(_is_counting, directives))
    lines: list[str] = []
    conditions: list[Directive] = []
    for each in directives:
        if each.key == "rewritecond":
            conditions.append(each)
        elif each.key != "rewriterule":
            lines.append(as_one_line(each))
        else:
            rule = StayingRule(each, tuple(conditions), is_counted)
            compares = _compares(each, conditions, scope_sections(each))
            told = told_of_entries(rule, aliases) if compares else rule.as_it_is
            if told is None:
                return None
            lines, conditions = [*lines, *told], []
    return lines


def _only_of(alias: Alias, aliases: Sequence[Alias], section: Section) -> ComparedPath | None:
    """Return the subject of the URLs that an entry takes, and none before it."""
    subject = subject_of(alias, section)
    ahead = ahead_without(alias, aliases[: aliases.index(alias)])
    if subject is None or ahead is None:
        return None
    return replace(subject, uri=f"{ahead}{subject.uri}")
