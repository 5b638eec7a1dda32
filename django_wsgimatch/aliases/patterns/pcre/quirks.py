"""
Mistakes of PCRE2 that Apache's users live with, and that ``re`` does not make.

What they touch is refused, so that no pattern answers here in another way than in Apache.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from .literals import starts
from .measures import shortest
from .syntax import (
    Anchor,
    Atomic,
    Bytes,
    CaptureGroup,
    Choice,
    Look,
    Node,
    Repeat,
    Sequence,
    Text,
    children,
    single_byte,
    walk,
)


def misread(tree: Node) -> Iterator[str]:
    """Yield what makes a pattern match otherwise in PCRE2 10.42 than in later releases."""
    if _misses_first_byte(tree):
        yield "a search that begins with a look ahead, not with the text looked for"
    if _enters_skipped_group(tree):
        yield "a group of several alternatives that is repeated no times"


def forgets_entry(item: Node) -> bool:
    """
    Return whether a repeat before an atomic group may wrongly give nothing back to what follows.

    compare_opcodes() forgets, on a way through the group that reads nothing, that it has entered
    the group: ``^x+(?>|y)x`` does not match ``xx``.
    """
    return not shortest(item) and _has_detour(item)


def _has_detour(item: Node) -> bool:
    return any(
        isinstance(node, Choice)
        or (isinstance(node, Repeat) and node.low == 0 and single_byte(node.item) is None)
        for node in walk(item)
    )


def _enters_skipped_group(tree: Node) -> bool:
    """
    Return whether PCRE2 may take an alternative of a group that is left out for the start.

    first_significant_code() skips ``{0}`` with the first alternative only: ``(a|^){0}b`` does not
    match ``ab``.
    """
    return any(
        isinstance(node, Repeat) and node.high == 0 and _has_detour(node.item)
        for node in walk(tree)
    )


def _misses_first_byte(tree: Node) -> bool:
    """
    Return whether a byte that the match needs may be looked for too late.

    Where a search knows its first byte from a look ahead alone, PCRE2 before 10.43 looks for the
    last byte needed only behind it: ``(?=b)a?b`` does not match ``b``.
    """
    branches = tree.branches if isinstance(tree, Choice) else (tree,)
    return not starts(tree) and any(map(_begins_with_look, branches))


def _begins_with_look(branch: Node) -> bool:
    """Return whether a look ahead decides the first byte and what follows may not."""
    places, rest = _parted(branch)
    if any(map(_asserts_byte, places)):
        return not isinstance(rest[0] if rest else None, (Text, Bytes)) and any(
            map(_needs_byte, rest)
        )
    inside = walk(rest[0]) if rest and isinstance(rest[0], Choice) else ()
    return any(map(_asserts_byte, inside)) and any(map(_needs_byte, rest))


def _parted(node: Node) -> tuple[list[Node], list[Node]]:
    """Return what a node begins with that reads no byte, and its other items."""
    items = _items(node)
    places = list(takewhile(lambda item: isinstance(item, (Anchor, Look)), items))
    return places, items[len(places) :]


def _items(node: Node) -> list[Node]:
    is_one = isinstance(node, (Sequence, CaptureGroup, Atomic))
    if is_one or (isinstance(node, Repeat) and node.low):
        return [inner for child in children(node) for inner in _items(child)]
    return [node]


def _asserts_byte(node: Node) -> bool:
    """Return whether a node looks ahead for a certain byte, in either case."""
    if not isinstance(node, Look) or node.behind or node.negative:
        return False
    _, rest = _parted(node.item)
    return bool(rest) and (isinstance(rest[0], Choice) or _needs_byte(rest[0]))


def _needs_byte(node: Node) -> bool:
    """Return whether there is a certain byte without which the node cannot match."""
    match node:
        case Text():
            return True
        case Bytes(mask):
            return mask.bit_count() <= 2
        case Repeat(low=0) | Look():
            return False
        case _:
            return any(map(_needs_byte, children(node)))
