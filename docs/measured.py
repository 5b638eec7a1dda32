"""
The directive ``measured``: what ``make bench`` has measured, and what the figures are figures of.

::

    .. measured:: dispatch
       :earlier: 53b92f1
       :missed: A new path costs more: the environ is copied.

        What the figures show, in a sentence.

There is a plot or there are tables, with the machine and the commit, and contracts that were
missed. ``missed`` says why they were. ``earlier`` says that the code has changed since that commit,
and the page says so; ``tests/docs/test_published_figures.py`` asks for both where they are due.
Without results in ``benchmarks/`` there is a sentence that says how to make them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


class Measured(SphinxDirective):
    """The figures of one benchmark; their caption is the content, the machine and the commit."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {
        "earlier": directives.unchanged_required,
        "missed": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Return the plot or the tables, or the sentence instead of them."""
        [name] = self.arguments
        results = Path(self.env.srcdir) / "benchmarks"
        plot, figures = results / f"{name}.svg", results / f"{name}.json"
        self.env.note_dependency(str(figures))
        said = " ".join(self.content)
        if not figures.exists():
            return self.parse_text_to_nodes(f"{said} Measure it with ``make bench``.")
        told = json.loads(figures.read_text())
        said += f" {origin(told)} (:download:`figures </benchmarks/{figures.name}>`)."
        if "earlier" in self.options:
            said += " The code that it measures has changed since then."
        return self.parse_text_to_nodes("\n\n".join(self._parts(told, plot, said)))

    def _parts(self, told: Mapping[str, Any], plot: Path, said: str) -> Iterator[str]:
        if plot.exists():
            alternative = " ".join(self.content)
            yield f".. figure:: /benchmarks/{plot.name}\n   :alt: {alternative}\n\n   {said}"
        else:
            yield said
            yield from (list_table(title, rows) for title, rows in told["tables"].items())
        yield from missed(told["contracts"], self.options.get("missed", ""))


def origin(told: Mapping[str, Any]) -> str:
    """Say what was measured when and where."""
    machine, of = told["machine"], told["of"]
    commit = f" at commit {of['commit']}" if of["commit"] else ""
    return (
        f"Measured on {of['date']}{commit}, with {machine['cpus']} CPUs and Python "
        f"{machine['python']}"
    )


def list_table(title: str, rows: Sequence[Sequence[str]]) -> str:
    """Write a table in reStructuredText; its first row is the header."""
    lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
    for row in rows:
        first, *others = map(literal, row)
        lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
    return "\n".join(lines)


def literal(text: str) -> str:
    """Escape what reStructuredText would take for markup."""
    return "".join(f"\\{each}" if each in "\\*`_|" else each for each in text)


def missed(contracts: Sequence[str], reason: str) -> Iterator[str]:
    """Say which contracts were missed, and why."""
    found = [line.partition(": ")[2] for line in contracts if line.startswith("MISSED")]
    if found:
        yield f"{len(contracts) - len(found)} of {len(contracts)} contracts were kept. Missed:"
        yield "\n".join(f"* {literal(line)}" for line in found)
        yield reason


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive."""
    app.add_directive("measured", Measured)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
