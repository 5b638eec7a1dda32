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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from .statements import LONGEST_ERROR, read_count, read_error, read_facts, read_pid, read_time

HEADER = 4096
TEXT = 8192
# No board is larger, in bytes: that would be thousands of processes.
LARGEST = 32 << 20

# A slot: pid, state, when the process began (time.time()); then per thread the id of its newest
# request, how many it has had, when that one began (0: it has ended) and when it ended, both on
# time.monotonic()'s clock; then a text; then when the code changed that it wants new processes for
# (time.time(), 0: it wants none).
_SLOT = struct.Struct("<qqd")
_THREAD = struct.Struct("<QQdd")
# Of a thread's fields, those that a request's begin and its end write, and where the latter are.
# Optimization: prepared, and with the threads' offsets, begin() takes 0.13 us instead of 0.41, and
# end() 0.10 instead of 0.28.
_BEGUN, _ENDED = struct.Struct("<QQd"), struct.Struct("<dd")
_SINCE = _THREAD.size - _ENDED.size
_LENGTH = struct.Struct("<I")
_WANTS = struct.Struct("<d")
# What the arbiter says: the first fields of a BoardReport, and then its newest error.
_HEADER = struct.Struct("<qqqddqqqddd")

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
        return _SLOT.size + self.threads * _THREAD.size + _LENGTH.size + TEXT + _WANTS.size

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
    """
    What a place says of itself: what the arbiter says, in the order of the header, and the workers.

    ``started`` and ``error_time`` are on time.time()'s clock, all other times on
    time.monotonic()'s; 0 stands for never.
    """

    arbiter: int = 0
    renewals: int = 0
    failed_renewals: int = 0
    started: float = 0.0
    # When the arbiter last did its round.
    beat: float = 0.0
    # Of the workers that are gone.
    ended: int = 0
    crashes: int = 0
    past_requests: int = 0
    error_time: float = 0.0
    # When the newest renewal began that has succeeded, and the newest that has failed.
    renewed: float = 0.0
    gave_up: float = 0.0
    error: str = ""
    workers: tuple[WorkerReport, ...] = ()

    @property
    def requests(self) -> int:
        """How many requests the place has had since the arbiter began."""
        return self.past_requests + sum(worker.requests for worker in self.workers)

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
        self._says = BoardReport(pid, started=time.time())
        self.beat()

    def beat(self) -> None:
        """Say that the arbiter is at work; what has been written over its words goes with that."""
        self._say()

    def count_renewal(self, since: float, *, failed: bool) -> None:
        """
        Count a renewal of the workers, or one in which the new workers would not load.

        ``since`` is when it began, on time.monotonic()'s clock.
        """
        if failed:
            self._say(failed_renewals=self._says.failed_renewals + 1, gave_up=since)
        else:
            self._say(renewals=self._says.renewals + 1, renewed=since)

    def bury(self, number: int, pid: int) -> None:
        """Count what a worker that is gone has done, and free its slot."""
        past = self._says.past_requests
        if self.pid(number) == pid and self.state(number) != FREE:
            past += _requests(self.map, self._offset(number), self.shape)
            self._free(number)
        self._say(ended=self._says.ended + 1, past_requests=past)

    def count_crash(self, error: str) -> None:
        """Count a worker that has died, and keep what is to be said of it."""
        self._say(crashes=self._says.crashes + 1)
        self.tell_error(error)

    def tell_error(self, error: str) -> None:
        """Keep an error as the newest one."""
        self._say(error=error[:LONGEST_ERROR], error_time=time.time())

    def _say(self, **news: Any) -> None:
        self._says = replace(self._says, beat=time.monotonic(), **news)
        _HEADER.pack_into(self.map, 0, *(getattr(self._says, name) for name in _SAID))
        _put_text(self.map, _HEADER.size, self._says.error.encode("utf-8", "replace"))

    def tidy(self, taken: set[int]) -> None:
        """Free the slots that no living worker has: one that was killed cannot do so itself."""
        for number in {*range(self.shape.slots)} - taken:
            if self.state(number) != FREE:
                self._free(number)

    def take_slot(self, taken: set[int]) -> int:
        """Return a slot that none of ``taken`` is: the one unused for longest."""
        free = [slot for slot in range(self.shape.slots) if slot not in taken]
        return min(free, key=lambda slot: _SLOT.unpack_from(self.map, self._offset(slot))[2])

    def slot(self, number: int) -> Slot:
        """A worker's slot, emptied."""
        return Slot(self.map, self._offset(number), self.shape.threads)

    def state(self, number: int) -> int:
        """The state that the worker in a slot has given itself."""
        return int(_SLOT.unpack_from(self.map, self._offset(number))[1])

    def pid(self, number: int) -> int:
        """The worker in a slot; 0 where there was none."""
        return int(_SLOT.unpack_from(self.map, self._offset(number))[0])

    def wants_renewal(self, number: int) -> float:
        """When the code changed that a slot's worker wants new processes for; 0: it wants none."""
        return float(_WANTS.unpack_from(self.map, self._offset(number + 1) - _WANTS.size)[0])

    def report(self) -> BoardReport:
        """Return all that stands on the board."""
        return read_report(self.map, self.shape)

    def _free(self, number: int) -> None:
        """Its requests' ids stay: a front may ask yet what became of one."""
        offset = self._offset(number)
        struct.pack_into("<q", self.map, offset + 8, FREE)
        for thread in range(self.shape.threads):
            since = offset + _SLOT.size + thread * _THREAD.size + _SINCE
            struct.pack_into("<d", self.map, since, 0.0)

    def _offset(self, slot: int) -> int:
        return HEADER + slot * self.shape.slot_size


