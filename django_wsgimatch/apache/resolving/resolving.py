"""
From an alias and what stands around it to entries that say all of it themselves.

The order is Apache's: server, virtual host, directories from the root on, directories by pattern,
files, locations, conditions; of two of one kind the virtual host's after the server's. What holds
for a part of an alias's uris becomes an entry of its own before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ...aliases.alias import Alias, Denial, Redirection, Rewriting
from ...aliases.file_options import FileOptions
from ..covering.alias_lines import is_asked_late, kinds_for
from ..covering.around import (
    FileLocations,
    extra_uses,
    is_by_name,
    is_root_of_files,
    is_whole_folder,
    note_left,
    note_redirects,
    parts_by_name,
    values_of_files,
    with_extras,
    with_options_of_files,
)
from ..covering.coverage import LOCATIONS, Coverage, FileKinds, coverage, reach_of
from ..covering.extra_values import Values, is_extra, is_left, option_said, overlaid
from ..covering.hosts import ROOT, Host, Scope, is_proxy_line
from ..covering.indexes import ScopeIndex
from ..covering.meetings import (
    NAMES,
    Meetings,
    differing,
    is_option,
    merged_values,
    most_particular_first,
    options_of,
)
from ..covering.option_values import FILE_OPTIONS, Given, follows_links
from ..covering.partial_aliases import divisible, narrowed
from ..covering.variables import fixed_name
from ..lines.directive import Directive, Spot
from ..lines.limits import COMPARED, MADE, Effort
from ..outcomes.outcome import Ledger
from .programs import index_of_files

_OF_FILES = {
    "indexes": "a folder without an index file is not listed: it answers 404",
    "multiviews": "files are asked for by their whole names",
}
# What holds at the root, and at the script: True, False or "owner".
FollowSymlinks = tuple[bool | str, bool | str]
# An alias or a part of it, the options that hold for it, and the section that makes it a part.
Part = tuple[Alias, Values, Scope | None]
# Directives that are kept as options of an entry, each with the option.
Uses = tuple[tuple[Directive, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedAlias:
    """
    An alias with all its options.

    ``given_on_line`` are the options that it names itself, ``values`` what the directives around it
    give; ``spots`` is where all this stands, the alias first. ``follow_symlinks`` is what holds at
    the root and at the script. ``part`` is the section that it stands for, where that holds for a
    part of an alias only; the entry of the rest follows, of the ``whole``. ``uses`` are the
    directives that are kept as its options, each with the option.
    """

    alias: Alias
    host: Host
    directive: Directive
    given_on_line: frozenset[str]
    values: Values
    spots: tuple[Spot, ...]
    follow_symlinks: FollowSymlinks
    part: Scope | None = None
    uses: Uses = ()
    whole: Alias | None = None

    @property
    def is_first(self) -> bool:
        """Whether it answers before access rules are looked at."""
        is_direct = isinstance(self.alias.answer, Redirection | Denial | Rewriting)
        return is_direct and not is_asked_late(self.directive)


@dataclass(slots=True)
class Resolver:
    """
    Resolves the aliases of a server, or of the main server for a virtual host.

    ``links`` are the Options directives, by identity, that forbid symbolic links on the way to one
    of the scripts. ``folders`` are those that a <Directory> names. ``is_part`` says that the
    configuration is a part of a server's. ``variables`` are those that not only SetEnv sets.
    """

    main: Host
    ledger: Ledger
    kind_of: FileKinds
    folders: frozenset[str] = frozenset()
    is_part: bool = False
    variables: frozenset[str] = frozenset()
    links: dict[int, Given] = field(default_factory=dict)
    effort: Effort = field(default_factory=Effort)
    _indexes: dict[int, ScopeIndex] = field(default_factory=dict)
    _scopes: dict[tuple[int, int, Alias], list[tuple[Scope, Coverage]]] = field(
        default_factory=dict
    )
    _files: FileLocations = field(default_factory=FileLocations)

    def entries(self, host: Host, alias: Alias, directive: Directive) -> list[ResolvedAlias]:
        """Return the entries that an alias becomes for the requests to a host, in order."""
        if alias.answer is not None:
            return self._answering(host, alias, directive)
        scopes = self.scopes(host, alias, directive)
        server = _of_server(self.main, host)
        sure = [scope for scope, covered in scopes if covered == "all"]
        values = merged_values(server, sure)
        asked = [(s, how) for s, how in scopes if how == "all" or not self._files.answer(host, s)]
        parts, agreeing = self._parts(alias, asked, server, values)
        follow = self._follow_symlinks(host, sure)
        whole = self._entry(alias, host, directive, values, follow, None, agreeing)
        found = [self._entry(a, host, directive, own, follow, part, ()) for a, own, part in parts]
        return [*(replace(each, whole=alias) for each in found), whole]

    def _answering(self, host: Host, alias: Alias, directive: Directive) -> list[ResolvedAlias]:
        """Return the entries of what needs no application."""
        if isinstance(alias.answer, FileOptions):
            return self._files_of(host, alias, alias.answer, directive)
        if isinstance(alias.answer, Redirection):
            note_redirects(_of_server(self.main, host), self.ledger)
        return [
            ResolvedAlias(alias, host, directive, frozenset(), {}, (directive.spot,), (True, True))
        ]

    def _files_of(
        self, host: Host, alias: Alias, answer: FileOptions, directive: Directive
    ) -> list[ResolvedAlias]:
        """Return files with what directives say of their folder, and parts of it before that."""
        kind_of = kinds_for(alias, self.kind_of, self.folders)
        scopes = [
            (scope, "all" if is_whole_folder(scope, alias, kind_of) else covered)
            for scope, covered in self.scopes(host, alias, directive)
        ]
        sure = [scope for scope, covered in scopes if covered == "all"]
        server = _of_server(self.main, host)
        values = merged_values(server, sure)
        policies = {*self._follow_symlinks(host, sure, keep=False)}
        for scope, covered in scopes:
            if covered == "some" and scope.options:
                policies |= {*self._follow_symlinks(host, [*sure, scope], keep=False)}
        given = [*self.main.options, *(host.options if host is not self.main else ())]
        self._note_options([*given, *(each for s, _ in scopes for each in s.options)], alias)
        links = strictest(policies)
        parts = list(self._parts_of_files(alias, scopes, server, values))
        return [
            self._file_entry(host, directive, links, part)
            for part in (*parts, (alias, values, None))
        ]

    def _file_entry(
        self, host: Host, directive: Directive, links: Literal["owner"] | bool, part: Part
    ) -> ResolvedAlias:
        alias, values, scope = part
        answer = alias.answer
        assert isinstance(answer, FileOptions)
        if "index" in values:
            self.ledger.note(values["index"].directive, "kept", f"index of {alias.location}")
        index = tuple(index_of_files(values["index"].value if "index" in values else answer.index))
        own = values_of_files(values)
        uses = tuple(extra_uses(own, self.ledger))
        alias = with_options_of_files(
            alias, answer, own, self.ledger, index=index, follow_symlinks=links
        )
        spots = tuple(dict.fromkeys([directive.spot, *(used.spot for used, _ in uses)]))
        is_linked = (True, True)
        return ResolvedAlias(alias, host, directive, frozenset(), {}, spots, is_linked, scope, uses)

    def _parts_of_files(
        self, alias: Alias, scopes: Sequence[tuple[Scope, Coverage]], server: Values, values: Values
    ) -> Iterator[Part]:
        """Yield parts of a folder for which a section says something else, the first wins."""
        partial: list[Scope] = []
        by_name: dict[int, Scope] = {}
        is_same, is_root = True, is_root_of_files(alias)
        for scope in (scope for scope, covered in scopes if covered == "some"):
            given = values_of_files(scope.values)
            note_left(given, self.ledger)
            others = differing(values, {n: e for n, e in given.items() if not is_left(n)})
            if given and _is_location(scope) and not is_root:
                partial.append(scope)
                is_same = is_same and not others
            elif others and is_by_name(scope) and not is_root:
                by_name[id(scope)] = scope
            else:
                self._need_hand(alias, (given[name] for name in given if name in others), scope)
        if not is_same:
            yield from self._narrowed(alias, partial, scopes, server)
        elif by_name:
            for part, scope in self._named_parts(alias, [*by_name.values()], values):
                del by_name[id(scope)]
                holding = [s for s, covered in scopes if covered == "all" or s is scope]
                yield part, merged_values(server, holding), scope
        for scope in by_name.values():
            self._need_hand(alias, values_of_files(scope.values).values(), scope)

    def _named_parts(
        self, alias: Alias, scopes: Sequence[Scope], values: Values
    ) -> list[tuple[Alias, Scope]]:
        assert isinstance(alias.answer, FileOptions)
        index = values["index"].value if "index" in values else alias.answer.index
        return parts_by_name(alias, scopes, index, kinds_for(alias, self.kind_of, self.folders))

    def _note_options(self, options: Iterable[Given], alias: Alias) -> None:
        """Say what Options do to files that a folder has."""
        for given in options:
            words = [word.lower().removeprefix("+") for word in given.value]
            for word, reason in _OF_FILES.items():
                if word in words:
                    self.ledger.note(given.directive, "changed", reason)
            if follows_links(True, given.value) is not True:
                kept = f"follow_symlinks of {alias.location}, where others follow links"
                self.ledger.note(given.directive, "kept", kept)

    def is_plain(self, host: Host) -> bool:
        """Whether a virtual host changes nothing about the main server's aliases."""
        return not host.scopes and not any(is_option(n) or is_proxy_line(n) for n in host.values)

    def _entry(
        self,
        alias: Alias,
        host: Host,
        directive: Directive,
        values: Values,
        follow: FollowSymlinks,
        part: Scope | None,
        agreeing: Uses,
    ) -> ResolvedAlias:
        spots = {directive.spot: None}
        options: dict[str, Any] = {}
        uses = [*agreeing]
        for name in NAMES:
            given, own = values.get(name), getattr(alias, name)
            value = own if own is not None or given is None else given.value
            if name in ("process_group", "application_group") and value is not None:
                options[name] = value = fixed_name(value, values, self.variables)
            if given is None or own is not None:
                continue
            options[name] = value
            spots[given.directive.spot] = None
            uses.append((given.directive, f"{name}={value!r}"))
        for used, option in extra_uses(values, self.ledger):
            spots[used.spot] = None
            uses.append((used, option))
        on_line = frozenset(name for name in NAMES if getattr(alias, name) is not None)
        alias = with_extras(replace(alias, **options), values, self.ledger)
        own, *others = spots
        others.sort(key=lambda spot: (spot.file, spot.line))
        spots_in_order = (own, *others)
        return ResolvedAlias(
            alias, host, directive, on_line, values, spots_in_order, follow, part, tuple(uses)
        )

    def scopes(
        self,
        host: Host,
        alias: Alias,
        directive: Directive,
        kind_of: FileKinds | None = None,
    ) -> list[tuple[Scope, Coverage]]:
        """Return the sections that hold for an alias or a part of it, in Apache's order."""
        if kind_of is not None:
            return self._find_scopes(host, alias, directive, kind_of)
        # Optimization: entries and what closes them ask the same, one after the other.
        key = id(host), id(directive), alias
        if key not in self._scopes:
            kinds = kinds_for(alias, self.kind_of, self.folders)
            self._scopes[key] = self._find_scopes(host, alias, directive, kinds)
        return self._scopes[key]

    def _find_scopes(
        self, host: Host, alias: Alias, directive: Directive, kind_of: FileKinds
    ) -> list[tuple[Scope, Coverage]]:
        reach = reach_of(alias, kind_of)
        found = []
        compared = 0
        servers = (host,) if host is self.main else (self.main, host)
        for is_virtual, server in enumerate(servers):
            near = self._index(server).near(reach)
            compared += len(near)
            for number, scope in near.items():
                is_inherited = scope.is_inherited and scope.sections[0] not in host.passed_over
                if server is not host and not is_inherited:
                    continue
                if (covered := coverage(scope.sections, reach)) != "none":
                    found.append(((scope.rank, is_virtual, number), scope, covered))
        found.sort(key=lambda each: each[0])
        parts = sum(covered == "some" for _, _, covered in found)
        # Every part may be held against every other one.
        steps = COMPARED * compared + MADE * (parts + 1) + parts**2
        self.effort.spend(steps, directive.spot, f"{directive.name} {alias.location}")
        return [(scope, covered) for _, scope, covered in found]

    def _index(self, host: Host) -> ScopeIndex:
        if id(host) not in self._indexes:
            telling = (
                each
                for each in host.scopes.values()
                if any((each.values, each.options, each.access, each.handlers, each.programs))
                or each.logins
            )
            self._indexes[id(host)] = ScopeIndex(telling)
        return self._indexes[id(host)]

    def _follow_symlinks(
        self, host: Host, sure: Sequence[Scope], *, keep: bool = True
    ) -> FollowSymlinks:
        value: bool | str = True
        servers = [host.options] if host is self.main else [self.main.options, host.options]
        for given in (given for options in servers for given in options):
            value = self._after(value, given, keep=keep)
        root = value
        for scope in sure:
            for given in scope.options:
                value = self._after(value, given, keep=keep)
            if scope.rank == ROOT:
                root = value
        return root, value

    def _after(self, before: bool | str, given: Given, *, keep: bool) -> bool | str:
        value = follows_links(before, given.value)
        if keep and value is not True:
            self.links[id(given.directive)] = given
        return value

    def _parts(
        self, alias: Alias, scopes: Sequence[tuple[Scope, Coverage]], server: Values, values: Values
    ) -> tuple[list[Part], Uses]:
        """
        Return the narrower aliases that have other options, first the one that wins.

        Where no section says anything else than holds anyway: what they say the same.
        """
        partial = []
        for scope, covered in scopes:
            if covered == "all":
                continue
            given = self._unsaid(alias, scope)
            is_part = _is_location(scope)
            partial += [scope] if is_part and any(map(is_option, given)) else []
            others = differing(values, given)
            others = {name for name in others if not (is_part and is_option(name))}
            self._need_hand(alias, (given[name] for name in given if name in others), scope)
        if not any(differing(values, options_of(scope)) for scope in partial):
            return [], tuple(_uses(partial))
        return list(self._narrowed(alias, partial, scopes, server)), ()

    def _narrowed(
        self,
        alias: Alias,
        partial: Sequence[Scope],
        scopes: Sequence[tuple[Scope, Coverage]],
        server: Values,
    ) -> Iterator[Part]:
        ordered = most_particular_first(partial)
        meetings = Meetings(scopes, partial, ordered, server)
        seen = set()
        for scope in ordered:
            own = meetings.values(scope)
            part = narrowed(divisible(alias, scope.sections[0]), scope.sections[0])
            if own is None or part is None:
                self._need_hand(alias, self._unsaid(alias, scope).values(), scope)
            elif (part.location, part.kind) not in seen:
                seen.add((part.location, part.kind))
                yield part, own, scope

    def _unsaid(self, alias: Alias, scope: Scope) -> Values:
        """Return what a scope gives, without what the alias line says itself."""
        note_left(scope.values, self.ledger)
        found = {}
        for name, given in scope.values.items():
            if name in FILE_OPTIONS.values() or is_left(name):
                continue
            if getattr(alias, name, None) is None:
                found[name] = given
            else:
                self.ledger.note(given.directive, "not needed", "the alias line says it itself")
        return found

    def _need_hand(self, alias: Alias, values: Iterable[Given], scope: Scope) -> None:
        for given in values:
            self.ledger.note(
                given.directive,
                "needs you",
                f"{scope} applies to some URLs of {alias.directive} {alias.location}; which ones "
                "cannot be determined. Give those URLs their own entry before it",
            )


def strictest(policies: Collection[bool | str]) -> Literal["owner"] | bool:
    """Return the policy for symbolic links that lets no more through than any of some."""
    if False in policies:
        return False
    return "owner" if "owner" in policies else True


def _uses(scopes: Iterable[Scope]) -> Iterator[tuple[Directive, str]]:
    for name, given in (item for scope in scopes for item in scope.values.items()):
        if name in NAMES:
            yield given.directive, f"{name}={given.value!r}"
        elif is_extra(name):
            yield given.directive, option_said(name)


def _of_server(main: Host, host: Host) -> Values:
    """Return what holds in a host: of the main server not AllowEncodedSlashes, as in Apache."""
    values = overlaid({}, main.values)
    if host is main:
        return values
    inherited = {n: given for n, given in values.items() if n != "allow_encoded_slashes"}
    return overlaid(inherited, host.values)


def _is_location(scope: Scope) -> bool:
    return len(scope.sections) == 1 and scope.sections[0].name.lower() in LOCATIONS
