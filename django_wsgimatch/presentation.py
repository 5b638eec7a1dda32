"""Plain text for pipes and files: one thing a line, the same words whatever the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .aliases.alias import BROKEN as BROKEN_ALIAS
from .diagnose.findings import Finding
from .diagnose.preview import Preview, Try, rebuilt_url
from .inspection import BROKEN, DENIED, Row
from .text import readable
from .text import shown as printable

COLUMNS = (
    "entry",
    "host",
    "position",
    "kind",
    "location",
    "target",
    "options",
    "process group",
    "application group",
    "script",
)
_LEVELS = {"E": "ERROR", "W": "WARNING"}


def level_name(finding: Finding) -> str:
    """Return ERROR or WARNING."""
    return _LEVELS[finding.id[0]]


def finding_record(finding: Finding) -> dict[str, str]:
    """Return a finding as ``check --json`` has it."""
    return {
        "id": f"wsgimatch.{finding.id}",
        "level": level_name(finding),
        "where": finding.where,
        "message": finding.message,
        "hint": finding.hint,
    }


def finding_lines(finding: Finding) -> Iterator[str]:
    """Yield a finding in two lines: what is wrong, and the cure."""
    yield f"{level_name(finding)} wsgimatch.{finding.id} {finding.where}: {finding.message}"
    yield f"    hint: {finding.hint}"


def summary(findings: Sequence[Finding]) -> str:
    """Return how many errors and warnings there are."""
    errors = sum(finding.id.startswith("E") for finding in findings)
    return f"{_count(errors, 'error')}, {_count(len(findings) - errors, 'warning')}."


def table_lines(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the table with its columns under each other."""
    lines = [COLUMNS, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(padded).rstrip()


def cells(row: Row) -> tuple[str, ...]:
    """Return an entry as the texts of its columns; "-" stands for nothing."""
    return (
        printable(row.where),
        printable(row.host or "-"),
        str(row.position),
        row.kind or "-",
        readable(row.location or "-"),
        readable(row.target or "-"),
        _options(row),
        readable(row.process_group or "-"),
        readable(row.application_group or "-"),
        _script(row),
    )


def preview_rows(shown: Preview, tried: Iterable[Try]) -> Iterator[tuple[str, str]]:
    """Yield what becomes of a target as (label, text)."""
    if shown.uri is not None:
        yield "uri", readable(shown.uri)
    for each in tried:
        yield "alias", printable(f"[{each.position}] {_directive(each)}: {_outcome(each)}")
    for number, capture in enumerate(shown.captures or (), 1):
        yield f"${number}", readable(capture)
    named = (
        ("filename", shown.filename),
        ("script", shown.script),
        ("SCRIPT_NAME", shown.script_name),
        ("PATH_INFO", shown.path_info),
        ("QUERY_STRING", shown.query_string),
        ("process group", _or(shown.process_group, "(embedded)")),
        ("application group", _or(shown.application_group, "(main interpreter)")),
        ("callable object", shown.callable_object),
        ("rebuilt URL", rebuilt_url(shown)),
    )
    yield from ((label, readable(text)) for label, text in named if text is not None)
    if shown.view is not None:
        yield "view", printable(shown.view)
    yield "answer", answer(shown)
    for warning in shown.warnings:
        yield "warning", printable(warning)


def preview_lines(shown: Preview, tried: Iterable[Try]) -> Iterator[str]:
    """Yield what becomes of a target, the target first, then one thing a line."""
    yield readable(shown.target)
    for label, text in preview_rows(shown, tried):
        yield f"  {label:<18}{text}".rstrip()


def answer(shown: Preview) -> str:
    """Return who answers a target."""
    if shown.status is None:
        return "the fallback: no alias matches"
    if shown.status == 200:
        return "the script"
    return f"status {shown.status}"


def _outcome(tried: Try) -> str:
    return f"{tried.outcome}, {tried.reason}"


def _directive(tried: Try) -> str:
    alias = tried.alias
    if alias == BROKEN_ALIAS:
        return "(broken)"
    return f"{alias.directive} {readable(alias.location)} {readable(alias.target)}".rstrip()


def _options(row: Row) -> str:
    options = []
    if row.callable_object not in (None, "application"):
        options.append(f"callable_object={readable(row.callable_object or '')}")
    if row.pass_authorization is False:
        options.append("pass_authorization=False")
    return " ".join(options) or "-"


def _script(row: Row) -> str:
    if row.state == BROKEN:
        return printable(f"broken: {row.reason}")
    if row.state == DENIED:
        return printable(f"{row.state}: {row.reason}" if row.reason else row.state)
    path = readable(row.script or "")
    if row.state in ("script", "directory"):
        return f"{row.state} {path}"
    return f"{row.state}: {path}"


def _or(text: str | None, empty: str) -> str | None:
    return empty if text == "" else text


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
