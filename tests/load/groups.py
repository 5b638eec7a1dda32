"""
Groups under load: what is lost when processes are killed, replaced, renewed or reconfigured.

``python -m tests.load.groups`` prints a table; the exit status is 1 where more is lost than may
be. The load comes over a unix socket from threads of this process.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django_wsgimatch.daemon.manager.status import proportional_set_size
from tests.load.loading import kept_running
from tests.support.groups import (
    ALIASES,
    Site,
    marked,
    other_pythons,
    site,
    wait_until,
    write_project,
)
from tests.support.raw_http import fetch

CLIENTS = 8


@dataclass(slots=True)
class Load:
    """Requests to one target until ``enough`` have been answered and ``stop`` is set."""

    at: Site
    target: bytes
    enough: int
    statuses: Counter[str] = field(default_factory=Counter)
    errors: list[tuple[float, str]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while self.statuses.total() < self.enough or not self.stopping.is_set():
            try:
                status = str(fetch(self.at.server.address, self.target).status)
            except OSError as error:
                status = type(error).__name__
            self.statuses[status] += 1
            if status != "200":
                self.errors.append((time.time(), status))


@contextmanager
def load(at: Site, enough: int) -> Iterator[Load]:
    """Put load on the group ``blog`` for as long as the block runs, and for ``enough`` requests."""
    at.told("/blog")
    on = Load(at, b"/blog", enough)
    with kept_running([on.run] * CLIENTS, on.stopping):
        yield on


@dataclass(frozen=True, slots=True)
class Result:
    """What came out: the requests, what was not 200, and how much of that may be."""

    name: str
    requests: int
    errors: int
    most: int
    note: str = ""

    @property
    def is_kept(self) -> bool:
        return self.errors <= self.most


def result(name: str, on: Load, most: int = 0, note: str = "") -> Result:
    return Result(name, on.statuses.total(), len(on.errors), most, note)


def hup_twice(project: Path, enough: int) -> Result:
    with site(project, {"processes": 2}) as at, load(at, enough) as on:
        for _ in range(2):
            time.sleep(1.5)
            at.hup()
    return result("HUP twice", on)


def worker_killed(project: Path, enough: int) -> Result:
    kills = 0
    with site(project, {"processes": 2}) as at, load(at, enough) as on:
        while on.statuses.total() < enough:
            processes = at.place("blog")["processes"]
            if processes:
                os.kill(processes[kills % len(processes)]["pid"], signal.SIGKILL)
                kills += 1
            time.sleep(1)
    return result("a group's worker killed every second", on, kills, f"{kills} kills")


def arbiter_killed(project: Path, enough: int) -> Result:
    with site(project, {"processes": 2}) as at, load(at, enough) as on:
        time.sleep(1)
        killed = at.place("blog")["pid"]
        os.kill(killed, signal.SIGKILL)
        began = time.monotonic()
        wait_until(lambda: is_back(at.place("blog"), killed))
        back = time.monotonic() - began
    return result("a group's arbiter killed", on, 2, f"back after {back:.2f} s")


def is_back(place: dict[str, Any], killed: int) -> bool:
    return bool(place["state"] == "running" and place["pid"] != killed)


def maximum_requests(project: Path, enough: int) -> Result:
    with site(project, {"processes": 2, "maximum_requests": 200}) as at, load(at, enough) as on:
        pass
    return result("maximum_requests=200", on)


def configuration_changed(project: Path, enough: int) -> Result:
    with site(project, {"processes": 2}) as at, load(at, enough) as on:
        time.sleep(1)
        write_project(project, {"blog": {"processes": 1, "threads": 8}, "other": {}}, ALIASES)
        at.hup()
        wait_until(lambda: at.place("blog")["threads"] == 8)
        time.sleep(2)
    return result("options changed", on)


def python_changed(project: Path, enough: int) -> Result:
    python = next(iter(other_pythons()), None)
    if python is None:
        return Result("python_home changed", 0, 0, 0, "skipped: there is no other Python")
    subprocess.run([python, "-m", "venv", "--without-pip", project / "venv"], check=True)
    with site(project, {"processes": 2}) as at, load(at, enough) as on:
        time.sleep(1)
        groups = {"blog": {"processes": 2, "python_home": str(project / "venv")}, "other": {}}
        write_project(project, groups, ALIASES)
        before = at.told("/blog")["python"]
        at.hup()
        wait_until(lambda: at.told("/blog")["python"] != before)
        time.sleep(2)
        after = at.told("/blog")["python"]
    return result("python_home changed", on, note=f"{before} to {after}")


def server_killed(project: Path, enough: int) -> Result:
    with site(project, {"processes": 2}) as at:
        at.told("/blog")
        os.kill(at.server.process.pid, signal.SIGKILL)
        at.server.process.wait()
        began = time.monotonic()
        wait_until(lambda: not at.processes())
        took = time.monotonic() - began
    return Result("server killed -9", 0, int(took > 3), 0, f"nothing left after {took:.2f} s")


def cycles(project: Path, enough: int) -> Result:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        with site(project) as at:
            mark = at.mark
        assert not marked(mark)
    left = len(os.listdir("/proc/self/fd")) - before
    return Result("100 starts and stops", 100, left, 0, "no socket, file or process left")


TENANTS = """\
script_alias_match(r"^/(tenant-\\w+)", "app.wsgi", process_group="blog",
                   application_group="%{RESOURCE}"),
