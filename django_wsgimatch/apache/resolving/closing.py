"""
The URLs that access rules protect, as entries that refuse everybody.

Where the settings cannot say who is let in, closed is the safe side until somebody has decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, filterfalse

from ...aliases.alias import Alias, Denial, Redirection
from ...aliases.file_options import FileOptions
from ...aliases.table import kind_rank
from ..access.access_sections import CarriedSection, carried_sections, first_unfit
from ..access.carrying import AliasAccess, Readings, changes_logins, tells_of_access
from ..covering.access import SWITCHES, Layer, closing_rules
from ..covering.alias_lines import is_asked_late
from ..covering.coverage import Coverage, Reach, coverage
from ..covering.hosts import Host, Scope, index_names
from ..covering.indexes import Regions, ScopeIndex, reach_of_region
from ..covering.partial_aliases import (
    is_exact,
    region_of_scope,
    shared,
)
from ..lines.directive import Directive, places_of
from .closed import Closed, close_urls, closes_nothing, is_sent, taken_from, without_parts
from .programs import has_scripts_sent, often_run, program_rules, sending_rules
from .resolving import Resolver

Owned = tuple[Alias, Directive]
_NOBODY = "nobody is let in"
_SCRIPTS = ("wsgiscriptalias", "wsgiscriptaliasmatch")
# So many parts are held against each other only to tell that nobody is kept out.
_FEW_PARTS = 24
# What these do depends on other sections.
_NOT_ALONE = ("satisfy", "authmerging", *SWITCHES)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A part of an alias's URLs: where it is, what holds there, and what closes it."""

    alias: Alias
    scope: Scope
    holding: frozenset[int]
    rules: tuple[Directive, ...]

    @property
    def reach(self) -> Reach:
        return reach_of_region(self.alias)


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """An alias of a host, and the sections that hold for it or for a part of it."""

    host: Host
    alias: Alias
    directive: Directive
    scopes: list[tuple[Scope, Coverage]]


@dataclass(slots=True)
class Closer:
    """
    Closes what the rules of a server and its virtual hosts protect.

    With ``carries`` the rules that the settings can say are sections of access rules, and close
    nothing. ``met`` are the rules, by identity, that hold where some alias answers; ``stricter``
    are the URLs that rules open, and sections cannot: what is around them holds there, too.
    ``untold`` are handlers, by identity, that take scripts of which nobody knows from mod_wsgi.
    """

    resolver: Resolver
    carries: bool = False
    met: set[int] = field(default_factory=set)
    stricter: list[Closed] = field(default_factory=list)
    untold: set[int] = field(default_factory=set)
    _open: dict[int, bool] = field(default_factory=dict)

    def closed(self, host: Host) -> list[Closed]:
        """Return what is closed of the aliases that answer a host, in their order."""
        return self.judged(host)[0]

    def judged(self, host: Host) -> tuple[list[Closed], tuple[CarriedSection, ...]]:
        """Return what is closed for a host, and the sections that say the other rules."""
        servers = dict.fromkeys((host, self.resolver.main))
        scopes = [scope for server in servers for scope in server.scopes.values()]
        owned = [each for s in servers for each in s.aliases if not _is_direct(each[0])]
        owned.sort(key=lambda each: kind_rank(each[0]))
        telling = any(each.access or each.programs for each in servers)
        telling = telling or any(each.access or each.programs for each in scopes)
        is_part = self.resolver.is_part
        if not telling and not (is_part and any(_is_root(alias) for alias, _ in owned)):
            return [], ()
        looked, sections = self._carried(host, servers, owned)
        found = self._look(looked, Regions())
        first: dict[tuple[str, str], Closed] = {}
        for each in filterfalse(closes_nothing, found):
            first.setdefault((each.alias.kind, each.alias.location), each)
        return list(without_parts(first.values())), sections

    def _carried(
        self, host: Host, servers: Iterable[Host], aliases: Sequence[Owned]
    ) -> tuple[list[_Alias], tuple[CarriedSection, ...]]:
        """Return the aliases with what holds for them, and what the settings can say of that."""
        first: dict[tuple[str, str], Owned] = {}
        for owned in aliases:
            first.setdefault((owned[0].kind, owned[0].location), owned)
        # Such a redirect comes after the rules of its section, an entry's before all rules.
        carries = self.carries and not any(map(_is_late, (e for s in servers for e in s.aliases)))
        scopes = (scope for server in servers for scope in server.scopes.values())
        carries = carries and not all(map(self._is_plainly_open, scopes))
        carries = carries and not any(changes_logins(e) for s in servers for e in s.logins)
        main = self.resolver.main
        readings = Readings(main.server_root, host.speaks_tls(main), index_names(servers))
        cases = [_Case(host, *each, self.resolver.scopes(host, *each)) for each in first.values()]
        looked = [_Alias(self, each, readings, carries) for each in cases]
        if not carries:
            return looked, ()
        if not any(each.is_protected for each in looked):
            return [_Alias(self, each, readings, False) for each in cases], ()
        order = dict.fromkeys(scope for each in (main, host) for scope in each.scopes.values())
        while (unfit := first_unfit([e.access for e in looked], order, readings)) is not None:
            looked[unfit] = _Alias(self, cases[unfit], readings, False)
        return looked, tuple(carried_sections([e.access for e in looked], order, readings))

    def _is_plainly_open(self, scope: Scope) -> bool:
        """
        Whether a section keeps nobody out, wherever else it holds.

        Optimization: where all do, no alias is looked at twice, which took half of the time.
        """
        if id(scope) not in self._open:
            layers = [scope.access]
            is_plain = not any(each.key in _NOT_ALONE for each in scope.access)
            self._open[id(scope)] = is_plain and not closing_rules(layers, is_tls=False)
        return self._open[id(scope)]

    def _look(self, aliases: Iterable[_Alias], before: Regions) -> Iterator[Closed]:
        """Yield what is closed of aliases, and put what is open of them to what is before."""
        for looked in aliases:
            self.met |= looked.met
            self.stricter += looked.stricter()
            # Access rules are asked before what answers.
            for each in sorted(looked.closed(), key=is_sent):
                kept = taken_from(each, before)
                if kept is not None:
                    yield kept
            for opening in looked.openings if looked.rules else [looked.alias]:
                before.add(opening)


