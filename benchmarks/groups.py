"""
What a process group costs: requests per second and CPU time, with the hop and without it.

``python -m benchmarks.groups`` prints a table for each payload; ``--output FOLDER`` writes
``groups.json`` and ``groups.svg``. gunicorn, granian and Apache + mod_wsgi run side by side, each
with two processes of four threads, and are asked in turn, round after round, for an application
that runs in the server's own processes and for the same one in daemon processes. "At least" is a
hop in which no environ travels and none of our code runs (`benchmarks.floor`). The load comes
from ``wrk``, to 127.0.0.1 only. The exit status is 1 where a contract is missed.

``WSGIMATCH_BENCH_MOD_WSGI`` names a second mod_wsgi.so, such as that of PyPI's newest: the better
of the two counts. Run this with the Python that they are built for: with another, two Pythons are
compared, and it says so. One that pyenv has built without profile-guided optimization takes a
quarter more for a hop than Debian's.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from string import Template

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
    write_json,
)
from tests.support.groups import MARK, marked, wait_until
from tests.support.oracle import (
    APACHE,
    HOW_TO_INSTALL,
    INSTALLED,
    MODULE,
    free_port,
    small_configuration,
)
from tests.support.raw_http import fetch
from tests.support.servers import environment, listens, start, stop, wait_for

HERE = Path(__file__).resolve().parent
ENTRY = "django_wsgimatch.wsgi:application"
PROCESSES, THREADS = 2, 4
PAYLOADS = {"2 KiB": "small", "100 KiB": "large", "POST 64 KiB": "post", "10 MiB file": "file"}
LOAD = {"rounds": 9, "seconds": 2, "connections": 16}
POST = 'wrk.method = "POST"\nwrk.body = string.rep("a", 65536)\n'
KINDS = {"here": "without hop", "floor": "at least", "hop": "with hop"}
EMBEDDED, DAEMON = "mod_wsgi embedded", "mod_wsgi daemon"
OTHER_MODULE = os.environ.get("WSGIMATCH_BENCH_MOD_WSGI", "")
MODULES = {"": MODULE} | ({" of PyPI": Path(OTHER_MODULE)} if OTHER_MODULE else {})
# How much a hop may cost, as a part of what mod_wsgi's costs.
MOST = {"granian": 1.0, "gunicorn": 1.15}

APACHE_CONFIGURATION = Template("""\
StartServers $processes
ServerLimit $processes
MaxRequestWorkers $workers
ThreadsPerChild $threads
MaxKeepAliveRequests 0
WSGIDaemonProcess hop processes=$processes threads=$threads
WSGIApplicationGroup %{GLOBAL}
WSGIScriptAlias /here "$here/hop.wsgi"
WSGIScriptAlias /hop "$here/hop.wsgi" process-group=hop
""")


@dataclass(frozen=True, slots=True)
class Running:
    """A started server: its port, and what marks its processes."""

    port: int
    mark: str


@contextmanager
def running(name: str, directory: Path) -> Iterator[Running]:
    """Run a server until the end of the block."""
    port, mark = free_port(), f"bench-{name}-{os.getpid()}"
    directory = directory / name.replace(" ", "-")
    directory.mkdir()
    configuration = directory / "httpd.conf"
    module = MODULES.get(name.removeprefix("mod_wsgi"), MODULE)
    configuration.write_text(apache_configuration(directory, port, module))
    command = [word.format(port=port, configuration=configuration) for word in COMMANDS[name]]
    socket = str(directory / "floor")
    floor = (sys.executable, "-m", "benchmarks.floor", socket, str(PROCESSES))
    variables = {
        MARK: mark,
        "WSGIMATCH_BENCH_FLOOR": socket,
        "WSGIMATCH_BENCH_FILE": str(directory.parent / "file"),
        "WSGIMATCH_BENCH_SOCKETS": str(directory / "s"),
    }
    own = environment("benchmarks.settings_groups", **variables)
    with (
        started(floor, own, directory / "floor.log", lambda: os.path.exists(socket)),
        started(command, own, directory / "server.log", lambda: listens(("127.0.0.1", port))),
    ):
        yield Running(port, mark)
    wait_until(lambda: not marked(mark))


@contextmanager
def started(
    command: Sequence[str], own: Mapping[str, str], log: Path, is_up: Callable[[], bool]
) -> Iterator[None]:
    """Run a program until the end of the block, which begins when it is up."""
    process = start(command, HERE.parent, log, own)
    try:
        wait_for(process, log, is_up)
        yield
    finally:
        stop(process)


def commands() -> dict[str, tuple[str, ...]]:
    python = (sys.executable, "-m")
    return {
        "gunicorn": (
            *(*python, "gunicorn", "--no-control-socket", "--bind", "127.0.0.1:{port}"),
            # One listening socket for all hands nearly all connections to one worker in about
            # every other round, and a request costs twice as much then, with the hop or without.
            *("--reuse-port", "--workers", str(PROCESSES), "--threads", str(THREADS), ENTRY),
        ),
        "granian": (
            *(*python, "granian", "--interface", "wsgi", "--no-ws", "--port", "{port}"),
            *("--workers", str(PROCESSES), "--blocking-threads", str(THREADS), ENTRY),
        ),
        **{
            f"mod_wsgi{more}": (str(APACHE), "-D", "FOREGROUND", "-f", "{configuration}")
            for more in MODULES
            if INSTALLED
        },
    }


COMMANDS = commands()


def apache_configuration(directory: Path, port: int, module: Path) -> str:
    return small_configuration(directory, port, module) + APACHE_CONFIGURATION.substitute(
        processes=PROCESSES, threads=THREADS, workers=PROCESSES * THREADS * 4, here=HERE
    )


def measure(
    options: argparse.Namespace, payload: str, servers: Mapping[str, Running], script: Path
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return each contender's requests per second, and CPU time in us a request, by round."""
    loads: dict[str, Load] = {}
    for name, server in servers.items():
        for prefix, kind in KINDS.items():
            is_apache = name.startswith("mod_wsgi")
            if prefix == "floor" and (is_apache or payload == "file"):
                continue
            more = name.removeprefix("mod_wsgi")
            label = (EMBEDDED, DAEMON)[prefix == "hop"] + more if is_apache else f"{name}, {kind}"
            loads[label] = Load(
                f"http://127.0.0.1:{server.port}/{prefix}/{payload}",
                partial(marked, server.mark),
                options.seconds,
                options.connections,
                script if payload == "post" else None,
            )
            check(server, prefix, payload)
    # The first round only warms up.
    rates = {name: own[1:] for name, own in rounds(loads, options.rounds + 1).items()}
    return rates, {name: each.cpu[1:] for name, each in loads.items()}


