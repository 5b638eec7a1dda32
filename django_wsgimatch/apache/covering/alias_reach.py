"""Which files and which uris an alias can reach, as far as its own words tell."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ...aliases.alias import Alias
from ...aliases.patterns.pattern import compile_pattern
from ...aliases.substitution import parse_template
from ...exceptions import PatternError

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
    ``directory`` is surely above every script, ``inside`` a path that every script is or lies
    below. ``location`` is the prefix of a plain alias's uris, None for a pattern; ``prefixes``
    are literals of which one begins every uri, None where none are known.
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


def region(location: str | None, prefixes: tuple[str, ...] | None) -> Reach:
    """Return a part of the uris, by a prefix or by what is known of a pattern."""
    return Reach(None, "/", "/", location, prefixes)


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
    # The name in which a capture begins is not known.
    known = literal if is_whole else literal[: literal.rfind("/") + 1]
    path = "/"
    for name in posixpath.normpath("/" + known).split("/")[1:]:
        path = posixpath.join(path, name)
        kind = kind_of(path)
        if kind == "file" or (kind == "missing" and _SCRIPT.fullmatch(name)):
            return path, posixpath.dirname(path), path
    if is_whole and kind_of(path) != "directory":
        return None, posixpath.dirname(path), path
    return None, path, path
