"""A setting that an import writes besides the tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..lines.directive import Spot


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting but the tables: its value, why, and where that stands, if it stands somewhere."""

    name: str
    value: Any
    comment: str
    spots: tuple[Spot, ...] = ()
