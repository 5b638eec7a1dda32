"""A project whose aliases name groups, served by a real gunicorn, and what the tests ask of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django_wsgimatch
from django_wsgimatch.daemon.servers.directory import base_in, running_servers
from django_wsgimatch.daemon.wire.control import give_order
from tests.support.raw_http import Answer, fetch
from tests.support.servers import GUNICORN, Server, environment, running

MARK = "WSGIMATCH_TESTS"
# What is waited for comes; on a machine that is busy with other things it takes long.
SECONDS = 60
PLAIN = [*GUNICORN, "--threads", "4", "django_wsgimatch.wsgi"]
HOOKS = [*PLAIN[:-1], "-c", "python:django_wsgimatch.gunicorn", PLAIN[-1]]

SETTINGS = """\
from pathlib import Path
from django_wsgimatch import script_alias, script_alias_match

BASE_DIR = Path(__file__).parent
SECRET_KEY = "only for the tests"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "urls"
USE_TZ = True
WSGIMATCH_FALLBACK = None
WSGIMATCH_SOCKET_DIRECTORY = {sockets!r}
"""

# A script that does what its PATH_INFO says, and tells where it runs.
SCRIPT = """\
import json, os, signal, sys, threading, time

VERSION = 1
started = time.time()


def application(environ, start_response):
    what, _, rest = environ["PATH_INFO"].strip("/").partition("/")
    if what:
        globals()[what](environ, rest)
    length = 0
    if environ.get("CONTENT_LENGTH"):
        length = len(environ["wsgi.input"].read())
    told = {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "version": VERSION,
        "python": list(sys.version_info[:2]),
        "user": os.getuid(),
        "cwd": os.getcwd(),
        "lang": os.environ.get("LANG"),
        "given": os.environ.get("GIVEN"),
        "settings": os.environ.get("DJANGO_SETTINGS_MODULE"),
        "path": sys.path,
        "process_group": environ["mod_wsgi.process_group"],
        "application_group": environ["mod_wsgi.application_group"],
        "length": length,
    }
    body = json.dumps(told).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]


def sleep(environ, seconds):
    time.sleep(float(seconds))


def wait(environ, name):
    while not os.path.exists(os.path.join(os.path.dirname(__file__), name)):
        time.sleep(0.02)


def leave(environ, rest):
    os._exit(3)


def leak(environ, rest):
    globals().setdefault("leaked", []).append(bytearray(int(rest)))


def spin(environ, seconds):
    end = time.process_time() + float(seconds)
    while time.process_time() < end:
        pass


def hold(environ, seconds):
    import ctypes
    ctypes.PyDLL(None).usleep(int(float(seconds) * 1e6))


def spawn(environ, rest):
    import subprocess
    subprocess.Popen(["sleep", "1000"])


def close(environ, rest):
    os.closerange(3, 4096)


def binary(environ, rest):
    os.write(1, bytes(range(256)) * 100)


def umask(environ, rest):
    mask = os.umask(0)
    os.umask(mask)
    environ["mod_wsgi.application_group"] = oct(mask)
