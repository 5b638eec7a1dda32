"""What a server or a virtual host has between its lines: entries and exempted places in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ...aliases.alias import Alias
from ...apache.covering.alias_lines import MOD_ALIAS
from ...apache.covering.coverage import is_below
from ...apache.covering.hosts import ALIASES, Host, scope_sections
from ...apache.covering.indexes import Regions, reach_of_region
from ...apache.lines.directive import Directive
from ..backend import Backend
from .exempted import Exempted, exempted
from .lines.quoting import comment, word
from .passing import pass_line

_PROXYING = ("proxypass", "proxypassmatch")
_PASSING_ON = ("PT", "PASSTHROUGH")

Owned = tuple[Alias, Directive]


@dataclass(frozen=True, slots=True, eq=False)
class HostPlaces:
    """
    The entries of a host and the places that Apache answers itself.

    ``answered`` are all entries that answer it, those of the main server too. ``is_below`` says
    that the main server has entries: its lines come before those of the host, in mod_proxy.
    """

    host: Host
    main: Host
    answered: tuple[Owned, ...]
    exempted: tuple[Exempted, ...]
    is_below: bool

    @property
    def own(self) -> list[Owned]:
        """The entries that need a line in this host."""
        section = self.host.section
        return [each for each in self.answered if not self.is_below or each[1].host == section]

    @property
    def passes_rewritten(self) -> bool:
        """Whether a rule of mod_rewrite hands another URL on than the client's."""
        rules = [*self.host.rewriting, *self.main.rewriting]
        return any(_passes_on(each) for each in rules if not scope_sections(each))

    @property
    def handled(self) -> list[Exempted]:
        """The places that another handler than mod_wsgi's answers."""
        return [each for each in self.exempted if each.directive.key == "sethandler"]

    @property
    def proxied(self) -> list[Directive]:
        """The lines of mod_proxy that stand in the host itself."""
        return [d for d in self.host.takers if d.key in _PROXYING and not scope_sections(d)]

    def lines(self, backend: Backend, *, is_raw: bool) -> Iterator[str]:
        """Yield the lines of the host: what Apache answers, and what is passed on, in order."""
        if self.is_below:
            yield from self._overriding()
        else:
            yield from (e.line for e in self.exempted if e.directive.key not in MOD_ALIAS)
            yield from self._of_aliases(backend, is_raw)
        mounted = {id(d) for server in self._servers() for _, d in server.mounted}
        for alias, directive in self.own:
            if id(directive) not in mounted:
                yield from _passing(alias, directive, backend, is_raw)

    @property
    def exclusions(self) -> list[Directive]:
        """The lines of mod_proxy that leave URLs to others, and so to mod_wsgi."""
        return [d for d in self.proxied if d.key == "proxypass" and d.words[1:2] == ["!"]]

    def has_patterns_in(self, exclusion: Directive) -> bool:
        """Whether a pattern may take some of those URLs: no line says which."""
        region = Regions()
        region.add(Alias(exclusion.words[0], ""))
        patterns = (alias for alias, _ in self.own if alias.kind == "match")
        return any(any(region.meeting(reach_of_region(each))) for each in patterns)

    def within(self, exclusion: Directive, backend: Backend) -> Iterator[str]:
        """Yield the lines for those URLs of the host that such a line leaves to mod_wsgi."""
        location = exclusion.words[0]
        region = Regions()
        region.add(Alias(location, ""))
        for each in self.exempted:
            if each.region is not None and any(region.meeting(reach_of_region(each.region))):
                yield each.line
        for alias, directive in self.own:
            if alias.kind == "match":
                continue
            if is_below(location, alias.location):
                yield from _passing(alias, directive, backend, is_raw=False)
            elif is_below(alias.location, location):
                part = replace(alias, location=location)
                yield from _passing(part, directive, backend, is_raw=False)

    def _servers(self) -> tuple[Host, ...]:
        return (self.host,) if self.host is self.main else (self.host, self.main)

    def _of_aliases(self, backend: Backend, is_raw: bool) -> Iterator[str]:
        """Yield what stands for Alias lines: in their order, the first that takes a URL has it."""
        kept = {id(each.directive): each for each in self.exempted}
        for server in self._servers():
            for directive in server.takers:
                if directive.key not in MOD_ALIAS:
                    continue
                for alias, mounting in server.mounted:
                    if mounting is directive:
                        yield from _passing(alias, directive, backend, is_raw)
                if id(directive) in kept:
                    yield kept[id(directive)].line

    def _overriding(self) -> Iterator[str]:
        for directive in self.proxied:
            words = directive.words
            if len(words) > 1 and words[0] != "~":
                match = "Match" if directive.key == "proxypassmatch" else ""
                yield f"<Location{match} {word(words[0])}>"
                yield f"    ProxyPass{match} {' '.join(words[1:])}"
                yield f"</Location{match}>"
        for each in self.exempted:
            yield from each.section


def _passing(alias: Alias, directive: Directive, backend: Backend, is_raw: bool) -> Iterator[str]:
    line = pass_line(alias, backend, is_raw=is_raw)
    yield comment(f"{directive.name} {directive.rest}") + ("" if line else ": no URL matches it")
    if line:
        yield line


def _passes_on(directive: Directive) -> bool:
    words = directive.words
    if directive.key != "rewriterule" or len(words) < 3:
        return False
    return any(each.strip().upper() in _PASSING_ON for each in words[2].strip("[]").split(","))


def places_of_hosts(
    main: Host, hosts: Sequence[Host], handlers: Collection[str]
) -> list[HostPlaces]:
    """Return the places of the main server and of each virtual host that an entry answers."""
    found = []
    for host in (main, *hosts):
        answered = tuple(_answered(host, main))
        if not answered:
            continue
        servers = (main,) if host is main else (host, main)
        places = exempted(servers, (alias for alias, _ in answered), handlers)
        is_below = host is not main and bool(main.aliases)
        found.append(HostPlaces(host, main, answered, tuple(places), is_below))
    return found


def _answered(host: Host, main: Host) -> Iterator[Owned]:
    """Yield the entries of a host, then those of the main server, as mod_wsgi merges them."""
    seen: set[tuple[int, Alias]] = set()
    for owned in (*host.aliases, *main.aliases):
        key = (id(owned[1]), owned[0])
        if key not in seen:
            seen.add(key)
            yield owned


def first_lines(owned: Iterable[Owned]) -> list[int]:
    """Return the lines at which entries of mod_wsgi's own directives stand, in order."""
    return sorted(d.spot.line for _, d in owned if d.key in ALIASES)
