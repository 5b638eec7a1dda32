"""What a group that nobody trusts can do to the board that it writes on."""

from __future__ import annotations

import json
import os
import struct
import time

import pytest

from django_wsgimatch.daemon.board import (
    FREE,
    HEADER,
    READY,
    Board,
    BoardReport,
    Shape,
    WorkerReport,
    has_reached,
    read_board,
    read_report,
)

SHAPE = Shape.of(1, 2)


@pytest.fixture
def board(tmp_path):
    """A board with one worker that has taken one request, and its descriptor and path."""
    path = tmp_path / "board"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    os.ftruncate(descriptor, SHAPE.size)
    slot = Board(descriptor, SHAPE).slot(0)
    slot.begin_worker(4711)
    slot.begin(1, 0x1234567890ABCDEF, 5.0)
    yield descriptor, str(path)
    os.close(descriptor)


def test_a_board_tells_what_was_written(board):
    descriptor, path = board
    [worker] = read_board(descriptor, SHAPE).workers

    assert (worker.pid, worker.requests, worker.busy_since) == (4711, 1, (5.0,))
    assert has_reached(path, 0x1234567890ABCDEF)
    assert not has_reached(path, 0x1234567890ABCDEE)


@pytest.mark.parametrize("size", [0, 10, HEADER + 10, SHAPE.size - 1])
def test_a_board_that_was_shortened_is_read_as_far_as_it_goes(board, size):
    descriptor, path = board
    os.ftruncate(descriptor, size)

    assert read_board(descriptor, SHAPE).arbiter == 0
    assert isinstance(has_reached(path, 1), bool)


def test_a_board_that_was_lengthened_is_not_read_to_its_end(board):
    descriptor, path = board
    os.ftruncate(descriptor, 1 << 40)

    assert has_reached(path, 0x1234567890ABCDEF)
    assert read_board(descriptor, SHAPE).workers[0].pid == 4711


def test_a_board_that_is_gone_tells_nothing():
    assert has_reached("/nowhere/board", 1)


# What a group writes there


def reported(
    *,
    slot: tuple[int, int, float] = (4711, READY, 1.0),
    thread: tuple[int, int, float, float] = (1, 2, 3.0, 4.0),
    text: bytes = b"{}",
    head: tuple[int, int, int, float] = (9, 1, 2, 5.0),
) -> BoardReport:
    """What is read of a board with one worker that says so."""
    data = bytearray(SHAPE.size)
    struct.pack_into("<qqqd", data, 0, *head)
    struct.pack_into("<qqd", data, HEADER, *slot)
    struct.pack_into("<QQdd", data, HEADER + 24, *thread)
    first = HEADER + 24 + 2 * 32
    struct.pack_into("<I", data, first, len(text))
    data[first + 4 : first + 4 + len(text)] = text
    return read_report(bytes(data), SHAPE)


def test_what_is_sound_is_read_as_it_is():
    [worker] = reported().workers

    assert worker == WorkerReport(4711, READY, 1.0, 2, (3.0,), 4.0, {})


@pytest.mark.parametrize(
    "slot",
    [
        pytest.param((2**40, READY, 1.0), id="an id that no process has"),
        pytest.param((2**63 - 1, READY, 1.0), id="the largest number"),
        pytest.param((-1, READY, 1.0), id="an id that means all processes"),
        pytest.param((-4711, READY, 1.0), id="an id that means a process group"),
        pytest.param((0, READY, 1.0), id="none"),
        pytest.param((4711, FREE, 1.0), id="a free slot"),
        pytest.param((4711, 4, 1.0), id="a state that is none"),
        pytest.param((4711, -1, 1.0), id="a negative state"),
    ],
)
def test_a_slot_that_makes_no_sense_is_no_worker(slot):
    assert reported(slot=slot).workers == ()


INFINITE, NOT_A_NUMBER = float("inf"), float("nan")
WRONG = pytest.mark.parametrize(
    "when",
    [
        pytest.param(INFINITE, id="infinite"),
        pytest.param(-INFINITE, id="infinitely long ago"),
        pytest.param(NOT_A_NUMBER, id="no number"),
        pytest.param(-1.0, id="negative"),
        pytest.param(1e300, id="absurd"),
    ],
)


@WRONG
def test_a_time_that_is_none_is_not_said(when):
    report = reported(slot=(4711, READY, when), thread=(1, 2, when, when), head=(9, 1, 2, when))

    [worker] = report.workers
    assert (worker.started, worker.busy_since, worker.last_active) == (0.0, (), 0.0)
    assert (report.started, report.busy, report.last_active) == (0.0, 0, 0.0)


def test_a_time_yet_to_come_is_now():
    """Else a group could say that it was asked last, for ever."""
    before = time.monotonic(), time.time()
    report = reported(slot=(4711, READY, 8e9), thread=(1, 2, 8e9, 8e9), head=(9, 1, 2, 8e9))
    after = time.monotonic(), time.time()

    assert before[0] <= report.last_active <= after[0]
    assert before[1] <= report.started <= after[1]


@pytest.mark.parametrize("count", [2**64 - 1, 2**63, 2**54])
def test_a_count_that_is_absurd_is_not_said(count):
    [worker] = reported(thread=(1, count, 3.0, 4.0)).workers

    assert worker.requests == 0


@pytest.mark.parametrize(
    ("head", "told"),
    [
        pytest.param((2**40, 1, 2, 0.0), (0, 1, 2), id="an arbiter that is no process"),
        pytest.param((9, -1, -2, 0.0), (9, 0, 0), id="negative renewals"),
        pytest.param((9, 2**62, 2**62, 0.0), (9, 0, 0), id="absurd renewals"),
    ],
)
def test_a_head(head, told):
    report = reported(head=head)

    assert (report.arbiter, report.renewals, report.failed_renewals) == told


