"""
What gunicorn does once for all its workers, with ``--preload``: the settings, and the table.

Nothing of an application is loaded there, and no connection or thread begins. Each worker finishes
the rest when it has been forked, as it would without ``--preload``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..daemon.servers.owner import frame_of_arbiter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("gunicorn.error")

KEPT = (
    "With --preload the settings and the table stay as they are: the new workers share those of "
    "before. Restart the server for new ones."
)


def preloading_arbiter() -> Any | None:
    """Return the gunicorn arbiter that loads its application in this process, before it forks."""
    frame = frame_of_arbiter()
    if frame is None or frame.f_code.co_name == "spawn_worker":
        return None
    return frame.f_locals["self"]


class Unfinished:
    """
    An application of which the arbiter of gunicorn has no more than its workers share.

    ``make`` returns the whole of it, in a worker.
    """

    def __init__(self, arbiter: Any, make: Callable[[], WSGIApplication]) -> None:
        self._make = make
        self._made: WSGIApplication | None = None
        # An arbiter has one application as long as it lives, whatever its HUPs.
        arbiter.app.wsgi = self._finishing(arbiter.app.wsgi)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the whole application: where it is wrapped in another one."""
        assert self._made is not None
        return self._made(environ, start_response)

    def _finishing(self, load: Callable[[], Any]) -> Callable[[], Any]:
        """Return gunicorn's way to its application, which finishes this one in a worker."""
        arbiter_pid = os.getpid()

        def load_and_finish() -> Any:
            loaded = load()
            if os.getpid() == arbiter_pid:
                # It asks again at a HUP.
                logger.warning(KEPT)
                return loaded
            self._made = self._make()
            return self._made if loaded is self else loaded

        return load_and_finish
