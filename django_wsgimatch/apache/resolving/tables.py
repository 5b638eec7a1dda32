"""From Apache's virtual hosts to tables by the name of a host."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import filterfalse

from ...aliases.access.sections import AccessSection
from ...aliases.alias import Alias, Rewriting
from ..access.access_sections import CarriedSection
from ..covering.around import without_surroundings
from ..covering.hosts import Host
from ..covering.indexes import may_share
from ..lines.directive import Directive, Spot
from ..outcomes.outcome import Ledger
from ..rewriting.plain_rules import PlainRules
from .closed import Closed
from .closing import Closer
from .files import is_inherited
from .host_table import HostTable, urls_of_closed
from .index_files import without_closed_index
from .one_address import note_other_address
from .resolving import ResolvedAlias, Resolver

_WILDCARDS = "*?["
_NEEDS_NO_NAME = "the host needs no list: the entries for all hosts answer it"
ANY = "*"
_MOUNTS = ("alias", "aliasmatch")


@dataclass(slots=True)
class Tables:
    """
    The entries of all hosts, and those of some: patterns as in ALLOWED_HOSTS, in order.

    What access rules protect is ``closed``, before the entries of the same hosts; ``access`` are
    the sections that say the rules which can be said, and close nothing; ``met`` are the rules, by
    identity, that hold for some alias; ``stricter`` are URLs that a rule opens, and no section.

    ``same_as`` names, for a pattern, an earlier one with the very same entries. ``server_name``
    is the one name in group names, None where there are several or none; ``named_by`` is where it
    stands. ``plain_http`` is what answers over plain HTTP before all of them.
    """

    entries: list[ResolvedAlias]
    hosts: dict[str, list[ResolvedAlias]] = field(default_factory=dict)
    closed: list[Closed] = field(default_factory=list)
    hosts_closed: dict[str, list[Closed]] = field(default_factory=dict)
    access: tuple[CarriedSection, ...] = ()
    hosts_access: dict[str, tuple[CarriedSection, ...]] = field(default_factory=dict)
    same_as: dict[str, str] = field(default_factory=dict)
    spots: dict[str, Spot] = field(default_factory=dict)
    met: frozenset[int] = frozenset()
    untold: frozenset[int] = frozenset()
    stricter: tuple[Closed, ...] = ()
    server_name: str | None = None
    named_by: tuple[Directive, ...] = ()
    plain_http: PlainRules = field(default_factory=PlainRules)

    def opened(self) -> Tables:
        """Return the tables with nothing closed but what Apache runs."""
        kept = {p: [*filterfalse(_is_rule, each)] for p, each in self.hosts_closed.items()}
        closed = [*filterfalse(_is_rule, self.closed)]
        return replace(self, closed=closed, hosts_closed=kept)

    def all_closed(self) -> Iterator[tuple[str | None, Closed]]:
        """Yield what is closed, each with the pattern of its hosts, None for every host."""
        for pattern, closed in self.hosts_closed.items():
            yield from ((pattern, each) for each in closed if pattern not in self.same_as)
        yield from ((None, each) for each in self.closed)

    def all_access(self) -> Iterator[tuple[tuple[str, ...], tuple[CarriedSection, ...]]]:
        """
        Yield lists of sections, each with the patterns of the hosts that it is for.

        Without any it is for all requests; ``*`` stands for hosts that fit no other pattern.
        """
        alike: dict[tuple[AccessSection, ...], tuple[list[str], tuple[CarriedSection, ...]]] = {}
        for pattern, carried in self.hosts_access.items():
            key = tuple(each.section for each in carried)
            alike.setdefault(key, ([], carried))[0].append(pattern)
        if self.hosts and ANY not in self.hosts:
            key = tuple(each.section for each in self.access)
            alike.setdefault(key, ([], self.access))[0].append(ANY)
        for patterns, carried in alike.values():
            yield tuple(patterns), carried
        if not self.hosts:
            yield (), self.access

    def all_entries(self) -> list[ResolvedAlias]:
        """Return every entry once, in the order in which they are written."""
        own = [
            each for p, entries in self.hosts.items() if p not in self.same_as for each in entries
        ]
        return [*own, *self.entries]

    def all_scripts(self) -> list[ResolvedAlias]:
        """Return every entry that an application answers, in the same order."""
        return [each for each in self.all_entries() if each.alias.answer is None]


def _is_rule(closed: Closed) -> bool:
    return closed.is_rule


def _has_wildcard(name: str) -> bool:
    return "*" in name or "?" in name


def _fits(glob: str, name: str) -> bool:
    """Mirror ap_strcasecmp_match(): a star is any text, a question mark any character."""
    if glob.startswith("*") and not _has_wildcard(glob[1:]):
        return name.endswith(glob[1:])
    return fnmatchcase(name, glob.replace("[", "[[]"))


def build_tables(resolver: Resolver, hosts: Sequence[Host], *, carries: bool = False) -> Tables:
    """
    Return who answers which host. What cannot be told by a name is noted as the user's.

    With ``carries`` the access rules that the settings can say are sections, and close nothing.
    """
    return _Builder(resolver, hosts, carries=carries).tables()


class _Builder:
    def __init__(self, resolver: Resolver, hosts: Sequence[Host], *, carries: bool) -> None:
        self._resolver = resolver
        self._ledger: Ledger = resolver.ledger
        self._closer = Closer(resolver, carries)
        self._main_closed, self._main_access = self._closer.judged(resolver.main)
        main = [*self._rewrites(resolver.main), *self._resolve(resolver.main, resolver.main)]
        self._main = without_closed_index(main, self._main_closed)
        self._tables = [self._table(host) for host in hosts]
        # The first virtual host of an address answers what no other one of it is called.
        self._defaults: dict[str, HostTable] = {}
        # Of tables that differ by address, by the identities of these, the one that has them all.
        self._united: dict[tuple[int, ...], HostTable] = {}
        # By pattern and address the first virtual host that is called so.
        self._claims: dict[str, dict[str, HostTable]] = {}
        # By address the names with wildcards, each with the place of its virtual host.
        self._wild: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self._place = {id(table): place for place, table in enumerate(self._tables)}
        for place, table in enumerate(self._tables):
            patterns = [pattern for pattern, _ in self._patterns(table.host)]
            for address in table.host.addresses:
                self._defaults.setdefault(address, table)
                wild = (name for name, _ in table.host.names if _has_wildcard(name))
                self._wild[address] += ((place, name) for name in wild)
                for pattern in patterns:
                    self._claims.setdefault(pattern, {}).setdefault(address, table)

    def tables(self) -> Tables:
        tables = self._found()
        tables.met, tables.untold = frozenset(self._closer.met), frozenset(self._closer.untold)
        tables.stricter = tuple(self._closer.stricter)
        self._note_names(tables)
        return tables

    def _found(self) -> Tables:
        if not self._tables:
            tables = Tables(self._main, closed=self._main_closed, access=self._main_access)
            return self._named(tables, self._resolver.main)
        default = self._answering(None)
        named = self._with_bare_names({name: self._answering(name) for name in self._claims})
        says = default.says()
        if all(table is default or table.says() == says for table in named.values()):
            tables = Tables(default.all, closed=default.closed, access=default.access)
            return self._named(tables, default.host)
        return self._by_name(named, default)

    def _by_name(self, named: dict[str, HostTable], default: HostTable) -> Tables:
        # A virtual host has the rules of mod_rewrite of the main server only if it asks for them.
        main = [each for each in self._main if each.directive.key != "rewriterule"]
        tables = Tables(main, closed=self._main_closed, access=self._main_access if main else ())
        if self._own(default) and ANY not in named:
            named = {**named, ANY: default}
        is_hidden = ANY in named or any(name.startswith(".") for name in named)
        first: dict[int, str] = {}
        for pattern, table in named.items():
            # A host without entries of its own needs its name only where another would answer.
            own = self._own(table)
            if not own and not is_hidden:
                continue
            tables.hosts[pattern] = own
            tables.hosts_closed[pattern] = table.closed if own else []
            tables.hosts_access[pattern] = table.access if table.all else ()
            if (earlier := first.setdefault(id(table), pattern)) != pattern and own:
                tables.same_as[pattern] = earlier
            if table.host.section is not None:
                tables.spots[pattern] = table.host.section.spot
        return tables

    def _own(self, table: HostTable) -> list[ResolvedAlias]:
        """Return a host's entries, all where those of the main server are others than elsewhere."""
        is_same = [e.alias for e in table.inherited] == [e.alias for e in self._main]
        of_main = (
            *urls_of_closed(self._main_closed),
            *(each.section for each in self._main_access),
        )
        is_closed_alike = not self._main or table.rules() == of_main
        return table.entries if is_same and is_closed_alike else table.all

    def _named(self, tables: Tables, host: Host) -> Tables:
        # Apache's merge_server_configs(): a virtual host without a name has the main server's.
        host = host if host.server_name else self._resolver.main
        tables.server_name = host.server_name
        tables.named_by = tuple(d for _, d in host.names if d.key == "servername")
        return tables

    def _resolve(self, host: Host, owner: Host) -> list[ResolvedAlias]:
        entries: list[ResolvedAlias] = []
        first: dict[tuple[str, str], Directive] = {}
        # A part of an alias has no entry of its own where one of mod_alias answers its URLs.
        taken: set[str] = set()
        for alias, directive in self._aliases_of(host, owner):
            winner = first.setdefault((alias.kind, alias.location), directive)
            if winner is directive:
                found = self._resolver.entries(host, alias, directive)
                entries += [e for e in found if e.part is None or e.alias.location not in taken]
                if directive.key in _MOUNTS:
                    taken |= {each.alias.location for each in found}
            else:
                reason = f"{winner.spot} comes first and answers all its URLs"
                self._ledger.note(directive, "not needed", reason)
        return entries

    def _rewrites(self, host: Host) -> Iterator[ResolvedAlias]:
        """Yield the entries of a host that rewrite URLs: they are for its own requests alone."""
        for alias, directive in host.rewrites:
            yield from self._resolver.entries(host, alias, directive)

    def _aliases_of(self, host: Host, owner: Host) -> list[tuple[Alias, Directive]]:
        """Return an owner's aliases for a host, which has others of the main server already."""
        if host is owner:
            return owner.aliases
        if not host.aliases:
            # Of rules of mod_rewrite it has those that it asks for, as its own.
            return [each for each in owner.aliases if each[1].key != "rewriterule"]
        return [*filter(is_inherited, owner.aliases)]

    def _table(self, host: Host) -> HostTable:
        main = self._resolver.main
        own = [*self._rewrites(host), *self._resolve(host, host)]
        is_same = self._aliases_of(host, main) == main.aliases and self._resolver.is_plain(host)
        is_same = is_same and not main.rewrites
        inherit = (lambda: self._main) if is_same else partial(self._resolve, host, main)
        closed, access = self._closer.judged(host)
        return HostTable(host, without_closed_index(own, closed), inherit, closed, access)

    def _patterns(self, host: Host) -> Iterator[tuple[str, Directive]]:
        for name, directive in host.names:
            pattern = _pattern(name)
            if pattern is None and directive.key == "servername":
                # Apache compares it letter by letter, and no host is called so.
                self._ledger.note(directive, "kept", "no host has this name")
            elif pattern is None:
                self._ledger.note(
                    directive,
                    "needs you",
                    f"{name!r} is not a pattern of ALLOWED_HOSTS: write out the hosts that it "
                    "stands for in WSGIMATCH_VIRTUAL_HOSTS",
                )
            else:
                yield pattern, directive

    def _note_names(self, tables: Tables) -> None:
        """Say of each name where it is in the settings, and why it is not."""
        answering = {n: self._claiming(n).values() for n in self._claims}
        for table in self._tables:
            for pattern, directive in self._patterns(table.host):
                if table not in answering[pattern]:
                    first = self._claiming(pattern)[table.host.addresses[0]].host.section
                    reason = f"{first and first.spot} comes first, and answers that host"
                    self._ledger.note(directive, "not needed", reason)
                elif pattern in tables.hosts:
                    self._ledger.note(directive, "kept", f"the host {pattern}")
                else:
                    self._ledger.note(directive, "not needed", _NEEDS_NO_NAME)

    def _answering(self, name: str | None) -> HostTable:
        """
        Return the table that answers a host, or hosts that nobody is called.

        Each address of Apache's may have another: the virtual host that is called so, or the first.
        One without scripts of its own, as a port that only redirects, does not count beside one
        that has some, nor a first one beside one that is called so.
        """
        claims = self._claiming(name)
        answering = (claims.get(address, first) for address, first in self._defaults.items())
        found = list(dict.fromkeys(answering))
        most = max((table.worth for table in found), default=0)
        own = [table for table in found if table.entries and table.worth == most]
        own = own or [table for table in found if table.all] or found
        return self._agreed([table for table in own if table in claims.values()] or own)

    def _claiming(self, name: str | None) -> dict[str, HostTable]:
        """
        Return by address the virtual host that is called so, in full or by wildcards.

        Mirrors check_hostalias(): the first virtual host counts, not the closest name.
        """
        claims = dict(self._claims.get(name or "", {}))
        if name is None or name == ANY:
            return claims
        # Of a pattern, what holds for all hosts that it means.
        text = f"?*{name}" if name.startswith(".") else name
        for address, wild in self._wild.items():
            place = next((place for place, glob in wild if _fits(glob, text)), None)
            own = claims.get(address)
            if place is not None and (own is None or place < self._place[id(own)]):
                claims[address] = self._tables[place]
        return claims

    def _agreed(self, tables: list[HostTable]) -> HostTable:
        chosen = max(tables, key=_is_secure)
        self._note_the_same(chosen, tables)
        said = chosen.says_of_scripts()
        others = [each for each in tables if each.says_of_scripts() != said]
        if not others:
            return chosen
        key = tuple(map(id, (chosen, *others)))
        if key not in self._united:
            self._united[key] = self._unite(chosen, others)
        return self._united[key]

    def _note_the_same(self, chosen: HostTable, tables: Sequence[HostTable]) -> None:
        """Say of an alias of one address where the entry is that another one has, too."""
        if len(tables) == 1:
            return
        known = {without_surroundings(each.alias): each for each in chosen.all}
        for entry in (entry for table in tables for entry in table.all):
            same = known.get(without_surroundings(entry.alias))
            if same is not None and same.directive is not entry.directive:
                reason = f"{same.directive.spot} says the same, and became the entry"
                self._ledger.note(entry.directive, "not needed", reason)
            if same is not None and entry is not same:
                note_other_address(same, entry, self._ledger)

    def _unite(self, chosen: HostTable, others: Sequence[HostTable]) -> HostTable:
        """Return a table with the aliases of several addresses, as far as they can be in one."""
        is_said_alike = all(_sections(each) == _sections(chosen) for each in others)
        entries, closed = [*chosen.all], dict(_by_urls(self._closed_of(chosen, is_said_alike)))
        for other in others:
            for said, each in _by_urls(self._closed_of(other, is_said_alike)):
                closed.setdefault(said, each)
            for entry in other.all:
                self._unite_entry(entries, entry, chosen, other)
        access = chosen.access if is_said_alike else ()
        everything = list(closed.values())
        entries = without_closed_index(entries, everything)
        return HostTable(chosen.host, entries, list, everything, access)

    def _closed_of(self, table: HostTable, is_said_alike: bool) -> list[Closed]:
        """Return what is closed of a table, all that is protected where sections differ."""
        return table.closed if is_said_alike else Closer(self._resolver).closed(table.host)

    def _unite_entry(
        self,
        entries: list[ResolvedAlias],
        entry: ResolvedAlias,
        chosen: HostTable,
        other: HostTable,
    ) -> None:
        here, there = (" ".join(each.host.addresses) for each in (chosen, other))
        own = without_surroundings(entry.alias)
        if isinstance(entry.alias.answer, Rewriting):
            return
        if any(own == without_surroundings(each.alias) for each in entries):
            return
        urls = (each.alias for each in entries if not isinstance(each.alias.answer, Rewriting))
        if any(may_share(each, entry.alias) for each in urls):
            reason = (
                f"a host has other aliases on {there} than on {here}. A table cannot tell "
                "addresses apart: it has the aliases of the latter. `import --address` writes "
                "those of one address"
            )
            self._ledger.note(entry.directive, "needs you", reason)
            return
        entries.append(entry)
        reason = f"it is an entry on {here} too: a table cannot tell addresses apart"
        self._ledger.note(entry.directive, "changed", reason)

    def _with_bare_names(self, named: dict[str, HostTable]) -> dict[str, HostTable]:
        """
        Put ``example.org`` before ``.example.org``.

        The pattern of ALLOWED_HOSTS stands for both, Apache's ``*.example.org`` does not.
        """
        complete: dict[str, HostTable] = {}
        for pattern, table in named.items():
            bare = pattern[1:]
            if pattern.startswith(".") and bare not in complete:
                complete[bare] = named.get(bare) or self._answering(bare)
            complete[pattern] = table
        return complete


def _sections(table: HostTable) -> list[AccessSection]:
    return [each.section for each in table.access]


def _by_urls(closed: Sequence[Closed]) -> Iterator[tuple[tuple[str, str], Closed]]:
    return zip(urls_of_closed(closed), closed, strict=True)


def _is_secure(table: HostTable) -> bool:
    return any(address.endswith(":443") for address in table.host.addresses)


def _pattern(name: str) -> str | None:
    """Return a ServerName or ServerAlias as a pattern of ALLOWED_HOSTS, if it is one."""
    is_literal = not any(character in name for character in _WILDCARDS)
    if name == ANY or is_literal:
        return name.rstrip(".") or None
    is_domain = name.startswith("*.") and not any(c in name[1:] for c in _WILDCARDS)
    return name[1:] if is_domain else None
