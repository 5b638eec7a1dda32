"""Plain text for pipes and files: one thing a line, the same words whatever the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from ..aliases.alias import BROKEN as BROKEN_ALIAS
from ..aliases.groups import GLOBAL
from ..doctor.told.findings import Finding
from ..doctor.told.wording import level_name
from ..preview import Preview, Try, rebuilt_url
from ..text import readable
from ..text import shown as printable
from .lookups import BROKEN, DENIED, Row

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
# The groups that are named %{GLOBAL} in the settings, and "" in the environ.
EMBEDDED, MAIN = "(embedded)", "(main interpreter)"
# What a Django project makes of a URL for which its URLconf has no view.
NO_VIEW = {
    301: "none: APPEND_SLASH redirects",
    404: "none: the project's URLconf answers 404",
}


def finding_record(finding: Finding) -> dict[str, str]:
    """Return a finding as ``check --json`` has it."""
    return {
        "id": f"wsgimatch.{finding.id}",
        "level": level_name(finding),
        "where": finding.where,
        "message": finding.message,
        "hint": finding.hint,
    }


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
        _group(row.process_group, EMBEDDED),
        _group(row.application_group, MAIN),
        _script(row),
    )


def alias_rows(tried: Iterable[Try], *, is_full: bool) -> Iterator[tuple[str, str]]:
    """
    Yield (outcome, text) for each alias that was tried.

    Unless all is asked for, several in a row that lost are one, except where one nearly won.
    """
    for has_lost, run in groupby(tried, key=_has_plainly_lost):
        several = list(run)
        if has_lost and not is_full and len(several) > 1:
            first, last = several[0].position, several[-1].position
            yield "lost", f"[{first}] to [{last}]: {len(several):,} lost (-v 2 says why)"
            continue
        for each in several:
            told = f"[{each.position}] {_directive(each)}: {_outcome(each)}"
            yield each.outcome, printable(told)


def preview_rows(
    shown: Preview, tried: Iterable[Try], *, is_full: bool = False
) -> Iterator[tuple[str, str, str]]:
    """
    Yield what becomes of a target as (label, text, kind).

    The kind is how an alias fared, or the label in capitals: what a style goes by.
    """
    if shown.uri is not None:
        yield "uri", readable(shown.uri), "URI"
    for outcome, text in alias_rows(tried, is_full=is_full):
        yield "alias", text, outcome
    for label, text in _result_rows(shown):
        yield label, text, label.upper()


def _result_rows(shown: Preview) -> Iterator[tuple[str, str]]:
    for number, capture in enumerate(shown.captures or (), 1):
        yield f"${number}", readable(capture)
    named = (
        ("filename", shown.filename),
        ("script", shown.script),
        ("SCRIPT_NAME", shown.script_name),
        ("PATH_INFO", shown.path_info),
        ("QUERY_STRING", shown.query_string),
        ("process group", _or(shown.process_group, EMBEDDED)),
        ("application group", _or(shown.application_group, MAIN)),
        ("callable object", shown.callable_object),
        ("rebuilt URL", rebuilt_url(shown)),
    )
    yield from ((label, readable(text)) for label, text in named if text is not None)
    if shown.view is not None:
        yield "view", printable(shown.view)
    elif shown.urlconf_status is not None:
        yield "view", NO_VIEW[shown.urlconf_status]
    yield "answer", answer(shown)
    for warning in shown.warnings:
        yield "warning", printable(warning)


def preview_lines(shown: Preview, tried: Iterable[Try], *, is_full: bool = False) -> Iterator[str]:
    """Yield what becomes of a target, the target first, then one thing a line."""
    yield readable(shown.target)
    for label, text, _ in preview_rows(shown, tried, is_full=is_full):
        yield f"  {label:<18}{text}".rstrip()


def answer(shown: Preview) -> str:
    """Return who answers a target."""
    if shown.status is None:
        return "the fallback: no alias matches"
    if shown.status == 200:
        return "the script, which does not load" if shown.load_error else "the script"
    return f"status {shown.status}"


def _has_plainly_lost(tried: Try) -> bool:
    return tried.outcome == "lost" and not tried.is_near


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


def _group(name: str | None, is_global: str) -> str:
    return is_global if name == GLOBAL else readable(name or "-")


def _or(text: str | None, empty: str) -> str | None:
    return empty if text == "" else text
