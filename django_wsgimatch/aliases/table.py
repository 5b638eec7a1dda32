"""The alias table: which alias answers a uri, and the filename it gives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..exceptions import DirectiveError, InvalidPattern, TableError, WSGIMatchError
from .alias import Alias, Denial, Redirection
from .directives import check_process_group, expand_variables, join_lines, parse_directive
from .file_options import FileOptions
from .hosts.virtual_hosts import HostIndex
from .index.candidates import LookUp
from .index.index import build_index
from .patterns.pattern import Found, Pattern, compile_pattern
from .redirecting import redirect_url
from .substitution import LONGEST_SUBSTITUTION, filename_for, fill, make_filling, parse_template

# By what answers: redirects, files, scripts, and then the files of DocumentRoot.
_RANKS: dict[type, int] = {Redirection: 0, FileOptions: 1}
_SCRIPTS, _LAST = 2, 3
NOT_COMPILED = "Regular expression could not be compiled."


@dataclass(frozen=True, slots=True)
class Match:
    """
    The alias that won, and what it makes of the uri.

    ``end`` is the offset in the uri where the match ends, ``captures`` are the groups from 1 on
    (empty where one took no part), ``filename`` is the path that is looked up next; text that
    follows the script's name in it becomes PATH_INFO. An entry that needs no file has none. ``url``
    is where an entry redirects to, which may lack a host and the query.
    """

    position: int
    alias: Alias
    uri: str
    end: int
    captures: tuple[str, ...]
    filename: str
    url: str = ""


class AliasTable:
    """
    An ordered list of aliases, as one Apache server or virtual host has it.

    The first alias that matches wins; there is no second try. ``aliases`` are in the order in which
    they are tried (``in_order_of_apache()``), ``order`` has the place of each among those that
    were given. ``virtual_hosts`` maps host
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
        given = tuple(aliases)
        self.virtual_hosts = dict(virtual_hosts or {})
        if locations is None:
            locations = _compile_all(given, process_groups, allow_exponential)
        self.order = in_order_of_apache(given)
        self.aliases, self.locations = given, tuple(locations)
        if not isinstance(self.order, range):
            self.aliases = tuple(self.aliases[place] for place in self.order)
            self.locations = tuple(self.locations[place] for place in self.order)
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
            if not alias.target:
                return Match(position, alias, uri, found, (), "", _url(alias, "", uri, found))
            if alias.answer is not None:
                return Match(position, alias, uri, found, (), alias.target + uri[found:])
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
        if not alias.target:
            url = _url(alias, pattern, uri, found)
            return Match(position, alias, uri, end, captures, "", url)
        target = fill(make_filling(parse_template(alias.target), pattern.groups), found)
        if len(target) > LONGEST_SUBSTITUTION:
            filename = ""
        elif alias.answer is not None:
            # Without any text it is the folder that relative names belong to.
            filename = target or "."
        else:
            filename = filename_for(target, uri[:end], uri, end)
        return Match(position, alias, uri, end, captures, filename)


def _url(alias: Alias, location: str | Pattern, uri: str, found: int | Found) -> str:
    answer = alias.answer
    return redirect_url(answer, location, uri, found) if isinstance(answer, Redirection) else ""


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
        # Only mod_wsgi takes a match that ends at offset 0 for none.
        return compile_pattern(
            alias.location,
            allow_exponential=allow_exponential,
            empty_counts=alias.answer is not None,
        )
    except InvalidPattern as error:
        raise DirectiveError(NOT_COMPILED) from error


def in_order_of_apache(aliases: Sequence[Alias]) -> Sequence[int]:
    """
    Return the positions of entries in the order in which they are tried.

    Mirrors translate_alias_redir() of mod_alias, which comes before mod_wsgi: all Redirects, then
    all Aliases, then all WSGIScriptAliases, each kind as it is written, and DocumentRoot at the
    end. What is written after an entry that lets nobody in is tried after it, whatever it is: it
    opens nothing.
    """
    # Optimization: nearly all tables have scripts alone, and 100,000 positions take 3 MiB.
    if not any(type(alias.answer) in _RANKS for alias in aliases):
        return range(len(aliases))
    return tuple(_ordered(aliases))


def _ordered(aliases: Sequence[Alias]) -> Iterator[int]:
    run: list[int] = []
    for position, alias in enumerate(aliases):
        if isinstance(alias.answer, Denial):
            yield from _by_rank(run, aliases)
            yield position
            run = []
        else:
            run.append(position)
    yield from _by_rank(run, aliases)


def _by_rank(run: list[int], aliases: Sequence[Alias]) -> list[int]:
    return sorted(run, key=lambda position: kind_rank(aliases[position]))


def kind_rank(alias: Alias) -> int:
    """Return where entries of an alias's kind stand among the kinds: lower ones are tried first."""
    if isinstance(alias.answer, FileOptions) and alias.answer.is_root:
        return _LAST
    return _RANKS.get(type(alias.answer), _SCRIPTS)
