"""
From nodes to a pattern of Python's ``re`` that matches the same text with the same groups.

The result is for ``re.DOTALL | re.ASCII`` on Latin-1 strings and uses no other flag. Where ``re``
differs from PCRE2 in a way that cannot be spelt around, there is a refusal with a name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace

from . import bytesets
from .measures import (
    captured,
    changed_inside,
    decided,
    referred,
    shortest,
    single_byte,
    without_groups,
)
from .quirks import forgets_entry
from .syntax import (
    EMPTY,
    FAIL,
    Anchor,
    Atomic,
    BackReference,
    Bytes,
    CaptureGroup,
    Choice,
    Condition,
    Greed,
    Look,
    Node,
    Repeat,
    Sequence,
    Text,
    children,
)

FLAGS = re.DOTALL | re.ASCII
_HAS_ATOMIC_GROUPS = HAS_POSSESSIVE_RUNS = sys.version_info >= (3, 11)
# Before, a round of a lazy repeat that came to nothing could leave its mark on a group.
_HAS_LAZY_GROUPS = sys.version_info >= (3, 11)

_ANCHORS = {
    Anchor.START: r"\A",
    # DOLLAR_ENDONLY: $ is PCRE's \z, which Python before 3.14 knows as \Z only.
    Anchor.END: r"\Z",
    Anchor.END_OR_FINAL_NEWLINE: r"(?=\n?\Z)",
    # PCRE2 finds no line behind a newline that ends the uri.
    Anchor.LINE_START: r"(?:\A|(?<=\n)(?!\Z))",
    Anchor.LINE_END: r"(?=\n|\Z)",
    Anchor.WORD_EDGE: r"\b",
    # Before Python 3.14 \B does not match an empty uri.
    Anchor.NOT_WORD_EDGE: r"(?!\b)",
}
_REFERS_AHEAD = "a reference in a loop to a group that is not complete there"
_PREFIXES = {(False, False): "?=", (False, True): "?!", (True, False): "?<=", (True, True): "?<!"}
_NEEDS_ESCAPE = re.compile(r"[^A-Za-z0-9_/~,:;=@!%&<>\"'`-]")


class Inexpressible(Exception):
    """``re`` has no exact equivalent of ``construct``."""

    def __init__(self, construct: str) -> None:
        super().__init__(construct)
        self.construct = construct


def translate(tree: Node) -> str:
    """
    Return the pattern in the syntax of ``re``, for a tree that holds nothing foreign.

    :raises Inexpressible: it has none.
    """
    return _translated(_unset_in_negatives(tree, referred(tree)))


def _unset_in_negatives(node: Node, needed: set[int]) -> Node:
    """
    Return the node with the groups of negative look-arounds unset, as PCRE2 leaves them.

    ``re`` keeps what the failed attempt captured. So the look goes without groups, and others that
    never take part stand behind it for their numbers.
    """
    if not (isinstance(node, Look) and node.negative and (numbers := captured(node))):
        return changed_inside(node, lambda inner: _unset_in_negatives(inner, needed))
    if needed & set(numbers):
        raise Inexpressible("a reference to a group in a negative look-around")
    unset = (Choice((Sequence((FAIL, CaptureGroup(number, EMPTY))), EMPTY)) for number in numbers)
    return Sequence((without_groups(node), *unset))


def _translated(node: Node) -> str:
    return _TRANSLATORS[type(node)](node)


def _text(node: Text) -> str:
    return _NEEDS_ESCAPE.sub(lambda found: f"\\x{ord(found[0]):02x}", node.text)


def _bytes(node: Bytes) -> str:
    return "." if node.mask == bytesets.ALL else bytesets.as_class(node.mask)


def _sequence(node: Sequence) -> str:
    return "".join(
        f"(?:{_translated(item)})" if isinstance(item, Choice) else _translated(item)
        for item in node.items
    )


def _choice(node: Choice) -> str:
    return "|".join(map(_translated, node.branches))


def _repeat(node: Repeat) -> str:
    if isinstance(node.item, Look):
        return _repeated_look(node.item, node)
    if node.greed is Greed.POSSESSIVE:
        return _possessive(node)
    if node.high not in (0, 1):
        _check_loop(node.item)
        if node.greed is Greed.LAZY and captured(node.item) and not _HAS_LAZY_GROUPS:
            raise Inexpressible("a group in a lazy repeat (Python 3.11 has it)")
    return f"{_unit(node.item)}{_counts(node.low, node.high)}{node.greed.value}"


def _repeated_look(look: Look, node: Repeat) -> str:
    if node.high not in (0, 1) and _refers_ahead(look):
        raise Inexpressible(_REFERS_AHEAD)
    if node.low:
        # Looking again finds the same.
        return _translated(look)
    if node.high == 0:
        return f"(?:{_translated(look)}){{0}}"
    if node.greed is not Greed.POSSESSIVE:
        return f"(?:{_translated(look)})?{node.greed.value}"
    opposite = without_groups(replace(look, negative=not look.negative))
    return f"(?:{_translated(look)}|{_translated(opposite)})"


def _check_loop(item: Node) -> None:
    if not shortest(item) and captured(item):
        # PCRE2 enters the loop once more with nothing and sets the group; re does not.
        raise Inexpressible("a group inside a repeat that can match nothing")
    if _refers_ahead(item):
        raise Inexpressible(_REFERS_AHEAD)


def _refers_ahead(node: Node) -> bool:
    if isinstance(node, (BackReference, Condition)) and not node.complete:
        return True
    return any(map(_refers_ahead, children(node)))


def _unit(node: Node) -> str:
    """Return the translation in a form that a quantifier applies to as a whole."""
    text = _translated(node)
    single = isinstance(node, (Bytes, CaptureGroup)) or (
        isinstance(node, Text) and len(node.text) == 1
    )
    return text if single else f"(?:{text})"


def _counts(low: int, high: int | None) -> str:
    match low, high:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case _, None:
            return f"{{{low},}}"
        case _:
            return f"{{{low},{high}}}"


def _possessive(node: Repeat) -> str:
    if HAS_POSSESSIVE_RUNS and single_byte(node.item) is not None:
        return f"{_unit(node.item)}{_counts(node.low, node.high)}+"
    if not (node.high is None and node.low < 2):
        _check_detours(node)
    if not _can_be_followed_by_no_other(node):
        return _first_way(replace(node, greed=Greed.GREEDY))
    item, low, high = node.item, node.low, node.high
    # As many as there are is the same as: so many and then no other. Python before 3.11 has no
    # possessive quantifiers, and before 3.11.5 those around a group could fail.
    unit = _unit(item)
    no_other = f"(?!{_translated(without_groups(item))})"
    if high is None:
        return f"{unit}{_counts(low, None)}{no_other}"
    if high == low:
        return f"{unit}{_counts(low, high)}"
    return f"(?:{unit}{_counts(high, high)}|{unit}{_counts(low, high - 1)}{no_other})"


def _can_be_followed_by_no_other(node: Repeat) -> bool:
    """Return whether only the count of a repeat is open, and its translation can name the item."""
    if referred(node.item) & set(captured(node.item)):
        # What follows would be compared with the groups of the last round.
        return False
    # Between two limits the item is written twice, which a group cannot be.
    twice = node.high is not None and node.high != node.low
    return decided(node.item) and shortest(node.item) > 0 and not (twice and captured(node.item))


def _group(node: CaptureGroup) -> str:
    return f"({_translated(node.item)})"


def _atomic(node: Atomic) -> str:
    _check_detours(node.item)
    return _first_way(node.item)


def _check_detours(item: Node) -> None:
    if forgets_entry(item):
        raise Inexpressible("an atomic group or possessive quantifier that can match nothing")


def _first_way(node: Node) -> str:
    """Return the translation of the first way in which a node matches, and no other."""
    match node:
        case Repeat(greed=Greed.GREEDY) as repeat if _can_be_followed_by_no_other(repeat):
            return _possessive(replace(repeat, greed=Greed.POSSESSIVE))
        case item if decided(item):
            return f"(?:{_translated(item)})"
        case item if _HAS_ATOMIC_GROUPS:
            return f"(?>{_translated(item)})"
        case _:
            raise Inexpressible("an atomic group or possessive quantifier (Python 3.11 has them)")


def _look(node: Look) -> str:
    if node.behind and referred(node.item) & set(captured(node.item)):
        raise Inexpressible("a reference within a look-behind to a group in it")
    return f"({_PREFIXES[node.behind, node.negative]}{_translated(node.item)})"


def _anchor(node: Anchor) -> str:
    return _ANCHORS[node]


def _back_reference(node: BackReference) -> str:
    if not node.complete:
        # Nothing has set the group yet, and a reference to an unset group fails.
        return _translated(FAIL)
    return f"(?i:\\{node.number})" if node.folded else f"(?:\\{node.number})"


def _condition(node: Condition) -> str:
    if not node.complete:
        if captured(node.yes):
            raise Inexpressible("a group in a condition that cannot hold")
        return f"(?:{_translated(node.no)})"
    yes, no = (
        f"(?:{_translated(branch)})" if isinstance(branch, Choice) else _translated(branch)
        for branch in (node.yes, node.no)
    )
    return f"(?({node.number}){yes}|{no})"


_TRANSLATORS: dict[type, Callable[..., str]] = {
    Text: _text,
    Bytes: _bytes,
    Sequence: _sequence,
    Choice: _choice,
    Repeat: _repeat,
    CaptureGroup: _group,
    Atomic: _atomic,
    Look: _look,
    Anchor: _anchor,
    BackReference: _back_reference,
    Condition: _condition,
}
