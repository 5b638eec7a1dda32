"""
What a host answers beside its WSGIScriptAlias lines, as entries of the same table.

The order is Apache's: mod_rewrite, then the redirects of mod_alias, then its aliases, each with the
virtual host's own before the main server's, then scripts, and DocumentRoot at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from ...aliases.alias import Alias, Redirection
from ...aliases.directives import parse_mod_alias, root_of
from ...aliases.file_options import FileOptions
from ...exceptions import DirectiveError
from ..covering.alias_lines import (
    MOD_ALIAS,
    ROOT,
    alias_of,
    answering_aliases,
    redirects_all_of_a_section,
    takes_everything,
)
from ..covering.coverage import is_below, is_wildcard, section_pattern
from ..covering.file_tests import leaves_out
from ..covering.hosts import ALIASES, Host, scope_sections
from ..covering.indexes import may_share
from ..covering.partial_aliases import as_match, excluded, literally
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger
from ..rewriting.rewriting import Owned, Rewritten, may_be_entry, rewritten
from .mounts import is_whole_mount
from .own_pages import OWN_PAGE
from .resolving import Resolver

_REDIRECTS = ("redirect", "redirectmatch", "redirectpermanent", "redirecttemp")
# In the URL of a <Location> these stand for something else.
_EXPRESSION = ("%", "$", "\\", '"', "'", "#")
_RELATIVE = (
    "its path is relative to ServerRoot, which no line names: write the whole path, or add a "
    "ServerRoot line"
)
_TORN = (
    "a script answers a part of these URLs, and no entry can name the others: give the script's "
    "folder another Alias"
)


def answer_directly(
    resolver: Resolver, hosts: Iterable[Host], elsewhere: Collection[int] = ()
) -> None:
    """
    Say of each host what answers before access rules are looked at.

    It must be known before bar() makes access rules of all else that refuses URLs. ``elsewhere``
    are rules, by identity, that are no entries of a table, and settled.
    """
    main, ledger = resolver.main, resolver.ledger
    alone = only_host(main, hosts)
    for host in (main, *hosts):
        root, is_alone = root_of_host(main, host), host is alone
        found = rewritten(main, host, root, resolver.kind_of, elsewhere, with_first=is_alone)
        _put_first(main, host, found)
        for part, rule in found.parts:
            ledger.note_part(part, rule, "kept")
        for directive, reason in found.idle:
            ledger.note(directive, "not needed", reason)
        host.direct = [*found.entries, *_redirects(host)]
        settled = [*(each for each, _ in found.idle), *(each for _, each in host.direct)]
        host.carried |= {*map(id, settled), *elsewhere}


def _put_first(main: Host, host: Host, found: Rewritten) -> None:
    """
    Put files that come first to a host, where nothing comes before them here that does not there.

    A redirect always does. What a rule leaves to DocumentRoot, other entries may answer instead.
    """
    if not found.first:
        return
    entries = [alias for alias, _ in found.entries]
    redirects = [each for server in (host, main) for each, _ in _redirects(server)]
    redirects += [each for each in entries if not isinstance(each.answer, FileOptions)]
    others = [*answering_aliases((host, main))]
    for alias, directive, entry in found.first:
        behind = entry or alias
        rivals = redirects if entry is None else [*redirects, *others, *entries]
        is_there = entry is None or any(each is entry for each in entries)
        rivals = [each for each in rivals if each is not entry and not leaves_out(alias, each)]
        if is_there and not any(may_share(behind, each) for each in rivals):
            host.first.append((alias, directive))
        else:
            found.entries = [each for each in found.entries if each[1] is not directive]
            found.parts = [each for each in found.parts if each[1] is not directive]


def put_entries(resolver: Resolver, hosts: Iterable[Host]) -> None:
    """Put all entries of each host to its aliases, in Apache's order."""
    main = resolver.main
    for host in hosts:
        if host.aliases or host.takers or host.direct:
            _Putting(main, host, resolver.ledger).put()
    _Putting(main, main, resolver.ledger).put()


def only_host(main: Host, hosts: Iterable[Host]) -> Host | None:
    """Return the host that has all aliases: files that come first are those of all hosts."""
    alone = [each for each in (main, *hosts) if each.aliases] or [*hosts, main]
    return alone[0] if len(alone) == 1 else None


def root_of_host(main: Host, host: Host) -> str:
    """Return the path of the DocumentRoot that counts for a host, "" where it has none."""
    line = root_line(host) or root_line(main)
    return _path(main, line.words[0]) if line and line.words else ""


def root_line(host: Host) -> Directive | None:
    """Return the DocumentRoot line that counts."""
    return next((d for d in reversed(host.takers) if d.key == ROOT), None)


def is_inherited(owned: Owned) -> bool:
    """Whether a virtual host that has entries of its own gets this one behind them."""
    return owned[1].key in ALIASES