@pytest.mark.parametrize(
    ("said", "facts"),
    [
        pytest.param({"python": "3.13.0rc1+"}, {"python": "3.13.0rc1+"}, id="a version"),
        pytest.param({"python": "\x1b]0;PWNED\x07"}, {}, id="an escape sequence for a version"),
        pytest.param({"python": "3" * 33}, {}, id="a long version"),
        pytest.param({"python": ""}, {}, id="an empty version"),
        pytest.param({"python": "3.13\n"}, {}, id="a line break in a version"),
        pytest.param({"python": {"a": 1}}, {}, id="an object for a version"),
        pytest.param(
            {"settings": "a.b\x1b[2J\n"}, {"settings": "a.b\\x1b[2J\\n"}, id="escapes in a name"
        ),
        pytest.param({"settings": "\ud800"}, {"settings": "\\ud800"}, id="a lone surrogate"),
        pytest.param({"settings": "\u202etxt"}, {"settings": "\\u202etxt"}, id="a turned line"),
        pytest.param({"settings": "\xe9\u0416"}, {"settings": "\xe9\u0416"}, id="letters"),
        pytest.param({"settings": "x" * 8000}, {"settings": "x" * 200}, id="a long name"),
        pytest.param({"settings": None}, {}, id="no name"),
        pytest.param(
            {"error": "a\nb\x1b[2J"}, {"error": "a\nb\\x1b[2J"}, id="an error of two lines"
        ),
        pytest.param({"error": "a\r\x85b"}, {"error": "a\\r\\x85b"}, id="other line breaks"),
        pytest.param({"error": "x" * 8000}, {"error": "x" * 500}, id="a long error"),
        pytest.param({"error": ["x"]}, {}, id="a list for an error"),
        pytest.param({"error_time": 5.5}, {"error_time": 5.5}, id="a time"),
        pytest.param({"error_time": True}, {}, id="a truth for a time"),
        pytest.param({"error_time": "5"}, {}, id="text for a time"),
        pytest.param({"error_time": 10**400}, {}, id="a number without an end"),
        pytest.param({"error_time": INFINITE}, {}, id="an infinite time"),
        pytest.param({"error_time": NOT_A_NUMBER}, {}, id="a time that is no number"),
        pytest.param({"error_time": -5.5}, {}, id="a negative time"),
        pytest.param({"scripts": ["/a", "/\xe9"]}, {"scripts": ["/a", "/\xe9"]}, id="scripts"),
        pytest.param({"scripts": ["/a"] * 99}, {"scripts": ["/a"] * 50}, id="many scripts"),
        pytest.param(
            {"scripts": ["/\u0416", "\0", "", 5, None, ["/a"]]}, {"scripts": []}, id="no paths"
        ),
        pytest.param({"scripts": "/a"}, {}, id="text for scripts"),
        pytest.param(
            {"used": {"/a": ["app", "", 5, "\n", "x" * 201], "\0": ["app"], "/b": "app"}},
            {"used": {"/a": ["app", ""], "/b": []}},
            id="callables by script, of what has their form",
        ),
        pytest.param(
            {"used": {"/a": ["app"] * 99}},
            {"used": {"/a": ["app"] * 20}},
            id="many callables",
        ),
        pytest.param({"used": ["/a"]}, {}, id="no callables by script"),
        pytest.param({"more": 1, "__class__": 2}, {}, id="what nobody knows"),
        pytest.param(["python"], {}, id="a list"),
        pytest.param(None, {}, id="nothing"),
    ],
)
def test_facts(said, facts):
    [worker] = reported(text=json.dumps(said).encode()).workers

    assert worker.said == facts


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"[" * 8000, id="lists without an end"),
        pytest.param(b"9" * 8000, id="a number without an end"),
        pytest.param(b'{"error_time": 1e999}', id="a number beyond all"),
    ],
)
def test_a_text_that_makes_no_sense_says_nothing(text):
    [worker] = reported(text=text).workers

    assert worker.said == {}


def test_an_error_yet_to_come_is_of_now():
    """Else it would be the newest one for ever."""
    before = time.time()
    [worker] = reported(text=b'{"error": "x", "error_time": 8e9}').workers

    assert before <= worker.said["error_time"] <= time.time()


def test_a_worker_that_has_ended_is_forgotten_but_not_its_requests(board):
    descriptor, path = board
    Board(descriptor, SHAPE).tidy(taken=set())

    assert read_board(descriptor, SHAPE).workers == ()
    assert has_reached(path, 0x1234567890ABCDEF)


def test_a_worker_that_lives_is_not_forgotten(board):
    descriptor, _ = board
    Board(descriptor, SHAPE).tidy(taken={0})

    assert [worker.pid for worker in read_board(descriptor, SHAPE).workers] == [4711]


def test_what_was_written_over_the_arbiter_s_words_is_gone_with_its_next_round(board):
    descriptor, _ = board
    arbiter = Board(descriptor, SHAPE)
    arbiter.set_arbiter(4710)
    arbiter.count_renewal(1.0, failed=False)
    os.pwrite(descriptor, b"\xff" * HEADER, 0)
    arbiter.beat()
    report = read_board(descriptor, SHAPE)

    assert (report.arbiter, report.renewals, report.failed_renewals) == (4710, 1, 0)


def test_a_state_that_there_is_not_is_no_worker(board):
    descriptor, _ = board
    os.pwrite(descriptor, b"\xa5" * (SHAPE.size - HEADER), HEADER)

    assert read_board(descriptor, SHAPE).workers == ()
