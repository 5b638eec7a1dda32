"""The site that chaos is let loose on: its Python, its project, its server, and what runs of it."""

from __future__ import annotations

import importlib.util
import json
import mmap
import os
import pwd
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django_wsgimatch
from django_wsgimatch.asroot.trust import distrust
from django_wsgimatch.daemon.servers.directory import NAME, running_servers
from django_wsgimatch.daemon.wire.control import give_order
from tests.support.groups import wait_until
from tests.support.oracle import free_port
from tests.support.servers import SECONDS_TO_START, listens

FRONTS = 2
SERVER_USER, USERS = "nobody", {"alpha": "www-data", "beta": "games"}
COPIED = (
    *("django", "asgiref", "sqlparse", "gunicorn", "packaging", "django_wsgimatch"),
    *("rich", "markdown_it", "mdurl", "pygments"),
)
# Rooms of their own for sockets and logs, which can then be filled.
SIZES = {"sockets": "8m", "logs": "64m"}

# time.time() of all processes of the server goes by a file, which stands for the machine's clock.
CLOCK = """\
import mmap, os, struct, time

if path := os.environ.get("CHAOS_CLOCK"):
    with open(path, "rb") as file:
        step = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    real = time.time
    time.time = lambda: real() + struct.unpack_from("<d", step)[0]
"""

SETTINGS = """\
from pathlib import Path
from django_wsgimatch import script_alias, script_alias_match

BASE_DIR = Path(__file__).parent
SECRET_KEY = "only for the tests"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "urls"
USE_TZ = True
# What is edited is asked for at once.
WSGIMATCH_SCRIPT_RELOAD_INTERVAL = 0
WSGIMATCH_FALLBACK = None
WSGIMATCH_SOCKET_DIRECTORY = {sockets!r}
WSGIMATCH_PROCESS_GROUPS = {groups!r}
WSGIMATCH_ALIASES = [
    script_alias("/here", "here.wsgi"),
    script_alias("/own", "own.wsgi", application_group="own"),
    script_alias("/alpha", "alpha.wsgi", process_group="alpha"),
    script_alias("/beta", "beta.wsgi", process_group="beta"),
    script_alias("/gamma", "gamma.wsgi", process_group="gamma"),
    script_alias_match(r"^/(tenant-\\w+)", "tenant.wsgi", process_group="tenants",
                       application_group="%{{RESOURCE}}"),
]
"""

MANAGE = """\
import os, sys
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
execute_from_command_line(sys.argv)
"""

# It writes down each request that reaches it, and tells who it is.
SCRIPT = """\
import hashlib, json, os, time

VERSION = {version}
flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
record = os.open(f"{ran}/{{os.getpid()}}.{{time.monotonic_ns()}}", flags, 0o644)


def application(environ, start_response):
    nonce, seconds, padding = environ["QUERY_STRING"].split(";")
    os.write(record, nonce.encode() + b"\\n")
    body = environ["wsgi.input"].read() if environ.get("CONTENT_LENGTH") else b""
    time.sleep(float(seconds))
    told = {{
        "nonce": nonce,
        "version": VERSION,
        "pid": os.getpid(),
        "user": os.geteuid(),
        "process_group": environ["mod_wsgi.process_group"],
        "application_group": environ["mod_wsgi.application_group"],
        "digest": hashlib.blake2s(body).hexdigest(),
        "padding": "x" * int(padding),
    }}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
"""

OPTIONS: dict[str, Any] = {
    "threads": 4,
    "deadlock_timeout": 5,
    "request_timeout": 8,
    "graceful_timeout": 5,
    "shutdown_timeout": 2,
}
PROCESSES = {"alpha": 2, "beta": 2, "gamma": 1, "tenants": 1}
TENANTS = 3


@dataclass(frozen=True, slots=True)
class Target:
    """What a client asks for, and who must answer."""

    path: str
    process_group: str
    application_group: str = ""

    @property
    def label(self) -> str:
        """The place's name in ``status``, as far as it is known: the end of it."""
        return "/".join(filter(None, (self.process_group, self.application_group)))

    @property
    def script(self) -> str:
        return f"{self.path.strip('/').partition('-')[0]}.wsgi"


TARGETS = [
    Target("/here", ""),
    Target("/own", "", "own"),
    *(Target(f"/{name}", name) for name in ("alpha", "beta", "gamma")),
    *(Target(f"/tenant-{n}", "tenants", f"|/tenant-{n}") for n in range(TENANTS)),
]


@dataclass(frozen=True, slots=True)
class Found:
    """A process of the site."""

    pid: int
    parent: int
    user: int
    words: tuple[str, ...]
    is_stopped: bool

    @property
    def shown(self) -> str:
        """What it shows of itself, of a group's process ``(wsgi:GROUP)``; "" of any other."""
        words = [word.strip() for word in self.words if word.strip()]
        return words[-1] if any(word.endswith("/boot.py") for word in words) else ""


