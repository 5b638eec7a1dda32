"""
URLs of entries that Apache answers itself, by a handler: they lead to the scripts as before.

mod_wsgi gave each of its URLs a file, the script, and the sections for that file held whoever
answered. Without its lines such a URL leads below DocumentRoot, and other sections hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ...aliases.alias import Alias
from ...aliases.patterns.pattern import compile_pattern
from ...aliases.substitution import as_template, group_numbers, parse_template
from ...apache.covering.alias_lines import MOD_ALIAS
from ...apache.covering.hosts import ALIASES, scope_sections
from ...apache.covering.indexes import may_share
from ...apache.covering.partial_aliases import as_match, is_anchored, shared
from ...apache.lines.directive import Directive
from .exempted import Exempted
from .lines.quoting import as_one_line, comment, word
from .places import HostPlaces

# The groups that a target can name.
_MOST_GROUPS = 9
_MOUNTING = (*MOD_ALIAS, "scriptalias", "scriptaliasmatch")


def handled_lines(places: HostPlaces, held: Iterable[Directive]) -> list[str]:
    """
    Return the lines of mod_alias for what other handlers answer, to stand behind all of a host.

    ``held`` are all lines of the host. None are written where some of these URLs may be left
    without a handler: Apache would send the source of a script that mod_wsgi ran.
    """
    if any(map(_leaves_handler_open, held)):
        return []
    own = [line for each in places.handled for line in _lines_of(each, places)]
    return [*_aliases_before(places), *own] if own else []


def _leaves_handler_open(directive: Directive) -> bool:
    words = directive.words
    is_open = bool(words) and (words[0].lower() == "none" or "expr=" in words[0].lower())
    return directive.key == "sethandler" and is_open


def _lines_of(handled: Exempted, places: HostPlaces) -> Iterator[str]:
    if handled.region is None:
        return
    for alias, directive in places.answered:
        if directive.key not in ALIASES or not may_share(alias, handled.region):
            continue
        part = _part_of(alias, handled.region)
        if part is None:
            # Entries behind this one would take its URLs.
            return
        yield comment(f"{directive.name} {directive.rest}: {as_one_line(handled.directive)}")
        yield f"AliasMatch {word(part.location)} {word(part.target)}"


def _part_of(alias: Alias, region: Alias) -> Alias | None:
    """
    Return as a pattern what an entry has of some URLs, with what mod_wsgi puts behind it.

    None where no pattern says that. Mirrors filename_for().
    """
    whole = _with_rest(alias)
    if whole is None or region.location == "/":
        return whole
    return shared(whole, region)


def _with_rest(alias: Alias) -> Alias | None:
    """Return an entry as a pattern whose target is the whole name of the file."""
    if alias.kind == "plain" and alias.location != "/":
        return as_match(alias)
    if alias.kind == "plain":
        target = f"{as_template(alias.target)}$0"
        return replace(alias, kind="match", location=r"^/(?s:.*)\z", target=target)
    rest = compile_pattern(alias.location, allow_exponential=True).groups + 1
    if rest > _MOST_GROUPS or 0 in group_numbers(parse_template(alias.target)):
        return None
    start = "^" if is_anchored(alias.location) else ""
    pattern = f"{start}(?:{alias.location})((?s:.*))"
    return replace(alias, location=pattern, target=f"{alias.target}${rest}")


def _aliases_before(places: HostPlaces) -> Iterator[str]:
    """Yield those lines of the main server that come before entries of a host, in mod_wsgi."""
    if places.host is not places.main:
        for each in places.main.takers:
            if each.key in _MOUNTING and not scope_sections(each):
                yield as_one_line(each)
