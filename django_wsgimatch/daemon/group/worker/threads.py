"""
The threads of a daemon process: each waits in accept(), so the kernel balances the requests.

A thread is started when no other waits in accept(), up to the number that the group has; so a
place that is asked by one client at a time has two.

A thread that has answered waits for another request on the same connection, if the front keeps
it: that takes two calls where a new connection takes nine, on both sides together, and each of
them gives up the interpreter's lock. But no front may wait for a thread while one is idle. So
somebody always looks at the listening socket unless all threads are at a request: a thread in
accept(), or else the watcher, which has an idle thread give up its connection.
"""

from __future__ import annotations

import errno
import logging
import mmap
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING

from ...board import Slot
from ...log_limits import SeldomWarning
from ...wire.protocol import AGAIN, ERROR, INLINE, READY_FRAME, encode_error, frame
from ...wire.wire import is_readable, peer_user, say_last
from .serving import Begin, Exchange, Find, serve_request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

_wrong_user = SeldomWarning(logger, "Refused a connection of user %s, who is not the server's.")

# How long the watcher looks at the listening socket before it looks up, in seconds.
LOOK_UP = 1.0
# What is received at once, in bytes: most requests, with a body that travels with its head.
LONGEST_PACKET = INLINE + 8192


@dataclass(slots=True, eq=False)
class Work:
    """A request that a thread is at: since when (time.monotonic()), and whose frames to show."""

    since: float
    thread: int
    connection: socket.socket


