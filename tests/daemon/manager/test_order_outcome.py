"""What the manager makes of a place that was told to restart or to stop."""

from __future__ import annotations

import pytest

from django_wsgimatch.daemon.board import READY, Board
from django_wsgimatch.daemon.manager.order_outcome import restart_outcome, stop_outcome
from tests.support.kept_places import SHAPE, group, kept_place, process

SINCE = 100.0


@pytest.mark.parametrize(
    ("renewed", "gave_up", "state"),
    [
        pytest.param(0.0, 0.0, "waiting", id="nothing has been renewed"),
        pytest.param(99.0, 0.0, "waiting", id="the renewal before it has ended"),
        pytest.param(0.0, 99.0, "waiting", id="the renewal before it has failed"),
        pytest.param(101.0, 0.0, "done", id="one that began later has ended"),
        pytest.param(0.0, 101.0, "failed", id="one that began later has failed"),
        pytest.param(102.0, 101.0, "done", id="one has failed, and the next has not"),
        pytest.param(101.0, 102.0, "failed", id="the newest has failed"),
    ],
)
def test_a_renewal_counts_from_the_order_on(tmp_path, renewed, gave_up, state):
    with group() as (leader, worker), kept_place(tmp_path, bytes(SHAPE.size), leader) as kept:
        assert kept.current is not None
        kept.current.started, kept.current.was_ready = 50.0, True
        tell(kept, worker, renewed, gave_up)

        assert restart_outcome(kept, SINCE)["state"] == state


def test_processes_that_are_not_all_ready_are_waited_for_and_their_error_told(tmp_path):
    with process() as leader, kept_place(tmp_path, bytes(SHAPE.size), leader) as kept:
        assert kept.current is not None
        kept.current.was_ready = True
        board = Board(kept.current.board, SHAPE)
        board.set_arbiter(leader.pid)
        board.count_crash("process 5 exited with status 7 while it loaded")
        outcome = restart_outcome(kept, SINCE)

    assert outcome["state"] == "waiting"
    assert outcome["error"] == "process 5 exited with status 7 while it loaded"


def test_processes_that_were_stopped_meanwhile_are_not_waited_for(tmp_path):
    with process() as leader, kept_place(tmp_path, bytes(SHAPE.size), leader) as kept:
        kept.current = None
        outcome = restart_outcome(kept, SINCE)

    assert (outcome["state"], outcome["error"]) == ("failed", "was stopped before it was ready")


@pytest.mark.parametrize(
    ("started", "state"),
    [
        pytest.param(50.0, "waiting", id="they were there before"),
        pytest.param(150.0, "done", id="a request has started them since"),
    ],
)
def test_a_stop_waits_for_the_processes_that_were_there(tmp_path, started, state):
    with process() as leader, kept_place(tmp_path, bytes(SHAPE.size), leader) as kept:
        assert kept.current is not None
        kept.current.started = started

        assert stop_outcome(kept, SINCE)["state"] == state


def tell(kept, worker, renewed, gave_up):
    """Let a place's board say when renewals began, and that one worker is ready."""
    board = Board(kept.current.board, SHAPE)
    board.set_arbiter(kept.current.process.pid)
    slot = board.slot(0)
    slot.begin_worker(worker)
    slot.set_state(READY)
    board.count_renewal(gave_up, failed=True)
    board.count_renewal(renewed, failed=False)
