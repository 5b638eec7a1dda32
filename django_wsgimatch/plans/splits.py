"""
From a uri and what matched there to the script, SCRIPT_NAME and PATH_INFO, or to the filename.

Each function is made for one alias, and says exactly what the corridor would (``aliases.resolve``),
or declines. The uris have no two slashes in a row and no dot segments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..aliases.alias import Alias
from ..aliases.index.prefix import merge_slashes
from ..aliases.patterns.pattern import Found, Pattern
from ..aliases.resolve import Rules
from ..aliases.substitution import Template, make_substitute, parse_template
from ..aliases.target import LONGEST_FILENAME, split_uri
from .targets import LONGEST_URI

# Script, SCRIPT_NAME and PATH_INFO; None where the file system, or the corridor, must tell.
Parts = tuple[str, str, str]
Split = Callable[[str, Any], Parts | None]
# The filename, None where only the corridor can tell.
Filename = Callable[[str, Any], str | None]

# What a filename must not hold, or the corridor resolves it first.
_UNRESOLVED = re.compile(r"//|/\.\.?(?:/|\Z)")


def is_resolved(path: str) -> bool:
    """Whether a path has no empty and no dot segments."""
    return "//" not in path and ("/." not in path or not _UNRESOLVED.search(path))


def target_of(alias: Alias, rules: Rules) -> str:
    """Return an alias's target as an absolute path."""
    target = alias.target
    return target if target.startswith("/") else f"{rules.base_directory}/{target}"


def literal_directory(alias: Alias, rules: Rules) -> int:
    """Return how many characters of all filenames of an alias surely name a directory."""
    target = target_of(alias, rules)
    if alias.kind == "plain":
        return 0
    head = parse_template(target)[0]
    return max(head.rfind("/"), 0) if isinstance(head, str) else 0


def make_filename(alias: Alias, location: str | Pattern, rules: Rules) -> Filename:
    """Return what makes the filename of a uri, for any alias with a target."""
    target = target_of(alias, rules)
    if isinstance(location, str):
        if location == "/":
            return lambda uri, end: _usable(target + uri)
        return lambda uri, end: _usable(target + uri[end:])
    substitute = make_substitute(parse_template(target), location.groups)

    def filename(uri: str, found: Found) -> str | None:
        end = found.end()
        return _usable(substitute(found) + (uri if uri[:end] == "/" else uri[end:]))

    return filename


def make_split(alias: Alias, location: str | Pattern, rules: Rules, script: str) -> Split | None:
    """Return the quick split of an alias that has led to a script, None where it has none."""
    if len(script) > LONGEST_URI:
        return None
    target = target_of(alias, rules)
    if isinstance(location, str):
        return _plain_split(target, location, script)
    return _match_split(target, location, script)


def divide(script: str, uri: str, path_info: str) -> Parts | None:
    """Return the parts of a uri whose PATH_INFO is known."""
    if not path_info:
        return script, uri, ""
    if path_info[0] != "/" or not is_resolved(path_info) or len(path_info) > LONGEST_URI:
        return None
    if uri.endswith(path_info):
        return script, uri[: -len(path_info)], path_info
    return script, split_uri(uri, path_info)[0], path_info


def _usable(filename: str) -> str | None:
    return filename if len(filename) <= LONGEST_FILENAME and is_resolved(filename) else None


def _plain_split(target: str, location: str, script: str) -> Split | None:
    tail = target[len(script) :]
    if not target.startswith(script) or (tail and tail[0] != "/"):
        return None
    if location == "/":
        return lambda uri, end: divide(script, uri, tail + uri)
    if tail:
        return lambda uri, end: divide(script, uri, tail + uri[end:])
    if location.endswith("/"):
        return None
    # Optimization: to cut the location out of the uri took 0.05 us; it is there already.
    script_name = merge_slashes(location)
    return lambda uri, end: (script, script_name, uri[end:])


def _match_split(target: str, pattern: Pattern, script: str) -> Split:
    template = parse_template(target)
    head = template[0] if template and isinstance(template[0], str) else ""
    if head == script or head.startswith(script + "/"):
        return _tail_split(make_substitute(template, pattern.groups), script)
    return _named_split(template, pattern.groups)


def _tail_split(substitute: Callable[[Found], str], script: str) -> Split:
    """For ``wsgi_handler.py/$1``: the script is fixed, the captures become PATH_INFO."""
    length = len(script)

    def split(uri: str, found: Found) -> Parts | None:
        end = found.end()
        path_info = substitute(found)[length:] + (uri if uri[:end] == "/" else uri[end:])
        return divide(script, uri, path_info)

    return split


def _named_split(template: Template, groups: int) -> Split:
    """For ``$1.wsgi``: the captures name the script, the rest of the uri is PATH_INFO."""
    match template:
        # Optimization: without a call for the usual form, /dir/$1.wsgi, it took 0.7 of the time.
        case (str(head), int(number), str(tail)) if number <= groups:
            return _captured_split(head, number, tail)
    substitute = make_substitute(template, groups)

    def split(uri: str, found: Found) -> Parts | None:
        end = found.end()
        script = substitute(found)
        if end == 1 or uri[end : end + 1] not in ("", "/") or len(script) > LONGEST_URI:
            return None
        return script, uri[:end], uri[end:]

    return split


def _captured_split(head: str, number: int, tail: str) -> Split:

    def split(uri: str, found: Found) -> Parts | None:
        end = found.end()
        script = f"{head}{found.group(number) or ''}{tail}"
        # Of the rest of a uri no slashes are to be merged, and no dots to be resolved.
        if end == 1 or uri[end : end + 1] not in ("", "/") or len(script) > LONGEST_URI:
            return None
        return script, uri[:end], uri[end:]

    return split
