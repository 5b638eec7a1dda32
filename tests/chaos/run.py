"""
Faults of all kinds under load: what is answered wrongly, what is lost, what does not come back.

``python -m tests.chaos.run --seconds 600 --mode both --seed 1`` runs a server without root's help
and then one that root has started. Each fault is followed by a wait until the site is whole again.
The exit status is 1 where an answer was wrong, a request was lost that no killed process explains,
or something did not come back by itself.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from django_wsgimatch.daemon.manager.keeper import LINGER
from django_wsgimatch.exceptions import ManagerError
from tests.chaos.faults import FAULTS, ROOMS, SLOW, Agent, NotNow
from tests.chaos.load import Asked, Ledger, ask, load, ran_twice
from tests.chaos.site import FRONTS, PROCESSES, TARGETS, TENANTS, Census, Site, end, site

# Within so many seconds all must be well again.
BOUND = 60.0
# More descriptors than a process had at first are a leak; so many come and go.
SPARE = 12
MODES = ("plain", "root")
SAID = re.compile(
    r"(alpha|beta|gamma|tenants|own|\[wsgimatch\]).*( cannot | did not |Unable|Trunc|was k)"
)
NUMBERS = re.compile(r"[0-9a-f]*[0-9]{3,}[0-9a-f]*")
# How often a second fault comes before the first is over.
TWICE = 0.2


@dataclass(slots=True)
class Result:
    """What has come of a run in one mode."""

    mode: str
    seconds: float
    answered: int
    slowest: float
    faults: Counter[str]
    recovered: dict[str, list[float]]
    humans: list[str]
    wrong: list[Asked]
    lost: Counter[str]
    unexplained: list[Asked]
    twice: list[str]
    leaks: list[str]
    # What the server has said of requests that it could not have answered.
    reasons: Counter[str]
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def is_kept(self) -> bool:
        bad = (self.humans, self.wrong, self.unexplained, self.twice, self.leaks)
        return not any(bad)

    def lines(self) -> Iterator[str]:
        verdict = "kept" if self.is_kept else "MISSED"
        yield (
            f"{verdict}: {self.mode}: {self.seconds:.0f} s, {self.answered} requests answered, the "
            f"slowest in {self.slowest:.1f} s; {self.faults.total()} faults of {len(self.faults)} "
            f"kinds; {len(self.wrong)} wrong answers, {len(self.unexplained)} lost without a "
            f"killed process, {len(self.twice)} executed twice, {len(self.humans)} states that "
            f"need a human, {len(self.leaks)} leaks"
        )
        for what, count in self.lost.most_common():
            yield f"  lost: {count} ({what})"
        for name, count in sorted(self.faults.items()):
            times = self.recovered.get(name) or [0.0]
            middle, most = statistics.median(times), max(times)
            yield f"  {count:3} {name}: whole again after {middle:.1f} s, at most {most:.1f} s"
        for name, reason in self.skipped.items():
            yield f"  skipped: {name}: {reason}"
        for text in (*self.humans, *self.twice, *self.leaks):
            yield f"  bad: {text}"
        for reason, count in self.reasons.most_common(20):
            yield f"  said: {count} {reason}"
        for asked in [*self.wrong, *self.unexplained][:20]:
            took = f"{asked.began:.2f} to {asked.ended:.2f}"
            yield f"  bad: {asked.target.path}, {took}: {asked.problem}"


def incompleteness(agent: Agent) -> str:
    """Return what the site lacks, "" where all is as it should be."""
    at = agent.at
    for target in TARGETS:
        asked = ask(at, target)
        agent.ledger.note(asked)
        if asked.problem:
            return f"{target.path} answers {asked.problem}"
        if asked.version != at.versions[target.script]:
            return f"{target.path} answers by version {asked.version} of its script"
    lacking = lack_of_processes(at) or lack_of_files(agent)
    if not lacking:
        agent.fronts = {*at.census().fronts}
    return lacking


def lack_of_processes(at: Site) -> str:
    try:
        status = at.order(do="status")
    except (ManagerError, ValueError) as error:
        return f"status: {error}"
    census = at.census()
    if census.managers != [status["pid"]]:
        return f"managers {census.managers}, and {status['pid']} answers"
    if len(census.starters) != at.is_root or (at.is_root and census.roots != census.starters):
        names = [each for each in at.processes() if each.pid in census.roots]
        return f"root's processes: {names}, starters {census.starters}"
    if len(census.fronts) != FRONTS or census.others or census.stopped:
        others = f"others {census.others}, stopped {census.stopped}"
        return f"front workers {census.fronts}, {others}"
    return lack_of_groups(at, status["places"], census)


def lack_of_groups(at: Site, places: list[dict[str, object]], census: Census) -> str:
    running = {str(place["name"]): place for place in places if place["pid"]}
    if {*running} != {*census.groups}:
        return f"groups {sorted(census.groups)}, known are {sorted(running)}"
    if len(census.forkers) != len(census.parents):
        return f"parents {census.parents}, forkers {census.forkers}"
    for name, place in running.items():
        processes = place["processes"]
        assert isinstance(processes, list)
        told = {process["pid"] for process in processes if process["state"] == "ready"}
        wanted = PROCESSES.get(str(place["process_group"]), 1)
        is_whole = len(told) == wanted and told == census.groups[name]
        if not is_whole or place["state"] != "running":
            return f"{place}, processes {census.groups[name]}"
        own = at.threads if place["process_group"] else place["threads"]
        if place["threads"] not in (own, wanted * at.threads):
            return f"{place['name']} has {place['threads']} threads"
    tenants = [place for place in running.values() if place["application_group"]]
    if len(tenants) > TENANTS + 1:
        return f"{len(tenants)} application groups"
    return ""


def lack_of_files(agent: Agent) -> str:
    at = agent.at
    names = os.listdir(at.socket_folder)
    places = at.order(do="status")["places"]
    running = sum(bool(place["pid"]) for place in places)
    sockets = [name for name in names if name.endswith(".sock")]
    found_boards = [name for name in names if name.endswith(".board")]
    others = {*names} - {*sockets, *found_boards}
    servers = [name for name in os.listdir(at.base) if not name.startswith(".")]
    # Those of processes that are gone, and of a manager that was killed, lie there for a while.
    missing = len(sockets) < len(places) + 1 or len(found_boards) < running
    has_more = len(sockets) > len(places) + 1 or len(found_boards) > running
    if missing or (has_more and agent.is_last) or len(servers) != 1:
        return f"{len(places)} places, {running} running: {names}, servers {servers}"
    return f"files {others}" if others - {"alive", "lock", ".wsgimatch"} else ""


def leftovers(agent: Agent) -> list[str]:
    """What still lies there once a manager's old files should be gone."""
    agent.is_last = True
    _, lacking = wait_until_whole(agent, LINGER + BOUND)
    return [f"left over: {lacking}"] if lacking else []


