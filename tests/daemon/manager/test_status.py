"""What ``status`` says of a group that lies, and what it makes of a manager that does."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from django_wsgimatch.cli.status import status_lines
from django_wsgimatch.daemon.board import BOOTING, HEADER, LEAVING, READY
from django_wsgimatch.daemon.front.answers import read_places, read_status
from django_wsgimatch.daemon.manager import status as statuses
from django_wsgimatch.daemon.manager.status import memory_of, place_status
from django_wsgimatch.exceptions import ManagerError
from tests.fuzz.boards import ANSWER, PLACE, PROCESS, fuzz_answers, fuzz_boards
from tests.support import kept_places
from tests.support.groups import site
from tests.support.kept_places import SHAPE, kept_place, process


@pytest.fixture
def group() -> Iterator[tuple[Any, int]]:
    """The first process of a group, and the id of a worker."""
    with kept_places.group() as started:
        yield started


def board_of(*workers: tuple[int, int]) -> bytes:
    """A board of these processes in these states."""
    data = bytearray(SHAPE.size)
    for number, (pid, state) in enumerate(workers):
        struct.pack_into("<qqd", data, HEADER + number * SHAPE.slot_size, pid, state, 5.0)
    return bytes(data)


def status_of(path: Any, leader: Any, *workers: tuple[int, int]) -> dict[str, Any]:
    with kept_place(path, board_of(*workers), leader) as kept:
        return place_status(kept)


@pytest.mark.parametrize(
    ("state", "shown"), [(BOOTING, "starting"), (READY, "ready"), (LEAVING, "ending")]
)
def test_a_worker_of_the_group_is_shown(tmp_path, group, state, shown):
    leader, worker = group

    status = status_of(tmp_path, leader, (worker, state))

    [told] = status["processes"]
    assert (told["pid"], told["state"]) == (worker, shown)
    assert told["memory"] > 0
    assert status["memory"] >= told["memory"]


def test_other_processes_are_not_shown_and_their_memory_is_not_counted(tmp_path, group):
    leader, _ = group
    with process(start_new_session=True) as other:
        others = [os.getpid(), 1, other.pid, 4_194_304]

        status = status_of(tmp_path, leader, *[(pid, READY) for pid in others])

    assert status["processes"] == []
    assert status["memory"] is None


def test_a_process_that_is_named_twice_is_shown_once(tmp_path, group):
    leader, worker = group

    status = status_of(tmp_path, leader, (worker, READY), (worker, READY), (leader.pid, READY))

    assert [told["pid"] for told in status["processes"]] == [worker]


def test_a_process_that_has_ended_is_not_shown(tmp_path, group):
    leader, _ = group
    with process() as ended:
        pass

    assert status_of(tmp_path, leader, (ended.pid, READY))["processes"] == []


def test_the_memory_of_a_process_whose_pss_is_a_secret_is_what_is_its_own(monkeypatch):
    monkeypatch.setattr(statuses, "proportional_set_size", lambda pid: None)

    own = memory_of(os.getpid())

    assert own is not None
    assert 1 << 20 < own < 1 << 40


def test_the_memory_of_no_process_is_unknown():
    assert memory_of(4_194_304) is None


def test_a_real_group_s_processes_are_shown(tmp_path):
    with site(tmp_path, {"processes": 2}) as at:
        told = at.told("/blog")
        at.until(lambda: [p["state"] for p in at.place("blog")["processes"]] == ["ready"] * 2)
        place = at.place("blog")
        server = read_status(at.order(do="status"))

    assert told["pid"] in [each["pid"] for each in place["processes"]]
    assert {each["state"] for each in place["processes"]} == {"ready"}
    assert sum(each["memory"] for each in place["processes"]) == place["memory"]
    assert len(list(status_lines([server]))) == 4


# The manager's answer


def test_a_sound_answer_is_taken_as_it_is():
    assert read_status(ANSWER) == ANSWER


def test_what_is_not_known_stays():
    assert read_status({**ANSWER, "more": [1]})["more"] == [1]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        pytest.param({}, "status.server is None", id="nothing"),
        pytest.param({**ANSWER, "server": "\x1b[2J"}, r"status.server is '\\x1b\[2J'", id="text"),
        pytest.param({**ANSWER, "pid": True}, "status.pid is True", id="a truth"),
        pytest.param({**ANSWER, "pid": -1}, "status.pid is -1", id="a negative number"),
        pytest.param({**ANSWER, "started": float("nan")}, "status.started is nan", id="no number"),
        pytest.param({**ANSWER, "project": 5}, "status.project is 5", id="a number for text"),
        pytest.param({**ANSWER, "places": {}}, "status.places is {}", id="an object for a list"),
        pytest.param({**ANSWER, "places": [5]}, "status.places is 5", id="a number for a place"),
        pytest.param(
            {**ANSWER, "places": [{**PLACE, "python": {"a": 1}}]},
            "status.places.python is {'a': 1}",
            id="an object for a version",
        ),
        pytest.param(
            {**ANSWER, "places": [{**PLACE, "processes": [{**PROCESS, "memory": 1.5}]}]},
            "status.places.processes.memory is 1.5",
            id="half a byte",
        ),
        pytest.param(
            {**ANSWER, "places": [{**PLACE, "application_group": 5}]},
            "status.places.application_group is 5",
            id="a number for a group",
        ),
        pytest.param(
            {**ANSWER, "places": [{**PLACE, "uptime": 10**400}]},
            "status.places.uptime is 1000",
            id="a number without an end",
        ),
        pytest.param(
            {**ANSWER, "places": [{**PLACE, "error": "x" * 30_000}]},
            "status.places.error is 'xxx",
            id="text without an end",
        ),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error(answer, complaint):
    with pytest.raises(ManagerError, match=f"makes no sense: {complaint}"):
        read_status(answer)


def test_text_that_no_terminal_takes_is_escaped():
    [place] = read_status({**ANSWER, "places": [{**PLACE, "error": "a\udcff"}]})["places"]

    assert place["error"] == "a\\udcff"


@pytest.mark.parametrize("places", [None, {}, [5], "blog", [["blog"]]])
def test_places_that_make_no_sense_are_an_error(places):
    with pytest.raises(ManagerError, match="makes no sense: places"):
        read_places({"places": places})


def test_random_boards_harm_nobody():
    outcomes = fuzz_boards(500, seed=7)

    assert outcomes.total() == 500
    assert outcomes["a worker"] > 100 < outcomes["none"]


def test_random_answers_harm_nobody():
    outcomes = fuzz_answers(500, seed=7)

    assert outcomes.total() == 500
    assert outcomes["refused"] > 0 < outcomes["shown"]


def test_status_is_json(tmp_path, group):
    leader, worker = group

    assert json.loads(json.dumps(status_of(tmp_path, leader, (worker, READY))))
