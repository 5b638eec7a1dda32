"""How far a long check has come: the check calls a Progress, which may show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

Item = TypeVar("Item")

# So many are done, of so many, of that which the text names.
Progress: TypeAlias = Callable[[int, int, str], None]


def untold(done: int, total: int, what: str) -> None:
    """Do not show anything: the Progress of a check that nobody watches."""


def counted(items: Sequence[Item], what: str, progress: Progress) -> Iterator[Item]:
    """Yield the items, and tell after each how many of them are done."""
    for done, item in enumerate(items, 1):
        yield item
        progress(done, len(items), what)
