"""
What files cost: below an alias, by WhiteNoise alone, by nginx and by Apache.

``python -m benchmarks.files`` prints a table for a file of 2 KiB and one of 10 MiB, and two without
a server: for one file, and for the files of one folder and of 1,000. It says whether the contracts
are kept; ``--output FOLDER`` writes ``files.json`` too. All servers run all the time and are asked
in turn, round after round. The CPU time is that of all processes of a server. The load comes from
``wrk``, to 127.0.0.1 only. The exit status is 1 where a contract is missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from importlib import reload
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from benchmarks import files_application
from benchmarks.load import Load, lacks_wrk, session_of
from benchmarks.measure import (
    Row,
    has_missed,
    median_ratio,
    medians,
    nanoseconds,
    parser,
    rounds,
    table,
    texts,
    verdict,
    write_json,
)
from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.dispatcher import Dispatcher
from tests.support.oracle import APACHE, INSTALLED, MODULES, free_port, small_configuration
from tests.support.raw_http import fetch
from tests.support.servers import environment, listens, start, stop, wait_for
from tests.support.wsgi import make_environ

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOAD = {"rounds": 9, "seconds": 1, "connections": 8}
SIZES = {"2 KiB": 2 << 10, "10 MiB": 10 << 20}
HEADER = ("server", "CPU us a request", "requests/s")
TABLES = ("table", HEADER[1])
ALIAS, WHITENOISE = "an alias", "WhiteNoise"
APPLICATIONS = {ALIAS: "application", WHITENOISE: "static"}
# A look at a file costs no more than what WhiteNoise has looked at before costs under a server.
MOST = 1.1
# What has changed a moment ago is not remembered.
LONG_AGO = 1_600_000_000
# So many folders, each with a file: below one entry, or each below its own.
FOLDERS = 1_000
ONE_ENTRY, MANY_ENTRIES = "one entry for all folders", f"{FOLDERS:,} entries, one for each folder"
# What a table with FOLDERS entries may cost, of what one with one entry costs.
MOST_OF_MANY = 1.1
# Calls for so many nanoseconds make a sample without a server.
LEAST = 50_000_000
# And for so many one of all FOLDERS, which are asked once each in a pass.
LEAST_OF_MANY = 400_000_000

NGINX_CONFIGURATION = Template("""\
daemon off;
worker_processes 1;
pid $folder/nginx.pid;
error_log $folder/nginx.log;
events {}
http {
    access_log off;
    sendfile on;
    server { listen 127.0.0.1:$port; root $files; keepalive_requests 100000000; }
}
""")
APACHE_CONFIGURATION = Template("""\
LoadModule alias_module $modules/mod_alias.so
LoadModule mime_module $modules/mod_mime.so
TypesConfig /etc/mime.types
StartServers 1
ServerLimit 1
MaxKeepAliveRequests 0
Alias / "$files/"
""")


def commands(folder: Path, files: Path, port: int) -> Iterator[tuple[str, list[str]]]:
    """Yield each server that is installed and its command."""
    python = [sys.executable, "-m"]
    servers = {
        "gunicorn gthread": [
            *(*python, "gunicorn", "--no-control-socket", "--threads", "4"),
            *("--bind", f"127.0.0.1:{port}"),
        ],
        "granian": [
            *(*python, "granian", "--interface", "wsgi", "--no-ws", "--port", str(port)),
            *("--blocking-threads", "1"),
        ],
    }
    for server, command in servers.items():
        for kind, name in APPLICATIONS.items():
            yield f"{server}, {kind}", [*command, f"benchmarks.files_application:{name}"]
    configuration = folder / "configuration"
    if (nginx := shutil.which("nginx")) is not None:
        yield "nginx", [nginx, "-c", str(configuration)]
    if INSTALLED:
        yield "Apache, Alias", [str(APACHE), "-D", "FOREGROUND", "-f", str(configuration)]


def configured(name: str, folder: Path, files: Path, port: int) -> str:
    """The text of a server's configuration."""
    values = {"folder": folder, "files": files, "port": port, "modules": MODULES}
    if name == "nginx":
        return NGINX_CONFIGURATION.substitute(values)
    return small_configuration(folder, port) + APACHE_CONFIGURATION.substitute(values)


def loads(stack: ExitStack, files: Path, options: argparse.Namespace) -> dict[str, list[Load]]:
    """Start all servers; return the load on each, a file after the other."""
    names = [name for name, _ in commands(files, files, 0)]
    return {name: list(_serve(stack, name, files, options)) for name in names}


def _serve(stack: ExitStack, name: str, files: Path, options: argparse.Namespace) -> Iterator[Load]:
    port = free_port()
    folder = files.parent / str(port)
    folder.mkdir()
    (folder / "configuration").write_text(configured(name, folder, files, port))
    command = dict(commands(folder, files, port))[name]
    given = environment(None, **{files_application.VARIABLE: str(files)})
    log = folder / "server.log"
    process = start(command, Path(__file__).resolve().parents[1], log, given)
    stack.callback(stop, process)
    wait_for(process, log, lambda: listens(("127.0.0.1", port)))
    for size, length in SIZES.items():
        target = f"/{size.replace(' ', '')}.css"
        answer = fetch(("127.0.0.1", port), target.encode())
        assert (answer.status, len(answer.body)) == (200, length), f"{name}: {answer.status}"
        url = f"http://127.0.0.1:{port}{target}"
        yield Load(url, partial(session_of, process.pid), options.seconds, options.connections)


