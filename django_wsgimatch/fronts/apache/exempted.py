"""
Places that Apache goes on answering itself: they are taken out of what is passed on.

mod_proxy looks at a URL before mod_alias does; mod_wsgi looked behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...aliases.alias import Alias
from ...aliases.patterns.pattern import compile_pattern
from ...apache.covering.alias_lines import redirects_all_of_a_section
from ...apache.covering.coverage import LOCATIONS, is_wildcard, section_pattern
from ...apache.covering.hosts import Host, scope_sections
from ...apache.covering.indexes import Regions, reach_of_region
from ...apache.covering.partial_aliases import from_wildcard
from ...apache.lines.directive import Directive, Section
from ...apache.resolving.mounts import is_whole_mount
from ...exceptions import PatternError
from .lines.quoting import word

_ALIASES = ("alias", "scriptalias")
_MATCHES = ("aliasmatch", "scriptaliasmatch", "redirectmatch")
_REDIRECTS = ("redirect", "redirectmatch", "redirectpermanent", "redirecttemp")
_STATUSES = ("permanent", "temp", "seeother", "gone")


@dataclass(frozen=True, slots=True)
class Exempted:
    """URLs that a directive answers; ``region`` is None where they cannot be told."""

    region: Alias | None
    directive: Directive

    @property
    def line(self) -> str:
        """The line that takes them out, in a server."""
        if self.region is None:
            return ""
        name = "ProxyPass" if self.region.kind == "plain" else "ProxyPassMatch"
        return f"{name} {word(self.region.location)} !"

    @property
    def section(self) -> tuple[str, ...]:
        """The same as a section, which holds before the lines of the main server, too."""
        if self.region is None:
            return ()
        match = "" if self.region.kind == "plain" else "Match"
        name = f"Location{match}"
        # ProxyPass takes the pattern of a <LocationMatch> for a location, but with * or ? in it.
        return f"<{name} {word(self.region.location)}>", f"    ProxyPass{match} !", f"</{name}>"


def exempted(
    servers: Iterable[Host], aliases: Iterable[Alias], passed_handlers: Iterable[str]
) -> list[Exempted]:
    """
    Return what servers answer themselves of the URLs of aliases, each place once.

    ``passed_handlers`` are mod_wsgi's: what has them is passed on.
    """
    ours = Regions()
    for alias in aliases:
        ours.add(Alias(alias.location, "", alias.kind))
    handlers = frozenset(passed_handlers)
    found: dict[tuple[str, str] | int, Exempted] = {}
    for host in servers:
        for directive in host.takers:
            if not is_whole_mount(host, directive) and _answers(directive, handlers):
                region = taken_region(directive)
                if region is None or any(ours.meeting(reach_of_region(region))):
                    key = id(directive) if region is None else (region.kind, region.location)
                    found.setdefault(key, Exempted(region, directive))
    return [*found.values()]


def _answers(directive: Directive, handlers: frozenset[str]) -> bool:
    """Whether a directive takes URLs away from mod_wsgi as mod_alias and handlers do."""
    name, words, scoped = directive.key, directive.words, scope_sections(directive)
    if name == "sethandler":
        is_ours = words[:1] and words[0].lower() in (*handlers, "none")
        return bool(scoped) and scoped[0].key in LOCATIONS and not is_ours
    if scoped:
        # What redirects in other sections does so for requests that are passed on, too.
        is_redirect = redirects_all_of_a_section(directive) and _is_whole_url(words[-1])
        return (name in _ALIASES or is_redirect) and scoped[0].key in LOCATIONS
    return name in (*_ALIASES, *_MATCHES, *_REDIRECTS)


def _is_whole_url(url: str) -> bool:
    return url.startswith(("/", "http://", "https://")) and "%" not in url


def taken_region(directive: Directive) -> Alias | None:
    """Return the URLs that an Alias, a Redirect or a handler takes, None if it tells none."""
    words, scoped = directive.words, scope_sections(directive)
    if scoped:
        # What stands further inside, an <If>, is told by no URL.
        return section_region(scoped[0]) if len(scoped) == 1 else None
    if directive.key in _REDIRECTS and words and (words[0] in _STATUSES or words[0].isdigit()):
        words = words[1:]
    if not words:
        return None
    if directive.key in _MATCHES:
        return _pattern(words[0])
    return Alias(words[0], "") if words[0].startswith("/") else None


def section_region(section: Section) -> Alias | None:
    """Return the URLs of a <Location>, None where its pattern cannot be read."""
    text, is_pattern = section_pattern(section)
    if is_pattern or is_wildcard(text):
        return _pattern(text if is_pattern else from_wildcard(text))
    return Alias(text, "") if text.startswith("/") else None


def _pattern(text: str) -> Alias | None:
    try:
        compile_pattern(text, allow_exponential=True)
    except PatternError:
        return None
    return Alias(text, "", "match")