class Slot:
    """Where one worker writes; each of its threads has a place of its own in it."""

    def __init__(self, board: mmap.mmap, offset: int, threads: int) -> None:
        size = Shape(1, threads).slot_size
        board[offset : offset + size] = bytes(size)
        self._map = board
        self._offset = offset
        # Where each thread writes.
        first = offset + _SLOT.size
        self._threads = [first + thread * _THREAD.size for thread in range(threads)]
        self._text = first + threads * _THREAD.size
        self._counts = [0] * threads
        self._said: dict[str, Any] = {}
        self._pid, self._began = 0, 0.0

    def begin_worker(self, pid: int) -> None:
        """Say that the worker is on its way."""
        self._pid, self._began = pid, time.time()
        self.set_state(BOOTING)

    def set_state(self, state: int) -> None:
        """Say that the worker takes requests, or no more."""
        _SLOT.pack_into(self._map, self._offset, self._pid, state, self._began)

    def want_renewal(self, changed: float) -> None:
        """Say when (time.time()) the code changed that new processes are wanted for."""
        _WANTS.pack_into(self._map, self._text + _LENGTH.size + TEXT, changed)

    def begin(self, thread: int, request_id: int, now: float) -> None:
        """Say that a request is about to reach the application."""
        self._counts[thread] = count = self._counts[thread] + 1
        _BEGUN.pack_into(self._map, self._threads[thread], request_id, count, now)

    def end(self, thread: int, now: float) -> None:
        """Say that the thread is done with its request."""
        _ENDED.pack_into(self._map, self._threads[thread] + _SINCE, 0.0, now)

    def say(self, **facts: Any) -> None:
        """Add to the facts that the worker tells; facts too long for the slot are not told."""
        self._said |= facts
        text = json.dumps(self._said).encode()
        if len(text) > TEXT:
            # The longest by far; without them the next process loads them at its first requests.
            self._said.pop("scripts", None)
            self._said.pop("used", None)
            text = json.dumps(self._said).encode()
        if len(text) > TEXT:
            return
        _put_text(self._map, self._text, text)


