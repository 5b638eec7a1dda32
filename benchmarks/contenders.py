"""The servers that benchmarks.servers compares, started one beside the other."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from string import Template

from benchmarks.hello import BODY
from benchmarks.load import session_of
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
TARGET = "/wsgi-scripts/hello"
BARE, ENTRY = "benchmarks.hello:application", "django_wsgimatch.wsgi:application"
RELOADING, FIXED = "benchmarks.settings", "benchmarks.settings_without_reloading"
KINDS = (
    ("bare", BARE, RELOADING),
    ("entry", ENTRY, RELOADING),
    ("entry without reloading", ENTRY, FIXED),
)
EMBEDDED, DAEMON = "mod_wsgi embedded", "mod_wsgi daemon"
GTHREAD = "gunicorn gthread"
NGINX, UWSGI = "nginx-light", "pyuwsgi"
# Another mod_wsgi.so than Debian's, such as that of PyPI's newest in an environment of its own.
OTHER_MODULE = os.environ.get("WSGIMATCH_BENCH_MOD_WSGI", "")

APACHE_CONFIGURATION = Template("""\
StartServers $processes
ServerLimit $processes
MaxRequestWorkers $workers
ThreadsPerChild $threads
MaxKeepAliveRequests 0
WSGISocketPrefix "$directory/wsgi"
WSGIDaemonProcess site processes=$processes threads=$threads
WSGIProcessGroup $group
WSGIApplicationGroup %{GLOBAL}
WSGIScriptAliasMatch ^/(admin|files|photologue) "$here/handler.py/$$1"
WSGIScriptAlias /api "$here/django.wsgi/api"
WSGIScriptAliasMatch ^/wsgi-scripts/([^/]+) "$here/$$1.py"
""")
NGINX_CONFIGURATION = Template("""\
daemon off;
worker_processes 1;
pid $directory/nginx.pid;
error_log $directory/nginx.log;
events {}
http {
    access_log off;
    client_body_temp_path $directory/body;
    proxy_temp_path $directory/proxy;
    fastcgi_temp_path $directory/fastcgi;
    uwsgi_temp_path $directory/uwsgi;
    scgi_temp_path $directory/scgi;
    upstream site { server 127.0.0.1:$behind; keepalive 16; }
    server {
        listen 127.0.0.1:$port;
        keepalive_requests 100000000;
        location / {
            proxy_pass http://site;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $$host;
        }
    }
}
""")


# Makes the text of a configuration, of a folder for its files, a port, and that of who is behind.
Configuration = Callable[[Path, int, int], str]


@dataclass(frozen=True, slots=True)
class Contender:
    """
    A server to measure, its command with ``{port}`` and ``{configuration}`` still to be filled in.

    ``configuration`` makes the text of its file, ``behind`` is a server that it asks.
    """

    name: str
    command: tuple[str, ...]
    settings: str = RELOADING
    configuration: Configuration | None = None
    behind: Contender | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A started contender: its port, and the sessions that its processes belong to."""

    port: int
    sessions: tuple[int, ...]

    def processes(self) -> list[int]:
        return [pid for session in self.sessions for pid in session_of(session)]


def contenders(processes: int, threads: int) -> list[Contender]:
    """Each server with the bare application and with the entry, and what is installed besides."""
    return [
        *python_servers(processes, threads),
        *behind_nginx(processes, threads),
        *uwsgi(processes, threads),
        *apaches(processes, threads),
    ]


def python_servers(processes: int, threads: int) -> Iterator[Contender]:
    python = (sys.executable, "-m")
    gunicorn = (
        *(*python, "gunicorn", "--no-control-socket"),
        *("--bind", "127.0.0.1:{port}", "--workers", str(processes)),
    )
    granian = (
        *(*python, "granian", "--interface", "wsgi", "--no-ws", "--port", "{port}"),
        *("--workers", str(processes), "--blocking-threads", "1"),
    )
    servers = {
        "gunicorn sync": gunicorn,
        GTHREAD: (*gunicorn, "--threads", str(threads)),
        "granian": granian,
    }
    for name, command in servers.items():
        for kind, application, settings in KINDS:
            yield Contender(f"{name}, {kind}", (*command, application), settings)


