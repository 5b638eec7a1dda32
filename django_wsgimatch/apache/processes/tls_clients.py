"""What becomes of lines about clients' certificates, and of what applications see of TLS."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ..covering.coverage import FileKinds, coverage, reach_of
from ..covering.hosts import Host, scope_sections
from ..covering.parts import closing_in
from ..covering.tls import TlsLines
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger

_ASKING = ("sslverifyclient", "gnutlsclientverify")
_NOT_ASKING = ("none", "ignore")
_SHOWING = ("stdenvvars", "exportcertdata")
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


@dataclass(frozen=True, slots=True)
class TlsClients:
    """``closing`` are access rules, by identity, whose URLs are closed until the user decides."""

    lines: TlsLines
    main: Host
    hosts: Sequence[Host]
    closing: Collection[int]
    kind_of: FileKinds
    ledger: Ledger

    def note(self) -> None:
        """Say of each of these lines what becomes of it."""
        for directive in (*self.lines.all, *self.lines.in_sections):
            if self.ledger.outcome(directive) is not None:
                continue
            role = self.lines.role(directive)
            if role == "clients" and directive.key in _ASKING:
                self._note_asking(directive)
            elif role == "clients":
                self._note_part(directive)
            elif role == "environ":
                self._note_environ(directive)

    def _note_asking(self, directive: Directive) -> None:
        if not _asks(directive):
            self.ledger.note(directive, "not needed", _NOBODY)
        elif not self._covers(directive):
            self.ledger.note(directive, "not needed", _NO_SCRIPT)
        else:
            self.ledger.note(directive, "needs you", _ASKED)

    def _note_part(self, directive: Directive) -> None:
        """Say of what decides which certificates are good which line asks for them."""
        rule = next(self._asking(directive), None)
        if rule is None:
            self.ledger.note(directive, "not needed", _NOBODY)
        else:
            self.ledger.note(directive, "part", f"It is part of the rule in {rule.spot}")

    def _asking(self, directive: Directive) -> Iterator[Directive]:
        """Yield the lines that ask clients of the same place, and of all below it."""
        sections = scope_sections(directive)
        for each in (*self.lines.in_sections, *self.lines.all):
            if each.key not in _ASKING or not _asks(each):
                continue
            is_below = scope_sections(each)[: len(sections)] == sections
            is_host = directive.host in (None, each.host)
            if is_below and is_host and (id(each) in self.closing or self._covers(each)):
                yield each

    def _note_environ(self, directive: Directive) -> None:
        if not _shows(directive):
            self.ledger.note(directive, "not needed", _NOT_SHOWING)
        elif not self._covers(directive):
            self.ledger.note(directive, "not needed", _NO_SCRIPT)
        elif (rule := closing_in(directive, self.main, self.hosts, self.closing)) is not None:
            self.ledger.note(directive, "part", f"It is part of the rule in {rule.spot}")
        else:
            self.ledger.note(directive, "needs you", _SHOWN)

    def _covers(self, directive: Directive) -> bool:
        """Whether a line holds for some script, as far as can be told."""
        sections = scope_sections(directive)
        for host in (self.main, *self.hosts):
            if directive.host not in (None, host.section):
                continue
            for alias, _ in dict.fromkeys((*host.aliases, *self.main.aliases)):
                is_script = alias.answer is None
                if is_script and coverage(sections, reach_of(alias, self.kind_of)) != "none":
                    return True
        return False


def _asks(directive: Directive) -> bool:
    return (directive.words or [""])[0].lower() not in _NOT_ASKING


def _shows(directive: Directive) -> bool:
    words = [word.lower() for word in directive.words]
    if directive.key != "ssloptions":
        return words[:1] != ["off"]
    return any(word.lstrip("+") in _SHOWING for word in words)
