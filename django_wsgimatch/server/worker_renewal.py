"""
New workers of gunicorn's that are ready before the old ones end.

gunicorn's arbiter starts new workers at a HUP and ends the old ones at once: until the new ones
have loaded, nobody accepts. And it ends, with all workers, if a new one cannot load.
"""

from __future__ import annotations

import signal
import time
from typing import Any

from gunicorn.errors import HaltServer  # type: ignore[import-untyped]

# After workers that could not start the next ones wait so long, in seconds.
PATIENCE = 10.0


class Abandoned(Exception):
    """New workers could not start: the old ones stay."""


class WorkerRenewal:
    """Stands between gunicorn's arbiter and its workers."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._reload = server.reload
        self._manage_workers = server.manage_workers
        self._reap_workers = server.reap_workers
        self._is_reloading = False
        self._not_before = 0.0

    def begin(self) -> None:
        """Take the arbiter's methods over."""
        self._server.reload = self.reload
        self._server.manage_workers = self.manage_workers
        self._server.reap_workers = self.reap_workers

    def reload(self) -> None:
        """Do as gunicorn does at a HUP, and keep the old workers where the new ones do not load."""
        self._is_reloading = True
        self._not_before = 0.0
        try:
            self._reload()
        except Abandoned:
            pass
        finally:
            self._is_reloading = False

    def manage_workers(self) -> None:
        """Start and end workers as gunicorn does, but none before those after it are ready."""
        workers = sorted(self._server.WORKERS.values(), key=lambda worker: worker.age)
        number = self._server.num_workers
        if len(workers) > number:
            if all(map(is_ready, workers[-number:])):
                self._manage_workers()
        elif not self._must_wait():
            self._manage_workers()

    def reap_workers(self) -> None:
        """Reap as gunicorn does, but do not end because of a worker that could not start."""
        try:
            self._reap_workers()
        except HaltServer as error:
            # LISTENERS is empty while the server ends.
            if not self._server.LISTENERS or not any(map(is_ready, self._server.WORKERS.values())):
                raise
            self._abandon(error)
        if self._is_reloading:
            self.manage_workers()

    def _abandon(self, error: HaltServer) -> None:
        """End the workers that have not loaded yet, as they would not, and wait with others."""
        self._not_before = time.monotonic() + PATIENCE
        self._server.log.error(
            "New workers cannot start: %s The old ones are kept. Others are started in %g s if "
            "any are missing.",
            error.reason,
            PATIENCE,
        )
        for pid, worker in [*self._server.WORKERS.items()]:
            if not is_ready(worker):
                self._server.kill_worker(pid, signal.SIGKILL)
        if self._is_reloading:
            raise Abandoned

    def _must_wait(self) -> bool:
        return time.monotonic() < self._not_before and any(
            map(is_ready, self._server.WORKERS.values())
        )


def is_ready(worker: Any) -> bool:
    """Whether a worker has loaded its application, and accepts."""
    try:
        # Until then its file has the time of day at which it was made; a worker at work touches it
        # with time.monotonic(), which is less.
        return bool(worker.tmp.last_update() <= time.monotonic())
    except (OSError, ValueError):
        return False
