"""Aliases that no URL reaches, or few: because of their own location, or of earlier aliases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...aliases.table import AliasTable
from ...text import quoted
from ..findings.finding import Finding, Findings, Subject, listed
from ..uris.hidden_aliases import OftenTaken, Unreachable, often_taken, unreachable
from .never import never_finding


def order_findings(subject: Subject, sources: Sequence[str], *, merge_slashes: bool) -> Findings:
    """
    Yield a finding if no URL reaches an alias, or few of those that it was written for do.

    ``sources`` names all entries of its table.
    """
    table, position = subject.table, subject.position
    found = unreachable(table, position, merge_slashes=merge_slashes)
    if found is not None:
        if _waits_for_a_decision(table, found.hiders):
            return
        if found.hiders:
            yield _hidden(subject, found, sources)
        else:
            yield never_finding(subject, merge_slashes)
        return
    taken = often_taken(table, position, merge_slashes=merge_slashes)
    if taken and not _waits_for_a_decision(table, taken.takers):
        yield _often_hidden(subject, taken, sources)


def _waits_for_a_decision(table: AliasTable, positions: Iterable[int]) -> bool:
    """
    Whether an import has closed what hides an alias.

    W065 says so of that entry; to move the alias before it would open it.
    """
    answers = (table.aliases[position].answer for position in positions)
    return any(answer is not None and answer.is_undecided for answer in answers)


def _often_hidden(subject: Subject, found: OftenTaken, sources: Sequence[str]) -> Finding:
    takers = listed([sources[taker] for taker in found.takers])
    take = "takes" if len(found.takers) == 1 else "take"
    return subject.finding(
        "W030",
        f"{takers} {take} many URLs of {quoted(subject.alias.location)}: {found.taken} of "
        f"{found.tried} that were tried, such as {quoted(found.example)}.",
        f"The first alias that matches wins. Move this one before {sources[found.takers[0]]}, or "
        "make that one match less.",
    )


def _hidden(subject: Subject, found: Unreachable, sources: Sequence[str]) -> Finding:
    hiders = listed([sources[hider] for hider in found.hiders])
    take = "takes" if len(found.hiders) == 1 else "take"
    location = quoted(subject.alias.location)
    message = (
        f"no URL reaches {location}: {hiders} {take} all of them, such as {quoted(found.example)}."
        if found.proved
        else f"no URL seems to reach {location}: {hiders} {take} all of {found.tried} that were "
        f"tried, such as {quoted(found.example)}."
    )
    return subject.finding(
        "W006",
        message,
        f"The first alias that matches wins. Move this one before {sources[found.hiders[0]]}, or "
        "remove it.",
    )
