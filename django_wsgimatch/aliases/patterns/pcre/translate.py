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
from .measures import captured, changed_inside, referred, shortest, without_groups
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
    Greed,
    Look,
    Node,
    Parsed,
    Repeat,
    Sequence,
    Text,
    single_byte,
    walk,
)

FLAGS = re.DOTALL | re.ASCII
# Before, a round of a lazy repeat that came to nothing could leave its mark on a group.
HAS_POSSESSIVE_RUNS = _HAS_ATOMIC_GROUPS = _HAS_LAZY_GROUPS = sys.version_info >= (3, 11)

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
_PREFIXES = {(False, False): "?=", (False, True): "?!", (True, False): "?<=", (True, True): "?<!"}
_NEEDS_ESCAPE = re.compile(r"[^A-Za-z0-9_/~,:;=@!%&<>\"'`-]")


class Inexpressible(Exception):
    """``re`` has no exact equivalent of ``construct``."""

    def __init__(self, construct: str) -> None:
        super().__init__(construct)
        self.construct = construct


def translate(parsed: Parsed) -> str:
    """
    Return the pattern in the syntax of ``re``.

    :raises Inexpressible: it has none.
    """
    if parsed.foreign is not None:
        raise Inexpressible(parsed.foreign)
    tree = parsed.tree
    if any(isinstance(node, Look) and node.negative for node in walk(tree)):
        tree = _unset_in_negatives(tree, referred(tree))
    return _translated(tree)


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
    low, high = node.low, node.high
    if high not in (0, 1):
        _check_loop(node)
    if node.greed is Greed.POSSESSIVE:
        return _possessive(node)
    if isinstance(node.item, Look):
        # Looking again finds the same.
        low, high = min(low, 1), 1 if high is None else min(high, 1)
    return f"{_unit(node.item)}{_counts(low, high)}{node.greed.value}"


def _check_loop(node: Repeat) -> None:
    item = node.item
    if captured(item) and not isinstance(item, Look):
        if not shortest(item):
            # PCRE2 enters the loop once more with nothing and sets the group; re does not.
            raise Inexpressible("a group inside a repeat that can match nothing")
        if node.greed is Greed.LAZY and not _HAS_LAZY_GROUPS:
            raise Inexpressible("a group in a lazy repeat (Python 3.11 has it)")
    if any(isinstance(each, BackReference) and not each.complete for each in walk(item)):
        raise Inexpressible("a reference in a loop to a group that is not complete there")


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
    if single_byte(node.item) is not None:
        _check_python()
        return f"{_unit(node.item)}{_counts(node.low, node.high)}+"
    # PCRE2 makes an atomic group of the others only.
    is_checked = not isinstance(node.item, Look) and (node.high is not None or node.low > 1)
    return _first_way(replace(node, greed=Greed.GREEDY), is_checked)


def _group(node: CaptureGroup) -> str:
    return f"({_translated(node.item)})"


def _atomic(node: Atomic) -> str:
    return _first_way(node.item, True)


def _first_way(node: Node, is_checked: bool) -> str:
    """Return the translation of the first way in which a node matches, and no other."""
    _check_python()
    if is_checked and forgets_entry(node):
        raise Inexpressible("an atomic group or possessive quantifier that can match nothing")
    return f"(?>{_translated(node)})"


def _check_python() -> None:
    if not _HAS_ATOMIC_GROUPS:
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
}
