"""
The manager: the one process of a server that starts its groups, keeps them, and ends them.

It runs as the server's own user, never as root beside other users: what needs root it asks of the
starter (``processes``). It holds every place's listening socket, so a request that comes while a
group starts, restarts or is stopped waits and is not lost; a request to a stopped place starts it.
It ends with the server's main process, and the groups end with it.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ...exceptions import ManagerError, WSGIMatchError
from ..definition import Definition
from ..group_spec import new_token
from ..place import Place
from ..servers.directory import Directory, directory_of, make_directory, remove_directory
from ..servers.managers import managers_of
from ..servers.owner import Owner, end_of
from ..wire.control import Order
from ..wire.peers import peer_process, peer_user
from .admission import Admission, has_room, leavers
from .ancestry import stems_from
from .conversation import MOST, Conversation
from .kept_place import KeptPlace, identity_of, listen
from .logs import GroupOutput, ServerLog, own_log
from .order_outcome import outcome_of_none, restart_outcome, stop_outcome
from .processes import LocalProcesses, Processes, StartedByRoot
from .starting import Running, start_place
from .status import place_status, status_elsewhere, unreadiness

# How long the manager sleeps when nothing is on its way, and when something is, in seconds.
QUIET, BUSY = 5.0, 0.05
# A group that the settings no longer name serves the server's old workers for so long, and so long
# the files of a manager that was killed stay.
LINGER = 60.0
# What has lost a file is looked after by itself so often, in seconds, besides by each request.
REMAKE = 10.0
# Places that nobody has asked for lately are forgotten beyond this number.
MOST_PLACES = 2048
OPEN_FILES = 8192


class Manager:
    """Keeps the places of one server."""

    def __init__(
        self,
        owner: Owner,
        directory: Directory,
        processes: Processes,
        log: ServerLog,
        starter: int | None = None,
    ) -> None:
        self.owner = owner
        self.directory = directory
        self.processes = processes
        self.log = log
        # Whose descendants give no orders: the groups' own processes.
        self.parent_of_groups = starter if starter is not None else os.getpid()
        self.may_switch = starter is not None or os.geteuid() == 0
        self.definition: Definition | None = None
        self.admission = Admission()
        self.places: dict[Place, KeptPlace] = {}
        self.conversations: list[Conversation] = []
        # The output of groups that print too much, by its descriptor, and how it is read again.
        self.waiting: dict[int, tuple[GroupOutput, Callable[[], None]]] = {}
        self.is_open = True
        self.is_replaced = False
        self.complaint = ""
        # No board of a manager before this one has such a number.
        self.generation = time.monotonic_ns()
        self.before: list[str] = []
        self.began, self.born = time.time(), time.monotonic()
        self.selector = selectors.DefaultSelector()
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
        listener = self.listener
        self._watch(listener, lambda: self._take_orders(listener))

    def begin(self, definition: dict[str, Any]) -> None:
        """Take a first definition; what is wrong with it is in the log."""
        try:
            self.define({"definition": definition})
        except (OSError, WSGIMatchError) as error:
            self._complain(f"the groups cannot be started: {error}")

    def run(self, end_of_owner: int | None, wakeup: int) -> None:
        """Take orders until the server ends, or this process is told to."""
        self._watch(wakeup, lambda: os.read(wakeup, 4096))
        if end_of_owner is not None:
            self._watch(end_of_owner, self.close)
        if (told_by := self.processes.fileno()) is not None:
            self._watch(told_by, self.processes.look)
        while self.is_open:
            self._turn(self._patience(end_of_owner))
            if end_of_owner is None and not self.owner.is_alive:
                self.close()
            if self.processes.is_lost:
                self.log.write(own_log("the starter has ended, and with it the groups"))
                self.close()
            self._look_around()
        if not self.is_replaced:
            self._end_all()
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
            self._unwatch(self.listener)
            self.listener.close()
            self.listen()
        except (OSError, WSGIMatchError) as error:
            self._complain(f"the folder of sockets cannot be made again: {error}")
            return
        self._complain(f"{self.directory.path!r} had been removed, and is made again")
        for kept in [*self.places.values()]:
            self._guard(kept, self._reach)

    def define(self, order: Order) -> Order:
        """Take the server's definition, unless a later one is known; start what it asks for."""
        definition = Definition.from_json(order["definition"])
        if self.definition is None or definition.time >= self.definition.time:
            is_first, self.definition = self.definition is None, definition
            self._apply(definition)
            if not is_first:
                self._renew_changed(definition)
        return {"directory": self.directory.path}

    def make_place(self, order: Order) -> Order:
        """Make an application group's place known, so that it can be asked."""
        place = Place.from_order(order)
        if reason := self._refusal(place):
            raise ManagerError(reason)
        try:
            kept = self._reachable(place)
        except FileNotFoundError:
            # Somebody has removed the folder, just now or in the meantime.
            self.look_after_directory()
            kept = self._reachable(place)
        return {"socket": kept.path, "token": kept.spec.token}

    def _reachable(self, place: Place) -> KeptPlace:
        """Return a place that can be asked. Raises OSError where its socket cannot be made."""
        kept = self._keep(place)
        kept.used = time.monotonic()
        self._reach(kept)
        return kept

    def tell_tokens(self, order: Order) -> Order:
        """Tell the tokens of the process groups, by name."""
        own = {
            p.process_group: k.spec.token for p, k in self.places.items() if not p.application_group
        }
        return {"tokens": own}

    def tell_status(self, order: Order) -> Order:
        """Tell how all places are."""
        places = [place_status(kept) for kept in self.places.values() if not kept.is_removed]
        return {
            "pid": os.getpid(),
            "server": self.owner.pid,
            "started": self.began,
            "project": self.definition.project if self.definition is not None else "",
            "places": [*places, *self._elsewhere()],
        }

    def tell_ready(self, order: Order) -> Order:
        """Tell what keeps the groups that start with the server from answering."""
        return {"reasons": [*filter(None, map(unreadiness, self.places.values()))]}

    def restart(self, order: Order) -> Order:
        """Replace the processes of a name's places, the new ones ready before the old ones end."""
        since, named = time.monotonic(), self._named(order["name"])
        for kept in named:
            kept.look()
            kept.failures, kept.not_before = 0, 0.0
            self._reach(kept)
            if kept.is_live:
                kept.renew(signal.SIGUSR2)
            else:
                kept.error = ""
                self._start(kept)
        return {"places": [kept.place.label for kept in named], "since": since}

    def stop(self, order: Order) -> Order:
        """End the processes of a name's places; the next request starts them again."""
        since, named = time.monotonic(), self._named(order["name"])
        for kept in named:
            kept.end()
        return {"places": [kept.place.label for kept in named], "since": since}

    def tell_outcome(self, order: Order) -> Order:
        """Tell what has become of an order to restart or to stop, by its answer."""
        is_stop, since = order["of"] == "stop", float(order["since"])
        kept_by_name = {kept.place.label: kept for kept in self.places.values()}
        tell = stop_outcome if is_stop else restart_outcome
        outcomes = [
            tell(kept_by_name[name], since)
            if name in kept_by_name
            else outcome_of_none(name, was_to_stop=is_stop)
            for name in order["places"]
        ]
        return {"outcomes": outcomes}

    def _elsewhere(self) -> list[dict[str, Any]]:
        if self.definition is None:
            return []
        return [status_elsewhere(*each) for each in self.definition.elsewhere().items()]

    def _named(self, name: str) -> list[KeptPlace]:
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

    def _apply(self, definition: Definition) -> None:
        for place in definition.process_groups():
            self._keep(place)
        for place, _ in definition.preload:
            if definition.starts(place):
                self._keep(place)
        preloading = {place for place, _ in definition.preload}
        for place, kept in [*self.places.items()]:
            if definition.starts(place):
                is_first = not place.application_group or place in preloading
                self._guard(kept, partial(self._redefine, is_first=is_first))
            else:
                kept.is_removed = True
                kept.used = time.monotonic()

    def _redefine(self, kept: KeptPlace, is_first: bool) -> None:
        """Give a place its new options; ``is_first`` starts it before anybody asks."""
        assert self.definition is not None
        kept.is_removed = False
        if kept.change(self.definition.spec(kept.place, self._trusted(), kept.spec.token)):
            self._change_running(kept)
        # Each worker of the server tells what it has read, perhaps before the last try.
        is_newer = self.definition.time > kept.tried
        if not kept.is_live and is_first and is_newer:
            self._start(kept)

    def _change_running(self, kept: KeptPlace) -> None:
        kept.look()
        if kept.current is not None and kept.current.was_ready:
            self._say(kept, "has new options: it is started anew")
            self._start(kept)
        elif kept.is_live:
            kept.end(now=True)
            self._start(kept)

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
        kept = self.places[place] = KeptPlace.make(place, spec, path, self._unwatch)
        return kept

    def _reach(self, kept: KeptPlace) -> None:
        """Make a place's socket anew if somebody has removed it; its processes, too, then."""
        if not kept.is_whole:
            kept.remade = time.monotonic()
            self._say(kept, "had lost its socket or its board: they are made anew")
            kept.renew_listener()
            if kept.is_live:
                self._start(kept)

    def _forget_unused(self) -> None:
        dormant = [kept for kept in self.places.values() if not kept.running]
        if len(self.places) >= MOST_PLACES and dormant:
            self._forget(min(dormant, key=KeptPlace.last_used))

    def _forget(self, kept: KeptPlace) -> None:
        self._unwatch(kept.listener)
        kept.close()
        del self.places[kept.place]

    def _start(self, kept: KeptPlace) -> None:
        self._unwatch(kept.listener)
        self._make_room(kept)
        said = kept.error
        if (reason := kept.start(self._start_processes)) and reason != said:
            self._say(kept, reason)
        for running in (kept.current, kept.next):
            if running is not None and running.output is not None:
                self._watch(running.output.descriptor, self._drain(running))

    def _make_room(self, kept: KeptPlace) -> None:
        """Keep within maximum_application_groups: the least recently used one ends."""
        for other in leavers(kept, self.places.values()):
            other.end()

    def _refusal(self, place: Place) -> str:
        """Why a client may not start a place now, "" where it may, or need not."""
        kept = self.places.get(place)
        if self.definition is None or not self.definition.defines(place) or (kept and kept.is_live):
            return ""
        options = self.definition.options(place)
        return self.admission.refusal(place, options, self.places.values(), time.monotonic())

    def _start_processes(self, kept: KeptPlace) -> Running:
        assert self.definition is not None
        self.generation += 1
        return start_place(
            kept.spec,
            packages=self.definition.packages,
            listener=kept.listener,
            board_path=self.directory.board(kept.place, self.generation),
            log=self.log,
            processes=self.processes,
            may_switch=self.may_switch,
        )

    def _drain(self, running: Running) -> Callable[[], None]:
        output = running.output
        assert output is not None

        def drain() -> None:
            if not output.drain():
                self._unwatch(output.descriptor)
            elif output.must_wait:
                self._unwatch(output.descriptor)
                self.waiting[output.descriptor] = output, drain

        return drain

    def _turn(self, patience: float) -> None:
        """Wait for what there is to do, and do it."""
        for key, _ in self.selector.select(patience):
            key.data()
        now = time.monotonic()
        for conversation in [each for each in self.conversations if now > each.deadline]:
            self._end_conversation(conversation)
        for descriptor, (output, drain) in [*self.waiting.items()]:
            if not output.must_wait:
                del self.waiting[descriptor]
                self._watch(descriptor, drain)
        self.processes.look()

    def _look_around(self) -> None:
        self.look_after_directory()
        if self.before and time.monotonic() - self.born > LINGER:
            self._remove_files_of_before()
        for kept in [*self.places.values()]:
            self._guard(kept, self._look_at)

    def _remove_files_of_before(self) -> None:
        """What a manager that was killed has left; no front has a question to its boards by now."""
        for path in {*self.before} - {kept.path for kept in self.places.values()}:
            Path(path).unlink(missing_ok=True)
        self.before = []

    def _guard(self, kept: KeptPlace, do: Callable[[KeptPlace], None]) -> None:
        """Do something for a place; what goes wrong with it is its own failure alone."""
        try:
            do(kept)
        except Exception as error:
            reason = f"cannot be looked after: {type(error).__name__}: {error}"
            if kept.error != reason:
                self._say(kept, reason)
            kept.fail(reason)

    def _look_at(self, kept: KeptPlace) -> None:
        now = time.monotonic()
        if now - kept.remade > REMAKE and not kept.is_whole:
            self._reach(kept)
        had = _outputs(kept)
        if message := kept.look():
            self._say(kept, message)
        for descriptor in had - _outputs(kept):
            self._unwatch(descriptor)
        if not kept.is_live:
            self._look_after_stopped(kept, now)
        elif kept.is_removed and now - kept.last_used() > LINGER:
            kept.end()

    def _look_after_stopped(self, kept: KeptPlace, now: float) -> None:
        if kept.is_removed:
            if not kept.ending and now - kept.last_used() > LINGER:
                self._forget(kept)
            return
        if kept.is_shut:
            kept.renew_listener()
        was_killed = kept.error and not kept.failures and not kept.place.application_group
        if kept.pending or was_killed:
            # A process group that was killed is back before anyone asks for it, and what was
            # ordered while a start failed is tried, as it may have been the cure.
            self._start(kept)
            return
        if now >= kept.waits_until:
            self._watch(kept.listener, lambda: self._wanted(kept))

    def _wanted(self, kept: KeptPlace) -> None:
        self._guard(kept, self._answer_waiting)

    def _answer_waiting(self, kept: KeptPlace) -> None:
        if kept.is_live:
            self._unwatch(kept.listener)
        elif time.monotonic() < kept.not_before:
            kept.refuse_waiting()
        elif reason := self._refusal(kept.place):
            kept.refuse_waiting(reason)
        elif not has_room(kept, self.places.values()):
            # The request waits in the socket until another place has answered its own.
            kept.waits_until = time.monotonic() + BUSY
            self._unwatch(kept.listener)
        elif kept.has_request():
            self.admission.count(kept.place, kept.spec.options, time.monotonic())
            self._start(kept)

    def _patience(self, end_of_owner: int | None) -> float:
        if self.waiting or not all(kept.is_settled for kept in self.places.values()):
            return BUSY
        return QUIET if end_of_owner is not None else min(QUIET, 0.5)

    def _take_orders(self, listener: socket.socket) -> None:
        try:
            connection = listener.accept()[0]
        except OSError:
            return
        if len(self.conversations) >= MOST:
            self._end_conversation(self.conversations[0])
        conversation = Conversation(connection, self._carry_out)
        self.conversations.append(conversation)
        self.selector.register(
            connection, selectors.EVENT_READ, lambda: self._converse(conversation)
        )

    def _converse(self, conversation: Conversation) -> None:
        was_answering = conversation.is_answering
        conversation.go_on()
        if conversation.is_over:
            self._end_conversation(conversation)
        elif conversation.is_answering and not was_answering:
            react = lambda: self._converse(conversation)  # noqa: E731
            self.selector.modify(conversation.connection, selectors.EVENT_WRITE, react)

    def _end_conversation(self, conversation: Conversation) -> None:
        if conversation in self.conversations:
            self.conversations.remove(conversation)
            self.selector.unregister(conversation.connection)
            conversation.close()

    def _carry_out(self, connection: socket.socket, order: Order) -> Order:
        """Do what somebody wants who may: the server's own processes, its user's, and root's."""
        name = order["do"]
        if peer_user(connection) not in (None, 0, os.geteuid()):
            raise ManagerError(f"only the server's own user may {name}")
        pid = peer_process(connection)
        if pid and stems_from(pid, {self.parent_of_groups}):
            raise ManagerError(f"a process of a group may not {name}")
        return self.orders[name](order)

    def _trusted(self) -> tuple[int, ...]:
        return tuple(sorted({0, os.geteuid()}))

    def _say(self, kept: KeptPlace, message: str) -> None:
        self.log.write(own_log(f"{kept.place.label} {message}"))

    def _complain(self, message: str) -> None:
        """Say something about the server as a whole, once."""
        if message != self.complaint:
            self.complaint = message
            self.log.write(own_log(message))

    def _watch(self, file: int | socket.socket, react: Callable[[], Any]) -> None:
        if _number(file) not in self.selector.get_map():
            self.selector.register(_number(file), selectors.EVENT_READ, react)

    def _unwatch(self, file: int | socket.socket) -> None:
        self.waiting.pop(_number(file), None)
        if _number(file) in self.selector.get_map():
            self.selector.unregister(_number(file))

    def _end_all(self) -> None:
        """End all groups; those of a server that was killed get no time."""
        for kept in self.places.values():
            self._unwatch(kept.listener)
            kept.end()
        longest = 1.5 if not self.owner.is_alive else None
        deadline = time.monotonic() + longest if longest is not None else None
        while any(kept.ending for kept in self.places.values()) or self.processes.has_strays:
            self._turn(BUSY)
            for kept in self.places.values():
                if deadline is not None and time.monotonic() > deadline:
                    for running in kept.ending:
                        running.deadline = 0.0
                had = _outputs(kept)
                kept.look()
                for descriptor in had - _outputs(kept):
                    self._unwatch(descriptor)