def check(server: Running, prefix: str, payload: str) -> None:
    """See that an answer is what it should be."""
    sizes = {"small": 2048, "large": 102400, "file": 10 << 20, "post": 1}
    answer = fetch(("127.0.0.1", server.port), f"/{prefix}/{payload}".encode())
    assert (answer.status, len(answer.body)) == (200, sizes[payload]), answer.status


def other_pythons(servers: Mapping[str, Running]) -> dict[str, str]:
    """The Pythons that a mod_wsgi runs the application with and that are not this one, by name."""
    found = {
        name: fetch(("127.0.0.1", server.port), b"/here/python").body.decode()
        for name, server in servers.items()
        if name.startswith("mod_wsgi")
    }
    return {name: version for name, version in found.items() if version != sys.version}


def hops(cpu: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The CPU time that each hop adds to a request, in us."""
    pairs = {
        label: (label, f"{label.partition(',')[0]}, without hop")
        for label in cpu
        if label.endswith(("with hop", "at least"))
    }
    pairs |= {DAEMON + more: (DAEMON + more, EMBEDDED + more) for more in MODULES if INSTALLED}
    return {label: quiet(cpu[one]) - quiet(cpu[other]) for label, (one, other) in pairs.items()}


def quiet(costs: Sequence[float]) -> float:
    """
    The lower quartile of what the rounds cost.

    In some rounds gunicorn's two workers have very different numbers of connections, and a request
    costs more. Between medians, and between the costs of one round, that difference is larger than
    the hop.
    """
    return quantiles(costs, n=4)[0] if len(costs) > 1 else costs[0]


def first_wait(server: Running) -> float:
    """How long the first request to a stopped group waits, in milliseconds."""
    waits = []
    for _ in range(5):
        fetch(("127.0.0.1", server.port), b"/idle/small")
        # The group ends after a second without a request; the manager needs a moment to see it.
        time.sleep(3.5)
        began = time.perf_counter()
        answer = fetch(("127.0.0.1", server.port), b"/idle/small")
        waits.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200
    return median(waits)


def judge(
    hop: Mapping[str, float], rates: Mapping[str, Sequence[float]]
) -> Iterator[tuple[str, bool]]:
    """Yield each contract in words, and whether it is kept."""
    daemons = [name for name in hop if name.startswith(DAEMON)]
    if not daemons:
        return
    rival = min(hop[name] for name in daemons)
    for name, most in MOST.items():
        own, least = hop[f"{name}, with hop"], hop.get(f"{name}, at least")
        words = (
            f"{name}'s hop costs {own:.0f} us, mod_wsgi's {rival:.0f} us (at most {most:g} of it)"
        )
        words += "" if least is None else f", the least possible {least:.0f} us"
        yield words, own <= most * rival
    for name in daemons:
        ratio = median_ratio(rates["granian, with hop"], rates[name])
        yield f"granian, with hop / {name}: {ratio:.2f} (at least 1)", ratio >= 1


def draw(path: Path, costs: Mapping[str, Mapping[str, float]]) -> None:
    """Draw, in a panel for each payload, a bar for each server as long as its hop is costly."""
    pyplot = plotting(path)
    figure = pyplot.subplots(1, len(costs), figsize=(9, 2.2), layout="constrained")[0]
    for axes, (payload, hop) in zip(figure.axes, costs.items(), strict=True):
        names = [name.partition(",")[0].replace(" daemon", "") for name in hop]
        colours = [INK if name.startswith(DAEMON) else "tab:blue" for name in hop]
        bars = axes.barh(names, list(hop.values()), color=colours)
        axes.bar_label(bars, [f"{cost:,.0f}" for cost in hop.values()], padding=3)
        axes.invert_yaxis()
        axes.margins(x=0.35)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set(title=payload, xticks=[])
        axes.tick_params(labelleft=axes is figure.axes[0])
    figure.supxlabel("microseconds of CPU time that the hop adds to a request (less is better)")
    figure.savefig(path, transparent=True, metadata={"Date": None})


def main(argv: Sequence[str] | None = None) -> int:
    given = parser(str(__doc__), **LOAD)
    given.add_argument("--payloads", nargs="*", default=list(PAYLOADS), choices=list(PAYLOADS))
    options = given.parse_args(argv)
    if lacks_wrk("groups"):
        return 0
    document: dict[str, object] = {"load": {name: getattr(options, name) for name in LOAD}}
    drawn: dict[str, dict[str, float]] = {}
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="wm") as folder, ExitStack() as stack:
        directory = Path(folder)
        directory.chmod(0o755)
        (directory / "file").write_bytes(bytes(10 << 20))
        (directory / "post.lua").write_text(POST)
        servers = {name: stack.enter_context(running(name, directory)) for name in COMMANDS}
        document["other_pythons"] = pythons = other_pythons(servers)
        for name, version in pythons.items():
            print(f"{name} runs another Python than this one, {sys.version}: {version}")
        for payload in options.payloads:
            rates, cpu = measure(options, PAYLOADS[payload], servers, directory / "post.lua")
            costs = {name: quiet(each) for name, each in cpu.items()}
            print(payload)
            rows = [(name, rate, costs[name]) for name, rate in medians(rates).items()]
            print(table(["server", "requests/s", "CPU us a request"], rows))
            hop = hops(cpu)
            drawn[payload] = {name: cost for name, cost in hop.items() if "at least" not in name}
            for words, kept in judge(hop, rates):
                lines.append(f"{'kept' if kept else 'MISSED'}: {payload}: {words}")
                print(lines[-1], flush=True)
            document[payload] = {"requests_per_second": rates, "cpu_microseconds": cpu}
        wait = first_wait(servers["gunicorn"])
        print(f"The first request to a stopped group waits {wait:.0f} ms.")
        document["first_wait_milliseconds"] = wait
    if not INSTALLED:
        print(f"mod_wsgi was left out: it {HOW_TO_INSTALL}.")
    if options.output:
        write_json(options.output / "groups.json", {"contracts": lines, **document})
        draw(options.output / "groups.svg", drawn)
    return int(has_missed(lines))


if __name__ == "__main__":
    raise SystemExit(main())
