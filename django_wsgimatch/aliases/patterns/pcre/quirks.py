"""
Mistakes of PCRE2 that Apache's users live with, and that ``re`` does not make.

What they touch is refused, so that no pattern answers here in another way than in Apache.
"""

from __future__ import annotations

from collections.abc import Iterable

from .literals import starts
from .measures import shortest, single_byte
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
)


def forgets_entry(item: Node) -> bool:
    """
    Return whether a repeat before an atomic group may wrongly give nothing back to what follows.

    compare_opcodes() forgets, on a way through the group that reads nothing, that it has entered
    the group: ``^x+(?>|y)x`` does not match ``xx``.
    """
    return not shortest(item) and _has_detour(item)


def _has_detour(node: Node) -> bool:
    if isinstance(node, Repeat) and node.low == 0 and single_byte(node.item) is None:
        return True
    return isinstance(node, Choice) or any(map(_has_detour, children(node)))


def enters_skipped_group(node: Node) -> bool:
    """
    Return whether PCRE2 may take an alternative of a group that is left out for the start.

    first_significant_code() skips ``{0}`` with the first alternative only: ``(a|^){0}b`` does not
    match ``ab``.
    """
    if isinstance(node, Repeat) and node.high == 0:
        return _has_detour(node.item)
    return any(map(enters_skipped_group, children(node)))


def misses_first_byte(tree: Node) -> bool:
    """
    Return whether a byte that the match needs may be looked for too late.

    Where a search knows its first byte from a look ahead alone, PCRE2 before 10.43 looks for the
    last byte needed only behind it: ``(?=b)a?b`` does not match ``b``.
    """
    return not starts(tree) and _begins_with_look([tree])


def _begins_with_look(items: list[Node]) -> bool:
    """Return whether a look ahead decides the first byte and what follows does not."""
    if not items:
        return False
    first, *rest = items
    match first:
        case Sequence(inside):
            return _begins_with_look([*inside, *rest])
        case CaptureGroup(item=item) | Atomic(item):
            return _begins_with_look([item, *rest])
        case Choice(branches):
            return any(_begins_with_look([branch, *rest]) for branch in branches)
        case Look(item, behind=False, negative=False):
            reads_surely = isinstance(_first_reader(rest), (Text, Bytes))
            return _asserts_byte(item) and not reads_surely and _needs_byte(rest)
        case Repeat(item, low) if low:
            return _begins_with_look([item, *rest])
        case Anchor() | Look():
            return _begins_with_look(rest)
        case _:
            return False


def _asserts_byte(item: Node) -> bool:
    """Return whether the first byte of the text that is looked for is one, in either case."""
    match _first_reader([item]):
        case Text():
            return True
        case Bytes(mask):
            return mask.bit_count() <= 2
        case Choice(branches):
            return any(map(_asserts_byte, branches))
        case _:
            return False


def _first_reader(items: list[Node]) -> Node | None:
    """Return the first of the items that can read a byte, None if they cannot."""
    while items:
        first, *rest = items
        match first:
            case Sequence(inside):
                items = [*inside, *rest]
            case CaptureGroup(item=item) | Atomic(item):
                items = [item, *rest]
            case Repeat(item, low) if low:
                items = [item, *rest]
            case Anchor() | Look():
                items = rest
            case _:
                return first
    return None


def _needs_byte(items: Iterable[Node]) -> bool:
    """Return whether there is a certain byte without which the items cannot match."""
    for item in items:
        match item:
            case Text():
                return True
            case Bytes(mask) if mask.bit_count() <= 2:
                return True
            case Repeat(low=0) | Look():
                continue
            case _ if _needs_byte(children(item)):
                return True
    return False
