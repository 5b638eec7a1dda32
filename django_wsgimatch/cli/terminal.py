"""The same for a terminal, with rich: columns that wrap, and colours."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import TaskID
from rich.table import Column, Table
from rich.text import Text

from ..apache.outcomes.outcome import Outcome
from ..apache.report import cells as report_cells
from ..doctor.told.findings import Finding
from ..doctor.told.progress import Progress
from ..doctor.told.wording import finding_lines, level_name
from ..preview import Preview, Try
from ..text import readable
from ..text import shown as printable
from .compare import Comparison, alias_name
from .lookups import Row
from .plain_lines import COLUMNS, EMBEDDED, MAIN, cells, preview_rows
from .status import COLUMNS as STATUS_COLUMNS
from .status import Status, status_cells, title

_STYLES = {
    "ERROR": "bold red",
    "WARNING": "yellow",
    "INFO": "cyan",
    "script": "green",
    "denied": "cyan",
    "directory": "green",
    "won": "bold green",
    "later": "cyan",
    "lost": "dim",
    "running": "green",
    "stopped": "dim",
    "elsewhere": "cyan",
    "failed": "bold red",
    "kept": "green",
    "changed": "cyan",
    "needs you": "bold yellow",
    "unknown": "bold yellow",
    "refused": "bold red",
    "not needed": "dim",
    "off": "dim",
}
# How often a bar is drawn at most, in seconds: what it shows is done thousands of times in one.
_DRAWN_EVERY = 0.05
_NOTHING = ("-", EMBEDDED, MAIN)
_ENTRY, _SCRIPT = COLUMNS.index("entry"), COLUMNS.index("script")


def console(stream: TextIO, *, no_color: bool, force_color: bool = False) -> Console:
    """Return the console that draws on a stream, as on a terminal where colours are forced."""
    is_terminal = True if force_color else None
    return Console(file=stream, no_color=no_color, force_terminal=is_terminal, highlight=False)


@contextmanager
def progress_line(on: Console) -> Iterator[Progress]:
    """Draw one line, a bar for what is being done just now, and wipe it out at the end."""
    task: TaskID | None = None
    drawn, drawn_what = 0.0, ""
    with Bars(console=on, transient=True) as bars:

        def show(done: int, total: int, what: str) -> None:
            nonlocal task, drawn, drawn_what
            now = time.monotonic()
            if what == drawn_what and done < total and now - drawn < _DRAWN_EVERY:
                return
            if task is None:
                task = bars.add_task(what)
            elif what != drawn_what:
                bars.reset(task)
            bars.update(task, description=what, completed=done, total=total, refresh=True)
            drawn, drawn_what = now, what

        yield show


def show_finding(on: Console, finding: Finding) -> None:
    """Draw a finding in the colour of its gravity, its cure below it."""
    message, hint = finding_lines(finding)
    on.print(_text(message, _STYLES[level_name(finding)]))
    on.print(_text(hint))


def show_table(on: Console, rows: Iterable[Row]) -> None:
    """Draw the table of entries, without the columns that say nothing in any row."""
    styles, lines = [], []
    for row in rows:
        styles.append(_STYLES.get(row.state, "red"))
        *texts, script = cells(row)
        # Where all is well, the target says enough.
        lines.append((*texts, row.state if row.state in _STYLES else script))
    columns = [n for n in range(len(COLUMNS)) if any(line[n] not in _NOTHING for line in lines)]
    table = Table()
    for n in columns:
        table.add_column(COLUMNS[n], no_wrap=n == _ENTRY, overflow="fold")
    for line, style in zip(lines, styles, strict=True):
        table.add_row(*[_text(line[n], style if n == _SCRIPT else "") for n in columns])
    on.print(table)


def show_preview(on: Console, shown: Preview, tried: tuple[Try, ...], *, is_full: bool) -> None:
    """Draw what becomes of one target; ``is_full`` shows every alias that lost."""
    grid = Table.grid(padding=(0, 2))
    for label, text, kind in preview_rows(shown, tried, is_full=is_full):
        grid.add_row(_text(label, "dim"), _text(text, _STYLES.get(kind, "")))
    on.print(_text(readable(shown.target), "bold"))
    on.print(grid)


def show_report(on: Console, outcomes: Iterable[Outcome]) -> None:
    """Draw what became of each directive of an imported configuration."""
    # At the end of a long path stands the number of the line.
    table = Table("becomes", Column("line", overflow="fold"), "directive", "note")
    for outcome in outcomes:
        category, place, text, note = report_cells(outcome)
        style = _STYLES.get(category, "")
        table.add_row(_text(category, style), *map(_text, (place, text, note)))
    on.print(table)


def show_status(on: Console, servers: Iterable[Status]) -> None:
    """Draw each server's groups."""
    for server in servers:
        table = Table(title=_text(title(server)))
        for column in STATUS_COLUMNS:
            table.add_column(column, overflow="fold")
        for place in server["places"]:
            name, state, *texts = status_cells(place)
            style = _STYLES.get(state, "")
            table.add_row(_text(name), _text(state, style), *map(_text, texts))
        on.print(table)


def show_comparison(on: Console, comparison: Comparison) -> None:
    """Draw a table of what differs, below the alias that takes the requests."""
    for group in comparison.groups:
        style = "bold red" if group.different else "green"
        told = f"{alias_name(group)}: {len(group.different)} of {group.asked} differ"
        on.print(_text(told, style))
        if group.different:
            table = Table("request", "what", "old", "new")
            for each in group.different:
                for number, difference in enumerate(each.differences):
                    request = "" if number else readable(str(each.request))
                    row = (request, difference.what, difference.old, difference.new)
                    table.add_row(*map(_text, row))
            on.print(table)


def _text(text: str, style: str = "") -> Text:
    """Text as it is drawn: nothing in it is markup, and nothing moves the cursor."""
    return Text(printable(text), style=style)
