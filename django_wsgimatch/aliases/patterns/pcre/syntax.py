"""
What a pattern consists of: the nodes that the parser builds and everything else reads.

A node knows nothing of options: the parser has applied them (case, ``.``, ``$``, greed), so
that a node means the same wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

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
class CaptureGroup:
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
class Foreign:
    """A construct that only PCRE2 knows, by name."""

    construct: str


Node = (
    Text
    | Bytes
    | Sequence
    | Choice
    | Repeat
    | CaptureGroup
    | Atomic
    | Look
    | Anchor
    | BackReference
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
        case Repeat(item=item) | CaptureGroup(item=item) | Atomic(item=item) | Look(item=item):
            return (item,)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all that are in it, in the order of the pattern."""
    yield node
    for child in children(node):
        yield from walk(child)


def single_byte(node: Node) -> int | None:
    """Return the set of a node that is nothing but one byte."""
    match node:
        case Bytes(mask):
            return mask
        case Text(text) if len(text) == 1:
            return 1 << ord(text)
        case _:
            return None


def choice(branches: list[Node]) -> Node:
    """Return the node of these alternatives."""
    if len(branches) == 1:
        return branches[0]
    masks = [single_byte(branch) for branch in branches]
    if None in masks:
        return Choice(tuple(branches))
    # One set of bytes cannot be ambiguous, as (a|a)* is.
    return Bytes(bytesets.union(filter(None, masks)))


def joined(items: list[Node]) -> Node:
    """Return the node of these items, one after the other."""
    merged: list[Node] = []
    for item in items:
        if merged and isinstance(item, Text) and isinstance(before := merged[-1], Text):
            merged[-1] = Text(before.text + item.text)
        elif item is not EMPTY:
            merged.append(item)
    return merged[0] if len(merged) == 1 else Sequence(tuple(merged))
