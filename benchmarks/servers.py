"""
What one hello script costs under servers: bare, with the entry, by their own routers, by Apache.

``python -m benchmarks.servers`` prints a table and says whether the contracts are kept; ``--output
FOLDER`` writes ``servers.json`` and ``servers.svg`` too. All servers run all the time and are asked
in turn, round after round, for the same path. The CPU time is that of all processes of a server,
nginx included where it stands before another. The load comes from ``wrk``, to 127.0.0.1 only. The
exit status is 1 where a contract is missed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from benchmarks.contenders import (
    EMBEDDED,
    GTHREAD,
    TARGET,
    contenders,
    left_out,
    running,
)
from benchmarks.load import Load, lacks_wrk
from benchmarks.measure import (
    INK,
    has_missed,
    median_ratio,
    medians,
    parser,
    plotting,
    rounds,
    table,
    verdict,
    write_json,
)

VERSIONS = ("gunicorn", "granian", "django")
LOAD = {"rounds": 9, "seconds": 1, "connections": 16, "processes": 1, "threads": 4}
# The entry and what it stands beside, and how much more CPU time it may take.
MOST = {
    **{
        (f"{server}, {entry}", f"{server}, bare"): most
        for server, most in (
            ("gunicorn sync", 1 / 0.97),
            (GTHREAD, 1 / 0.97),
            ("granian", 1 / 0.93),
        )
        for entry in ("entry", "entry without reloading")
    },
    ("granian, entry", EMBEDDED): 1 / 1.5,
    (f"nginx, {GTHREAD}, entry", f"nginx, {GTHREAD}, bare"): 1 / 0.97,
}


def measure(options: argparse.Namespace) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Run all servers; return each one's CPU time in us a request, and requests per second."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # Apache's user is to come to its files.
        directory.chmod(0o755)
        loads = {}
        for contender in contenders(options.processes, options.threads):
            server = stack.enter_context(running(contender, directory))
            url = f"http://127.0.0.1:{server.port}{TARGET}"
            load = Load(url, server.processes, options.seconds, options.connections)
            loads[contender.name] = load
        # The first round only warms up.
        rates = {name: own[1:] for name, own in rounds(loads, options.rounds + 1).items()}
    return {name: load.cpu[1:] for name, load in loads.items()}, rates


def judge(cpu: Mapping[str, Sequence[float]]) -> list[str]:
    """The contracts of what was measured, a line for each."""
    return [
        verdict(f"CPU time of {name} / {rival}", median_ratio(cpu[name], cpu[rival]), most)
        for (name, rival), most in MOST.items()
        if {name, rival} <= {*cpu}
    ]


def draw(path: Path, cpu: Mapping[str, float]) -> None:
    """Draw a bar for each server, as long as a request costs."""
    pyplot = plotting(path)
    figure, axes = pyplot.subplots(figsize=(7, 0.28 * len(cpu) + 0.6), layout="constrained")
    colours = ["tab:blue" if "entry" in name else INK for name in cpu]
    bars = axes.barh(list(cpu), list(cpu.values()), color=colours)
    axes.bar_label(bars, [f"{cost:,.0f}" for cost in cpu.values()], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12, y=0.02)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("microseconds of CPU time a request (less is better)")
    figure.savefig(path, transparent=True, metadata={"Date": None})


def main(argv: Sequence[str] | None = None) -> int:
    options = parser(str(__doc__), **LOAD).parse_args(argv)
    if lacks_wrk("servers"):
        return 0
    cpu, rates = measure(options)
    rows = [(name, cost, medians(rates)[name]) for name, cost in medians(cpu).items()]
    print(table(["server", "CPU us a request", "requests/s"], rows))
    lines = judge(cpu)
    print(*lines, *left_out(), sep="\n")
    if options.output:
        document = {
            "versions": {name: version(name) for name in VERSIONS},
            "load": {name: getattr(options, name) for name in LOAD},
            "contracts": lines,
            "cpu_microseconds": cpu,
            "requests_per_second": rates,
        }
        write_json(options.output / "servers.json", document)
        draw(options.output / "servers.svg", medians(cpu))
    return int(has_missed(lines))


if __name__ == "__main__":
    raise SystemExit(main())
