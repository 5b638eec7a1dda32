"""
Which URL a request's becomes before the table sees it: RewriteRule with the flag PT.

Mirrors apply_rewrite_rule(), splitout_queryargs() and hook_uri2file() of mod_rewrite.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...aliases.alias import Alias, Redirection, Rewriting
from ...aliases.patterns.engine import Find
from ...aliases.patterns.pattern import Pattern, compile_pattern
from ...aliases.redirecting import redirect_url
from ...aliases.substitution import (
    LONGEST_SUBSTITUTION,
    Filling,
    Template,
    fill,
    group_numbers,
    groups_in_words,
    make_filling,
    parse_template,
)
from ...aliases.table import NOT_COMPILED, AliasTable
from ...exceptions import DirectiveError, InvalidPattern
from ...text import quoted

_DOTS = re.compile(r"/\.\.?(?:/|\Z)")
# What ap_scan_vchar_obstext() refuses: control characters and blanks.
_NOT_IN_A_QUERY = re.compile(r"[\x00-\x20\x7f]")

DOTS = "the new URL {} has a segment of dots"
MARK = "an encoded question mark of the request would begin the query of the new URL {}"
BAD_QUERY = "the query of the new URL {} has a blank or a control character"
ANSWERS = "rewrite({}) answers {}"
TOO_LONG = "the new URL has more than {:,} characters"


@dataclass(frozen=True, slots=True)
class NewUrl:
    """
    What becomes of a URL: the new ``uri`` and ``query``, or the ``status`` that refuses it.

    ``alias`` is the entry that says so, ``captures`` what its groups have found. ``location`` is
    where clients are sent to, where the status does so. ``has_own_query`` says that the query is
    not the request's alone.
    """

    alias: Alias
    uri: str
    query: str
    captures: tuple[str, ...] = ()
    status: int | None = None
    reason: str = ""
    location: str = ""
    has_own_query: bool = False


@dataclass(frozen=True, slots=True)
class CompiledRewriting:
    """An entry that rewrites, ready to be searched with."""

    answer: Rewriting
    pattern: Pattern
    path: Filling
    query: Filling | None
    when: tuple[tuple[str, Find], ...]

    def holds(self, variables: Mapping[str, object]) -> bool:
        """Whether the conditions hold for the variables of a request."""
        return all(find(_text(variables.get(name))) is not None for name, find in self.when)


class Rewrites:
    """The entries of one table that rewrite, in their order: the first one that takes a URL."""

    def __init__(self, table: AliasTable, *, allow_exponential: bool = False) -> None:
        self.table = table
        self._rules = tuple(_compiled(table.aliases, allow_exponential))

    def __bool__(self) -> bool:
        return bool(self._rules)

    def apply(self, uri: str, query: str, variables: Mapping[str, object]) -> NewUrl | None:
        """
        Return what becomes of a uri (decoded, normalised), None where no entry takes it.

        ``variables`` is the environ of the request.
        """
        for alias, rule in self._rules:
            found = rule.pattern.find(uri)
            if found is None or not rule.holds(variables):
                continue
            captures = tuple(found.group(n) or "" for n in range(1, rule.pattern.groups + 1))
            path, own = fill(rule.path, found), ""
            if rule.answer.status is not None and "?" not in path:
                given = Redirection(rule.answer.url, rule.answer.status)
                location = redirect_url(given, rule.pattern, uri, found)
                reason = ANSWERS.format(quoted(rule.answer.pattern), given.status)
                return NewUrl(alias, uri, query, captures, given.status, reason, location)
            # Of slashes that groups put at the start Apache keeps one; a path without has one, too.
            path = path if rule.answer.url.startswith("//") else f"/{path.lstrip('/')}"
            if rule.query is not None:
                own = fill(rule.query, found)
                query = _query(own, query, append=rule.answer.append_query)
            status, reason = _refused(path, own)
            has_own = rule.query is not None
            return NewUrl(alias, path, query, captures, status, reason, has_own_query=has_own)
        return None


class RewritesByHost:
    """
    The entries that rewrite, by the table that answers a host.

    Virtual hosts with equal entries share a table, and what is made of it.
    """

    def __init__(self, table: AliasTable, *, allow_exponential: bool = False) -> None:
        self._table = table
        self._made = {
            id(each): Rewrites(each, allow_exponential=allow_exponential)
            for each in (*table.virtual_hosts.values(), table)
        }

    def __bool__(self) -> bool:
        return any(self._made.values())

    def for_host(self, host: str) -> Rewrites:
        """Return the entries for a Host header."""
        return self._made[id(self._table.for_host(host))]


def compile_rewriting(answer: Rewriting, *, allow_exponential: bool = False) -> CompiledRewriting:
    """
    Return an entry that rewrites, ready to be searched with.

    Raises PatternError, and DirectiveError for a URL that can be none of this host.
    """
    pattern = _pattern(answer.pattern, allow_exponential)
    template = parse_template(answer.url)
    first = template[0] if template else ""
    if answer.status is None and isinstance(first, str) and not first.startswith("/"):
        raise DirectiveError(
            "the url should begin with a slash or a group, as it is a path of the same host, not "
            f"{answer.url!r}: redirect_match() sends clients elsewhere"
        )
    missing = [number for number in group_numbers(template) if number > pattern.groups]
    if missing:
        raise DirectiveError(
            f"the url {answer.url!r} asks for ${missing[0]}, and the pattern "
            f"{answer.pattern!r} has {groups_in_words(pattern.groups)}: write $0 for all that it "
            "finds"
        )
    when = []
    for name, text in answer.when:
        try:
            when.append((name, _pattern(text, allow_exponential).find))
        except DirectiveError as error:
            raise DirectiveError(f"when[{name!r}]: {error}") from error
    path, query = _divided(template)
    own = None if query is None else make_filling(query, pattern.groups)
    return CompiledRewriting(answer, pattern, make_filling(path, pattern.groups), own, tuple(when))


def _divided(template: Template) -> tuple[Template, Template | None]:
    """Return the templates of the path and of the query, None where there is none."""
    for number, part in enumerate(template):
        if isinstance(part, str) and "?" in part:
            before, _, behind = part.partition("?")
            return (*template[:number], before), (behind, *template[number + 1 :])
    return template, None


def is_rewriting(alias: Alias) -> bool:
    """Whether an entry rewrites URLs, and answers none."""
    return isinstance(alias.answer, Rewriting)


def _pattern(text: str, allow_exponential: bool) -> Pattern:
    try:
        return compile_pattern(text, allow_exponential=allow_exponential, empty_counts=True)
    except InvalidPattern as error:
        raise DirectiveError(NOT_COMPILED) from error


def _compiled(
    aliases: Iterable[Alias], allow_exponential: bool
) -> Iterator[tuple[Alias, CompiledRewriting]]:
    for alias in aliases:
        if isinstance(alias.answer, Rewriting):
            yield alias, compile_rewriting(alias.answer, allow_exponential=allow_exponential)


def _query(own: str, given: str, *, append: bool) -> str:
    query = f"{own}&{given}" if append and own and given else (own or (given if append else ""))
    return query.removesuffix("&")


def _refused(path: str, query: str) -> tuple[int | None, str]:
    """Return the status and the reason where no new URL comes about."""
    if len(path) + len(query) > LONGEST_SUBSTITUTION:
        return 500, TOO_LONG.format(LONGEST_SUBSTITUTION)
    if "?" in path:
        return 403, MARK.format(quoted(path))
    if _NOT_IN_A_QUERY.search(query):
        return 403, BAD_QUERY.format(quoted(path))
    # Apache compares such a URL with its aliases and sections as it stands, and only then finds
    # the file behind the dots: rules for that file's URL would not hold.
    if _DOTS.search(path):
        return 403, DOTS.format(quoted(path))
    return None, ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
