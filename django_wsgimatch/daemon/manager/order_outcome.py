"""What has become of an order to restart or to stop a place, as far as it is known by now."""

from __future__ import annotations

from typing import Any

from ..board import LEAVING, READY, BoardReport, WorkerReport
from .kept_place import KeptPlace
from .starting import Running
from .status import unloaded_by, workers_of

WAITING, DONE, FAILED = "waiting", "done", "failed"

Outcome = dict[str, Any]


def restart_outcome(kept: KeptPlace, since: float) -> Outcome:
    """
    Return whether what was loaded after ``since`` (time.monotonic()) serves: values for JSON.

    What began to load before it does not count, since it may have read what has changed since.
    """
    if kept.next is not None or kept.pending is not None:
        return _outcome(kept, WAITING)
    if kept.current is None:
        return _outcome(kept, FAILED, error=kept.error or "was stopped before it was ready")
    if not kept.current.was_ready:
        return _outcome(kept, WAITING)
    report = kept.current.report()
    loaded = max(kept.current.started, report.renewed)
    if since <= loaded > report.gave_up:
        return _of_new_processes(kept, kept.current, report)
    if report.gave_up >= since:
        error = report.error or "see its log lines above"
        return _outcome(
            kept, FAILED, error=f"the new code does not load, the old code is still served: {error}"
        )
    return _outcome(kept, WAITING)


def stop_outcome(kept: KeptPlace, since: float) -> Outcome:
    """Return whether the processes have ended that were there at ``since`` (time.monotonic())."""
    is_left = any(running.started < since for running in kept.running)
    return _outcome(kept, WAITING if is_left else DONE)


def outcome_of_none(name: str, *, was_to_stop: bool) -> Outcome:
    """Return what has become of a place that its manager no longer has."""
    error = "" if was_to_stop else "is no longer there"
    return {"name": name, "state": DONE if was_to_stop else FAILED, "pids": [], "error": error}


def _of_new_processes(kept: KeptPlace, running: Running, report: BoardReport) -> Outcome:
    ready = [worker for worker in workers_of(running, report) if worker.state == READY]
    if len(ready) != running.spec.options.processes or any(map(_takes_requests, kept.ending)):
        return _outcome(kept, WAITING, error=report.error)
    if any(_may_take_one(worker) for worker in workers_of(running, report)):
        return _outcome(kept, WAITING)
    pids = [worker.pid for worker in ready]
    for worker in ready:
        if scripts := unloaded_by(kept, worker):
            error = f"the new processes do not load {scripts}: "
            return _outcome(kept, FAILED, pids, error + worker.said.get("error", "see the log"))
    return _outcome(kept, DONE, pids)


def _takes_requests(running: Running) -> bool:
    """Whether processes that were told to end may still answer as before."""
    workers = workers_of(running, running.report())
    return any(worker.state == READY or _may_take_one(worker) for worker in workers)


def _may_take_one(worker: WorkerReport) -> bool:
    """Whether a process that is on its way out takes requests yet: a thread that waits may."""
    return worker.state == LEAVING and not worker.said.get("closed", False)


def _outcome(
    kept: KeptPlace, state: str, pids: list[int] | None = None, error: str = ""
) -> Outcome:
    return {"name": kept.place.label, "state": state, "pids": pids or [], "error": error}
