"""Aliases that no URL reaches: because of their own location, or because of earlier aliases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .findings import Finding, quoted
from .reach import Unreachable, unreachable
from .subject import Subject


def order_findings(
    subject: Subject, sources: Sequence[str], *, merge_slashes: bool
) -> Iterator[Finding]:
    """
    Yield a finding if no URL reaches an alias.

    ``sources`` names all entries of its table.
    """
    table, positions = subject.table, [subject.position]
    for found in unreachable(table, positions, merge_slashes=merge_slashes):
        yield _hidden(subject, found, sources) if found.hiders else _never(subject, merge_slashes)


def _hidden(subject: Subject, found: Unreachable, sources: Sequence[str]) -> Finding:
    hiders = _listed([sources[hider] for hider in found.hiders])
    take = "takes" if len(found.hiders) == 1 else "take"
    location = quoted(subject.alias.location)
    message = (
        f"no URL reaches {location}: {hiders} {take} all of them, {quoted(found.example)} for one."
        if found.proved
        else f"no URL seems to reach {location}: {hiders} {take} all of {found.tried} that were "
        f"tried, {quoted(found.example)} for one."
    )
    return Finding(
        "W006",
        subject.where,
        message,
        f"The first alias that matches wins. Move this one before {sources[found.hiders[0]]}, or "
        "remove it.",
    )


def _never(subject: Subject, merge_slashes: bool) -> Finding:
    location = subject.alias.location
    if subject.alias.kind == "plain" and not location.startswith("/"):
        reason, cure = "every URL begins with '/', it does not", "Put a slash in front of it"
    elif subject.alias.kind == "plain":
        reason, cure = "'.' and '..' are gone from a URL by then", "Write the path without dots"
    elif merge_slashes and "//" in location:
        reason = "slashes are merged before a pattern sees the URL"
        cure = "Write one slash, or set WSGIMATCH_MERGE_SLASHES = False"
    else:
        reason = "a match that ends at the very start of the URL does not count, nor does text "
        reason += "that no URL holds"
        cure = "Let the pattern match at least the first slash"
    return Finding(
        "W007", subject.where, f"{quoted(location)} can never match: {reason}.", f"{cure}."
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
