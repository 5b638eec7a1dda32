"""
The URLs that access rules protect, as entries that refuse everybody.

An import cannot say who is let in; until somebody has decided, closed is the safe side.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import filterfalse

from ...aliases.alias import ACCESS_RULE, Alias, Denial, Redirection
from ...aliases.file_options import FileOptions
from ...aliases.table import kind_rank
from ..covering.access import BARRING, RULES, Layer, closing_rules
from ..covering.coverage import Coverage, Reach, coverage
from ..covering.hosts import Host, Scope
from ..covering.indexes import Regions, ScopeIndex, in_words, reach_of_region
from ..covering.partial_aliases import excluded, is_exact, region_of_scope
from ..lines.directive import Directive, Spot, places_of
from .programs import often_run, program_rules
from .resolving import Resolver

Owned = tuple[Alias, Directive]
_PROGRAMS = "Apache may run these files, and here clients would read them"
# A lookahead with at most one level of groups in it.
_AHEAD = re.compile(r"\(\?=((?:[^()\\]|\\.|\([^()]*\))*)\)")
UNTOLD = "for some of these URLs; which ones cannot be determined"


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """
    URLs that are closed: the entry that says so, and the rules that it stands for.

    ``is_whole`` says that the rules hold for all these URLs, as far as can be told.
    """

    alias: Alias
    rules: tuple[Directive, ...]
    is_whole: bool = True

    @property
    def spots(self) -> tuple[Spot, ...]:
        """Where the rules stand."""
        return tuple(dict.fromkeys(each.spot for each in self.rules))

    @property
    def urls(self) -> str:
        return in_words(self.alias)

    @property
    def is_rule(self) -> bool:
        """Whether an access rule is the reason, and not that Apache runs files."""
        return isinstance(self.alias.answer, Denial) and self.alias.answer.is_undecided


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


@dataclass(slots=True)
class Closer:
    """
    Closes what the rules of a server and its virtual hosts protect.

    ``met`` are the rules, by identity, that hold where some alias answers.
    """

    resolver: Resolver
    met: set[int] = field(default_factory=set)

    def closed(self, host: Host) -> list[Closed]:
        """Return what is closed of the aliases that answer a host, in their order."""
        servers = dict.fromkeys((host, self.resolver.main))
        scopes = [scope for server in servers for scope in server.scopes.values()]
        owned = [each for s in servers for each in s.aliases if not _is_direct(each[0])]
        owned.sort(key=lambda each: kind_rank(each[0]))
        telling = any(each.access or each.programs for each in servers)
        telling = telling or any(each.access or each.programs for each in scopes)
        is_part = self.resolver.is_part
        if not telling and not (is_part and any(_is_root(alias) for alias, _ in owned)):
            return []
        before = Regions()
        found = self._look(host, owned, before)
        first: dict[tuple[str, str], Closed] = {}
        for each in filterfalse(_is_empty, found):
            first.setdefault((each.alias.kind, each.alias.location), each)
        return list(_without_parts(first.values()))

    def _look(self, host: Host, aliases: Sequence[Owned], before: Regions) -> Iterator[Closed]:
        """Yield what is closed of aliases, and put what is open of them to what is before."""
        first: dict[tuple[str, str], Owned] = {}
        for owned in aliases:
            first.setdefault((owned[0].kind, owned[0].location), owned)
        for alias, directive in first.values():
            looked = _Alias(self, host, alias, directive)
            self.met |= looked.met
            for each in looked.closed():
                kept = _taken_from(each, before)
                if kept is not None:
                    yield kept
            for opening in looked.openings if looked.rules else [alias]:
                before.add(opening)


class _Alias:
    """One alias with the rules that hold for it or for parts of it."""

    def __init__(self, closer: Closer, host: Host, alias: Alias, directive: Directive) -> None:
        self._resolver = closer.resolver
        self._alias = alias
        main = self._resolver.main
        self._server = [main.access] if host is main else [main.access, host.access]
        self._is_tls = bool(main.is_tls if host.is_tls is None else host.is_tls)
        self._is_files = isinstance(alias.answer, FileOptions)
        self._programs = [main.programs] if host is main else [main.programs, host.programs]
        found = self._resolver.scopes(host, alias, directive)
        scopes = [each for each in found if self._tells(each)]
        if _is_root(alias) and self._resolver.is_part:
            scopes.append((often_run(directive), "some"))
        self.met = {id(d) for layer in self._server for d in layer}
        self.met |= {id(d) for scope, _ in scopes for d in scope.access}
        self._order = [scope for scope, _ in scopes]
        # They hold for some requests of what is made of them only: they close, and never open.
        self._doubtful = {
            id(scope) for scope, covered in scopes if covered == "some" and not is_exact(scope)
        }
        self._sure = frozenset(id(scope) for scope, covered in scopes if covered == "all")
        self.rules = self._closing(self._sure)
        self._is_whole = True
        partial = [scope for scope, covered in scopes if covered == "some"]
        self._regions = {id(scope): region_of_scope(alias, scope) for scope in partial}
        self._close_untold(partial)
        told = [scope for scope in partial if self._regions[id(scope)] is not None]
        self._index = ScopeIndex(told)
        self._parts = {id(scope): self._part(scope) for scope in told}

    def _tells(self, held: tuple[Scope, Coverage]) -> bool:
        return bool(held[0].access or (self._is_files and held[0].programs))

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
            yield _closed(self._alias, self.openings, self.rules, is_whole=self._is_whole)
        for part in parts:
            meeting = [each for each in self._near(part) if each is not part]
            openings = [each for each in meeting if self._is_opening(each)]
            # A rule of its own stays closed when what is around it has been decided on.
            is_own = not set(map(id, part.rules)) <= set(map(id, self.rules))
            if part.rules and (openings or is_own):
                through = [each.alias for each in openings if self._lets_through(part, each)]
                yield _closed(part.alias, through, part.rules)
            elif not part.rules:
                yield from self._closed_together(part, openings)

    def _closed_together(self, part: _Part, others: Iterable[_Part]) -> Iterator[Closed]:
        """Yield a part that is open by itself, where another open one meets it and closes it."""
        for other in others:
            if rules := self._closing(part.holding | other.holding):
                yield _closed(part.alias, [], rules, is_whole=False)
                return

    def _lets_through(self, part: _Part, other: _Part) -> bool:
        is_around = id(other.scope) in part.holding
        return not is_around and not self._closing(part.holding | other.holding)

    def _close_untold(self, partial: Iterable[Scope]) -> None:
        """Close all of the alias where a rule closes a part of it that no entry can name."""
        for scope in partial:
            if self._regions[id(scope)] is None:
                rules = self._closing(self._sure | {id(scope)})
                if rules:
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
        return found

    def _closing_firmly(self, holding: frozenset[int]) -> tuple[Directive, ...]:
        layers: list[Layer] = [*self._server]
        holding_scopes = [scope for scope in self._order if id(scope) in holding]
        layers += [scope.access for scope in holding_scopes]
        found = closing_rules(layers, is_tls=self._is_tls)
        if found or not self._is_files:
            return found
        return program_rules([*self._programs, *(scope.programs for scope in holding_scopes)])


def _is_empty(closed: Closed) -> bool:
    """Whether nothing is closed: the URLs of a script among files are not those files'."""
    aheads = _AHEAD.findall(closed.alias.location)
    return any(f"(?!{text})" in closed.alias.location for text in aheads)


