"""What a server says of its groups: all that a manager needs to make a place's spec."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..aliases.groups import GLOBAL
from ..aliases.target import FollowSymlinks
from ..scripts import Reloading
from .group_spec import GroupSpec, options_from_json, tuples
from .options import GroupOptions
from .place import Place


@dataclass(frozen=True, slots=True)
class Definition:
    """
    The process groups, by name, and what holds for all.

    ``groups`` may hold GLOBAL: the options for the embedded process group's application groups.
    ``time`` (time.monotonic()) is when the settings were read: of two definitions the later counts.
    ``python``, ``sys_path`` and ``directory`` are the server's own, ``packages`` says where this
    package and gunicorn lie, ``environment`` is what the server's worker had. ``preload`` are
    pairs of a place and a script. ``reload_interval`` is WSGIMATCH_SCRIPT_RELOAD_INTERVAL, in
    seconds. ``project`` tells the project from others. ``backend``
    is WSGIMATCH_APPLICATION_GROUP_BACKEND, ``follow_symlinks`` WSGIMATCH_FOLLOW_SYMLINKS. ``roots``
    are the directories that scripts of all groups may lie in, None for any; ``group_roots`` are
    those that only one process group's may lie in, by its name; ``modules`` and ``group_modules``
    are the modules that are scripts, in the same way. ``watch`` are the files and
    patterns of files that processes look at, beside those of their code, to be renewed when one is
    edited; None where they look at none: not while developing.
    """

    time: float
    python: str
    packages: Mapping[str, str]
    sys_path: tuple[str, ...]
    directory: str
    project: str = ""
    groups: Mapping[str, GroupOptions] = field(default_factory=dict)
    reloading: Reloading = "safe"
    reload_interval: float = 0.0
    backend: str = "process"
    preload: tuple[tuple[Place, str], ...] = ()
    follow_symlinks: FollowSymlinks = True
    roots: tuple[str, ...] | None = None
    group_roots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    watch: tuple[str, ...] | None = None
    modules: tuple[str, ...] = ()
    group_modules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def defines(self, place: Place) -> bool:
        """Whether a place's process group is defined; the embedded one always is."""
        return not place.process_group or place.process_group in self.groups

    def starts(self, place: Place) -> bool:
        """Whether a place's processes are the manager's to start."""
        return self.defines(place) and not place.is_here and not self.is_elsewhere(place)

    def is_elsewhere(self, place: Place) -> bool:
        """Whether somebody else runs a place's process group (its option ``socket``)."""
        return self.defines(place) and self.options(place).socket is not None

    def options(self, place: Place) -> GroupOptions:
        """The options of a place's processes."""
        default = GroupOptions() if not place.process_group else None
        options = self.groups.get(place.process_group or GLOBAL, default)
        assert options is not None
        return options

    def spec(self, place: Place, trusted: tuple[int, ...], token: str = "") -> GroupSpec:
        """Return how a place's processes are to be; ``token`` is the place's."""
        options = self.options(place)
        is_ours = not place.process_group and options.python_home is None
        return GroupSpec(
            place,
            options,
            reloading=self.reloading,
            reload_interval=self.reload_interval,
            backend=self.backend,
            preload=tuple(script for at, script in self.preload if at == place),
            sys_path=self.sys_path if is_ours else None,
            directory=self.directory if not place.process_group else "/",
            trusted=trusted,
            token=token,
            roots=self._roots(place.process_group),
            follow_symlinks=self.follow_symlinks,
            watch=self.watch,
            modules=self.modules + self.group_modules.get(place.process_group, ()),
        )

    def _roots(self, process_group: str) -> tuple[str, ...] | None:
        if self.roots is None:
            return None
        return self.roots + self.group_roots.get(process_group, ())

    def process_groups(self) -> list[Place]:
        """The places that are there from the start: the process groups' main interpreters."""
        return [place for place in self._named() if not self.is_elsewhere(place)]

    def elsewhere(self) -> dict[Place, GroupOptions]:
        """The process groups that somebody else runs."""
        return {place: self.options(place) for place in self._named() if self.is_elsewhere(place)}

    def _named(self) -> list[Place]:
        return [Place(name, "") for name in self.groups if name != GLOBAL]

    def to_json(self) -> dict[str, Any]:
        """Return the definition as a value for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Definition:
        """Return the definition that to_json() has told."""
        given = tuples(value)
        given["groups"] = {name: options_from_json(o) for name, o in value["groups"].items()}
        given["preload"] = tuple((Place(**place), path) for place, path in value["preload"])
        for name in ("group_roots", "group_modules"):
            given[name] = tuples(value[name])
        return cls(**given)