"""


def memory_of(at: Site) -> tuple[int, float]:
    """How many places live, and what they cost together: PSS in MiB."""
    places = [place for place in at.order(do="status")["places"] if place["memory"]]
    return len(places), sum(place["memory"] for place in places) / (1 << 20)


def one_group(project: Path, enough: int) -> Result:
    with site(project) as at:
        at.told("/blog")
        place = at.place("blog")
        manager = proportional_set_size(at.order(do="status")["pid"]) or 0
    note = f"{place['memory'] / (1 << 20):.1f} MiB; the manager {manager / (1 << 20):.1f} MiB"
    return Result("PSS of a group with a bare script", 1, 0, 0, note)


def idle_groups(project: Path, enough: int) -> Result:
    aliases = TENANTS
    with site(project, {"inactivity_timeout": 15}, aliases=aliases) as at:
        for number in range(50):
            at.told(f"/tenant-{number}")
        before = memory_of(at)
        wait_until(lambda: memory_of(at)[0] <= 1, 60)
        after = memory_of(at)
        manager = (proportional_set_size(at.order(do="status")["pid"]) or 0) / (1 << 20)
    note = f"{before[0]} live, {before[1]:.0f} MiB; then {after[0]} live, {after[1]:.0f} MiB"
    return Result("50 groups, idle", 50, 0, 0, f"{note}; the manager {manager:.1f} MiB")


def tenants(project: Path, enough: int) -> Result:
    lost, most = 0, 0
    options = {"maximum_application_groups": 20, "maximum_starts": 0, "threads": 2}
    with site(project, options, aliases=TENANTS) as at:
        began = time.monotonic()
        for number in range(200):
            lost += at.get(f"/tenant-{number}").status != 200
            if number % 20 == 19:
                most = max(most, memory_of(at)[0])
        took = time.monotonic() - began
        live, memory = memory_of(at)
    # The groups ``blog`` and ``other`` themselves live, too.
    note = f"{live} live, at most {most}, {memory:.0f} MiB; a first request took {took * 5:.0f} ms"
    return Result("200 tenants, at most 20 live", 200, lost, 0, note)


SCENES: dict[str, Callable[[Path, int], Result]] = {
    "hup": hup_twice,
    "worker": worker_killed,
    "arbiter": arbiter_killed,
    "maximum": maximum_requests,
    "options": configuration_changed,
    "python": python_changed,
    "server": server_killed,
    "cycles": cycles,
    "memory": one_group,
    "idle": idle_groups,
    "tenants": tenants,
}


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("scenes", nargs="*", default=[], help=", ".join(SCENES))
    options.add_argument("--requests", type=int, default=20_000, help="for each scene: 20000")
    given = options.parse_args(argv)
    results = []
    for name in given.scenes or SCENES:
        with tempfile.TemporaryDirectory() as folder:
            one = SCENES[name](Path(folder), given.requests)
        verdict = "kept" if one.is_kept else "MISSED"
        counts = f"{one.requests} requests, {one.errors} lost (at most {one.most})"
        print(f"{verdict}: {one.name}: {counts}  {one.note}", flush=True)
        results.append(one)
    return int(not all(one.is_kept for one in results))


if __name__ == "__main__":
    raise SystemExit(main())
