"""
The server's workers' side of the groups: they have the manager started, and ask the places.

Whichever worker comes first starts the manager, under a lock; under gunicorn with
``-c python:django_wsgimatch.gunicorn`` it is the arbiter, before any worker.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ..exceptions import DaemonError, ManagerError, SettingError
from .board import has_reached
from .control import give_order, is_there, user_of
from .definition import Definition
from .directory import Directory, make_base, make_directory, sweep
from .limits import NO_LIMITS, Limits
from .logs import error_log_of_gunicorn
from .owner import Owner, this_server
from .place import NAMED_BY, Place
from .relay import Link, relay

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

PACKAGES = ("gunicorn", "django_wsgimatch")
# A place that is not known to the manager cannot be asked; Python -I looks nowhere by itself.
RUN_MANAGER = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from django_wsgimatch.daemon.manager import main; main()"
)
NOT_OURS = (
    "the manager of the daemon processes has ended, and only the server's arbiter can start it"
)
NOT_STARTED = "The manager of the daemon processes did not start: {}"


class Places:
    """
    The places outside the server's worker.

    ``front`` are the user and group ids that the server's workers run as, if not this process's;
    ``environment`` is what the groups have for environment variables; ``limits`` are those of the
    server's worker. Unless ``is_defining``,
    somebody else gives the manager the definition.
    """

    def __init__(
        self,
        definition: Definition,
        base: str,
        owner: Owner | None = None,
        front: tuple[int, int] | None = None,
        environment: Mapping[str, str] = os.environ,
        *,
        is_defining: bool = True,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self._limits = limits
        self.definition = definition
        self.owner = owner or this_server()
        self._base = base
        self._front = front or (os.geteuid(), os.getegid())
        self._environment = environment
        self._is_defining = is_defining
        self._links: dict[Place, Link] = {}
        self.directory = Directory("")

    def open(self) -> None:
        """
        Have the manager started if it is not there, and give it the definition.

        Raises SettingError where the sockets have no safe place, and ManagerError.
        """
        make_base(self._base)
        sweep(self._base)
        self.directory = make_directory(self.owner, self._base, self._front[0])
        if not is_there(self.directory.manager):
            self._start_manager()
        if self._is_defining and self._is_ours():
            self._define()

    def keep_open(self) -> None:
        """Have the manager started again if it has ended. Raises as open() does."""
        if self.owner.is_alive and not is_there(self.directory.manager):
            logger.error("The manager of the daemon processes has ended; it is started again.")
            self._start_again()

    def relay(
        self, place: Place, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Have a request answered in a place. Raises DaemonError."""
        link = self._links.get(place)
        if link is None:
            link = self._link(place, environ)
        return relay(link, environ, start_response)

    def relay_inside(
        self, place: Place, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """
        Have a request answered in a sub interpreter of the place's process group.

        That group's own processes have it, and find it by ``mod_wsgi.application_group``.
        """
        environ = environ | {NAMED_BY: place.naming}
        return self.relay(Place(place.process_group, ""), environ, start_response)

    def _link(self, place: Place, environ: WSGIEnvironment) -> Link:
        options = self.definition.options(place)
        path = self.directory.socket(place)
        link = Link(
            path,
            partial(self._wake, place),
            partial(self._has_reached, place),
            options.connect_timeout,
            options.socket_timeout,
            options.response_socket_timeout,
            gate=self._limits.gate(environ),
            body_timeout=self._limits.body_timeout,
        )
        if len(self._links) >= MOST_LINKS:
            self._forget_links()
        # Of two threads that make one at a time, both take the first.
        return self._links.setdefault(place, link)

    def _forget_links(self) -> None:
        """Forget the links that nobody uses: a gate must know of all that are in it."""
        links = self._links.copy()
        for place, link in links.items():
            if link.gate is None or link.gate.is_empty:
                self._links.pop(place, None)

    def _wake(self, place: Place) -> None:
        """Make a place known to the manager; start that one again if it is gone."""
        if not self.owner.is_alive:
            raise DaemonError(503, "The server's main process has ended")
        try:
            if not is_there(self.directory.manager):
                self._start_again()
            give_order(self.directory.manager, place.to_order())
        except (ManagerError, SettingError) as error:
            raise DaemonError(503, str(error)) from error

    def _start_again(self) -> None:
        self._start_manager()
        self._define()

    def _is_ours(self) -> bool:
        """Whether the manager takes this process's definition: one of root's has its own."""
        try:
            return user_of(self.directory.manager) in (None, os.geteuid())
        except OSError:
            return True

    def _has_reached(self, place: Place, request_id: int) -> bool:
        return any(has_reached(board, request_id) for board in self.directory.boards(place))

    def _define(self) -> None:
        order = {"do": "define", "definition": self.definition.to_json()}
        give_order(self.directory.manager, order)

    def _start_manager(self) -> None:
        if os.path.exists(self.directory.lock) and not os.access(self.directory.lock, os.W_OK):
            raise ManagerError(NOT_OURS)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = os.open(self.directory.lock, flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_there(self.directory.manager):
                self._run_manager()
        finally:
            os.close(lock)

    def _run_manager(self) -> None:
        told = {
            "base": self._base,
            "owner": [self.owner.pid, self.owner.started],
            "front": self._front,
            "log": error_log_of_gunicorn(),
        }
        lies_in = self.definition.packages["django_wsgimatch"]
        done = subprocess.run(
            [self.definition.python, "-I", "-c", RUN_MANAGER, lies_in, "(wsgi:manager)"],
            input=json.dumps(told).encode(),
            stdout=subprocess.PIPE,
            env=dict(self._environment),
            cwd="/",
            start_new_session=True,
            check=False,
        )
        if done.stdout != b"ready\n":
            raise ManagerError(NOT_STARTED.format("its messages in the server's log say why"))


# So many places are remembered; a place's link is made in 10 us.
MOST_LINKS = 1024


def own_python() -> str:
    """Return the Python of this process: uWSGI's executable is another program."""
    if os.path.basename(sys.executable).startswith("python"):
        return sys.executable
    return os.path.join(sys.prefix, "bin", "python3")


def own_packages() -> dict[str, str]:
    """Return where gunicorn and this package lie. Raises SettingError without gunicorn."""
    found = {}
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise SettingError(
                f"process groups and application groups need {name}, which is not installed: "
                'pip install "django-wsgimatch[gunicorn]"'
            )
        found[name] = os.path.dirname(os.path.abspath(spec.submodule_search_locations[0]))
    return found
