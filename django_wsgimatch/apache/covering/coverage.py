"""
Whether a section holds for all that an alias answers, for none of it, or for a part.

Mirrors ap_directory_walk(), ap_file_walk() and ap_location_walk(), over what an alias can reach
instead of over one request. What cannot be told is a part.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Literal

from ...aliases.alias import Alias
from ...aliases.directives import get_word
from ...aliases.patterns.pattern import compile_pattern
from ...aliases.patterns.pcre.measures import shortest
from ...aliases.patterns.pcre.parser import parse
from ...aliases.substitution import parse_template
from ...exceptions import PatternError
from ..lines.directive import Section

FileKind = Literal["file", "directory", "missing"]
FileKinds = Callable[[str], FileKind]

# What a WSGI script is called, where there is no file to look at.
_SCRIPT = re.compile(r".+\.(wsgi|py|fcgi|cgi|pyw|tac)", re.IGNORECASE)
_SLASHES = re.compile("//+")


@dataclass(frozen=True, slots=True)
class Reach:
    """
    Where an alias leads, and for which uris.

    ``script`` is the one file that it runs, None where there may be several or none is known.
    ``directory`` is surely above every script; the name of every script begins with ``inside``,
    which ends in a slash where that is known to follow. ``location`` is the prefix of a plain
    alias's uris, None for a pattern; ``prefixes`` are literals of which one begins every uri, None
    where none are known.
    """

    script: str | None
    directory: str
    inside: str
    location: str | None
    prefixes: tuple[str, ...] | None


def reach_of(alias: Alias, kind_of: FileKinds) -> Reach:
    """Return the reach of an alias; ``kind_of`` says what the file system has at a path."""
    script, directory, inside = _files(alias, kind_of)
    if alias.kind == "plain":
        location = _SLASHES.sub("/", alias.location)
        return Reach(script, directory, inside, location, (location,))
    return Reach(script, directory, inside, None, prefixes_of(alias.location))


def may_be_folder(alias: Alias, kind_of: FileKinds) -> bool:
    """Whether an alias may lead to a folder: a pattern's target such as $1.wsgi names files."""
    is_named = alias.kind == "match" and _SCRIPT.fullmatch(posixpath.basename(alias.target))
    return not is_named and reach_of(alias, kind_of).script is None


def region(location: str | None, prefixes: tuple[str, ...] | None) -> Reach:
    """Return a part of the uris, by a prefix or by what is known of a pattern."""
    return Reach(None, "/", "/", location, prefixes)


def reach_of_name(name: str) -> Reach:
    """Return the reach of one script, or one file, by its name."""
    return Reach(f"/{name}", "/", "/", None, None)


@lru_cache(maxsize=4096)
def prefixes_of(pattern: str) -> tuple[str, ...] | None:
    """Return the literals of which one begins every uri that matches a pattern, if known."""
    try:
        return compile_pattern(pattern, allow_exponential=True).prefixes
    except PatternError:
        return None


def path_info_of_target(alias: Alias, script: str) -> str:
    """Return what stands behind the script in the target of a plain alias."""
    tail = "/" if alias.target.endswith("/") else ""
    return (posixpath.normpath(alias.target) + tail)[len(script) :]


def _files(alias: Alias, kind_of: FileKinds) -> tuple[str | None, str, str]:
    template = parse_template(alias.target) if alias.kind == "match" else (alias.target,)
    literal = template[0] if template and isinstance(template[0], str) else ""
    is_whole = template == (literal,)
    # The name in which a capture begins is not known, unless it begins with a slash.
    is_ended = is_whole or (template == (literal, 1) and _takes_path(alias))
    known = literal if is_ended else literal[: literal.rfind("/") + 1]
    path = "/"
    for name in posixpath.normpath("/" + known).split("/")[1:]:
        path = posixpath.join(path, name)
        kind = kind_of(path)
        if kind == "file" or (kind == "missing" and _SCRIPT.fullmatch(name)):
            return path, posixpath.dirname(path), path
    if is_whole and kind_of(path) != "directory":
        return None, posixpath.dirname(path), path
    # Behind a slash of the target comes a name; elsewhere the rest of the URL may go on with one.
    return None, path, path if is_whole else f"{path.rstrip('/')}/"


