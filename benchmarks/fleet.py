"""
What many process groups cost: processes, memory and CPU time to idle, and the first answers.

``python -m benchmarks.fleet`` prints a table for 50 and for 200 groups of one Python and one user;
``--output FOLDER`` writes ``fleet.json``. gunicorn is started with groups that start with it, and
with groups that start on demand; Apache + mod_wsgi stands beside them. "Idle" is when no process
has used up CPU time for a while. Memory is the sum of all processes' PSS, the server's too. The
exit status is 1 where a contract is missed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from os import getpid
from pathlib import Path
from statistics import median
from string import Template

from benchmarks.groups import ENTRY, HERE
from benchmarks.load import cpu_seconds
from benchmarks.measure import Row, has_missed, parser, table, texts, write_json
from django_wsgimatch.daemon.manager.status import proportional_set_size
from tests.support.groups import MARK, marked, wait_until
from tests.support.oracle import APACHE, HOW_TO_INSTALL, INSTALLED, free_port, small_configuration
from tests.support.raw_http import fetch
from tests.support.servers import environment, start, stop

SIZES = (50, 200)
# A server is idle once it has used up no more than so much CPU time in a pause, both in seconds.
STILL, PAUSE, LONGEST = 0.05, 2.0, 300.0
# Whose first answers are taken.
ASKED = 9
MIB = 1 << 20
HEADER = ("embedded s", "processes", "PSS MiB", "CPU s", "idle s", "first ms")
BOOT, DEMAND, MOD_WSGI = "start with the server", "start on demand", "mod_wsgi"

APACHE_CONFIGURATION = Template("""\
StartServers 1
ServerLimit 1
MaxRequestWorkers 25
WSGIApplicationGroup %{GLOBAL}
WSGIScriptAlias /here "$here/hop.wsgi"
""")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a server with so many groups has cost; times in seconds, memory in MiB."""

    embedded_answer: float
    processes: int
    memory: float
    cpu: float
    idle_after: float
    group_answer: float

    def row(self, kind: str) -> Row:
        return (
            kind,
            self.embedded_answer,
            self.processes,
            self.memory,
            self.cpu,
            self.idle_after,
            self.group_answer * 1e3,
        )


@dataclass(frozen=True, slots=True)
class Contract:
    """What must hold of 200 groups: a figure of one kind of start, and the most it may be."""

    kind: str
    figure: str
    most: float
    words: str

    def verdict(self, figures: Figures) -> str:
        value = float(getattr(figures, self.figure))
        kept = value <= self.most
        said = f"200 groups that {self.kind}: {value:,.3g} {self.words} (at most {self.most:g})"
        return f"{'kept' if kept else 'MISSED'}: {said}"


CONTRACTS = [
    Contract(BOOT, "memory", 1144, "MiB of memory"),
    Contract(BOOT, "cpu", 8, "s of CPU time"),
    Contract(BOOT, "processes", 210, "processes"),
    Contract(BOOT, "embedded_answer", 1, "s to the first embedded answer"),
    Contract(DEMAND, "embedded_answer", 1, "s to the first embedded answer"),
    Contract(DEMAND, "group_answer", 0.1, "s to a group's first answer"),
]


@contextmanager
def running(
    command: Sequence[str], variables: dict[str, str], log: Path
) -> Iterator[Callable[[], float]]:
    """Run a server; the function tells the seconds since its start."""
    mark = variables[MARK]
    process = start(
        command, HERE.parent, log, environment("benchmarks.settings_fleet", **variables)
    )
    began = time.perf_counter()
    try:
        yield lambda: time.perf_counter() - began
    finally:
        stop(process)
        wait_until(lambda: not marked(mark), 60)


def gunicorn(count: int, begin: str, folder: Path) -> Figures:
    port = free_port()
    mark = f"fleet-{getpid()}-{begin}-{count}"
    command = (
        *(sys.executable, "-m", "gunicorn", "--no-control-socket"),
        *("--bind", f"127.0.0.1:{port}", "--threads", "4", ENTRY),
    )
    variables = {
        MARK: mark,
        "WSGIMATCH_BENCH_GROUPS": str(count),
        "WSGIMATCH_BENCH_START": begin,
        "WSGIMATCH_BENCH_SOCKETS": str(folder / "s"),
    }
    with running(command, variables, folder / "server.log") as clock:
        return figures(port, mark, count, clock)


