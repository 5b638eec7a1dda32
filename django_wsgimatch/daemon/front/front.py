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
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ...exceptions import DaemonError, ManagerError, ManagerGone, SettingError
from ..board import Shape, has_reached, process_at
from ..definition import Definition
from ..manager.logs import error_log_of_gunicorn
from ..manager.processes import start_of_root
from ..manager.starting import STARTER
from ..options import GroupOptions
from ..place import NAMED_BY, Place
from ..servers.directory import directory_of, make_base, make_directory, sweep
from ..servers.holding import is_at
from ..servers.managers import MANAGER_NAME, managers_of
from ..servers.owner import Owner, end_of, owner_of, this_server
from ..wire.control import Order, give_order, is_there
from ..wire.protocol import NO_TOKEN, TOKEN_SIZE
from . import elsewhere
from .limits import NO_LIMITS, Limits
from .link import Link
from .relay import relay

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

PACKAGES = ("gunicorn", "django_wsgimatch")
# A place that is not known to the manager cannot be asked; Python -I looks nowhere by itself.
RUN_MANAGER = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from django_wsgimatch.daemon.manager.manager import run_manager; run_manager()"
)
NOT_STARTED = "the manager of the daemon processes did not start: {}"
NO_STARTER = (
    "the process of root's that starts the groups has ended, and only root can start it again, "
    "with the server"
)
# How often the manager is looked at, where its end cannot be waited for and where it can; and how
# long it may take to answer, and how often it may not. It is replaced within less than a group's
# connect-timeout. All in seconds.
PAUSE, LONG_PAUSE, PING, MOST_UNANSWERED = 1.0, 3.0, 2.0, 2
# How long an order may take, a manager that has only lost its socket, the start of one, and
# whoever else starts one. In seconds.
ORDER, LONGEST_RETURN, LONGEST_START, LONGEST_LOCK = 10.0, 3.0, 20.0, 10.0


