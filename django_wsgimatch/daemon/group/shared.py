"""
The arbiter of a group that shares its process, a warm parent, with those of other groups.

It forks nothing itself: the daemon processes are forked by the parent's forker (``forking``).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.errors import HaltServer  # type: ignore[import-untyped]

from ..board import READY
from .arbiter import GroupApplication, GroupArbiter
from .worker.worker import GroupWorker

# The exit status of an arbiter in which something has gone wrong, as sys.exit(-1) gives it.
FAILED = 255


class SharedArbiter(GroupArbiter):
    """
    An arbiter that does its round when its process calls ``turn()``.

    ``fork`` has a daemon process forked for a worker, and returns its id; it may raise OSError.
    ``status`` is None until it has ended: then it is an exit status, or a negative signal.
    ``is_settled`` says that the last round has left nothing to do before something is told.
    ``process_groups`` are those of the daemon processes, and of what these have left behind.
    """

    def __init__(self, app: GroupApplication, fork: Callable[[GroupWorker], int]) -> None:
        super().__init__(app)
        self._fork = fork
        self.status: int | None = None
        self.process_groups: set[int] = set()
        self.is_abandoned = self.has_buried = self.is_settled = False
        self._deadline: float | None = None
        self._last_status = 0
        # What the workers had told at the last round.
        self._heard: list[tuple[int, int, float]] = []

    def start(self) -> None:
        """Begin as gunicorn's arbiter does; what this process has inherited the parent knows."""
        self.started = time.monotonic()
        Arbiter.start(self)

    def init_signals(self) -> None:
        """Signals are the parent's: it passes on what the manager sends."""

    def begin(self) -> None:
        """Start the first daemon processes."""
        self._guard(self._begin)

    def turn(self) -> None:
        """Do what gunicorn's loop does in a round."""
        self._guard(self._look_after_workers if self._deadline is None else self._wait_for_end)

    def kill(self) -> None:
        """End whatever is left of the group, the application's own children too."""
        self.kill_workers(signal.SIGKILL)
        for group in self.process_groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        if self.status is None:
            self._deadline, self._last_status = 0.0, -signal.SIGKILL

    def is_left(self) -> bool:
        """Whether the manager is gone."""
        return self.is_abandoned

    def spawn_worker(self) -> int:
        """Start a worker, in a process group of its own."""
        self.worker_age += 1
        worker = GroupWorker(
            *(self.worker_age, self.pid, self.LISTENERS, self.app),
            *(self.timeout / 2.0, self.cfg, self.log),
        )
        worker.pid = pid = self._fork(worker)
        worker.forked = time.monotonic()
        self.WORKERS[pid] = worker
        self.process_groups.add(pid)
        return pid

    def reap_adopted(self) -> None:
        """Leave it to the parent, which knows the daemon processes of all groups."""

    def stop(self, graceful: bool = True) -> None:
        """Tell the workers to end, and do not wait for it: other groups have their turns."""
        self.kill_workers(signal.SIGTERM if graceful else signal.SIGQUIT)

    def _guard(self, do: Callable[[], None]) -> None:
        """Do a part of gunicorn's loop, and end as that does."""
        try:
            do()
        except StopIteration:
            self._begin_to_end(0)
        except HaltServer as halt:
            self.log.error("Reason: %s", halt.reason)
            self._begin_to_end(halt.exit_status)
        except Exception:
            self.log.error("Unhandled exception in main loop", exc_info=True)
            self._begin_to_end(FAILED)

    def _begin(self) -> None:
        self.start()
        self.manage_workers()

    def has_news(self) -> bool:
        """Whether a worker has told something since the last round."""
        return self._told() != self._heard

    def _told(self) -> list[tuple[int, int, float]]:
        board = self.group.board
        slots = [worker.slot_number for worker in self.WORKERS.values()]
        return [(board.pid(slot), board.state(slot), board.wants_renewal(slot)) for slot in slots]

    def _look_after_workers(self) -> None:
        self.maybe_promote_master()
        is_quiet = self.is_settled and self.SIG_QUEUE.empty() and not self.renewal.is_running
        while not self.SIG_QUEUE.empty():
            signum = self.SIG_QUEUE.get_nowait()
            name = self.SIG_NAMES[signum]
            self.log.info("Handling signal: %s", name)
            getattr(self, f"handle_{name}")()
        self.murder_workers()
        if is_quiet and not self.has_news():
            # Optimization: the rounds of 200 groups take .8 % of a processor, and took 4.6 %.
            return
        self.reap_workers()
        self._heard = self._told()
        # A worker that wants it has told its parent, not which group it is of.
        self.handle_winch()
        self.manage_workers()
        self.is_settled = self._is_complete()

    def _is_complete(self) -> bool:
        """Whether all workers are there and ready, and no other is."""
        if self.renewal.is_running or self.old or self.ending:
            return False
        is_whole = len(self.WORKERS) == self.num_workers
        return is_whole and all(self._state(pid) == READY for pid in self.WORKERS)

    def _begin_to_end(self, status: int) -> None:
        self.stop()
        self._last_status = status
        self._deadline = time.monotonic() + self.cfg.graceful_timeout

    def _wait_for_end(self) -> None:
        self.reap_workers()
        if not self.WORKERS:
            self.log.info("Shutting down: %s", self.master_name)
            self.status = self._last_status
        elif time.monotonic() > (self._deadline or 0.0):
            self.kill_workers(signal.SIGKILL)

    def _bury(self, pid: int, status: int) -> None:
        super()._bury(pid, status)
        self.has_buried = True
