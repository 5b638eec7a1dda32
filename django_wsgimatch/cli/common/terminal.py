"""
What is drawn in a terminal, with rich: columns that wrap, colours, and bars of progress.

Optimization: most of the time that a short command takes would be rich's, so it is loaded where
something is drawn.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, TypeAlias

from ...doctor.findings.finding import Progress
from ...text import shown

if TYPE_CHECKING:
    from rich.progress import TaskID
    from rich.text import Text

# A text, and what it stands for: a key of the styles, or nothing.
Cell: TypeAlias = tuple[str, str]

_KINDS = {
    "bold red": ("ERROR", "failed", "refused", "different"),
    "yellow": ("WARNING",),
    "bold yellow": ("needs you", "part", "unknown"),
    "cyan": ("INFO", "denied", "later", "elsewhere", "changed"),
    "bold": ("heading",),
    "green": ("script", "directory", "running", "kept", "same"),
    "bold green": ("won",),
    "red": ("unusable",),
    "dim": ("label", "lost", "stopped", "not needed", "off"),
}
_STYLES = {kind: style for style, kinds in _KINDS.items() for kind in kinds}
# How often a bar is drawn at most, in seconds: what it shows is done thousands of times in one.
_DRAWN_EVERY = 0.05


class Screen:
    """A terminal. What is drawn is text alone: nothing in it is markup, or moves the cursor."""

    def __init__(self, stream: TextIO, *, no_color: bool, force_color: bool = False) -> None:
        from rich.console import Console

        self._console = Console(
            file=stream,
            no_color=no_color,
            force_terminal=True if force_color else None,
            highlight=False,
        )

    def line(self, text: str, kind: str = "") -> None:
        """Draw a text by itself; it may wrap."""
        self._console.print(_text(text, kind))

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        title: str | None = None,
        folded: Collection[str] = (),
        whole: Collection[str] = (),
    ) -> None:
        """
        Draw a table with lines around it.

        Words too long for their column are cut, in those ``folded`` broken, in those ``whole``
        left as they are.
        """
        from rich.table import Table

        table = Table(title=None if title is None else _text(title))
        for name in columns:
            table.add_column(
                name, no_wrap=name in whole, overflow="fold" if name in folded else "ellipsis"
            )
        for row in rows:
            table.add_row(*(_text(*cell) for cell in row))
        self._console.print(table)

    def grid(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Draw columns with nothing but blanks between them."""
        from rich.table import Table

        grid = Table.grid(padding=(0, 2))
        for row in rows:
            grid.add_row(*(_text(*cell) for cell in row))
        self._console.print(grid)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Draw one line, a bar for what is being done just now, and wipe it out at the end."""
        from rich.progress import Progress as Bars

        task: TaskID | None = None
        drawn, drawn_what = 0.0, ""
        with Bars(console=self._console, transient=True) as bars:

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


def _text(text: str, kind: str = "") -> Text:
    from rich.text import Text

    return Text(shown(text), style=_STYLES.get(kind, ""))