def in_process(files: Path, count: int) -> dict[str, list[float]]:
    """The CPU time of a request for 2 KiB without a server, in microseconds."""
    os.environ[files_application.VARIABLE] = str(files)
    module = reload(files_application)
    applications: dict[str, WSGIApplication] = {
        ALIAS: module.application,
        f"{WHITENOISE}, files as at its start": module.static,
        f"{WHITENOISE}, files as they are": module.whitenoise(sees_changes=True),
    }
    environ = make_environ("/2KiB.css")
    samplers: dict[str, Callable[[], float]] = {
        name: partial(_sample, application, environ) for name, application in applications.items()
    }
    return rounds(samplers, count)


def in_tables(folder: Path, count: int) -> dict[str, list[float]]:
    """The CPU time of a request in two tables that answer the same URLs, in microseconds."""
    names = [f"f{number}" for number in range(FOLDERS)]
    for name in names:
        (folder / name).mkdir(parents=True)
        write_file(folder / name / "a.css", SIZES["2 KiB"])
    tables = {
        ONE_ENTRY: [Alias("/all", str(folder), answer=FileOptions())],
        MANY_ENTRIES: [
            Alias(f"/all/{name}", str(folder / name), answer=FileOptions()) for name in names
        ],
    }
    environs = [make_environ(f"/all/{name}/a.css") for name in names]
    samplers: dict[str, Callable[[], float]] = {
        name: partial(_sample, Dispatcher(AliasTable(entries)), *environs, least=LEAST_OF_MANY)
        for name, entries in tables.items()
    }
    # The first round is the one in which plans are made.
    return {name: found[1:] for name, found in rounds(samplers, count + 1).items()}


def _sample(application: WSGIApplication, *environs: dict[str, Any], least: int = LEAST) -> float:
    def ask(environ: dict[str, Any]) -> None:
        body: Iterable[bytes] = application(environ, lambda *told: lambda data: None)
        for _ in body:
            pass
        if (close := getattr(body, "close", None)) is not None:
            close()

    return nanoseconds(ask, environs, least) / 1000


def judge(
    cpu: Mapping[str, Mapping[str, Sequence[float]]], by_table: Mapping[str, Sequence[float]]
) -> list[str]:
    """The contracts of what was measured, a line for each."""
    lines = [
        verdict(
            f"CPU time of {server}, {size}, {ALIAS} / {WHITENOISE}",
            median_ratio(own[f"{server}, {ALIAS}"], own[f"{server}, {WHITENOISE}"]),
            MOST,
        )
        for size, own in cpu.items()
        for server in ("gunicorn gthread", "granian")
    ]
    ratio = median_ratio(by_table[MANY_ENTRIES], by_table[ONE_ENTRY])
    return [*lines, verdict(f"CPU time of {FOLDERS:,} entries / one", ratio, MOST_OF_MANY)]


Figures = dict[str, dict[str, list[float]]]
"""Samples by the size of the file, and by the server."""


def write_file(path: Path, length: int) -> None:
    """Write a file that has not changed for long."""
    path.write_bytes(os.urandom(length))
    os.utime(path, (LONG_AGO, LONG_AGO))


def measure(options: argparse.Namespace) -> tuple[Figures, Figures, dict[str, list[float]]]:
    """Return the CPU time of requests, the requests per second, and the CPU time alone."""
    with ExitStack() as stack:
        files = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "files"
        files.mkdir()
        # Apache's user is to come to its files.
        files.parent.chmod(0o755)
        for size, length in SIZES.items():
            write_file(files / f"{size.replace(' ', '')}.css", length)
        alone = in_process(files, options.rounds)
        alone |= in_tables(files.parent / "folders", options.rounds)
        servers = loads(stack, files, options)
        cpu, rates = {}, {}
        for number, size in enumerate(SIZES):
            own = {name: found[number] for name, found in servers.items()}
            # The first round only warms up.
            rates[size] = {n: each[1:] for n, each in rounds(own, options.rounds + 1).items()}
            cpu[size] = {name: load.cpu[1:] for name, load in own.items()}
    return cpu, rates, alone


def all_tables(cpu: Figures, rates: Figures, alone: Mapping[str, list[float]]) -> dict[str, Any]:
    """The tables of what was measured: rows by title, the first of them the header."""
    tables: dict[str, list[list[str]]] = {}
    for size in SIZES:
        rows: list[Row] = [
            (name, cost, medians(rates[size])[name]) for name, cost in medians(cpu[size]).items()
        ]
        tables[f"A file of {size}"] = texts(HEADER, rows)
    rows = list(medians(alone).items())
    return tables | {
        "A file of 2 KiB, without a server": texts(HEADER[:2], rows[:-2]),
        f"One of {FOLDERS:,} files of 2 KiB, without a server": texts(TABLES, rows[-2:]),
    }


def main(argv: Sequence[str] | None = None) -> int:
    options = parser(str(__doc__), **LOAD).parse_args(argv)
    if lacks_wrk("files"):
        return 0
    cpu, rates, alone = measure(options)
    tables, lines = all_tables(cpu, rates, alone), judge(cpu, alone)
    for title, (header, *rows) in tables.items():
        print(title, table(header, rows), "", sep="\n")
    print(*lines, sep="\n")
    if options.output:
        document = {
            "load": {name: getattr(options, name) for name in LOAD},
            "contracts": lines,
            "tables": tables,
            "cpu_microseconds": cpu,
            "requests_per_second": rates,
            "alone_microseconds": alone,
        }
        write_json(options.output / "files.json", document)
    return int(has_missed(lines))


if __name__ == "__main__":
    raise SystemExit(main())
