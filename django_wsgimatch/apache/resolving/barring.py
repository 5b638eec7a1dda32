"""
Rules of mod_rewrite and mod_alias that answer with an error: which URLs they keep from an alias.

A rule that lets only some in is an access rule like any other. One that refuses only some
requests, as those of a robot, cannot be an entry, and is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..covering.coverage import LOCATIONS
from ..covering.hosts import REDIRECTS, Host, Scope, holder_of, scope_sections
from ..lines.directive import Directive, Section
from ..reading.sections import section_for
from .rewriting import TAKING_ALL, Rule, chained, is_error, lets_few_in, rules_of, unless


@dataclass(frozen=True, slots=True, eq=False)
class Barred:
    """
    A rule that refuses URLs: those of ``section``, None where they cannot be told.

    ``conditions`` are those that no entry can say. ``is_kept`` says that the URLs are to be closed.
    """

    directive: Directive
    section: Section | None
    conditions: tuple[Directive, ...] = ()
    is_kept: bool = True


def bar(main: Host, hosts: Sequence[Host]) -> list[Barred]:
    """Put the rules that refuse URLs to the access rules of each host, and return the others."""
    sections = [d for host in (main, *hosts) for d in host.rewriting if scope_sections(d)]
    is_on_below = any(map(_is_on, sections))
    told = []
    for host in (main, *hosts):
        for barred in (*_redirects(host), *_rewritten(main, host), *_below(host, is_on_below)):
            if not _put(host, barred):
                told.append(barred)
    return told


def _put(host: Host, barred: Barred) -> bool:
    around = scope_sections(barred.directive)
    place = holder_of(host, around if barred.section is None else (barred.section,))
    if not barred.is_kept or not isinstance(place, Scope):
        return False
    place.access.append(barred.directive)
    place.is_inherited = bool(around) or barred.directive.key != "rewriterule"
    return True


def _redirects(host: Host) -> Iterator[Barred]:
    for directive in host.takers:
        name, words = directive.key, directive.words
        if name not in REDIRECTS or not words or not is_error(words[0]):
            continue
        kind = "Location" if name == "redirect" else "LocationMatch"
        section = section_for(kind, words[1], directive.spot) if len(words) > 1 else None
        yield Barred(directive, section)


def _rewritten(main: Host, host: Host) -> Iterator[Barred]:
    """Yield what the rules of a server refuse; a virtual host has the main one's if it asks."""
    own = [d for d in host.rewriting if not scope_sections(d)]
    above = [] if host is main else [d for d in main.rewriting if not scope_sections(d)]
    if not host.rewriting:
        # Mod_rewrite leaves a virtual host in peace that has none of its directives.
        return
    engines = [d for d in (*above, *own) if d.key == "rewriteengine"]
    if not any(map(_is_on, [*engines[-1:], *_in_locations(main), *_in_locations(host)])):
        return
    own = _with_inherited(own, above)
    passing: list[str] = []
    for rule in chained(rules_of(own)):
        if rule.refuses:
            yield _barred(rule, _section_of(rule, passing))
        elif rule.lets_pass and rule.ahead is not None:
            if not rule.ahead and not rule.uris:
                return
            passing.append(unless(rule.ahead, *rule.uris))


def _in_locations(host: Host) -> Iterator[Directive]:
    """Yield what a <Location> says: it puts the engine on for the rules of the server, too."""
    for directive in host.rewriting:
        if any(each.key in LOCATIONS for each in directive.sections):
            yield directive


def _with_inherited(own: list[Directive], above: list[Directive]) -> list[Directive]:
    """Mirror config_server_merge(): options are handed down themselves, where there are no own."""
    down = _options(above)
    options = _options(own) or down
    if "ignoreinherit" in options:
        down = set()
    if "inherit" in options or "inheritdown" in down:
        return [*own, *above]
    if "inheritbefore" in options or "inheritdownbefore" in down:
        return [*above, *own]
    return own


def _options(directives: Iterable[Directive]) -> set[str]:
    given = (d.rest.lower().split() for d in directives if d.key == "rewriteoptions")
    return {word for words in given for word in words}


def _below(host: Host, is_on: bool) -> Iterator[Barred]:
    """Yield what rules in sections refuse: they are compared with the file, not with the URL."""
    own = [d for d in host.rewriting if scope_sections(d)]
    for rule in rules_of(own) if is_on else ():
        if not rule.refuses:
            continue
        section = None
        if rule.uris:
            section = _match("^" + "".join(rule.uris), rule.directive)
        barred = _barred(rule, section)
        yield barred if rule.pattern in TAKING_ALL else replace(barred, is_kept=False)


def _section_of(rule: Rule, passing: Sequence[str]) -> Section | None:
    if rule.ahead is None:
        return None
    aheads = list(filter(None, [rule.ahead, *rule.uris, *passing]))
    if len(aheads) == 1 and aheads[0].startswith("(?="):
        return _match(f"^{aheads[0][3:-1]}", rule.directive)
    return _match("^" + "".join(aheads), rule.directive)


def _barred(rule: Rule, section: Section | None) -> Barred:
    is_kept = not rule.conditions or any(map(lets_few_in, rule.conditions))
    return Barred(rule.directive, section, rule.conditions, is_kept)


def _is_on(directive: Directive) -> bool:
    is_engine = directive.key == "rewriteengine"
    return is_engine and directive.rest.strip().lower() == "on"


def _match(pattern: str, directive: Directive) -> Section:
    return section_for("LocationMatch", pattern, directive.spot)
