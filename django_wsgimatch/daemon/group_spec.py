"""What a group's process needs to know, as the manager tells it: values that JSON can hold."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..aliases.target import FollowSymlinks
from ..scripts import Reloading
from .options import GroupOptions
from .place import Place
from .wire.protocol import TOKEN_SIZE


@dataclass(frozen=True, slots=True)
class Descriptors:
    """The descriptors that a group's process is started with."""

    listener: int
    board: int
    lifeline: int


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """
    A place's processes, as they are to be.

    ``preload`` are scripts to load before the first request; ``sys_path`` are the directories
    of the server's own sys.path for an application group of the embedded process group, None
    for a process group, which has nothing of the server's. ``directory`` is where the processes
    run if ``home`` does not say; ``trusted`` are the user ids that may send requests, ``token`` is
    what each request must carry (hexadecimal). ``roots`` are the directories that scripts may lie
    in, None for any, ``modules`` the modules that are scripts here, by the texts of their targets,
    and ``follow_symlinks`` is WSGIMATCH_FOLLOW_SYMLINKS. ``watch`` and ``reload_interval`` are the
    definition's.
    """

    place: Place
    options: GroupOptions
    reloading: Reloading = "safe"
    reload_interval: float = 0.0
    backend: str = "process"
    preload: tuple[str, ...] = ()
    sys_path: tuple[str, ...] | None = None
    directory: str = "/"
    trusted: tuple[int, ...] = ()
    token: str = field(default="", repr=False)
    roots: tuple[str, ...] | None = None
    follow_symlinks: FollowSymlinks = True
    watch: tuple[str, ...] | None = None
    modules: tuple[str, ...] = ()

    @property
    def display_name(self) -> str:
        """
        What a list of processes calls the group's: display-name, as mod_wsgi takes it.

        A client may have chosen the name, and the list is read in a terminal: ``?`` stands for
        what is not printable ASCII.
        """
        given = self.options.display_name
        name = f"(wsgi:{self.place.label})" if given in (None, "%{GROUP}") else given
        return "".join(c if " " <= c <= "~" else "?" for c in name)

    @property
    def boots(self) -> bool:
        """Whether the processes are started with the server, before anybody asks for them."""
        if self.options.start is None:
            return bool(self.preload)
        is_first = bool(self.preload) or not self.place.application_group
        return is_first and self.options.start == "boot"

    @property
    def whenever_started(self) -> GroupSpec:
        """The same, whatever is loaded ahead, and when: equal where the processes are to be."""
        options = dataclasses.replace(self.options, start=None)
        return dataclasses.replace(self, preload=(), options=options)

    def to_json(self) -> dict[str, Any]:
        """Return the spec as a value for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> GroupSpec:
        """Return the spec that to_json() has told."""
        given = {**value, "place": Place(**value["place"])}
        given["options"] = options_from_json(value["options"])
        return cls(**tuples(given))


def new_token() -> str:
    """Return a token for a place that nobody can guess, in hexadecimal digits."""
    return os.urandom(TOKEN_SIZE).hex()


def options_from_json(value: dict[str, Any]) -> GroupOptions:
    """Return the options that dataclasses.asdict() and JSON have told."""
    return GroupOptions(**tuples(value))


def tuples(value: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows lists only."""
    return {name: _tuple(item) for name, item in value.items()}


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list | tuple) else value
