"""The time by which a whole answer must be there, however slowly its bytes come."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType


class Deadline:
    """
    Ends a connection when its time is over.

    A timeout of a socket begins again with every byte, and cannot end a TLS handshake that goes
    on. ``has_passed`` says whether the connection was ended.
    """

    def __init__(self, seconds: float) -> None:
        self.has_passed = False
        self._lock = threading.Lock()
        self._watched: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._watched is not None:
                self._watched.close()
                self._watched = None

    def watch(self, connection: socket.socket) -> None:
        """End this connection in time, whatever it is wrapped in."""
        with self._lock:
            self._watched = connection.dup()
            if self.has_passed:
                self._end()

    def _pass(self) -> None:
        with self._lock:
            self.has_passed = True
            self._end()

    def _end(self) -> None:
        if self._watched is not None:
            with suppress(OSError):
                self._watched.shutdown(socket.SHUT_RDWR)
