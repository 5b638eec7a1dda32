"""Locations that hold what aliases are never compared with: queries, escapes, wildcards."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from ...aliases.patterns.pattern import Pattern
from ...aliases.patterns.pcre.parser import parse
from ...aliases.patterns.pcre.syntax import (
    Atomic,
    Bytes,
    CaptureGroup,
    Choice,
    Look,
    Node,
    Repeat,
    Sequence,
    Text,
)
from ...aliases.uri import EncodedSlashes
from ...text import quoted
from ..findings.finding import Finding, Findings, Subject
from ..uris.hidden_aliases import example_uris

_QUERY = re.compile(r"[?#]")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_BUT_SLASHES = re.compile(r"%(?!2[Ff])[0-9A-Fa-f]{2}")
# What a path hardly holds, and a pattern, a shell or a router of views would understand.
_PATTERN = re.compile(
    r"""\^|\$\Z|\\[dwsDWSbZ.]|\(\?|\.[*+?]|\[\^|\[[^\]/]*-[^\]/]*\]|\([^()]*\|[^()]*\)|[)\]][*+?{]"""
)
_ALL_BELOW = re.compile(r"/?(?:\.[*+]|\(\.[*+]\)|\(/\.\*\)\?)\$?\Z")
_WILDCARD = re.compile(r"\*|<[a-z]+:?\w*>|\{\w*\}")
_SPECIAL = frozenset(".^$*+?()[]{}|\\")


def miswritten_findings(subject: Subject, encoded: EncodedSlashes) -> Findings:
    """
    Yield what in a location no URL can hold, though its author meant a part of URLs.

    ``encoded`` is AllowEncodedSlashes: with NoDecode a URL keeps its ``%2F``.
    """
    location = subject.location
    is_plain = isinstance(location, str)
    text = location if isinstance(location, str) else location.source
    tree = Text(text) if is_plain else parse(text).tree
    escape = _BUT_SLASHES if encoded == "NoDecode" else _ESCAPE
    if is_plain and (sign := _sign(text)):
        yield _not_literal(subject, text, sign)
    elif _demands(tree, _QUERY):
        yield _with_query(subject, text)
    elif _demands(tree, escape):
        yield _with_escape(subject, text)


def _demands(node: Node, sought: re.Pattern[str]) -> bool:
    """Whether all that a pattern takes holds something."""
    match node:
        case Text(text):
            return bool(sought.search(text))
        case Bytes(mask) if mask.bit_count() == 1:
            return bool(sought.search(chr(mask.bit_length() - 1)))
        case Sequence(items):
            return any(_demands(item, sought) for item in items)
        case Choice(branches):
            return all(_demands(branch, sought) for branch in branches)
        case CaptureGroup(item=item) | Atomic(item=item) | Look(item=item, negative=False):
            return _demands(item, sought)
        case Repeat(item=item, low=low):
            return low > 0 and _demands(item, sought)
        case _:
            return False


def _with_query(subject: Subject, text: str) -> Finding:
    path = re.split(r"\\?[?#]|\[[?#]\]", text, maxsplit=1)[0]
    uri = _example(subject, text)
    return subject.finding(
        "W051",
        f"{quoted(text)} contains a query string or a fragment. Aliases are compared with the "
        f"path alone: {quoted(uri)} is compared as {quoted(_QUERY.split(uri)[0])}, and this alias "
        "does not match it.",
        f"Remove it, and read QUERY_STRING in the application: {subject.line(location=path)}.",
    )


def _with_escape(subject: Subject, text: str) -> Finding:
    is_pattern = isinstance(subject.location, Pattern)
    decoded = _ESCAPE.sub(lambda found: _decoded(found[0], is_pattern), text)
    hint = f"Write the character: {subject.line(location=decoded)}."
    if re.search("%2[Ff]", text):
        hint = (
            "An encoded slash is refused unless WSGIMATCH_ALLOW_ENCODED_SLASHES is set, and kept "
            'as %2F only with "NoDecode".'
        )
    uri = _example(subject, text)
    return subject.finding(
        "W051",
        f"{quoted(text)} contains an escape. Aliases are compared with the decoded path: "
        f"{quoted(uri)} is compared as "
        f"{quoted(unquote_to_bytes(uri.encode('latin-1')).decode('latin-1'))}, and this alias "
        "does not match it.",
        hint,
    )


def _example(subject: Subject, text: str) -> str:
    return next(example_uris(subject.location), text)


def _decoded(escape: str, is_pattern: bool) -> str:
    character = chr(int(escape[1:], 16))
    return f"\\{character}" if is_pattern and character in _SPECIAL else character


def _sign(location: str) -> str:
    """What shows that a plain location is meant as a pattern; "" where nothing does."""
    found = _PATTERN.search(location) or _WILDCARD.search(location)
    return found[0] if found and location.startswith("/") else ""


def _not_literal(subject: Subject, location: str, sign: str) -> Finding:
    return subject.finding(
        "W052",
        f"the location {quoted(location)} is compared literally, {quoted(sign)} included: this "
        f"alias matches only URLs that begin with {quoted(location)}, character by character.",
        _what_is_meant(subject, location),
    )


def _what_is_meant(subject: Subject, location: str) -> str:
    path = _ALL_BELOW.sub("", location)
    wildcard = _WILDCARD.search(path) if not _PATTERN.search(path) else None
    if wildcard:
        path = location[: location.rfind("/", 0, wildcard.start())]
    if _PATTERN.search(path):
        line = subject.line(kind="match", location=f"^{location}")
        return f"Make it a pattern: {line}."
    line = subject.line(location=path or "/")
    return f"A location matches all URLs below it: {line}."
