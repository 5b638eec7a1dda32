"""
What the manager and ``status`` make of any board of a group, and of any answer of a manager.

``python -m tests.fuzz.boards --cases 50000 --seed 1`` exits with 1 and prints the case where
anything but clean lines or ManagerError comes of it.
"""

from __future__ import annotations

import json
import math
import os
import random
import struct
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django_wsgimatch.cli.status import status_lines
from django_wsgimatch.daemon.board import HEADER, READY, BoardReport
from django_wsgimatch.daemon.front.answers import read_outcomes, read_places, read_status
from django_wsgimatch.daemon.manager.kept_place import KeptPlace, _has_workers
from django_wsgimatch.daemon.manager.order_outcome import restart_outcome
from django_wsgimatch.daemon.manager.status import place_status
from django_wsgimatch.daemon.statements import LARGEST_COUNT, LARGEST_PID
from django_wsgimatch.exceptions import ManagerError
from tests.fuzz.command_line import run_fuzzers
from tests.support.kept_places import SHAPE, group, kept_place

THREAD = HEADER + 24
TEXT = THREAD + SHAPE.threads * 32
NUMBERS = [0, 1, -1, 4711, 1 << 22, (1 << 22) + 1, 1 << 31, 1 << 40, (1 << 63) - 1, -(1 << 63)]
TIMES = [0.0, -0.0, 1.0, -1.0, 5e-324, 1e300, math.inf, -math.inf, math.nan, 8e9]
NAMES = ["python", "settings", "error", "error_time", "scripts", "closed", "more"]
TEXTS = ["", "x", "\x1b]0;PWNED\x07", "\ud800", "\n\r\x85", "x" * 8000, "\u202e", "3.13.0", "\0"]


def random_value(rng: random.Random, depth: int = 2) -> Any:
    """Any value that JSON can hold, and a few that Python's takes beyond it."""
    kind = rng.randrange(8 if depth else 6)
    if kind == 6:
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return {rng.choice(NAMES): random_value(rng, depth - 1) for _ in range(rng.randrange(4))}
    if kind == 5:
        return "".join(chr(rng.choice([rng.randrange(256), rng.randrange(0x11000)])) for _ in "abc")
    choices: list[list[Any]] = [[None, True, False], NUMBERS, TIMES, TEXTS, [10**400, 1.5, -7]]
    return rng.choice(choices[kind])


def random_text(rng: random.Random) -> bytes:
    if rng.random() < 0.2:
        return rng.randbytes(rng.randrange(200))
    facts = {name: random_value(rng) for name in rng.sample(NAMES, rng.randrange(len(NAMES)))}
    text = json.dumps(facts).encode()[:8192]
    return text if rng.random() < 0.8 else text[: rng.randrange(len(text))]