@dataclass(frozen=True, slots=True)
class _Putting:
    main: Host
    host: Host
    ledger: Ledger

    def put(self) -> None:
        """Put the entries of the host to its aliases; those of the main server hold there, too."""
        host, main = self.host, self.main
        servers = [host] if host is main else [host, main]
        files = [each for each in host.direct if isinstance(each[0].answer, FileOptions)]
        first = [each for each in host.direct if not isinstance(each[0].answer, FileOptions)]
        if host is not main:
            first += [each for each in main.direct if each[1].key in (*_REDIRECTS, OWN_PAGE)]
        # The last section wins, of the main server's and of the host's own behind them.
        below = [each for server in servers for each in reversed([*_in_locations(server)])]
        rules = [each for each in first if each[1].key == "rewriterule"]
        whole = [each for each in below if redirects_all_of_a_section(each[1])]
        first = [*rules, *whole, *(each for each in first if each not in rules)]
        below = [each for each in below if each not in whole]
        mounts = [each for server in servers for each in server.mounted if each[1].key != ROOT]
        files += self._files(servers)
        last = [each for each in host.mounted if each[1].key == ROOT]
        if not (host.aliases or first or below or mounts or files or root_line(host)):
            return
        host.aliases[:] = [*first, *below, *files, *mounts, *host.aliases, *last]
        host.aliases += self._root()
        host.carried |= {id(directive) for _, directive in host.aliases}

    def _files(self, servers: Iterable[Host]) -> Iterator[Owned]:
        """Yield the folders and files of mod_alias, without what scripts answer there."""
        scripts: list[Alias] = []
        for server in servers:
            for directive in server.takers:
                if directive.key not in MOD_ALIAS or scope_sections(directive):
                    continue
                scripts += (alias for alias, each in server.mounted if each is directive)
                alias = alias_of(directive)
                if alias is None or is_whole_mount(server, directive):
                    continue
                if alias.kind == "match" and not may_be_entry(alias.location):
                    continue
                alias = self._with_path(replace(alias, answer=FileOptions()), directive)
                alias = self._without(alias, scripts, directive) if alias else None
                if alias is not None:
                    yield alias, directive

    def _root(self) -> Iterator[Owned]:
        """Yield the files of DocumentRoot, if anything is left for them; scripts come before."""
        line = root_line(self.host) or root_line(self.main)
        inherited = [] if self.host is self.main else filter(is_inherited, self.main.aliases)
        answering = [alias for alias, _ in (*self.host.aliases, *inherited)]
        if line is None or not line.words or any(map(takes_everything, answering)):
            return
        alias = self._with_path(root_of(line.words[0]), line)
        if alias is not None:
            yield alias, line

    def _with_path(self, alias: Alias, directive: Directive) -> Alias | None:
        path = _path(self.main, alias.target)
        if not path:
            self.ledger.note(directive, "needs you", _RELATIVE)
            return None
        return replace(alias, target=path)

    def _without(
        self, alias: Alias, scripts: Iterable[Alias], directive: Directive
    ) -> Alias | None:
        """Return files without the URLs of scripts that Apache finds first, None if that fails."""
        for each in scripts:
            if may_share(alias, each):
                left = excluded(as_match(alias), Alias(each.location, "", each.kind))
                if left is None:
                    self.ledger.note(directive, "needs you", _TORN)
                    return None
                alias = left
        return alias


def _path(main: Host, path: str) -> str:
    """Return a path as Apache takes it, "" where that cannot be told."""
    if path.startswith("/"):
        return path
    return f"{main.server_root.rstrip('/')}/{path}" if main.server_root.startswith("/") else ""


def _redirects(host: Host) -> Iterator[Owned]:
    for directive in host.takers:
        if directive.key in _REDIRECTS and not scope_sections(directive):
            alias = _redirect(directive)
            if alias is not None:
                yield alias, directive


def _redirect(directive: Directive) -> Alias | None:
    """Return the entry of a line, None where there is none that answers the same."""
    try:
        alias = parse_mod_alias(directive.name, directive.rest)
    except DirectiveError:
        return None
    if alias is None or not isinstance(alias.answer, Redirection):
        return None
    # Apache drops the query of a request where the URL ends so.
    is_known = 300 <= alias.answer.status <= 599 and not alias.answer.url.endswith("?")
    return alias if is_known and (alias.kind == "plain" or may_be_entry(alias.location)) else None


def _in_locations(host: Host) -> Iterator[Owned]:
    """Yield the redirects of a <Location>: where they name a URL of it, access rules come first."""
    for directive in host.takers:
        sections = scope_sections(directive)
        if directive.key not in _REDIRECTS or [each.key for each in sections] != ["location"]:
            continue
        location, is_pattern = section_pattern(sections[0])
        if is_pattern or is_wildcard(location) or not location.startswith("/"):
            continue
        alias = _redirect(directive)
        if alias is None:
            alias = _whole_location(directive, location)
        elif alias.kind == "match" or not is_below(location, alias.location):
            continue
        if alias is not None and _is_redirect(alias):
            yield alias, directive


def _whole_location(directive: Directive, location: str) -> Alias | None:
    """Return the entry of a line that names a URL alone: all of the location goes there."""
    words = directive.words
    if len(words) not in (1, 2) or any(each in words[-1] for each in _EXPRESSION):
        return None
    start = f'"{location}"' if directive.key != "redirectmatch" else ""
    try:
        alias = parse_mod_alias(directive.name, " ".join([*words[:-1], start, f'"{words[-1]}"']))
    except DirectiveError:
        return None
    if alias is None or alias.kind == "match":
        return None
    end = "" if location.endswith("/") else "(?=/|$)"
    return replace(alias, kind="match", location=f"^{literally(location)}{end}")


def _is_redirect(alias: Alias) -> bool:
    return isinstance(alias.answer, Redirection) and alias.answer.status < 400
