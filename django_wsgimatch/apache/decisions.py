"""What an import leaves to be decided: the URLs that Apache protects, and what is said of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from ..aliases.alias import Denial
from .covering.access import RULES, SWITCHES, Layer
from .covering.hosts import Host
from .lines.directive import Directive
from .outcomes.outcome import Ledger
from .resolving.closing import UNTOLD, Closed
from .resolving.tables import Tables
from .resolving.takers import Taken

_EVERYBODY = (
    "No effect: where an alias answers, access is open to everybody or another rule applies"
)
_NOWHERE = "It applies to no URL that an alias of this file answers"


@dataclass(frozen=True, slots=True)
class Protected:
    """
    URLs that Apache protects, of a host or of every host (None).

    ``is_open`` says that they are open to everybody in the settings; otherwise an entry refuses
    them.
    """

    host: str | None
    closed: Closed
    is_open: bool

    @property
    def urls(self) -> str:
        """The URLs in words, without the host."""
        doubt = "" if self.closed.is_whole else f" ({UNTOLD})"
        return f"{self.closed.urls}{doubt}"


def protected(tables: Tables, *, is_open: bool) -> tuple[Protected, ...]:
    """Return what Apache protects of the URLs that a table answers, in the table's order."""
    return tuple(Protected(host, each, is_open) for host, each in tables.all_closed())


def refusing(taken: Iterable[Taken]) -> Iterator[Protected]:
    """Yield what Apache refuses some requests for, and everybody may ask for here."""
    for each in taken:
        rule = each.refusing
        if rule is not None:
            urls = replace(each.region, answer=Denial())
            rules = (*rule.conditions, rule.directive)
            yield Protected(None, Closed(urls, rules, each.is_sure), True)


def note_rules(
    found: Iterable[Protected], hosts: Iterable[Host], met: Collection[int], ledger: Ledger
) -> None:
    """Write down what became of each access rule; ``met`` are those that hold for some alias."""
    closing: set[int] = set()
    for each in found:
        state = "open to everybody" if each.is_open else "403 until you decide"
        for rule in each.closed.rules:
            closing.add(id(rule))
            ledger.note(rule, "needs you", f"{each.closed.urls}: {state}")
    for layer in (layer for host in hosts for layer in _layers(host)):
        counting = next((rule for rule in layer if id(rule) in closing), None)
        for rule in _others(layer, closing):
            if counting is not None:
                ledger.note(rule, "needs you", f"It is part of the rule in {counting.spot}")
            elif id(rule) in met:
                ledger.note(rule, "not needed", _EVERYBODY)
            else:
                ledger.note(rule, "not needed", _NOWHERE)


def _layers(host: Host) -> Iterator[Layer]:
    yield host.access
    yield from (scope.access for scope in host.scopes.values())


def _others(layer: Layer, closing: Collection[int]) -> Iterator[Directive]:
    for rule in layer:
        name = rule.key
        if name in RULES and name not in SWITCHES and id(rule) not in closing:
            yield rule
