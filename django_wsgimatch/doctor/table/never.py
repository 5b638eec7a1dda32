"""Why an alias can never match, and the entry that was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ...aliases.patterns.pattern import Pattern, compile_pattern
from ...aliases.patterns.pcre.parser import parse
from ...aliases.patterns.pcre.syntax import Anchor, Node, Sequence, Text, children
from ...exceptions import PatternError
from ...text import quoted
from ..findings.finding import Finding, Subject
from ..uris.hidden_aliases import example_uris

_HOST = re.compile(
    r"\^?(?P<scheme>https?\??://)?"
    r"(?P<host>(?:[\w-]+\\?\.)+(?!wsgi|py|html?|txt|php|xml|json|js|css)[A-Za-z]{2,}(?::[0-9]+)?)"
    r"(?P<path>/.*)?"
)


def never_finding(subject: Subject, merge_slashes: bool) -> Finding:
    """Return what is said of an alias that no URL reaches, whatever stands before it."""
    location = subject.alias.location
    reason, cure = next(_reasons(subject, location, merge_slashes))
    message = f"{quoted(location)} can never match: {reason}."
    return subject.finding("W007", message, f"{cure}.")


def _reasons(subject: Subject, location: str, merge_slashes: bool) -> Iterator[tuple[str, str]]:
    """Yield reasons why, each with what to do about it."""
    yield from _host(subject, location)
    if subject.alias.kind == "plain":
        yield from _plain(subject, location)
    else:
        yield from _pattern(subject, location, merge_slashes)
        cure = "`wsgimatch preview` shows what aliases are compared with"
        yield ("the pattern cannot match any URL", cure)


def _host(subject: Subject, location: str) -> Iterator[tuple[str, str]]:
    found = _HOST.fullmatch(location)
    if found and (found["scheme"] or found["path"]):
        host = found["host"].replace("\\", "").partition(":")[0]
        begin = "" if subject.alias.kind == "plain" else "^"
        line = subject.line(location=begin + (found["path"] or "/"))
        entry = repr(line) if line.startswith("WSGIScriptAlias") else line
        yield (
            "aliases are compared with the path of a URL, and this names a host",
            f"Write the entry for that host: WSGIMATCH_VIRTUAL_HOSTS = {{{host!r}: [{entry}]}}",
        )


def _plain(subject: Subject, location: str) -> Iterator[tuple[str, str]]:
    if location.startswith("^"):
        line = subject.line(kind="match")
        yield ("a plain location is not a pattern, and URLs begin with '/'", f"Write {line}")
    elif not location.startswith("/"):
        line = subject.line(location=f"/{location}")
        yield ("URLs begin with '/', and this location does not", f"Put a slash in front: {line}")
    else:
        yield (
            "'.' and '..' are removed from a URL before aliases are compared",
            "Write the path without dots",
        )


def _pattern(subject: Subject, source: str, merge_slashes: bool) -> Iterator[tuple[str, str]]:
    if merge_slashes and "//" in source:
        yield (
            "slashes are merged before a pattern sees the URL",
            "Write one slash, or set WSGIMATCH_MERGE_SLASHES = False",
        )
    slashed = f"^/{source.removeprefix('^')}"
    if _matches(slashed, merge_slashes):
        line = subject.line(location=slashed)
        yield ("URLs begin with '/', and what it matches does not", f"Write {line}")
    if _goes_on_after_end(parse(source).tree):
        shorter = source.replace("$", "")
        cure = "Remove the $, or what follows it"
        if _matches(shorter, merge_slashes):
            cure = f"Write {subject.line(location=shorter)}"
        yield ("$ stands for the end of the URL, which nothing can follow", cure)


def _matches(source: str, merge_slashes: bool) -> bool:
    try:
        pattern: Pattern = compile_pattern(source)
    except PatternError:
        return False
    return next(example_uris(pattern, merge_slashes=merge_slashes), None) is not None


def _goes_on_after_end(node: Node) -> bool:
    items = node.items if isinstance(node, Sequence) else ()
    ends = (Anchor.END, Anchor.END_OR_FINAL_NEWLINE)
    if any(one in ends and isinstance(other, Text) for one, other in pairwise(items)):
        return True
    return any(map(_goes_on_after_end, children(node)))
