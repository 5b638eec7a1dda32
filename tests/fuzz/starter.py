"""
Random and mutated orders to the process that stays root.

``python -m tests.fuzz.starter [COUNT]``, as root: it must answer each, live on, and never start
anything as another user, or in another group, than the command line has allowed.
"""

from __future__ import annotations

import json
import os
import random
import select
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.support.rooted import environment_of_root, reason_to_skip
from tests.support.rooted_starter import RunningStarter, TestManager, starter

COUNT = 20_000
NUMBERS: tuple[Any, ...] = (
    *(0, 1, -1, 5, 20, 33, 42, 60, 65534, 2**31, 2**32, 2**32 + 33, 2**32 - 1, -(2**31), 2**64),
    *(True, False, None, "33", "0", "", 33.0, 5.0, 0.0, float("nan"), float("inf"), [], [33], {}),
)
WORDS: tuple[Any, ...] = (
    *("", "\0", "a" * 5000, "../..", "/", "/dev/null", "/bin/true", "\ud800", None, 5, [], {}),
    *("do", "start", "signal", "stop", "ping", "NPROC", "NOFILE", "__class__", "INFINITY"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """How many orders were sent and answered, how many started something, and who that was."""

    asked: int
    answered: int
    started: int
    who: frozenset[str]


def fuzz(running: RunningStarter, rng: random.Random, count: int) -> Found:
    """Send orders; after each there must be an answer."""
    manager, answered, started = running.manager(), 0, 0
    for number in range(count):
        if rng.random() < 0.02:
            _strange_manager(running, rng)
        if rng.random() < 0.02:
            manager.socket.close()
            manager = running.manager()
        data = _message(running, rng)
        descriptors = _descriptors(rng)
        try:
            manager.send(data, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        # An order to signal is not answered, and an empty message is an end: what follows is.
        answer = _answer(manager, running, number)
        if answer is None:
            manager = running.manager()
            answer = _answer(manager, running, number)
        answered += answer is not None
        started += bool(answer)
        if number % 50 == 0:
            manager.socket.close()
            manager = running.manager()
    manager.socket.close()
    assert running.is_running
    return Found(count, answered, started, frozenset(running.who()))


def _answer(manager: TestManager, running: RunningStarter, number: int) -> bool | None:
    """Ask for what is refused, and read up to that; whether something was started before."""
    mark = f" is not allowed group -{number + 7}:"
    started = False
    try:
        manager.send(json.dumps(running.order(group=-(number + 7), groups=[])).encode())
        while True:
            event = manager.receive()
            started = started or "pid" in event
            if mark in str(event.get("refused", "")):
                return started
    except (OSError, ValueError):
        return None


def _message(running: RunningStarter, rng: random.Random) -> bytes:
    order = running.order()
    order["environment"]["STAY"] = rng.choice(("", "0", "1000"))
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        _change(order, rng)
    data = bytearray(json.dumps(order).encode())
    if rng.random() < 0.2:
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    if rng.random() < 0.05:
        data = data[: rng.randrange(1, len(data))]
    if rng.random() < 0.02:
        return rng.choice((b"[" * 100_000, b'{"a":' * 20_000, b"\xff" * 10, b"1" * 100_000, b"{}"))
    return bytes(data)


def _change(order: dict[str, Any], rng: random.Random) -> None:
    number, word = (lambda: rng.choice(NUMBERS)), (lambda: rng.choice(WORDS))
    users = lambda: rng.choice(((33, 33, [33]), (5, 60, [60, 20]), (5, 20, [20]), (0, 0, [0])))  # noqa: E731
    changes: dict[str, Callable[[], Any]] = {
        "user": number,
        "group": number,
        "groups": lambda: rng.choice((number(), [number() for _ in range(3)], [33] * 70_000)),
        "program": word,
        "name": word,
        "do": word,
        "environment": lambda: rng.choice((word(), {str(word()): word()}, {"LD_PRELOAD": "/x"})),
        "limits": lambda: rng.choice((word(), {str(word()): number()})),
        "pid": number,
        "signal": number,
    }
    if rng.random() < 0.3:
        order["user"], order["group"], order["groups"] = users()
    name = rng.choice(sorted(changes))
    if rng.random() < 0.1:
        order.pop(name, None)
    else:
        order[name] = changes[name]()


def _descriptors(rng: random.Random) -> list[int]:
    count = rng.choice((5, 5, 5, 5, 0, 1, 4, 6, 8, 12))
    return [rng.choice(KINDS)() for _ in range(count)]


def _end_of_socket() -> int:
    mine, its = socket.socketpair()
    its.close()
    return mine.detach()


def _end_of_pipe() -> int:
    read, write = os.pipe()
    os.close(read)
    return write


KINDS: tuple[Callable[[], int], ...] = (
    lambda: os.open(os.devnull, os.O_RDWR),
    lambda: os.open("/", os.O_RDONLY),
    lambda: os.open("/dev/zero", os.O_RDONLY),
    lambda: os.pidfd_open(os.getpid()),
    lambda: select.epoll().fileno() and os.open(os.devnull, os.O_RDONLY),
    _end_of_socket,
    _end_of_pipe,
)


def _strange_manager(running: RunningStarter, rng: random.Random) -> None:
    """Hand the starter something as a new manager's socket."""
    descriptors = [rng.choice(KINDS)() for _ in range(rng.choice((0, 1, 1, 2, 4, 6)))]
    with suppress(OSError):
        socket.send_fds(running.control, [rng.randbytes(rng.randint(1, 200))], descriptors)
    for descriptor in descriptors:
        os.close(descriptor)


def main(count: int) -> None:
    """Fuzz, and tell what was found."""
    if reason := reason_to_skip():
        print(f"Skipped: {reason}")
        return
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    with environment_of_root() as home, starter(home) as running:
        found = fuzz(running, random.Random(seed), count)
    print(f"{found.answered} of {found.asked} answered, {found.started} started")
    print("as:", *sorted(found.who), sep="\n  ")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
