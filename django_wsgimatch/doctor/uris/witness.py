"""
Uris that a pattern matches in some particular way: found by a search, proved by matching.

What is searched is the language of a tree that was made from the pattern's own, with a group's text
written out, say. What is found counts only where the pattern itself matches it so.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from ...aliases.patterns.engine import Found
from ...aliases.patterns.pattern import Pattern
from ...aliases.patterns.pcre.measures import changed_inside
from ...aliases.patterns.pcre.syntax import CaptureGroup, Node, Text
from .language import language_of_tree
from .search import Search, States, until_too_complex

# So many uris are tried before the search is given up.
_MOST_TRIED = 100


def witness(
    pattern: Pattern,
    included: Node,
    *excluded: Node,
    merge_slashes: bool = True,
    proves: Callable[[Found], bool] = lambda found: True,
) -> str | None:
    """
    Return a short uri that a pattern matches, None where none is found.

    It comes from the language of ``included`` and not from those of ``excluded``; ``proves`` says
    whether the match is of the kind that is looked for.
    """
    languages = [States(language_of_tree(tree)) for tree in (included, *excluded)]
    search = Search(languages[0], languages[1:], merge_slashes=merge_slashes)
    for uris in (until_too_complex(search.words()), search.variety()):
        uri = None
        for uri in islice(uris, _MOST_TRIED):
            found = pattern.find(uri)
            if found is not None and proves(found):
                return uri
        if uri is None:
            return None
    return None


def with_capture(tree: Node, number: int, text: str) -> Node:
    """Return the tree with a group that can capture nothing but a text."""
    return rebuilt(
        tree,
        lambda node: (
            CaptureGroup(number, Text(text))
            if isinstance(node, CaptureGroup) and node.number == number
            else None
        ),
    )


def rebuilt(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """Return a tree in which ``change`` has put others in the place of nodes; None keeps one."""
    changed = change(node)
    if changed is not None:
        return changed
    return changed_inside(node, lambda inner: rebuilt(inner, change))
