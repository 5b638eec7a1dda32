"""What clients and places may take of the server: its threads, and its patience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .gate import Gate, room
from .patience import BodyTimeout
from .server_threads import threads_at_start, threads_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Limits:
    """
    The limits of a process of the server.

    ``part`` is WSGIMATCH_THREADS_PER_PLACE: see gate.room(). It is made where the server loads
    the application, so that it learns of the server's threads.
    """

    def __init__(self, part: float | None = None, body_timeout: BodyTimeout | None = None) -> None:
        self.body_timeout = body_timeout
        self._part = part
        self._threads = threads_at_start()

    def gate(self, environ: WSGIEnvironment) -> Gate | None:
        """Return a gate for one place; ``environ`` is that of a request at work in this thread."""
        if self._part is None:
            return None
        if self._threads is None:
            self._threads = threads_of(environ)
        most = room(self._part, self._threads)
        return Gate(most) if most is not None else None


NO_LIMITS = Limits()
