"""
What a pattern consists of: the nodes that the parser builds and everything else reads.

A node knows nothing of options: the parser has applied them (case, ``.``, ``$``, greed), so
that a node means the same wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import reduce
from operator import or_

from . import bytesets


@dataclass(frozen=True, slots=True)
class Text:
    """These characters, one after the other."""

    text: str


@dataclass(frozen=True, slots=True)
class Bytes:
    """Any one byte of a set (see `bytesets`)."""

    mask: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """One item after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first branch that lets the rest match."""

    branches: tuple[Node, ...]


class Greed(Enum):
    """How a repeat tries its counts."""

    GREEDY = ""
    LAZY = "?"
    POSSESSIVE = "+"


@dataclass(frozen=True, slots=True)
class Repeat:
    """The item ``low`` to ``high`` times (None: no limit)."""

    item: Node
    low: int
    high: int | None
    greed: Greed


@dataclass(frozen=True, slots=True)
class Group:
    """What the item matches is captured under a number."""

    number: int
    item: Node


@dataclass(frozen=True, slots=True)
class Atomic:
    """The first way in which the item matches, and no other."""

    item: Node


@dataclass(frozen=True, slots=True)
class Look:
    """Whether the item matches (or not) ahead of here, or ending here."""

    item: Node
    behind: bool
    negative: bool


class Anchor(Enum):
    """A place in the uri that takes no character."""

    START = auto()
    END = auto()
    END_OR_FINAL_NEWLINE = auto()
    LINE_START = auto()
    LINE_END = auto()
    WORD_EDGE = auto()
    NOT_WORD_EDGE = auto()


@dataclass(frozen=True, slots=True)
class BackReference:
    """
    The text of a group once more, in any case if ``folded``.

    ``complete`` tells whether the group ends before. If not, only a loop can have set it.
    """

    number: int
    folded: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """``yes`` if the group has taken part so far, else ``no``; ``complete`` as above."""

    number: int
    yes: Node
    no: Node
    complete: bool


@dataclass(frozen=True, slots=True)
class Foreign:
    """A construct that only PCRE2 knows, by name."""

    construct: str


Node = (
    Text
    | Bytes
    | Sequence
    | Choice
    | Repeat
    | Group
    | Atomic
    | Look
    | Anchor
    | BackReference
    | Condition
    | Foreign
)

EMPTY = Sequence(())
FAIL = Look(EMPTY, behind=False, negative=True)


@dataclass(frozen=True, slots=True)
class Parsed:
    """
    A pattern that PCRE2 accepts, as far as that can be told.

    ``foreign`` names the first construct that only PCRE2 knows. ``portable`` is the same pattern
    in a spelling that every release of PCRE2 reads alike, except for what ``unportable`` names.
    """

    tree: Node
    groups: int
    foreign: str | None
    portable: str
    unportable: str | None


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly inside a node."""
    match node:
        case Sequence(inside) | Choice(inside):
            return inside
        case Repeat(item=item) | Group(item=item) | Atomic(item=item) | Look(item=item):
            return (item,)
        case Condition(yes=yes, no=no):
            return (yes, no)
        case _:
            return ()


def captured(node: Node) -> tuple[int, ...]:
    """Return the numbers of the groups in the node, in their order."""
    inside = tuple(number for child in children(node) for number in captured(child))
    return (node.number, *inside) if isinstance(node, Group) else inside


def referred(node: Node) -> set[int]:
    """Return the numbers of the groups that something in the node refers to."""
    inside = {number for child in children(node) for number in referred(child)}
    return inside | {node.number} if isinstance(node, (BackReference, Condition)) else inside


def changed_inside(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return the node with every node directly inside it changed."""
    match node:
        case Sequence(items):
            return Sequence(tuple(map(change, items)))
        case Choice(branches):
            return Choice(tuple(map(change, branches)))
        case Repeat(item=item) | Group(item=item) | Atomic(item) | Look(item=item):
            return replace(node, item=change(item))
        case Condition(yes=yes, no=no):
            return replace(node, yes=change(yes), no=change(no))
        case _:
            return node


def without_groups(node: Node) -> Node:
    """Return the node with what its groups match, captured no more."""
    if isinstance(node, Group):
        return without_groups(node.item)
    return changed_inside(node, without_groups)


def decided(node: Node) -> bool:
    """Return whether there is one way at most in which the node can match at a place."""
    match node:
        case Sequence(items):
            return all(map(decided, items))
        case Group(item=item):
            return decided(item)
        case Choice(branches):
            firsts = [_first_bytes(branch) for branch in branches]
            return all(map(decided, branches)) and sum(firsts) == reduce(or_, firsts)
        case Repeat(item, low, high):
            return low == high and decided(item)
        case Condition() | Foreign() | Atomic():
            return False
        case _:
            return True


def _first_bytes(node: Node) -> int:
    """Return the bytes that a match can begin with, all of them where that is not plain."""
    match node:
        case Text(text) if text:
            return 1 << ord(text[0])
        case Bytes(mask):
            return mask
        case Sequence((first, *_)) | Group(item=first):
            return _first_bytes(first)
        case _:
            return bytesets.ALL


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
        case Group(item=item) | Atomic(item):
            return shortest(item)
        case Condition(yes=yes, no=no):
            return min(shortest(yes), shortest(no))
        case _:
            return 0


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
        case Group(item=item) | Atomic(item):
            return fixed_length(item)
        case _:
            return None
