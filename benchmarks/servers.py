"""
Requests per second of one hello script: bare servers, the entry under them, Apache + mod_wsgi.

``python -m benchmarks.servers`` prints a table; ``--output FOLDER`` writes ``servers.json`` and
``servers.svg`` too. All servers run all the time and are asked in turn, round after round. The
load comes from ``wrk``, to 127.0.0.1 only. The exit status is 1 where a contract is missed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.contenders import APACHE_NAME, TARGET, Running, contenders, running
from benchmarks.measure import (
    INK,
    median_ratio,
    medians,
    parser,
    plotting,
    rounds,
    table,
    write_json,
)
from tests.support.oracle import HOW_TO_INSTALL

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
VERSIONS = ("gunicorn", "granian", "django")
LOAD = {"rounds": 9, "seconds": 1, "connections": 16, "processes": 2, "threads": 4}


@dataclass(frozen=True, slots=True)
class Contract:
    """``name`` must answer at least ``least`` times as many requests per second as ``rival``."""

    name: str
    rival: str
    least: float

    def verdict(self, ratio: float) -> str:
        kept = "kept" if ratio >= self.least else "MISSED"
        return f"{kept}: {self.name} / {self.rival}: {ratio:.3f} (at least {self.least:g})"


CONTRACTS = [
    Contract(f"{server}, {entry}", f"{server}, bare", least)
    for server, least in (("gunicorn sync", 0.97), ("gunicorn gthread", 0.97), ("granian", 0.92))
    for entry in ("entry", "entry without reloading")
] + [Contract("granian, entry", APACHE_NAME, 1.5)]


@dataclass(slots=True)
class Load:
    """
    The load on one server: each call puts it on for some seconds.

    ``requests`` and ``cpu_seconds``, the CPU time of the server's processes, add up over the calls.
    """

    server: Running
    seconds: int
    connections: int
    requests: int = 0
    cpu_seconds: float = 0.0

    def __call__(self) -> float:
        """Return the requests per second. Raises RuntimeError where not every answer was a 200."""
        before = cpu_seconds(self.server.process.pid)
        url = f"http://127.0.0.1:{self.server.port}{TARGET}"
        words = ["wrk", "-t1", f"-c{self.connections}", f"-d{self.seconds}s", url]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in said:
            raise RuntimeError(f"Not every answer was a 200:\n{said}")
        self.cpu_seconds += cpu_seconds(self.server.process.pid) - before
        self.requests += int(re.findall(r"(\d+) requests", said)[0])
        return float(re.findall(r"Requests/sec: *([\d.]+)", said)[0])


def cpu_seconds(session: int) -> float:
    """The CPU time of all processes of a session until now."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            # The process has ended in the meantime.
            continue
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / CLOCK_TICKS


def measure(options: argparse.Namespace) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Run all servers; return each one's requests per second, and CPU time in us a request."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        loads = {}
        for contender in contenders(options.processes, options.threads):
            context = running(contender, directory, options.processes, options.threads)
            server = stack.enter_context(context)
            loads[contender.name] = Load(server, options.seconds, options.connections)
        # The first round only warms up.
        rates = {name: own[1:] for name, own in rounds(loads, options.rounds + 1).items()}
    return rates, {name: load.cpu_seconds / load.requests * 1e6 for name, load in loads.items()}


def judge(rates: Mapping[str, Sequence[float]]) -> dict[Contract, float]:
    """The ratio of each contract whose servers were measured."""
    return {
        contract: median_ratio(rates[contract.name], rates[contract.rival])
        for contract in CONTRACTS
        if {contract.name, contract.rival} <= {*rates}
    }


def draw(path: Path, rates: Mapping[str, float]) -> None:
    """Draw a bar for each server, as long as its requests per second."""
    pyplot = plotting(path)
    figure, axes = pyplot.subplots(figsize=(7, 3.2), layout="constrained")
    colours = ["tab:blue" if "entry" in name else INK for name in rates]
    bars = axes.barh(list(rates), list(rates.values()), color=colours)
    axes.bar_label(bars, [f"{rate:,.0f}" for rate in rates.values()], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("requests per second (more is better)")
    figure.savefig(path, transparent=True, metadata={"Date": None})


def main(argv: Sequence[str] | None = None) -> int:
    options = parser(str(__doc__), **LOAD).parse_args(argv)
    if not shutil.which("wrk"):
        print("Skipped: benchmarks.servers needs Debian's wrk.")
        return 0
    rates, costs = measure(options)
    ratios = judge(rates)
    rows = [(name, rate, costs[name]) for name, rate in medians(rates).items()]
    print(table(["server", "requests/s", "CPU us a request"], rows))
    print(*(contract.verdict(ratio) for contract, ratio in ratios.items()), sep="\n")
    if APACHE_NAME not in rates:
        print(f"{APACHE_NAME} was left out: it {HOW_TO_INSTALL}.")
    if options.output:
        document = {
            "versions": {name: version(name) for name in VERSIONS},
            "load": {name: getattr(options, name) for name in LOAD},
            "contracts": [{**asdict(one), "ratio": ratio} for one, ratio in ratios.items()],
            "requests_per_second": rates,
            "cpu_microseconds": costs,
        }
        write_json(options.output / "servers.json", document)
        draw(options.output / "servers.svg", medians(rates))
    return int(any(ratio < contract.least for contract, ratio in ratios.items()))


if __name__ == "__main__":
    raise SystemExit(main())
