"""What can be told of a part of a pattern by itself: its groups, its lengths, its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .syntax import (
    Anchor,
    Atomic,
    BackReference,
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


def captured(node: Node) -> tuple[int, ...]:
    """Return the numbers of the groups in the node, in their order."""
    return tuple(each.number for each in walk(node) if isinstance(each, CaptureGroup))


def referred(node: Node) -> set[int]:
    """Return the numbers of the groups that something in the node refers to."""
    return {each.number for each in walk(node) if isinstance(each, BackReference)}


def changed_inside(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the node with every node directly inside it changed."""
    match node:
        case Sequence(items):
            return Sequence(tuple(map(change, items)))
        case Choice(branches):
            return Choice(tuple(map(change, branches)))
        case Repeat(item=item) | CaptureGroup(item=item) | Atomic(item) | Look(item=item):
            return replace(node, item=change(item))
        case _:
            return node


def without_groups(node: Node) -> Node:
    """Return the node with what its groups match, captured no more."""
    if isinstance(node, CaptureGroup):
        return without_groups(node.item)
    return changed_inside(node, without_groups)


def shortest(node: Node) -> int:
    """Return a number of characters that every match of the node has at least."""
    return _lengths(node)[0]


def fixed_length(node: Node) -> int | None:
    """Return the one length that all matches have, as find_fixedlength() of PCRE2 sees it."""
    return _lengths(node)[1]


def _lengths(node: Node) -> tuple[int, int | None]:
    match node:
        case Text(text):
            return len(text), len(text)
        case Bytes():
            return 1, 1
        case Sequence(items):
            found = [_lengths(item) for item in items]
            fixed = [length for _, length in found if length is not None]
            is_fixed = len(fixed) == len(items)
            return sum(least for least, _ in found), sum(fixed) if is_fixed else None
        case Choice(branches):
            found = [_lengths(branch) for branch in branches]
            [length, *others] = {length for _, length in found}
            return min(least for least, _ in found), None if others else length
        case Look() | Anchor() | Repeat(Look()):
            return 0, 0
        case Repeat(item, low, high):
            least, length = _lengths(item)
            return low * least, None if length is None or low != high else low * length
        case CaptureGroup(item=item) | Atomic(item):
            return _lengths(item)
        case _:
            return 0, None


def compiled_size(node: Node) -> int:
    """Return a number of bytes that PCRE2's compiled form of the node does not exceed."""
    match node:
        case Text(text):
            return 2 * len(text)
        case Bytes():
            return 40
        case Repeat(item) if single_byte(item) is not None:
            return 48
        case Repeat(item, low, high):
            return max(low, high or low + 1, 1) * (compiled_size(item) + 16)
        case _:
            return sum(compiled_size(child) + 4 for child in children(node)) + 16
