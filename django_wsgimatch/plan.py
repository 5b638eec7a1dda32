"""
What the dispatcher keeps of an alias, so that few requests need a walk through the file system.

A plan splits a clean uri exactly as the corridor would (``aliases.resolve``), or declines. It is
made when the corridor has found the alias's script for the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .aliases.alias import Alias
from .aliases.groups import is_literal
from .aliases.patterns.pattern import Found, Pattern
from .aliases.resolve import Resolution, Rules
from .aliases.substitution import make_substitute, parse_template
from .aliases.target import LONGEST_FILENAME, split_uri
from .daemon.place import Place
from .text import readable

# Script, SCRIPT_NAME and PATH_INFO; None where only the whole corridor can tell.
Parts = tuple[str, str, str]
Split = Callable[[str, Any], Parts | None]

# Keys that a server's own environ gains, for its access log.
ALIAS, PROCESS_GROUP = "wsgimatch.alias", "wsgimatch.process_group"
SCRIPT_NAME = "wsgimatch.script_name"
# Neither a uri nor a script this short can reach Apache's limit for the filename together.
LONGEST_URI = LONGEST_FILENAME // 2


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How the requests of one alias are answered.

    ``split`` takes the uri and what the index found there; ``gains`` is what every environ gains,
    ``tells`` what the server's own does. ``place`` is where the script runs, None for here.
    """

    split: Split
    callable_object: str
    pass_authorization: bool
    gains: dict[str, str]
    tells: dict[str, str]
    place: Place | None = None


def is_clean(uri: str) -> bool:
    """Whether a target is its own uri: it has no query, and nothing to decode, merge or refuse."""
    return (
        uri[:1] == "/"
        and len(uri) <= LONGEST_URI
        and "//" not in uri
        # Optimization: most uris have no dot, and one character is found in half the time of two.
        and ("." not in uri or "/." not in uri)
        and "%" not in uri
        and "?" not in uri
        and "#" not in uri
        and " " not in uri
        and uri.isprintable()
    )


def make_plan(
    resolution: Resolution,
    location: str | Pattern,
    rules: Rules,
    place: Place | None = None,
) -> Plan | None:
    """Return the plan for the alias of a resolution that has found its script, or None."""
    match, script = resolution.match, resolution.script
    if match is None or script is None or len(script) > LONGEST_URI:
        return None
    if not _has_fixed_place(match.alias, rules):
        # The next request may belong to another group, or to one that nobody has defined.
        return None
    target = match.alias.target
    if not target.startswith("/"):
        target = f"{rules.base_directory}/{target}"
    split = (
        _plain_split(target, location, script)
        if isinstance(location, str)
        else _match_split(target, location, script)
    )
    if split is None:
        return None
    name = match.alias.callable_object or "application"
    return Plan(
        split,
        name,
        resolution.pass_authorization,
        mod_wsgi_keys(resolution),
        told_of(resolution),
        place,
    )


def mod_wsgi_keys(resolution: Resolution) -> dict[str, str]:
    """What mod_wsgi's keys of the environ say of a request's place."""
    return {
        "mod_wsgi.process_group": str(resolution.process_group),
        "mod_wsgi.application_group": str(resolution.application_group),
        "mod_wsgi.callable_object": str(resolution.callable_object),
    }


def told_of(resolution: Resolution) -> dict[str, str]:
    """What an access log can have of a request besides SCRIPT_NAME: the alias and its group."""
    assert resolution.match is not None
    return {
        ALIAS: readable(resolution.match.alias.location),
        PROCESS_GROUP: readable(str(resolution.process_group)),
    }


def _has_fixed_place(alias: Alias, rules: Rules) -> bool:
    process_group = alias.process_group or rules.process_group
    return is_literal(process_group) and is_literal(
        alias.application_group or rules.application_group
    )


def _plain_split(target: str, location: str, script: str) -> Split | None:
    tail = target[len(script) :]
    if not target.startswith(script) or (tail and tail[0] != "/"):
        return None
    if location == "/":
        return lambda uri, end: _divide(script, uri, tail + uri)
    if location.endswith("/"):
        return None
    if tail:
        return lambda uri, end: _divide(script, uri, tail + uri[end:])
    return lambda uri, end: (script, uri[:end], uri[end:])


def _match_split(target: str, pattern: Pattern, script: str) -> Split:
    template = parse_template(target)
    substitute = make_substitute(template, pattern.groups)
    head = template[0] if template and isinstance(template[0], str) else ""
    if head == script or head.startswith(script + "/"):
        return _tail_split(substitute, script)
    return _named_split(substitute)


def _tail_split(substitute: Callable[[Found], str], script: str) -> Split:
    """For ``wsgi_handler.py/$1``: the script is fixed, the captures become PATH_INFO."""
    length = len(script)

    def split(uri: str, found: Found) -> Parts | None:
        end = found.end()
        path_info = substitute(found)[length:] + (uri if uri[:end] == "/" else uri[end:])
        return _divide(script, uri, path_info)

    return split


def _named_split(substitute: Callable[[Found], str]) -> Split:
    """For ``$1.wsgi``: the captures name the script, the rest of the uri is PATH_INFO."""

    def split(uri: str, found: Found) -> Parts | None:
        end = found.end()
        script = substitute(found)
        if uri[:end] == "/" or len(script) > LONGEST_URI:
            return None
        return _divide(script, uri, uri[end:])

    return split


def _divide(script: str, uri: str, path_info: str) -> Parts | None:
    if not path_info:
        return script, uri, ""
    if (
        path_info[0] != "/"
        or "//" in path_info
        or "/." in path_info
        or len(path_info) > LONGEST_URI
    ):
        return None
    if uri.endswith(path_info):
        return script, uri[: -len(path_info)], path_info
    return script, split_uri(uri, path_info)[0], path_info
