"""The URLs that Apache lets only some people ask for, or refuses some requests for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..aliases.alias import Denial
from .resolving.closed import UNTOLD, Closed
from .resolving.tables import Tables
from .resolving.takers import Taken


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
    found = ((host, each) for host, each in tables.all_closed() if each.is_rule)
    return tuple(Protected(host, each, is_open) for host, each in found)


def refusing(taken: Iterable[Taken]) -> Iterator[Protected]:
    """Yield what Apache refuses some requests for, and everybody may ask for here."""
    for each in taken:
        rule = each.refusing
        if rule is not None:
            urls = replace(each.region, answer=Denial())
            rules = (*rule.conditions, rule.directive)
            yield Protected(None, Closed(urls, rules, each.is_sure), True)