def random_board(rng: random.Random, pids: Sequence[int]) -> bytes:
    """A board of random bytes, one of odd values, or a sound one with bytes changed in it."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(SHAPE.size)
    data = bytearray(SHAPE.size)
    is_odd = kind == 1
    struct.pack_into("<qqqd", data, 0, pids[0], *_some(rng, is_odd, [0, 3]), 5.0)
    for slot in range(SHAPE.slots):
        offset = slot * SHAPE.slot_size
        pid = rng.choice([*pids, *NUMBERS] if is_odd else pids)
        state = rng.choice([*NUMBERS, READY]) if is_odd else READY
        struct.pack_into("<qqd", data, HEADER + offset, pid, state, _time(rng, is_odd))
        for thread in range(SHAPE.threads):
            counts = [abs(number) for number in _some(rng, is_odd, [7, 9])]
            times = _time(rng, is_odd), _time(rng, is_odd)
            struct.pack_into("<QQdd", data, THREAD + offset + 32 * thread, *counts, *times)
        text = random_text(rng)
        length = rng.choice([len(text), 0, 8193, (1 << 32) - 1]) if is_odd else len(text)
        struct.pack_into("<I", data, TEXT + offset, length)
        data[TEXT + offset + 4 : TEXT + offset + 4 + len(text)] = text
    for _ in range(rng.randrange(40) if kind == 3 else 0):
        data[rng.randrange(len(data))] = rng.randrange(256)
    # A group may shorten the file.
    return bytes(data[: rng.randrange(len(data))] if rng.random() < 0.1 else data)


def _some(rng: random.Random, is_odd: bool, sound: list[int]) -> list[int]:
    return [rng.choice(NUMBERS if is_odd else sound) for _ in range(2)]


def _time(rng: random.Random, is_odd: bool) -> float:
    return rng.choice(TIMES) if is_odd else rng.random() * 100


def check_report(report: BoardReport) -> None:
    """Raise AssertionError for a value that a consumer could stumble over."""
    now = time.monotonic()
    assert 0 <= report.arbiter <= LARGEST_PID
    assert 0 <= report.renewals <= LARGEST_COUNT
    assert 0 <= report.last_active <= now
    assert 0 <= report.started <= time.time()
    assert 0 <= max(report.renewed, report.gave_up) <= now
    for worker in report.workers:
        assert 0 < worker.pid <= LARGEST_PID
        assert 0 <= worker.requests <= LARGEST_COUNT * SHAPE.threads
        assert all(0 < since <= now for since in worker.busy_since)
        assert set(worker.said) <= {*NAMES} - {"more"}
        assert worker.said.get("closed", False) in (True, False)
        for name in ("python", "settings", "error"):
            text = worker.said.get(name, "")
            assert text.replace("\n", "").isprintable(), text
            text.encode()


def check_place(kept: KeptPlace, worker: int) -> bool:
    """Do with a board what the manager and ``status`` do; return whether a worker is shown."""
    running = kept.current
    assert running is not None
    check_report(running.report())
    assert _has_workers(running) in (True, False)
    assert kept.last_used() <= time.monotonic()
    status = json.loads(json.dumps(place_status(kept)))
    shown = {told["pid"] for told in status["processes"]}
    assert shown <= {worker}, status
    answer = {"server": 1, "pid": 2, "started": 3.0, "project": "", "places": [status]}
    for line in status_lines([read_status(answer)]):
        line.encode()
    running.was_ready = True
    outcome = json.loads(json.dumps(restart_outcome(kept, 1.0)))
    assert read_outcomes({"outcomes": [outcome]}) == [outcome]
    assert {*outcome["pids"]} <= {worker}, outcome
    return bool(shown)


def fuzz_boards(cases: int, seed: int) -> Counter[str]:
    """Show random boards. Raises AssertionError with the case that went wrong."""
    rng = random.Random(seed)
    outcomes: Counter[str] = Counter()
    with TemporaryDirectory() as folder, group() as (leader, worker):
        # The others are no workers of the group.
        pids = [leader.pid, worker, os.getpid(), 1]
        with kept_place(Path(folder), b"", leader) as kept:
            assert kept.current is not None
            for number in range(cases):
                board = random_board(rng, pids)
                os.ftruncate(kept.current.board, 0)
                os.pwrite(kept.current.board, board, 0)
                try:
                    is_shown = check_place(kept, worker)
                except Exception as error:
                    raise AssertionError(f"case {number}: {error!r}") from error
                outcomes["a worker" if is_shown else "none"] += 1
    return outcomes


PROCESS = {"pid": 5, "state": "ready", "uptime": 1.5, "requests": 3, "busy": 0, "memory": None}
PLACE = {
    "name": "blog",
    "process_group": "blog",
    "application_group": "",
    "state": "running",
    "socket": "/run/wsgimatch-33/1.2/0123456789abcdef.sock",
    "pid": 4,
    "processes": [PROCESS],
    "python": "3.13.0",
    "settings": None,
    "uptime": 2,
    "requests": 3,
    "busy": 0,
    "threads": 2,
    "memory": 1,
    "restarts": 0,
    "error": "",
    "error_time": None,
}
ANSWER = {"server": 1, "pid": 2, "started": 3.5, "project": "x in /y", "places": [PLACE]}


def random_answer(rng: random.Random) -> Any:
    """A sound answer with up to two other values in it."""
    answer = json.loads(json.dumps(ANSWER))
    place = answer["places"][0]
    objects = [answer, place, place["processes"][0]]
    for _ in range(rng.randrange(3)):
        within = rng.choice(objects)
        within[rng.choice([*within])] = random_value(rng)
    return answer


def fuzz_answers(cases: int, seed: int) -> Counter[str]:
    """Show random answers. Raises AssertionError with the one that went wrong."""
    rng = random.Random(seed)
    outcomes: Counter[str] = Counter()
    for number in range(cases):
        answer = random_answer(rng)
        try:
            for line in status_lines([read_status(answer)]):
                line.encode()
            read_places({"places": [place["name"] for place in answer["places"]]})
            outcomes["shown"] += 1
        except ManagerError as error:
            str(error).encode()
            outcomes["refused"] += 1
        except Exception as error:
            raise AssertionError(f"case {number}: {error!r} with {answer!r}") from error
    return outcomes


def main(argv: Sequence[str] | None = None) -> int:
    return run_fuzzers(__doc__, {"boards": fuzz_boards, "answers": fuzz_answers}, argv)


if __name__ == "__main__":
    raise SystemExit(main())
