"""The table of one virtual host, or of the main server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from ...aliases.file_options import FileOptions
from ...aliases.table import in_order_of_apache
from ..access.access_sections import CarriedSection
from ..covering.around import without_surroundings
from ..covering.hosts import Host, proxy_lines
from .closed import Closed
from .resolving import ResolvedAlias


@dataclass(eq=False)
class HostTable:
    """The entries of a host, what is closed of them, and the sections of its access rules."""

    host: Host
    entries: list[ResolvedAlias]
    inherit: Callable[[], list[ResolvedAlias]]
    closed: list[Closed]
    access: tuple[CarriedSection, ...] = ()

    @cached_property
    def inherited(self) -> list[ResolvedAlias]:
        """The main server's aliases: of a host that answers nothing, nobody asks for them."""
        return self.inherit()

    @property
    def all(self) -> list[ResolvedAlias]:
        """All entries in the order in which Apache tries them."""
        found = [*self.entries, *self.inherited]
        return [found[place] for place in in_order_of_apache([each.alias for each in found])]

    @property
    def worth(self) -> int:
        """What speaks for this table, where a host has others at other addresses."""
        answers = [each.alias.answer for each in self.entries]
        if None in answers:
            return 3
        return 2 if any(isinstance(each, FileOptions) for each in answers) else bool(answers)

    def says(self) -> tuple[object, ...]:
        """What requests are answered by; two tables that say the same are one."""
        proxies = (_words_of_proxies(each) for each in self.all)
        return (*self.rules(), *(each.alias for each in self.all), *proxies)

    def says_of_scripts(self) -> tuple[object, ...]:
        """The same, but for what stands around applications: ports often differ in that."""
        said = (without_surroundings(each.alias) for each in self.all)
        return (*self.rules(), *said)

    def rules(self) -> tuple[object, ...]:
        """Return what access rules close, and what they say else, wherever they stand."""
        return (*urls_of_closed(self.closed), *(each.section for each in self.access))


def _words_of_proxies(entry: ResolvedAlias) -> tuple[tuple[str, ...], ...]:
    return tuple((each.key, *each.words) for each in proxy_lines(entry.values))


def urls_of_closed(closed: Iterable[Closed]) -> list[tuple[str, str]]:
    """What is closed, wherever the rules stand: ports often repeat each other's."""
    return [(each.alias.kind, each.alias.location) for each in closed]
