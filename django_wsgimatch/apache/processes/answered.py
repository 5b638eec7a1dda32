"""Which addresses of a configuration the settings answer as Apache does: ports may differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...aliases.alias import Alias
from ...aliases.file_options import FileOptions
from ..covering.hosts import Host
from ..resolving.resolving import ResolvedAlias
from .binds import Bind

Key = tuple[object, ...]
_REDIRECTING = ("redirect", "rewriterule")
_HTTPS = "https://"


@dataclass(frozen=True, slots=True)
class AnsweredAddresses:
    """
    What is an entry of the settings: the lines, by identity, and what entries say.

    One table answers at all addresses. Where a host only redirects at one of them, as from HTTP to
    HTTPS, its table there is another one, and this one would answer in plain text.
    """

    main: Host
    lines: frozenset[int]
    said: frozenset[Key]

    def holds_at(self, bind: Bind) -> bool:
        """Whether all that hosts answer at an address is in the settings."""
        if not bind.is_secure and any(map(self._leads_to_tls, bind.hosts)):
            return False
        return all(map(self._holds_for, bind.hosts))

    def _leads_to_tls(self, host: Host) -> bool:
        """Whether a line that is no entry sends clients of plain HTTP to HTTPS."""
        lines = (each for each in host.takers if id(each) not in self.lines)
        redirecting = (each for each in lines if each.key.startswith(_REDIRECTING))
        return any(word.startswith(_HTTPS) for each in redirecting for word in each.words)

    def _holds_for(self, host: Host) -> bool:
        first: dict[Key, bool] = {}
        for alias, directive in host.aliases or self.main.aliases:
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
