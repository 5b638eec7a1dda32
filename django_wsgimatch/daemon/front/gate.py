"""
What clients and places may take of the server: its threads, and its patience.

A server's worker has few threads, and each waits for the place that its request is for. Where
one place could have them all, one that hangs would take all others with it.
"""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...exceptions import DaemonError
from .patience import BodyTimeout
from .server_threads import threads_at_start, threads_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FULL = (
    "{} requests to it are at work in this process, as many as WSGIMATCH_THREADS_PER_PLACE allows"
)
# A place that has let nobody out for so long is slow, and requests beyond its part are refused at
# once; before that they wait. Otherwise any short rush would be refused in part. In seconds.
PATIENCE = 0.5
# So long where its processes are being started: nobody has left for IDLE seconds before, or a
# request has found none. A place whose processes go away all the time is given it once in a while;
# its first start, which may be on demand, does not count.
FIRST_PATIENCE = 2.0
IDLE = 60.0
BETWEEN_STARTS = 5.0


class Gate:
    """Lets so many requests in at a time. Every enter() that has not raised needs a leave()."""

    __slots__ = ("_free", "_full_since", "_has_gone", "_last_left", "_most", "_started")

    def __init__(self, most: int) -> None:
        self._most = most
        # Optimization: on a busy server one request waits for each that leaves; with a Condition
        # each took 10 us more of 140. Where nobody waits, a list would take 0.1 us less. Not
        # imported by its name, as gevent puts a queue of its own in its place.
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(most):
            self._free.put(None)
        self._full_since = 0.0
        self._last_left = self._started = float("-inf")
        # Whether processes have been started again.
        self._has_gone = False

    def enter(self) -> None:
        """Let a request in. Raises DaemonError (503) where there is no room."""
        try:
            self._free.get_nowait()
        except queue.Empty:
            self._wait()
        if self._free.empty():
            self._full_since = time.monotonic()

    def leave(self) -> None:
        """Make room for another one."""
        self._last_left = time.monotonic()
        self._free.put(None)

    def expect_start(self) -> None:
        """Take note that a request has found no process."""
        now = time.monotonic()
        is_again = self._last_left > self._started > float("-inf")
        if now - self._started > BETWEEN_STARTS or (is_again and not self._has_gone):
            self._started = now
            self._has_gone = is_again

    @property
    def is_empty(self) -> bool:
        """Whether no request is inside."""
        return self._free.qsize() >= self._most

    def _wait(self) -> None:
        while (left := self._deadline() - time.monotonic()) > 0:
            try:
                self._free.get(timeout=left)
            except queue.Empty:
                # Others may have come and gone: then there is more time.
                continue
            return
        raise DaemonError(503, FULL.format(self._most))

    def _deadline(self) -> float:
        was_idle = self._full_since - self._last_left > IDLE
        started = self._full_since if was_idle else self._started
        return max(self._full_since + PATIENCE, started + FIRST_PATIENCE)


def room(part: float | None, threads: int | None) -> int | None:
    """
    Return how many of a server's threads one place may hold, None for all of them.

    A ``part`` that is a whole number is one of threads, a fraction one of ``threads``, which may
    be unknown. With a single thread there is nothing to share.
    """
    if part is None or threads == 1:
        return None
    if isinstance(part, int):
        return part
    if threads is None:
        return None
    most = max(int(part * threads), 1)
    return most if most < threads else None


@dataclass(slots=True, eq=False)
class Limits:
    """
    The limits of a process of the server.

    ``part`` is WSGIMATCH_THREADS_PER_PLACE: see room(). It is made where the server loads
    the application, so that it learns of the server's threads.
    """

    part: float | None = None
    body_timeout: BodyTimeout | None = None
    _threads: int | None = field(default_factory=threads_at_start, init=False)

    def gate(self, environ: WSGIEnvironment) -> Gate | None:
        """Return a gate for one place; ``environ`` is that of a request at work in this thread."""
        if self.part is None:
            return None
        if self._threads is None:
            self._threads = threads_of(environ)
        most = room(self.part, self._threads)
        return Gate(most) if most is not None else None


NO_LIMITS = Limits()
