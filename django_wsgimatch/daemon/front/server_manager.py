"""
The server's manager, as one of the server's workers has it: asked, watched, started if missing.

Whichever worker comes first starts it, under a lock; under gunicorn with
``-c python:django_wsgimatch.gunicorn`` it is the arbiter, before any worker.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import select
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from ...exceptions import ManagerError, ManagerGone, SettingError
from ..definition import Definition
from ..manager.processes import start_of_root
from ..manager.starting import STARTER
from ..servers.directory import Directory, make_base, make_directory, sweep
from ..servers.held_file import is_at, open_own
from ..servers.managers import MANAGER_NAME, managers_of, send_to
from ..servers.owner import Owner, end_of, owner_of
from ..wire.control import Order, give_order, is_there
from .manager_start import NOT_STARTED, run_until_ready

logger = logging.getLogger("django_wsgimatch")

# The manager's program, in the folder that holds this package.
PROGRAM = os.path.join("django_wsgimatch", "daemon", "manager", "run.py")
NO_STARTER = (
    "the process that starts the groups as root has ended, and only root can start it again, with "
    "the server"
)
# How often the manager is looked at, where its end cannot be waited for and where it can; and how
# long it may take to answer, and how often it may not. It is replaced within less than a group's
# connect-timeout. All in seconds.
PAUSE, LONG_PAUSE, PING, MOST_UNANSWERED = 1.0, 3.0, 2.0, 2
# How long an order may take, a manager that has only lost its socket, and whoever else starts one.
# In seconds.
ORDER, LONGEST_RETURN, LONGEST_LOCK = 10.0, 3.0, 10.0
# So many managers are started in a row, where one is stopped while it starts.
MOST_STARTS = 2
STOPPED_AGAIN = "it was stopped (SIGSTOP) each time, and killed: look for what stops it"
HELD = (
    "another process has held {0!r} for {1:g} s. It waits for the manager that it starts, or was "
    "stopped itself: `fuser -v {0!r}` names it"
)


@dataclass(slots=True, eq=False, repr=False)
class ServerManager:
    """
    The manager of one server.

    It is started with ``definition``, and with ``environment`` as its variables and the groups'.
    """

    definition: Definition
    owner: Owner
    directory: Directory
    environment: Mapping[str, str]
    # The manager that has answered last, and how often none has since.
    _pid: int = field(default=0, init=False)
    _unanswered: int = field(default=0, init=False)

    def open(self) -> None:
        """
        Have the manager started if it is not there.

        Raises SettingError where the sockets have no safe place, and ManagerError.
        """
        if not self.owner.is_alive:
            raise ManagerError("the server's main process has ended")
        make_base(self.directory.base)
        sweep(self.directory.base)
        make_directory(self.owner, self.directory.base)
        if not self._answers():
            self._start()

    def order(self, order: Order) -> Order:
        """Give an order; where the manager has ended or hangs, to the one that follows it."""
        try:
            return give_order(self.directory.manager, order, timeout=ORDER)
        except ManagerGone:
            self._start_again()
            return give_order(self.directory.manager, order, timeout=ORDER)

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
        end = end_of(owner_of(self._pid)) if self._pid else None
        if end is None:
            time.sleep(PAUSE)
            return
        try:
            select.select([end], [], [], LONG_PAUSE)
        finally:
            os.close(end)

    def _start_again(self) -> None:
        make_directory(self.owner, self.directory.base)
        self._start()

    def _answers(self) -> bool:
        try:
            answer = give_order(self.directory.manager, {"do": "ping"}, timeout=PING)
        except ManagerError:
            return False
        self._pid = int(answer["pid"])
        return True

    def _start(self) -> None:
        """Start the manager, unless there is one that answers. Raises ManagerError, and OSError."""
        lock = self._lock()
        try:
            for _ in range(MOST_STARTS):
                if self._is_coming() or self._run():
                    return
        finally:
            os.close(lock)
        raise ManagerError(NOT_STARTED.format(STOPPED_AGAIN))

    def _lock(self) -> int:
        """
        Return the folder's lock, held. Raises ManagerError where it cannot be had.

        Whoever has it may have been stopped, and be ended by who waits here.
        """
        deadline = time.monotonic() + LONGEST_LOCK
        while time.monotonic() < deadline:
            try:
                lock = open_own(self.directory.lock)
            except OSError as error:
                raise ManagerError(f"{self.directory.lock!r}: {error.strerror}") from error
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if is_at(lock, self.directory.lock):
                    return lock
            except BlockingIOError:
                time.sleep(0.02)
            os.close(lock)
        raise ManagerError(HELD.format(self.directory.lock, LONGEST_LOCK))

    def _is_coming(self) -> bool:
        """
        Whether there is a manager, or one that has only lost its socket and makes a new one.

        One that does neither is killed: there are never two.
        """
        if self._answers():
            return True
        if not is_there(self.directory.manager) and self._comes_back():
            return True
        for pid in managers_of(self.owner):
            send_to(pid, signal.SIGKILL)
        return False

    def _comes_back(self) -> bool:
        """Whether a manager that has lost its socket makes a new one, and answers."""
        for pid in managers_of(self.owner):
            send_to(pid, signal.SIGUSR1)
        deadline = time.monotonic() + LONGEST_RETURN
        while managers_of(self.owner) and time.monotonic() < deadline:
            if is_there(self.directory.manager):
                return self._answers()
            time.sleep(0.02)
        return False

    def _run(self) -> bool:
        """Start a manager; whether it is ready. Raises ManagerError, and OSError."""
        starter = _starter()
        stdout = _own_stdout()
        passed = [fd for fd in (stdout, starter and starter[0]) if fd is not None]
        handlers = logging.getLogger("gunicorn.error").handlers
        logs = filter(None, (getattr(each, "baseFilename", None) for each in handlers))
        told = {
            "base": self.directory.base,
            "owner": [self.owner.pid, self.owner.started],
            # Standard error, where gunicorn logs its errors to no file.
            "log": next(logs, None),
            "stdout": stdout,
            "starter": starter,
            # Known before it takes an order: no request may find it without its groups.
            "definition": self.definition.to_json(),
        }
        lies_in = self.definition.packages["django_wsgimatch"]
        words = [lies_in, MANAGER_NAME, self.owner.name]
        command = [self.definition.python, "-I", os.path.join(lies_in, PROGRAM), *words]
        try:
            said = run_until_ready(
                command,
                json.dumps(told).encode(),
                self.owner,
                env=dict(self.environment),
                cwd="/",
                start_new_session=True,
                pass_fds=passed,
            )
        finally:
            for descriptor in passed:
                os.close(descriptor)
        if said not in (b"ready\n", None):
            reason = said.decode("utf-8", "replace") or "see its log lines above"
            raise ManagerError(NOT_STARTED.format(reason))
        return said is not None


def _own_stdout() -> int | None:
    """Return a descriptor of this process's standard output, None where it is closed."""
    with suppress(OSError):
        return os.dup(1)
    return None


def keep_starter_private() -> None:
    """Let no program that an application starts in this process have the way to the starter."""
    given = os.environ.get(STARTER)
    if given is not None:
        os.set_inheritable(int(given.partition(",")[0]), False)


def _starter() -> tuple[int, int] | None:
    """The descriptor of a new socket to the starter, and its process; None where there is none."""
    given = os.environ.get(STARTER)
    if given is None:
        return None
    control, _, pid = given.partition(",")
    try:
        return start_of_root(int(control)).detach(), int(pid)
    except (OSError, ValueError) as error:
        raise ManagerError(f"{NO_STARTER}: {error}") from error
