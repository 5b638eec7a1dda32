r"""The groups of a pattern and what refers to them: ``\1``, ``\k<name>``, ``(?1)``, ``(?(1)``."""

from __future__ import annotations

from .cursor import Cursor
from .syntax import BackReference, Foreign, Node

_LONGEST_NAME = 32
# re reads \100 as octal.
_HIGHEST_REFERENCE = 99


class References:
    """Numbers and names given out so far, and those that are to exist when all is read."""

    def __init__(self, cursor: Cursor) -> None:
        self.groups = 0
        self.highest = 0
        self._cursor = cursor
        self._open: set[int] = set()
        self._names: dict[str, set[int]] = {}
        self._needed_numbers: set[int] = set()
        self._needed_names: set[str] = set()

    def open_group(self, name: str | None) -> int:
        """Begin the next group and return its number."""
        self.groups += 1
        self.highest = max(self.highest, self.groups)
        self._open.add(self.groups)
        if name is not None:
            if len(name) > _LONGEST_NAME:
                raise self._cursor.invalid("subpattern name is too long (maximum 32 characters)")
            if self._names_of(self.groups) - {name}:
                raise self._cursor.invalid("different names for subpatterns of the same number")
            self._names.setdefault(name, set()).add(self.groups)
        return self.groups

    def _names_of(self, number: int) -> set[str]:
        return {name for name, numbers in self._names.items() if number in numbers}

    def close_group(self, number: int) -> None:
        """End a group that was begun."""
        self._open.discard(number)

    def absolute(self, digits: str) -> int:
        """Return the number that ``3``, ``+1`` (the next group) or ``-1`` (the last) means."""
        number = int(digits)
        if digits[0] not in "+-":
            return number
        if number == 0:
            raise self._cursor.invalid("a relative value of zero is not allowed")
        return self.groups + number + (number < 0)

    def need(self, number: int) -> None:
        """Note that this group is to exist in the end."""
        self._needed_numbers.add(number)

    def need_name(self, name: str) -> None:
        """Note that a group of this name is to exist in the end."""
        self._needed_names.add(name)

    def closed(self, number: int) -> bool:
        """Return whether the group has been read whole."""
        return 0 < number <= self.groups and number not in self._open

    def to_number(self, number: int, folded: bool) -> Node:
        """Return the node of a back reference."""
        self.need(number)
        if number > _HIGHEST_REFERENCE:
            return self._foreign(f"a back reference beyond group {_HIGHEST_REFERENCE}")
        return BackReference(number, folded, self.closed(number))

    def to_name(self, name: str, folded: bool) -> Node:
        """Return the node of a back reference by name."""
        self.need_name(name)
        numbers = self._names.get(name, set())
        if len(numbers) == 1:
            return self.to_number(next(iter(numbers)), folded)
        return self._foreign("a back reference to a name of several groups or of a later one")

    def number_of(self, name: str) -> int:
        """Return the number of the one group of this name, or 0."""
        numbers = self._names.get(name, set())
        return next(iter(numbers)) if len(numbers) == 1 else 0

    def check(self) -> None:
        """
        Refuse references to groups that do not exist, now that all is read.

        :raises InvalidPattern: as PCRE2 does.
        """
        missing = [n for n in self._needed_numbers if not 0 < n <= self.highest]
        if missing or not self._needed_names <= self._names.keys():
            raise self._cursor.invalid("reference to non-existent subpattern")
        if any(len(self._names[name]) > 1 for name in self._needed_names):
            self._foreign("a reference to a name of several groups")

    def _foreign(self, construct: str) -> Node:
        self._cursor.note_foreign(construct)
        return Foreign(construct)
