"""The servers that benchmarks.servers compares, started one beside the other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from benchmarks.hello import BODY
from tests.support.oracle import APACHE, INSTALLED, free_port, small_configuration
from tests.support.raw_http import fetch
from tests.support.servers import environment, listens, start, stop, wait_for

HERE = Path(__file__).resolve().parent
TARGET = "/wsgi-scripts/hello"
BARE, ENTRY = "benchmarks.hello:application", "django_wsgimatch.wsgi:application"
RELOADING, FIXED = "benchmarks.settings", "benchmarks.settings_without_reloading"
KINDS = (
    ("bare", BARE, RELOADING),
    ("entry", ENTRY, RELOADING),
    ("entry without reloading", ENTRY, FIXED),
)
APACHE_NAME = "Apache + mod_wsgi"

APACHE_CONFIGURATION = Template("""\
StartServers $processes
ServerLimit $processes
MaxRequestWorkers $workers
ThreadsPerChild $threads
MaxKeepAliveRequests 0
WSGIApplicationGroup %{GLOBAL}
WSGIScriptAliasMatch ^/(admin|files|photologue) "$here/handler.py/$$1"
WSGIScriptAlias /api "$here/django.wsgi/api"
WSGIScriptAliasMatch ^/wsgi-scripts/([^/]+) "$here/$$1.py"
""")


@dataclass(frozen=True, slots=True)
class Contender:
    """A server to measure, its command with ``{port}`` still to be filled in, its settings."""

    name: str
    command: tuple[str, ...]
    settings: str = RELOADING


@dataclass(frozen=True, slots=True)
class Running:
    """A started contender."""

    process: subprocess.Popen[bytes]
    port: int


def contenders(processes: int, threads: int) -> list[Contender]:
    """Each server with the bare application and with the entry; Apache, where it is installed."""
    python = (sys.executable, "-m")
    gunicorn = (
        *(*python, "gunicorn", "--no-control-socket"),
        *("--bind", "127.0.0.1:{port}", "--workers", str(processes)),
    )
    gthread = (*gunicorn, "--threads", str(threads))
    granian = (
        *(*python, "granian", "--interface", "wsgi", "--no-ws", "--port", "{port}"),
        *("--workers", str(processes), "--blocking-threads", "1"),
    )
    servers = {"gunicorn sync": gunicorn, "gunicorn gthread": gthread, "granian": granian}
    apache = Contender(APACHE_NAME, (str(APACHE), "-D", "FOREGROUND", "-f", "{configuration}"))
    return [
        Contender(f"{name}, {kind}", (*command, application), settings)
        for name, command in servers.items()
        for kind, application, settings in KINDS
    ] + ([apache] if INSTALLED else [])


@contextmanager
def running(
    contender: Contender, directory: Path, processes: int, threads: int
) -> Iterator[Running]:
    """Run a contender until the end of the block; fail unless it answers with the script's body."""
    port = free_port()
    configuration = directory / "httpd.conf"
    if contender.name == APACHE_NAME:
        configuration.write_text(apache_configuration(directory, port, processes, threads))
    command = [word.format(port=port, configuration=configuration) for word in contender.command]
    log = directory / f"{contender.name}.log"
    process = start(command, HERE.parent, log, environment(contender.settings))
    try:
        wait_for(process, log, lambda: listens(("127.0.0.1", port)))
        answer = fetch(("127.0.0.1", port), TARGET.encode())
        assert answer.body == BODY, f"{contender.name}: {answer}\n{log.read_text()}"
        yield Running(process, port)
    finally:
        stop(process)


def apache_configuration(directory: Path, port: int, processes: int, threads: int) -> str:
    return small_configuration(directory, port) + APACHE_CONFIGURATION.substitute(
        processes=processes, threads=threads, workers=processes * threads, here=HERE
    )
