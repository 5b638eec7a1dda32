"""
Patterns that take the whole URL: the application gets the same PATH_INFO for every page.

What a pattern matches becomes SCRIPT_NAME. Where it matches to the end of the URL and none of that
returns in the target, nothing is left for PATH_INFO. It is proved with two URLs, one of which lies
below the other one: both are taken whole, and both become the same filename.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice

from ...aliases.patterns.pattern import Pattern, compile_pattern
from ...aliases.resolve import Rules
from ...aliases.table import Match
from ...aliases.target import find_script, split_uri
from ...exceptions import PatternError, TargetError
from ...text import quoted
from ..findings.finding import Finding, Findings, Subject, up_to
from ..targets.files import read_script
from ..targets.leads import examples
from ..uris.hidden_aliases import branch_uris
from ..uris.search import DEAD, Search, TooComplex, elsewhere, states_of, until_too_complex

# So many example URLs of a pattern are looked at, and so many below each of them.
_EXAMPLES, _BELOW = 4, 8
_TAILS = ("/x", "/x/", "/x/y", "/x/y/", "/1", "/2024/05/")
# A script that names one of these knows that its URL may be all SCRIPT_NAME.
_SEES_THE_URL = re.compile(rb"(?<!FORCE_)SCRIPT_NAME|script_name|REQUEST_URI|RAW_URI")
_IS_DJANGO = re.compile(rb"get_wsgi_application|DJANGO_SETTINGS_MODULE")
_STATUSES = re.compile(rb"""['"]([1-5])\d\d [A-Z]""")


@dataclass(frozen=True, slots=True)
class Whole:
    """Two URLs of which an alias takes all, and of which it makes the same filename."""

    one: str
    other: str
    filename: str


def whole_findings(subject: Subject, rules: Rules) -> Findings:
    """Yield a finding if an alias's pattern takes whole URLs, one below the other."""
    whole = nested(subject, rules)
    if whole is not None and not _is_meant_so(_script_of(whole.filename, rules)[0]):
        yield whole_finding(subject, whole, rules)


def whole_finding(subject: Subject, whole: Whole, rules: Rules) -> Finding:
    """Return what is said of an alias that takes whole URLs."""
    script, tail = _script_of(whole.filename, rules)
    name, path_info = split_uri(whole.other, tail)
    return subject.finding(
        "W050",
        f"the pattern {quoted(subject.alias.location)} takes the whole URL: {quoted(whole.other)} "
        f"gives SCRIPT_NAME {quoted(name)} and PATH_INFO {quoted(path_info)}, which is what "
        f"{quoted(whole.one)} gives too. To {quoted(script)} every such URL is its home page, "
        "with status 200. It never answers 404, and its links begin with the requested URL.",
        " ".join(_cures(subject, up_to(script, subject.alias.target, rules.base_directory))),
    )


def nested(subject: Subject, rules: Rules) -> Whole | None:
    """Return two whole URLs of an alias, the second below the first, that give one filename."""
    if not isinstance(subject.location, Pattern):
        return None
    for match in _wholly_taken(subject, rules):
        base = match.uri.rstrip("/")
        likely = (base + tail for tail in _TAILS)
        below = chain(likely, _found_below(subject, base, rules))
        for uri in filter(partial(_is_below, match.uri), below):
            if _gives_the_same(subject, match, uri) and _is_open(subject, match, uri, len(base)):
                return Whole(match.uri, uri, match.filename)
    return None


def _is_below(above: str, uri: str) -> bool:
    """Whether a URL has another one's page above it: ``/x/`` alone may be a ``/x/*`` left empty."""
    more = uri[len(above.rstrip("/")) :].strip("/")
    return more.count("/") >= above.endswith("/") and bool(more)


def beside(subject: Subject, rules: Rules) -> Whole | None:
    """Return two whole URLs of an alias, wherever they lie, that give one filename."""
    first: dict[str, Match] = {}
    for match in _wholly_taken(subject, rules):
        other = first.setdefault(match.filename, match)
        if other.uri.rstrip("/") != match.uri.rstrip("/"):
            return Whole(other.uri, match.uri, match.filename)
        for uri in _changed(match.uri, 1):
            if _gives_the_same(subject, match, uri):
                return Whole(match.uri, uri, match.filename)
    return None


def _wholly_taken(subject: Subject, rules: Rules) -> Iterator[Match]:
    branches = islice(branch_uris(subject.location), _EXAMPLES)
    for uri in chain(examples(subject, rules, _EXAMPLES), branches):
        match = subject.match(uri) if "?" not in uri else None
        if match is not None and match.end == len(uri):
            yield match


def _gives_the_same(subject: Subject, match: Match, uri: str) -> bool:
    other = subject.match(uri)
    return other is not None and (other.end, other.filename) == (len(uri), match.filename)


def _is_open(subject: Subject, match: Match, uri: str, end: int) -> bool:
    """Whether a URL may end otherwise: its author has written out neither names nor endings."""
    last = [*_changed(uri, end)][-1:]
    return bool(last) and _gives_the_same(subject, match, last[0])


def _changed(uri: str, start: int) -> Iterator[str]:
    """A URL with one other character of the same kind, anywhere behind its start."""
    for place in range(start, len(uri)):
        character = uri[place]
        if character.isalnum() and character.isascii():
            other = chr(ord(character) - 1 if character in "9zZ" else ord(character) + 1)
            yield uri[:place] + other + uri[place + 1 :]


def _found_below(subject: Subject, base: str, rules: Rules) -> Iterator[str]:
    if not _may_go_on(subject, base):
        return
    search = Search(
        states_of(subject.location), [elsewhere(f"{base}/")], merge_slashes=rules.merge_slashes
    )
    for uri in islice(until_too_complex(search.words()), _BELOW):
        if uri.startswith(f"{base}/"):
            yield uri


def _may_go_on(subject: Subject, base: str) -> bool:
    """
    Whether a pattern may take URLs below another one, and not only leave them to PATH_INFO.

    Optimization: 1,000 patterns that match one URL each took 0.9 s of a check without this, and
    take 0.2 s.
    """
    states = states_of(subject.location)
    state = states.begin
    for byte in f"{base}/".encode("latin-1"):
        state = states.after(state, byte)
    if state == DEAD:
        return False
    below = f"{base}{_TAILS[0]}"
    match = subject.match(below)
    return match is None or match.end == len(below)


def _script_of(filename: str, rules: Rules) -> tuple[str, str]:
    """The script that a filename leads to, and what follows it; all of it if there is none."""
    try:
        found = find_script(filename, base_directory=rules.base_directory)
    except TargetError:
        return filename, ""
    return found.path, found.path_info


def _is_meant_so(script: str) -> bool:
    """Whether a script reads the URL for itself, or has no page to show at all."""
    source = read_script(script)
    if _IS_DJANGO.search(source):
        return False
    statuses = set(_STATUSES.findall(source))
    return bool(_SEES_THE_URL.search(source)) or bool(statuses and b"2" not in statuses)


def _cures(subject: Subject, target: str) -> Iterator[str]:
    mount = _mount(subject.location) if "$" not in target else None
    if mount:
        line = subject.line(location=mount, target=target)
        yield f"To mount the application below its prefix: {line}."
    elif subject.alias.is_module:
        yield "Let the pattern end where the application's own URLs begin."
    if not subject.alias.is_module:
        yield f"To give it the path: {subject.line(target=target + '$0')}."


def _mount(pattern: str | Pattern) -> str | None:
    """The pattern that takes what another one begins with, if it takes all its URLs."""
    names = {p.strip("/"): None for p in getattr(pattern, "prefixes", None) or ()}
    if not names or not all(names):
        return None
    several = "|".join(map(_escaped, names))
    mount = f"^/{several}(?=/|$)" if len(names) == 1 else f"^/(?:{several})(?=/|$)"
    try:
        left = Search(states_of(pattern), [states_of(compile_pattern(mount))]).shortest()
    except (TooComplex, PatternError):
        return None
    return mount if left is None else None


def _escaped(text: str) -> str:
    return re.sub(r"([.^$*+?()\[\]{}|\\])", r"\\\1", text)
