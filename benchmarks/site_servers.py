"""
What a request costs under a server on the sites that people really have, beside the bare server.

``python -m benchmarks.site_servers`` prints a table for granian and one for gunicorn (gthread), and
says whether the contracts are kept; ``--output FOLDER`` writes ``site_servers.json`` too. Every
server has one process, all run all the time, and they are asked in turn, round after round.

The CPU time is that of all the server's processes. Requests are for paths that have never been
asked for (`benchmarks.site_cases`), but for "one path". "Bare" is the server with the script and
nothing else; "a Django view" renders a template, and stands beside the same project served bare.
The servers are started anew several times, as processes differ as long as they live: the ratio of
the same two sites was 1.00 in one start and 1.15 in another.
Waits are those of requests at a fixed rate: the median, and what one in a hundred waits at least.
A process group adds a hop, and the name of its application group must not add to that.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles

from benchmarks.load import lacks_wrk
from benchmarks.measure import (
    Row,
    has_missed,
    median_ratio,
    medians,
    parser,
    rounds,
    table,
    texts,
    verdict,
    write_json,
)
from benchmarks.served_sites import (
    BARE,
    BARE_PAGE,
    COMMANDS,
    GRANIAN,
    GUNICORN,
    all_sites,
    serving,
    write_scripts,
)
from benchmarks.site_cases import FIXED_GROUP, MANY_HOSTS, NAMED_GROUP, ONE_HOST, PAGE, REPEATED

LOAD = {"starts": 4, "rounds": 2, "seconds": 1, "connections": 8, "rate": 200}
HEADER = ("CPU us", "of bare", "requests/s", "p50 ms", "p99 ms")

# What the contracts name: 45 us under granian where the bare server takes 26.
MOST = 45 / 26
MOST_FOR_DEFAULTS = {GRANIAN: 1 / 0.93, GUNICORN: 1 / 0.97}
MOST_FOR_MANY, MOST_FOR_NAMED = 1.3, 1.1
# Beside another site than the bare one, or without a contract.
OTHERWISE = (BARE, BARE_PAGE, REPEATED, PAGE, FIXED_GROUP, NAMED_GROUP)


@dataclass(frozen=True, slots=True)
class Figures:
    """
    What the sites of one server have cost, round after round.

    ``cpu`` in microseconds a request, ``rates`` in requests per second, ``waits`` in milliseconds.
    """

    cpu: dict[str, list[float]]
    rates: dict[str, list[float]]
    waits: dict[str, list[float]]

    def add(self, more: Figures) -> None:
        """Take in what the sites have cost after another start."""
        for own, others in zip(self.parts(), more.parts(), strict=True):
            for name, figures in others.items():
                own.setdefault(name, []).extend(figures)

    def parts(self) -> tuple[dict[str, list[float]], ...]:
        return self.cpu, self.rates, self.waits

    def ratio(self, name: str, other: str = BARE) -> float:
        return median_ratio(self.cpu[name], self.cpu[other])

    def rows(self) -> list[Row]:
        cpu, rates = medians(self.cpu), medians(self.rates)
        cuts = {name: quantiles(waits, n=100) for name, waits in self.waits.items()}
        return [
            (name, cpu[name], self.ratio(name), rates[name], cuts[name][49], cuts[name][98])
            for name in cpu
        ]


def measure(server: str, options: argparse.Namespace, scripts: Path) -> Figures:
    """Start the sites so many times, and ask them in so many rounds each time."""
    found = Figures({}, {}, {})
    for _ in range(options.starts):
        found.add(measure_once(server, options, scripts))
    return found


def measure_once(server: str, options: argparse.Namespace, scripts: Path) -> Figures:
    with ExitStack() as stack:
        sites = {
            name: stack.enter_context(serving(server, name, case, scripts))
            for name, case in all_sites(scripts).items()
        }
        loads = {
            name: site.load(options.seconds, options.connections) for name, site in sites.items()
        }
        # The first round only warms up.
        rates = {name: own[1:] for name, own in rounds(loads, options.rounds + 1).items()}
        calm = {name: site.waits(options.rate, options.seconds) for name, site in sites.items()}
        return Figures({name: load.cpu[1:] for name, load in loads.items()}, rates, calm)


def judge(server: str, figures: Figures) -> list[str]:
    """The contracts, a line for each."""
    names = [name for name in figures.cpu if name not in OTHERWISE]
    pairs = [
        (REPEATED, BARE, MOST_FOR_DEFAULTS[server]),
        (PAGE, BARE_PAGE, MOST_FOR_DEFAULTS[server]),
        *((name, BARE, MOST) for name in names),
        (MANY_HOSTS, ONE_HOST, MOST_FOR_MANY),
        (NAMED_GROUP, FIXED_GROUP, MOST_FOR_NAMED),
    ]
    return [
        verdict(f"{server}, {name} / {other}", figures.ratio(name, other), most)
        for name, other, most in pairs
    ]


def main(argv: Sequence[str] | None = None) -> int:
    given = parser(str(__doc__), **LOAD)
    given.add_argument("--servers", nargs="*", default=list(COMMANDS), choices=list(COMMANDS))
    options = given.parse_args(argv)
    if lacks_wrk("site_servers"):
        return 0
    found: dict[str, Figures] = {}
    for server in options.servers:
        with tempfile.TemporaryDirectory(prefix="wm") as folder:
            scripts = Path(folder)
            write_scripts(scripts)
            found[server] = measure(server, options, scripts)
        print(table([server, *HEADER], found[server].rows()), end="\n\n", flush=True)
    lines = [line for server, figures in found.items() for line in judge(server, figures)]
    print(*lines, sep="\n")
    if options.output:
        document = {
            "load": {name: getattr(options, name) for name in LOAD},
            "contracts": lines,
            "tables": {s: texts(["site", *HEADER], each.rows()) for s, each in found.items()},
            "figures": {server: asdict(each) for server, each in found.items()},
        }
        write_json(options.output / "site_servers.json", document)
    return int(has_missed(lines))


if __name__ == "__main__":
    raise SystemExit(main())