def _put_text(board: mmap.mmap, offset: int, text: bytes) -> None:
    """Write a text; a reader that comes in between takes it for nothing said."""
    _LENGTH.pack_into(board, offset, 0)
    board[offset + _LENGTH.size : offset + _LENGTH.size + len(text)] = text
    _LENGTH.pack_into(board, offset, len(text))


def _read_time_of_day(value: float) -> float:
    return read_time(value, time.time())


def _read_moment(value: float) -> float:
    return read_time(value, time.monotonic())


# What stands in the header, in its order.
_SAID: dict[str, Callable[[Any], Any]] = {
    "arbiter": read_pid,
    "renewals": read_count,
    "failed_renewals": read_count,
    "started": _read_time_of_day,
    "beat": _read_moment,
    "ended": read_count,
    "crashes": read_count,
    "past_requests": read_count,
    "error_time": _read_time_of_day,
    "renewed": _read_moment,
    "gave_up": _read_moment,
}


def read_board(descriptor: int, shape: Shape) -> BoardReport:
    """Return what stands on the board in a file, that its group may have shortened."""
    return read_report(os.pread(descriptor, shape.size, 0).ljust(shape.size, b"\0"), shape)


def read_report(data: bytes | mmap.mmap, shape: Shape) -> BoardReport:
    """Return what stands on a whole board: whatever it is, values that are safe to use."""
    values = zip(_SAID.items(), _HEADER.unpack_from(data), strict=True)
    said: dict[str, Any] = {name: read(value) for (name, read), value in values}
    error = _text(data, _HEADER.size, 4 * LONGEST_ERROR).decode("utf-8", "replace")
    workers = tuple(_workers(data, shape))
    return BoardReport(**said, error=read_error(error) or "", workers=workers)


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
            requests=_requests(data, offset, shape),
            busy_since=tuple(since for since in began if since > 0),
            last_active=max([*began, *ended], default=0.0),
            said=_said(data, first + shape.threads * _THREAD.size),
        )


def _requests(data: bytes | mmap.mmap, slot: int, shape: Shape) -> int:
    first = slot + _SLOT.size
    counts = (
        _THREAD.unpack_from(data, first + thread * _THREAD.size)[1]
        for thread in range(shape.threads)
    )
    return sum(map(read_count, counts))


def _text(data: bytes | mmap.mmap, offset: int, longest: int) -> bytes:
    """Return a text, nothing for one whose length cannot be."""
    (length,) = _LENGTH.unpack_from(data, offset)
    if length > longest:
        return b""
    return data[offset + _LENGTH.size : offset + _LENGTH.size + length]


def _said(data: bytes | mmap.mmap, offset: int) -> dict[str, Any]:
    text = _text(data, offset, TEXT)
    if not text:
        return {}
    try:
        return read_facts(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def process_at(path: str, shape: Shape, request_id: int) -> int:
    """Return the process that has taken a request, as the board in a file tells; 0 for none."""
    data = _content(path, shape.size).ljust(shape.size, b"\0")
    at = data.find(struct.pack("<Q", request_id), HEADER)
    slot = (at - HEADER) // shape.slot_size
    if not 0 <= slot < shape.slots:
        return 0
    return read_pid(_SLOT.unpack_from(data, HEADER + slot * shape.slot_size)[0])


def has_reached(path: str, request_id: int) -> bool:
    """
    Whether a request has reached the application, as the board in a file tells.

    A board that is gone, or was cut off, tells nothing: then it may have.
    """
    data = _content(path, LARGEST)
    return len(data) <= HEADER or struct.pack("<Q", request_id) in data


def _content(path: str, most: int) -> bytes:
    """Return what stands in a board's file, nothing where it is gone."""
    try:
        # Read, not mapped, and not for ever: the group may shorten the file, which would be this
        # process's end, or lengthen it.
        with open(path, "rb") as board:
            return board.read(most)
    except OSError:
        return b""
