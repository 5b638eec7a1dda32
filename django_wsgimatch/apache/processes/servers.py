"""The servers of a configuration: where they listen, with which TLS, and how they are started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..lines.directive import Directive
from ..lines.limits import Effort
from ..outcomes.outcome import Ledger
from ..resolving.tables import Tables
from .answered import AnsweredAddresses
from .binds import Addresses
from .command import ServerStart, Words, note_listens, request_limits
from .tls_clients import TlsClients
from .tls_notes import note_tls


@dataclass(frozen=True, slots=True)
class Servers:
    """
    The commands that start the servers of some settings, as words.

    ``others`` are addresses that other settings are needed for: Apache answers otherwise there.
    """

    commands: tuple[Words, ...] = ()
    others: tuple[str, ...] = ()


NO_SERVERS = Servers()
"""Nothing has to be said of how they are started."""


def read_servers(
    start: ServerStart,
    named: Mapping[str, Sequence[Directive]],
    clients: TlsClients,
    tables: Tables,
    effort: Effort,
    ledger: Ledger,
) -> Servers:
    """
    Return how the servers are started, noting what becomes of each line about them.

    ``start`` is what is known of them already, ``named`` are the directives by their names.
    """
    is_part = not named.get("loadmodule")
    listens = named.get("listen", ())
    addresses = Addresses(clients.main, clients.hosts, clients.lines, effort)
    binds = addresses.read_binds(listens, is_part=is_part)
    note_tls(clients.lines, binds, ledger)
    clients.note()
    answered = AnsweredAddresses(
        clients.main, clients.hosts, tables.all_entries(), tables.plain_http
    )
    start = start.with_options(request_limits(named, ledger))
    own = [each for each in binds if answered.holds_at(each)]
    if not clients.hosts:
        # There is nothing that could be answered otherwise.
        own = binds
    note_listens(binds, {id(each) for each in own}, ledger)
    is_said = bool(listens) or any(each.is_secure for each in binds)
    commands = start.commands(own, is_worth_it=is_said and bool(own))
    held = {each.address for each in own}
    others = [each.address for each in binds if each.address not in held]
    return Servers(commands, tuple(others) if is_said or start.options else ())