def mod_wsgi(count: int, folder: Path) -> Figures:
    port, mark = free_port(), f"fleet-{getpid()}-apache-{count}"
    configuration = folder / "httpd.conf"
    text = small_configuration(folder, port) + APACHE_CONFIGURATION.substitute(here=HERE)
    for number in range(count):
        text += f"WSGIDaemonProcess g{number} threads=4\n"
        text += f'WSGIScriptAlias /g{number} "{HERE}/hop.wsgi" process-group=g{number}\n'
    configuration.write_text(text)
    command = (str(APACHE), "-D", "FOREGROUND", "-f", str(configuration))
    with running(command, {MARK: mark}, folder / "server.log") as clock:
        return figures(port, mark, count, clock)


def figures(port: int, mark: str, count: int, clock: Callable[[], float]) -> Figures:
    answer(port, "/here/small")
    embedded_answer = clock()
    idle_after = until_idle(mark, clock)
    pids = marked(mark)
    memory = sum(proportional_set_size(pid) or 0 for pid in pids) / MIB
    cpu = cpu_seconds(pids)
    waits = [first_answer(port, number * (count // ASKED)) for number in range(ASKED)]
    return Figures(embedded_answer, len(pids), memory, cpu, idle_after, median(waits))


def until_idle(mark: str, clock: Callable[[], float]) -> float:
    """Wait for the server to be idle; return when it was so, in seconds after its start."""
    before, since = cpu_seconds(marked(mark)), clock()
    while clock() < LONGEST:
        time.sleep(PAUSE)
        now = cpu_seconds(marked(mark))
        if now - before <= STILL:
            return since
        before, since = now, clock()
    raise RuntimeError(f"The server is not idle after {LONGEST:g} s.")


def first_answer(port: int, number: int) -> float:
    began = time.perf_counter()
    answer(port, f"/g{number}/small")
    return time.perf_counter() - began


def answer(port: int, target: str) -> None:
    """Ask until the server listens. Raises RuntimeError where it answers anything but 200."""
    deadline = time.monotonic() + LONGEST
    while True:
        try:
            status = fetch(("127.0.0.1", port), target.encode()).status
            break
        except (ConnectionRefusedError, ConnectionResetError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    if status != 200:
        raise RuntimeError(f"{target} was answered with {status}.")


def measure(kind: str, count: int) -> Figures:
    with tempfile.TemporaryDirectory(prefix="wm") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if kind == MOD_WSGI:
            return mod_wsgi(count, folder)
        return gunicorn(count, "boot" if kind == BOOT else "demand", folder)


def main(argv: Sequence[str] | None = None) -> int:
    given = parser(str(__doc__))
    given.add_argument("--groups", nargs="*", type=int, default=list(SIZES), help="how many")
    options = given.parse_args(argv)
    kinds = [BOOT, DEMAND, *([MOD_WSGI] if INSTALLED else [])]
    document: dict[str, object] = {}
    tables: dict[str, list[list[str]]] = {}
    lines: list[str] = []
    for count in options.groups:
        found = {kind: measure(kind, count) for kind in kinds}
        rows = [each.row(kind) for kind, each in found.items()]
        header = [f"{count} groups", *HEADER]
        print(table(header, rows), flush=True)
        tables[f"{count} groups"] = texts(header, rows)
        document[str(count)] = {kind: asdict(each) for kind, each in found.items()}
        for contract in CONTRACTS if count == max(SIZES) else ():
            lines.append(contract.verdict(found[contract.kind]))
            print(lines[-1], flush=True)
    if not INSTALLED:
        print(f"mod_wsgi was left out: it {HOW_TO_INSTALL}.")
    if options.output:
        told = {"contracts": lines, "tables": tables, **document}
        write_json(options.output / "fleet.json", told)
    return int(has_missed(lines))


if __name__ == "__main__":
    raise SystemExit(main())