def _outputs(kept: KeptPlace) -> set[int]:
    return {running.output.descriptor for running in kept.running if running.output is not None}


def _number(file: int | socket.socket) -> int:
    return file if isinstance(file, int) else file.fileno()


def run_manager() -> None:
    """Run the manager that standard input describes; say so on standard output once it is there."""
    told = json.loads(sys.stdin.read())
    owner = Owner(*told["owner"])
    directory = directory_of(owner, told["base"])
    ready = _detach()
    end = end_of(owner)
    if end is None and not owner.is_alive:
        # The server has ended while this process was started: nobody else removes the folder.
        remove_directory(directory)
        return
    _allow_open_files()
    processes, starter = _processes(told["starter"])
    manager = Manager(owner, directory, processes, _log(told["log"], told["stdout"]), starter)
    try:
        manager.listen()
    except OSError as error:
        os.write(ready, str(error).encode("utf-8", "backslashreplace"))
        return
    os.write(ready, b"ready\n")
    os.close(ready)
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    _handle_signals(manager, write)
    manager.begin(told["definition"])
    manager.run(end, read)


def _log(path: str | None, stdout: int | None) -> ServerLog:
    """The server's log; ``stdout`` is a descriptor of the server's standard output."""
    if stdout is None:
        return ServerLog(path)
    os.set_inheritable(stdout, False)
    return ServerLog(path, stdout=stdout)


def _processes(starter: list[int] | None) -> tuple[Processes, int | None]:
    """Who starts processes, and which process of root's that is; ``starter`` is its socket too."""
    if starter is None:
        return LocalProcesses(), None
    descriptor, pid = starter
    os.set_inheritable(descriptor, False)
    return StartedByRoot(socket.socket(fileno=descriptor)), pid


def _detach() -> int:
    """Become a process of its own; return where to say that it is ready."""
    if os.fork():
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    ready = os.dup(1)
    os.dup2(nothing, 0)
    # What is printed by mistake belongs into the log.
    os.dup2(2, 1)
    os.close(nothing)
    os.chdir("/")
    return ready


def _handle_signals(manager: Manager, wakeup: int) -> None:
    signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(signum, lambda number, frame: manager.close())
    for signum in (signal.SIGCHLD, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(signum, lambda number, frame: None)


def _allow_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
