"""Patterns and templates that work, but hardly as their author meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from time import perf_counter, thread_time

from ...aliases.alias import Redirection
from ...aliases.patterns.pattern import Pattern
from ...aliases.patterns.pcre import bytesets
from ...aliases.patterns.pcre.literals import starts
from ...aliases.patterns.pcre.parser import parse
from ...aliases.patterns.pcre.syntax import (
    Anchor,
    Bytes,
    CaptureGroup,
    Choice,
    Node,
    Sequence,
    Text,
    children,
)
from ...aliases.patterns.redos import BlowUp, time_in_words
from ...aliases.substitution import group_numbers, groups_in_words, parse_template
from ...text import quoted
from ..findings.finding import Findings, Subject
from ..uris.witness import rebuilt, witness

_EXTENSION = re.compile(
    r"(?:wsgi|pyc?|f?cgi|php|pl|rb|sh|html?|xml|json|js|css|txt|jpe?g|png|gif|svg|ico|pdf|do|jsp|aspx?)"
    r"(?![A-Za-z0-9])"
)
# What is no group in a target: $10, and what other languages would write. A backslash takes the
# character behind it literally.
_MISNAMED = re.compile(
    r"\$(?P<beyond>[1-9][0-9]+)|\$\{(?P<braced>[0-9]+)\}|\\(?P<escaped>[0-9]+)|\\(?s:.)"
)
_WITHIN_NINE = (
    "Write (?:...) for groups that the target does not use, so that this one is among the "
    "first nine."
)
# Where an anchor would not let a pattern match.
_ELSEWHERE, _MORE = "/x/y", Text("x")
# What may be tried without a limit, by the estimate, and how long all patterns of a check may take.
_LONGEST_TRY = 1e9
_MOST_SECONDS = 2.0


class Timing:
    """Measures one pattern after the other, and estimates once it has taken long enough."""

    def __init__(self, seconds: float = _MOST_SECONDS) -> None:
        self._left = seconds

    def told(self, pattern: Pattern, found: BlowUp) -> str:
        """Return what the worst URL is and how long it takes, in words."""
        url = f"One of {len(found.attack):,} bytes"
        has_limit = pattern.engine == "pcre2"
        if not has_limit and found.nanoseconds > _LONGEST_TRY:
            return f"{url} takes about {time_in_words(found.nanoseconds)}: {found.recipe}"
        if self._left <= 0:
            limit = ", until PCRE2 gives up" if has_limit else ""
            time = time_in_words(found.nanoseconds)
            return f"{url} takes about {time}{limit} (an estimate): {found.recipe}"
        time = time_in_words(self._measured(pattern, found.attack))
        engine = "PCRE2" if has_limit else "Python's re"
        return f"{url} took {time} on {engine}: {found.recipe}"

    def _measured(self, pattern: Pattern, uri: str) -> float:
        find = pattern.silent_find()
        begin, used = perf_counter(), thread_time()
        find(uri)
        nanoseconds = (thread_time() - used) * 1e9
        self._left -= perf_counter() - begin
        return nanoseconds


def pattern_findings(subject: Subject, timing: Timing) -> Findings:
    """
    Yield what is doubtful about one alias, from its text alone.

    ``timing`` is shared by the aliases of a check, whose time it bounds.
    """
    if isinstance(subject.location, str):
        yield from _unfilled(subject)
        return
    tree = parse(subject.location.source).tree
    yield from _missing_groups(subject, subject.location)
    yield from _misnamed_groups(subject, subject.location)
    yield from _slow(subject, subject.location, timing)
    yield from _unanchored(subject, subject.location, tree)
    yield from _unescaped_dot(subject, subject.location, tree)


def _unfilled(subject: Subject) -> Findings:
    found = re.search(r"\$[0-9]", subject.alias.template)
    if found:
        yield subject.finding(
            "W001",
            f"{subject.alias.directive} does not fill in groups: {found[0]} in the target "
            f"{quoted(subject.alias.template)} is part of a {_what(subject)}.",
            f"Use {subject.alias.function}_match() or {subject.alias.directive}Match.",
        )


def _what(subject: Subject) -> str:
    return "URL" if isinstance(subject.alias.answer, Redirection) else "file name"


def _missing_groups(subject: Subject, pattern: Pattern) -> Findings:
    asked = group_numbers(parse_template(subject.alias.template))
    missing = sorted({number for number in asked if number > pattern.groups})
    if missing:
        names = ", ".join(f"${number}" for number in missing)
        yield subject.finding(
            "W001",
            f"the target {quoted(subject.alias.template)} uses {names}, but the pattern "
            f"{quoted(pattern.source)} has {groups_in_words(pattern.groups)}: nothing is filled "
            "in.",
            "Put parentheses around what is meant, or use a group that exists. "
            r"A dollar sign before a digit is written \$.",
        )


def _misnamed_groups(subject: Subject, pattern: Pattern) -> Findings:
    for words in _MISNAMED.finditer(subject.alias.template):
        beyond = words["beyond"]
        number = int(beyond or words["braced"] or words["escaped"] or 0)
        if 0 < number <= pattern.groups:
            read_as = f"${beyond[0]} and then {beyond[1:]!r}" if beyond else "plain text"
            yield subject.finding(
                "W031",
                f"in the target {quoted(subject.alias.template)}, {words[0]} is {read_as}: "
                "a target names groups as $0 to $9.",
                _WITHIN_NINE if number > 9 else f"Write ${number}.",
            )
            return


def _slow(subject: Subject, pattern: Pattern, timing: Timing) -> Findings:
    found = pattern.blow_up
    if found:
        attack = f" {timing.told(pattern, found)}." if found.parts else ""
        yield subject.finding(
            "W002",
            f"the pattern {quoted(pattern.source)} can take long on a long URL: "
            f"{found.reason}.{attack}",
            "Do not put two repeats that can match the same text next to each other; [^/]+ is "
            "often meant where .* is written.",
        )


def _unanchored(subject: Subject, pattern: Pattern, tree: Node) -> Findings:
    branches = _branches(tree)
    for anchor, corrected, is_held in (("^", "^(?:a|b)", starts), ("$", "(?:a|b)$", _ends)):
        held = [is_held(branch) for branch in branches]
        if any(held) and not all(held):
            example = _such_as(_beyond(anchor, pattern, tree))
            yield subject.finding(
                "W004",
                f"in the pattern {quoted(pattern.source)}, {anchor} belongs to only some of the "
                f"branches; the others match anywhere{example}.",
                f"Put parentheses around the branches: '{corrected}'.",
            )
            return
    if not pattern.anchored and _first_text(tree).startswith("/"):
        yield subject.finding(
            "W003",
            f"the pattern {quoted(pattern.source)} is searched for anywhere in the URL: it also "
            f"matches behind another path{_such_as(_beyond('^', pattern, tree))}.",
            f"Begin it with ^: {quoted('^' + pattern.source)}.",
        )


def _beyond(anchor: str, pattern: Pattern, tree: Node) -> str | None:
    """A uri that the pattern would not match if the anchor held for all of it."""
    if anchor == "^":
        at_start = Sequence((Anchor.START, tree))
        # Optimization: what begins with another text cannot match the example at its start.
        excluded = [] if _is_elsewhere(tree) else [at_start]
        return witness(pattern, Sequence((Anchor.START, Text(_ELSEWHERE), tree)), *excluded)
    return witness(pattern, Sequence((tree, _MORE)), Sequence((tree, Anchor.END)))


def _is_elsewhere(tree: Node) -> bool:
    """Whether all that the pattern matches surely begins with other text than the example."""
    first = tree.items[0] if isinstance(tree, Sequence) and tree.items else tree
    return isinstance(first, Text) and not _ELSEWHERE.startswith(first.text)


def _such_as(uri: str | None) -> str:
    return f", such as {quoted(uri)}" if uri else ""


def _branches(tree: Node) -> tuple[Node, ...]:
    """The alternatives of the whole pattern."""
    return tree.branches if isinstance(tree, Choice) else (tree,)


def _ends(node: Node) -> bool:
    match node:
        case Anchor.END:
            return True
        case Sequence((*_, last)) | CaptureGroup(item=last):
            return _ends(last)
        case Choice(branches):
            return all(map(_ends, branches))
        case _:
            return False


def _first_text(node: Node) -> str:
    match node:
        case Text(text):
            return text
        case Sequence((first, *_)) | CaptureGroup(item=first) | Choice((first, *_)):
            return _first_text(first)
        case _:
            return ""


def _unescaped_dot(subject: Subject, pattern: Pattern, tree: Node) -> Findings:
    found = next(_dotted(tree), None)
    if found:
        dot, extension = found
        other = rebuilt(tree, lambda node: Text("_") if node is dot else None)
        uri = witness(
            pattern, other, rebuilt(tree, lambda node: Text(".") if node is dot else None)
        )
        yield subject.finding(
            "W005",
            f"in the pattern {quoted(pattern.source)}, the dot of '.{extension}' stands for any "
            f"character: {quoted(uri or '_' + extension)} matches too.",
            rf"Write '\.{extension}'.",
        )


def _dotted(node: Node) -> Iterator[tuple[Node, str]]:
    """The dots before an extension that were left unescaped, and the extensions."""
    items = node.items if isinstance(node, Sequence) else ()
    for dot, text in pairwise(items):
        if dot == Bytes(bytesets.ALL) and isinstance(text, Text):
            found = _EXTENSION.match(text.text)
            if found:
                yield dot, found[0]
    for child in children(node):
        yield from _dotted(child)
