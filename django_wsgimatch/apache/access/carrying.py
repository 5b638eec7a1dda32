"""
Which access rules of Apache the settings can say exactly: as sections of WSGIMATCH_ACCESS.

What they cannot say of some URLs stays closed there, as if nobody were let in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations
from typing import Literal

from ...aliases.access.requirements import Demand, Demands
from ...aliases.access.rules import AccessRules, HostRules, Login, merge_rules
from ...aliases.access.sections import AccessSection, compile_section
from ...aliases.alias import Alias
from ...aliases.file_options import FileOptions
from ...aliases.patterns.pcre.measures import shortest
from ...aliases.patterns.pcre.parser import parse
from ...entry_options.said_access import said_section
from ...exceptions import DirectiveError, WSGIMatchError
from ..covering.access_rules import lets_all_come, read_rules
from ..covering.coverage import (
    DIRECTORIES,
    FILES,
    LOCATIONS,
    Coverage,
    FileKinds,
    coverage,
    is_wildcard,
    reach_of_name,
    section_pattern,
)
from ..covering.hosts import Scope
from ..covering.partial_aliases import from_wildcard
from ..lines.directive import Directive, Section

GRANTED = Demands("any", (Demand("all", ("granted",), is_granted=True),))
NO_HOST_RULES = HostRules()
# What a table can have in the order of the lines.
_CARRIED = ("wsgiscriptalias", "wsgiscriptaliasmatch", "alias", "aliasmatch", "documentroot")
# Apache's fnmatch() takes these in ways of its own.
_ODD_WILDCARDS = frozenset("[\\")
_LOGIN = ("kind", "realm", "users", "groups")
# Of so many sections each may hold with any others.
_FEW_SECTIONS = 6

Place = tuple[Literal["plain", "match"], str]


@dataclass(slots=True)
class Readings:
    """
    What the sections of a host say of access, each read once.

    ``server_root`` is what relative paths belong to; ``is_tls`` says that nothing but TLS is
    spoken, ``index`` are the names that index files may have. ``reasons`` is why the settings
    cannot say what a section does, by its identity.
    """

    server_root: str
    is_tls: bool
    index: tuple[str, ...] = ()
    reasons: dict[int, str] = field(default_factory=dict)
    _kept: dict[int, AccessRules | None] = field(default_factory=dict)

    def of(self, scope: Scope) -> AccessRules | None:
        """Return what a section says, None where the settings cannot say it."""
        if id(scope) not in self._kept:
            self._kept[id(scope)] = self._read(scope)
        return self._kept[id(scope)]

    def _read(self, scope: Scope) -> AccessRules | None:
        try:
            rules = read_rules(
                scope.access, scope.logins, server_root=self.server_root, is_tls=self.is_tls
            )
            if rules.merging in ("and", "or") or (rules.merging and rules.demands is None):
                raise DirectiveError("AuthMerging goes by the kinds of sections")
            if said_section(AccessSection("/", rules)) is None and rules != AccessRules():
                raise DirectiveError("its words or paths cannot be written")
        except DirectiveError as error:
            self.reasons[id(scope)] = str(error)
            return None
        return replace(rules, merging=None)

    def merged(self, scopes: Iterable[Scope]) -> AccessRules:
        """Return what sections that can be said say together, without what is said for nothing."""
        found = (self.of(each) for each in scopes)
        return effective(merge_rules(each for each in found if each is not None))


def tells_of_access(scope: Scope) -> bool:
    """Whether a section says something of who is let in, or of how one logs in."""
    return bool(scope.access or scope.logins)


def changes_logins(directive: Directive) -> bool:
    """Whether something outside of sections changes what a login means: FakeBasicAuth does."""
    return directive.key == "ssloptions"


def may_carry(alias: Alias, directive: Directive) -> bool:
    """Whether the URLs of an alias can be named in a section as they are in the table."""
    if directive.key not in _CARRIED and not _leads_to_files(alias, directive):
        return False
    kind, location = place_of(alias)
    if said_section(AccessSection(location, AccessRules(GRANTED), kind)) is None:
        return False
    if kind == "plain":
        return _is_plain(location)
    try:
        compile_section(AccessSection(location, AccessRules(), "match"))
        # An empty match is none for an alias, and one for a section.
        return shortest(parse(alias.location).tree) > 0
    except WSGIMatchError:
        return False


def _leads_to_files(alias: Alias, directive: Directive) -> bool:
    """Whether a rule of mod_rewrite leads to files: sections see the URL as it was."""
    return directive.key == "rewriterule" and isinstance(alias.answer, FileOptions)


def place_of(alias: Alias) -> Place:
    """Return the URLs of an alias as a section has them."""
    return alias.kind, alias.location


def place_of_location(section: Section) -> Place | None:
    """Return the URLs of a <Location> or <LocationMatch>, None where they cannot be said."""
    text, is_pattern = section_pattern(section)
    if not is_pattern and not is_wildcard(text):
        return ("plain", text) if _is_plain(text) else None
    if not is_pattern:
        if not text.startswith("/") or "//" in text or _ODD_WILDCARDS.intersection(text):
            return None
        text = from_wildcard(text)
    try:
        compile_section(AccessSection(text, AccessRules(), "match"))
    except WSGIMatchError:
        return None
    return "match", text


def _is_plain(location: str) -> bool:
    return location.startswith("/") and "//" not in location and not is_wildcard(location)


def is_location(scope: Scope) -> bool:
    """Whether a section compares with the URL, and with nothing else."""
    return len(scope.sections) == 1 and scope.sections[0].key in LOCATIONS


def can_be_said(
    readings: Readings, scope: Scope, covered: Coverage, region: Alias | None, kind_of: FileKinds
) -> bool:
    """
    Whether a section can be said of exactly those URLs of an alias that it holds for.

    ``region`` is where a section holds for a part of the alias.
    """
    if readings.of(scope) is None or any("${" in each.argument for each in scope.sections):
        return False
    if is_location(scope):
        place = place_of_location(scope.sections[0])
        if place is None:
            return False
        return said_section(AccessSection(place[1], AccessRules(GRANTED), place[0])) is not None
    if covered == "all":
        return True
    if region is None or len(scope.sections) > 1 or scope.sections[0].key not in DIRECTORIES:
        return False
    text, is_pattern = section_pattern(scope.sections[0])
    # Of a file that is called as a folder the section holds for some URLs only.
    is_known = not is_pattern and not is_wildcard(text) and kind_of(text) != "file"
    return is_known and region.kind == "plain" and _is_plain(region.location)


def effective(rules: AccessRules) -> AccessRules:
    """Return rules without what is said for nothing, to be compared."""
    demands, host_rules, login = rules.demands, rules.host_rules, rules.login
    is_granted = demands is None or replace(demands, limit=None) == GRANTED
    if login.kind in (None, "None") and is_granted:
        demands, login = None, Login()
    if host_rules is not None and host_rules.satisfy != "any" and lets_all_come(host_rules):
        host_rules = None
    require_ssl, methods = rules.require_ssl or None, rules.allow_methods or None
    return AccessRules(demands, None, login, host_rules, require_ssl, methods)


def lets_nobody_in(rules: AccessRules) -> bool:
    """Whether nobody is let in, whoever it is and from wherever."""
    demands, host_rules = rules.demands, rules.host_rules
    if any(each is not None and each.limit for each in (demands, host_rules)):
        return False
    is_denied = demands is not None and all(map(_is_denied, demands.members))
    is_shut = host_rules is not None and _lets_none_come(host_rules)
    is_any = host_rules is not None and host_rules.satisfy == "any"
    return (is_denied and is_shut) if is_any else (is_denied or is_shut)


def _is_denied(demand: Demand | Demands) -> bool:
    is_all = isinstance(demand, Demand) and demand.kind == "all" and not demand.is_negated
    return is_all and isinstance(demand, Demand) and not demand.is_granted


def _is_as_strict(rules: AccessRules, before: AccessRules) -> bool:
    """Whether rules keep out all whom they keep out by themselves, where others come before."""
    demands, host_rules = rules.demands, rules.host_rules
    if _is_any(host_rules) and (demands is None or demands.limit):
        return False
    if demands is None:
        return True
    is_taken_back = host_rules is not None and not host_rules.limit
    login, left = rules.login, before.login
    is_complete = all(getattr(left, n) is None or getattr(login, n) is not None for n in _LOGIN)
    return is_complete and (is_taken_back or not _is_any(before.host_rules))


def _is_any(rules: HostRules | None) -> bool:
    return rules is not None and rules.satisfy == "any"


def _lets_none_come(rules: HostRules) -> bool:
    is_all_denied = any(each.is_all for each in rules.deny)
    if rules.order == "deny,allow":
        return is_all_denied and not rules.allow
    return is_all_denied or not rules.allow


def is_open(rules: AccessRules) -> bool:
    """Whether rules let everybody in, and have nobody log in."""
    return effective(rules) == AccessRules()


def rules_in(scopes: Sequence[Scope]) -> tuple[Directive, ...]:
    """Return the directives of sections that say something of access."""
    return tuple(each for scope in scopes for each in (*scope.access, *scope.logins))


class AliasAccess:
    """
    What sections of access rules can say of one alias.

    ``scopes`` are the sections that hold for it or for a part of it, in Apache's order;
    ``regions`` are the URLs of the parts, by the identity of the section. ``unsaid`` are those
    that cannot be said of just the URLs that they hold for. ``is_carried`` says that sections say
    all that holds, but for parts that are closed by themselves.
    """

    def __init__(
        self,
        readings: Readings,
        alias: Alias,
        scopes: Sequence[tuple[Scope, Coverage]],
        regions: Mapping[int, Alias | None],
        kind_of: FileKinds,
    ) -> None:
        self.alias = alias
        self.is_carried = False
        self._readings = readings
        self._regions = regions
        self._order = [scope for scope, _ in scopes if tells_of_access(scope)]
        self._sure = frozenset(id(scope) for scope, covered in scopes if covered == "all")
        self.unsaid = frozenset(
            id(scope)
            for scope, covered in scopes
            if tells_of_access(scope)
            and not can_be_said(readings, scope, covered, regions.get(id(scope)), kind_of)
        )
        self.unsaid -= self._said_of_more_urls()

    def _said_of_more_urls(self) -> frozenset[int]:
        """
        Return the one section that goes by names, where it may hold for more URLs than in Apache.

        It may where all before it lets everybody in, and nothing after it builds on it: wherever it
        holds, it opens nothing. What lets nobody in is closed by itself, before anything is asked.
        """
        unsaid = [each for each in self._order if id(each) in self.unsaid]
        if any(self._readings.of(each) is None for each in unsaid):
            return frozenset()
        shut = {id(each) for each in unsaid if lets_nobody_in(self._readings.merged([each]))}
        found = [each for each in unsaid if id(each) not in shut]
        if len(found) != 1 or not self._goes_by_names(found[0]):
            return frozenset()
        others = [each for each in self._order if id(each) not in shut]
        place = others.index(found[0])
        is_safe = self._are_open(others[:place]) and all(
            _is_as_strict(self._readings.merged([each]), self._readings.merged(found))
            for each in others[place + 1 :]
        )
        return frozenset([id(found[0])]) if is_safe else frozenset()

    def _goes_by_names(self, scope: Scope) -> bool:
        """Whether the URLs tell all that a <Files> holds for: that of a folder tells no index."""
        *around, last = scope.sections
        is_of_files = last.key in FILES and all(each.key in DIRECTORIES for each in around)
        names = self._readings.index if isinstance(self.alias.answer, FileOptions) else ()
        is_of_index = any(coverage((last,), reach_of_name(each)) != "none" for each in names)
        is_literal = not any("${" in each.argument for each in scope.sections)
        return is_of_files and is_literal and not is_of_index and self._region_of(scope) is not None

    def _region_of(self, scope: Scope) -> Alias | None:
        return self._regions.get(id(scope))

    def _are_open(self, scopes: Sequence[Scope]) -> bool:
        """Whether everybody is let in, whichever of these sections hold."""
        if len(scopes) > _FEW_SECTIONS or any(self._readings.of(each) is None for each in scopes):
            return False
        sure = {id(each) for each in scopes} & self._sure
        partial = [id(each) for each in scopes if id(each) not in self._sure]
        holdings = chain.from_iterable(
            combinations(partial, count) for count in range(len(partial) + 1)
        )
        return all(is_open(self._merged(frozenset({*sure, *each}))) for each in holdings)

    def may_be_carried(self, directive: Directive) -> bool:
        """Whether sections can say all that holds, but for parts that can be closed."""
        if not may_carry(self.alias, directive) or self.unsaid & self._sure:
            return False
        partial = [scope for scope in self._order if id(scope) not in self._sure]
        untold = [scope for scope in partial if self._regions[id(scope)] is None]
        if self.unsaid and any(id(scope) not in self.unsaid for scope in untold):
            # Where it meets one that is closed is not known.
            return False
        hidden = [scope for scope in untold if id(scope) in self.unsaid]
        return all(self._makes_no_difference(each, partial) for each in hidden)

    def _makes_no_difference(self, hidden: Scope, partial: Iterable[Scope]) -> bool:
        """Whether a section of which nobody knows where it holds says nothing new anywhere."""
        return self._readings.of(hidden) is not None and all(
            self._merged(holding | {id(hidden)}) == self._merged(holding)
            for holding in (self._sure, *(self._sure | {id(each)} for each in partial))
        )

    def _merged(self, holding: frozenset[int]) -> AccessRules:
        return self._readings.merged(each for each in self._order if id(each) in holding)

    def says(self, holding: frozenset[int]) -> bool:
        """Whether sections of access rules say what these of Apache say together."""
        if not self.is_carried:
            return False
        unsaid = holding & self.unsaid
        if any(id(e) in unsaid and self._readings.of(e) is None for e in self._order):
            return False
        return not unsaid or self._merged(holding) == self._merged(holding - unsaid)

    def lets_nobody_in(self, holding: frozenset[int]) -> bool:
        """Whether nobody is let in where all these hold, as far as they can be read."""
        found = [each for each in self._order if id(each) in holding]
        are_read = all(self._readings.of(each) is not None for each in found)
        return self.is_carried and are_read and lets_nobody_in(self._readings.merged(found))

    def is_left_to_sections(self, scope: Scope) -> bool:
        """Whether what a section says is said, and closes nothing."""
        return self.is_carried and self._is_sayable(scope)

    def _is_sayable(self, scope: Scope) -> bool:
        return tells_of_access(scope) and id(scope) not in self.unsaid

    @property
    def base(self) -> list[Scope]:
        """The sections that hold for all of the alias, but those that compare with the URL."""
        return [e for e in self._order if id(e) in self._sure and not is_location(e)]

    def base_after(self, scope: Scope) -> list[Scope]:
        """Return those of the base that Apache merges over a section."""
        turn = {id(each): number for number, each in enumerate(self._order)}
        return [each for each in self.base if turn[id(each)] > turn[id(scope)]]

    @property
    def exact_parts(self) -> list[tuple[Scope, Alias]]:
        """The folders that hold a part of the alias, each with its URLs."""
        found = [(each, self._regions.get(id(each))) for each in self._order]
        return [
            (scope, region)
            for scope, region in found
            if region is not None and not is_location(scope) and self._is_sayable(scope)
        ]

    @property
    def locations(self) -> list[Scope]:
        """The sections that compare with the URL, and can be said."""
        return [each for each in self._order if is_location(each) and self._is_sayable(each)]
