"""The report of an import as plain text and as values for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...text import readable as shown
from ...text import shown as printable
from .fragment import readable, values
from .importing import Imported
from .outcome import CATEGORIES, Category, Outcome, tally

_PLURAL: dict[Category, str] = {"needs you": "need you"}
_WIDTH = max(map(len, CATEGORIES))


def cells(outcome: Outcome) -> tuple[str, str, str, str]:
    """Return an outcome as texts: the category, the spot, the directive, the note."""
    place = printable(str(outcome.spot))
    return outcome.category, place, shown(outcome.text), shown(outcome.note)


def report_lines(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield a line for each directive, its note behind it."""
    for outcome in outcomes:
        category, place, text, note = cells(outcome)
        yield f"{category:<{_WIDTH}}  {place}: {text}" + (f": {note}" if note else "")


def remark_lines(imported: Imported) -> Iterator[str]:
    """Yield a line for each warning that Apache would give."""
    for remark in imported.remarks:
        yield f"{'remark':<{_WIDTH}}  {printable(str(remark.spot))}: {shown(remark.text)}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return how many directives there are, and how many became what."""
    counts = tally(outcomes)
    parts = [
        f"{count} {_PLURAL.get(category, category) if count > 1 else category}"
        for category, count in counts.items()
        if count
    ]
    count = len(outcomes)
    return f"{count} directive{'' if count == 1 else 's'}: {', '.join(parts) or 'none'}."


def record(imported: Imported) -> dict[str, Any]:
    """Return an import as ``import --format json`` has it."""
    settings = imported.settings
    return {
        "settings": None if settings is None else values(settings),
        "report": list(map(_outcome_record, imported.outcomes)),
        "remarks": [
            {"file": each.spot.file, "line": each.spot.line, "text": readable(each.text)}
            for each in imported.remarks
        ],
        "summary": dict(_counts(imported.outcomes)),
    }


def _outcome_record(outcome: Outcome) -> dict[str, Any]:
    return {
        "file": outcome.spot.file,
        "line": outcome.spot.line,
        "directive": readable(outcome.text),
        "category": outcome.category,
        "note": readable(outcome.note),
    }


def _counts(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, int]]:
    yield "directives", len(outcomes)
    counts: dict[Category, int] = tally(outcomes)
    yield from counts.items()
