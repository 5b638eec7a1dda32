"""
The board: what the processes of a place tell of themselves, in a file that all of them map.

The workers write, each into a slot of its own, so no lock is needed; the group's arbiter, the
manager and the front read. Nothing on it is trusted: what a process that runs as another user
says there has its type and its bounds (``daemon.statements``), and is its own account of itself.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .statements import read_count, read_facts, read_pid, read_time

HEADER = 256
TEXT = 8192
# No board is larger, in bytes: that would be thousands of processes.
LARGEST = 32 << 20

# A slot: pid, state, when the process began (time.time()); then per thread the id of its newest
# request, how many it has had, when that one began (0: it has ended) and when it ended, both on
# time.monotonic()'s clock; then a text.
_SLOT = struct.Struct("<qqd")
_THREAD = struct.Struct("<QQdd")
_LENGTH = struct.Struct("<I")
_HEADER = struct.Struct("<qqqd")

FREE, BOOTING, READY, LEAVING = range(4)
STATES = (BOOTING, READY, LEAVING)


@dataclass(frozen=True, slots=True)
class Shape:
    """How many workers and threads a board has room for."""

    slots: int
    threads: int

    @classmethod
    def of(cls, processes: int, threads: int) -> Shape:
        """Room for old and new workers side by side, while one is replaced by the other."""
        return cls(2 * processes + 4, threads)

    @property
    def slot_size(self) -> int:
        """Bytes of a slot."""
        return _SLOT.size + self.threads * _THREAD.size + _LENGTH.size + TEXT

    @property
    def size(self) -> int:
        """Bytes of the whole board."""
        return HEADER + self.slots * self.slot_size


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """What one worker says of itself; ``busy_since`` are times on time.monotonic()'s clock."""

    pid: int
    state: int
    started: float
    requests: int
    busy_since: tuple[float, ...]
    last_active: float
    said: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BoardReport:
    """What a place says of itself."""

    arbiter: int
    renewals: int
    failed_renewals: int
    started: float
    workers: tuple[WorkerReport, ...]

    @property
    def is_ready(self) -> bool:
        """Whether a worker takes requests."""
        return any(worker.state == READY for worker in self.workers)

    @property
    def busy(self) -> int:
        """How many threads are at a request."""
        return sum(len(worker.busy_since) for worker in self.workers)

    @property
    def last_active(self) -> float:
        """When a request last began or ended, on time.monotonic()'s clock; 0 for never."""
        return max((worker.last_active for worker in self.workers), default=0.0)


class Board:
    """A mapped board."""

    def __init__(self, descriptor: int, shape: Shape) -> None:
        self.shape = shape
        self.map = mmap.mmap(descriptor, shape.size)

    def set_arbiter(self, pid: int) -> None:
        """Name the group's arbiter: the board's newest user."""
        _HEADER.pack_into(self.map, 0, pid, 0, 0, time.time())

    def count_renewal(self, *, failed: bool) -> None:
        """Count a renewal of the workers, or one in which the new workers would not load."""
        offset = 16 if failed else 8
        (count,) = struct.unpack_from("<q", self.map, offset)
        struct.pack_into("<q", self.map, offset, count + 1)

    @property
    def failed_renewals(self) -> int:
        """How many renewals have failed: it changes as soon as one does."""
        count: int = struct.unpack_from("<q", self.map, 16)[0]
        return count

    def take_slot(self, taken: set[int]) -> int:
        """Return a slot that none of ``taken`` is: the one unused for longest."""
        free = [slot for slot in range(self.shape.slots) if slot not in taken]
        return min(free, key=lambda slot: _SLOT.unpack_from(self.map, self._offset(slot))[2])

    def slot(self, number: int) -> Slot:
        """A worker's slot, emptied."""
        return Slot(self.map, self._offset(number), self.shape.threads)

    def state(self, number: int) -> int:
        """The state that the worker in a slot has given itself."""
        state: int = struct.unpack_from("<q", self.map, self._offset(number) + 8)[0]
        return state

    def pid(self, number: int) -> int:
        """The worker in a slot; 0 where there was none."""
        pid: int = struct.unpack_from("<q", self.map, self._offset(number))[0]
        return pid

    def report(self) -> BoardReport:
        """Return all that stands on the board."""
        return read_report(self.map, self.shape)

    def _offset(self, slot: int) -> int:
        return HEADER + slot * self.shape.slot_size


