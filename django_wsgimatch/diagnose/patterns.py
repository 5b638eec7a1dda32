"""Patterns and templates that work, but hardly as their author meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ..aliases.pattern import Pattern
from ..aliases.pcre import bytesets
from ..aliases.pcre.literals import starts
from ..aliases.pcre.parser import parse
from ..aliases.pcre.syntax import Anchor, Bytes, Choice, Group, Node, Sequence, Text, children
from ..aliases.substitution import group_numbers, parse_template
from .findings import Finding, quoted
from .subject import Subject

_EXTENSION = re.compile(
    r"(?:wsgi|pyc?|f?cgi|php|pl|rb|sh|html?|xml|json|js|css|txt|jpe?g|png|gif|svg|ico|pdf|do|jsp|aspx?)"
    r"(?![A-Za-z0-9])"
)


def pattern_findings(subject: Subject) -> Iterator[Finding]:
    """Yield what is doubtful about one alias, from its text alone."""
    if isinstance(subject.location, str):
        yield from _unfilled(subject)
        return
    tree = parse(subject.location.source).tree
    yield from _missing_groups(subject, subject.location)
    yield from _slow(subject, subject.location)
    yield from _unanchored(subject, subject.location, tree)
    yield from _unescaped_dot(subject, tree)


def _unfilled(subject: Subject) -> Iterator[Finding]:
    found = re.search(r"\$[0-9]", subject.alias.target)
    if found:
        yield Finding(
            "W001",
            subject.where,
            f"WSGIScriptAlias fills in no groups: {found[0]} in the target "
            f"{quoted(subject.alias.target)} is part of a file name.",
            "Write script_alias_match() or WSGIScriptAliasMatch.",
        )


def _missing_groups(subject: Subject, pattern: Pattern) -> Iterator[Finding]:
    asked = group_numbers(parse_template(subject.alias.target))
    missing = sorted({number for number in asked if number > pattern.groups})
    if missing:
        names = ", ".join(f"${number}" for number in missing)
        yield Finding(
            "W001",
            subject.where,
            f"the target {quoted(subject.alias.target)} asks for {names}, but the pattern "
            f"{quoted(pattern.source)} has {_groups(pattern.groups)}: nothing is put there.",
            "Put parentheses around what is meant, or use a group that there is. "
            r"A dollar sign before a digit is written \$.",
        )


def _groups(count: int) -> str:
    return {0: "no group", 1: "one group"}.get(count, f"{count} groups")


def _slow(subject: Subject, pattern: Pattern) -> Iterator[Finding]:
    found = pattern.blow_up
    if found:
        attack = f" One is {quoted(found.attack)}." if found.attack else ""
        yield Finding(
            "W002",
            subject.where,
            f"the pattern {quoted(pattern.source)} can take long on a long URL: "
            f"{found.reason}.{attack}",
            "Let no two repeats that can match the same text follow each other; [^/]+ is often "
            "meant where .* is written.",
        )


def _unanchored(subject: Subject, pattern: Pattern, tree: Node) -> Iterator[Finding]:
    branches = _branches(tree)
    for anchor, mended, is_held in (("^", "^(?:a|b)", starts), ("$", "(?:a|b)$", _ends)):
        held = [is_held(branch) for branch in branches]
        if any(held) and not all(held):
            yield Finding(
                "W004",
                subject.where,
                f"in the pattern {quoted(pattern.source)}, {anchor} belongs to some of the "
                "branches only; the others match anywhere.",
                f"Put parentheses around the branches: '{mended}'.",
            )
            return
    if not pattern.anchored and _begins_with_slash(tree):
        yield Finding(
            "W003",
            subject.where,
            f"the pattern {quoted(pattern.source)} is searched for anywhere in the URL; it also "
            f"matches behind another path, such as {quoted('/x/y' + _first_text(tree))}.",
            f"Begin it with ^: {quoted('^' + pattern.source)}.",
        )


def _branches(tree: Node) -> tuple[Node, ...]:
    """The alternatives of the whole pattern."""
    return tree.branches if isinstance(tree, Choice) else (tree,)


def _ends(node: Node) -> bool:
    match node:
        case Anchor.END:
            return True
        case Sequence((*_, last)) | Group(item=last):
            return _ends(last)
        case Choice(branches):
            return all(map(_ends, branches))
        case _:
            return False


def _begins_with_slash(tree: Node) -> bool:
    return _first_text(tree).startswith("/")


def _first_text(node: Node) -> str:
    match node:
        case Text(text):
            return text
        case Sequence((first, *_)) | Group(item=first) | Choice((first, *_)):
            return _first_text(first)
        case _:
            return ""


def _unescaped_dot(subject: Subject, node: Node) -> Iterator[Finding]:
    extension = next(_dotted(node), None)
    if extension:
        yield Finding(
            "W005",
            subject.where,
            f"in the pattern {quoted(subject.alias.location)}, the dot of '.{extension}' stands "
            f"for any character: '_{extension}' matches too.",
            rf"Write '\.{extension}'.",
        )


def _dotted(node: Node) -> Iterator[str]:
    """The extensions that stand behind a dot which was left unescaped."""
    items = node.items if isinstance(node, Sequence) else ()
    for dot, text in pairwise(items):
        if dot == Bytes(bytesets.ALL) and isinstance(text, Text):
            found = _EXTENSION.match(text.text)
            if found:
                yield found[0]
    for child in children(node):
        yield from _dotted(child)
