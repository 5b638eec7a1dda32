"""Clients that check every answer, and what was lost laid at the door of whoever was killed."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from tests.chaos.site import TARGETS, Site, Target, told_by
from tests.load.loading import kept_running
from tests.support.raw_http import connect, request_bytes

CLIENTS = 6
PATIENCE = 60.0
LARGE = 200_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and what came of it; ``problem`` is "" for the right answer."""

    target: Target
    nonce: str
    port: int
    began: float
    ended: float
    problem: str
    is_wrong: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class Kill:
    """
    What may take requests with it.

    A front worker takes those that it had accepted, known by their ports; a place those that were
    under way between ``time`` and ``until``, at most ``most`` of them.
    """

    what: str
    time: float
    ports: frozenset[int] = frozenset()
    target: Target | None = None
    most: float = float("inf")
    until: float = 0.0


@dataclass(slots=True)
class Ledger:
    """What has come of all requests."""

    answered: int = 0
    slowest: float = 0.0
    wrong: list[Asked] = field(default_factory=list)
    lost: list[Asked] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, asked: Asked) -> None:
        with self.lock:
            self.slowest = max(self.slowest, asked.ended - asked.began)
            if asked.is_wrong:
                self.wrong.append(asked)
            elif asked.problem:
                self.lost.append(asked)
            else:
                self.answered += 1

    def attribute(self) -> tuple[Counter[str], list[Asked]]:
        """Return how many lost requests each kind of killed process accounts for, and the rest."""
        counts: Counter[str] = Counter()
        used: Counter[int] = Counter()
        rest = []
        for asked in self.lost:
            at = next((n for n, kill in enumerate(self.kills) if _took(kill, asked, used[n])), None)
            if at is None:
                rest.append(asked)
            else:
                used[at] += 1
                counts[self.kills[at].what] += 1
        return counts, rest


def _took(kill: Kill, asked: Asked, taken: int) -> bool:
    if kill.ports:
        return asked.port in kill.ports and asked.began <= kill.time <= asked.ended
    is_in_time = asked.ended >= kill.time and asked.began <= max(kill.time, kill.until)
    return kill.target == asked.target and is_in_time and taken < kill.most


def ask(at: Site, target: Target, *, seconds: float = 0, is_large: bool = False) -> Asked:
    """Ask once, and look at the answer as one who trusts nobody."""
    nonce = uuid.uuid4().hex
    body = random.randbytes(LARGE if is_large else 0)
    padding = LARGE if is_large else 0
    uri = f"{target.path}?{nonce};{seconds};{padding}".encode()
    headers = {b"Content-Length": str(len(body)).encode()} if body else {}
    request = request_bytes(uri, b"POST" if body else b"GET", headers) + body
    began, port = time.monotonic(), 0
    problem, version, is_wrong = "", 0, False
    try:
        with connect(("127.0.0.1", at.port), PATIENCE) as connection:
            port = connection.getsockname()[1]
            status, answer = _exchange(connection, request)
        if status == 200:
            told = told_by(answer)
            version = told["version"]
            problem = _mistake(at, target, told, nonce, body, padding)
            is_wrong = bool(problem)
        else:
            problem = f"{status}: {answer[:300]!r}"
    except (OSError, HTTPException) as error:
        problem = f"{type(error).__name__}: {error}"
    except (ValueError, KeyError) as error:
        problem, is_wrong = f"no answer of ours: {error!r}", True
    return Asked(target, nonce, port, began, time.monotonic(), problem, is_wrong, version)


def _exchange(connection: socket.socket, request: bytes) -> tuple[int, bytes]:
    connection.sendall(request)
    with HTTPResponse(connection) as response:
        response.begin()
        return response.status, response.read()


def _mistake(
    at: Site, target: Target, told: dict[str, object], nonce: str, body: bytes, padding: int
) -> str:
    expected = {
        "nonce": nonce,
        "process_group": target.process_group,
        "user": at.user_of(target.process_group),
        "digest": hashlib.blake2s(body).hexdigest(),
        "padding": "x" * padding,
    }
    for name, value in expected.items():
        if told[name] != value:
            return f"{name} is {told[name]!r}, not {value!r}"[:300]
    group = str(told["application_group"])
    if not group.endswith(target.application_group) or bool(group) != bool(
        target.application_group
    ):
        return f"application group {group!r}, not {target.application_group!r}"
    return ""


@contextmanager
def load(at: Site, ledger: Ledger, is_held: threading.Event, pause: float) -> Iterator[None]:
    """
    Have clients ask for the time of the block, but while ``is_held`` is set.

    Each waits ``pause`` seconds after an answer.
    """
    stopping = threading.Event()

    def run(seed: int) -> None:
        chance = random.Random(seed)
        while not stopping.wait(pause):
            if not is_held.is_set():
                ledger.note(ask(at, chance.choice(TARGETS), is_large=chance.random() < 0.1))

    with kept_running([partial(run, seed) for seed in range(CLIENTS)], stopping):
        yield


def ran_twice(at: Site) -> list[str]:
    """The requests that reached an application more than once."""
    counts: Counter[str] = Counter()
    for path in Path(at.folder, "ran").iterdir():
        counts.update(path.read_text().split())
    return [nonce for nonce, count in counts.items() if count > 1]


def ports_of(pid: int) -> frozenset[int]:
    """The ports of the clients whose connections a process holds."""
    inodes = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = path.readlink().name
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return frozenset(int(f[2].partition(":")[2], 16) for f in lines if f[9] in inodes) - {0}
