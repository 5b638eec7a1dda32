"""The report of an import as plain text and as values for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..text import readable as shown
from ..text import shown as printable
from .decisions import Protected
from .importing import Imported
from .lines.directive import Directive
from .outcomes.outcome import CATEGORIES, Category, Outcome, tally
from .writing.fragment import readable, values

_PLURAL: dict[Category, str] = {"needs you": "need you"}
_WIDTH = max(map(len, CATEGORIES))
_CLOSED = (
    "Access rules: these URLs answer 403 to everybody until you decide. Delete the entry once "
    "something else keeps out who should be kept out:"
)
_OPEN = "Access rules: Apache refuses some requests for these URLs, and here everybody may ask:"


def cells(outcome: Outcome) -> tuple[str, str, str, str]:
    """Return an outcome as texts: the category, the spot, the directive, the note."""
    if not outcome.text:
        # The whole file is meant.
        file = outcome.spot.file
        note = outcome.note.removeprefix(f"{file} ")
        return outcome.category, printable(file), "", shown(note)
    place = printable(str(outcome.spot))
    return outcome.category, place, shown(outcome.text), shown(outcome.note)


def protected_lines(imported: Imported) -> Iterator[str]:
    """Yield a heading and a line for each URL that Apache protects, none where there are none."""
    heading = ""
    for each in imported.protected:
        if heading != (heading := _OPEN if each.is_open else _CLOSED):
            yield heading
        rules = ", ".join(f"{rule.spot}: {_text_of(rule)}" for rule in each.closed.rules)
        state = "open" if each.is_open else "closed"
        yield f"{state:<{_WIDTH}}  {shown(each.urls)}{_of(each.host)}: {shown(rules)}"


def _of(host: str | None) -> str:
    return "" if host is None else f" of {'unknown hosts' if host == '*' else shown(host)}"


def _text_of(directive: Directive) -> str:
    return " ".join(f"{directive.name} {directive.rest}".split())


def report_lines(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield a line for each directive, its note behind it."""
    for outcome in outcomes:
        category, place, text, note = cells(outcome)
        yield f"{category:<{_WIDTH}}  {': '.join(filter(None, (place, text, note)))}"


def remark_lines(imported: Imported) -> Iterator[str]:
    """Yield a line for each warning that Apache would give."""
    for remark in imported.remarks:
        yield f"{'remark':<{_WIDTH}}  {printable(str(remark.spot))}: {shown(remark.text)}"


def import_summary(outcomes: Sequence[Outcome]) -> str:
    """Return how many directives there are, and how many became what."""
    counts = tally(outcomes)
    parts = [
        f"{count} {_PLURAL.get(category, category) if count > 1 else category}"
        for category, count in counts.items()
        if count
    ]
    count = len(outcomes)
    return f"{count} directive{'' if count == 1 else 's'}: {', '.join(parts) or 'none'}."


def import_record(imported: Imported) -> dict[str, Any]:
    """Return an import as ``import --format json`` has it."""
    settings = imported.settings
    return {
        "settings": None if settings is None else values(settings),
        "protected": list(map(_protected_record, imported.protected)),
        "report": list(map(_outcome_record, imported.outcomes)),
        "remarks": [
            {"file": each.spot.file, "line": each.spot.line, "text": readable(each.text)}
            for each in imported.remarks
        ],
        "summary": dict(_counts(imported.outcomes)),
    }


def _protected_record(found: Protected) -> dict[str, Any]:
    alias = found.closed.alias
    return {
        "host": None if found.host is None else readable(found.host),
        "kind": alias.directive,
        "location": readable(alias.location),
        "is_open": found.is_open,
        "is_whole": found.closed.is_whole,
        "rules": [
            {"file": rule.spot.file, "line": rule.spot.line, "directive": readable(_text_of(rule))}
            for rule in found.closed.rules
        ],
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
