"""What is diagnosed: an alias of a table, with the name its user knows it by."""

from __future__ import annotations

from dataclasses import dataclass

from ...aliases.alias import Alias
from ...aliases.patterns.pattern import Pattern
from ...aliases.table import AliasTable


@dataclass(frozen=True, slots=True)
class Subject:
    """
    One alias at its place.

    ``where`` is the entry's name in the settings, ``entry`` what stands there. ``table`` is the
    one it belongs to, ``position`` its place in it.
    """

    where: str
    entry: object
    table: AliasTable
    position: int

    @property
    def alias(self) -> Alias:
        return self.table.aliases[self.position]

    @property
    def location(self) -> str | Pattern:
        """What the alias is looked up by."""
        return self.table.locations[self.position]
