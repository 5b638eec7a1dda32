"""
Servers that root starts, for users that this machine has: nobody, www-data and games of Debian.

They need an environment that every user can read and root alone can write, up to ``/``: it is made
once for each process of the tests, from the packages of this one.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import django_wsgimatch
from django_wsgimatch.daemon.servers.directory import NAME, running_servers
from django_wsgimatch.daemon.wire.control import give_order
from tests.support.groups import SECONDS, wait_until
from tests.support.raw_http import Answer, fetch
from tests.support.servers import stop, wait_for

SERVER, TENANT, OTHER, STRANGER = "nobody", "www-data", "games", "daemon"
PACKAGES = (
    *("django", "asgiref", "sqlparse", "gunicorn", "packaging"),
    *("rich", "markdown_it", "mdurl", "pygments"),
)
# A Python of the system's, which every user can run.
SYSTEM_PYTHONS = ("/usr/bin/python3", "/usr/local/bin/python3")
SECRETS = {
    "SECRET_KEY": "a secret of the main project's",
    "DATABASE_URL": "postgres://user:password@host/main",
    "AWS_SECRET_ACCESS_KEY": "a secret of the cloud's",
}


def reason_to_skip() -> str:
    """Why no server of root's can be tried here, "" where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root on Linux can start processes as other users"
    for name in (SERVER, TENANT, OTHER, STRANGER):
        with suppress(KeyError):
            pwd.getpwnam(name)
            continue
        return f"there is no account {name!r}, which Debian has"
    if system_python() is None:
        return f"none of {SYSTEM_PYTHONS} is Python 3.10 or newer"
    return ""


@functools.cache
def system_python() -> str | None:
    """A Python that root alone can change and everybody can run."""
    asks = "import sys, venv; sys.exit(sys.version_info < (3, 10))"
    for path in SYSTEM_PYTHONS:
        if os.path.exists(path) and not subprocess.run([path, "-c", asks], check=False).returncode:
            return path
    return None


needs_root = pytest.mark.skipif(bool(reason_to_skip()), reason=reason_to_skip() or "root")


def uid(name: str) -> int:
    return pwd.getpwnam(name).pw_uid


@contextmanager
def environment_of_root() -> Iterator[Path]:
    """A virtual environment with all that a server needs, in a folder that is root's."""
    parent = next(path for path in ("/srv", "/opt", "/var/lib") if _is_root_s(path))
    home = Path(tempfile.mkdtemp(prefix="wsgimatch-tests-", dir=parent))
    home.chmod(0o755)
    try:
        make_environment(home / "env")
        yield home
    finally:
        shutil.rmtree(home)


def _is_root_s(path: str) -> bool:
    return os.path.isdir(path) and os.stat(path).st_uid == 0 and not os.stat(path).st_mode & 0o022


def make_environment(path: Path) -> None:
    """Make a virtual environment as pip would, from the packages that the tests import."""
    python = system_python()
    assert python is not None
    subprocess.run([python, "-m", "venv", "--without-pip", str(path)], check=True)
    [packages] = path.glob("lib/python3*/site-packages")
    # Translations are half of Django, and nobody reads them here but the English ones.
    left_out = shutil.ignore_patterns("locale", "tests")
    for name in (*PACKAGES, "django_wsgimatch"):
        shutil.copytree(folder_of(name), packages / name, ignore=left_out)
    for name in ("__init__.py", "en"):
        copy_any(folder_of("django") / "conf/locale" / name, packages / "django/conf/locale" / name)
    shutil.copy(Path(django_wsgimatch.__file__).parents[1] / "django_wsgimatch.pth", packages)
    script = path / "bin" / "gunicorn"
    script.write_text(
        f"#!{path}/bin/python\nimport sys\nfrom gunicorn.app.wsgiapp import run\nsys.exit(run())\n"
    )
    for each in (path, *path.rglob("*")):
        if not each.is_symlink():
            each.chmod(0o755 if each.is_dir() or each.parent.name == "bin" else 0o644)


def folder_of(package: str) -> Path:
    """Where a package lies."""
    spec = importlib.util.find_spec(package)
    assert spec is not None, package
    assert spec.submodule_search_locations, package
    return Path(spec.submodule_search_locations[0])