class _Alias:
    """
    One alias with the rules that hold for it or for parts of it.

    Where sections of access rules say what holds, only what they do not say is closed.
    """

    def __init__(self, closer: Closer, case: _Case, readings: Readings, carries: bool) -> None:
        host, alias, directive = case.host, case.alias, case.directive
        self._resolver = closer.resolver
        self._carries = closer.carries
        self.alias = alias
        main = self._resolver.main
        self._server = [main.access] if host is main else [main.access, host.access]
        self._is_tls = host.speaks_tls(main)
        self._is_files = isinstance(alias.answer, FileOptions)
        self._programs = [main.programs] if host is main else [main.programs, host.programs]
        self._may_be_sent = alias.answer is None and directive.key in _SCRIPTS
        held = [*self._programs, *(scope.programs for scope, _ in case.scopes)]
        self._may_be_sent &= any(has_scripts_sent(each) for layer in held for each in layer)
        scopes = [each for each in case.scopes if self._tells(each)]
        if _is_root(alias) and self._resolver.is_part:
            scopes.append((often_run(directive), "some"))
        self.met = {id(d) for layer in self._server for d in layer}
        self.met |= {id(d) for scope, _ in scopes for d in scope.access}
        self._order = [scope for scope, _ in scopes]
        # They hold for some requests of what is made of them only: they close, and never open.
        self._doubtful = {
            id(scope)
            for scope, covered in scopes
            if covered == "some" and not is_exact(alias, scope)
        }
        self._sure = frozenset(id(scope) for scope, covered in scopes if covered == "all")
        partial = [scope for scope, covered in scopes if covered == "some"]
        self._regions = {id(scope): region_of_scope(alias, scope) for scope in partial}
        untold = [e for e in partial if id(e) in self._doubtful or self._regions[id(e)] is None]
        closer.untold |= {id(each) for scope in untold for each in self._handlers(scope)}
        self.access = AliasAccess(readings, alias, scopes, self._regions, self._resolver.kind_of)
        is_clear = carries and not closing_rules(self._server, is_tls=self._is_tls)
        self.access.is_carried = is_clear and self.access.may_be_carried(directive)
        self.rules = self._closing(self._sure)
        self._is_whole = True
        self._close_untold(partial)
        told = [scope for scope in partial if self._regions[id(scope)] is not None]
        self._index = ScopeIndex(told)
        self._parts = {id(scope): self._part(scope) for scope in told}

    def _tells(self, held: tuple[Scope, Coverage]) -> bool:
        scope = held[0]
        is_said = tells_of_access(scope) if self._carries else bool(scope.access)
        return is_said or bool(scope.programs if self._is_files else self._handlers(scope))

    def _handlers(self, scope: Scope) -> list[Directive]:
        """Return what a section says of who runs the scripts of the alias."""
        return [e for e in scope.programs if self._may_be_sent and e.key == "sethandler"]

    @cached_property
    def is_protected(self) -> bool:
        """Whether somebody may be kept out of some of its URLs by rules that a section says."""
        holding = [self._sure, *(each.holding for each in self._parts.values())]
        if not self.access.is_carried or any(map(self._closing_layers, holding)):
            return self.access.is_carried
        if len(holding) > _FEW_PARTS:
            return True
        return any(self._closing_layers(one | other) for one, other in combinations(holding, 2))

    @property
    def openings(self) -> list[Alias]:
        """The parts of the alias that are open."""
        return [each.alias for each in self._parts.values() if self._is_opening(each)]

    def _is_opening(self, part: _Part) -> bool:
        return not part.rules and id(part.scope) not in self._doubtful

    def closed(self) -> Iterator[Closed]:
        """Yield what is closed of the alias: all of it but what is open, and what is closed."""
        parts = self._parts.values()
        if self.rules:
            is_broken = self._is_broken(self._sure)
            told = self.alias, self.openings, self.rules
            yield close_urls(*told, is_whole=self._is_whole, is_broken=is_broken)
        for part in parts:
            meeting = [each for each in self._near(part) if each is not part]
            openings = [each for each in meeting if self._is_opening(each)]
            # A rule of its own stays closed when what is around it has been decided on.
            is_own = not set(map(id, part.rules)) <= set(map(id, self.rules))
            if part.rules and (openings or is_own):
                through = [each.alias for each in openings if self._lets_through(part, each)]
                yield self._closed_part(part, through)
            elif not part.rules and not self.access.is_left_to_sections(part.scope):
                yield from self._closed_together(part, openings)

    def stricter(self) -> Iterator[Closed]:
        """Yield the parts that are open by themselves, and that no section opens."""
        for part in self._parts.values():
            is_unsaid = self.access.is_carried and id(part.scope) in self.access.unsaid
            if is_unsaid and not part.rules and not self.access.says(part.holding):
                yield Closed(part.alias, (*part.scope.access, *part.scope.logins))

    def _closed_part(self, part: _Part, openings: Sequence[Alias]) -> Closed:
        is_broken = self._is_broken(part.holding)
        found = close_urls(part.alias, openings, self._told(part), is_broken=is_broken)
        if not found.is_rule or not self.access.lets_nobody_in(part.holding):
            return found
        found = replace(found, rules=tuple(part.scope.access) or found.rules)
        note = f"{_NOBODY}: {places_of(found.spots)}"
        return replace(found, alias=replace(found.alias, answer=Denial(note)), is_final=True)

    def _is_broken(self, holding: frozenset[int]) -> bool:
        """Whether Apache answers 500 where all these hold."""
        return any(each.is_broken for each in self._holding(holding - self._doubtful))

    def _told(self, part: _Part) -> tuple[Directive, ...]:
        """Return the rules of a part, with how one logs in there where only that is its own."""
        is_unsaid = self.access.is_carried and id(part.scope) in self.access.unsaid
        is_own = not set(map(id, part.scope.access)).isdisjoint(map(id, part.rules))
        return part.rules if is_own or not is_unsaid else (*part.rules, *part.scope.logins)

    def _closed_together(self, part: _Part, others: Sequence[_Part]) -> Iterator[Closed]:
        """
        Yield what is closed of a part that is open by itself, where other open ones meet it.

        That is where one of them does, and all of the part where several have to or one entry
        cannot say where that is.
        """
        meeting = [(each, self._closing(part.holding | each.holding)) for each in others]
        regions = [(shared(part.alias, each.alias), rules) for each, rules in meeting if rules]
        several = self._closing_with_two(part, [each for each, rules in meeting if not rules])
        whole = several or next((rules for region, rules in regions if region is None), ())
        if whole:
            yield close_urls(part.alias, [], whole, is_whole=False)
            return
        for region, rules in regions:
            assert region is not None
            yield close_urls(region, [], rules, is_whole=False)

    def _closing_with_two(self, part: _Part, others: Sequence[_Part]) -> tuple[Directive, ...]:
        """Return what closes a part where two others meet it, of which none does by itself."""
        if len(others) > _FEW_PARTS:
            return ()
        for one, other in combinations(others, 2):
            if rules := self._closing(part.holding | one.holding | other.holding):
                return rules
        return ()

    def _lets_through(self, part: _Part, other: _Part) -> bool:
        is_around = id(other.scope) in part.holding
        return not is_around and not self._closing(part.holding | other.holding)

    def _close_untold(self, partial: Iterable[Scope]) -> None:
        """Close all of the alias where a rule closes a part of it that no entry can name."""
        for scope in partial:
            if self._regions[id(scope)] is None:
                rules = self._closing(self._sure | {id(scope)})
                if rules and not all(map(has_scripts_sent, rules)):
                    self._is_whole = self._is_whole and bool(self.rules)
                    self._sure |= {id(scope)}
                    self._doubtful |= {id(scope)}
                    self.rules = rules

    def _part(self, scope: Scope) -> _Part:
        alias = self._regions[id(scope)]
        assert alias is not None
        reach = reach_of_region(alias)
        near = self._index.near(reach).values()
        around = {id(each) for each in near if _covers(each, scope, reach)}
        holding = self._sure | around | {id(scope)}
        return _Part(alias, scope, holding, self._closing(holding))

    def _near(self, part: _Part) -> list[_Part]:
        near = self._index.near(part.reach).values()
        return [self._parts[id(s)] for s in near if coverage(s.sections, part.reach) != "none"]

    def _closing(self, holding: frozenset[int]) -> tuple[Directive, ...]:
        doubtful = holding & self._doubtful
        firm = holding - doubtful
        found = self._closing_firmly(firm)
        for each in () if found else doubtful:
            found = found or self._closing_firmly(firm | {each})
        return found or self._sending(firm)

    def _sending(self, holding: frozenset[int]) -> tuple[Directive, ...]:
        """Return what takes the scripts from mod_wsgi where all these hold for certain."""
        layers = [*self._programs, *(each.programs for each in self._holding(holding))]
        return sending_rules(layers) if self._may_be_sent else ()

    def _closing_firmly(self, holding: frozenset[int]) -> tuple[Directive, ...]:
        found = () if self.access.says(holding) else self._closing_layers(holding)
        if found or not self._is_files:
            return found
        return program_rules([*self._programs, *(e.programs for e in self._holding(holding))])

    def _closing_layers(self, holding: frozenset[int]) -> tuple[Directive, ...]:
        """Return the access rules that keep somebody out where all these hold."""
        layers: list[Layer] = [*self._server, *(e.access for e in self._holding(holding))]
        return closing_rules(layers, is_tls=self._is_tls)

    def _holding(self, holding: frozenset[int]) -> list[Scope]:
        return [scope for scope in self._order if id(scope) in holding]


def _is_late(owned: Owned) -> bool:
    """Whether an entry that redirects stands in a section."""
    alias, directive = owned
    return isinstance(alias.answer, Redirection) and is_asked_late(directive)


def _is_root(alias: Alias) -> bool:
    return isinstance(alias.answer, FileOptions) and alias.answer.is_root


def _is_direct(alias: Alias) -> bool:
    """Whether an entry answers whatever access rules say, or closes itself."""
    return isinstance(alias.answer, Redirection | Denial)


def _covers(scope: Scope, part: Scope, reach: Reach) -> bool:
    """Whether a section holds wherever a part of an alias is that another one stands for."""
    if scope.sections[0].argument == part.sections[0].argument and len(scope.sections) == 1:
        return scope.sections[0].name == part.sections[0].name
    return coverage(scope.sections, reach) == "all"
