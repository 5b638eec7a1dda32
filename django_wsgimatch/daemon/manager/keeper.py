"""The places that the manager keeps: it makes them known, starts them, looks after them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...exceptions import ManagerError, SettingError
from ..definition import Definition
from ..group_spec import new_token
from ..place import Place
from ..servers.directory import Directory
from ..servers.listener import has_request
from .admission import Admission, has_room, leavers
from .kept_place import KeptPlace
from .logs import ServerLog, own_log
from .loop import Loop
from .processes import Start
from .starting import Running, examine, start_of, start_place
from .status import status_elsewhere
from .warm_parents import WarmParents

# How long the manager sleeps when something is on its way, in seconds.
BUSY = 0.05
# A group that the settings no longer name serves the server's old workers for so long, in seconds.
LINGER = 60.0
# So often, in seconds, it is looked whether files have been lost, and made anew by itself, besides
# by each request.
LOOK, REMAKE = 1.0, 10.0
# So many groups that start with the server are being started at a time.
AT_ONCE = max(2, min(os.cpu_count() or 2, 8))
# Places that nobody has asked for lately are forgotten beyond this number.
MOST_PLACES = 2048


@dataclass(slots=True, eq=False)
class Keeper:
    """Keeps the places of one server; ``may_switch``: also as other users than its own."""

    directory: Directory
    processes: WarmParents
    log: ServerLog
    loop: Loop
    may_switch: bool
    definition: Definition | None = field(default=None, init=False)
    places: dict[Place, KeptPlace] = field(default_factory=dict, init=False)
    _admission: Admission = field(default_factory=Admission, init=False)
    # No board of a manager before this one has such a number.
    _generation: int = field(default_factory=time.monotonic_ns, init=False)

    def reachable(self, place: Place) -> KeptPlace:
        """Return a place that can be asked. Raises OSError where its socket cannot be made."""
        kept = self._keep(place)
        kept.used = time.monotonic()
        self.reach(kept)
        return kept

    def elsewhere(self) -> list[dict[str, Any]]:
        """How the process groups are that somebody else runs."""
        if self.definition is None:
            return []
        return [status_elsewhere(*each) for each in self.definition.elsewhere().items()]

    def named(self, name: str) -> list[KeptPlace]:
        """Return the places that an order names. Raises ManagerError where there is none."""
        away = self.definition.elsewhere() if self.definition is not None else {}
        if options := away.get(Place(name, "")):
            raise ManagerError(
                f"process group {name!r} is run elsewhere, at {options.socket!r}: ask who runs it, "
                "as `systemctl restart` of its unit"
            )
        named = [
            kept
            for place, kept in self.places.items()
            if name in (place.label, place.process_group, place.application_group)
        ]
        if not named:
            labels = ", ".join(sorted(place.label for place in self.places)) or "none"
            raise ManagerError(f"there is no process group or application group {name!r}: {labels}")
        return named

    def define(self, definition: Definition) -> None:
        """Take the server's definition, unless a later one is known; start what it asks for."""
        if self.definition is None or definition.time >= self.definition.time:
            is_first, self.definition = self.definition is None, definition
            self._apply(definition)
            if not is_first:
                self._renew_changed(definition)

    @property
    def is_settled(self) -> bool:
        """Whether nothing needs to be looked at before long."""
        return all(kept.is_settled for kept in self.places.values())

    def look_around(self) -> None:
        """Look after each place."""
        for kept in [*self.places.values()]:
            self.guard(kept, self._look_at)
        self._start_due()

    def end_all(self, longest: float | None) -> None:
        """End all groups; they have as long as they may take, and at most so many seconds."""
        for kept in self.places.values():
            self.loop.unwatch(kept.listener)
            kept.end()
        deadline = time.monotonic() + longest if longest is not None else None
        while any(kept.ending for kept in self.places.values()) or self.processes.has_strays:
            self.loop.turn(BUSY)
            self.processes.look()
            for kept in self.places.values():
                if deadline is not None and time.monotonic() > deadline:
                    for running in kept.ending:
                        running.deadline = 0.0
                self._look(kept)

    def _apply(self, definition: Definition) -> None:
        for place in definition.process_groups():
            self._keep(place)
        for place, _ in definition.preload:
            if definition.starts(place):
                self._keep(place)
        for place, kept in [*self.places.items()]:
            if definition.starts(place):
                self.guard(kept, self._redefine)
            else:
                kept.is_removed, kept.is_due = True, False
                kept.used = time.monotonic()
        self.processes.expect(self._possible_starts())
        self._start_due()

    def _possible_starts(self) -> list[Start]:
        """How the processes of all places would be started, but those that cannot be."""
        starts = []
        for kept in [kept for kept in self.places.values() if not kept.is_removed]:
            with suppress(SettingError):
                starts.append(start_of(kept.spec, may_switch=self.may_switch))
        return starts

    def _redefine(self, kept: KeptPlace) -> None:
        """Give a place its new options; it may be one that is started before anybody asks."""
        assert self.definition is not None
        kept.is_removed = False
        if kept.change(self.definition.spec(kept.place, self._trusted(), kept.spec.token)):
            self._change_running(kept)
        # Each worker of the server tells what it has read, perhaps before the last try.
        is_newer = self.definition.time > kept.tried
        if kept.is_live or not is_newer:
            return
        is_main = not kept.place.application_group
        # What has failed is tried again, whenever it starts else.
        kept.is_due = kept.spec.boots or (is_main and kept.failures > 0)
        if is_main and not kept.is_due:
            self._try_options(kept)

    def _try_options(self, kept: KeptPlace) -> None:
        """Say of a place that starts on demand what would keep it from that, before anyone asks."""
        kept.tried, kept.error = time.monotonic(), ""
        try:
            examine(kept.spec, self.log, self.processes, may_switch=self.may_switch)
        except (OSError, SettingError) as error:
            self._refuse(kept, f"cannot be started: {error}")

    def _refuse(self, kept: KeptPlace, reason: str) -> None:
        if kept.error != reason:
            self._say(kept, reason)
        kept.fail(reason)

    def _start_due(self) -> None:
        """Start some of those that start with the server: all at once would leave it no CPU."""
        coming = sum(kept.is_coming for kept in self.places.values())
        due = [kept for kept in self.places.values() if kept.is_due]
        for kept in due[: max(AT_ONCE - coming, 0)]:
            # Whatever keeps it from that does not keep it from the next one.
            kept.is_due = False
            self.guard(kept, self.start)

    def _change_running(self, kept: KeptPlace) -> None:
        kept.look()
        if kept.current is not None and kept.current.was_ready:
            self._say(kept, "has new options: it is started anew")
            self.start(kept)
        elif kept.is_live:
            kept.end(now=True)
            self.start(kept)

    def _renew_changed(self, definition: Definition) -> None:
        for kept in self.places.values():
            newest = kept.next or kept.current
            # What was started after the settings were read has the newest code already.
            if newest and newest.started < definition.time:
                kept.renew(signal.SIGHUP)

    def _keep(self, place: Place) -> KeptPlace:
        kept = self.places.get(place)
        if kept is not None:
            return kept
        if self.definition is None or not self.definition.starts(place):
            raise ManagerError(f"no process group {place.process_group!r} is defined")
        self._forget_unused()
        spec = self.definition.spec(place, self._trusted(), new_token())
        path = self.directory.socket(place)
        kept = self.places[place] = KeptPlace.make(place, spec, path, self.loop.unwatch)
        return kept

    def reach(self, kept: KeptPlace) -> None:
        """Make a place's socket anew if somebody has removed it; its processes, too, then."""
        if not kept.is_whole:
            kept.remade = time.monotonic()
            self._say(kept, "had lost its socket or its board: they are made anew")
            kept.renew_listener()
            if kept.is_live:
                self.start(kept)

    def _forget_unused(self) -> None:
        dormant = [kept for kept in self.places.values() if not kept.running]
        if len(self.places) >= MOST_PLACES and dormant:
            self._forget(min(dormant, key=KeptPlace.last_used))

    def _forget(self, kept: KeptPlace) -> None:
        self.loop.unwatch(kept.listener)
        kept.close()
        del self.places[kept.place]

    def start(self, kept: KeptPlace) -> None:
        """Start a place's processes; what keeps them from it is logged."""
        self.loop.unwatch(kept.listener)
        kept.is_due = False
        # Within maximum_application_groups: the least recently used one ends.
        for other in leavers(kept, self.places.values()):
            other.end()
        said = kept.error
        if (reason := kept.start(self._start_processes)) and reason != said:
            self._say(kept, reason)
        for running in (kept.current, kept.next):
            if running is not None and running.output is not None:
                self.loop.pass_on(running.output)

    def refusal(self, place: Place) -> str:
        """Why a client may not start a place now, "" where it may, or need not."""
        kept = self.places.get(place)
        if self.definition is None or not self.definition.defines(place) or (kept and kept.is_live):
            return ""
        options = self.definition.options(place)
        return self._admission.refusal(place, options, self.places.values(), time.monotonic())

    def _start_processes(self, kept: KeptPlace) -> Running:
        assert self.definition is not None
        self._generation += 1
        return start_place(
            kept.spec,
            packages=self.definition.packages,
            listener=kept.listener,
            board_path=self.directory.board(kept.place, self._generation),
            log=self.log,
            processes=self.processes,
            may_switch=self.may_switch,
        )

    def guard(self, kept: KeptPlace, do: Callable[[KeptPlace], None]) -> None:
        """Do something for a place; what goes wrong with it is its own failure alone."""
        try:
            do(kept)
        except Exception as error:
            self._refuse(kept, f"cannot be looked after: {type(error).__name__}: {error}")

    def _look_at(self, kept: KeptPlace) -> None:
        now = time.monotonic()
        # Optimization: this look takes 5 us, all others 4, twenty times a second and group while
        # some are being started.
        if now - kept.looked > LOOK and now - kept.remade > REMAKE:
            kept.looked = now
            self.reach(kept)
        if message := self._look(kept):
            self._say(kept, message)
        if not kept.is_live:
            self._look_after_stopped(kept, now)
        elif kept.is_removed and now - kept.last_used() > LINGER:
            kept.end()

    def _look(self, kept: KeptPlace) -> str:
        """See what has become of a place's processes; their output that has ended is left alone."""
        if not kept.ending:
            return kept.look()
        had = _outputs(kept)
        message = kept.look()
        for descriptor in had - _outputs(kept):
            self.loop.unwatch(descriptor)
        return message

    def _look_after_stopped(self, kept: KeptPlace, now: float) -> None:
        if kept.is_removed:
            if not kept.ending and now - kept.last_used() > LINGER:
                self._forget(kept)
            return
        if kept.is_shut:
            kept.renew_listener()
        was_killed = kept.error and not kept.failures and not kept.place.application_group
        if kept.pending:
            # What was ordered while a start failed is tried, as it may have been the cure.
            self.start(kept)
            return
        # A process group that was killed is back before anyone asks for it.
        kept.is_due = kept.is_due or bool(was_killed)
        if now >= kept.waits_until:
            self.loop.watch(kept.listener, partial(self.guard, kept, self._answer_waiting))

    def _answer_waiting(self, kept: KeptPlace) -> None:
        if kept.is_live:
            self.loop.unwatch(kept.listener)
        elif time.monotonic() < kept.not_before:
            kept.refuse_waiting()
        elif reason := self.refusal(kept.place):
            kept.refuse_waiting(reason)
        elif not has_room(kept, self.places.values()):
            # The request waits in the socket until another place has answered its own.
            kept.waits_until = time.monotonic() + BUSY
            self.loop.unwatch(kept.listener)
        elif has_request(kept.listener):
            self._admission.count(kept.place, kept.spec.options, time.monotonic())
            self.start(kept)

    def _trusted(self) -> tuple[int, ...]:
        return tuple(sorted({0, os.geteuid()}))

    def _say(self, kept: KeptPlace, message: str) -> None:
        self.log.write(own_log(f"{kept.place.label} {message}"))


def _outputs(kept: KeptPlace) -> set[int]:
    return {running.output.descriptor for running in kept.running if running.output is not None}
