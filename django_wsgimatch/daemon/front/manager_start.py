"""
Waiting for a manager that starts: one that was stopped is told from one that is only slow.

A busy machine makes a manager slow, and nobody can tell that from one that hangs: it has a long
time. It never stops one. That is done by a signal, the kernel tells it, and nothing but another
signal ends it: such a manager is killed soon. Whoever waits here holds the lock that all others
wait for, and is of the same user.
"""

from __future__ import annotations

import logging
import signal
import subprocess
from dataclasses import dataclass, field
from typing import Any

from ...exceptions import ManagerError
from ..servers.managers import managers_of, send_to
from ..servers.owner import Owner

logger = logging.getLogger("django_wsgimatch")

NOT_STARTED = "the manager of the daemon processes did not start: {}"
# How often it is looked at, and how long the start of one may take, in seconds; and how many looks
# in a row must find it stopped.
LOOK, LONGEST_START, LOOKS = 0.25, 20.0, 8

STOPPED = (
    "The manager of the daemon processes (process %d) was stopped by a signal (SIGSTOP) while it "
    "started, and has not run for %g s: it is killed, and started again. django-wsgimatch stops no "
    "manager: look for what else does."
)
TOO_SLOW = (
    f"it took more than {LONGEST_START:g} s, and was killed. The machine is overloaded, or a file "
    "system does not answer"
)


def run_until_ready(command: list[str], told: bytes, owner: Owner, **options: Any) -> bytes | None:
    """
    Start a server's manager, and return what it has said once it is ready or has ended.

    None stands for one that was stopped and killed. Raises ManagerError where it takes too long,
    and OSError. ``options`` are Popen's.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, **options) as process:
        try:
            return _wait(process, told, owner)
        except BaseException:
            # The block ends when the process has.
            process.kill()
            raise


def _wait(process: subprocess.Popen[bytes], told: bytes, owner: Owner) -> bytes | None:
    stopped, was_stopped = Stopped(owner), False
    given: bytes | None = told
    # Looks are counted, not seconds: this process may have been stopped as well.
    for _ in range(round(LONGEST_START / LOOK)):
        try:
            said = process.communicate(given, timeout=LOOK)[0]
        except subprocess.TimeoutExpired:
            given = None
        else:
            return None if was_stopped else said
        for pid in stopped.look():
            logger.error(STOPPED, pid, LOOK * LOOKS)
            send_to(pid, signal.SIGKILL)
            was_stopped = True
    # There are never two: it may not come later, beside the next one.
    for pid in managers_of(owner):
        send_to(pid, signal.SIGKILL)
    raise ManagerError(NOT_STARTED.format(TOO_SLOW))


@dataclass(slots=True, eq=False)
class Stopped:
    """Finds the managers of a server that were stopped, and stay so."""

    owner: Owner
    # How often each that is stopped has run so far, and how many looks in a row have found that.
    _seen: dict[int, tuple[list[str], int]] = field(default_factory=dict, init=False)

    def look(self) -> list[int]:
        """Return those that have been found stopped, and not to have run, often enough."""
        before, self._seen = self._seen, {}
        for pid in managers_of(self.owner):
            if runs := runs_of_stopped(pid):
                then, times = before.get(pid, (runs, 0))
                self._seen[pid] = runs, (times + 1 if then == runs else 1)
        return [pid for pid, (_, times) in self._seen.items() if times >= LOOKS]


def runs_of_stopped(pid: int) -> list[str]:
    """
    Return how often a stopped process has run, as lines; [] for one that is not stopped.

    It tells whether it has run between two looks, as under a limiter of CPU time, which stops and
    continues a process all the time. One that is being traced ("t") is not stopped: strace and gdb
    make a manager slow.
    """
    lines = proc_status_of(pid)
    is_stopped = any(line.split()[:2] == ["State:", "T"] for line in lines)
    if not is_stopped:
        return []
    return [line for line in lines if line.startswith(("State:", "voluntary_", "nonvoluntary_"))]


def proc_status_of(pid: int) -> list[str]:
    """Return the lines of /proc/PID/status, [] where there are none."""
    try:
        with open(f"/proc/{pid}/status", encoding="latin-1") as file:
            return file.read().splitlines()
    except OSError:
        return []
