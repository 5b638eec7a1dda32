"""The servers that benchmarks.site_servers compares: one for each site, and what each is asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from benchmarks.load import Load, waits
from benchmarks.site_cases import MANY, PAGE, PLANNED, Case, served_cases
from tests.support.groups import MARK, marked, wait_until
from tests.support.oracle import free_port
from tests.support.raw_http import fetch
from tests.support.servers import environment, listens, start, stop, wait_for

HERE = Path(__file__).resolve().parent
ENTRY = "django_wsgimatch.wsgi:application"
BARE, BARE_PAGE = "bare", "a Django view, bare"
BARE_APPLICATIONS = {
    BARE: "benchmarks.hello:application",
    BARE_PAGE: "benchmarks.page_application:application",
}
SCRIPTS = {"hello.wsgi": "hello.py", "page.wsgi": "page_application.py"}
GRANIAN, GUNICORN = "granian", "gunicorn gthread"
COMMANDS = {
    GRANIAN: (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", "--port", "{port}"),
        *("--workers", "1", "--blocking-threads", "1"),
    ),
    GUNICORN: (
        *(sys.executable, "-m", "gunicorn", "--no-control-socket", "--bind", "127.0.0.1:{port}"),
        *("--workers", "1", "--threads", "4"),
    ),
}
WRK_SCRIPT = """\
local number, call = 0, ""
function init(arguments) call = arguments[1] .. "-" end
function request()
  number = number + 1
  wrk.headers["Host"] = {host}
  return wrk.format(nil, {path})
end
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A started server, and what it is asked for."""

    case: Case
    port: int
    mark: str
    script: Path
    numbers: Iterator[int] = field(default_factory=count)

    def processes(self) -> set[int]:
        return marked(self.mark)

    def load(self, seconds: int, connections: int) -> Load:
        return Load(
            f"http://127.0.0.1:{self.port}/",
            self.processes,
            seconds,
            connections,
            self.script,
            is_refused=self.case.is_missing,
        )

    def waits(self, rate: int, seconds: float) -> list[float]:
        """Return how long requests wait that come at a fixed rate, in ms."""
        return waits(self.port, self._next_request, rate, seconds)

    def _next_request(self) -> bytes:
        number, hosts = next(self.numbers), self.case.hosts or ("localhost",)
        target = self.case.path.format(f"calm{number}")
        return f"GET {target} HTTP/1.1\r\nHost: {hosts[number % len(hosts)]}\r\n\r\n".encode()


def all_sites(scripts: Path) -> dict[str, Case]:
    """The sites by their names: the cases, and what is served bare."""
    cases = served_cases(scripts)
    # What stands beside each other in a contract is asked right after each other.
    found = {BARE: cases[PLANNED]}
    for name, case in cases.items():
        found |= {BARE_PAGE: case, name: case} if name == PAGE else {name: case}
    return found


def write_scripts(folder: Path) -> None:
    """Write the scripts that the cases' entries lead to."""
    for name, source in SCRIPTS.items():
        (folder / name).write_text((HERE / source).read_text())


@contextmanager
def serving(server: str, name: str, case: Case, scripts: Path) -> Iterator[Site]:
    """Serve a site until the end of the block."""
    port = free_port()
    folder = scripts / str(port)
    folder.mkdir()
    mark = f"site-{os.getpid()}-{port}"
    words = [word.format(port=port) for word in COMMANDS[server]]
    mount = case.environ.get("SCRIPT_NAME")
    if mount and server == GRANIAN:
        words += ["--url-path-prefix", mount]
    variables = {
        **case.environ,
        MARK: mark,
        "WSGIMATCH_BENCH_SCRIPTS": str(scripts),
        "WSGIMATCH_BENCH_SOCKETS": str(folder / "s"),
        "WSGIMATCH_BENCH_CASE": PAGE if name in BARE_APPLICATIONS else name,
    }
    own = environment("benchmarks.settings_sites", **variables)
    log = folder / "server.log"
    process = start([*words, BARE_APPLICATIONS.get(name, ENTRY)], HERE.parent, log, own)
    try:
        wait_for(process, log, lambda: listens(("127.0.0.1", port)))
        site = Site(case, port, mark, wrk_script(case, folder))
        check(name, site, log)
        yield site
    finally:
        stop(process)
        wait_until(lambda: not marked(mark))


def wrk_script(case: Case, folder: Path) -> Path:
    """Write the script for wrk that asks for ever new paths, of all hosts in turn."""
    host = f'"{case.hosts[-1]}"' if case.hosts else '"localhost"'
    if len(case.hosts) > MANY:
        host = f'"host" .. number % {MANY} .. ".example.com"'
    path = '"' + case.path.replace("{}", '" .. call .. number .. "') + '"'
    script = folder / "ask.lua"
    script.write_text(WRK_SCRIPT.format(host=host, path=path))
    return script


def check(name: str, site: Site, log: Path) -> None:
    """See that the site answers as it should, and have it learn its entry."""
    hosts = {b"Host": site.case.hosts[-1].encode()} if site.case.hosts else {}
    for number in range(20):
        target = site.case.path.format(f"check{number}").encode()
        status = fetch(("127.0.0.1", site.port), target, headers=hosts).status
        expected = 404 if site.case.is_missing and name not in BARE_APPLICATIONS else 200
        assert status == expected, f"{name}: {status}\n{log.read_text()}"
