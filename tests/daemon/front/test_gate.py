from __future__ import annotations

import sys
import threading
import time

import pytest

from django_wsgimatch.daemon.front import gate
from django_wsgimatch.daemon.front.gate import Gate, room
from django_wsgimatch.exceptions import DaemonError
from tests.support.groups import wait_until


@pytest.mark.parametrize(
    ("part", "threads", "most"),
    [
        pytest.param(0.75, 4, 3, id="three of four threads"),
        pytest.param(0.75, 8, 6, id="six of eight"),
        pytest.param(0.75, 3, 2, id="rounded down"),
        pytest.param(0.75, 2, 1, id="one of two"),
        pytest.param(0.1, 4, 1, id="never less than one"),
        pytest.param(0.75, 1, None, id="a single thread has nothing to share"),
        pytest.param(5, 1, None, id="a single thread, and a number"),
        pytest.param(1.0, 4, None, id="all"),
        pytest.param(0.75, None, None, id="a part of nobody knows how many"),
        pytest.param(5, None, 5, id="a number of threads"),
        pytest.param(None, 4, None, id="no limit"),
    ],
)
def test_room(part, threads, most):
    assert room(part, threads) == most


@pytest.fixture
def clock(monkeypatch):
    """The time, as the gate sees it: it stands still."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def entered(times):
    """A gate that somebody has left, and that then has been entered so many times."""
    limited = Gate(times)
    limited.enter()
    limited.leave()
    for _ in range(times):
        limited.enter()
    return limited


def test_a_place_that_lets_nobody_out_is_refused_more_at_once(clock):
    limited = entered(2)
    clock[0] += gate.PATIENCE

    with pytest.raises(DaemonError, match=r"^2 requests to it are at work") as refused:
        limited.enter()

    assert refused.value.status == 503


@pytest.mark.parametrize(
    "idle", [pytest.param(0, id="never asked"), pytest.param(gate.IDLE + 1, id="not for long")]
)
def test_a_place_that_may_be_starting_is_given_more_time(clock, idle):
    limited = entered(1) if idle else Gate(1)
    if idle:
        limited.leave()
        clock[0] += idle
    limited.enter()
    full = clock[0]
    clock[0] += gate.FIRST_PATIENCE

    with pytest.raises(DaemonError):
        limited.enter()
    assert limited._deadline() == full + gate.FIRST_PATIENCE


def test_a_place_whose_processes_have_gone_is_given_more_time_once_in_a_while(clock):
    limited, deadlines = entered(1), []
    for _ in range(4):
        limited.expect_start()
        deadlines.append(limited._deadline() - clock[0])
        clock[0] += gate.BETWEEN_STARTS / 2 + 0.01

    # The second and the last one come too soon after the one before.
    assert [round(left, 1) for left in deadlines] == [2.0, -0.5, 2.0, -0.5]


def test_processes_that_go_away_soon_after_their_first_start_are_given_more_time_as_well(clock):
    limited, deadlines = entered(1), []
    for _ in range(3):
        limited.expect_start()
        deadlines.append(limited._deadline() - clock[0])
        clock[0] += 0.5
        limited.leave()
        limited.enter()
        clock[0] += 0.5

    assert [round(left, 1) for left in deadlines] == [2.0, 2.0, 1.0]


def test_who_leaves_makes_room(clock):
    limited = Gate(1)
    for _ in range(3):
        limited.enter()
        limited.leave()

    assert limited.is_empty


def frame_of(thread):
    return sys._current_frames()[thread.ident]


def test_a_request_waits_for_one_that_has_just_begun():
    limited, let_in = Gate(1), threading.Event()
    limited.enter()

    def enter() -> None:
        limited.enter()
        let_in.set()

    waiting = threading.Thread(target=enter)
    waiting.start()
    wait_until(lambda: frame_of(waiting).f_code.co_name == "_wait")
    limited.leave()
    waiting.join(60)

    assert let_in.is_set()
    assert not limited.is_empty


def test_all_who_wait_are_let_in_one_after_the_other():
    limited, inside = Gate(1), []

    def pass_through() -> None:
        limited.enter()
        inside.append(limited.is_empty)
        limited.leave()

    limited.enter()
    waiting = [threading.Thread(target=pass_through) for _ in range(3)]
    for thread in waiting:
        thread.start()
    limited.leave()
    for thread in waiting:
        thread.join(10)

    assert inside == [False, False, False]
    assert limited.is_empty


def test_who_waits_in_vain_is_refused_when_the_time_is_over(monkeypatch):
    monkeypatch.setattr(gate, "PATIENCE", 0.05)
    monkeypatch.setattr(gate, "FIRST_PATIENCE", 0.05)
    limited = Gate(1)
    limited.enter()

    with pytest.raises(DaemonError) as refused:
        limited.enter()

    assert refused.value.status == 503


def test_a_refused_request_takes_no_room(clock):
    limited = entered(1)
    clock[0] += gate.PATIENCE
    for _ in range(3):
        with pytest.raises(DaemonError):
            limited.enter()
    limited.leave()

    limited.enter()

    assert not limited.is_empty
