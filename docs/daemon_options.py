"""The options of process groups as a directive: ``.. daemon-options::`` lists ``ANSWERS``."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from django_wsgimatch.daemon.option_values import ANSWERS
from django_wsgimatch.daemon.options import GroupOptions

KINDS = {
    "supported": "as in mod_wsgi",
    "mapped": "mapped",
    "refused": "refused",
    "beyond": "beyond mod_wsgi",
}


class DaemonOptions(SphinxDirective):
    """Lists every option with its answer, in the order of the names."""

    def run(self) -> list[nodes.Node]:
        """Return the list."""
        defaults = {each.name: each.default for each in fields(GroupOptions)}
        items = [item(name, ANSWERS[name], defaults.get(name, MISSING)) for name in sorted(ANSWERS)]
        return [nodes.definition_list("", *items)]


def item(name: str, answer: Any, default: Any) -> nodes.definition_list_item:
    """One option: its name, what becomes of it, what it should be, its default."""
    term = nodes.term("", "", nodes.literal(text=name), nodes.Text(f" ({KINDS[answer.kind]})"))
    note = answer.note[:1].upper() + answer.note[1:]
    paragraphs = [nodes.paragraph(text=f"{note}.")]
    if answer.kind != "refused":
        text = f"Should be {answer.shape}. Default: {default!r}."
        paragraphs.append(nodes.paragraph(text=text))
    return nodes.definition_list_item("", term, nodes.definition("", *paragraphs))


def setup(app: Any) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("daemon-options", DaemonOptions)
    return {"parallel_read_safe": True}
