"""
The directive ``measured``: a plot that ``make bench`` has drawn, and what it was measured on.

::

    .. measured:: dispatch

        What the plot shows, in a sentence.

Without results in ``benchmarks/`` there is a sentence that says how to make them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata


class Measured(SphinxDirective):
    """A figure of one benchmark; its caption is the content and the machine."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the figure, or the sentence instead of it."""
        [name] = self.arguments
        results = Path(self.env.srcdir) / "benchmarks"
        plot, figures = results / f"{name}.svg", results / f"{name}.json"
        self.env.note_dependency(str(plot))
        caption = " ".join(self.content)
        if not plot.exists() or not figures.exists():
            return self.parse_text_to_nodes(f"{caption} Measure it with ``make bench``.")
        machine = json.loads(figures.read_text())["machine"]
        caption += f" Measured on {machine['cpus']} CPUs, Python {machine['python']}"
        return self.parse_text_to_nodes(
            f".. figure:: /benchmarks/{plot.name}\n   :alt: {' '.join(self.content)}\n\n"
            f"   {caption} (:download:`figures </benchmarks/{figures.name}>`)."
        )


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive."""
    app.add_directive("measured", Measured)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