"""


@dataclass(slots=True)
class Site:
    """A served project."""

    project: Path
    server: Server
    mark: str
    # Where the log begins for a test that shares the site with others.
    begin: int = 0

    def get(self, target: str, **request: Any) -> Answer:
        """Ask once, over a connection of its own."""
        return fetch(self.server.address, target.encode(), **request)

    def told(self, target: str) -> dict[str, Any]:
        """What the script says of the place it runs in."""
        answer = self.get(target)
        assert answer.status == 200, f"{answer}\n{self.log}"
        told: dict[str, Any] = json.loads(answer.body)
        return told

    @property
    def log(self) -> str:
        return self.server.log.read_bytes()[self.begin :].decode(errors="replace")

    def skip_log(self) -> None:
        """Have ``log`` begin here."""
        self.begin = self.server.log.stat().st_size

    def order(self, **order: Any) -> dict[str, Any]:
        """Give the server's manager an order, once a worker has started it."""
        bases = [base_of(self.project)]
        self.until(lambda: any(os.path.exists(at.manager) for _, at in running_servers(bases)))
        [(_, directory)] = running_servers(bases)
        return give_order(directory.manager, order)

    def place(self, name: str) -> dict[str, Any]:
        """How a place is."""
        places = self.order(do="status")["places"]
        [found] = [place for place in places if place["name"] == name]
        return dict(found)

    def busy(self, name: str) -> list[int]:
        """The processes of a place that are at a request."""
        return [process["pid"] for process in self.place(name)["processes"] if process["busy"]]

    def processes(self) -> set[int]:
        """All processes that belong to this site, whoever started them."""
        return marked(self.mark)

    def hup(self) -> None:
        """Send the server a HUP."""
        self.server.process.send_signal(signal.SIGHUP)

    def until(self, condition: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Wait for a condition; fail, with the log, if it does not come true."""
        wait_until(condition, seconds, lambda: self.log)


def wait_until(
    condition: Callable[[], bool], seconds: float = SECONDS, log: Callable[[], str] = str
) -> None:
    """Wait for a condition; fail if it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"Waited too long. The log:\n{log()}"
        time.sleep(0.02)


def marked(mark: str) -> set[int]:
    """The processes that have a mark in their environment, but zombies."""
    found = set()
    for path in Path("/proc").glob("[0-9]*"):
        try:
            has_mark = f"{MARK}={mark}\0".encode() in (path / "environ").read_bytes()
            if has_mark and (path / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.add(int(path.name))
        except OSError:
            continue
    return found


def sockets_of(project: Path) -> Path:
    """A folder for a project's sockets: pytest's own are too deep for a socket's path."""
    name = hashlib.blake2s(str(project).encode(), digest_size=8).hexdigest()
    return Path(tempfile.gettempdir(), f"wsgimatch-{os.getpid()}-{name}")


def base_of(project: Path) -> str:
    """The folder of the folders of a project's servers."""
    return base_in(str(sockets_of(project)))


def write_project(project: Path, groups: Mapping[str, Any], aliases: str, more: str = "") -> None:
    """Write a project's files."""
    project.mkdir(parents=True, exist_ok=True)
    text = SETTINGS.format(sockets=str(sockets_of(project)))
    text += f"WSGIMATCH_PROCESS_GROUPS = {dict(groups)!r}\n"
    text += f"WSGIMATCH_ALIASES = [\n{textwrap.indent(textwrap.dedent(aliases), '    ')}]\n{more}"
    (project / "settings.py").write_text(text)
    (project / "urls.py").write_text("urlpatterns = []\n")
    for name in ("app.wsgi", "other.wsgi"):
        if not (project / name).exists():
            (project / name).write_text(SCRIPT)


ALIASES = """\
script_alias("/here", "app.wsgi"),
script_alias("/blog", "app.wsgi", process_group="blog"),
script_alias("/other", "other.wsgi", process_group="other"),
"""


@contextmanager
def site(
    project: Path,
    blog: Mapping[str, Any] | None = None,
    *,
    aliases: str = ALIASES,
    more: str = "",
    command: Sequence[str] = PLAIN,
) -> Iterator[Site]:
    """
    Serve a project whose group ``blog`` has these options, beside an ordinary one, ``other``.

    At the end nothing of it may be left.
    """
    write_project(project, {"blog": dict(blog or {}), "other": {}}, aliases, more)
    mark = uuid.uuid4().hex
    variables = {MARK: mark, "PYTHONDONTWRITEBYTECODE": "1"}
    with running(command, project, environment("settings", **variables)) as server:
        yield Site(project, server, mark)
    try:
        wait_until(lambda: not marked(mark))
        wait_until(lambda: not any(sockets_of(project).iterdir()))
    finally:
        shutil.rmtree(sockets_of(project), ignore_errors=True)
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)


def runs_as_nobody(*command: str) -> bool:
    """Whether a user without rights can run a program, and read this package."""
    if os.geteuid() != 0:
        return False
    package = str(Path(django_wsgimatch.__file__))
    try:
        done = [
            subprocess.run(words, user="nobody", extra_groups=[], capture_output=True, check=False)
            for words in ([*command, "-c", ""], ["cat", package])
        ]
    except OSError:
        return False
    return not any(each.returncode for each in done)


def other_pythons() -> list[str]:
    """Other Pythons that this package supports: on the PATH, or pyenv's."""
    versions = Path(os.environ.get("PYENV_ROOT", "/nowhere"), "versions")
    commands = [
        *(shutil.which(f"python3.{minor}") for minor in range(10, 15)),
        *(str(path) for path in sorted(versions.glob("3.1[0-4].*/bin/python3"))),
    ]
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    return [command for command in commands if command and version_of(command) not in ("", own)]


def version_of(python: str) -> str:
    """A Python's version, nothing for a command that does not run."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.strip()
