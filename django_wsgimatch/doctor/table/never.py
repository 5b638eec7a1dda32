"""Why an alias can never match, and the entry that was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ...aliases.patterns.pattern import Pattern, compile_pattern
from ...aliases.patterns.pcre.parser import parse
from ...aliases.patterns.pcre.syntax import Anchor, Node, Sequence, Text, children
from ...exceptions import PatternError
from ...text import quoted
from ..findings.finding import Finding
from ..findings.settings_lines import pasted
from ..findings.subject import Subject
from ..uris.hidden_aliases import example_uris

_HOST = re.compile(
    r"\^?(?P<scheme>https?\??://)?"
    r"(?P<host>(?:[\w-]+\\?\.)+(?!wsgi|py|html?|txt|php|xml|json|js|css)[A-Za-z]{2,}(?::[0-9]+)?)"
    r"(?P<path>/.*)?"
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an alias can never match, and what to do about it."""

    reason: str
    cure: str


def never_finding(subject: Subject, merge_slashes: bool) -> Finding:
    """Return what is said of an alias that no URL reaches, whatever stands before it."""
    location = subject.alias.location
    found = next(_reasons(subject, location, merge_slashes))
    message = f"{quoted(location)} can never match: {found.reason}."
    return Finding("W007", subject.where, message, f"{found.cure}.")


def _reasons(subject: Subject, location: str, merge_slashes: bool) -> Iterator[Reason]:
    yield from _host(subject, location)
    if subject.alias.kind == "plain":
        yield from _plain(subject, location)
    else:
        yield from _pattern(subject, location, merge_slashes)
        cure = "`wsgimatch preview` shows what aliases are compared with"
        yield Reason("the pattern cannot match any URL", cure)


def _host(subject: Subject, location: str) -> Iterator[Reason]:
    found = _HOST.fullmatch(location)
    if found and (found["scheme"] or found["path"]):
        host = found["host"].replace("\\", "").partition(":")[0]
        begin = "" if subject.alias.kind == "plain" else "^"
        line = pasted(subject.alias, subject.entry, location=begin + (found["path"] or "/"))
        entry = repr(line) if line.startswith("WSGIScriptAlias") else line
        yield Reason(
            "aliases are compared with the path of a URL, and this names a host",
            f"Write the entry for that host: WSGIMATCH_VIRTUAL_HOSTS = {{{host!r}: [{entry}]}}",
        )


def _plain(subject: Subject, location: str) -> Iterator[Reason]:
    if location.startswith("^"):
        line = pasted(subject.alias, subject.entry, kind="match")
        yield Reason("a plain location is not a pattern, and URLs begin with '/'", f"Write {line}")
    elif not location.startswith("/"):
        line = pasted(subject.alias, subject.entry, location=f"/{location}")
        yield Reason(
            "URLs begin with '/', and this location does not", f"Put a slash in front: {line}"
        )
    else:
        yield Reason(
            "'.' and '..' are removed from a URL before aliases are compared",
            "Write the path without dots",
        )


def _pattern(subject: Subject, source: str, merge_slashes: bool) -> Iterator[Reason]:
    if merge_slashes and "//" in source:
        yield Reason(
            "slashes are merged before a pattern sees the URL",
            "Write one slash, or set WSGIMATCH_MERGE_SLASHES = False",
        )
    slashed = f"^/{source.removeprefix('^')}"
    if _matches(slashed, merge_slashes):
        line = pasted(subject.alias, subject.entry, location=slashed)
        yield Reason("URLs begin with '/', and what it matches does not", f"Write {line}")
    if _goes_on_after_end(parse(source).tree):
        shorter = source.replace("$", "")
        cure = "Remove the $, or what follows it"
        if _matches(shorter, merge_slashes):
            cure = f"Write {pasted(subject.alias, subject.entry, location=shorter)}"
        yield Reason("$ stands for the end of the URL, which nothing can follow", cure)


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
