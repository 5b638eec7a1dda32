"""Entries that rewrite URLs: what becomes of the new ones, and what they hide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from ...aliases.alias import Alias, Redirection, Rewriting
from ...aliases.patterns.pattern import Pattern
from ...aliases.table import AliasTable
from ...answers.rewriting.rewrites import NewUrl, Rewrites
from ...text import quoted
from ..findings.finding import Finding, Findings, Subject, listed
from ..uris.hidden_aliases import Unreachable, example_uris, unreachable

_MOST_EXAMPLES = 3
_GONE = Redirection("", 410)


def rewriting_findings(
    subjects: Sequence[Subject],
    name: Callable[[int], str],
    *,
    merge_slashes: bool,
    has_fallback: bool,
) -> Findings:
    """
    Yield what is doubtful about entries of one table.

    ``name`` tells what an entry of the table is called, by its position.
    """
    if not subjects:
        return
    table = subjects[0].table
    rewriting = {p: a.answer for p, a in enumerate(table.aliases) if type(a.answer) is Rewriting}
    locations = dict(zip(rewriting, _table([*rewriting.values()]).locations, strict=True))
    always = {p: locations[p] for p, answer in rewriting.items() if not answer.when}
    for subject in subjects:
        answer = subject.alias.answer
        if isinstance(answer, Rewriting):
            location = locations[subject.position]
            if answer.status is None:
                yield from _results(subject, answer, location, merge_slashes, has_fallback)
            earlier = {p: each for p, each in always.items() if p < subject.position}
            found = _hidden(earlier, location, merge_slashes)
            if found is not None:
                yield _never(subject, answer, found, name)
        elif isinstance(answer, Redirection):
            found = _hidden(always, subject.location, merge_slashes)
            if found is not None and not _is_reached_anew(subject, rewriting, locations):
                yield _hidden_redirect(subject, found, name)


def _results(
    subject: Subject,
    answer: Rewriting,
    location: str | Pattern,
    merge_slashes: bool,
    has_fallback: bool,
) -> Iterator[Finding]:
    results = [*_examples(answer, location, merge_slashes)]
    if not results:
        return
    uri, first = results[0]
    said = f"{quoted(uri)} becomes {quoted(first.uri)}"
    if all(each.status is not None for _, each in results):
        yield subject.finding(
            "W101",
            f"{said}, which is refused with {first.status}: {first.reason}.",
            "Write a url that begins with one slash; `wsgimatch preview` shows what becomes of it.",
        )
    elif not has_fallback and all(subject.table.match(each.uri) is None for _, each in results):
        yield subject.finding(
            "W101",
            f"{said}, and no entry answers that: it is a 404.",
            "Write an entry for the new URL, or correct the url of this one.",
        )


def _examples(
    answer: Rewriting, location: str | Pattern, merge_slashes: bool
) -> Iterator[tuple[str, NewUrl]]:
    """Yield uris that an entry takes by itself, and what becomes of them."""
    always = Alias("", "", answer=Rewriting(answer.pattern, answer.url, answer.append_query))
    rewrites = Rewrites(AliasTable([always]), allow_exponential=True)
    for uri in islice(example_uris(location, merge_slashes=merge_slashes), _MOST_EXAMPLES):
        found = rewrites.apply(uri, "", {})
        if found is not None and uri.startswith("/"):
            yield uri, found


def _hidden(
    rewriting: Mapping[int, str | Pattern], location: str | Pattern, merge_slashes: bool
) -> tuple[Unreachable, tuple[int, ...]] | None:
    """Return what takes all URLs of a location, and the positions of those entries."""
    uri = next(example_uris(location, merge_slashes=merge_slashes), None)
    # Optimization: a table for each redirect took 15 s for 1,000 of them and 100 that rewrite.
    if uri is not None and not any(_takes(each, uri) for each in rewriting.values()):
        return None
    places = [*rewriting.values(), location]
    table = AliasTable(map(_answering, places), locations=places)
    found = unreachable(table, len(rewriting), merge_slashes=merge_slashes)
    if found is None or not found.hiders:
        return None
    positions = list(rewriting)
    return found, tuple(positions[each] for each in found.hiders)


def _takes(location: str | Pattern, uri: str) -> bool:
    return isinstance(location, Pattern) and location.find(uri) is not None


def _answering(location: str | Pattern) -> Alias:
    """Return an alias that takes the URLs of a location."""
    if isinstance(location, Pattern):
        return Alias(location.source, "", "match", answer=_GONE)
    return Alias(location, "", answer=_GONE)


def _table(rewriting: Sequence[Rewriting]) -> AliasTable:
    """Return a table in which the patterns of entries that rewrite take their URLs."""
    aliases = [Alias(each.pattern, "", "match", answer=_GONE) for each in rewriting]
    return AliasTable(aliases, allow_exponential=True)


def _is_reached_anew(
    subject: Subject,
    rewriting: Mapping[int, Rewriting],
    locations: Mapping[int, str | Pattern],
) -> bool:
    """Whether the new URL of an entry may be one that a redirect takes."""
    for position, answer in rewriting.items():
        if answer.status is not None:
            continue
        for _, found in _examples(answer, locations[position], merge_slashes=True):
            match = subject.table.match(found.uri)
            if match is not None and match.position == subject.position:
                return True
    return False


def _never(
    subject: Subject,
    answer: Rewriting,
    found: tuple[Unreachable, tuple[int, ...]],
    name: Callable[[int], str],
) -> Finding:
    hidden, positions = found
    return subject.finding(
        "W102",
        f"no URL reaches the pattern {quoted(answer.pattern)}: {listed([*map(name, positions)])} "
        f"rewrite{'s' * (len(positions) == 1)} all of them, such as {quoted(hidden.example)}.",
        "The first entry that takes a URL rewrites it, once. Move this one before "
        f"{name(positions[0])}, or remove it.",
    )


def _hidden_redirect(
    subject: Subject, found: tuple[Unreachable, tuple[int, ...]], name: Callable[[int], str]
) -> Finding:
    hidden, positions = found
    return subject.finding(
        "W103",
        f"no URL reaches {quoted(subject.alias.location)}: {listed([*map(name, positions)])} "
        f"rewrite{'s' * (len(positions) == 1)} all of them, such as {quoted(hidden.example)}.",
        "As in Apache, URLs are rewritten before redirects see them, wherever the entries stand: "
        f"let the pattern of {name(positions[0])} leave these out, as in '^/(?!old/)'.",
    )