def wait_until_whole(agent: Agent, bound: float = BOUND) -> tuple[float, str]:
    """Return how long it took, and what is still lacking once the time is over."""
    began = time.monotonic()
    while True:
        try:
            lacking = incompleteness(agent)
        except (ManagerError, OSError, ValueError) as error:
            lacking = f"{type(error).__name__}: {error}"
        took = time.monotonic() - began
        if not lacking or took > bound:
            return took, lacking
        time.sleep(0.1)


def possible_faults(at: Site) -> dict[str, str]:
    """Return the faults that cannot be injected here, and why."""
    reason = "only root can mount a file system that is small enough to be filled"
    return {name: reason for name, room in ROOMS.items() if room not in at.rooms}


def fault_names(chance: random.Random, skipped: Sequence[str], *, is_quick: bool) -> Iterator[str]:
    """All kinds in turn, each round in another order; in a quick run few that need patience."""
    while True:
        quick = [name for name in FAULTS if name not in skipped]
        slow = [*SLOW]
        chance.shuffle(quick)
        chance.shuffle(slow)
        if is_quick:
            # One in eight.
            for at, name in enumerate(quick):
                yield name
                if at % 7 == 6:
                    yield slow.pop()
        else:
            names = quick + slow
            chance.shuffle(names)
            yield from names


