"""The part of an alias's URLs that a section of files or directories holds for."""

from __future__ import annotations

import posixpath
import re

from ...aliases.alias import Alias
from ...aliases.substitution import parse_template
from ..lines.directive import Section
from .coverage import CONDITIONS, DIRECTORIES, FILES, LOCATIONS, is_wildcard, section_pattern
from .hosts import Scope
from .partial_aliases import from_wildcard, literally, narrowed, restricted, without_captures

# What begins so is the name of a file or folder that begins with a dot, and no folder of scripts.
_HIDDEN = re.compile(r"(?:\^\.\*|\.\*|\^\(\.\*\))?(?:/|\(\^\|/\)|\(\?:\^\|/\))?(\\\..*)", re.DOTALL)


def is_exact(scope: Scope) -> bool:
    """Whether region_of_scope() takes no URL more than the section holds for."""
    names = [each.name.lower() for each in scope.sections]
    if any(name in (*CONDITIONS, *FILES) for name in names):
        return False
    return names[0] in LOCATIONS or not section_pattern(scope.sections[-1])[1]


def region_of_scope(alias: Alias, scope: Scope) -> Alias | None:
    """
    Return an alias for the URLs of an alias that a section may hold for, or None.

    It may take a few URLs more, never one less. None where one entry cannot say that.
    """
    first, last = scope.sections[0], scope.sections[-1]
    if first.name.lower() in LOCATIONS:
        # What stands further inside, an <If>, holds for a part of it that no URL tells.
        return narrowed(alias, first)
    if any(each.name.lower() in CONDITIONS for each in scope.sections):
        return None
    if last.name.lower() in FILES:
        return _of_names(alias, last)
    return _of_directory(alias, last)


def _of_directory(alias: Alias, section: Section) -> Alias | None:
    text, is_pattern = section_pattern(section)
    assert section.name.lower() in DIRECTORIES
    if is_pattern:
        hidden = _HIDDEN.fullmatch(text)
        body = without_captures(hidden[1]) if hidden else None
        return restricted(alias, f"(?=.*/(?:{body}))") if body else None
    if is_wildcard(text) or alias.kind == "match":
        return None
    path = posixpath.normpath("/" + text.lstrip("/"))
    target = posixpath.normpath(alias.target)
    location = "" if alias.location == "/" else alias.location
    is_torn = location.endswith("/") and not alias.target.endswith("/")
    if is_torn or not path.startswith(f"{target}/"):
        return None
    return Alias(location.rstrip("/") + path[len(target) :], alias.target)


def _of_names(alias: Alias, section: Section) -> Alias | None:
    """Return the URLs with a segment that may be the name of the script."""
    text, is_pattern = section_pattern(section)
    starts, body, ends = _parts(text) if is_pattern else (True, _glob(text), True)
    if not _is_whole_name(alias) and (ends or not starts):
        return None
    plain = None if body is None else without_captures(body)
    if plain is None:
        return None
    start, end = "/" if starts else "/[^/]*?", "(?:/|$)" if ends else ""
    return restricted(alias, f"(?=.*{start}(?:{plain}){end})")


def _parts(pattern: str) -> tuple[bool, str | None, bool]:
    """Return whether a pattern begins at the start of a name, what it has inside, where it ends."""
    starts, ends = pattern.startswith("^"), pattern.endswith("$") and not pattern.endswith("\\$")
    body = pattern[starts : len(pattern) - ends]
    is_divided = "|" in re.sub(r"\\.|\[[^\]]*\]|\([^()]*\)", "", body)
    return starts, None if is_divided and (starts or ends) else body, ends


def _glob(text: str) -> str:
    return from_wildcard(text)[1:-1] if is_wildcard(text) else literally(text)


def _is_whole_name(alias: Alias) -> bool:
    """Whether the segments of a URL are the names of files, without an ending of the target's."""
    if alias.kind == "plain":
        return True
    template = parse_template(alias.target)
    if not isinstance(template[-1], int):
        return False
    before = template[-2] if len(template) > 1 else ""
    return isinstance(before, str) and before.endswith("/")
