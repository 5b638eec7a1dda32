"""
The threads of a daemon process: each waits in accept(), so the kernel balances the requests.

A thread is started when all others are at a request, up to the number that the group has; so a
place that is asked by one client at a time has two.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from .board import Slot
from .peers import peer_user
from .protocol import ERROR, encode_error, frame
from .serving import Find, serve

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")


@dataclass(frozen=True, slots=True)
class Work:
    """A request that a thread is at: since when (time.monotonic()), and whose frames to show."""

    since: float
    thread: int
    connection: socket.socket


class RequestThreads:
    """
    Accepts connections on a place's listening socket and answers the requests.

    ``trusted`` are the user ids that may ask. ``on_request`` is called after each request with
    the number of requests so far, ``on_failure`` when this process should end: the listening
    socket is of no use any more, or memory ran out. Sub interpreters allow no daemon threads.
    """

    def __init__(
        self,
        listener: socket.socket,
        base: WSGIEnvironment,
        find: Find,
        slot: Slot,
        *,
        threads: int,
        trusted: frozenset[int],
        queue_timeout: float = 0,
        is_daemon: bool = True,
        on_request: Callable[[int], None] = lambda count: None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self.is_open = True
        self.work: dict[int, Work] = {}
        self._listener = listener
        self._base = base
        self._find = find
        self._slot = slot
        self._most = threads
        self._trusted = trusted
        self._queue_timeout = queue_timeout
        self._is_daemon = is_daemon
        self._on_request = on_request
        self._on_failure = on_failure
        self._idle: deque[None] = deque()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._requests = 0

    def start(self) -> None:
        """Begin to accept."""
        self._start_thread()

    def close(self) -> None:
        """Let every thread end once it is done; one that waits may take one request more."""
        self.is_open = False

    def join(self, timeout: float) -> bool:
        """Wait for the threads to end, at most so many seconds; return whether they have."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)

    def overdue(self, seconds: float) -> list[Work]:
        """Return what has been at work for more than so many seconds."""
        now = time.monotonic()
        return [work for work in [*self.work.values()] if now - work.since > seconds]

    def abandon(self, work: Work, reason: str) -> None:
        """Let the front answer 504 for a request that takes too long."""
        if self.work.get(work.thread) is work:
            try:
                # Where a response has begun the front meets a frame it does not expect, and
                # cuts the client off: what it has had of the response is not the whole.
                work.connection.send(frame(ERROR, encode_error(504, reason)), socket.MSG_DONTWAIT)
                work.connection.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                logger.debug("The front of a request that takes too long is gone: %s", error)

    def frame_of(self, work: Work) -> FrameType | None:
        """The frame that a thread is in."""
        thread = self._threads[work.thread]
        return sys._current_frames().get(thread.ident or 0)

    def _start_thread(self) -> None:
        with self._lock:
            number = len(self._threads)
            if number >= self._most or not self.is_open:
                return
            name = f"wsgi-request-{number + 1}"
            thread = threading.Thread(
                target=self._run, args=(number,), name=name, daemon=self._is_daemon
            )
            self._threads.append(thread)
            thread.start()

    def _run(self, number: int) -> None:
        accept, idle, work = self._listener.accept, self._idle, self.work
        # Who is not accepted any more waits in the socket, for the next process.
        while self.is_open:
            idle.append(None)
            try:
                connection = accept()[0]
            except BlockingIOError:
                # The listening socket lets go of its waiters from time to time.
                idle.pop()
                continue
            except OSError as error:
                idle.pop()
                self._on_accept_error(error)
                continue
            idle.pop()
            if not idle and len(self._threads) < self._most:
                self._start_thread()
            work[number] = Work(time.monotonic(), number, connection)
            try:
                self._answer(connection, number)
            finally:
                work.pop(number, None)
                connection.close()

    def _answer(self, connection: socket.socket, number: int) -> None:
        slot = self._slot
        if not self._is_trusted(connection):
            return

        def begin(request_id: int) -> None:
            slot.begin(number, request_id, time.monotonic())
            self._requests += 1

        try:
            serve(connection, self._base, self._find, begin, self._queue_timeout)
        except MemoryError:
            logger.critical("Out of memory: this process ends after its requests.")
            self._on_failure()
        except OSError as error:
            logger.debug("The front went away: %s", error)
        slot.end(number, time.monotonic())
        self._on_request(self._requests)

    def _is_trusted(self, connection: socket.socket) -> bool:
        user = peer_user(connection)
        if user is None or user in self._trusted:
            return True
        logger.warning("Refused a connection of user %d.", user)
        return False

    def _on_accept_error(self, error: OSError) -> None:
        if error.errno == errno.EINVAL:
            # Who holds the socket has shut it down: it takes no more requests.
            self.is_open = False
        elif error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
            logger.error("Cannot accept a request: %s", error)
            # Nothing tells when there is room again.
            time.sleep(0.05)
        elif error.errno not in (errno.EINTR, errno.ECONNABORTED):
            if self.is_open:
                logger.critical("The listening socket is of no use any more: %s", error)
            self.is_open = False
            self._on_failure()


def release_waiters(listener: socket.socket, seconds: float) -> None:
    """Let accept() on a listening socket give up after so many seconds (SO_RCVTIMEO)."""
    whole = int(seconds)
    value = struct.pack("ll", whole, int((seconds - whole) * 1e6))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)


def poke(path: str, count: int) -> None:
    """Let ``count`` threads that wait in accept() look up, at once."""
    for _ in range(count):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.setblocking(False)
            try:
                connection.connect(os.fsencode(path))
            except OSError:
                return