# Of a pattern what is taken as it stands, and what begins, divides and ends groups.
_PIECES = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(\((?:[?*])?|\||\))", re.DOTALL)
# With these behind a group that begins with a slash nothing can go on with the name before it.
ENDS_OF_PATHS = ("$", r"\z", "(?=/|$)")


def begins_with_slash(group: str) -> bool:
    """Whether a group takes nothing, or a slash first; it is given without its first bracket."""
    inner = group[3:] if group.startswith("(?:/") else group
    is_divided = "|" in _own_pieces(inner)
    return inner.startswith("/") and inner[1:2] not in ("?", "*", "{") and not is_divided


def _own_pieces(group: str) -> str:
    """Return what divides and ends a group, but not what does so in those inside of it."""
    found, depth = "", 0
    for each in _PIECES.finditer(group):
        piece = each[1] or ""
        if depth == 0 and piece in ("|", ")"):
            found += piece
            if piece == ")":
                break
        depth += {"(": 1, ")": -1}.get(piece[:1], 0)
    return found


def _takes_path(alias: Alias) -> bool:
    """Whether a pattern has one group, which takes nothing or a path from its slash on."""
    starts = [found.end() for found in _PIECES.finditer(alias.location) if found[1] == "("]
    is_last = any(alias.location.endswith(f"){each}") for each in ENDS_OF_PATHS)
    return len(starts) == 1 and is_last and begins_with_slash(alias.location[starts[0] :])


Coverage = Literal["all", "some", "none"]

DIRECTORIES = ("directory", "directorymatch")
FILES = ("files", "filesmatch")
LOCATIONS = ("location", "locationmatch")
CONDITIONS = ("if", "elseif", "else")
SCOPES = (*DIRECTORIES, *FILES, *LOCATIONS, *CONDITIONS)

_WILDCARD = re.compile(r"[*?\[]")
# Behind a literal these let anything follow, so that they say nothing.
_ANYTHING = re.compile(r"(?:/\*|\.\*\$?|\(\.\*\)\$?|\(/\.\*\)\?)+$")
_LITERAL = re.compile(r"(\^?)([\w/~,:;=@!%&-]*)", re.ASCII)


def coverage(sections: Iterable[Section], reach: Reach) -> Coverage:
    """Return how much of an alias's reach lies in a section and in all those around it."""
    found: Coverage = "all"
    for section in sections:
        one = _of_section(section, reach)
        if one == "none":
            return "none"
        found = "some" if one == "some" else found
    return found


def section_pattern(section: Section) -> tuple[str, bool]:
    """Return what a section compares with, and whether it is a regular expression."""
    word, rest = get_word(section.argument)
    if word == "~":
        return get_word(rest)[0], True
    return word, section.key.endswith("match")


def heads_of(section: Section) -> tuple[str, ...] | None:
    """
    Return texts of which one begins every uri, or every path, that a section can hold for.

    None where no such texts are known. A <Directory> is given as ap_getparents() would have it.
    """
    kind = section.key
    if kind not in (*DIRECTORIES, *LOCATIONS):
        return None
    text, is_pattern = section_pattern(section)
    if is_pattern:
        return prefixes_of(text)
    if is_wildcard(text):
        return (text[: _first_wildcard(text)],)
    return (text if kind in LOCATIONS else _directory(text),)


def is_wildcard(text: str) -> bool:
    """Whether Apache compares a text with fnmatch() instead of byte by byte."""
    return _WILDCARD.search(text) is not None


def is_below(location: str, uri: str) -> bool:
    """Whether a <Location> without wildcards holds for a uri."""
    return uri.startswith(location) and (
        location[-1:] in ("", "/") or uri[len(location) :][:1] in ("", "/")
    )


def _of_section(section: Section, reach: Reach) -> Coverage:
    kind = section.key
    if kind in CONDITIONS:
        return "some"
    text, is_pattern = section_pattern(section)
    if kind in LOCATIONS:
        return _of_uri_pattern(text, reach) if is_pattern else _of_location(text, reach)
    if kind in FILES:
        return _of_file_pattern(text, reach) if is_pattern else _of_name(text, reach)
    return _of_path_pattern(text, reach) if is_pattern else _of_directory(text, reach)


