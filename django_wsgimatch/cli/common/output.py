"""Where a subcommand writes: lines and JSON in a pipe or a file, tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.core.management.base import OutputWrapper

from ...doctor.findings.finding import Progress, untold
from ...text import shown, to_json
from .terminal import Screen


class Output:
    """The two streams of a command."""

    def __init__(
        self, stdout: OutputWrapper, stderr: OutputWrapper, options: dict[str, Any]
    ) -> None:
        self.stdout = stdout
        self.stderr = stderr
        self._options = options

    @property
    def screen(self) -> Screen | None:
        """The terminal that standard output is, or counts as; None for a pipe or a file."""
        return self._screen_of(self.stdout)

    @property
    def error_screen(self) -> Screen | None:
        """The same for standard error."""
        return self._screen_of(self.stderr)

    def progress(self) -> AbstractContextManager[Progress]:
        """Show how far the work is, where somebody may be waiting for it."""
        if self._options["as_json"] or not self.stderr.isatty():
            return nullcontext(untold)
        return self._drawn_on(self.stderr).progress()

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write lines to standard output."""
        self.stdout.write("\n".join(map(shown, lines)))

    def write_json(self, value: object) -> None:
        """Write a value as JSON to standard output."""
        self.stdout.write(to_json(value))

    def write_file(self, text: str) -> None:
        """Write a file's text to standard output: as UTF-8, whatever a terminal would take."""
        binary = getattr(self.stdout, "buffer", None)
        if binary is None:
            self.stdout.write(text, ending="")
        else:
            self.stdout.flush()
            binary.write(text.encode())
            binary.flush()

    def remark(self, text: str) -> None:
        """Write a line, or several, to standard error in no colour: it is not an error."""
        self.stderr.write(text, style_func=str)

    def _screen_of(self, stream: OutputWrapper) -> Screen | None:
        is_drawn = stream.isatty() or self._options["force_color"]
        return self._drawn_on(stream) if is_drawn else None

    def _drawn_on(self, stream: Any) -> Screen:
        # Only the stream itself tells its encoding, by which boxes are drawn in ASCII or not.
        return Screen(
            stream._out,
            no_color=self._options["no_color"],
            force_color=self._options["force_color"],
        )
