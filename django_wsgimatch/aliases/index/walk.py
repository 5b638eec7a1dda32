"""Look-ups that walk the tree of the index from segment to segment of a uri."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from .candidates import Answer, Candidate, Candidates, Find, LookUp, first_of
from .trie import ROOT, Branch, Node, branch_out, grow

Tries: TypeAlias = tuple[tuple[int, Find], ...]
# What is tried first and its position, what is tried then, the answer if none of it matches, and
# where segments may lead on to.
Place: TypeAlias = "tuple[Find | None, int, Tries, Answer | None, Branch[Place] | None]"
# As above, where there are too many candidates to be merged for each place.
CrowdedPlace: TypeAlias = "tuple[tuple[Candidates, ...], Branch[CrowdedPlace] | None]"


def plant(filed: Mapping[str, list[Candidate]]) -> LookUp:
    """Return the look-up among candidates that are filed under keys (see trie.Node)."""
    nodes = grow(filed)
    if len(nodes) == 1:
        return _scan(nodes[ROOT])
    deepest = max(key.count("/") for key in nodes)
    if any(node.crowds for node in nodes.values()):
        return _walk_crowded(branch_out(nodes, _crowded_place), deepest)
    if deepest <= 2 and all(_is_sure(node) for node in nodes.values()):
        return _glance(nodes)
    return _walk(branch_out(nodes, _place), deepest)


def _scan(root: Node) -> LookUp:
    """Return the look-up where there is nowhere to walk."""
    tries = tuple((one.position, one.find) for one in root.candidates if one.find)
    answer = _last_answer(root)

    def look_up(uri: str) -> Answer | None:
        for position, find in tries:
            found = find(uri)
            if found is not None:
                return position, found
        return answer

    return look_up


def _is_sure(node: Node) -> bool:
    """Whether there is nothing to try: some plain alias surely matches, or none can."""
    return not node.candidates or node.candidates[0].find is None


def _place(node: Node, branch: Branch[Place] | None) -> Place:
    answer = _last_answer(node)
    if branch or _is_sure(node):
        return None, 0, (), answer, branch
    (position, find), *others = [(one.position, one.find) for one in node.candidates if one.find]
    return find, position, tuple(others), answer, None


def _last_answer(node: Node) -> Answer | None:
    """The answer if nothing that is tried matches."""
    last = node.candidates[-1] if node.candidates else None
    return (last.position, last.end) if last and last.find is None else None


def _crowded_place(node: Node, branch: Branch[CrowdedPlace] | None) -> CrowdedPlace:
    # The nearest first: the earlier a match is known, the fewer of a crowd are tried.
    return (node.candidates, *reversed(node.crowds)), branch


def _walk(root: Branch[Place], deepest: int) -> LookUp:
    first, nowhere = root

    def look_up(uri: str) -> Answer | None:
        segments = uri.split("/", deepest)
        # Optimization: a flat tuple for every sort of place is unpacked in 5 ns.
        find, position, others, answer, branch = first(segments[1], nowhere)
        level = 1
        while branch is not None:
            step, stay = branch
            level += 1
            place = step(segments[level], stay) if level < len(segments) else stay
            find, position, others, answer, branch = place
        if find is not None:
            found = find(uri)
            if found is not None:
                return position, found
            for position, find in others:
                found = find(uri)
                if found is not None:
                    return position, found
        return answer

    return look_up


def _walk_crowded(root: Branch[CrowdedPlace], deepest: int) -> LookUp:
    first, nowhere = root

    def look_up(uri: str) -> Answer | None:
        segments = uri.split("/", deepest)
        crowds, branch = first(segments[1], nowhere)
        level = 1
        while branch is not None:
            step, stay = branch
            level += 1
            crowds, branch = step(segments[level], stay) if level < len(segments) else stay
        return first_of(crowds, uri)

    return look_up


def _glance(nodes: Mapping[str, Node]) -> LookUp:
    """Return the look-up in a tree that has nothing to try and nothing below its first level."""
    otherwise = _last_answer(nodes[ROOT])
    answers = {key[1:-1]: _last_answer(node) for key, node in nodes.items() if key.endswith("/")}
    answer = answers.get

    def look_up(uri: str) -> Answer | None:
        # Optimization: an answer is half as far away as by _walk().
        return answer(uri.split("/", 2)[1], otherwise)

    return look_up