@dataclass(slots=True, eq=False, repr=False)
class RequestThreads:
    """
    Accepts connections on a place's listening socket and answers the requests.

    ``base`` is what every environ begins with, ``threads`` how many there are at most. ``trusted``
    are the user ids that may ask, ``token`` is what each request must carry. ``on_ready`` is called
    once there is a thread and before it takes a request, ``on_request`` after each request with the
    number of requests so far, ``on_failure`` when this process should end: the listening socket is
    of no use any more, or memory ran out. Sub interpreters allow no daemon threads.
    """

    listener: socket.socket
    base: WSGIEnvironment
    find: Find
    slot: Slot
    threads: int
    trusted: frozenset[int]
    token: bytes
    queue_timeout: float = 0
    is_daemon: bool = True
    on_ready: Callable[[], None] = lambda: None
    on_request: Callable[[int], None] = lambda count: None
    on_failure: Callable[[], None] = lambda: None
    is_open: bool = field(default=True, init=False)
    work: dict[int, Work] = field(default_factory=dict, init=False)
    # Who waits in accept(), and who on a connection of its own.
    _accepting: deque[None] = field(default_factory=deque, init=False)
    _waiting: dict[int, socket.socket] = field(default_factory=dict, init=False)
    _is_watched: bool = field(default=False, init=False)
    _orders: SimpleQueue[None] = field(default_factory=SimpleQueue, init=False)
    _watcher: threading.Thread | None = field(default=None, init=False)
    _started: list[threading.Thread] = field(default_factory=list, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _requests: int = field(default=0, init=False)

    def close(self) -> None:
        """Let every thread end once it is done; one in accept() may take one request more."""
        self.is_open = False
        while self._let_one_go():
            continue
        self._orders.put(None)

    @property
    def is_closed(self) -> bool:
        """Whether there are only requests left that had been taken before."""
        return not self.is_open and self.are_only_at([*self.work.values()])

    def join(self, timeout: float) -> bool:
        """Wait for the threads to end, at most so many seconds; return whether they have."""
        deadline = time.monotonic() + timeout
        threads = [*self._started, *([self._watcher] if self._watcher else [])]
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in threads)

    def are_only_at(self, given_up: Collection[Work]) -> bool:
        """
        Whether nothing is left but threads at this work.

        A thread that lives and is at no work may have accepted a request just now.
        """
        alive = [number for number, thread in enumerate(self._started) if thread.is_alive()]
        return all(self.work.get(number) in given_up for number in alive)

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
        thread = self._started[work.thread]
        return sys._current_frames().get(thread.ident or 0)

    def start(self) -> None:
        """Begin to accept, in one thread more if there may be one."""
        with self._lock:
            number = len(self._started)
            if number >= self.threads or not self.is_open:
                return
            name = f"wsgi-request-{number + 1}"
            thread = threading.Thread(
                target=self._run, args=(number,), name=name, daemon=self.is_daemon
            )
            self._started.append(thread)
            thread.start()
            if not number:
                self.on_ready()

    def _run(self, number: int) -> None:
        with self._lock:
            # Whoever has started the first thread says first that this process is ready.
            pass
        let_others_go_on()
        # Optimization: with a bytes object for each packet glibc gives memory back and takes it
        # again: 13 page faults a request with a body of 64 KiB, instead of 6. Of a mapping only
        # the pages that a request has reached are there.
        private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        memory = memoryview(mmap.mmap(-1, LONGEST_PACKET, flags=private))
        # Connections that are not accepted wait in the socket for the next process.
        while self.is_open:
            connection = self._accept()
            if connection is None:
                continue
            try:
                self.work[number] = Work(time.monotonic(), number, connection)
                self._answer_all(connection, number, memory)
            finally:
                self.work.pop(number, None)
                connection.close()

    def _accept(self) -> socket.socket | None:
        accepting = self._accepting
        accepting.append(None)
        try:
            connection = self.listener.accept()[0]
        except BlockingIOError:
            # The listening socket lets go of its waiters from time to time.
            accepting.pop()
            return None
        except OSError as error:
            accepting.pop()
            self._on_accept_error(error)
            return None
        accepting.pop()
        if not accepting:
            if len(self._started) < self.threads:
                self.start()
            elif self._waiting and not self._is_watched:
                self._watch()
        return connection

    def _answer_all(self, connection: socket.socket, number: int, memory: memoryview) -> None:
        """Answer the requests that come over a connection for as long as it is kept."""
        if not self._is_trusted(connection):
            return
        known = self.base.copy()
        slot = self.slot

        def begin(request_id: int) -> None:
            slot.begin(number, request_id, time.monotonic())
            self._requests += 1

        size = _receive(connection, memory)
        while size:
            self.work[number] = Work(time.monotonic(), number, connection)
            if not self._answer(connection, memory[:size], known, number, begin):
                return
            self.work.pop(number, None)
            size = self._next(connection, number, memory)

    def _answer(
        self,
        connection: socket.socket,
        packet: memoryview,
        known: WSGIEnvironment,
        number: int,
        begin: Begin,
    ) -> bool:
        """Answer one request; return whether the front waits with another."""
        is_kept = False
        exchange = Exchange(connection, self.token, self._may_keep)
        try:
            is_well = serve_request(exchange, packet, known, self.find, begin, self.queue_timeout)
            is_kept = is_well and exchange.is_kept
        except MemoryError:
            logger.critical("Out of memory: this process ends after its requests.")
            self.on_failure()
        except OSError as error:
            logger.debug("The front went away: %s", error)
        self.slot.end(number, time.monotonic())
        self.on_request(self._requests)
        if is_kept and not exchange.is_ready_sent:
            try:
                connection.sendall(READY_FRAME)
            except OSError:
                return False
        return is_kept

    def _may_keep(self) -> bool:
        """Whether somebody else looks at the listening socket."""
        return self.is_open and (self._is_watched or bool(self._accepting))

    def _next(self, connection: socket.socket, number: int, memory: memoryview) -> int:
        """Wait for another request; return how long it is, 0 at the connection's end."""
        # In this order: who looks for idle threads sees this one, or it sees that nobody looks.
        self._waiting[number] = connection
        size = 0 if self._is_wanted() else _receive(connection, memory)
        if self._waiting.pop(number, None) is None:
            # Somebody lets this thread go: the connection must not be closed under his hands.
            with self._lock:
                pass
            # What is still to come of a request that has just begun to come could not be read.
            size = 0
        if not size:
            # A request that is under way has not begun, and the word says so: without it only the
            # board could tell, and that may be gone.
            say_last(connection, frame(AGAIN))
        return size

    def _is_wanted(self) -> bool:
        """Whether a front waits for a thread that nothing else watches; if not, watch it."""
        if not self.is_open:
            return True
        if self._accepting or self._is_watched:
            return False
        if is_readable(self.listener):
            return True
        self._watch()
        return False

    def _watch(self) -> None:
        """Have the watcher look at the listening socket until a front comes."""
        self._is_watched = True
        if self._watcher is None:
            with self._lock:
                if self._watcher is None:
                    self._watcher = threading.Thread(
                        target=self._look_out, name="wsgi-watcher", daemon=self.is_daemon
                    )
                    self._watcher.start()
        self._orders.put(None)

    def _look_out(self) -> None:
        while self.is_open:
            self._orders.get()
            while self.is_open and not is_readable(self.listener, LOOK_UP):
                continue
            self._is_watched = False
            if not self._accepting:
                # With all at a request, the one that is done first will see it.
                self._let_one_go()

    def _let_one_go(self) -> bool:
        """Let a thread go that waits on a connection of its own; return whether there was one."""
        with self._lock:
            try:
                # It is told by this that its connection is not its own any more.
                _, connection = self._waiting.popitem()
            except KeyError:
                return False
            _release(connection)
            return True

    def _is_trusted(self, connection: socket.socket) -> bool:
        user = peer_user(connection)
        is_trusted = user is None or user in self.trusted
        if not is_trusted:
            _wrong_user.warn(user)
        return is_trusted

    def _on_accept_error(self, error: OSError) -> None:
        if error.errno == errno.EINVAL:
            # Who holds the socket has shut it down: it takes no more requests.
            self.close()
        elif error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
            logger.error("Cannot accept a request: %s", error)
            # Nothing tells when there is room again.
            time.sleep(0.05)
        elif error.errno not in (errno.EINTR, errno.ECONNABORTED):
            if self.is_open:
                logger.critical("The listening socket is of no use any more: %s", error)
            self.close()
            self.on_failure()


def let_others_go_on() -> None:
    """
    Have this thread wait its turn when it is woken (SCHED_BATCH), but not what it starts.

    Optimization: the front that has sent a request goes on to wait for the answer, instead of
    being pushed aside by the thread that it wakes: 15 % less CPU time under load, on both sides.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            policy = os.SCHED_BATCH | os.SCHED_RESET_ON_FORK
            os.sched_setscheduler(0, policy, os.sched_param(0))


def _receive(connection: socket.socket, memory: memoryview) -> int:
    try:
        return connection.recv_into(memory)
    except OSError as error:
        logger.debug("The front went away: %s", error)
        return 0


def _release(connection: socket.socket) -> None:
    """Let a thread that waits on a connection go."""
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError as error:
        logger.debug("The front went away: %s", error)
