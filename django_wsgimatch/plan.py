"""
What the dispatcher keeps of an alias, so that most requests need no walk through the file system.

A plan splits a clean uri exactly as the corridor would (aliases.resolve), or declines. It is made
when the corridor has found an alias's script for the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .aliases.pattern import Pattern
from .aliases.resolve import Resolution, Rules, passes_authorization
from .aliases.substitution import Found, make_substitute, parse_template
from .aliases.target import LONGEST_FILENAME, split_uri

# (script, SCRIPT_NAME, PATH_INFO), or None where only the whole corridor can tell.
Split = Callable[[str, Any], tuple[str, str, str] | None]

# A uri this short cannot reach Apache's limit for filenames behind a script as short.
LONGEST_URI = LONGEST_FILENAME // 2


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How the requests of one alias are answered.

    ``split`` takes the uri and what the index found; ``extra`` is what the environ gains.
    """

    split: Split
    callable_object: str
    pass_authorization: bool
    extra: dict[str, str] = field(default_factory=dict)


def make_plan(resolution: Resolution, location: str | Pattern, rules: Rules) -> Plan | None:
    """Return the plan for the alias of a resolution that has found its script, or None."""
    match, script = resolution.match, resolution.script
    if match is None or script is None or len(script) > LONGEST_URI:
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
    return Plan(
        split,
        match.alias.callable_object or "application",
        passes_authorization(match.alias, rules),
        environ_extra(resolution),
    )


def environ_extra(resolution: Resolution) -> dict[str, str]:
    """The keys that mod_wsgi adds to an environ and that do not depend on the request."""
    return {
        "mod_wsgi.process_group": resolution.process_group or "",
        "mod_wsgi.application_group": resolution.application_group or "",
        "mod_wsgi.callable_object": resolution.callable_object or "",
    }


def _plain_split(target: str, location: str, script: str) -> Split | None:
    tail = _tail(target, script)
    if tail is None or (location.endswith("/") and location != "/"):
        return None
    if location == "/":
        return lambda uri, end: _divide(script, uri, tail + uri)
    if tail:
        return lambda uri, end: _divide(script, uri, tail + uri[end:])
    return lambda uri, end: (script, uri[:end], uri[end:])


def _match_split(target: str, pattern: Pattern, script: str) -> Split | None:
    template = parse_template(target)
    substitute = make_substitute(template, pattern.groups)
    head = template[0] if template and isinstance(template[0], str) else ""
    if head == script or head.startswith(script + "/"):
        return _tail_split(substitute, script)
    return _named_split(substitute)


def _tail_split(substitute: Callable[[Found], str], script: str) -> Split:
    """For ``wsgi_handler.py/$1``: the script is fixed, the captures become PATH_INFO."""
    length = len(script)

    def split(uri: str, found: Found) -> tuple[str, str, str] | None:
        end = found.end()
        path_info = substitute(found)[length:] + (uri if uri[:end] == "/" else uri[end:])
        return _divide(script, uri, path_info)

    return split


def _named_split(substitute: Callable[[Found], str]) -> Split:
    """For ``$1.wsgi``: the captures name the script, the rest of the uri is PATH_INFO."""

    def split(uri: str, found: Found) -> tuple[str, str, str] | None:
        end = found.end()
        if uri[:end] == "/":
            return None
        return _divide(substitute(found), uri, uri[end:])

    return split


def _divide(script: str, uri: str, path_info: str) -> tuple[str, str, str] | None:
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


def _tail(target: str, script: str) -> str | None:
    """What the target says behind the script's name; None where it names the script otherwise."""
    tail = target[len(script) :]
    return tail if target.startswith(script) and (not tail or tail[0] == "/") else None
