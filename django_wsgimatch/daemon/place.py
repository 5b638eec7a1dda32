"""A place: the process group and the application group that an application runs in."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from ..aliases.groups import GLOBAL, Kind

# In the environ of a request to a process group with sub interpreters: how the name of the
# application group came about.
NAMED_BY = "wsgimatch.named_by"


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where an application runs: names as in ``mod_wsgi.process_group`` and ``.application_group``.

    "" is the embedded process group (the server's own worker), and the main interpreter. ``kind``
    tells how the application group's name came about: places of two kinds are two places, though
    their names may be the same. ``is_chosen`` where a client has chosen the name.
    """

    process_group: str
    application_group: str
    kind: Kind = "literal"
    is_chosen: bool = field(default=False, compare=False)

    @property
    def is_here(self) -> bool:
        """Whether a request is answered by a function call, in the server's worker itself."""
        return not self.process_group and not self.application_group

    @property
    def label(self) -> str:
        """What logs and ``wsgimatch status`` call the place; the names are latin-1 text."""
        return "/".join(filter(None, (self.process_group, self.application_group))) or GLOBAL

    @property
    def key(self) -> str:
        """A name for the place's files, the same in all processes: 16 hexadecimal digits."""
        parts = [self.process_group, self.application_group]
        if self.kind != "literal":
            parts.append(self.kind)
        names = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hashlib.blake2s(names, digest_size=8).hexdigest()

    @property
    def naming(self) -> str:
        """How the application group's name came about, as named_by() reads it."""
        return f"{self.kind} chosen" if self.is_chosen else self.kind

    @classmethod
    def named_by(cls, naming: str, application_group: str) -> Place:
        """Return the place of an application group in this process. Raises ValueError."""
        kind, _, chosen = (naming or "literal").partition(" ")
        order = {"process_group": "", "application_group": application_group, "kind": kind}
        return cls.from_order({**order, "is_chosen": bool(chosen)})

    def to_order(self) -> dict[str, Any]:
        """Return what an order to the manager says of the place."""
        return {"do": "place", **asdict(self)}

    @classmethod
    def from_order(cls, order: Mapping[str, Any]) -> Place:
        """Return the place that to_order() has told. Raises ValueError for what is none."""
        kind, is_chosen = order.get("kind", "literal"), order.get("is_chosen", False)
        names = order["process_group"], order["application_group"]
        if kind not in get_args(Kind) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"no place: {order!r}")
        return cls(*names, kind=kind, is_chosen=bool(is_chosen))
