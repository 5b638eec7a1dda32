"""
The scripts that URLs choose by a directory: ``sites/$1/wsgi.py``, or a directory of directories.

A file counts only if there is a URL that leads to it: one that no earlier alias takes, and in which
the captures are what the file's path demands.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from ...aliases.resolve import Rules
from ...aliases.substitution import Template, parse_template
from ...aliases.target import is_inside
from ..findings.finding import Subject
from .files import ENDINGS, TargetPlace, read_script
from .leads import changed_examples, file_of, searched_uri
from .listing import Listings

# So many files are tried; below a directory that URLs go through by themselves, so many
# directories and files are looked at, so deep.
_MOST, _DIRECTORIES, _FILES, _DEEPEST = 200, 300, 2000, 3


def scripts_below(
    subject: Subject, place: TargetPlace, rules: Rules, listings: Listings
) -> dict[str, str]:
    """Return the scripts below an alias's place that a URL leads to, each with such a URL."""
    if place.state != "directory":
        return {}
    found = {
        script: _uri_of(subject, place, script, captures, rules)
        for script, captures in islice(_candidates(subject, place, rules, listings), _MOST)
        if script not in place.scripts
    }
    return {script: uri for script, uri in found.items() if uri is not None}


def _candidates(
    subject: Subject, place: TargetPlace, rules: Rules, listings: Listings
) -> Iterator[tuple[str, dict[int, str]]]:
    """Files that a target may lead to, each with the captures that it takes."""
    alias = subject.alias
    template: Template = parse_template(alias.target) if alias.kind == "match" else (alias.target,)
    if _goes_on(template):
        yield from _by_template(template, rules, listings)
        return
    name = (alias.callable_object or "application").encode("latin-1")
    defines = re.compile(
        rb"^\s*(?:async\s+)?(?:def|class)\s+%b\b|^\s*%b\s*[:=]|\bimport\b.*\b%b\b"
        % ((re.escape(name),) * 3),
        re.MULTILINE,
    )
    for script in islice(_below(place.path, listings), _FILES):
        if script.endswith(ENDINGS) and defines.search(read_script(script)):
            rest = script[len(place.path.rstrip("/")) + 1 :]
            yield script, {part: rest for part in template if isinstance(part, int)}


def _goes_on(template: Template) -> bool:
    """Whether a target names a file behind a directory that a capture chooses."""
    return len(template) > 1 and any(isinstance(part, str) and "/" in part for part in template[1:])


def _by_template(
    template: Template, rules: Rules, listings: Listings
) -> Iterator[tuple[str, dict[int, str]]]:
    text = "".join(f"\0{part}\0" if isinstance(part, int) else part for part in template)
    names = os.path.join(rules.base_directory, text).split("/")[1:]
    yield from _walk("", [name for name in names if name], {}, listings)


def _walk(
    path: str, names: list[str], captures: dict[int, str], listings: Listings
) -> Iterator[tuple[str, dict[int, str]]]:
    """Go down a path in which captures stand, to the first files; a capture is part of a name."""
    if not names:
        return
    name, *more = names
    found = _named(path, name, captures, listings) if "\0" in name else [(name, captures)]
    for entry, known in found:
        below = f"{path}/{entry}"
        if os.path.isfile(below.encode("latin-1")):
            yield below, known
        elif os.path.isdir(below.encode("latin-1")):
            yield from _walk(below, more, known, listings)


def _named(
    path: str, name: str, captures: Mapping[int, str], listings: Listings
) -> Iterator[tuple[str, dict[int, str]]]:
    """The entries of a path that a name with captures fits, each with all captures so far."""
    parts = name.split("\0")
    numbers = [int(number) for number in parts[1::2]]
    literals = map(re.escape, parts[::2])
    shape = re.compile("([^/]*)".join(literals), re.DOTALL)
    for entry in (*listings[path].files, *listings[path].directories):
        found = shape.fullmatch(entry)
        known = dict(captures)
        texts = zip(numbers, found.groups(), strict=True) if found else ()
        if found and all(known.setdefault(number, text) == text for number, text in texts):
            yield entry, known


def _below(path: str, listings: Listings) -> Iterator[str]:
    """The files in the directories below a path, the nearest first."""
    level = [path.rstrip("/")]
    left = _DIRECTORIES
    for _ in range(_DEEPEST):
        level = [f"{above}/{name}" for above in level for name in listings[above].directories]
        level, left = level[:left], left - len(level[:left])
        for directory in level:
            yield from (f"{directory}/{file}" for file in listings[directory].files)


def _uri_of(
    subject: Subject, place: TargetPlace, script: str, captures: Mapping[int, str], rules: Rules
) -> str | None:
    """A URL that leads to a script, None where none is found."""
    for uri in _uris(subject, place, script, captures, rules):
        match = subject.match(uri) if uri.startswith("/") else None
        leads = match is not None and f"{file_of(match, rules)}/".startswith(f"{script}/")
        if leads and is_inside(script, rules.roots):
            return uri
    return None


def _uris(
    subject: Subject, place: TargetPlace, script: str, captures: Mapping[int, str], rules: Rules
) -> Iterator[str]:
    location = subject.location
    if isinstance(location, str):
        rest = script[len(place.path.rstrip("/")) :]
        yield location.rstrip("/") + rest
        return
    wanted = {number: text for number, text in captures.items() if 0 < number <= location.groups}
    yield from changed_examples(subject, wanted, rules)
    uri = searched_uri(location, wanted, rules)
    if uri is not None:
        yield uri