def descriptors(at: Site) -> dict[str, dict[int, int]]:
    """How many descriptors the lasting processes have, by part and process."""
    census = at.census()
    parts = {"master": census.master, "manager": census.managers, "starter": census.starters}
    parts["parent"] = census.parents
    found: dict[str, dict[int, int]] = {}
    for part, pids in parts.items():
        found[part] = {}
        for pid in pids:
            with suppress(OSError):
                found[part][pid] = len(os.listdir(f"/proc/{pid}/fd"))
    return found


def leaks_between(before: dict[str, dict[int, int]], after: dict[str, dict[int, int]]) -> list[str]:
    """A new manager must not need more than the one before it."""
    leaks = []
    for part, counts in after.items():
        most = max(before[part].values(), default=0) + SPARE
        leaks += [
            f"{part} {pid} has {count} descriptors, {most} at most"
            for pid, count in counts.items()
            if count > most
        ]
    return leaks


def leaks_left(at: Site, before: dict[str, dict[int, int]]) -> list[str]:
    """Return what is still open once what is on its way out is gone."""
    deadline = time.monotonic() + BOUND
    while (leaks := leaks_between(before, descriptors(at))) and time.monotonic() < deadline:
        time.sleep(0.1)
    return leaks


def run(mode: str, seconds: float, seed: int, least: int, *, is_quick: bool) -> Result:
    """Let chaos loose on a site."""
    chance, ledger = random.Random(seed), Ledger()
    faults: Counter[str] = Counter()
    recovered: dict[str, list[float]] = {}
    humans: list[str] = []
    with site(is_root=mode == "root") as at:
        agent = Agent(at, ledger, chance)
        skipped = possible_faults(at)
        names = fault_names(chance, [*skipped], is_quick=is_quick)
        is_held = threading.Event()
        began = time.monotonic()
        # The short run is one of many tests on the machine.
        with load(at, ledger, is_held, 0.2 if is_quick else 0.02):
            _, lacking = wait_until_whole(agent)
            assert not lacking, f"{lacking}\n{at.tail()}"
            first = descriptors(at)
            while time.monotonic() - began < seconds or faults.total() < least:
                injected, complaint = inject_some(agent, names)
                faults.update(injected)
                took, lacking = wait_until_whole(agent)
                for name in injected:
                    recovered.setdefault(name, []).append(took)
                what = " + ".join(injected)
                if complaint:
                    ledger.wrong.append(_complaint(what, complaint))
                at_time = f"{time.monotonic() - took:.0f}"
                _say(f"{at_time} {mode}: {what}: {took:.1f} s {complaint} {lacking}")
                if complaint:
                    _say(at.tail())
                if lacking:
                    humans.append(f"after {what}: {lacking}")
                    _say(at.tail())
                    restart(at, is_held)
            if not is_quick:
                humans += leftovers(agent)
            leaks = leaks_left(at, first)
            is_held.set()
        for thread in agent.left:
            thread.join()
        twice = ran_twice(at)
        reasons = reasons_of(at)
        humans += status_of_all(at)
        humans += death_of_master(at)
    counts, unexplained = ledger.attribute()
    return Result(
        mode,
        time.monotonic() - began,
        ledger.answered,
        ledger.slowest,
        faults,
        recovered,
        humans,
        ledger.wrong,
        counts,
        unexplained,
        twice,
        leaks,
        reasons,
        skipped,
    )


