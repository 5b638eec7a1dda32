"""Which addresses of a configuration the settings answer as Apache does: ports may differ."""

from __future__ import annotations

from collections.abc import Iterable

from ...aliases.alias import Alias
from ...aliases.file_options import FileOptions
from ..covering.hosts import Host
from ..resolving.resolving import ResolvedAlias
from .binds import Bind

Key = tuple[object, ...]
_REDIRECTING = ("redirect", "rewriterule")
_HTTPS = "https://"


class AnsweredAddresses:
    """
    What is an entry of the settings: the lines, by identity, and what entries say.

    One table answers at all addresses. Where a host only redirects at one of them, as from HTTP to
    HTTPS, its table there is another one, and this one would answer in plain text.
    """

    def __init__(self, main: Host, lines: frozenset[int], said: frozenset[Key]) -> None:
        self.main = main
        self.lines = lines
        self.said = said
        # By whose aliases they are: hosts without any have those of the main server.
        self._held: dict[int, bool] = {}

    def holds_at(self, bind: Bind) -> bool:
        """Whether all that hosts answer at an address is in the settings."""
        if not bind.is_secure and any(map(self._leads_to_tls, bind.hosts)):
            return False
        owners = (host if host.aliases else self.main for host in bind.hosts)
        return all(map(self._holds_for, owners))

    def _leads_to_tls(self, host: Host) -> bool:
        """Whether a line that is no entry sends clients of plain HTTP to HTTPS."""
        lines = (each for each in host.takers if id(each) not in self.lines)
        redirecting = (each for each in lines if each.key.startswith(_REDIRECTING))
        return any(word.startswith(_HTTPS) for each in redirecting for word in each.words)

    def _holds_for(self, host: Host) -> bool:
        if id(host) not in self._held:
            self._held[id(host)] = self._holds(host)
        return self._held[id(host)]

    def _holds(self, host: Host) -> bool:
        first: dict[Key, bool] = {}
        for alias, directive in host.aliases:
            is_said = id(directive) in self.lines or _key(alias) in self.said
            # Of two that say something of the same URLs the later one never answers.
            first.setdefault((alias.kind, alias.location), is_said)
        return bool(first) and all(first.values())


def answered_by(main: Host, entries: Iterable[ResolvedAlias]) -> AnsweredAddresses:
    """Return what some entries answer."""
    entries = [*entries]
    lines = frozenset(id(each.directive) for each in entries)
    return AnsweredAddresses(main, lines, frozenset(_key(each.alias) for each in entries))


def _key(alias: Alias) -> Key:
    # Of files the options differ with what holds around them.
    answer = "files" if isinstance(alias.answer, FileOptions) else alias.answer
    return alias.kind, alias.location, alias.target, answer
