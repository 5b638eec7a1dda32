"""
Which places clients may bring to life: how many at once, and how often.

Only places count whose names clients have chosen, as with ``%{HOST}``: a table may name as many
as it likes. Nothing here starts or ends anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..options import GroupOptions
from ..place import Place

if TYPE_CHECKING:
    from .kept_place import KeptPlace

FULL = (
    "as many application groups as maximum_application_groups allows, {}, have been started, and "
    "none has ended yet"
)
TOO_OFTEN = "clients have started as many application groups as maximum_starts allows, {} a minute"
MINUTE = 60.0
# So many may be on their way out at a time, however few may live.
FEWEST_ENDING = 4


@dataclass(slots=True)
class Allowance:
    """So many starts a minute, and as many at once after a quiet minute."""

    most: int
    left: float
    at: float

    def refill(self, now: float) -> None:
        """Add what has come up since the last time."""
        self.left = min(self.left + (now - self.at) * self.most / MINUTE, self.most)
        self.at = now


class Admission:
    """Says of each place whether a client's request may start it."""

    def __init__(self) -> None:
        self._allowances: dict[str, Allowance] = {}

    def refusal(
        self, place: Place, options: GroupOptions, known: Iterable[KeptPlace], now: float
    ) -> str:
        """Return why a place may not be started now, "" where it may; counts nothing."""
        if not place.is_chosen:
            return ""
        allowance = self._allowance(place, options, now)
        if allowance and allowance.left < 1:
            return TOO_OFTEN.format(allowance.most)
        most = options.maximum_application_groups
        ending = sum(other.is_ending for other in _rivals(place, known))
        if most and ending >= max(most, FEWEST_ENDING):
            return FULL.format(most)
        return ""

    def count(self, place: Place, options: GroupOptions, now: float) -> None:
        """Count the start of a place."""
        if place.is_chosen and (allowance := self._allowance(place, options, now)):
            allowance.left -= 1

    def _allowance(self, place: Place, options: GroupOptions, now: float) -> Allowance | None:
        most = options.maximum_starts
        if not most:
            return None
        allowance = self._allowances.get(place.process_group)
        if allowance is None or allowance.most != most:
            allowance = self._allowances[place.process_group] = Allowance(most, most, now)
        allowance.refill(now)
        return allowance


def leavers(kept: KeptPlace, known: Iterable[KeptPlace]) -> list[KeptPlace]:
    """Return what must end before a place starts: idle ones first, the last used ones last."""
    live, excess = _too_many(kept, known)
    # At last those that have been started for others, and have not answered yet.
    live.sort(key=lambda other: (not other.has_had_its_turn, other.is_busy, other.last_used()))
    return live[:excess]


def has_room(kept: KeptPlace, known: Iterable[KeptPlace]) -> bool:
    """Whether a place can be started, and none ended that has not had its turn."""
    live, excess = _too_many(kept, known)
    return sum(other.has_had_its_turn for other in live) >= excess


def _too_many(kept: KeptPlace, known: Iterable[KeptPlace]) -> tuple[list[KeptPlace], int]:
    """The live places beside which one is to start, and how many of them must end for it."""
    most = kept.spec.options.maximum_application_groups
    if not most or not kept.place.is_chosen or kept.is_live:
        return [], 0
    live = [other for other in _rivals(kept.place, known) if other.is_live]
    return live, max(len(live) - most + 1, 0)


def _rivals(place: Place, known: Iterable[KeptPlace]) -> list[KeptPlace]:
    chosen = (other for other in known if other.place.is_chosen)
    return [other for other in chosen if other.place.process_group == place.process_group]
