"""
From a uri and what matched there to the script, SCRIPT_NAME and PATH_INFO, or to the filename.

Each says exactly what the corridor would (``aliases.resolve``), or declines. The uris have no two
slashes in a row and no dot segments.

What is known of an alias is a tuple: a function first, which is called with the tuple itself.
"""

from __future__ import annotations

import re
from typing import Any

from ..aliases.alias import Alias
from ..aliases.index.prefix import merge_slashes
from ..aliases.patterns.pattern import Found, Pattern
from ..aliases.resolve import Rules
from ..aliases.substitution import Filling, Template, fill
from ..aliases.target import LONGEST_FILENAME, split_uri
from .targets import LONGEST_URI

# Script, SCRIPT_NAME and PATH_INFO; None where the file system, or the corridor, must tell.
Parts = tuple[str, str, str]
# A function of a split, a uri and what matched there, which returns them; and what it knows.
# Optimization: a closure for each alias took four times the memory, and is no quicker.
Split = tuple[Any, ...]

# What a filename must not hold, or the corridor resolves it first.
_UNRESOLVED = re.compile(r"//|/\.\.?(?:/|\Z)")


def is_resolved(path: str) -> bool:
    """Whether a path has no empty and no dot segments."""
    return "//" not in path and ("/." not in path or not _UNRESOLVED.search(path))


def target_of(alias: Alias, rules: Rules) -> str:
    """Return an alias's target as an absolute path."""
    target = alias.target
    return target if target.startswith("/") else f"{rules.base_directory}/{target}"


def literal_directory(template: Template) -> int:
    """Return how many characters of all that is made of a template surely name a directory."""
    head = template[0] if template else ""
    return max(head.rfind("/"), 0) if isinstance(head, str) else 0


def find_filename(
    target: str, location: str, filling: Filling | None, uri: str, found: Any
) -> str | None:
    """
    Return the filename of a uri, None where only the corridor can tell.

    ``found`` is what matched: for a plain alias, which has no filling, where the location ends.
    """
    if filling is None:
        return _usable(target + (uri if location == "/" else uri[found:]))
    end = found.end()
    return _usable(fill(filling, found) + (uri if end == 1 else uri[end:]))


def make_split(target: str, location: str, script: str) -> Split | None:
    """
    Return the quick split of a plain alias that has led to a script, None where it has none.

    ``target`` is its target as an absolute path.
    """
    tail = target[len(script) :]
    if len(script) > LONGEST_URI or not target.startswith(script) or (tail and tail[0] != "/"):
        return None
    if location == "/":
        return _whole_uri, script, tail
    if tail:
        return _behind_a_tail, script, tail
    if location.endswith("/"):
        return None
    # The target is the script: one text for both.
    return behind_the_location, target, merge_slashes(location)


def make_match_split(
    template: Template, filling: Filling, pattern: Pattern, script: str | None
) -> Split | None:
    """
    Return the quick split of a match alias, by its target as a template and what fills it.

    ``script`` is one that it has led to, None where all have been missing so far.
    """
    if script is not None and len(script) > LONGEST_URI:
        return None
    head = template[0] if template and isinstance(template[0], str) else ""
    if script is not None and (head == script or head.startswith(script + "/")):
        # For ``wsgi_handler.py/$1``: the script is fixed, the captures become PATH_INFO.
        return _in_path_info, script, filling
    match template:
        # Optimization: without a call for the usual form, /dir/$1.wsgi, it took 0.7 of the time.
        case (str(), int(number), str()) if number <= pattern.groups:
            return (_in_the_name, *template)
    return _in_any_name, filling


def make_module_split(target: str, location: str | Pattern) -> Split:
    """Return the quick split of an alias whose target is a module."""
    if isinstance(location, Pattern):
        return _behind_what_was_found, target
    if location.endswith("/"):
        return _from_the_slash_on, target
    return behind_the_location, target, merge_slashes(location)


def parts_by(split: Split, uri: str, found: Any) -> Parts | None:
    """Return the parts that a split makes of a uri, None where it declines."""
    parts: Parts | None = split[0](split, uri, found)
    return parts


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


def _whole_uri(split: Split, uri: str, end: int) -> Parts | None:
    _, script, tail = split
    return divide(script, uri, tail + uri)


def _behind_a_tail(split: Split, uri: str, end: int) -> Parts | None:
    _, script, tail = split
    return divide(script, uri, tail + uri[end:])


def behind_the_location(split: Split, uri: str, end: int) -> Parts:
    # Optimization: to cut the location out of the uri took 0.05 us; it is there already.
    _, script, script_name = split
    return script, script_name, uri[end:]


def _from_the_slash_on(split: Split, uri: str, end: int) -> Parts:
    return split[1], uri[: end - 1], uri[end - 1 :]


def _behind_what_was_found(split: Split, uri: str, found: Found) -> Parts | None:
    """For a module: only the corridor can tell that a match which ends inside a name is a 404."""
    end = found.end()
    if uri[end - 1] == "/":
        end -= 1
    if uri[end : end + 1] not in ("", "/"):
        return None
    return split[1], uri[:end], uri[end:]


def _in_path_info(split: Split, uri: str, found: Found) -> Parts | None:
    _, script, filling = split
    end = found.end()
    # Optimization: as fill(), whose call took 0.05 us.
    path_info = filling[0](filling, found)[len(script) :] + (uri if end == 1 else uri[end:])
    return divide(script, uri, path_info)


def _in_any_name(split: Split, uri: str, found: Found) -> Parts | None:
    """For ``$1.wsgi``: the captures name the script, the rest of the uri is PATH_INFO."""
    end = found.end()
    script = fill(split[1], found)
    if end == 1 or uri[end : end + 1] not in ("", "/") or len(script) > LONGEST_URI:
        return None
    return script, uri[:end], uri[end:]


def _in_the_name(split: Split, uri: str, found: Found) -> Parts | None:
    _, head, number, tail = split
    end = found.end()
    script = f"{head}{found.group(number) or ''}{tail}"
    # Of the rest of a uri no slashes are to be merged, and no dots to be resolved.
    if end == 1 or uri[end : end + 1] not in ("", "/") or len(script) > LONGEST_URI:
        return None
    return script, uri[:end], uri[end:]
