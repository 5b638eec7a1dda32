"""
How a server under gunicorn ends: not ready first, then no new connections, then the requests end.

gunicorn's own arbiter closes its listening socket and tells the workers to end at once. A threaded
worker then keeps its socket open, without accepting, until its requests have ended: whoever
connects in the meantime waits, and is reset in the end.
"""

from __future__ import annotations

import select
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ..daemon.servers.directory import Directory, remove_directory


@dataclass(slots=True, eq=False)
class Leaving:
    """
    What a server that was told to end does first: it drains for so many ``seconds``.

    ``directory`` is its folder, removed at the end if ``is_own``: if no manager does it.
    """

    directory: Directory
    seconds: float
    is_own: bool
    _ends: float | None = field(default=None, init=False)

    def begin(self) -> bool:
        """Begin to drain. Return False where the server should end now, as at a second order."""
        if not self.seconds or self._ends is not None:
            return False
        with suppress(OSError):
            self.directory.drain(on=True)
        self._ends = time.monotonic() + self.seconds
        return True

    @property
    def is_over(self) -> bool:
        """Whether the server has drained, and should end."""
        return self._ends is not None and time.monotonic() >= self._ends

    def clean(self) -> None:
        """Remove the server's folder."""
        if self.is_own:
            remove_directory(self.directory)


def closing_listeners(worker_class: type[Any]) -> type[Any]:
    """
    Return gunicorn's class of workers, one that closes its listening sockets when it is to end.

    Classes other than the threaded one have nothing to change: they end with their request, or
    close by themselves.
    """
    if not hasattr(worker_class, "set_accept_enabled") or hasattr(worker_class, "end_listening"):
        return worker_class

    class Closing(worker_class):  # type: ignore[misc]
        sockets: list[Any]

        def set_accept_enabled(self, enabled: bool) -> None:
            super().set_accept_enabled(enabled)
            if not enabled and not self.alive:
                self.end_listening()

        def end_listening(self) -> None:
            """Take whoever has connected already, then let nobody connect."""
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    before = self.nr_conns
                    self.accept(listener)
                    if self.nr_conns == before:
                        # Another worker has been quicker.
                        break
                listener.close()
            self.sockets = []

    Closing.__name__ = Closing.__qualname__ = worker_class.__name__
    return Closing
