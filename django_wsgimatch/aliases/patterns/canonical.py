"""
One pattern for all that differ in their words only, and the way back.

Tables hold many patterns of one shape. What a search costs does not depend on which byte is
which, as long as each stays inside or outside the same classes of the pattern.
"""

from __future__ import annotations

from .automaton import PREFERRED_BYTES
from .pcre import bytesets
from .pcre.measures import changed_inside
from .pcre.syntax import BackReference, Bytes, Node, Text, walk

# Bytes that servers read something into before they search: each is a class of its own.
_OWN = frozenset([bytesets.of(b"/"), bytesets.of(b"."), bytesets.NEWLINE, bytesets.WORD])


def canonical(tree: Node) -> tuple[Node, dict[int, int]]:
    """Return the canonical form of a pattern, and a table to translate its uris back with."""
    nodes = list(walk(tree))
    if any(isinstance(node, BackReference) and node.folded for node in nodes):
        return tree, {}
    text = "".join(node.text for node in nodes if isinstance(node, Text))
    masks = {node.mask for node in nodes if isinstance(node, Bytes)}
    classes = bytesets.classes(masks | _OWN)
    there, back = _permutation(list(dict.fromkeys(map(ord, text))), classes)
    return _translated(tree, there), back


def _permutation(used: list[int], classes: list[int]) -> tuple[dict[int, int], dict[int, int]]:
    """Map the bytes that are used, in their order, to the last ones of their classes."""
    # Those that typical_byte() takes come last, so that a typical byte is no byte of a text.
    order = list(dict.fromkeys([*PREFERRED_BYTES, *range(256)]))[::-1]
    there: dict[int, int] = {}
    for members in classes:
        codes = [code for code in order if members >> code & 1]
        first = [code for code in used if members >> code & 1]
        targets = codes[: len(first)]
        there.update(zip(first, targets, strict=True))
        # The others stay what they are, as far as their places are free.
        homeless = [code for code in codes if code in targets and code not in first]
        vacant = (code for code in codes if code in first and code not in targets)
        there.update(zip(homeless, vacant, strict=True))
    return there, {target: source for source, target in there.items()}


def _translated(node: Node, there: dict[int, int]) -> Node:
    if isinstance(node, Text):
        return Text(node.text.translate(there))
    return changed_inside(node, lambda inner: _translated(inner, there))
