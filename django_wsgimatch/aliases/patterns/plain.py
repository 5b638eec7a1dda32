"""Which patterns are plainly quick, so that nothing has to be counted: nearly all there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from .attacks import LONGEST_URI
from .pcre import bytesets
from .pcre.literals import anchored
from .pcre.syntax import (
    EMPTY,
    Anchor,
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

# Nanoseconds for the longest uri, of which a pattern is plain that surely takes less.
_LITTLE = 10e6
_STEP, _STEP_OF_DOTS, _STEP_TO_TEXT = 8.0, 0.1, 0.5
_FORK = Choice((EMPTY, EMPTY))


@dataclass(frozen=True, slots=True)
class _Part:
    """An item of a pattern, with the one behind it in the pattern's text."""

    node: Node
    following: Node | None
    # For re, the end of a group stands between such an item and the next.
    in_group: bool = False


def is_plain(tree: Node) -> bool:
    """
    Return whether a search surely takes next to no time.

    False says nothing.
    """
    parts = list(_parts(tree, None))
    if not all(_is_simple(part.node) for part in parts):
        return False
    runs = [part for part in parts if isinstance(part.node, Repeat) and _is_long(part.node)]
    forks = sum(_forks(part.node) for part in parts)
    # Behind a run that can end anywhere, another begins anywhere.
    if not all(map(_ends_where_it_must, runs[:-1])):
        return False
    if anchored(tree):
        return LONGEST_URI * _STEP * 2.0**forks * (1 + len(runs)) < _LITTLE
    tries = 1 + sum(_branches(part.node) for part in parts)
    time = _STEP * tries + LONGEST_URI / 2 * sum(map(_time_of_step, runs))
    return _most_starts(parts) * time * 2.0**forks < _LITTLE


def _parts(node: Node, following: Node | None) -> Iterator[_Part]:
    match node:
        case CaptureGroup(item=item):
            yield from (_Part(part.node, part.following, True) for part in _parts(item, following))
        case Sequence(items):
            for item, behind in zip_longest(items, items[1:]):
                yield from _parts(item, _first(behind) or following)
        case Repeat(item, 0, 1) if single_byte(item) is None:
            yield _Part(_FORK, None)
            yield from _parts(item, following)
        case _:
            yield _Part(node, following)


def _first(node: Node | None) -> Node | None:
    match node:
        case CaptureGroup(item=first) | Sequence((first, *_)):
            return _first(first)
        case _:
            return node


def _is_simple(node: Node) -> bool:
    match node:
        case Text() | Bytes() | Anchor():
            return True
        case Look(item=item):
            return _has_no_runs(item)
        case Repeat(item):
            return single_byte(item) is not None
        case Choice(branches):
            return all(map(_has_no_runs, branches))
        case _:
            return False


def _has_no_runs(node: Node) -> bool:
    return not any(
        isinstance(each, BackReference) or (isinstance(each, Repeat) and each.high not in (0, 1))
        for each in walk(node)
    )


def _is_long(node: Repeat) -> bool:
    return node.high != node.low and node.high != 1


def _forks(node: Node) -> int:
    """Return the power of two of the ways in which a part can be passed, none too few."""
    match node:
        case Choice(branches) if all(isinstance(branch, Text) for branch in branches):
            return (_most_at_once(branches) - 1).bit_length()
        case Choice(branches):
            return (len(branches) - 1).bit_length() + sum(map(_forks, branches))
        case Repeat(item, 0, 1):
            return 1 + _forks(item)
        case _:
            return sum(map(_forks, children(node)))


def _most_at_once(branches: tuple[Node, ...]) -> int:
    """Return how many texts can stand at one place: each begins with the one before."""
    open_texts: list[str] = []
    most = 1
    for text in sorted(branch.text for branch in branches if isinstance(branch, Text)):
        while open_texts and not text.startswith(open_texts[-1]):
            open_texts.pop()
        open_texts.append(text)
        most = max(most, len(open_texts))
    return most


def _branches(node: Node) -> int:
    return sum(len(each.branches) for each in walk(node) if isinstance(each, Choice))


def _ends_where_it_must(run: _Part) -> bool:
    """Return whether what follows a run cannot be read by the run itself."""
    assert isinstance(run.node, Repeat)
    mask = single_byte(run.node.item) or 0
    match run.following:
        case Text(text):
            return not mask >> ord(text[0]) & 1
        case Bytes(other):
            return not mask & other
        case _:
            return run.following is Anchor.END


def _time_of_step(run: _Part) -> float:
    assert isinstance(run.node, Repeat)
    if single_byte(run.node.item) != bytesets.ALL:
        return _STEP
    is_quick = isinstance(run.following, Text) and not run.in_group
    return _STEP_OF_DOTS + (_STEP_TO_TEXT if is_quick else _STEP)


def _most_starts(parts: list[_Part]) -> float:
    """Return how often at most the text that a pattern begins with can stand in a uri."""
    first = parts[0].node if parts else None
    text = first.text if isinstance(first, Text) else "x"
    period = next(size for size in range(1, len(text) + 1) if text.startswith(text[size:]))
    return LONGEST_URI / period
