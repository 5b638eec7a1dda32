"""Apache's directives in an import: ``.. apache-directives:: CATEGORY`` lists ``ANSWERS``."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from django_wsgimatch.apache.outcomes.answers import ANSWERS, DirectiveAnswer


class ApacheDirectives(SphinxDirective):
    """Lists the directives of a category, those with one answer together."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the list."""
        items = [item(names, answer) for names, answer in together(self.arguments[0])]
        return [nodes.definition_list("", *items)]


def together(category: str) -> list[tuple[list[str], DirectiveAnswer]]:
    """Return the answers of a category, each with the names that have it."""
    found: dict[DirectiveAnswer, list[str]] = {}
    for name, answer in ANSWERS.items():
        if answer.category == category:
            found.setdefault(answer, []).append(name)
    return [(sorted(names), answer) for answer, names in found.items()]


def item(names: list[str], answer: DirectiveAnswer) -> nodes.definition_list_item:
    """One answer: the names, what becomes of them, and with which arguments they say nothing."""
    term = nodes.term()
    for number, name in enumerate(names):
        term += [nodes.Text(", ")] if number else []
        term += nodes.literal(text=name.replace("*", "..."))
    paragraphs = [nodes.paragraph(text=f"{answer.note}.")]
    if answer.harmless:
        text = f"Not needed with {' or '.join(map(repr, answer.harmless))}."
        paragraphs.append(nodes.paragraph(text=text))
    return nodes.definition_list_item("", term, nodes.definition("", *paragraphs))


def setup(app: Any) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("apache-directives", ApacheDirectives)
    return {"parallel_read_safe": True}