class Places:
    """
    The places outside the server's worker.

    ``base`` is the folder of servers' folders; ``environment`` is what the groups have for
    environment variables; ``limits`` are those of the server's worker. Unless ``is_defining``,
    somebody else gives the manager the definition.
    """

    def __init__(
        self,
        definition: Definition,
        base: str,
        owner: Owner | None = None,
        environment: Mapping[str, str] = os.environ,
        *,
        is_defining: bool = True,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self._limits = limits
        self.definition = definition
        self.owner = owner or this_server()
        self.directory = directory_of(self.owner, base)
        self._environment = environment
        self._is_defining = is_defining
        self._links: dict[Place, Link] = {}
        self._tokens: dict[Place, bytes] = {}
        # The manager that has answered last, and how often none has since.
        self._manager, self._unanswered = 0, 0

    def open(self) -> None:
        """
        Have the manager started if it is not there, and give it the definition.

        Raises SettingError where the sockets have no safe place, and ManagerError.
        """
        if not self.owner.is_alive:
            raise ManagerError("the server's main process has ended")
        make_base(self.directory.base)
        sweep(self.directory.base)
        make_directory(self.owner, self.directory.base)
        if not self._answers():
            self._start_manager()
        if self._is_defining:
            self._order(self._definition())
        self._tokens = self._ask_for_tokens()

    def _ask_for_tokens(self) -> dict[Place, bytes]:
        """Learn the tokens of the process groups ahead, for when no manager answers."""
        told = self._order({"do": "tokens"})["tokens"]
        return {Place(name, ""): bytes.fromhex(token) for name, token in told.items()}

    def keep_open(self) -> None:
        """
        Have the manager started again if it has ended, or has not answered for some time.

        Raises as open() does.
        """
        if not self.owner.is_alive:
            return
        if self._answers():
            self._unanswered = 0
            return
        self._unanswered += 1
        has_ended = not is_there(self.directory.manager)
        if has_ended or self._unanswered >= MOST_UNANSWERED:
            what = "has ended" if has_ended else "does not answer"
            logger.error("The manager of the daemon processes %s; it is started again.", what)
            self._unanswered = 0
            self._start_again()

    def watch(self) -> None:
        """Look after the manager from a thread of this process's own."""
        threading.Thread(target=self._watch, name="wsgimatch-watch", daemon=True).start()

    def _watch(self) -> None:
        said = ""
        while self.owner.is_alive:
            try:
                self._wait_for_end()
                self.keep_open()
                said = ""
            except (ManagerError, SettingError, OSError) as error:
                if str(error) != said:
                    logger.error("The manager of the groups cannot be started again: %s", error)
                said = str(error)
                time.sleep(PAUSE)

    def _wait_for_end(self) -> None:
        """Return when the manager has ended, or after some time; at once if it did not answer."""
        if self._unanswered:
            return
        end = end_of(owner_of(self._manager)) if self._manager else None
        if end is None:
            time.sleep(PAUSE)
            return
        try:
            select.select([end], [], [], LONG_PAUSE)
        finally:
            os.close(end)

    def close(self) -> None:
        """Close the connections that wait for a request."""
        for link in self._links.values():
            link.kept.clear()

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
        if options.socket is not None:
            link = _link_elsewhere(place, options.socket, options, self._limits, environ)
        else:
            link = Link(
                self.directory.socket(place),
                partial(self._wake, place),
                partial(self._has_reached, place),
                partial(self._process_at, place),
                options.connect_timeout,
                options.socket_timeout,
                options.response_socket_timeout,
                gate=self._limits.gate(environ),
                body_timeout=self._limits.body_timeout,
            )
            link.origin.token = self._tokens.get(place, b"")
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

    def _wake(self, place: Place) -> bytes:
        """Make a place known to the manager, started again if it is gone; return its token."""
        if not self.owner.is_alive:
            raise DaemonError(503, "The server's main process has ended")
        try:
            return token_of(self._order(place.to_order()))
        except (ManagerError, SettingError, OSError) as error:
            raise DaemonError(503, str(error)) from error

    def _start_again(self) -> None:
        make_directory(self.owner, self.directory.base)
        self._start_manager()

    def _order(self, order: Order) -> Order:
        """Give an order; where the manager has ended or hangs, to the one that follows it."""
        try:
            return give_order(self.directory.manager, order, timeout=ORDER)
        except ManagerGone:
            self._start_again()
            return give_order(self.directory.manager, order, timeout=ORDER)

    def _answers(self) -> bool:
        try:
            answer = give_order(self.directory.manager, {"do": "ping"}, timeout=PING)
        except ManagerError:
            return False
        self._manager = int(answer["pid"])
        return True

    def _has_reached(self, place: Place, request_id: int) -> bool:
        """A board that is gone tells nothing, and the request may have been on it."""
        boards = self.directory.boards(place)
        return not boards or any(has_reached(board, request_id) for board in boards)

    def _process_at(self, place: Place, request_id: int) -> int:
        """The process that has taken a request, as far as the boards tell."""
        options = self.definition.options(place)
        shape = Shape.of(options.processes, options.threads)
        boards = self.directory.boards(place)
        return max((process_at(board, shape, request_id) for board in boards), default=0)

    def _definition(self) -> Order:
        return {"do": "define", "definition": self.definition.to_json()}

    def _start_manager(self) -> None:
        """Start the manager, unless there is one that answers. Raises ManagerError, and OSError."""
        lock = self._lock()
        try:
            if not self._is_coming():
                self._run_manager()
        finally:
            os.close(lock)

    def _lock(self) -> int:
        """
        Return the folder's lock, held. Raises ManagerError where it cannot be had.

        Whoever has it may have been stopped, and be ended by who waits here.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        deadline = time.monotonic() + LONGEST_LOCK
        while time.monotonic() < deadline:
            try:
                lock = os.open(self.directory.lock, flags, 0o600)
            except OSError as error:
                raise ManagerError(f"{self.directory.lock!r}: {error.strerror}") from error
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if is_at(lock, self.directory.lock):
                    return lock
            except BlockingIOError:
                time.sleep(0.02)
            os.close(lock)
        raise ManagerError(f"another process holds {self.directory.lock!r}, and does not go on")

    def _is_coming(self) -> bool:
        """
        Whether there is a manager, or one that has only lost its socket and makes a new one.

        One that does neither is killed: there are never two.
        """
        if self._answers():
            return True
        found = managers_of(self.owner)
        if is_there(self.directory.manager):
            return self._end_managers(found)
        for pid in found:
            _kill(pid, signal.SIGUSR1)
        deadline = time.monotonic() + LONGEST_RETURN
        while found and time.monotonic() < deadline:
            if is_there(self.directory.manager):
                return self._answers() or self._end_managers(found)
            time.sleep(0.02)
            found = managers_of(self.owner)
        return self._end_managers(found)

    def _end_managers(self, found: list[int]) -> bool:
        """Kill what does not answer; return that there is no manager."""
        for pid in found:
            _kill(pid, signal.SIGKILL)
        return False

    def _run_manager(self) -> None:
        starter = _starter()
        stdout = _own_stdout()
        passed = [stdout] if stdout is not None else []
        told = {
            "base": self.directory.base,
            "owner": [self.owner.pid, self.owner.started],
            "log": error_log_of_gunicorn(),
            "stdout": stdout,
            "starter": [starter[0].fileno(), starter[1]] if starter is not None else None,
            # Known before it takes an order: no request may find it without its groups.
            "definition": self.definition.to_json(),
        }
        lies_in = self.definition.packages["django_wsgimatch"]
        words = [lies_in, MANAGER_NAME, self.owner.name]
        command = [self.definition.python, "-I", "-c", RUN_MANAGER, *words]
        try:
            done = subprocess.run(
                command,
                input=json.dumps(told).encode(),
                stdout=subprocess.PIPE,
                env=dict(self._environment),
                cwd="/",
                start_new_session=True,
                check=False,
                timeout=LONGEST_START,
                pass_fds=[*passed, *([starter[0].fileno()] if starter is not None else [])],
            )
        except subprocess.TimeoutExpired:
            took = f"it took more than {LONGEST_START:g} s"
            raise ManagerError(NOT_STARTED.format(took)) from None
        finally:
            for descriptor in passed:
                os.close(descriptor)
            if starter is not None:
                starter[0].close()
        if done.stdout != b"ready\n":
            said = done.stdout.decode("utf-8", "replace") or "its messages in the log say why"
            raise ManagerError(NOT_STARTED.format(said))


def _own_stdout() -> int | None:
    """Return a descriptor of this process's standard output, None where it is closed."""
    with suppress(OSError):
        return os.dup(1)
    return None


def _link_elsewhere(
    place: Place, path: str, options: GroupOptions, limits: Limits, environ: WSGIEnvironment
) -> Link:
    """How a place is reached that somebody else runs. Raises DaemonError where there is none."""
    if place.application_group:
        reason = elsewhere.refusal(place.process_group, place.application_group)
        raise DaemonError(500, f"{reason}. {elsewhere.WRITE_GLOBAL}")
    return Link(
        path,
        # Who runs it may be about to start it: the front tries again until connect-timeout. It has
        # no token that the manager could tell: the socket's owner and mode say who may send.
        wake=lambda: NO_TOKEN,
        # Its board is its own: a request that may have reached it is never sent again.
        has_reached=lambda request_id: True,
        connect_timeout=options.connect_timeout,
        socket_timeout=options.socket_timeout,
        response_socket_timeout=options.response_socket_timeout,
        cure=elsewhere.cure(place.process_group),
        gate=limits.gate(environ),
        body_timeout=limits.body_timeout,
    )


def keep_starter_private() -> None:
    """Let no program that an application starts in this process have the way to the starter."""
    given = os.environ.get(STARTER)
    if given is not None:
        os.set_inheritable(int(given.partition(",")[0]), False)


def _starter() -> tuple[socket.socket, int] | None:
    """A new socket to the starter, and its process; None where there is none."""
    given = os.environ.get(STARTER)
    if given is None:
        return None
    control, _, pid = given.partition(",")
    try:
        return start_of_root(int(control)), int(pid)
    except (OSError, ValueError) as error:
        raise ManagerError(f"{NO_STARTER}: {error}") from error


def _kill(pid: int, signum: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signum)


def token_of(answer: Order) -> bytes:
    """Return the token in the manager's answer to the order "place". Raises ManagerError."""
    try:
        token = bytes.fromhex(answer["token"])
    except (KeyError, TypeError, ValueError):
        token = b""
    if len(token) != TOKEN_SIZE:
        raise ManagerError("the manager does not tell the place's token: it is of another version")
    return token


# So many places are remembered.
MOST_LINKS = 1024


def own_python() -> str:
    """
    Return the Python of this process, that of its virtual environment if it has one.

    A server that embeds Python has another program for executable, as uWSGI, or the Python that
    the environment was made from, as mod_wsgi with python-home.
    """
    executable = sys.executable or ""
    is_python = os.path.basename(executable).startswith("python")
    has_environment = sys.prefix != sys.base_prefix
    if is_python and (not has_environment or _lies_in(executable, sys.prefix)):
        return executable
    found = [os.path.join(sys.prefix, "bin", name) for name in ("python3", "python")]
    usable = [path for path in found if os.access(path, os.X_OK)]
    return next(iter(usable), executable if is_python else found[0])


def _lies_in(path: str, directory: str) -> bool:
    return os.path.abspath(path).startswith(os.path.join(os.path.abspath(directory), ""))


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
