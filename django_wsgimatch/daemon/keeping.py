"""A place as the manager keeps it: its listening socket, its processes, and what went wrong."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ..exceptions import SettingError
from .board import BoardReport
from .options import GroupOptions
from .place import Place
from .protocol import AGAIN, ERROR, encode_error, frame
from .spec import GroupSpec, same
from .starting import Running
from .threads import release_waiters

DEFAULTS = GroupOptions()
# A thread that waits in accept() looks up after so many seconds.
LOOK_UP = 1.0
# After a start that failed, requests are refused at once for so long: twice as long each time.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
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
    used: float = field(default_factory=time.monotonic)
    current: Running | None = None
    next: Running | None = None
    ending: list[Running] = field(default_factory=list)

    @property
    def is_live(self) -> bool:
        """Whether there are processes that take requests, or will."""
        return self.current is not None or self.next is not None

    @property
    def is_settled(self) -> bool:
        """Whether nothing needs to be looked at before long."""
        return not self.next and not self.ending and (not self.current or self.current.was_ready)

    @property
    def is_ending(self) -> bool:
        """Whether processes are on their way out."""
        return bool(self.ending)

    @property
    def running(self) -> list[Running]:
        """All processes of the place."""
        return [r for r in (self.current, self.next, *self.ending) if r is not None]

    def report(self) -> BoardReport | None:
        """What the processes that answer say of themselves."""
        return self.current.report() if self.current is not None else None

    @property
    def is_busy(self) -> bool:
        """Whether a request is at work."""
        report = self.report()
        return report is not None and report.busy > 0

    def last_used(self) -> float:
        """When a request last began or ended, or the place was made."""
        report = self.report()
        return max(self.used, report.last_active if report else 0.0)

    @classmethod
    def make(
        cls, place: Place, spec: GroupSpec, path: str, forget: Callable[[socket.socket], None]
    ) -> KeptPlace:
        """Make a place with its socket. Raises OSError where the socket cannot be made."""
        listener = listen(path, spec.options)
        return cls(place, spec, path, listener, identity_of(path), forget)

    @property
    def is_reachable(self) -> bool:
        """Whether the socket still lies where the fronts look for it."""
        try:
            return not self.is_shut and identity_of(self.path) == self.identity
        except OSError:
            return False

    def renew_listener(self) -> None:
        """
        Listen on a new socket; whoever waits at the old one is told to come again.

        Raises OSError where the new one cannot be made, as on a full disk: then there is none, as
        the old one is the processes', too, and ``is_shut`` says so.
        """
        if not self.is_shut:
            self.is_shut = True
            self.forget(self.listener)
            _give_back(self.listener)
        self.listener = listen(self.path, self.spec.options)
        self.identity = identity_of(self.path)
        self.is_shut = False

    def start(self, start: Start) -> None:
        """Start the place's processes; what keeps them from it is kept as the place's error."""
        self.starts += 1
        try:
            # Their threads wait in accept().
            self.listener.setblocking(True)
            running = start(self)
        except (OSError, SettingError) as error:
            self.fail(f"cannot be started: {error}")
            return
        if self.current is None:
            self.current = running
        else:
            self._drop_next()
            self.next = running

    def change(self, spec: GroupSpec) -> bool:
        """Take a new spec; return whether the processes must be started anew for it."""
        before, self.spec = self.spec, spec
        changed = not same(before, spec)
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
        self.current = self.next = None
        if was_live:
            # Threads that wait for a request need not wait any longer.
            self.renew_listener()

    def fail(self, reason: str) -> None:
        """Refuse requests for a while."""
        self.failures += 1
        pause = min(SHORTEST_PAUSE * 2 ** (self.failures - 1), LONGEST_PAUSE)
        self.not_before = time.monotonic() + pause
        self.error, self.error_time = reason, time.time()

    def refuse_waiting(self, reason: str = "") -> None:
        """Answer 503 to whoever waits for processes that do not start, or may not."""
        reason = reason or f"process group '{self.place.label}' {self.error}"
        answer = frame(ERROR, encode_error(503, reason))
        for connection in _waiting(self.listener):
            with connection, suppress(OSError):
                connection.send(answer, socket.MSG_DONTWAIT)

    def has_request(self) -> bool:
        """
        Whether a request waits; it is sent again by its front.

        What has been closed in the meantime is none, nor is what has let threads look up.
        """
        connection = next(_waiting(self.listener), None)
        if connection is None:
            return False
        with connection:
            try:
                if not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                    return False
            except BlockingIOError:
                pass
            except OSError:
                return False
            with suppress(OSError):
                connection.send(frame(AGAIN), socket.MSG_DONTWAIT)
        return True

    def close(self) -> None:
        """Take no more requests."""
        self.listener.close()
        Path(self.path).unlink(missing_ok=True)

    def _look_at_current(self, running: Running) -> str:
        if running.process.returncode is not None:
            return self._lost(running)
        if not running.was_ready and running.report().is_ready:
            running.was_ready = self.has_been_ready = True
            self.failures, self.error = 0, ""
        return ""

    def _look_at_next(self, running: Running) -> str:
        if running.process.returncode is not None:
            self.next = None
            self._end(running, now=True)
            said = f" ({running.process.error})" if running.process.error else ""
            self.error = f"did not start with its new options{said}; the old processes still serve"
            self.error_time = time.time()
            return self.error
        if running.report().is_ready:
            running.was_ready = True
            if self.current is not None:
                self._end(self.current, now=False)
            self.current, self.next = running, None
            return "has been started anew"
        return ""

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
        if running.was_ready:
            self.error, self.error_time = reason, time.time()
        elif running.process.error:
            self.fail(f"did not start: {running.process.error}")
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
                running.release()
                self.ending.remove(running)

    def _drop_next(self) -> None:
        if self.next is not None:
            self._end(self.next, now=True)
            self.next = None


def _has_workers(running: Running) -> bool:
    """Whether daemon processes may still be at work, after an arbiter that was killed."""
    return not running.process.is_gone and running.was_ready and running.report().busy > 0


def _who(options: GroupOptions) -> tuple[object, ...]:
    return options.user, options.group, options.supplementary_groups


def _waiting(listener: socket.socket) -> Iterator[socket.socket]:
    """Yield the connections that wait at a socket that only this process has, or that is shut."""
    with suppress(OSError):
        while True:
            yield listener.accept()[0]


def _give_back(listener: socket.socket) -> None:
    """
    Take no more requests on a socket; whoever waits there is told to come again.

    Other processes may have the socket, and may have made accept() wait: shut down, it cannot,
    and nobody can undo that.
    """
    with listener, suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
        for connection in _waiting(listener):
            with connection, suppress(OSError):
                connection.send(frame(AGAIN), socket.MSG_DONTWAIT)


def identity_of(path: str) -> tuple[int, int]:
    """Return what tells a file from another that takes its name. Raises OSError."""
    status = os.lstat(path)
    return status.st_dev, status.st_ino


def listen(path: str, options: GroupOptions = DEFAULTS) -> socket.socket:
    """
    Return a new listening socket at a path, for this process's user alone.

    It does not block. Raises OSError, with the path, where it cannot be made.
    """
    listener = bind(path, 0o600)
    begin_to_listen(listener, options)
    listener.setblocking(False)
    return listener


def bind(path: str, mode: int) -> socket.socket:
    """
    Return a new socket at a path, in place of what lies there.

    Raises OSError, with the path, where it cannot be made.
    """
    Path(path).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o777 & ~mode)
    try:
        listener.bind(path)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.umask(before)
    return listener


def begin_to_listen(listener: socket.socket, options: GroupOptions) -> None:
    """Let a place's threads accept on a socket, as its options say."""
    release_waiters(listener, LOOK_UP)
    for option, size in (
        (socket.SO_SNDBUF, options.send_buffer_size),
        (socket.SO_RCVBUF, options.receive_buffer_size),
    ):
        if size:
            listener.setsockopt(socket.SOL_SOCKET, option, size)
    listener.listen(options.listen_backlog)
