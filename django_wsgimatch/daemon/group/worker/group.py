"""What the processes of a group share."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from ...board import Board, Shape
from ...group_spec import Descriptors, GroupSpec
from ...wire.protocol import NO_TOKEN
from .changes import Inherited
from .loading import Confinement


class Replaces(Protocol):
    """What a group's arbiter knows of its workers."""

    def taken_slots(self) -> set[int]:
        """The slots of the living workers."""

    def loaded_scripts(self) -> dict[str, list[str]]:
        """What the workers that are to be replaced have loaded, and the callables used of it."""


class Group:
    """What a group's processes share: the spec, the listening socket, the board."""

    def __init__(
        self, spec: GroupSpec, descriptors: Descriptors, packages: Mapping[str, str]
    ) -> None:
        self.packages = packages
        self.options = spec.options
        self.display_name = spec.display_name
        self.reloading = spec.reloading
        self.reload_interval = spec.reload_interval
        self.backend = spec.backend
        self.label = spec.place.label
        self.process_group = spec.place.process_group
        self.preload = spec.preload
        self.watch = spec.watch
        self.trusted = frozenset(spec.trusted)
        self.token = bytes.fromhex(spec.token) or NO_TOKEN
        self.confinement = Confinement(spec.roots, spec.follow_symlinks, spec.modules)
        self.listener = socket.socket(fileno=descriptors.listener)
        self.lifeline = descriptors.lifeline
        shape = Shape.of(spec.options.processes, spec.options.threads)
        self.board_file = descriptors.board
        self.board = Board(descriptors.board, shape)
        self.pid = os.getpid()
        self.arbiter: Replaces | None = None
        self.inherited = Inherited()

    def before_fork(self) -> tuple[int, dict[str, list[str]]]:
        """
        Return the slot of the next worker, and the scripts that it must be able to load.

        Each comes with the names of the callables that it must have.
        """
        assert self.arbiter is not None
        return self.board.take_slot(self.arbiter.taken_slots()), self.arbiter.loaded_scripts()

    def wake_arbiter(self) -> None:
        """Let the arbiter look at the board."""
        self._tell_arbiter(signal.SIGCHLD)

    def ask_for_renewal(self) -> None:
        """Let the arbiter see on the board that a worker wants all to be replaced."""
        self._tell_arbiter(signal.SIGWINCH)

    def _tell_arbiter(self, signum: int) -> None:
        # Where it has been killed, the worker sees that by itself and ends in good order.
        with suppress(ProcessLookupError):
            os.kill(self.pid, signum)
