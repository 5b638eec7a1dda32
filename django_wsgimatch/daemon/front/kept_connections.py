"""Connections to places that the front keeps between requests."""

from __future__ import annotations

import os
import socket
from collections import deque
from weakref import WeakSet

from ..wire.protocol import READY_FRAME

# So many connections stay open in a process, to all its places together: the oldest is closed.
MOST_KEPT = 64
# So many whose group has not been ready when they were given back are asked, then a new one is
# made.
_MOST_ASKED = 2


class Connection:
    """A connection to a place, and the environ's text items of the newest request over it."""

    __slots__ = ("socket", "texts")

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.texts: dict[str, str] = {}


class KeptConnections:
    """
    The connections of one place that wait for a request, the last one used first.

    A connection is either known to have a thread waiting at its other end, or is asked when it is
    taken. Each belongs to one thread of this process at a time, and to none of its children.
    """

    __slots__ = ("__weakref__", "_ready", "_unsure")

    def __init__(self) -> None:
        self._ready: deque[Connection] = deque()
        self._unsure: deque[Connection] = deque()
        _pools.add(self)

    def __len__(self) -> int:
        return len(self._ready) + len(self._unsure)

    def take(self) -> Connection | None:
        """Return a connection whose other end waits for a request, None where there is none."""
        try:
            connection = self._ready.pop()
        except IndexError:
            return self._ask() if self._unsure else None
        _all.pop(connection, None)
        return connection

    def give(self, connection: Connection, *, is_ready: bool) -> None:
        """Keep a connection whose response is over."""
        pool = self._ready if is_ready else self._unsure
        _all[connection] = pool
        pool.append(connection)
        if len(_all) > MOST_KEPT:
            _close_oldest()

    def clear(self) -> None:
        """Close them all."""
        for pool in (self._ready, self._unsure):
            while pool:
                connection = pool.pop()
                _all.pop(connection, None)
                connection.socket.close()

    def _ask(self) -> Connection | None:
        for _ in range(min(len(self._unsure), _MOST_ASKED)):
            try:
                connection = self._unsure.pop()
            except IndexError:
                return None
            _all.pop(connection, None)
            try:
                said = connection.socket.recv(len(READY_FRAME) + 1, socket.MSG_DONTWAIT)
            except BlockingIOError:
                # Its application is not done with the response before: others may be.
                self._unsure.appendleft(connection)
                _all[connection] = self._unsure
                continue
            except OSError:
                said = b""
            if said == READY_FRAME:
                return connection
            connection.socket.close()
        return None


_pools: WeakSet[KeptConnections] = WeakSet()
# The oldest first. Optimization: an OrderedDict took 0.3 us more a request.
_all: dict[Connection, deque[Connection]] = {}


def _close_oldest() -> None:
    try:
        connection = next(iter(_all))
        _all.pop(connection).remove(connection)
    except (KeyError, RuntimeError, StopIteration, ValueError):
        # Another thread has just taken it.
        return
    connection.socket.close()


def _forget() -> None:
    """In a child process the connections are the parent's: close them here, and only here."""
    for pool in list(_pools):
        pool.clear()


os.register_at_fork(after_in_child=_forget)
