"""
The same pattern, said so that ``re`` backtracks less: the same matches with the same groups.

PCRE2 does the second of these by itself (auto-possessification); ``re`` does none.

* ``X*Y+`` is ``X*Y`` where X has every byte of Y. The greedy X takes as much as can be matched at
  all, so that Y is left with as little as it needs.
* A run gives nothing back where what follows cannot begin with its bytes, or is another run that
  takes whatever comes back, to the same end.
* A match that begins with a run begins where no byte of the run stands before: it would have
  begun there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from .automaton import ANYTHING, GUARDS
from .pcre import bytesets
from .pcre.literals import anchored
from .pcre.measures import changed_inside, referred
from .pcre.syntax import (
    EMPTY,
    Anchor,
    Atomic,
    Bytes,
    CaptureGroup,
    Choice,
    Greed,
    Look,
    Node,
    Repeat,
    Sequence,
    Text,
    children,
    single_byte,
)
from .pcre.translate import HAS_POSSESSIVE_RUNS


def quicker(tree: Node) -> Node:
    """Return a pattern that matches the same as one without references to groups."""
    if referred(tree):
        return tree
    tree, _ = _absorbed(tree, 0)
    if HAS_POSSESSIVE_RUNS:
        tree = _possessive(tree, _Next(ANYTHING))
    mask = 0 if anchored(tree) else _leading_run(tree)
    return Sequence((Look(Bytes(mask), True, True), tree)) if mask else tree


def _absorbed(node: Node, taken: int) -> tuple[Node, int]:
    """
    Return the node with the runs cut short that stand behind one which can take their bytes.

    ``taken`` are the bytes of a greedy run that ends before the node, behind it as well as before.
    """
    match node:
        case Sequence(items):
            found = []
            for item in items:
                item, taken = _absorbed(item, taken)
                found.append(item)
            return Sequence(tuple(found)), taken
        case CaptureGroup(number, item):
            item, taken = _absorbed(item, taken)
            return CaptureGroup(number, item), taken
        case Choice(branches):
            return Choice(tuple(_absorbed(branch, taken)[0] for branch in branches)), 0
        case Repeat(item, low, high, greed) if (mask := single_byte(item)) is not None:
            if not mask & ~taken and greed is not Greed.POSSESSIVE:
                cut = (EMPTY, item)[low] if low < 2 else Repeat(item, low, low, Greed.GREEDY)
                return cut, mask if low else taken
            return node, mask if high is None and greed is Greed.GREEDY else 0
        case Repeat(item, _, 1, Greed.GREEDY | Greed.LAZY):
            return replace(node, item=_absorbed(item, taken)[0]), 0
        case Text(text) if len(set(text)) == 1:
            return node, taken & 1 << ord(text[0])
        case Bytes(mask):
            return node, 0 if mask & ~taken else mask
        case Look(behind=True):
            return node, 0
        case _:
            return changed_inside(node, lambda inner: _absorbed(inner, 0)[0]), 0


class _Next(NamedTuple):
    """The bytes that what follows can begin with, and those of a run there that takes them all."""

    first: int
    run: int = 0


def _possessive(node: Node, behind: _Next) -> Node:
    """Return the node with the runs possessive that give nothing back to what is behind them."""
    match node:
        case Sequence(items):
            found = []
            for item in reversed(items):
                found.append(_possessive(item, behind))
                behind = _next(found[-1], behind)
            return Sequence(tuple(reversed(found)))
        case CaptureGroup() | Choice():
            return changed_inside(node, lambda inner: _possessive(inner, behind))
        case Repeat(item, low, high) if (mask := single_byte(item)) is not None:
            takes_all = high is None and node.greed is Greed.GREEDY
            keeps = not mask & behind.first or (takes_all and not mask & ~behind.run)
            return replace(node, greed=Greed.POSSESSIVE) if keeps and high != low else node
        case Repeat(item, _, high):
            more = 0 if high == 1 else _next(item, _Next(ANYTHING)).first
            inner = _possessive(item, _Next(behind.first | more))
            return replace(node, item=inner)
        case Look(behind=True):
            return node
        case _:
            return changed_inside(node, lambda inner: _possessive(inner, _Next(ANYTHING)))


def _next(node: Node, behind: _Next) -> _Next:
    """Return what is next before a node that has something behind it."""
    match node:
        case Text(text) if text:
            return _Next(1 << ord(text[0]))
        case Bytes(mask):
            return _Next(mask)
        case Sequence(items):
            for item in reversed(items):
                behind = _next(item, behind)
            return behind
        case CaptureGroup(item=item) | Atomic(item):
            return _next(item, behind)
        case Choice(branches):
            return _Next(bytesets.union(_next(branch, behind).first for branch in branches))
        case Repeat(item, low, high, greed):
            first = _next(item, behind).first | (0 if low else behind.first)
            endless = high is None and low == 0 and greed is Greed.POSSESSIVE
            return _Next(first, single_byte(item) or 0 if endless else 0)
        case Anchor():
            return _Next(GUARDS.get(node, behind.first))
        case Look() | Text():
            return _Next(behind.first)
        case _:
            return _Next(ANYTHING)


def _leading_run(tree: Node) -> int:
    """Return the bytes behind which no leftmost match begins, as it would begin with them."""
    taken = 0
    for item in _flat(tree):
        match item:
            case Repeat(Bytes() | Text() as one, low, None) if mask := single_byte(one):
                if taken & ~mask:
                    break
                taken = mask
                if low:
                    break
            case _:
                break
    return taken


def _flat(node: Node) -> list[Node]:
    if isinstance(node, (Sequence, CaptureGroup)):
        return [inner for item in children(node) for inner in _flat(item)]
    return [node]
