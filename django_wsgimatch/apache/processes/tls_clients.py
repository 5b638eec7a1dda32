"""What becomes of lines about clients' certificates, and of what applications see of TLS."""

from __future__ import annotations

from collections.abc import Sequence

from ...aliases.alias import Alias
from ..access.parts import ClosedRules
from ..covering.coverage import FileKinds, Reach, coverage, reach_of
from ..covering.hosts import Host, scope_sections
from ..lines.directive import Directive, Section
from ..outcomes.outcome import Ledger
from .tls import TlsLines

_ASKING = ("sslverifyclient", "gnutlsclientverify")
_NOT_ASKING = ("none", "ignore")
_SHOWING = ("stdenvvars", "exportcertdata")
# A line that is held against more aliases in vain is taken for one that holds for some.
_MOST_COMPARED = 100_000
_SHOWN = (
    "applications see no SSL_* variables here: let a server in front send them as headers "
    "(WSGIMATCH_TRUSTED_PROXY_VARIABLES)"
)
_ASKED = (
    "the server asks no client for a certificate; gunicorn's --cert-reqs looks at no depth and at "
    "no list of revoked ones. Let a server in front ask"
)
_NOBODY = "No client is asked for a certificate"
_NO_SCRIPT = "No application is in its section"
_NOT_SHOWING = "It shows applications nothing"


class TlsClients:
    """The lines about clients; what is ``closed`` stays so, and these lines are part of it."""

    def __init__(
        self,
        lines: TlsLines,
        main: Host,
        hosts: Sequence[Host],
        closed: ClosedRules,
        kind_of: FileKinds,
        ledger: Ledger,
    ) -> None:
        self.lines = lines
        self.main = main
        self.hosts = hosts
        self._closed = closed
        self._kind_of = kind_of
        self._ledger = ledger
        # By server and sections the first line that asks clients there or below, of the main server
        # in all hosts.
        self._asked: dict[tuple[Section | None, tuple[Section, ...]], Directive] = {}
        self._reaches: dict[Alias, Reach] = {}
        self._compared = 0

    def note(self) -> None:
        """Say of each of these lines what becomes of it."""
        directives = [*self.lines.in_sections, *self.lines.all]
        for each in directives:
            is_asking = each.key in _ASKING and _asks(each)
            if is_asking and (id(each) in self._closed.closing or self._covers(each)):
                self._put_asking(each)
        noting = {"clients": self._note_part, "environ": self._note_environ}
        # Whether a line needs the user is known before others are part of it.
        for directive in sorted(directives, key=lambda each: each.key not in _ASKING):
            note = noting.get(self.lines.role(directive))
            if note is None or self._ledger.outcome(directive) is not None:
                continue
            if directive.key in _ASKING:
                self._note_asking(directive)
            else:
                note(directive)

    def _put_asking(self, directive: Directive) -> None:
        sections = scope_sections(directive)
        for server in dict.fromkeys((directive.host, None)):
            for count in range(len(sections) + 1):
                self._asked.setdefault((server, sections[:count]), directive)

    def _note_asking(self, directive: Directive) -> None:
        if not _asks(directive):
            self._ledger.note(directive, "not needed", _NOBODY)
        elif not self._covers(directive):
            self._ledger.note(directive, "not needed", _NO_SCRIPT)
        else:
            self._ledger.note(directive, "needs you", _ASKED)

    def _note_part(self, directive: Directive) -> None:
        """Say of what decides which certificates are good which line asks for them."""
        rule = self._asked.get((directive.host, scope_sections(directive)))
        told = None if rule is None else self._ledger.outcome(rule)
        if rule is None or told is None or told.category != "needs you":
            self._ledger.note(directive, "not needed", _NOBODY)
        else:
            self._ledger.note_part(directive, rule)

    def _note_environ(self, directive: Directive) -> None:
        if not _shows(directive):
            self._ledger.note(directive, "not needed", _NOT_SHOWING)
        elif not self._covers(directive):
            self._ledger.note(directive, "not needed", _NO_SCRIPT)
        elif (rule := self._closed.beside(directive)) is not None:
            self._ledger.note_part(directive, rule)
        else:
            self._ledger.note(directive, "needs you", _SHOWN)

    def _covers(self, directive: Directive) -> bool:
        """Whether a line holds for some script, as far as can be told."""
        sections = scope_sections(directive)
        servers = [*self.hosts, self.main] if directive.host is None else self._servers(directive)
        for alias in dict.fromkeys(alias for server in servers for alias, _ in server.aliases):
            self._compared += 1
            if self._compared > _MOST_COMPARED:
                return True
            if alias.answer is None and coverage(sections, self._reach(alias)) != "none":
                return True
        return False

    def _reach(self, alias: Alias) -> Reach:
        if alias not in self._reaches:
            self._reaches[alias] = reach_of(alias, self._kind_of)
        return self._reaches[alias]

    def _servers(self, directive: Directive) -> list[Host]:
        own = self.lines.hosts.get(directive.host)
        return [self.main] if own is None else [own, self.main]


def _asks(directive: Directive) -> bool:
    return (directive.words or [""])[0].lower() not in _NOT_ASKING


def _shows(directive: Directive) -> bool:
    words = [word.lower() for word in directive.words]
    if directive.key != "ssloptions":
        return words[:1] != ["off"]
    return any(word.lstrip("+") in _SHOWING for word in words)