def behind_nginx(processes: int, threads: int) -> Iterator[Contender]:
    """Yield nginx before gunicorn's threads, as sites are served that are not embedded."""
    if (program := shutil.which("nginx")) is None:
        return
    for each in python_servers(processes, threads):
        if each.name in (f"{GTHREAD}, bare", f"{GTHREAD}, entry"):
            command = (program, "-c", "{configuration}")
            yield Contender(f"nginx, {each.name}", command, RELOADING, _nginx, each)


def uwsgi(processes: int, threads: int) -> Iterator[Contender]:
    """Yield uWSGI, bare, with its own router (``--mount``) and with the entry."""
    program = Path(sys.executable).with_name("uwsgi")
    if not program.exists():
        return
    command = (
        *(str(program), "--http-socket", "127.0.0.1:{port}", "--die-on-term", "--need-app"),
        *("--master", "--disable-logging", "--processes", str(processes)),
        *("--threads", str(threads), "--http-keepalive", "--so-keepalive"),
    )
    router = ("--manage-script-name", "--mount", f"{TARGET}={HERE}/hello.py")
    yield Contender("uWSGI, bare", (*command, "--module", BARE))
    yield Contender("uWSGI, its router", (*command, *router))
    yield Contender("uWSGI, entry", (*command, "--module", ENTRY))


def apaches(processes: int, threads: int) -> Iterator[Contender]:
    """Yield Apache with mod_wsgi, Debian's and another, embedded and in daemon mode."""
    if not INSTALLED:
        return
    command = (str(APACHE), "-D", "FOREGROUND", "-f", "{configuration}")
    others = {"": MODULE} | ({" of PyPI": Path(OTHER_MODULE)} if OTHER_MODULE else {})
    for more, module in others.items():
        for kind, group in ((EMBEDDED, "%{GLOBAL}"), (DAEMON, "site")):
            text = partial(_apache, processes, threads, group, module)
            yield Contender(kind + more, command, RELOADING, text)


def left_out() -> list[str]:
    """Say which servers are not installed, and what would install them."""
    missing = {
        f"nginx was left out: it needs Debian's {NGINX}.": shutil.which("nginx") is None,
        f"uWSGI was left out: it needs {UWSGI}.": not list(uwsgi(1, 1)),
        f"mod_wsgi was left out: it {HOW_TO_INSTALL}.": not INSTALLED,
        "The newest mod_wsgi was left out: WSGIMATCH_BENCH_MOD_WSGI names no mod_wsgi.so.": (
            not OTHER_MODULE
        ),
    }
    return [words for words, is_missing in missing.items() if is_missing]


@contextmanager
def running(contender: Contender, directory: Path) -> Iterator[Running]:
    """Run a contender until the end of the block; fail unless it answers with the script's body."""
    with ExitStack() as stack:
        behind = (
            stack.enter_context(running(contender.behind, directory)) if contender.behind else None
        )
        port = free_port()
        folder = directory / str(port)
        folder.mkdir()
        configuration, log = folder / "configuration", folder / "server.log"
        if contender.configuration is not None:
            text = contender.configuration(folder, port, behind.port if behind else 0)
            configuration.write_text(text)
        command = [
            word.format(port=port, configuration=configuration) for word in contender.command
        ]
        process = start(command, HERE.parent, log, environment(contender.settings))
        stack.callback(stop, process)
        wait_for(process, log, lambda: listens(("127.0.0.1", port)))
        answer = fetch(("127.0.0.1", port), TARGET.encode())
        assert answer.body == BODY, f"{contender.name}: {answer}\n{log.read_text()}"
        yield Running(port, (process.pid, *(behind.sessions if behind else ())))


def _apache(
    processes: int, threads: int, group: str, module: Path, directory: Path, port: int, _: int
) -> str:
    return small_configuration(directory, port, module) + APACHE_CONFIGURATION.substitute(
        processes=processes,
        threads=threads,
        workers=processes * threads,
        group=group,
        directory=directory,
        here=HERE,
    )


def _nginx(directory: Path, port: int, behind: int) -> str:
    return NGINX_CONFIGURATION.substitute(directory=directory, port=port, behind=behind)