def inject_some(agent: Agent, names: Iterator[str]) -> tuple[list[str], str]:
    """Inject a fault, now and then two; return their names, and what came out otherwise."""
    injected: list[str] = []
    wanted = 2 if agent.chance.random() < TWICE else 1
    for name in names:
        try:
            {**FAULTS, **SLOW}[name](agent)
        except (NotNow, FileNotFoundError, ValueError):
            # After another one there may be nothing to do it to, or no folder of sockets.
            if not injected:
                continue
        except AssertionError as error:
            # Two at once may well disturb what one of them looks at.
            if not injected:
                return [name], str(error)
        injected.append(name)
        if len(injected) == wanted:
            break
    return injected, ""


def reasons_of(at: Site) -> Counter[str]:
    """The reasons that the server gives for what it refuses, numbers left out."""
    lines = (line for line in at.said().splitlines() if SAID.match(line))
    return Counter(NUMBERS.sub("N", line) for line in lines)


def _complaint(what: str, text: str) -> Asked:
    now = time.monotonic()
    return Asked(TARGETS[0], "", 0, now, now, f"{what}: {text}", is_wrong=True)


def restart(at: Site, is_held: threading.Event) -> None:
    """Do what a human would."""
    is_held.set()
    end(at)
    at.start()
    is_held.clear()


def status_of_all(at: Site) -> list[str]:
    """The command finds the server: as root, or as the user that started it."""
    command = [str(at.python), "manage.py", "wsgimatch", "status"]
    environ = {"PATH": os.defpath, "WSGIMATCH_ALLOW_ROOT": "1"}
    if at.is_root:
        del environ["WSGIMATCH_ALLOW_ROOT"]
    done = subprocess.run(command, cwd=at.project, env=environ, capture_output=True, check=False)
    if done.returncode or b"alpha" not in done.stdout:
        return [f"status: {done.returncode} {done.stdout!r} {done.stderr!r}"]
    return []


def death_of_master(at: Site) -> list[str]:
    """The master killed while its workers load leaves nothing behind."""
    os.kill(at.pid, signal.SIGHUP)
    deadline = time.monotonic() + BOUND
    fronts = {*at.census().fronts}
    while not {*at.census().fronts} - fronts and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(at.pid, signal.SIGKILL)
    assert at.server is not None
    at.server.wait()
    deadline = time.monotonic() + BOUND
    while (left := at.processes()) and time.monotonic() < deadline:
        time.sleep(0.05)
    found = [f"left behind by a killed master: {each}" for each in left]
    if at.base.exists():
        # The next server of this user sweeps the folder of one that was killed with its manager.
        found += [f"left behind: {path}" for path in at.base.glob("*/*")]
    return found


def _say(text: str) -> None:
    print(text, flush=True)


def modes_here(mode: str) -> list[str]:
    """The modes that are asked for, as far as they can be had."""
    wanted = MODES if mode == "both" else (mode,)
    return [each for each in wanted if each != "root" or os.geteuid() == 0]


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return 1 where something was not as it should be."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=600, help="for all modes together: 600")
    options.add_argument("--mode", choices=("both", *MODES), default="both", help="both")
    options.add_argument("--seed", type=int, default=int(time.time()), help="the time")
    options.add_argument("--faults", type=int, default=0, help="at least so many in each mode: 0")
    given = options.parse_args(argv)
    # Nothing may be left of the sites.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(f"ended by signal {number}"))
    modes = modes_here(given.mode)
    if not modes:
        print("the mode root needs root")
        return 2
    print(f"seed {given.seed}", flush=True)
    seconds = given.seconds / len(modes)
    results = [
        run(mode, seconds, given.seed, given.faults, is_quick=seconds < 120) for mode in modes
    ]
    for line in (line for result in results for line in result.lines()):
        print(line, flush=True)
    return int(not all(result.is_kept for result in results))


if __name__ == "__main__":
    raise SystemExit(main())
