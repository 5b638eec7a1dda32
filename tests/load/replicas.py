"""
Two servers of the demonstration site behind a real nginx: what is lost when they are replaced.

``python -m tests.load.replicas`` puts 100 requests a second on nginx and prints a table; the exit
status is 1 where a request is lost, or a release that does not load is sent one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.load.loading import kept_running
from tests.support.groups import wait_until
from tests.support.raw_http import Address, fetch
from tests.support.servers import listens

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
CLIENTS = 8
BODY = b"x" * 2048
# One in four sends a body, and nginx may not send it a second time once a server has it.
REQUESTS: tuple[tuple[bytes, bytes, bytes], ...] = (
    (b"GET", b"/wsgi-scripts/hello", b""),
    (b"GET", b"/elsewhere/", b""),
    (b"GET", b"/api/", b""),
    (b"POST", b"/wsgi-scripts/hello", BODY),
)
NGINX = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream site {{
        include {folder}/servers.conf;
        keepalive 16;
    }}
    server {{
        listen unix:{folder}/nginx.sock;
        location /-/wsgimatch/ {{ return 404; }}
        location / {{
            proxy_pass http://site;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_next_upstream error timeout;
        }}
    }}
}}
"""


@dataclass(slots=True)
class Replica:
    """A server of a release, at a port of its own."""

    process: subprocess.Popen[bytes]
    port: int
    release: Path
    log: Path
    environ: dict[str, str]

    def readiness(self) -> tuple[int, str]:
        """What it says below the path for balancers: 0 while nobody answers."""
        try:
            answer = fetch(("127.0.0.1", self.port), b"/-/wsgimatch/ready")
        except OSError:
            return 0, ""
        return answer.status, answer.body.decode()

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.readiness()[0] == 200, PATIENCE, self.log.read_text)

    def end(self) -> int:
        """Tell it to end, and wait: it drains first."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@dataclass(slots=True)
class Fleet:
    """nginx, and the replicas of the site that stand in its file."""

    folder: Path
    stack: ExitStack
    drain_seconds: float
    nginx: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> Address:
        return self.folder / "nginx.sock"

    def release(self, name: str) -> Path:
        """A copy of the site, as an image would hold it."""
        folder = self.folder / name
        left_out = shutil.ignore_patterns("var", "__pycache__")
        shutil.copytree(ROOT / "testproject", folder / "testproject", ignore=left_out)
        shutil.copy(ROOT / "manage.py", folder)
        with (folder / "testproject" / "settings.py").open("a") as settings:
            settings.write(f"WSGIMATCH_DRAIN_SECONDS = {self.drain_seconds}\n")
        return folder

    def start(self, release: Path, port: int = 0) -> Replica:
        """Start a server of a release; nothing is waited for."""
        port = port or free_port()
        runtime = self.folder / f"run-{port}"
        runtime.mkdir(mode=0o700, exist_ok=True)
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TESTPROJECT_VAR": str(self.folder / "var"),
            "RUNTIME_DIRECTORY": str(runtime),
            "WSGIMATCH_ALLOW_ROOT": "1",
        }
        environ.pop("DJANGO_SETTINGS_MODULE", None)
        log = self.folder / f"server-{port}.log"
        words = ["--bind", f"127.0.0.1:{port}", "--threads", "4", "--no-control-socket"]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "wsgimatch", "serve", *words],
                cwd=release,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.stack.callback(end_now, process)
        return Replica(process, port, release, log, environ)

    def send_to(self, *replicas: Replica) -> None:
        """Have nginx send requests to these, and no others."""
        lines = (
            f"server 127.0.0.1:{replica.port} max_fails=1 fail_timeout=1s;\n"
            for replica in replicas
        )
        (self.folder / "servers.conf").write_text("".join(lines))
        if self.nginx is None:
            self.nginx = self._start_nginx()
        else:
            self.nginx.send_signal(signal.SIGHUP)

    def _start_nginx(self) -> subprocess.Popen[bytes]:
        file = self.folder / "nginx.conf"
        file.write_text(NGINX.format(folder=self.folder))
        nginx = subprocess.Popen([str(find_nginx()), "-p", str(self.folder), "-c", str(file)])
        self.stack.callback(end_now, nginx)
        # The socket is there before it is listened to.
        wait_until(partial(listens, self.address))
        return nginx


@dataclass(slots=True)
class Load:
    """So many requests a second, each over a connection of its own, until it is stopped."""

    address: Address
    rate: float
    statuses: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    slowest: float = 0.0
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, number: int) -> None:
        due = time.monotonic() + number / self.rate
        while not self.stopping.wait(max(due - time.monotonic(), 0)):
            self.ask(*REQUESTS[number % len(REQUESTS)])
            number += CLIENTS
            due += CLIENTS / self.rate

    def ask(self, method: bytes, target: bytes, body: bytes) -> None:
        headers = {b"Content-Length": str(len(body)).encode()} if body else {}
        began = time.monotonic()
        try:
            answer = fetch(self.address, target, method=method, headers=headers, body=body)
            status = str(answer.status)
        except OSError as error:
            status = type(error).__name__
        self.statuses[status] += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        if status != "200":
            self.lost.append(f"{method.decode()} {target.decode()}: {status}")


@contextmanager
def load(at: Fleet, rate: float) -> Iterator[Load]:
    """Put load on nginx for as long as the block runs."""
    on = Load(at.address, rate)
    with kept_running([partial(on.run, number) for number in range(CLIENTS)], on.stopping):
        yield on


@contextmanager
def fleet(folder: Path, drain_seconds: float) -> Iterator[Fleet]:
    """A folder with the site's data, in which replicas can be started; at the end all end."""
    with ExitStack() as stack:
        at = Fleet(folder, stack, drain_seconds)
        environ = {**os.environ, "TESTPROJECT_VAR": str(folder / "var")}
        environ.pop("DJANGO_SETTINGS_MODULE", None)
        command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=environ, check=True)
        yield at


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of a scene."""

    name: str
    requests: int
    lost: tuple[str, ...]
    slowest: float
    note: str = ""


def result(name: str, on: Load, note: str = "") -> Result:
    return Result(name, on.statuses.total(), tuple(on.lost), on.slowest, note)


def rolling_restart(at: Fleet, rate: float, rounds: int) -> Result:
    """One server after the other is told to end, and started again where it was."""
    release = at.release("release")
    replicas = started(at, release)
    with load(at, rate) as on:
        for _ in range(rounds):
            for number, old in enumerate(replicas):
                assert old.end() == 0, old.log.read_text()
                replicas[number] = at.start(release, old.port)
                replicas[number].wait_until_ready()
    return result("rolling restart", on, f"{2 * rounds} servers")


def drained(at: Fleet, rate: float, rounds: int) -> Result:
    """One server after the other drains, is taken out, ends, and comes back when it is ready."""
    release = at.release("release")
    replicas = started(at, release)
    with load(at, rate) as on:
        for _ in range(rounds):
            for number, old in enumerate(replicas):
                drain(old)
                wait_until(partial(is_not_ready, old))
                at.send_to(*(each for each in replicas if each is not old))
                old.end()
                replicas[number] = at.start(release, old.port)
                replicas[number].wait_until_ready()
                at.send_to(*replicas)
    return result("drain", on, f"{2 * rounds} servers")


def broken_release(at: Fleet, rate: float, rounds: int) -> Result:
    """A release one of whose scripts raises is started; the old one would end once it is ready."""
    replicas = started(at, at.release("release"))
    broken = at.release("broken")
    script = broken / "testproject" / "neighbours" / "elsewhere.py"
    script.write_text("raise RuntimeError('this release is broken')\n")
    with load(at, rate) as on:
        new = at.start(broken)
        wait_until(lambda: "does not load" in new.readiness()[1], PATIENCE, new.log.read_text)
        said = set()
        for _ in range(20 * rounds):
            said.add(new.readiness()[0])
            time.sleep(0.1)
        reasons = new.readiness()[1].splitlines()
        old = {replica.readiness()[0] for replica in replicas}
    assert (said, old) == ({503}, {200})
    return result("a release whose script raises", on, f"503: {reasons[-1]}")


def started(at: Fleet, release: Path) -> list[Replica]:
    """Two replicas that are ready, and nginx in front of them."""
    replicas = [at.start(release), at.start(release)]
    for replica in replicas:
        replica.wait_until_ready()
    at.send_to(*replicas)
    return replicas


def is_not_ready(replica: Replica) -> bool:
    return replica.readiness()[0] == 503


def drain(replica: Replica) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "wsgimatch", "drain", "on"],
        cwd=replica.release,
        env=replica.environ,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def end_now(process: subprocess.Popen[bytes]) -> None:
    """End a process that is still there; a second TERM does not drain."""
    for _ in range(2):
        with suppress(subprocess.TimeoutExpired):
            process.terminate()
            process.wait(1)
            return
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
        return
    process.kill()
    process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def find_nginx() -> str | None:
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


SCENES: dict[str, Callable[[Fleet, float, int], Result]] = {
    "restart": rolling_restart,
    "drain": drained,
    "broken": broken_release,
}


def run(name: str, folder: Path, rate: float, rounds: int, drain_seconds: float) -> Result:
    with fleet(folder, drain_seconds) as at:
        return SCENES[name](at, rate, rounds)


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("scenes", nargs="*", default=[], help=", ".join(SCENES))
    options.add_argument("--rate", type=float, default=100.0, help="requests a second: 100")
    options.add_argument("--rounds", type=int, default=3, help="for each scene: 3")
    given = options.parse_args(argv)
    lost = 0
    for name in given.scenes or SCENES:
        with tempfile.TemporaryDirectory() as folder:
            one = run(name, Path(folder), given.rate, given.rounds, drain_seconds=2.0)
        counts = f"{one.requests} requests, {len(one.lost)} lost, slowest {one.slowest:.2f} s"
        print(f"{one.name}: {counts}  {one.note}", flush=True)
        for each in one.lost[:10]:
            print(f"    {each}", flush=True)
        lost += len(one.lost)
    return int(lost > 0)


if __name__ == "__main__":
    raise SystemExit(main())
