"""The alias table: which alias answers a uri, and the filename it gives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..exceptions import DirectiveError, InvalidPattern, TableError, WSGIMatchError
from .alias import Alias
from .directives import check_process_group, expand_variables, join_lines, parse_directive
from .index.candidates import LookUp
from .index.index import build_index
from .patterns.pattern import Found, Pattern, compile_pattern
from .substitution import LONGEST_SUBSTITUTION, filename_for, fill, make_filling, parse_template
from .virtual_hosts import HostIndex

NOT_COMPILED = "Regular expression could not be compiled."


@dataclass(frozen=True, slots=True)
class Match:
    """
    The alias that won, and what it makes of the uri.

    ``end`` is the offset in the uri where the match ends, ``captures`` are the groups from 1 on
    (empty where one took no part), ``filename`` is the path that is looked up next; text that
    follows the script's name in it becomes PATH_INFO. An entry without an application has none.
    """

    position: int
    alias: Alias
    uri: str
    end: int
    captures: tuple[str, ...]
    filename: str


class AliasTable:
    """
    An ordered list of aliases, as one Apache server or virtual host has it.

    The first alias that matches wins; there is no second try. ``virtual_hosts`` maps host
    patterns (as in Django's ALLOWED_HOSTS) to tables that answer instead of this one. ``locations``
    are those of the aliases, from compile_location(), if there are any yet.

    Raises TableError, with all that is wrong, where an alias cannot be used.
    """

    def __init__(
        self,
        aliases: Iterable[Alias],
        *,
        virtual_hosts: Mapping[str, AliasTable] | None = None,
        process_groups: Collection[str] | None = None,
        allow_exponential: bool = False,
        locations: Iterable[str | Pattern] | None = None,
    ) -> None:
        self.aliases = tuple(aliases)
        self.virtual_hosts = dict(virtual_hosts or {})
        if locations is None:
            locations = _compile_all(self.aliases, process_groups, allow_exponential)
        self.locations = tuple(locations)
        # Optimization: without the test for runs of slashes a look-up took 0.8 of the time.
        self.lookup_merged: LookUp = build_index(self.locations, merged=True)

    @cached_property
    def lookup(self) -> LookUp:
        """The index for any uri: the first match's position, and its end or what was found."""
        return build_index(self.locations)

    @cached_property
    def _hosts(self) -> HostIndex:
        return HostIndex(self.virtual_hosts)

    @classmethod
    def from_directives(
        cls,
        lines: Iterable[str],
        *,
        variables: Mapping[str, str] | None = None,
        process_groups: Collection[str] | None = None,
        allow_exponential: bool = False,
    ) -> AliasTable:
        """
        Return the table of WSGIScriptAlias and WSGIScriptAliasMatch lines.

        Blank lines and comments are passed over, ``${NAME}`` is replaced from ``variables``.
        Raises TableError whose positions count the directives from 0.
        """
        aliases, locations, errors = [], [], []
        for position, line in enumerate(join_lines(lines)):
            try:
                line = expand_variables(line, variables or {})
                alias = parse_directive(line, process_groups=process_groups)
                locations.append(compile_location(alias, allow_exponential=allow_exponential))
                aliases.append(alias)
            except WSGIMatchError as error:
                errors.append((position, error))
        if errors:
            raise TableError(errors)
        return cls(aliases, locations=locations)

    def match(self, uri: str) -> Match | None:
        """Return the first alias that matches a uri (decoded and normalised), or None."""
        hit = self.lookup(uri) if "//" in uri else self.lookup_merged(uri)
        if hit is None:
            return None
        position, found = hit
        alias = self.aliases[position]
        if isinstance(found, int):
            if alias.answer is not None:
                return Match(position, alias, uri, found, (), "")
            filename = filename_for(alias.target, alias.location, uri, found)
            return Match(position, alias, uri, found, (), filename)
        return self._regex_match(position, alias, uri, found)

    def for_host(self, host: str) -> AliasTable:
        """Return the table of the first virtual host that a Host header names, or this one."""
        pattern = self._hosts.find(host) if self.virtual_hosts else None
        return self if pattern is None else self.virtual_hosts[pattern]

    def name_of_host(self, host: str) -> str:
        """Return the pattern of the virtual host that a Host header names, "" for none or any."""
        return (self._hosts.find(host) or "").lower().removeprefix("*")

    def _regex_match(self, position: int, alias: Alias, uri: str, found: Found) -> Match:
        pattern = self.locations[position]
        assert isinstance(pattern, Pattern)
        end = found.end()
        captures = tuple(found.group(n) or "" for n in range(1, pattern.groups + 1))
        if alias.answer is not None:
            return Match(position, alias, uri, end, captures, "")
        target = fill(make_filling(parse_template(alias.target), pattern.groups), found)
        if len(target) > LONGEST_SUBSTITUTION:
            filename = ""
        else:
            filename = filename_for(target, uri[:end], uri, end)
        return Match(position, alias, uri, end, captures, filename)


def _compile_all(
    aliases: Sequence[Alias], process_groups: Collection[str] | None, allow_exponential: bool
) -> list[str | Pattern]:
    compiled, errors = [], []
    for position, alias in enumerate(aliases):
        try:
            check_process_group(alias, process_groups)
            compiled.append(compile_location(alias, allow_exponential=allow_exponential))
        except WSGIMatchError as error:
            errors.append((position, error))
    if errors:
        raise TableError(errors)
    return compiled


def compile_location(alias: Alias, *, allow_exponential: bool = False) -> str | Pattern:
    """
    What the index looks an alias up by: its location, or its compiled pattern.

    Raises PatternError; for a pattern that PCRE refuses, DirectiveError in Apache's words.
    """
    if alias.kind == "plain":
        return alias.location
    try:
        return compile_pattern(alias.location, allow_exponential=allow_exponential)
    except InvalidPattern as error:
        raise DirectiveError(NOT_COMPILED) from error
