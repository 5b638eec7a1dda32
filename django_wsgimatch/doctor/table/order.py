"""Aliases that no URL reaches, or few: because of their own location, or of earlier aliases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from ...aliases.alias import Denial
from ...aliases.patterns.pattern import Pattern, compile_pattern
from ...aliases.patterns.pcre.parser import parse
from ...aliases.patterns.pcre.syntax import Anchor, Node, Sequence, Text, children
from ...aliases.table import AliasTable, kind_rank
from ...exceptions import PatternError
from ...text import quoted
from ..findings.finding import Finding, Findings, Subject, listed
from ..uris.hidden_aliases import OftenTaken, Unreachable, example_uris, often_taken, unreachable

_HOST = re.compile(
    r"\^?(?P<scheme>https?\??://)?"
    r"(?P<host>(?:[\w-]+\\?\.)+(?!wsgi|py|html?|txt|php|xml|json|js|css)[A-Za-z]{2,}(?::[0-9]+)?)"
    r"(?P<path>/.*)?"
)


def order_findings(
    subject: Subject, name: Callable[[int], str], *, merge_slashes: bool
) -> Findings:
    """
    Yield a finding if no URL reaches an alias, or few of those that it was written for do.

    ``name`` tells what an entry of its table is called, by its position.
    """
    table, position = subject.table, subject.position
    found = unreachable(table, position, merge_slashes=merge_slashes)
    if found is not None:
        if _waits_for_a_decision(table, found.hiders):
            return
        if found.hiders:
            yield _hidden(subject, found, name)
        else:
            yield _never(subject, merge_slashes)
        return
    taken = often_taken(table, position, merge_slashes=merge_slashes)
    if taken and not _waits_for_a_decision(table, taken.takers):
        yield _often_hidden(subject, taken, name)


def _waits_for_a_decision(table: AliasTable, positions: Iterable[int]) -> bool:
    """
    Whether an import has closed what hides an alias.

    W065 says so of that entry; to move the alias before it would open it.
    """
    answers = (table.aliases[position].answer for position in positions)
    return any(isinstance(answer, Denial) and answer.is_undecided for answer in answers)


def _often_hidden(subject: Subject, found: OftenTaken, name: Callable[[int], str]) -> Finding:
    return subject.finding(
        "W030",
        f"{_take(found.takers, name)} many URLs of {quoted(subject.alias.location)}: "
        f"{found.taken} of {found.tried} that were tried, such as {quoted(found.example)}.",
        _cure_of_order(subject, found.takers[0], name, "make that one match less"),
    )


def _cure_of_order(subject: Subject, taker: int, name: Callable[[int], str], otherwise: str) -> str:
    if kind_rank(subject.table.aliases[taker]) < kind_rank(subject.alias):
        return (
            "As in Apache, redirects are tried first, then files, then scripts, wherever they "
            f"stand: let {name(taker)} match less, or remove one of the two."
        )
    return f"The first alias that matches wins. Move this one before {name(taker)}, or {otherwise}."


def _take(positions: tuple[int, ...], name: Callable[[int], str]) -> str:
    takers = listed([*map(name, positions)])
    return f"{takers} {'take' if len(positions) > 1 else 'takes'}"


def _hidden(subject: Subject, found: Unreachable, name: Callable[[int], str]) -> Finding:
    take = _take(found.hiders, name)
    location = quoted(subject.alias.location)
    message = (
        f"no URL reaches {location}: {take} all of them, such as {quoted(found.example)}."
        if found.proved
        else f"no URL seems to reach {location}: {take} all of {found.tried} that were "
        f"tried, such as {quoted(found.example)}."
    )
    return subject.finding(
        "W006",
        message,
        _cure_of_order(subject, found.hiders[0], name, "remove it"),
    )


def _never(subject: Subject, merge_slashes: bool) -> Finding:
    """What is said of an alias that no URL reaches, whatever stands before it."""
    location = subject.alias.location
    reason, cure = next(_reasons(subject, location, merge_slashes))
    message = f"{quoted(location)} can never match: {reason}."
    return subject.finding("W007", message, f"{cure}.")


def _reasons(subject: Subject, location: str, merge_slashes: bool) -> Iterator[tuple[str, str]]:
    """Yield reasons why, each with what to do about it."""
    yield from _host(subject, location)
    if subject.alias.kind == "plain":
        yield from _plain(subject, location)
    else:
        yield from _pattern(subject, location, merge_slashes)
        cure = "`wsgimatch preview` shows what aliases are compared with"
        yield ("the pattern cannot match any URL", cure)


def _host(subject: Subject, location: str) -> Iterator[tuple[str, str]]:
    found = _HOST.fullmatch(location)
    if found and (found["scheme"] or found["path"]):
        host = found["host"].replace("\\", "").partition(":")[0]
        begin = "" if subject.alias.kind == "plain" else "^"
        line = subject.line(location=begin + (found["path"] or "/"))
        entry = repr(line) if line.startswith("WSGIScriptAlias") else line
        yield (
            "aliases are compared with the path of a URL, and this names a host",
            f"Write the entry for that host: WSGIMATCH_VIRTUAL_HOSTS = {{{host!r}: [{entry}]}}",
        )


def _plain(subject: Subject, location: str) -> Iterator[tuple[str, str]]:
    if location.startswith("^"):
        line = subject.line(kind="match")
        yield ("a plain location is not a pattern, and URLs begin with '/'", f"Write {line}")
    elif not location.startswith("/"):
        line = subject.line(location=f"/{location}")
        yield ("URLs begin with '/', and this location does not", f"Put a slash in front: {line}")
    else:
        yield (
            "'.' and '..' are removed from a URL before aliases are compared",
            "Write the path without dots",
        )


def _pattern(subject: Subject, source: str, merge_slashes: bool) -> Iterator[tuple[str, str]]:
    if merge_slashes and "//" in source:
        yield (
            "slashes are merged before a pattern sees the URL",
            "Write one slash, or set WSGIMATCH_MERGE_SLASHES = False",
        )
    slashed = f"^/{source.removeprefix('^')}"
    if _matches(slashed, merge_slashes):
        line = subject.line(location=slashed)
        yield ("URLs begin with '/', and what it matches does not", f"Write {line}")
    if _goes_on_after_end(parse(source).tree):
        shorter = source.replace("$", "")
        cure = "Remove the $, or what follows it"
        if _matches(shorter, merge_slashes):
            cure = f"Write {subject.line(location=shorter)}"
        yield ("$ stands for the end of the URL, which nothing can follow", cure)


def _matches(source: str, merge_slashes: bool) -> bool:
    try:
        pattern: Pattern = compile_pattern(source)
    except PatternError:
        return False
    return next(example_uris(pattern, merge_slashes=merge_slashes), None) is not None


def _goes_on_after_end(node: Node) -> bool:
    items = node.items if isinstance(node, Sequence) else ()
    ends = (Anchor.END, Anchor.END_OR_FINAL_NEWLINE)
    if any(one in ends and isinstance(other, Text) for one, other in pairwise(items)):
        return True
    return any(map(_goes_on_after_end, children(node)))