class Slot:
    """Where one worker writes; each of its threads has a place of its own in it."""

    def __init__(self, board: mmap.mmap, offset: int, threads: int) -> None:
        size = Shape(1, threads).slot_size
        board[offset : offset + size] = bytes(size)
        self._map = board
        self._offset = offset
        self._threads = offset + _SLOT.size
        self._text = self._threads + threads * _THREAD.size
        self._counts = [0] * threads
        self._said: dict[str, Any] = {}

    def begin_worker(self, pid: int) -> None:
        """Say that the worker is on its way."""
        _SLOT.pack_into(self._map, self._offset, pid, BOOTING, time.time())

    def set_state(self, state: int) -> None:
        """Say that the worker takes requests, or no more."""
        struct.pack_into("<q", self._map, self._offset + 8, state)

    def begin(self, thread: int, request_id: int, now: float) -> None:
        """Say that a request is about to reach the application."""
        self._counts[thread] += 1
        offset = self._threads + thread * _THREAD.size
        struct.pack_into("<QQd", self._map, offset, request_id, self._counts[thread], now)

    def end(self, thread: int, now: float) -> None:
        """Say that the thread is done with its request."""
        struct.pack_into("<dd", self._map, self._threads + thread * _THREAD.size + 16, 0.0, now)

    def say(self, **facts: Any) -> None:
        """Add to the facts that the worker tells; facts too long for the slot are not told."""
        self._said |= facts
        text = json.dumps(self._said).encode()
        if len(text) > TEXT:
            # The longest by far; without them the next process loads them at its first requests.
            self._said.pop("scripts", None)
            text = json.dumps(self._said).encode()
        if len(text) > TEXT:
            return
        # A reader that comes in between finds no JSON and takes it for nothing said.
        _LENGTH.pack_into(self._map, self._text, 0)
        self._map[self._text + _LENGTH.size : self._text + _LENGTH.size + len(text)] = text
        _LENGTH.pack_into(self._map, self._text, len(text))


def read_board(descriptor: int, shape: Shape) -> BoardReport:
    """Return what stands on the board in a file, that its group may have shortened."""
    return read_report(os.pread(descriptor, shape.size, 0).ljust(shape.size, b"\0"), shape)


def read_report(data: bytes | mmap.mmap, shape: Shape) -> BoardReport:
    """Return what stands on a whole board: whatever it is, values that are safe to use."""
    arbiter, renewals, failed, started = _HEADER.unpack_from(data)
    return BoardReport(
        read_pid(arbiter),
        read_count(renewals),
        read_count(failed),
        read_time(started, time.time()),
        tuple(_workers(data, shape)),
    )


def _workers(data: bytes | mmap.mmap, shape: Shape) -> Iterator[WorkerReport]:
    now, clock = time.monotonic(), time.time()
    for number in range(shape.slots):
        offset = HEADER + number * shape.slot_size
        pid, state, started = _SLOT.unpack_from(data, offset)
        if not read_pid(pid) or state not in STATES:
            continue
        first = offset + _SLOT.size
        threads = [
            _THREAD.unpack_from(data, first + thread * _THREAD.size)
            for thread in range(shape.threads)
        ]
        began = [read_time(since, now) for _, _, since, _ in threads]
        ended = [read_time(end, now) for _, _, _, end in threads]
        yield WorkerReport(
            pid,
            state,
            read_time(started, clock),
            requests=sum(read_count(count) for _, count, _, _ in threads),
            busy_since=tuple(since for since in began if since > 0),
            last_active=max([*began, *ended], default=0.0),
            said=_said(data, first + shape.threads * _THREAD.size),
        )


def _said(data: bytes | mmap.mmap, offset: int) -> dict[str, Any]:
    (length,) = _LENGTH.unpack_from(data, offset)
    if not 0 < length <= TEXT:
        return {}
    try:
        return read_facts(json.loads(data[offset + _LENGTH.size : offset + _LENGTH.size + length]))
    except (ValueError, RecursionError):
        return {}


def has_reached(path: str, request_id: int) -> bool:
    """
    Whether a request has reached the application, as the board in a file tells.

    A board that is gone tells nothing: then it may have.
    """
    try:
        # Read, not mapped, and not for ever: the group may shorten the file, which would be this
        # process's end, or lengthen it.
        with open(path, "rb") as board:
            return struct.pack("<Q", request_id) in board.read(LARGEST)
    except OSError:
        return True
