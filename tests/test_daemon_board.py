"""What a group that nobody trusts can do to the board that it writes on."""

from __future__ import annotations

import os

import pytest

from django_wsgimatch.daemon.board import HEADER, Board, Shape, has_reached, read_board

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
    arbiter.count_renewal(failed=False)
    os.pwrite(descriptor, b"\xff" * HEADER, 0)
    arbiter.beat()
    report = read_board(descriptor, SHAPE)

    assert (report.arbiter, report.renewals, report.failed_renewals) == (4710, 1, 0)


def test_a_state_that_there_is_not_is_no_worker(board):
    descriptor, _ = board
    os.pwrite(descriptor, b"\xa5" * (SHAPE.size - HEADER), HEADER)

    assert read_board(descriptor, SHAPE).workers == ()
