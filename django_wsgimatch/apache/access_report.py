"""The access rules that an import can say in the settings, and what its report tells of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from .access.access_sections import CarriedSection
from .access.carrying import Readings
from .covering.access import RULES, SWITCHES
from .covering.hosts import Host, Scope
from .lines.directive import Directive
from .outcomes.outcome import Ledger
from .protected_urls import Protected
from .resolving.closed import Closed
from .resolving.tables import Tables

_EVERYBODY = (
    "No effect: where an alias answers, access is open to everybody or another rule applies"
)
_NOWHERE = "It applies to no URL that an alias of this file answers"
_NOBODY_ASKS = "No rule asks for a login where an alias answers"
_STRICTER = "the rules around it hold here, too. Write a section for what it should open"


@dataclass(frozen=True, slots=True)
class CarriedRules:
    """A section of WSGIMATCH_ACCESS, and the patterns of its hosts, none for every host."""

    hosts: tuple[str, ...]
    carried: CarriedSection


def carried_rules(tables: Tables) -> tuple[CarriedRules, ...]:
    """Return the sections of some tables that say a directive, in their order."""
    return tuple(
        CarriedRules(patterns, each)
        for patterns, sections in tables.all_access()
        for each in sections
        if each.rules
    )


def directives_of(rules: Iterable[CarriedRules]) -> frozenset[int]:
    """Return the directives, by identity, that sections say."""
    return frozenset(id(each) for one in rules for each in one.carried.rules)


def note_carried(rules: Iterable[CarriedRules], ledger: Ledger) -> None:
    """Write down of each directive which section says it."""
    for each in rules:
        for directive in each.carried.rules:
            ledger.note(directive, "kept", f"WSGIMATCH_ACCESS: {each.carried.urls}")


def note_stricter(found: Iterable[Closed], ledger: Ledger) -> None:
    """Write down of each rule that it opens URLs in Apache, and here what is around it holds."""
    for each in found:
        for directive in each.rules:
            ledger.note(directive, "needs you", f"{each.urls}: {_STRICTER}")


def note_logins(
    hosts: Sequence[Host], said: Collection[int], closing: Collection[int], ledger: Ledger
) -> None:
    """
    Write down what becomes of those directives about logins that no section says.

    The main server is the first of the ``hosts``. ``said`` are the directives that sections say,
    ``closing`` the rules that close URLs.
    """
    main = hosts[0]
    for host in hosts:
        readings = Readings(main.server_root, host.speaks_tls(main))
        for scope in host.scopes.values():
            left = [each for each in scope.logins if id(each) not in said]
            counting = next((each for each in scope.access if id(each) in closing), None)
            if left and counting is not None and readings.of(scope) is None:
                ledger.note(counting, "needs you", readings.reasons[id(scope)])
            for each in left:
                _note_login(each, counting, bool(said or closing), ledger)


def _note_login(
    directive: Directive, counting: Directive | None, is_asked: bool, ledger: Ledger
) -> None:
    if counting is not None:
        ledger.note_part(directive, counting)
    elif not is_asked:
        ledger.note(directive, "not needed", _NOBODY_ASKS)


def note_access(
    tables: Tables, hosts: Sequence[Host], found: Iterable[Protected], ledger: Ledger
) -> tuple[tuple[CarriedRules, ...], set[int]]:
    """
    Write down what became of access rules.

    Returns the sections that say them, and, by identity, the rules that close URLs.
    """
    carried = carried_rules(tables)
    said = directives_of(carried)
    closing = _note_rules(found, hosts, tables.met, ledger, said)
    note_carried(carried, ledger)
    note_stricter(tables.stricter, ledger)
    note_logins(hosts, said, closing, ledger)
    return carried, closing


def _note_rules(
    found: Iterable[Protected],
    hosts: Iterable[Host],
    met: Collection[int],
    ledger: Ledger,
    said: Collection[int],
) -> set[int]:
    """
    Write down what became of each access rule, and return those that close URLs.

    ``met`` are those that hold for some alias, ``said`` those that sections of access rules say.
    """
    closing: set[int] = set()
    for each in found:
        closed = f"{each.closed.status} until you decide"
        state = "open to everybody" if each.is_open else closed
        unsaid = [rule for rule in each.closed.rules if id(rule) not in said]
        for rule in unsaid or each.closed.rules:
            closing.add(id(rule))
            ledger.note(rule, "needs you", f"{each.closed.urls}: {state}")
    places: list[Host | Scope] = []
    for host in hosts:
        places += (host, *host.scopes.values())
    for layer in (place.access for place in places):
        counting = next((rule for rule in layer if id(rule) in closing), None)
        for rule in layer:
            if rule.key not in RULES or rule.key in SWITCHES or id(rule) in closing:
                continue
            if counting is not None:
                ledger.note_part(rule, counting)
            elif id(rule) in met:
                ledger.note(rule, "not needed", _EVERYBODY)
            else:
                ledger.note(rule, "not needed", _NOWHERE)
    return closing
