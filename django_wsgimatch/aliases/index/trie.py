"""A tree of the beginnings of uris, grown from candidates, to be walked from branch to branch."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from .candidates import Candidate, Candidates, merge

Place = TypeVar("Place")
# What a segment leads to, or the second argument if it leads nowhere.
Step: TypeAlias = Callable[[str, Place], Place]
# The way on from a place, and the place itself as it is where no segment leads on.
Branch: TypeAlias = tuple[Step[Place], Place]

ROOT = "/"
# More candidates than this are not copied to every place below, so that memory stays in bounds.
MOST_INHERITED = 16
# Keys are cut behind so many segments, so that no look-up goes deeper, however long the uri.
DEEPEST = 16


@dataclass(slots=True)
class Node:
    """
    What is to be tried for the uris with one beginning, the key.

    Keys are compared with the uri *and a slash behind it*: ``/app/`` is the beginning of ``/app``
    and of all below it, ``/app`` that of ``/apps`` too. ``candidates`` are the aliases of this
    key, ``own``, and of those that it begins with; ``crowds`` are groups of further ones.
    """

    own: Sequence[Candidate] = ()
    candidates: Candidates = ()
    crowds: tuple[Candidates, ...] = ()


def key_of(literal: str) -> str:
    """Return the key of the uris that begin with a literal, cut where that goes too deep."""
    segments = literal.split("/", DEEPEST + 1)
    return literal if len(segments) <= DEEPEST + 1 else "/".join(segments[:-1]) + "/"


def parent_of(key: str) -> str:
    """Return a key without its last segment."""
    return key[: key.rindex("/", 0, -1) + 1]


def grow(filed: Mapping[str, list[Candidate]]) -> dict[str, Node]:
    """Return the nodes, in the order of their keys, for candidates filed under keys."""
    keys = {ROOT}
    for key in filed:
        keys.update(_missing(key, keys))
    nodes = {key: Node(filed.get(key, ())) for key in sorted(keys)}
    _inherit(nodes)
    return nodes


def _missing(key: str, keys: Collection[str]) -> Iterator[str]:
    """
    Yield the key and those above it that are not among the keys yet.

    A key that ends within a segment gets a neighbour for the whole segment too: most uris that
    begin with the key have that very segment, and then a dict finds it.
    """
    whole = key if key.endswith("/") else key + "/"
    if key != whole:
        yield key
    while whole not in keys:
        yield whole
        whole = parent_of(whole)


def _inherit(nodes: Mapping[str, Node]) -> None:
    """Hand the candidates of each node down to the nodes whose keys begin with its own."""
    above: list[str] = []
    for key, node in nodes.items():
        while above and not key.startswith(above[-1]):
            above.pop()
        inherited, node.crowds = _legacy(nodes[above[-1]]) if above else ((), ())
        node.candidates = merge(inherited, node.own) if node.own else inherited
        above.append(key)


def _legacy(node: Node) -> tuple[Candidates, tuple[Candidates, ...]]:
    """What a node leaves to those below it: candidates to be merged, and crowds to be shared."""
    if len(node.candidates) <= MOST_INHERITED:
        return node.candidates, node.crowds
    return (), (*node.crowds, node.candidates)


def branch_out(
    nodes: dict[str, Node], make_place: Callable[[Node, Branch[Place] | None], Place]
) -> Branch[Place]:
    """Make the places of all nodes; return the way on from the root."""
    children: defaultdict[str, dict[str, Place]] = defaultdict(dict)
    partial: defaultdict[str, dict[str, Place]] = defaultdict(dict)
    # Children follow their parents in order: from the end on, they are made before them.
    for key in reversed(list(nodes)[1:]):
        place = make_place(nodes[key], None)
        parent = parent_of(key)
        if not key.endswith("/"):
            partial[parent][key[len(parent) :]] = place
            continue
        if key in children:
            step = _step(children.pop(key), partial.pop(key, {}))
            place = make_place(nodes[key], (step, place))
        children[parent][key[len(parent) : -1]] = place
    return _step(children[ROOT], partial[ROOT]), make_place(nodes[ROOT], None)


def _step(children: dict[str, Place], partial: dict[str, Place]) -> Step[Place]:
    """Return the step to what a segment leads to: the whole segment, else its longest part."""
    child = children.get
    if not partial:
        return child
    literals = sorted(partial)
    places = [partial[literal] for literal in literals]
    shorter = _shorter(literals)

    def step(segment: str, stay: Place) -> Place:
        place = child(segment)
        if place is not None:
            return place
        # The longest literal that the segment begins with is the last one in their order that is
        # not behind the segment, or else one with which that one begins.
        index = bisect_right(literals, segment) - 1
        while index >= 0:
            if segment.startswith(literals[index]):
                return places[index]
            index = shorter[index]
        return stay

    return step


def _shorter(literals: list[str]) -> list[int]:
    """For each of sorted literals the index of the longest other it begins with, or -1."""
    shorter = []
    above: list[int] = []
    for index, literal in enumerate(literals):
        while above and not literal.startswith(literals[above[-1]]):
            above.pop()
        shorter.append(above[-1] if above else -1)
        above.append(index)
    return shorter
