"""
How a place is, as ``manage.py wsgimatch status --json`` has it.

A worker is believed to be the process that it names if that belongs to the group's session.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from ...text import readable
from ..board import BOOTING, LEAVING, READY, BoardReport, WorkerReport
from ..options import GroupOptions
from ..place import Place
from .kept_place import KeptPlace
from .starting import Running

STATES = {BOOTING: "starting", READY: "ready", LEAVING: "ending"}


def place_status(kept: KeptPlace) -> dict[str, Any]:
    """Return what is known of a place: values for JSON."""
    running = kept.current
    report = running.report() if running is not None else None
    workers = list(workers_of(running, report)) if running and report else []
    said = next((worker.said for worker in workers if worker.said), {})
    error, error_time = _newest_error(kept, report, workers)
    processes = [_process(worker) for worker in workers]
    return {
        "name": kept.place.label,
        "process_group": kept.place.process_group,
        "application_group": kept.place.application_group,
        "state": _state(kept),
        "socket": kept.path,
        "pid": running.process.pid if running else None,
        "processes": processes,
        "python": said.get("python"),
        "settings": said.get("settings"),
        "uptime": time.time() - report.started if report and report.started else None,
        "requests": kept.requests,
        "busy": sum(len(worker.busy_since) for worker in workers),
        "threads": kept.spec.options.threads * kept.spec.options.processes,
        "memory": _sum([process["memory"] for process in processes]),
        "restarts": max(kept.starts - 1, 0) + (report.renewals if report else 0),
        "ended": kept.ended,
        "crashes": kept.crashes,
        "error": error,
        "error_time": error_time or None,
    }


def status_elsewhere(place: Place, options: GroupOptions) -> dict[str, Any]:
    """Return the same for a process group that somebody else runs: no more than where it is."""
    return {
        "name": place.label,
        "process_group": place.process_group,
        "application_group": place.application_group,
        "state": "elsewhere",
        "socket": options.socket,
        "processes": [],
        "settings": options.settings,
        "threads": options.threads * options.processes,
        "error": "",
        **dict.fromkeys(("requests", "busy", "restarts", "ended", "crashes"), 0),
        **dict.fromkeys(("pid", "python", "uptime", "memory", "error_time")),
    }


def unreadiness(kept: KeptPlace) -> str:
    """
    Why a place that starts with the server does not answer as it should, "" where it does.

    Any other, and one that has been ready and has no processes now, is started by its next request.
    """
    if kept.is_removed or not kept.spec.boots:
        return ""
    running = kept.current
    report = running.report() if running is not None else None
    if running is None or report is None or not (running.was_ready or report.is_ready):
        if kept.failures:
            return f"process group '{kept.place.label}' {kept.error}"
        return "" if kept.has_been_ready else f"process group '{kept.place.label}' is starting"
    unloaded = (unloaded_by(kept, worker) for worker in workers_of(running, report))
    if scripts := next(filter(None, unloaded), ""):
        return f"process group '{kept.place.label}' does not load {scripts}, see the log"
    return ""


def unloaded_by(kept: KeptPlace, worker: WorkerReport) -> str:
    """Return which of the scripts that are loaded ahead a worker could not load, "" for none."""
    count = worker.said.get("unloaded", 0)
    loaded = worker.said.get("scripts", [])
    named = [path for path in kept.spec.preload if path not in loaded][:count]
    return ", ".join(f"'{readable(path)}'" for path in named)


def _state(kept: KeptPlace) -> str:
    if kept.next is not None:
        return "restarting"
    if kept.current is not None:
        return "running" if kept.current.was_ready else "starting"
    if kept.is_due:
        return "starting"
    return "failed" if kept.failures else "stopped"


def _process(worker: WorkerReport) -> dict[str, Any]:
    return {
        "pid": worker.pid,
        "state": STATES[worker.state],
        "uptime": time.time() - worker.started if worker.started else None,
        "requests": worker.requests,
        "busy": len(worker.busy_since),
        "memory": memory_of(worker.pid),
    }


def _newest_error(
    kept: KeptPlace, report: BoardReport | None, workers: list[WorkerReport]
) -> tuple[str, float]:
    errors = [(kept.error, kept.error_time)]
    if report is not None:
        errors.append((report.error, report.error_time))
    for worker in workers:
        if "error" in worker.said and "error_time" in worker.said:
            errors.append((worker.said["error"], worker.said["error_time"]))
    return max(errors, key=lambda error: error[1])


def workers_of(running: Running, report: BoardReport) -> Iterator[WorkerReport]:
    """Yield the workers that are there, each process once, whatever the board says."""
    seen = {running.process.pid}
    for worker in report.workers:
        if worker.pid not in seen and _is_of_session(worker.pid, running.process.pid):
            seen.add(worker.pid)
            yield worker


def _is_of_session(pid: int, leader: int) -> bool:
    """Whether a process has been started by the group: every group begins a session."""
    try:
        return os.getsid(pid) == leader
    except OSError:
        return False


def _sum(sizes: list[int | None]) -> int | None:
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None


def memory_of(pid: int) -> int | None:
    """
    Return a process's memory in bytes, None where the system does not tell.

    That is PSS: the pages of its own, and its share of the others. Of another user's process only
    root is told so; then the pages of its own are counted, without those that others may share.
    """
    size = proportional_set_size(pid)
    return size if size is not None else _unshared(pid)


def proportional_set_size(pid: int) -> int | None:
    """Return a process's PSS in bytes, None where the system does not tell."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return None
    return None


def _unshared(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            _, resident, shared, *_ = map(int, file.read().split())
    except (OSError, ValueError):
        return None
    return max(resident - shared, 0) * os.sysconf("SC_PAGE_SIZE") or None
