"""
What a table costs a server's worker: CPU time to read and build it, and memory to keep it.

``python -m benchmarks.tables`` prints a table and says whether the contracts are kept: 100,000
entries, the settings included, take a worker less than 85 (prefixes) and 120 MiB (mixed), and a
worker of ``gunicorn --preload`` has at most 20 MiB for itself because of them. With ``--output`` it
also writes ``tables.json``.

"Prefixes" are plain aliases; "mixed" is the table of ``benchmarks.index``; "hosts" are virtual
hosts with an alias each. Each is built in a process of its own. "Planned" is what is kept once a
request has come to each alias. "Preloaded" is the memory that one of two workers has for itself,
beyond that of a worker whose table has one entry.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from django.conf import settings

from benchmarks.measure import parser, table, verdict, write_json
from benchmarks.settings_tables import HERE
from django_wsgimatch.conf import configuration
from django_wsgimatch.dispatcher import Dispatcher
from tests.support.raw_http import fetch
from tests.support.servers import ENTRY, GUNICORN, environment, listens, start, stop, wait_for

TABLES = (("prefixes", 10_000), ("mixed", 10_000), ("hosts", 10_000))
LARGE = (("prefixes", 100_000), ("mixed", 100_000))
# By kind, for 100,000 entries.
MOST_MEMORY = {"prefixes": 85, "mixed": 120}
MOST_SECONDS = {"prefixes": 3, "mixed": 8}
MOST_PRELOADED = 20


@dataclass(frozen=True, slots=True)
class Costs:
    """What a table costs a process: seconds of CPU time, and MiB of memory."""

    seconds: float
    memory: float
    planned: float


def memory_of(pid: int | str, *names: str) -> float:
    """The MiB that /proc tells of a process under some names together."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    told = {name: int(kib) for name, kib, *_ in map(str.split, lines)}
    return sum(told[f"{name}:"] for name in names) / 1024


def environ_of(kind: str, entries: int) -> dict[str, str]:
    given = {"WSGIMATCH_BENCH_KIND": kind, "WSGIMATCH_BENCH_ENTRIES": str(entries)}
    root = str(Path(__file__).parents[1])
    return {**environment("benchmarks.settings_tables", **given), "PYTHONPATH": root}


def costs_of(kind: str, entries: int, count: int) -> Costs:
    """The medians of some processes that build the table."""
    command = [sys.executable, "-m", "benchmarks.tables", "--measured"]
    environ = environ_of(kind, entries)
    told = [
        json.loads(subprocess.run(command, env=environ, capture_output=True, check=True).stdout)
        for _ in range(count)
    ]
    return Costs(**{name: median(each[name] for each in told) for name in told[0]})


def measure_here() -> Costs:
    """Build the table of the settings in this process, and plan all its aliases."""
    before, started = memory_of("self", "Rss"), time.process_time()
    assert settings.WSGIMATCH_ALIASES
    configured = configuration()
    seconds = time.process_time() - started
    memory = memory_of("self", "Rss") - before
    plan_all(Dispatcher(configured.table, rules=configured.rules))
    return Costs(seconds, memory, memory_of("self", "Rss") - before)


def plan_all(dispatcher: Dispatcher) -> None:
    """Have the plan of each alias made, as its first request does."""
    for host in dispatcher.table.virtual_hosts or [""]:
        site = dispatcher._site(host)
        for position, alias in enumerate(site.table.aliases):
            script = alias.target.replace("$1", "page")
            plan = dispatcher._planner.plan(alias, site.table.locations[position], script)
            site.keep(position, plan)


def private_memory(kind: str, entries: int) -> float:
    """The MiB that one of two workers has for itself under ``gunicorn --preload``."""
    with tempfile.TemporaryDirectory() as directory:
        socket, log = Path(directory, "socket"), Path(directory, "log")
        command = [*GUNICORN, "--preload", "--workers", "2", ENTRY]
        server = start(command, Path(directory), log, environ_of(kind, entries))
        try:
            wait_for(server, log, lambda: listens(socket))
            for number in range(200):
                assert fetch(socket, f"{HERE}/{number}".encode()).status == 200
            return median(memory_of(pid, "Private_Dirty") for pid in children(server.pid))
        finally:
            stop(server)


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def judge(
    costs: Mapping[tuple[str, int], Costs], preloaded: Mapping[tuple[str, int], float]
) -> Iterator[str]:
    """The contracts, a line for each."""
    for kind, entries in LARGE:
        cost = costs[kind, entries]
        said = f"{entries:,} {kind}"
        yield verdict(f"MiB of memory for {said}", cost.memory, MOST_MEMORY[kind])
        yield verdict(f"seconds to build {said}", cost.seconds, MOST_SECONDS[kind])
        more = preloaded[kind, entries]
        yield verdict(f"MiB of a preloaded worker's own for {said}", more, MOST_PRELOADED)


def main(argv: Sequence[str] | None = None) -> int:
    options = parser(str(__doc__), rounds=3)
    options.add_argument("--measured", action="store_true", help="measure in this process alone")
    given = options.parse_args(argv)
    if given.measured:
        print(json.dumps(asdict(measure_here())))
        return 0
    costs = {each: costs_of(*each, given.rounds) for each in (*TABLES, *LARGE)}
    bare = private_memory("prefixes", 1)
    preloaded = {each: private_memory(*each) - bare for each in LARGE}
    rows = [
        [f"{n:,} {kind}", *asdict(cost).values(), preloaded.get((kind, n))]
        for (kind, n), cost in costs.items()
    ]
    header = ["entries", "build s", "MiB", "MiB planned", "MiB preloaded"]
    print(table(header, rows), end="\n\n")
    lines = list(judge(costs, preloaded))
    print(*lines, sep="\n")
    if given.output:
        figures = [
            {"kind": kind, "entries": n, **asdict(cost), "preloaded": preloaded.get((kind, n))}
            for (kind, n), cost in costs.items()
        ]
        document = {"contracts": lines, "bare_worker": bare, "tables": figures}
        write_json(given.output / "tables.json", document)
    return 1 if any(line.startswith("MISSED") for line in lines) else 0


if __name__ == "__main__":
    raise SystemExit(main())