@dataclass(frozen=True, slots=True)
class Census:
    """All processes of the site, each in its part."""

    master: list[int] = field(default_factory=list)
    fronts: list[int] = field(default_factory=list)
    managers: list[int] = field(default_factory=list)
    starters: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    forkers: list[int] = field(default_factory=list)
    # The processes of each group, by its name.
    groups: dict[str, set[int]] = field(default_factory=dict)
    others: list[tuple[str, ...]] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Site:
    """The site, and what chaos has made of its settings."""

    folder: Path
    python: Path
    is_root: bool
    port: int
    rooms: set[str]
    clock: mmap.mmap
    threads: int = 4
    versions: dict[str, int] = field(default_factory=dict)
    server: subprocess.Popen[bytes] | None = None
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def log(self) -> Path:
        return self.folder / "logs" / "error.log"

    @property
    def user(self) -> int:
        """The server's own."""
        return pwd.getpwnam(SERVER_USER).pw_uid if self.is_root else os.geteuid()

    @property
    def base(self) -> Path:
        return self.folder / "sockets" / f"{NAME}-{self.user}"

    @property
    def socket_folder(self) -> Path:
        """The folder of the running server."""
        [(_, directory)] = running_servers([str(self.base)])
        return Path(directory.path)

    @property
    def pid(self) -> int:
        assert self.server is not None
        return self.server.pid

    def user_of(self, group: str) -> int:
        """Whom a group runs as."""
        return pwd.getpwnam(USERS[group]).pw_uid if self.is_root and group in USERS else self.user

    def order(self, timeout: float = 5.0, **order: Any) -> dict[str, Any]:
        return give_order(str(self.socket_folder / "manager.sock"), order, timeout=timeout)

    def write_settings(self) -> None:
        """Write the settings; a server reads them when it is told to."""
        groups = {name: self._options(name) for name in PROCESSES}
        text = SETTINGS.format(sockets=str(self.folder / "sockets"), groups=groups)
        replace(self.project / "settings.py", text)

    def write_script(self, name: str, *, is_broken: bool = False) -> None:
        """Write the next version of a script."""
        version = self.versions[name] = self.versions.get(name, 0) + 1
        text = SCRIPT.format(version=version, ran=self.folder / "ran")
        replace(self.project / name, f"raise SystemError('broken')\n{text}" if is_broken else text)

    def _options(self, name: str) -> dict[str, Any]:
        options = {**OPTIONS, "processes": PROCESSES[name], "threads": self.threads}
        options["pass_environment"] = ("CHAOS_CLOCK", "PYTHONDONTWRITEBYTECODE")
        if self.is_root and name in USERS:
            options["user"] = USERS[name]
        if name == "tenants":
            options["maximum_application_groups"] = TENANTS
        return options

    def start(self) -> None:
        """Start the server, and wait until it listens."""
        with open(self.folder / "output", "ab") as output:
            self.server = subprocess.Popen(
                self._command(),
                cwd=self.project,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        address = ("127.0.0.1", self.port)
        wait_until(lambda: listens(address), SECONDS_TO_START, self.tail)

    def _command(self) -> list[str]:
        serve = ["manage.py", "wsgimatch", "serve", "--user", SERVER_USER, "--group", "nogroup"]
        allowed = [word for user in USERS.values() for word in ("--allow-user", user)]
        words = ["--no-control-socket", "--bind", f"127.0.0.1:{self.port}"]
        # One place may hold three quarters: more than all clients and the agent ask at once.
        words += ["--workers", str(FRONTS), "--threads", "16", "--timeout", "8"]
        words += ["--graceful-timeout", "20", "--error-logfile", str(self.log)]
        if self.is_root:
            return [str(self.python), *serve, *allowed, *words]
        return [str(self.python), "-m", "gunicorn", *words, "django_wsgimatch.wsgi"]

    def _environment(self) -> dict[str, str]:
        given = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "DJANGO_SETTINGS_MODULE": "settings",
            "CHAOS_CLOCK": str(self.folder / "clock"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return given if self.is_root else {**given, "WSGIMATCH_ALLOW_ROOT": "1"}

    def tail(self) -> str:
        """The end of what the server has said."""
        return "\n".join(self.said().splitlines()[-80:])

    def said(self) -> str:
        """All that the server has said."""
        files = [path for path in (self.folder / "output", self.log) if path.exists()]
        return "\n".join(path.read_text(errors="replace") for path in files)

    def processes(self) -> list[Found]:
        """Return all that runs of it: whatever was started by its Python."""
        found = []
        own = os.fsencode(self.python) + b"\0"
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (path / "cmdline").read_bytes()
                fields = (path / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if words.startswith(own) and fields[0] not in "ZX":
                    texts = tuple(words.decode(errors="replace").split("\0"))
                    user = path.stat().st_uid
                    is_stopped = fields[0] in "Tt"
                    found.append(Found(int(path.name), int(fields[1]), user, texts, is_stopped))
        return found

    def census(self) -> Census:
        """Say of each process what it is."""
        census = Census()
        for each in self.processes():
            if each.pid == self.pid:
                census.master.append(each.pid)
            elif each.shown == "(wsgi:parent)":
                census.parents.append(each.pid)
            elif each.shown == "(wsgi:forker)":
                census.forkers.append(each.pid)
            elif each.shown:
                name = each.shown.removeprefix("(wsgi:").removesuffix(")")
                census.groups.setdefault(name, set()).add(each.pid)
            elif "(wsgi:manager)" in each.words:
                census.managers.append(each.pid)
            elif any(word.endswith("/starter.py") for word in each.words):
                census.starters.append(each.pid)
            elif each.parent == self.pid and _is_front(each.words):
                census.fronts.append(each.pid)
            else:
                census.others.append(each.words)
            if each.is_stopped:
                census.stopped.append(each.pid)
            if each.user == 0:
                census.roots.append(each.pid)
        return census


def _is_front(words: Sequence[str]) -> bool:
    return "django_wsgimatch.wsgi" in words


@contextmanager
def site(*, is_root: bool) -> Iterator[Site]:
    """Serve the site; at the end nothing of it may be left, whatever happens."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        python = make_python(folder / "python")
        user = pwd.getpwnam(SERVER_USER) if is_root else None
        rooms = set()
        for name, size in SIZES.items():
            (folder / name).mkdir()
            if mount(folder / name, size):
                stack.callback(unmount, folder / name)
                rooms.add(name)
            if user is not None:
                os.chown(folder / name, user.pw_uid, user.pw_gid)
        (folder / "ran").mkdir()
        (folder / "ran").chmod(0o1777)
        (folder / "clock").write_bytes(bytes(8))
        with open(folder / "clock", "r+b") as file:
            clock = mmap.mmap(file.fileno(), 8)
        at = Site(folder, python, is_root, free_port(), rooms, clock)
        write_project(at)
        stack.callback(end, at)
        at.start()
        yield at


def write_project(at: Site) -> None:
    at.project.mkdir()
    at.write_settings()
    (at.project / "urls.py").write_text("urlpatterns = []\n")
    (at.project / "manage.py").write_text(MANAGE)
    for name in {target.script for target in TARGETS}:
        at.write_script(name)


def end(at: Site) -> None:
    """End the server by force, and all that it has left."""
    if at.server is not None:
        with suppress(ProcessLookupError):
            os.kill(at.server.pid, signal.SIGKILL)
        at.server.wait()
    for _ in range(50):
        for each in at.processes():
            with suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGKILL)
        if not at.processes():
            return


def mount(folder: Path, size: str) -> bool:
    """Give a folder a file system of its own; only root can."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)]
    return os.geteuid() == 0 and not subprocess.run(command, capture_output=True).returncode


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], check=False)


def make_python(folder: Path) -> Path:
    """
    Make a Python that all users can run and only this one can change, with its own clock.

    Nothing of the checkout is used: other users may not be able to read it.
    """
    base = next(path for path in _pythons() if os.geteuid() != 0 or _is_for_all(path))
    subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    [packages] = folder.glob("lib/python3*/site-packages")
    for name in COPIED:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.submodule_search_locations
        shutil.copytree(spec.submodule_search_locations[0], packages / name)
    hook = Path(django_wsgimatch.__file__).parents[1] / "django_wsgimatch.pth"
    shutil.copy(hook, packages)
    (packages / "sitecustomize.py").write_text(CLOCK)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "compileall", "-q", packages], check=True, capture_output=True)
    subprocess.run(["chmod", "-R", "go+rX,go-w", folder], check=True)
    return python


def _pythons() -> Iterator[str]:
    own: str = getattr(sys, "_base_executable", sys.executable)
    yield from (own, "/usr/bin/python3")


def _is_for_all(path: str) -> bool:
    """Whether every user can run a program, and only root can change it."""
    found = Path(path).resolve()
    modes = [parent.stat().st_mode & 0o001 for parent in found.parents]
    return all(modes) and bool(found.stat().st_mode & 0o005) and not distrust(path)


def replace(path: Path, text: str) -> None:
    """Write a file so that nobody sees a part of it."""
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    new.write_text(text)
    new.rename(path)


def step_clock(at: Site, seconds: float) -> None:
    """Step the server's clock by so many seconds from the machine's."""
    struct.pack_into("<d", at.clock, 0, seconds)


def told_by(body: bytes) -> dict[str, Any]:
    """What the script says."""
    told: dict[str, Any] = json.loads(body)
    return told