def copy_any(source: Path, target: Path) -> None:
    """Copy a file or a folder."""
    target.parent.mkdir(exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


MANAGE_PY = """\
#!/usr/bin/env python
import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
"""

SETTINGS = """\
import os, pathlib
from django_wsgimatch import script_alias

BASE_DIR = pathlib.Path(__file__).parent
# Who reads the settings says so: a file for each process.
pathlib.Path({readers!r}, f"{{os.geteuid()}}.{{os.getpid()}}").touch()
SECRET_KEY = os.environ.get("SECRET_KEY", "none")
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_wsgimatch"]
ROOT_URLCONF = "urls"
WSGIMATCH_FALLBACK = None
WSGIMATCH_SOCKET_DIRECTORY = {sockets!r}
WSGIMATCH_PROCESS_GROUPS = {groups!r}
WSGIMATCH_ALIASES = [
    script_alias("/here", "app.wsgi"),
    *(script_alias(f"/{{name}}", "app.wsgi", process_group=name) for name in {names!r}),
]
"""

# A tenant may do anything: it runs the code that it is sent, and tells what that calls ``told``.
SCRIPT = """\
import json, os


def application(environ, start_response):
    code = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
    names = {"environ": environ}
    exec(code, names)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(names.get("told")).encode()]
"""

# a and b are tenants; plain runs as the server's user; denied asks for what root has not allowed.
GROUPS: dict[str, dict[str, Any]] = {
    "a": {"user": TENANT, "processes": 1, "threads": 4},
    "b": {"user": OTHER, "processes": 1, "threads": 4},
    "plain": {"threads": 4},
    "denied": {"user": STRANGER},
}
ALLOWED = ("--allow-user", TENANT, "--allow-user", OTHER)
AS_SERVER = ("--user", SERVER, "--group", "nogroup")


@dataclass(frozen=True, slots=True)
class Process:
    """A process as /proc shows it."""

    pid: int
    user: int
    words: list[str]

    @property
    def is_starter(self) -> bool:
        return len(self.words) > 3 and self.words[3].endswith("/daemon/starter.py")

    @property
    def is_manager(self) -> bool:
        return "(wsgi:manager)" in self.words


@dataclass(slots=True)
class Rooted:
    """A project of root's, and the environment that it is served with."""

    home: Path
    name: str

    @property
    def project(self) -> Path:
        return self.home / self.name

    @property
    def python(self) -> str:
        return str(self.project / "env/bin/python")

    @property
    def gunicorn(self) -> list[str]:
        return [self.python, str(self.project / "env/bin/gunicorn")]

    @property
    def manage(self) -> list[str]:
        return [self.python, "manage.py", "wsgimatch"]

    @property
    def readers(self) -> set[int]:
        """The users that have read the settings."""
        return {int(name.partition(".")[0]) for name in os.listdir(self.project / "readers")}

    def forget_readers(self) -> None:
        for path in (self.project / "readers").iterdir():
            path.unlink()

    def run(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command of root's in the project's folder."""
        return subprocess.run(
            words,
            cwd=self.project,
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def environment(self, **variables: str) -> dict[str, str]:
        """What root's shell has: no more than PATH, secrets, and what a test adds."""
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **SECRETS, **variables}

    def processes(self) -> list[Process]:
        """All living processes that name this project's folder, where their Python lies too."""
        mark = f"{self.project}/"
        return [each for each in processes() if any(mark in f"{word}/" for word in each.words)]


def processes() -> list[Process]:
    """All processes that live."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (path / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")[:-1]
            if words:
                found.append(Process(int(path.name), path.stat().st_uid, words))
    return found


def write_project(
    home: Path, name: str, groups: Mapping[str, Any] = GROUPS, more: str = ""
) -> Rooted:
    """Write a project that is root's, with folders for the server's sockets and for who reads."""
    rooted = Rooted(home, name)
    project = rooted.project
    project.mkdir(mode=0o755)
    # By a name of the project's own: so its processes can be told from another's.
    (project / "env").symlink_to(home / "env")
    server = pwd.getpwnam(SERVER)
    for folder in ("sockets", "http"):
        (project / folder).mkdir()
        os.chown(project / folder, server.pw_uid, server.pw_gid)
    (project / "readers").mkdir()
    (project / "readers").chmod(0o777 | stat.S_ISVTX)
    text = SETTINGS.format(
        readers=str(project / "readers"),
        sockets=str(project / "sockets"),
        groups=dict(groups),
        names=list(groups),
    )
    (project / "settings.py").write_text(text + more)
    (project / "urls.py").write_text("urlpatterns = []\n")
    (project / "manage.py").write_text(MANAGE_PY)
    (project / "app.wsgi").write_text(SCRIPT)
    return rooted


@dataclass(slots=True)
class RootedSite(Rooted):
    """Such a project, served."""

    process: subprocess.Popen[bytes]
    address: Path

    @property
    def log(self) -> str:
        return (self.project / "server.log").read_text(errors="replace")

    def ask(self, group: str, code: str = "") -> Answer:
        """Have a group run code."""
        body = code.encode()
        headers = {b"Content-Length": b"%d" % len(body)}
        return fetch(self.address, f"/{group}".encode(), method=b"POST", headers=headers, body=body)

    def told(self, group: str, code: str = "import os; told = os.getuid()") -> Any:
        """What code that a group has run calls ``told``."""
        answer = self.ask(group, code)
        assert answer.status == 200, f"{answer}\n{self.log}"
        return json.loads(answer.body)

    def answers(self, group: str) -> bool:
        """Whether a group answers."""
        with suppress(OSError):
            return self.ask(group).status == 200
        return False

    @property
    def manager_socket(self) -> str:
        [(_, directory)] = running_servers([str(self.base)])
        return directory.manager

    @property
    def base(self) -> Path:
        return self.project / "sockets" / f"{NAME}-{uid(SERVER)}"

    def order(self, **order: Any) -> dict[str, Any]:
        """Give the manager an order, as root."""
        return give_order(self.manager_socket, order)

    def place(self, name: str) -> dict[str, Any]:
        """How a place is."""
        [found] = [each for each in self.order(do="status")["places"] if each["name"] == name]
        return dict(found)

    def starter(self) -> int:
        [found] = [each.pid for each in self.processes() if each.is_starter]
        return found

    def manager(self) -> int:
        [found] = [each.pid for each in self.processes() if each.is_manager]
        return found

    def stay_root(self) -> list[bool]:
        """
        Of each process that stays root, whether it is the starter.

        A child of the starter is root until it has become its group's user.
        """
        found: list[bool] = []

        def is_alone() -> bool:
            found[:] = [each.is_starter for each in self.processes() if each.user == 0]
            return len(found) == 1

        self.until(is_alone)
        return found

    def restarted(self, name: str) -> None:
        """End a group and wait until it answers again: whatever was done to it is gone."""
        self.order(do="stop", name=name)
        self.until(lambda: self.answers(name))

    def until(self, condition: Callable[[], bool], seconds: float = SECONDS) -> None:
        wait_until(condition, seconds, lambda: self.log)


@contextmanager
def served(
    rooted: Rooted,
    command: Sequence[str] = (),
    *,
    waits_for: str = "a",
    binds: Sequence[str] = (),
    **variables: str,
) -> Iterator[RootedSite]:
    """
    Serve a project of root's; at the end nothing of it may be left.

    ``command`` stands in place of ``manage.py wsgimatch serve``, the first of ``binds`` is a unix
    socket. It is served as soon as the group ``waits_for`` answers.
    """
    binds = binds or (f"unix:{rooted.project}/http/socket",)
    words = [
        *(command or (*rooted.manage, "serve", *AS_SERVER, *ALLOWED)),
        *(word for bind in binds for word in ("--bind", bind)),
        *("--no-control-socket", "--threads", "4"),
    ]
    log = rooted.project / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            cwd=rooted.project,
            env=rooted.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = Path(binds[0].removeprefix("unix:"))
    site = RootedSite(rooted.home, rooted.name, process, address)
    try:
        wait_for(process, log, lambda: site.answers(waits_for))
        yield site
    finally:
        stop(process)
        try:
            wait_until(
                lambda: not site.processes(), SECONDS, lambda: f"{site.processes()}\n{site.log}"
            )
        finally:
            for left in site.processes():
                with suppress(ProcessLookupError):
                    os.kill(left.pid, signal.SIGKILL)


@contextmanager
def as_user(name: str) -> Iterator[None]:
    """Be another user for a while, as far as files are concerned."""
    entry = pwd.getpwnam(name)
    groups = os.getgroups()
    os.setgroups([entry.pw_gid])
    os.setegid(entry.pw_gid)
    os.seteuid(entry.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