def _is_root(alias: Alias) -> bool:
    return isinstance(alias.answer, FileOptions) and alias.answer.is_root


def _is_direct(alias: Alias) -> bool:
    """Whether an entry answers whatever access rules say, or closes itself."""
    return isinstance(alias.answer, Redirection | Denial)


def _taken_from(closed: Closed, before: Regions) -> Closed | None:
    """Return what is closed without what open aliases before it answer, None if nothing is left."""
    if before.covers(closed.alias):
        return None
    others = [Alias(e.location, "", e.kind) for e in before.meeting(reach_of_region(closed.alias))]
    return replace(closed, alias=_without(closed.alias, others)) if others else closed


def _without_parts(found: Collection[Closed]) -> Iterator[Closed]:
    """Yield what is closed, but no part of what the same rules close by a prefix."""
    plain = {each.alias.location: each for each in found if each.alias.kind == "plain"}
    for each in found:
        prefixes = reach_of_region(each.alias).prefixes
        around = [_around(prefix, plain, each) for prefix in prefixes or ()]
        if not around or not all(around):
            yield each


def _around(prefix: str, plain: Mapping[str, Closed], part: Closed) -> bool:
    """Whether all that begins with a prefix is closed by the rules that close a part of it."""
    starts = (prefix[:end] for end in range(1, len(prefix) + 1))
    return any(
        plain[each] is not part
        and (each.endswith("/") or prefix[len(each) :].startswith("/"))
        and set(map(id, part.rules)) <= set(map(id, plain[each].rules))
        for each in starts
        if each in plain
    )


def _closed(
    alias: Alias,
    openings: Sequence[Alias],
    rules: tuple[Directive, ...],
    *,
    is_whole: bool = True,
) -> Closed:
    alias = _without(Alias(alias.location, "", alias.kind), openings)
    return Closed(replace(alias, answer=Denial(_note(rules, is_whole))), rules, is_whole)


def _note(rules: Sequence[Directive], is_whole: bool) -> str:
    places = places_of(dict.fromkeys(each.spot for each in rules))
    reason = ACCESS_RULE if any(each.key in (*RULES, *BARRING) for each in rules) else _PROGRAMS
    return f"{reason}: {places}" + ("" if is_whole else f" ({UNTOLD})")


def _without(alias: Alias, openings: Sequence[Alias]) -> Alias:
    """Return an alias without the URLs of others; with them where one entry cannot say that."""
    for each in openings:
        narrower = excluded(alias, each)
        alias = alias if narrower is None else narrower
    return alias


def _covers(scope: Scope, part: Scope, reach: Reach) -> bool:
    """Whether a section holds wherever a part of an alias is that another one stands for."""
    if scope.sections[0].argument == part.sections[0].argument and len(scope.sections) == 1:
        return scope.sections[0].name == part.sections[0].name
    return coverage(scope.sections, reach) == "all"
