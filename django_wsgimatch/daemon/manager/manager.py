"""
The manager: the one process of a server that starts its groups, keeps them, and ends them.

It runs as the server's own user, never as root beside other users: what needs root it asks of the
starter (``processes``). It holds every place's listening socket, so a request that comes while a
group starts, restarts or is stopped waits and is not lost; a request to a stopped place starts it.
It ends with the server's main process, and the groups end with it.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...exceptions import ManagerError, WSGIMatchError
from ..definition import Definition
from ..place import Place
from ..servers.directory import Directory, make_directory, remove_directory
from ..servers.listener import identity_of, listen
from ..servers.managers import managers_of, stems_from
from ..servers.owner import Owner
from ..wire.control import Order
from ..wire.wire import peer_of
from .keeper import BUSY, LINGER, Keeper
from .logs import ServerLog, own_log
from .loop import Loop
from .order_outcome import outcome_of_none, restart_outcome, stop_outcome
from .status import place_status, unreadiness
from .warm_parents import WarmParents

# How long the manager sleeps when nothing is on its way, in seconds.
QUIET = 5.0


@dataclass(eq=False, repr=False)
class Manager:
    """Carries out the orders of one server, as long as that one runs."""

    owner: Owner
    directory: Directory
    processes: WarmParents
    log: ServerLog
    starter: int | None = None
    is_open: bool = field(default=True, init=False)
    is_replaced: bool = field(default=False, init=False)
    complaint: str = field(default="", init=False)
    before: list[str] = field(default_factory=list, init=False)
    began: float = field(default_factory=time.time, init=False)
    born: float = field(default_factory=time.monotonic, init=False)

    def __post_init__(self) -> None:
        # Whose descendants give no orders: the groups' own processes.
        self.parent_of_groups = self.starter if self.starter is not None else os.getpid()
        self.loop = Loop(self._carry_out)
        may_switch = self.starter is not None or os.geteuid() == 0
        self.keeper = Keeper(self.directory, self.processes, self.log, self.loop, may_switch)
        self.orders = {
            "define": self.define,
            "ping": lambda order: {"pid": os.getpid()},
            "place": self.make_place,
            "status": self.tell_status,
            "tokens": self.tell_tokens,
            "ready": self.tell_ready,
            "outcome": self.tell_outcome,
            "restart": self.restart,
            "stop": self.stop,
        }

    def listen(self) -> None:
        """Take orders at the directory's socket. Raises OSError where that cannot be made."""
        self.before = self.directory.files_of_places()
        self.listener = listen(self.directory.manager)
        self.identity = identity_of(self.directory.manager)
        self.loop.take_orders(self.listener)

    def begin(self, definition: dict[str, Any]) -> None:
        """Take a first definition; what is wrong with it is in the log."""
        try:
            self.define({"definition": definition})
        except (OSError, WSGIMatchError) as error:
            self._complain(f"the groups cannot be started: {error}")

    def run(self, end_of_owner: int | None, wakeup: int) -> None:
        """Take orders until the server ends, or this process is told to."""
        self.loop.watch(wakeup, lambda: os.read(wakeup, 4096))
        if end_of_owner is not None:
            self.loop.watch(end_of_owner, self.close)
        self.loop.watch(self.processes.fileno(), self.processes.look)
        while self.is_open:
            self.loop.turn(self._patience(end_of_owner))
            self.processes.look()
            if end_of_owner is None and not self.owner.is_alive:
                self.close()
            if self.processes.is_lost:
                self.log.write(own_log("the starter has ended, and with it the groups"))
                self.close()
            self._look_around()
        if not self.is_replaced:
            # Those of a server that was killed get no time.
            self.keeper.end_all(None if self.owner.is_alive else 1.5)
            remove_directory(self.directory)

    def close(self) -> None:
        """End, and everything with it."""
        self.is_open = False

    def look_after_directory(self) -> None:
        """Make the folder and its sockets anew where somebody has removed them."""
        try:
            if identity_of(self.directory.manager) == self.identity:
                return
            # Somebody else's lies there: of two managers the later one goes on.
            self.is_replaced = bool({*managers_of(self.owner)} - {os.getpid()})
        except OSError:
            pass
        if self.is_replaced:
            self._complain("another manager has taken this one's place")
            self.close()
            return
        try:
            make_directory(self.owner, self.directory.base)
            self.loop.leave(self.listener)
            self.listen()
        except (OSError, WSGIMatchError) as error:
            self._complain(f"the folder of sockets cannot be made again: {error}")
            return
        self._complain(f"{self.directory.path!r} had been removed, and is made again")
        for kept in [*self.keeper.places.values()]:
            self.keeper.guard(kept, self.keeper.reach)

    def define(self, order: Order) -> Order:
        """Take the server's definition, unless a later one is known; start what it asks for."""
        self.keeper.define(Definition.from_json(order["definition"]))
        return {"directory": self.directory.path}

    def make_place(self, order: Order) -> Order:
        """Make an application group's place known, so that it can be asked."""
        place = Place.from_order(order)
        if reason := self.keeper.refusal(place):
            raise ManagerError(reason)
        try:
            kept = self.keeper.reachable(place)
        except FileNotFoundError:
            # Somebody has removed the folder, just now or in the meantime.
            self.look_after_directory()
            kept = self.keeper.reachable(place)
        return {"socket": kept.path, "token": kept.spec.token}

    def tell_tokens(self, order: Order) -> Order:
        """Tell the tokens of the process groups, by name."""
        own = {
            p.process_group: k.spec.token
            for p, k in self.keeper.places.items()
            if not p.application_group
        }
        return {"tokens": own}

    def tell_status(self, order: Order) -> Order:
        """Tell how all places are."""
        definition = self.keeper.definition
        places = [place_status(kept) for kept in self.keeper.places.values() if not kept.is_removed]
        return {
            "pid": os.getpid(),
            "server": self.owner.pid,
            "started": self.began,
            "project": definition.project if definition is not None else "",
            "places": [*places, *self.keeper.elsewhere()],
        }

    def tell_ready(self, order: Order) -> Order:
        """Tell what keeps the groups that start with the server from answering."""
        return {"reasons": [*filter(None, map(unreadiness, self.keeper.places.values()))]}

    def restart(self, order: Order) -> Order:
        """Replace the processes of a name's places, the new ones ready before the old ones end."""
        since, named = time.monotonic(), self.keeper.named(order["name"])
        for kept in named:
            kept.look()
            kept.failures, kept.not_before = 0, 0.0
            self.keeper.reach(kept)
            if kept.is_live:
                kept.renew(signal.SIGUSR2)
            else:
                kept.error = ""
                self.keeper.start(kept)
        return {"places": [kept.place.label for kept in named], "since": since}

    def stop(self, order: Order) -> Order:
        """End the processes of a name's places; the next request starts them again."""
        since, named = time.monotonic(), self.keeper.named(order["name"])
        for kept in named:
            kept.end()
        return {"places": [kept.place.label for kept in named], "since": since}

    def tell_outcome(self, order: Order) -> Order:
        """Tell what has become of an order to restart or to stop, by its answer."""
        is_stop, since = order["of"] == "stop", float(order["since"])
        kept_by_name = {kept.place.label: kept for kept in self.keeper.places.values()}
        tell = stop_outcome if is_stop else restart_outcome
        outcomes = [
            tell(kept_by_name[name], since)
            if name in kept_by_name
            else outcome_of_none(name, was_to_stop=is_stop)
            for name in order["places"]
        ]
        return {"outcomes": outcomes}

    def _look_around(self) -> None:
        self.look_after_directory()
        if self.before and time.monotonic() - self.born > LINGER:
            self._remove_files_of_before()
        self.keeper.look_around()

    def _remove_files_of_before(self) -> None:
        """What a manager that was killed has left; no front has a question to its boards by now."""
        for path in {*self.before} - {kept.path for kept in self.keeper.places.values()}:
            Path(path).unlink(missing_ok=True)
        self.before = []

    def _patience(self, end_of_owner: int | None) -> float:
        if self.loop.is_pausing or not self.keeper.is_settled:
            return BUSY
        return QUIET if end_of_owner is not None else min(QUIET, 0.5)

    def _carry_out(self, connection: socket.socket, order: Order) -> Order:
        """Do what somebody wants who may: the server's own processes, its user's, and root's."""
        name = order["do"]
        pid, user = peer_of(connection)
        if user not in (None, 0, os.geteuid()):
            raise ManagerError(f"only the server's own user may {name}")
        if pid and stems_from(pid, {self.parent_of_groups}):
            raise ManagerError(f"a process of a group may not {name}")
        return self.orders[name](order)

    def _complain(self, message: str) -> None:
        """Say something about the server as a whole, once."""
        if message != self.complaint:
            self.complaint = message
            self.log.write(own_log(message))
