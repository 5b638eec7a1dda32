"""What every match of a pattern must begin with or contain: the keys of the index."""

from __future__ import annotations

from itertools import product

from . import bytesets
from .syntax import (
    Anchor,
    Atomic,
    BackReference,
    Bytes,
    CaptureGroup,
    Choice,
    Foreign,
    Look,
    Node,
    Repeat,
    Sequence,
    Text,
    children,
    walk,
)

_MOST_PREFIXES = 32
# Larger sets of bytes are not spelt out, and neither are letters of either case: too many keys.
_MOST_BYTES = 4
_SLASH = bytesets.of(b"/")
# Stands for text that is not known; the uri of a request never holds a NUL.
_GAP = "\0"


def anchored(tree: Node) -> bool:
    """
    Return whether the leftmost match, if there is one, begins at offset 0.

    True also where a leading ``.*`` can take whatever stands in front, as is_startline() of PCRE2
    sees it.
    """
    if starts(tree):
        return True
    # What looks back at groups can need the text that was skipped.
    return _begins_with_anything(tree) and not _holds(tree, BackReference, Foreign)


def needed(tree: Node) -> str:
    """Return the last text that every match holds, empty if none is known."""
    return "" if _holds(tree, BackReference, Foreign) else _last_text(tree)


def _last_text(node: Node) -> str:
    match node:
        case Text(text):
            return text
        case Sequence(items):
            return next(filter(None, map(_last_text, reversed(items))), "")
        case CaptureGroup(item=item) | Atomic(item):
            return _last_text(item)
        case Repeat(item, low) if low:
            return _last_text(item)
        case _:
            return ""


def starts(node: Node) -> bool:
    """Return whether every match of the node stands at offset 0."""
    match node:
        case Anchor.START:
            return True
        case Sequence(items):
            for item in items:
                if starts(item):
                    return True
                if not isinstance(item, (Look, Anchor)):
                    return False
            return False
        case Choice(branches):
            return all(map(starts, branches))
        case CaptureGroup(item=item) | Atomic(item):
            return starts(item)
        case Repeat(item, low):
            return low > 0 and starts(item)
        case _:
            return False


def _begins_with_anything(node: Node) -> bool:
    match node:
        case Repeat(Bytes(bytesets.ALL), 0, None, greed):
            return greed.value != "+"
        case Sequence((first, *_)) | CaptureGroup(item=first):
            return _begins_with_anything(first)
        case Choice(branches):
            return all(map(_begins_with_anything, branches))
        case _:
            return False


def prefixes(tree: Node) -> tuple[str, ...] | None:
    """
    Return literals of which one begins every uri that matches, the match at offset 0.

    None where no such literals are known. ``(a|b)`` is expanded, to 32 literals at most.
    """
    if not starts(tree):
        return None
    literals, _ = _leading(tree)
    return None if "" in literals or not literals else literals


def _leading(node: Node) -> tuple[tuple[str, ...], bool]:
    """Return what the node may begin with, and whether it is nothing but that."""
    match node:
        case Text(text):
            return (text,), True
        case Bytes(mask) if mask.bit_count() <= _MOST_BYTES and not _is_caseless(mask):
            return tuple(map(chr, bytesets.members(mask))), True
        case Sequence(items):
            return _leading_of_sequence(items)
        case Choice(branches):
            return _leading_of_choice(branches)
        case CaptureGroup(item=item) | Atomic(item) | Repeat(item, 1, 1):
            return _leading(item)
        case Repeat(item, low) if low:
            return _leading(item)[0], False
        case Look() | Anchor():
            return ("",), True
        case _:
            return ("",), False


def _is_caseless(mask: int) -> bool:
    letters = mask & (bytesets.UPPER | bytesets.LOWER)
    return letters != 0 and letters == bytesets.fold(letters)


def _leading_of_sequence(items: tuple[Node, ...]) -> tuple[tuple[str, ...], bool]:
    literals: tuple[str, ...] = ("",)
    for item in items:
        following, whole = _leading(item)
        if len(literals) * len(following) > _MOST_PREFIXES:
            return literals, False
        literals = tuple(map("".join, product(literals, following)))
        if not whole:
            return literals, False
    return literals, True


def _leading_of_choice(branches: tuple[Node, ...]) -> tuple[tuple[str, ...], bool]:
    if len(branches) > _MOST_PREFIXES:
        return ("",), False
    found = [_leading(branch) for branch in branches]
    literals = tuple(dict.fromkeys(literal for several, _ in found for literal in several))
    return literals, all(whole for _, whole in found)


def segments(tree: Node) -> tuple[str, ...]:
    """Return path segments, without slashes, that every uri that matches contains whole."""
    if _holds(tree, Foreign):
        # (*ACCEPT) can end a match before all of the pattern has been seen.
        return ()
    pieces: list[str] = []
    ends_segment = False
    for item in reversed(_flat(tree)):
        ends_segment = _ends_segment(item, ends_segment)
        pieces.append(_required_text(item, ends_segment))
    found = "".join(reversed(pieces)).split("/")[1:-1]
    return tuple(dict.fromkeys(part for part in found if part and _GAP not in part))


def _holds(tree: Node, *kinds: type[Node]) -> bool:
    return any(isinstance(node, kinds) for node in walk(tree))


def _flat(node: Node) -> list[Node]:
    if isinstance(node, (Sequence, CaptureGroup, Atomic)):
        return [inner for item in children(node) for inner in _flat(item)]
    return [node]


def _required_text(item: Node, ends_segment: bool) -> str:
    literals, whole = _leading(item)
    if whole and len(literals) == 1 and (literals != ("",) or not ends_segment):
        return literals[0]
    return "/" + _GAP if ends_segment else _GAP


def _ends_segment(node: Node, after: bool) -> bool:
    """
    Return whether the text from here on is at its end or begins with a slash.

    ``after`` tells the same of the place behind the node.
    """
    match node:
        case Text(text):
            return text.startswith("/")
        case Bytes(mask):
            return mask == _SLASH
        case Sequence(items):
            for item in reversed(items):
                after = _ends_segment(item, after)
            return after
        case Choice(branches):
            return all(_ends_segment(branch, after) for branch in branches)
        case CaptureGroup(item=item) | Atomic(item):
            return _ends_segment(item, after)
        case Repeat(item, low):
            return _ends_segment(item, after) and (low > 0 or after)
        case Look(item, behind=False, negative=False):
            return after or _ends_segment(item, False)
        case Anchor() | Look():
            return after or node is Anchor.END
        case _:
            return False