def _of_directory(path: str, reach: Reach) -> Coverage:
    if is_wildcard(path):
        return _of_wildcard_directory(path.rstrip("/"), reach)
    path = _directory(path)
    if _contains(path, reach.directory):
        return "all"
    if reach.script is not None:
        # As observed: a directory of the script's name holds where no PATH_INFO follows it.
        return "some" if path == reach.script else "none"
    return "some" if _contains(reach.inside, path) else "none"


def _directory(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))


def above(folder: str) -> Iterator[str]:
    """Yield a folder and all above it."""
    yield folder
    while folder != "/":
        folder = posixpath.dirname(folder)
        yield folder


def _of_wildcard_directory(path: str, reach: Reach) -> Coverage:
    if any(_fits(path, parent) for parent in above(reach.directory)):
        return "all"
    if reach.script is not None:
        return "some" if _fits(path, reach.script) else "none"
    head = path[: _first_wildcard(path)]
    return "some" if may_meet(head, reach.inside) else "none"


def _of_path_pattern(pattern: str, reach: Reach) -> Coverage:
    # Apache searches in the whole filename, the script's own name included.
    if reach.script is not None:
        return _search(pattern, reach.script)
    heads = prefixes_of(pattern)
    is_near = heads is None or any(may_meet(head, reach.inside) for head in heads)
    return "some" if is_near else "none"


def may_meet(one: str, other: str) -> bool:
    """Whether a text can begin with both."""
    return one.startswith(other) or other.startswith(one)


def _of_name(name: str, reach: Reach) -> Coverage:
    if name == "*":
        return "all"
    if reach.script is None:
        return "some"
    return "all" if fnmatchcase(posixpath.basename(reach.script), name) else "none"


def _of_file_pattern(pattern: str, reach: Reach) -> Coverage:
    return "some" if reach.script is None else _search(pattern, posixpath.basename(reach.script))


def _of_location(location: str, reach: Reach) -> Coverage:
    if location == "/":
        return "all"
    if is_wildcard(location):
        return _by_prefixes((location[: _first_wildcard(location)],), reach)
    if reach.location is not None:
        if is_below(location, reach.location):
            return "all"
        return "some" if is_below(reach.location, location) else "none"
    if reach.prefixes and all(_is_surely_below(location, each) for each in reach.prefixes):
        return "all"
    return _by_prefixes((location,), reach)


def _of_uri_pattern(pattern: str, reach: Reach) -> Coverage:
    literal = _LITERAL.fullmatch(_ANYTHING.sub("", pattern))
    if literal and all(_holds(literal, prefix) for prefix in reach.prefixes or ("/",)):
        return "all"
    return _by_prefixes(prefixes_of(pattern), reach)


def _holds(literal: re.Match[str], prefix: str) -> bool:
    anchor, text = literal.groups()
    return prefix.startswith(text) if anchor else text in prefix


def _by_prefixes(prefixes: tuple[str, ...] | None, reach: Reach) -> Coverage:
    """Return "none" if no uri can begin with one of the prefixes and with one of the reach's."""
    if prefixes is None or reach.prefixes is None:
        return "some"
    for one in prefixes:
        for other in reach.prefixes:
            if one.startswith(other):
                if reach.location is None or is_below(other, one):
                    return "some"
            elif other.startswith(one):
                return "some"
    return "none"


def _is_surely_below(location: str, prefix: str) -> bool:
    """Whether a <Location> holds for every uri with a prefix."""
    return prefix.startswith(location) and (
        location.endswith("/") or prefix[len(location) :].startswith("/")
    )


def _contains(directory: str, path: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _fits(pattern: str, path: str) -> bool:
    """Mirror apr_fnmatch() with APR_FNM_PATHNAME: no wildcard stands for a slash."""
    names, parts = path.split("/"), pattern.split("/")
    return len(names) == len(parts) and all(map(fnmatchcase, names, parts))


def _first_wildcard(text: str) -> int:
    found = _WILDCARD.search(text)
    return found.start() if found else len(text)


def _search(pattern: str, text: str) -> Coverage:
    literal = _LITERAL.fullmatch(_ANYTHING.sub("", pattern))
    if literal and _holds(literal, text):
        return "all"
    try:
        if compile_pattern(pattern, allow_exponential=True).find(text):
            return "all"
        # Which leaves out a match that ends at the start of the text.
        return "none" if shortest(parse(pattern).tree) else "some"
    except PatternError:
        return "some"
