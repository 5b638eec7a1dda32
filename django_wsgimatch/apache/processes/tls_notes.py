"""What becomes of each TLS line: an option of the server, or what the server does without one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..covering.hosts import Host
from ..lines.directive import Directive
from ..outcomes.outcome import Ledger
from .binds import Bind
from .tls import SINGLE, Role, TlsLines, Verdict, priorities_verdict, protocol_verdict

_NO_CERTIFICATE = (
    "no line here names its certificate: start the server with --certfile, or let a server in "
    "front speak TLS"
)
_PATH = "its path cannot be told: write it whole, and start the server with {}"
_ONE = (
    "the server has one certificate for {}, that of {}: use one for all names, or a server for "
    "each address"
)
# gunicorn reads the files anew for each connection.
_READABLE = "; its user must be able to read the key, where Apache reads it as root"
_SECOND = "the server has one certificate, {}: leave out this one, or let a server in front speak"
_DIFFERS = "the server has one for {}, and {} is answered there first"
_PLAIN = "{} speaks plain HTTP, as {} does: let each have an address of its own"
_IDLE = "No server of this file speaks TLS with it"
_DEAD = "No request reaches its virtual host: {} has its names at the same address"
_OWN: dict[Role, Verdict] = {
    "stapling": ("changed", "clients ask for the state of the certificate themselves"),
    "own": ("not needed", "Python's ssl has its own"),
}


def note_tls(lines: TlsLines, binds: Iterable[Bind], ledger: Ledger) -> None:
    """Say of each TLS line that stands in no section, and asks nothing of clients, what it is."""
    for bind in binds:
        for host, winner in _with_winners(bind.hosts):
            if winner is not None:
                _note_own(lines, host, _DEAD.format(winner), ledger)
            elif bind.is_secure:
                _Noting(lines, bind, host, ledger).note()
            elif lines.is_on(host):
                for engine in lines.of(host, "engine"):
                    reason = _PLAIN.format(bind.address, bind.hosts[0])
                    ledger.note(engine, "needs you", reason)
    for directive in lines.all:
        role = lines.role(directive)
        if role not in ("clients", "environ") and ledger.outcome(directive) is None:
            ledger.note(directive, "not needed", _IDLE)


def _with_winners(hosts: Iterable[Host]) -> Iterator[tuple[Host, Host | None]]:
    """Yield hosts, each with the earlier one of the same address that has all its names."""
    first: dict[str, Host] = {}
    for host in hosts:
        names = dict.fromkeys(name for name, _ in host.names)
        winners = {id(first.get(name)): first.get(name) for name in names}
        yield host, next(iter(winners.values())) if len(winners) == 1 else None
        for name in names:
            first.setdefault(name, host)


def _note_own(lines: TlsLines, host: Host, reason: str, ledger: Ledger) -> None:
    for directive in lines.all_of(host):
        if lines.role(directive) not in ("clients", "environ"):
            ledger.note(directive, "not needed", reason)


@dataclass(frozen=True, slots=True)
class _Noting:
    """The lines of one host at one address where TLS is spoken."""

    lines: TlsLines
    bind: Bind
    host: Host
    ledger: Ledger

    def note(self) -> None:
        verdicts: dict[Role, Callable[[Directive], Verdict]] = {
            "engine": self._engine,
            "protocol": lambda line: protocol_verdict(line.words),
            "ciphers": lambda line: self.lines.ciphers(line)[1],
            "priorities": lambda line: priorities_verdict(line.words),
            "order": _order,
        }
        for role, verdict in verdicts.items():
            for line in self.lines.of(self.host, role):
                self._say(line, self._other(role, line) or verdict(line))
        for role, found in _OWN.items():
            for line in self.lines.of(self.host, role):
                self._say(line, found)
        self._note_files()
        self._note_replaced()

    def _note_files(self) -> None:
        options: dict[Role, str] = {
            "certificate": "--certfile",
            "key": "--keyfile",
            "chain": "--ca-certs",
        }
        for role, option in options.items():
            for number, line in enumerate(self.lines.of(self.host, role)):
                self._say(line, self._file(role, number, line, option))

    def _file(self, role: Role, number: int, line: Directive, option: str) -> Verdict:
        path = self.lines.path(line)
        if path is None:
            return "needs you", _PATH.format(option)
        if self.bind.tls is None:
            return "needs you", _NO_CERTIFICATE
        if number:
            return "needs you", _SECOND.format(self.bind.tls.certificate)
        chosen = self.lines.of(self.bind.hosts[0], role)
        if not chosen or self.lines.path(chosen[0]) != path:
            return "needs you", _ONE.format(self.bind.address, self.bind.hosts[0])
        note = f"`{option}` of the server at {self.bind.address}"
        holds_key = role == "key" or (role == "certificate" and not self.bind.tls.key)
        return "changed", note + (_READABLE if holds_key else "")

    def _engine(self, line: Directive) -> Verdict:
        if self.bind.tls is None:
            return "needs you", _NO_CERTIFICATE
        return "changed", f"the server at {self.bind.address} is started with a certificate"

    def _other(self, role: Role, line: Directive) -> Verdict | None:
        """Return what is lost where the first host of the address says something else."""
        first = self.bind.hosts[0]
        said = [each.words for each in self.lines.of(first, role)]
        if self.host is first or [line.words] == said or role == "engine":
            return None
        return "needs you", _DIFFERS.format(self.bind.address, first)

    def _note_replaced(self) -> None:
        for role in SINGLE:
            counting = self.lines.of(self.host, role)
            for line in self.lines.own(self.host, role):
                if line not in counting:
                    self._say(line, ("not needed", "A later line replaces it"))

    def _say(self, line: Directive, verdict: Verdict) -> None:
        self.ledger.note(line, *verdict)


def _order(line: Directive) -> Verdict:
    if line.rest.strip().lower() == "on":
        return "changed", "the server chooses the cipher without an option, too"
    return "changed", "the server chooses the cipher, where clients did"
