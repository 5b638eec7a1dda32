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
    match node:
        case Text(text):
            return len(text)
        case Bytes():
            return 1
        case Sequence(items):
            return sum(map(shortest, items))
        case Choice(branches):
            return min(map(shortest, branches))
        case Repeat(item, low):
            return low * shortest(item) if low else 0
        case CaptureGroup(item=item) | Atomic(item):
            return shortest(item)
        case _:
            return 0


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


def fixed_length(node: Node) -> int | None:
    """Return the one length that all matches have, as find_fixedlength() of PCRE2 sees it."""
    match node:
        case Text(text):
            return len(text)
        case Bytes():
            return 1
        case Sequence(items):
            lengths = [fixed_length(item) for item in items]
            return None if None in lengths else sum(filter(None, lengths))
        case Choice(branches):
            [length, *others] = {fixed_length(branch) for branch in branches}
            return None if others else length
        case Look() | Anchor() | Repeat(Look()):
            return 0
        case Repeat(item, low, high):
            length = fixed_length(item)
            return None if length is None or low != high else low * length
        case CaptureGroup(item=item) | Atomic(item):
            return fixed_length(item)
        case _:
            return None
