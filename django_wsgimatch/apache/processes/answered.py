"""Which addresses of a configuration the settings answer as Apache does: ports may differ."""

from __future__ import annotations

from collections.abc import Container, Iterable

from ...aliases.alias import Alias
from ...aliases.file_options import FileOptions
from ..covering.alias_lines import takes_everything
from ..covering.hosts import Host
from ..resolving.resolving import ResolvedAlias
from ..rewriting.plain_rules import PlainRules
from .binds import Bind

Key = tuple[object, ...]
_REDIRECTING = ("redirect", "rewriterule")
_HTTPS = "https://"


class AnsweredAddresses:
    """
    What the entries of some settings answer, held against what hosts answer at an address.

    One table answers at all addresses. Where a host only redirects at one of them, as from HTTP to
    HTTPS, its table there is another one, and this one would answer in plain text, but for what
    the rules for ``plain`` HTTP answer before it.
    """

    def __init__(
        self,
        main: Host,
        hosts: Iterable[Host],
        entries: Iterable[ResolvedAlias],
        plain: PlainRules,
    ) -> None:
        self._main = main
        entries = [*entries]
        self._lines = {*(id(each.directive) for each in entries), *plain.lines}
        self._redirected = {*plain.hosts} if _take_everything(plain) else set()
        self._said = {_key(each.alias) for each in entries}
        # What the lines of entries say, before sections and other entries have made parts of it.
        self._meant = set().union(
            *(_keys(server, self._lines) for server in dict.fromkeys((main, *hosts)))
        )
        # By whose aliases they are: hosts without any have those of the main server.
        self._held: dict[int, bool] = {}

    def holds_at(self, bind: Bind) -> bool:
        """
        Whether all that hosts answer at an address is in the settings.

        Where plain HTTP is spoken, the settings must not answer anything else there, either.
        """
        if not bind.is_secure:
            if self._redirected.issuperset(bind.hosts):
                return True
            answering = set().union(*(_keys(each) for each in {*bind.hosts, self._main}))
            if not self._meant <= answering or any(map(self._leads_to_tls, bind.hosts)):
                return False
        owners = (host if host.aliases else self._main for host in bind.hosts)
        return all(map(self._holds_for, owners))

    def _leads_to_tls(self, host: Host) -> bool:
        """Whether a line that is no entry sends clients of plain HTTP to HTTPS."""
        lines = (each for each in host.takers if id(each) not in self._lines)
        redirecting = (each for each in lines if each.key.startswith(_REDIRECTING))
        return any(word.startswith(_HTTPS) for each in redirecting for word in each.words)

    def _holds_for(self, host: Host) -> bool:
        if id(host) not in self._held:
            self._held[id(host)] = self._holds(host)
        return self._held[id(host)]

    def _holds(self, host: Host) -> bool:
        first: dict[Key, bool] = {}
        for alias, directive in host.aliases:
            is_said = id(directive) in self._lines or _key(alias) in self._said
            # Of two that say something of the same URLs the later one never answers.
            first.setdefault((alias.kind, alias.location), is_said)
        return bool(first) and all(first.values())


def _take_everything(plain: PlainRules) -> bool:
    """Whether rules leave no URL to a table."""
    return any(takes_everything(rule.alias) for rules in plain.rules for rule in rules)


def _keys(host: Host, lines: Container[int] | None = None) -> set[Key]:
    """Return what the aliases of a server say, of some lines alone."""
    return {
        _key(alias) for alias, directive in host.aliases if lines is None or id(directive) in lines
    }


def _key(alias: Alias) -> Key:
    # Of files the options differ with what holds around them.
    answer = "files" if isinstance(alias.answer, FileOptions) else alias.answer
    return alias.kind, alias.location, alias.target, answer
