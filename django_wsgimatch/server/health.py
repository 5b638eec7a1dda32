"""
Whether this server lives, and whether it is ready to be sent requests.

``live`` and ``ready`` answer below WSGIMATCH_HEALTH_PATH, to whoever asks the server itself: a
balancer, a kubelet, an operator. Nobody learns anything through a proxy.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..answers.proxies.trusted import PEER
from ..daemon.front.front import Places
from ..daemon.servers.directory import Directory, make_directory
from ..daemon.servers.owner import Owner
from ..daemon.wire.control import give_order
from ..exceptions import ManagerError
from ..preloading import Preloads
from ..text import cut
from .pages import not_found

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

DRAINING = "the server is draining"
# What proxies add to a request, besides X-Forwarded-For and its like; and what is left of such
# headers where they have been dropped.
ADDED_BY_PROXIES = ("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP", PEER)
# How long the manager may take to say how the groups are, and how long that holds, in seconds:
# who asks again and again must not keep it busy.
PATIENCE, HOLDS = 2.0, 0.5
# The longest reason, in characters, and the most of them that are told.
LONGEST, MOST = 500, 20


@dataclass(slots=True, eq=False)
class Health:
    """
    The pages of one worker of a server.

    ``directory`` is the folder that the server's workers share: in it lies the order to drain,
    and the name of the ``project``.
    """

    preloads: Preloads
    places: Places | None
    owner: Owner
    directory: Directory
    project: str
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _groups: tuple[str, ...] = field(default=(), init=False)
    _asked_again: float = field(default=0.0, init=False)

    def open(self) -> None:
        """
        Make the server's folder, with the project's name for ``wsgimatch drain``.

        Raises SocketDirectoryError and OSError.
        """
        make_directory(self.owner, self.directory.base)
        self.directory.set_project(self.project)

    def pages(self, path: str) -> dict[str, WSGIApplication]:
        """Return the pages below a path."""
        return dict(zip(page_paths(path), (self.live, self.ready), strict=True))

    def live(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer 200: this worker has a thread for a request."""
        if has_come_through_a_proxy(environ):
            return not_found(environ, start_response)
        return _answer("200 OK", ["live"], environ, start_response)

    def ready(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer 200, or 503 with all reasons."""
        if has_come_through_a_proxy(environ):
            return not_found(environ, start_response)
        if reasons := self.reasons():
            return _answer("503 Service Unavailable", reasons, environ, start_response)
        return _answer("200 OK", ["ready"], environ, start_response)

    def reasons(self) -> list[str]:
        """Return why this server should be sent no requests, [] where it should."""
        self._keep_open()
        draining = [DRAINING] if self.directory.is_draining else []
        return [*draining, *self.preloads.failures(), *self._reasons_of_groups()]

    def _keep_open(self) -> None:
        """Make the folder again where a cleaner of temporary files has removed it."""
        if os.path.exists(self.directory.project):
            return
        try:
            self.open()
        except OSError as error:
            logger.error("`wsgimatch drain` cannot find this server: %s", error)

    def _reasons_of_groups(self) -> tuple[str, ...]:
        if self.places is None:
            return ()
        with self._lock:
            if time.monotonic() >= self._asked_again:
                self._groups = _ask(self.places.directory.manager)
                self._asked_again = time.monotonic() + HOLDS
            return self._groups


def page_paths(path: str) -> tuple[str, str]:
    """Return the paths of the pages below a path."""
    return f"{path}live", f"{path}ready"


def has_come_through_a_proxy(environ: WSGIEnvironment) -> bool:
    """Whether a proxy has left its headers in a request."""
    return any(key.startswith("HTTP_X_FORWARDED") or key in ADDED_BY_PROXIES for key in environ)


def _ask(manager: str) -> tuple[str, ...]:
    try:
        reasons = give_order(manager, {"do": "ready"}, timeout=PATIENCE).get("reasons")
    except ManagerError as error:
        return (str(error),)
    if not isinstance(reasons, list):
        return ("the manager of the groups is of another version: restart the server",)
    return tuple(map(str, reasons))


def _answer(
    status: str,
    lines: list[str],
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Iterable[bytes]:
    more = [f"and {len(lines) - MOST} more"] if len(lines) > MOST else []
    text = "".join(f"{cut(line, LONGEST)}\n" for line in [*lines[:MOST], *more]).encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(text))),
        ("Cache-Control", "no-store"),
    ]
    start_response(status, headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [text]
