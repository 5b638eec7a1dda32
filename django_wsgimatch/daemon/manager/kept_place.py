"""A place as the manager keeps it: its listening socket, its processes, and what went wrong."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...exceptions import SettingError
from ..board import BoardReport
from ..group_spec import GroupSpec
from ..options import GroupOptions
from ..place import Place
from ..servers.listener import LOOK_UP, give_back, identity_of, listen, refuse_waiting
from .starting import Running

# After a start that failed, requests are refused at once for so long: twice as long each time.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
# A place that was started for a request is not ended for another one's before it has answered, or
# has had so long for it, in seconds.
TURN = 5.0
# While a group starts with the server, the next ones wait for it at most so long, in seconds.
LONGEST_TURN = 10.0
# So long after the end of its processes a board stays, in seconds: a front asks it what became of a
# request, and takes a board that is gone for one that somebody has removed.
BOARD_STAYS = 5.0
# An arbiter does its round each second; it has so many seconds for it once it is late.
ROUND, ROUNDS = 1.0, 3.0
# What a place's processes get beyond their own timeouts to end, in seconds.
GRACE = 2.0

Start = Callable[["KeptPlace"], Running]


@dataclass(slots=True, eq=False)
class KeptPlace:
    """
    A place that the manager keeps.

    ``current`` are the processes that answer, ``next`` those that are to follow them, ``ending``
    those that are on their way out. While there are processes that answer, the listening socket
    is theirs too, and nothing that could block is done with it: what a description may do is
    theirs to change. After them comes a new socket.
    """

    place: Place
    spec: GroupSpec
    path: str
    listener: socket.socket
    identity: tuple[int, int]
    # Called with a listening socket that is about to be closed.
    forget: Callable[[socket.socket], None]
    starts: int = 0
    failures: int = 0
    not_before: float = 0.0
    error: str = ""
    error_time: float = 0.0
    has_been_ready: bool = False
    is_removed: bool = False
    is_shut: bool = False
    # Whether it waits for its turn to be started with the server.
    is_due: bool = False
    # Whether the processes were killed before they were ready, the last time.
    was_killed: bool = False
    # What the processes that are gone have counted.
    past_requests: int = 0
    past_ended: int = 0
    crashes_before: int = 0
    # The signal with which the processes that are being started are told to renew, once ready.
    pending: signal.Signals | None = None
    # When it was last looked whether its files are there, and when they were made anew.
    looked: float = float("-inf")
    remade: float = float("-inf")
    waits_until: float = 0.0
    # When the processes were last started, or were to be.
    tried: float = float("-inf")
    used: float = field(default_factory=time.monotonic)
    current: Running | None = None
    next: Running | None = None
    ending: list[Running] = field(default_factory=list)
    # The boards of processes that are gone, and until when they stay.
    old_boards: list[tuple[float, str]] = field(default_factory=list)

    @property
    def is_live(self) -> bool:
        """Whether there are processes that take requests, or will."""
        return self.current is not None or self.next is not None

    @property
    def is_settled(self) -> bool:
        """Whether nothing needs to be looked at before long."""
        if time.monotonic() - self.waits_until < LOOK_UP:
            # A request waits for room.
            return False
        is_still = not self.is_due and not self.next and not self.ending
        return is_still and (not self.current or self.current.was_ready)

    @property
    def is_coming(self) -> bool:
        """Whether it is being started, and does not take so long that others wait no more."""
        running = self.current
        is_new = running is not None and time.monotonic() - running.started < LONGEST_TURN
        return is_new and running is not None and not running.was_ready

    @property
    def is_ending(self) -> bool:
        """Whether processes are on their way out, and no others of the place have taken over."""
        return not all(running.is_replaced for running in self.ending)

    @property
    def running(self) -> list[Running]:
        """All processes of the place."""
        return [r for r in (self.current, self.next, *self.ending) if r is not None]

    def report(self) -> BoardReport | None:
        """What the processes that answer say of themselves."""
        return self.current.report() if self.current is not None else None

    @property
    def requests(self) -> int:
        """How many requests the place has had."""
        return self.past_requests + sum(each.report().requests for each in self.running)

    @property
    def ended(self) -> int:
        """How many processes have ended, for whatever reason."""
        return self.past_ended + sum(each.report().ended for each in self.running)

    @property
    def crashes(self) -> int:
        """How many processes have died that nobody had told to end."""
        return self.crashes_before + sum(each.report().crashes for each in self.running)

    @property
    def is_busy(self) -> bool:
        """Whether a request is at work."""
        report = self.report()
        return report is not None and report.busy > 0

    @property
    def has_had_its_turn(self) -> bool:
        """Whether the processes have been asked since they were started, or could have been."""
        if self.current is None or not self.current.was_ready:
            return False
        is_new = time.monotonic() - self.current.started < TURN
        return not is_new or self.current.report().last_active > 0

    def last_used(self) -> float:
        """When a request last began or ended, or the place was made or started."""
        report = self.report()
        last = report.last_active if report else 0.0
        # What lies ahead, or is no number, is not believed.
        started = self.current.started if self.current is not None else 0.0
        return max(self.used, started, last if last <= time.monotonic() else 0.0)

    @classmethod
    def make(
        cls, place: Place, spec: GroupSpec, path: str, forget: Callable[[socket.socket], None]
    ) -> KeptPlace:
        """Make a place with its socket. Raises OSError where the socket cannot be made."""
        listener = listen(path, spec.options)
        return cls(place, spec, path, listener, identity_of(path), forget)

    @property
    def is_whole(self) -> bool:
        """Whether the socket and the newest board still lie where the fronts look for them."""
        newest = self.next or self.current
        try:
            is_reachable = not self.is_shut and identity_of(self.path) == self.identity
        except OSError:
            return False
        return is_reachable and (newest is None or os.path.exists(newest.board_path))

    def renew_listener(self) -> None:
        """
        Listen on a new socket; whoever waits at the old one is told to come again.

        Raises OSError where the new one cannot be made, as on a full disk: then there is none, as
        the old one is the processes', too, and ``is_shut`` says so.
        """
        if not self.is_shut:
            self.is_shut = True
            self.forget(self.listener)
            give_back(self.listener)
        self.listener = listen(self.path, self.spec.options)
        self.identity = identity_of(self.path)
        self.is_shut = False

    def start(self, start: Start) -> str:
        """
        Start the place's processes; return what keeps them from it.

        It is kept as the place's error. What answers goes on to do so.
        """
        self.starts += 1
        self.tried = time.monotonic()
        # They load what there is now.
        self.pending = None
        try:
            # Their threads wait in accept().
            self.listener.setblocking(True)
            running = start(self)
        except (OSError, SettingError) as error:
            reason = f"cannot be started: {error}"
            if self.is_live:
                self.error, self.error_time = reason, time.time()
            else:
                self.fail(reason)
            return reason
        if self.current is None:
            self.current = running
        else:
            self._drop_next()
            self.next = running
        return ""

    def renew(self, signum: signal.Signals) -> None:
        """
        Have the processes renewed: by USR2 in any case, by HUP where their code has changed.

        What is being started may have loaded already what has changed since, and knows no
        signals yet: it is told as soon as it is ready.
        """
        if self.current is not None and self.current.was_ready and self.next is None:
            self.current.send(signum)
        elif self.pending != signal.SIGUSR2:
            self.pending = signum

    def change(self, spec: GroupSpec) -> bool:
        """Take a new spec; return whether the processes must be started anew for it."""
        before, self.spec = self.spec, spec
        changed = before.whenever_started != spec.whenever_started
        if changed:
            self.failures, self.not_before = 0, 0.0
            if self.is_shut or _who(before.options) != _who(spec.options):
                # What another user has left behind must not take this one's requests.
                self.renew_listener()
            else:
                self.listener.listen(spec.options.listen_backlog)
        return changed

    def look(self) -> str:
        """See what has become of the place's processes; return what is worth a log line."""
        self._reap_ending()
        if any(_end_hung(running) for running in (self.current, self.next) if running):
            return "has not reacted for deadlock-timeout: it is ended"
        if self.next is not None:
            return self._look_at_next(self.next)
        if self.current is not None:
            return self._look_at_current(self.current)
        return ""

    def end(self, *, now: bool = False) -> None:
        """End the place's processes, after the requests that are at work."""
        was_live = self.is_live
        for running in (self.current, self.next):
            if running is not None:
                self._end(running, now)
        self.current = self.next = self.pending = None
        self.is_due = False
        if was_live:
            # Threads that wait for a request need not wait any longer.
            self.renew_listener()

    def fail(self, reason: str) -> None:
        """Refuse requests for a while."""
        self.failures += 1
        pause = min(SHORTEST_PAUSE * 2 ** min(self.failures - 1, 10), LONGEST_PAUSE)
        self.not_before = time.monotonic() + pause
        self.error, self.error_time = reason, time.time()

    def refuse_waiting(self, reason: str = "") -> None:
        """Answer 503 to whoever waits for processes that do not start, or may not."""
        # The manager has said its own when the start failed.
        own = f"process group '{self.place.label}' {self.error}"
        refuse_waiting(self.listener, reason or own, is_logged=not reason)

    def close(self) -> None:
        """Take no more requests."""
        self.listener.close()
        Path(self.path).unlink(missing_ok=True)
        self._remove_boards(float("inf"))

    def _look_at_current(self, running: Running) -> str:
        if running.process.returncode is not None:
            return self._lost(running)
        if not running.was_ready and running.report().is_ready:
            running.was_ready = self.has_been_ready = True
            self.failures, self.was_killed, self.error = 0, False, ""
            self._renew_as_asked()
        return ""

    def _look_at_next(self, running: Running) -> str:
        if running.process.returncode is not None:
            self.next = None
            self._end(running, now=True)
            said = f" ({running.process.error})" if running.process.error else ""
            self.error = f"did not start with its new options{said}; the old processes still serve"
            self.error_time = time.time()
            self._renew_as_asked()
            return self.error
        if running.report().is_ready:
            running.was_ready = True
            if self.current is not None:
                self.current.is_replaced = True
                self._end(self.current, now=False)
            self.current, self.next = running, None
            self._renew_as_asked()
            return "has been started anew"
        return ""

    def _renew_as_asked(self) -> None:
        signum, self.pending = self.pending, None
        if signum is not None:
            self.renew(signum)

    def _lost(self, running: Running) -> str:
        status = running.process.returncode or 0
        self.current = None
        # Workers that have lost their arbiter end by themselves.
        self._end(running, now=running.was_ready is False)
        if self.next is None:
            self.renew_listener()
        if status == 0:
            return "has ended" if not running.is_ending else ""
        reason = f"ended with status {status}" if status > 0 else f"was killed by signal {-status}"
        self.crashes_before += status < 0
        if status > 0 and (said := running.report().error):
            reason = f"{reason}: {said}"
        if running.was_ready:
            self.error, self.error_time = reason, time.time()
        elif running.process.error:
            self.fail(f"did not start: {running.process.error}")
        elif status < 0 and not self.was_killed:
            # Somebody has killed it, not its own mistake: nobody is refused for that yet.
            self.was_killed = True
            self.error, self.error_time = reason, time.time()
        else:
            self.fail(f"did not start: it {reason}; see its log lines above")
        return reason

    def _end(self, running: Running, now: bool) -> None:
        running.is_ending = True
        options = running.spec.options
        running.send(signal.SIGKILL if now else signal.SIGTERM)
        running.deadline = time.monotonic()
        if now:
            running.kill()
        else:
            graceful = max(options.graceful_timeout, options.eviction_timeout)
            running.deadline += graceful + options.shutdown_timeout + GRACE
        self.ending.append(running)

    def _reap_ending(self) -> None:
        for running in [*self.ending]:
            over = time.monotonic() >= running.deadline
            has_ended = running.process.returncode is not None
            if over or (has_ended and not _has_workers(running)):
                # Children that the application has started are the group's, too.
                running.kill()
            if running.process.is_gone:
                self._count_past(running.report())
                running.release()
                self.ending.remove(running)
                self.old_boards.append((time.monotonic() + BOARD_STAYS, running.board_path))
        self._remove_boards(time.monotonic())

    def _count_past(self, report: BoardReport) -> None:
        self.past_requests += report.requests
        self.past_ended += report.ended + len(report.workers)
        self.crashes_before += report.crashes

    def _remove_boards(self, now: float) -> None:
        due = [each for each in self.old_boards if each[0] <= now]
        for each in due:
            Path(each[1]).unlink(missing_ok=True)
            self.old_boards.remove(each)

    def _drop_next(self) -> None:
        if self.next is not None:
            self._end(self.next, now=True)
            self.next = None


def _has_workers(running: Running) -> bool:
    """Whether daemon processes may still be at work, after an arbiter that was killed."""
    return not running.process.is_gone and running.was_ready and running.report().busy > 0


def _end_hung(running: Running) -> bool:
    """
    End an arbiter that does nothing any more, and return whether it was one.

    Only that process: its workers answer what they have begun. SIGALRM ends what runs, SIGCONT
    what has been stopped.
    """
    limit, now = running.spec.options.deadlock_timeout, time.monotonic()
    if now - running.looked < ROUND:
        # Optimization: to read a board takes 25 us, all other looks at a group 4, twenty times a
        # second while some are being started.
        return False
    running.looked, beat = now, running.report().beat
    is_late = now - max(running.started, beat if beat <= now else 0.0) > limit
    if not limit or running.process.returncode is not None or not is_late:
        running.late_since = 0.0
        return False
    # What has written over the board is gone with the arbiter's next round.
    running.late_since = running.late_since or now
    is_hung = now - running.late_since > ROUNDS
    if is_hung:
        running.send(signal.SIGALRM)
        running.send(signal.SIGCONT)
    return is_hung


def _who(options: GroupOptions) -> tuple[object, ...]:
    return options.user, options.group, options.supplementary_groups
