"""
gunicorn's arbiter over the daemon processes of one place.

To what gunicorn's arbiter does it adds renewal, in which the new processes have loaded their
scripts before the old ones end, and the end after inactivity-timeout.
"""

from __future__ import annotations

import gc
import logging
import math
import os
import signal
import socket
import tempfile
import time
from contextlib import suppress
from copy import copy
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.errors import HaltServer  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from ..board import BOOTING, LEAVING, READY
from ..deaths import cause_of, is_ordered
from ..log_times import write_times_in, zone_of
from ..servers.owner import is_stopped
from ..wire.wire import is_readable
from .crashes import CrashLoop, reap_adopted
from .renewal import Renewal
from .worker.changes import Inherited, change_time
from .worker.group import Group
from .worker.watching import FailedLoad
from .worker.worker import HELD_BACK, NOT_LOADED, GroupWorker

logger = logging.getLogger("django_wsgimatch")

# After a renewal that failed, so many seconds pass before a worn-out process is replaced again.
PATIENCE = 10.0
_SHARED_MEMORY = "/dev/shm"
# The exit status of a group whose processes do not live to take a request.
CRASHED = 6


# Optimization: to make gunicorn's own settings takes 3 ms.
DEFAULTS = Config(prog="wsgimatch")


class GroupApplication(BaseApplication):  # type: ignore[misc]
    """gunicorn's settings for a group; its workers load the applications themselves."""

    def __init__(self, group: Group) -> None:
        self.group = group
        super().__init__(prog="wsgimatch")

    def load_default_config(self) -> None:
        """Begin with gunicorn's own settings."""
        self.cfg = copy(DEFAULTS)
        self.cfg.settings = dict(DEFAULTS.settings)

    def load_config(self) -> None:
        """Put WSGIDaemonProcess's options in gunicorn's words."""
        options = self.group.options
        settings = {
            "worker_class": GroupWorker,
            "workers": options.processes,
            "threads": options.threads,
            "timeout": math.ceil(options.deadlock_timeout),
            "graceful_timeout": int(
                max(options.graceful_timeout, options.eviction_timeout) + options.shutdown_timeout
            )
            + 1,
            "proc_name": self.group.display_name,
            "worker_tmp_dir": folder_for_signs_of_life(),
            # All arbiters' control sockets have one name by default.
            "control_socket_disable": True,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.settings[name] = copy(self.cfg.settings[name])
                self.cfg.set(name, value)

    def load(self) -> None:
        """Load nothing: gunicorn's way to an application is not ours."""


def folder_for_signs_of_life() -> str | None:
    """Return where workers have the files by which they show that they live; None: as usual."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        # As in a container whose root is read-only.
        return _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK | os.X_OK) else None
    return None


def take_log(log: Logger, zone: str | None) -> None:
    """
    Log what goes wrong in a request as gunicorn logs what goes wrong.

    The times are in a zone, as in TZ; None is the system's own.
    """
    logger.handlers[:] = log.error_log.handlers
    logger.setLevel(logging.INFO)
    logger.propagate = False
    write_times_in(zone_of(zone))


class Listener:
    """A listening socket as gunicorn's arbiter wants it; the manager closes it, and removes it."""

    def __init__(self, listener: socket.socket) -> None:
        self.sock = listener

    def fileno(self) -> int:
        """The descriptor."""
        return self.sock.fileno()

    def getsockname(self) -> Any:
        """The path."""
        return self.sock.getsockname()

    def close(self) -> None:
        """Leave it open: whoever still accepts goes on."""

    def __str__(self) -> str:
        return f"unix:{os.fsdecode(self.sock.getsockname())}"


class GroupArbiter(Arbiter):  # type: ignore[misc]
    """
    gunicorn's arbiter, with renewal.

    ``old`` are the workers that are to end as soon as enough others are ready.
    """

    def __init__(self, app: GroupApplication) -> None:
        super().__init__(app)
        # gunicorn's own is one for all arbiters of a process.
        self.WORKERS: dict[int, GroupWorker] = {}
        self.group = app.group
        self.group.arbiter = self
        self.group.board.set_arbiter(self.group.pid)
        self.old: set[int] = set()
        self.ending: set[int] = set()
        self.renewal = Renewal()
        self.failed_load: FailedLoad | None = None
        self.crash_loop = CrashLoop()
        self.not_before = 0.0
        self.LISTENERS = [Listener(self.group.listener)]
        # The socket's file is the manager's.
        self.systemd = True

    def taken_slots(self) -> set[int]:
        """The slots of the living workers."""
        return {worker.slot_number for worker in self.WORKERS.values()}

    def loaded_scripts(self) -> dict[str, list[str]]:
        """
        What the workers that are to be replaced have loaded; nothing for the first ones.

        By their scripts these are the names of the callables that requests have asked for.
        """
        pids = {*self.old, *self._worn_out()}
        told = [w.said for w in self.group.board.report().workers if w.pid in pids]
        scripts = dict.fromkeys(script for said in told for script in said.get("scripts", ()))
        used = [said.get("used", {}) for said in told]
        return {
            script: sorted({name for each in used for name in each.get(script, ())})
            for script in scripts
        }

    def maybe_promote_master(self) -> None:
        """Look around once a second: gunicorn calls this in every turn of its loop."""
        self.group.board.beat()
        self._renew_what_was_corrected()
        if self.is_left():
            self.log.info("The server is gone, the group ends.")
            raise StopIteration
        if self._is_inactive():
            seconds = self.group.options.inactivity_timeout
            self.log.info("No request for %g s: the group ends until the next one.", seconds)
            raise StopIteration

    def is_left(self) -> bool:
        """Whether whoever started the group is gone."""
        return is_readable(self.group.lifeline)

    def _renew_what_was_corrected(self) -> None:
        """Try again, while developing, once something is edited of what did not load."""
        failed = self.failed_load
        if failed is not None and not self.renewal.is_running and (edited := failed.edited()):
            self.log.info("'%s' has changed since it did not load.", edited)
            # The old workers may notice the same.
            self.renewal.tried = change_time(edited)
            self.handle_usr2()

    def handle_hup(self) -> None:
        """Renew the workers if the code that they have loaded has changed."""
        self.renewal.look_again = self.renewal.is_running
        self.renewal.tried = 0.0
        self.kill_workers(signal.SIGHUP)

    def handle_winch(self) -> None:
        """Renew the workers, as one of them wants it whose code has changed."""
        asking = [w for pid, w in self.WORKERS.items() if pid not in self.ending]
        changed = max((self._wanted_by(worker) for worker in asking), default=0.0)
        if self.renewal.is_wanted_for(changed):
            self.renewal.tried = changed
            self.handle_usr2()

    def handle_usr2(self) -> None:
        """Renew the workers: new ones load first, then these end."""
        if self.renewal.is_running:
            self.log.info("The processes that are loading now will be replaced once more.")
            self.renewal.again = True
            return
        self.log.info("New processes are started in place of the old ones.")
        self.renewal.begin()
        self.failed_load = None
        self.crash_loop = CrashLoop()
        self.not_before = 0.0
        self.old = {*self.WORKERS} - self.ending

    def manage_workers(self) -> None:
        """Start workers where some are missing or worn out; end those that have been replaced."""
        self._forget_the_dead()
        self.group.board.tidy(self.taken_slots())
        worn_out = self._worn_out()
        leaving = {*self.old, *self.ending, *worn_out}
        staying = [pid for pid in self.WORKERS if pid not in leaving]
        self._look_at_crashes()
        now = time.monotonic()
        may_start = now >= self.not_before or not leaving
        if may_start and now >= self.crash_loop.not_before:
            for _ in range(self.num_workers - len(staying)):
                staying.append(self.spawn_worker())
        ready = [pid for pid in staying if self._state(pid) == READY]
        if len(ready) >= self.num_workers:
            self._end({*self.old, *worn_out})
            self._end_renewal(failed=False)
        for pid in sorted(staying)[: max(len(staying) - self.num_workers, 0)]:
            self._end({pid})

    def reap_workers(self) -> None:
        """
        Reap, and give a renewal up if one of its new workers could not load.

        gunicorn's own takes some statuses with which an application may end its process for a
        reason to end all of them.
        """
        before = {pid for pid in self.WORKERS if pid not in self.old}
        booting = {pid for pid in before if self._state(pid) == BOOTING}
        self.reap_adopted()
        for pid in [*self.WORKERS]:
            with suppress(ChildProcessError):
                gone, status = os.waitpid(pid, os.WNOHANG)
                if gone:
                    self._bury(pid, status)
        replaced = self.old or self._worn_out()
        if replaced and booting - {*self.WORKERS} - self.ending:
            self.not_before = time.monotonic() + PATIENCE
            self._end(booting & {*self.WORKERS})
            self._end_renewal(failed=True)

    def reap_adopted(self) -> None:
        """Reap what the application's processes have left behind."""
        reap_adopted({*self.WORKERS})

    def _look_at_crashes(self) -> None:
        """End the group where its processes die before they are ready, and none is."""
        if any(self._state(pid) == READY for pid in self.WORKERS):
            self.crash_loop.end()
        elif self.crash_loop.is_hopeless(self.num_workers):
            raise HaltServer(self.crash_loop.reason, CRASHED)

    def _bury(self, pid: int, status: int) -> None:
        """Say what a worker that is gone died of, and count it."""
        state = self._state(pid)
        board, worker = self.group.board, self.WORKERS.pop(pid)
        said = [each for each in board.report().workers if each.pid == pid]
        board.bury(worker.slot_number, pid)
        if status == NOT_LOADED << 8 and pid not in self.ending:
            self.failed_load = FailedLoad.read(worker.tmp.fileno())
        worker.tmp.close()
        if is_ordered(status) and (not status or pid in self.ending or state == LEAVING):
            return
        if status == NOT_LOADED << 8 and state == BOOTING:
            # It has said why.
            board.tell_error(next((w.said["error"] for w in said if "error" in w.said), ""))
            return
        at_work = sum(len(each.busy_since) for each in said)
        doing = "while it loaded" if state == BOOTING else f"with {at_work} requests at work"
        self.log.error("Worker (pid:%s) %s %s.", pid, cause_of(status), doing)
        death = f"process {pid} {cause_of(status)} {doing}"
        board.count_crash(death)
        if state == BOOTING and pid not in self.ending:
            self.crash_loop.count(death, is_exit=os.WIFEXITED(status))

    def murder_workers(self) -> None:
        """End workers that do not react: gunicorn's heartbeat stands for deadlock-timeout."""
        super().murder_workers()
        options = self.group.options
        for pid, worker in [*self.WORKERS.items()]:
            if self._state(pid) != BOOTING:
                continue
            took = time.monotonic() - worker.forked
            if options.startup_timeout and took > options.startup_timeout:
                self.log.error("Worker (pid:%s) takes more than startup-timeout to load.", pid)
                self.kill_worker(pid, signal.SIGKILL)
            elif self.timeout and took > self.timeout and is_stopped(pid):
                # It has no heartbeat yet that gunicorn could miss.
                self.log.error("Worker (pid:%s) was stopped before it was ready.", pid)
                self.kill_worker(pid, signal.SIGKILL)

    def spawn_worker(self) -> int:
        """Start a worker."""
        # Until it has handlers of its own it would take a signal for the arbiter, and lose it:
        # the arbiter would wait for it in vain.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD_BACK)
        try:
            pid: int = super().spawn_worker()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.WORKERS[pid].forked = time.monotonic()
        return pid

    def _state(self, pid: int) -> int:
        worker = self.WORKERS.get(pid)
        if worker is None:
            return LEAVING
        # Until it has taken its slot, what stands there is another's.
        report = self.group.board.pid(worker.slot_number)
        state = self.group.board.state(worker.slot_number) if report == pid else BOOTING
        worker.was_ready = worker.was_ready or state == READY
        # What has written over its slot has made it useless to who reads the board.
        return LEAVING if worker.was_ready and state != READY else state

    def _worn_out(self) -> set[int]:
        return {pid for pid in self.WORKERS if self._state(pid) == LEAVING} - self.ending

    def _end(self, pids: set[int]) -> None:
        for pid in pids - self.ending:
            self.ending.add(pid)
            self.kill_worker(pid, signal.SIGTERM)

    def _end_renewal(self, *, failed: bool) -> None:
        self.old = set()
        if not self.renewal.is_running:
            return
        self.group.board.count_renewal(self.renewal.since, failed=failed)
        if failed:
            self.log.error("The processes with the scripts of before are kept.")
        again, look_again = self.renewal.end()
        if again:
            self.handle_usr2()
        elif look_again:
            self.kill_workers(signal.SIGHUP)

    def _wanted_by(self, worker: GroupWorker) -> float:
        """When the code changed that a worker wants new processes for; 0: it wants none."""
        board, slot = self.group.board, worker.slot_number
        return board.wants_renewal(slot) if board.pid(slot) == worker.pid else 0.0

    def _forget_the_dead(self) -> None:
        alive = {*self.WORKERS}
        self.old &= alive
        self.ending &= alive

    def _is_inactive(self) -> bool:
        limit = self.group.options.inactivity_timeout
        if not limit or self.renewal.is_running:
            return False
        report = self.group.board.report()
        since = max(report.last_active, self.started)
        return report.is_ready and not report.busy and time.monotonic() - since > limit

    def start(self) -> None:
        """Begin as gunicorn's arbiter does."""
        self.started = time.monotonic()
        super().start()
        # gunicorn has told systemd that this process is ready; an application has nothing to tell.
        os.environ.pop("NOTIFY_SOCKET", None)
        self.group.inherited = Inherited.by_now()
        # Optimization: a worker's first full collection would write to all objects that it shares
        # with this process, and so have pages of its own: 4.8 MiB a worker.
        gc.freeze()
