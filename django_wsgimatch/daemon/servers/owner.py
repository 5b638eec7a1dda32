"""Whose process is this? The server's main process, with which everything ends."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from types import FrameType
from typing import Any

# No process begins at such a time.
GONE = "-"
# Django's autoreloader gives it to the process that it starts again at each edit.
RELOADED = "RUN_MAIN"


@dataclass(frozen=True, slots=True)
class Owner:
    """
    A process: its id, and when it began, as another one may get the id later.

    ``started`` is "" where the system does not tell.
    """

    pid: int
    started: str

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        if not self.started:
            return _exists(self.pid)
        return start_time(self.pid) == self.started

    @property
    def name(self) -> str:
        """A name for its folder."""
        return f"{self.pid}.{self.started}"


def this_server() -> Owner:
    """
    Return the main process of the server that this process belongs to.

    That is gunicorn's arbiter, uWSGI's master, the parent of a process that multiprocessing has
    started (granian's workers), runserver's autoreloader, or else this process itself.
    """
    pid = _arbiter() or _uwsgi_master() or _parent() or _reloader() or os.getpid()
    return owner_of(pid)


def owner_of(pid: int) -> Owner:
    """Return a process as it is now; one that is gone is never alive again."""
    has_proc = os.path.exists("/proc/self/stat")
    return Owner(pid, start_time(pid) or (GONE if has_proc else ""))


def stat_of(pid: int) -> list[str]:
    """Return what /proc tells of a process from its state on (proc(5)); [] where it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            return file.read().rpartition(")")[2].split()
    except OSError:
        return []


def start_time(pid: int) -> str | None:
    """Return when a process began, in the kernel's own count; None where it is gone."""
    fields = stat_of(pid)
    return fields[19] if fields and fields[0] not in "ZX" else None


def is_stopped(pid: int) -> bool:
    """Whether a process has been stopped, as by SIGSTOP; False where the system does not tell."""
    fields = stat_of(pid)
    return bool(fields) and fields[0] in "Tt"


def end_of(owner: Owner) -> int | None:
    """Return a descriptor that can be read once the process has ended; None where there is none."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        descriptor = os.pidfd_open(owner.pid)
    except OSError:
        return None
    if not owner.is_alive:
        os.close(descriptor)
        return None
    return descriptor


def frame_of_arbiter() -> FrameType | None:
    """Return the frame of the gunicorn arbiter that called us, None where none has."""
    module = sys.modules.get("gunicorn.arbiter")
    frame: FrameType | None = sys._getframe()
    # Its frames stay on the stack of its workers.
    while frame is not None and module is not None:
        if isinstance(frame.f_locals.get("self"), module.Arbiter):
            return frame
        frame = frame.f_back
    return None


def _arbiter() -> int | None:
    frame = frame_of_arbiter()
    if frame is None:
        return None
    # In a worker it is the parent; where that one has been killed it is not any more.
    is_worker = frame.f_code.co_name == "spawn_worker"
    return int(frame.f_locals["self"].pid) if is_worker else os.getpid()


def _uwsgi_master() -> int | None:
    uwsgi: Any = sys.modules.get("uwsgi")
    return uwsgi.masterpid() or None if uwsgi is not None else None


def _parent() -> int | None:
    # Whom multiprocessing has started has this module; all others need none of it.
    module: Any = sys.modules.get("multiprocessing.process")
    parent = module.parent_process() if module is not None else None
    return int(parent.pid) if parent is not None else None


def is_reloaded_by_django() -> bool:
    """Whether runserver's autoreloader has started this process."""
    return os.environ.get(RELOADED) == "true"


def _reloader() -> int | None:
    parent = os.getppid()
    return parent if is_reloaded_by_django() and parent > 1 else None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def watch_of_this_server() -> tuple[str, ...] | None:
    """Return the files that this process's server watches beside its code, None if it does not."""
    if (frame := frame_of_arbiter()) is not None:
        return watch_of_gunicorn(frame.f_locals["self"].cfg)
    return () if is_reloaded_by_django() else None


def watch_of_gunicorn(cfg: Any) -> tuple[str, ...] | None:
    """Return gunicorn's ``reload_extra_files``, None where its ``reload`` is off."""
    if not cfg.reload:
        return None
    return tuple(map(os.path.abspath, cfg.reload_extra_files))
