"""Processes that die: said, counted, replaced ever more seldom, and nobody else's end."""

from __future__ import annotations

import os
import re
import signal
import time

import pytest

from django_wsgimatch.daemon.board import Board, Shape, process_at, read_board
from django_wsgimatch.daemon.deaths import cause_of, is_ordered
from django_wsgimatch.daemon.group.crashes import LONGEST_PAUSE, CrashLoop
from tests.support.groups import site
from tests.support.renewals import put
from tests.thorough import mostly_thorough

BOOT = 'script_alias("/blog", "app.wsgi", process_group="blog", application_group="%{GLOBAL}"),\n'
SHAPE = Shape.of(1, 2)


@pytest.mark.parametrize(
    ("crash", "death"),
    mostly_thorough(
        [
            pytest.param("os._exit(7)", "exited with status 7", id="a status"),
            pytest.param("os._exit(3)", "exited with status 3", id="a status of gunicorn's own"),
            pytest.param("os.kill(os.getpid(), 11)", "died of SIGSEGV", id="a signal"),
        ],
        "a status of gunicorn's own",
    ),
)
def test_a_group_whose_script_ends_its_process_is_refused_at_once(tmp_path, crash, death):
    (tmp_path / "app.wsgi").write_text(f"import os\n{crash}\n")
    with site(tmp_path, aliases=BOOT) as at:
        at.get("/blog")
        at.until(lambda: at.place("blog")["state"] == "failed")
        answer = at.get("/blog")
        told = at.place("blog")
        log = at.log

    assert answer.status == 503
    assert answer.headers["retry-after"]
    assert re.search(rf"did not start: .*process \d+ {death} while it loaded", told["error"])
    assert told["crashes"] >= 1
    assert log.count("Booting worker") <= 8


@pytest.mark.parametrize("status", mostly_thorough([1, 3, 4], 3))
def test_an_application_that_ends_its_process_ends_no_other(tmp_path, status):
    text = "import os, time\n\n\ndef application(environ, start_response):\n"
    text += f"    if environ['PATH_INFO'] == '/end':\n        os._exit({status})\n"
    text += "    start_response('200 OK', [])\n    return [str(os.getpid()).encode()]\n"
    (tmp_path / "app.wsgi").write_text(text)
    with site(tmp_path, {"processes": 2, "threads": 1}, aliases=BOOT) as at:
        at.get("/blog")
        at.until(lambda: len(at.place("blog")["processes"]) == 2)
        before = {process["pid"] for process in at.place("blog")["processes"]}
        arbiter = at.place("blog")["pid"]
        lost = at.get("/blog/end").status
        at.until(lambda: at.place("blog")["crashes"] == 1)
        told = at.place("blog")
        log = at.server.wait_for_log(f"exited with status {status}")

    [dead] = before - {process["pid"] for process in told["processes"]}
    assert (lost, told["pid"]) == (500, arbiter)
    assert told["error"] == f"process {dead} exited with status {status} with 1 requests at work"
    assert f"blog: GET /blog/end: the process {dead} that was at this request has ended" in log


def test_a_killed_process_is_in_the_status_at_once(tmp_path):
    with site(tmp_path, {"processes": 2}, aliases=BOOT) as at:
        killed = at.told("/blog")["pid"]
        at.until(lambda: len(at.place("blog")["processes"]) == 2)
        os.kill(killed, signal.SIGKILL)
        at.until(lambda: at.place("blog")["crashes"] == 1)
        told = at.place("blog")
        at.until(lambda: len(at.place("blog")["processes"]) == 2)

    assert killed not in {process["pid"] for process in told["processes"]}
    assert told["error"].startswith(f"process {killed} died of SIGKILL (out of memory?)")


def test_counts_survive_the_replacement_of_workers(tmp_path):
    with site(tmp_path, {"maximum_requests": 4}) as at:
        counts = []
        for _ in range(10):
            assert at.get("/blog").status == 200
            counts.append(at.place("blog")["requests"])
        at.order(do="restart", name="blog")
        at.until(lambda: at.place("blog")["restarts"] == 1)
        # How many requests a process takes once it is to be replaced depends on how busy all are.
        at.until(lambda: at.place("blog")["ended"] >= 2)
        at.order(do="stop", name="blog")
        at.get("/blog")
        told = at.place("blog")

    assert counts == sorted(counts)
    assert (counts[-1], told["requests"], told["crashes"]) == (10, 11, 0)


def test_a_deploy_that_does_not_load_is_told_with_its_cause(tmp_path):
    with site(tmp_path) as at:
        at.told("/blog")
        put(tmp_path / "app.wsgi", "VERSION = \n")
        at.order(do="restart", name="blog")
        at.until(lambda: "SyntaxError" in at.place("blog")["error"])


def test_a_loop_of_crashes_backs_off():
    loop = CrashLoop()
    pauses = []
    for _ in range(9):
        loop.count("it", is_exit=True)
        pauses.append(round(loop.not_before - time.monotonic(), 1))

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


@pytest.mark.parametrize(
    ("crashes", "is_exit", "hopeless"),
    [
        pytest.param(0, False, False, id="none"),
        pytest.param(1, True, True, id="a process that ends itself"),
        pytest.param(2, False, False, id="as many signals as processes"),
        pytest.param(3, False, True, id="more signals than processes"),
    ],
)
def test_when_a_loop_of_crashes_is_hopeless(crashes, is_exit, hopeless):
    loop = CrashLoop()
    for _ in range(crashes):
        loop.count("it", is_exit=is_exit)

    assert loop.is_hopeless(2) is hopeless


@pytest.mark.parametrize(
    ("status", "cause", "ordered"),
    [
        pytest.param(0, "", True, id="in good order"),
        pytest.param(7 << 8, "exited with status 7", False, id="a status"),
        pytest.param(9, "died of SIGKILL (out of memory?)", True, id="killed"),
        pytest.param(11, "died of SIGSEGV", False, id="a fault"),
        pytest.param(40, "died of signal 40", False, id="a signal without a name"),
    ],
)
def test_what_a_wait_status_says(status, cause, ordered):
    assert (cause_of(status), is_ordered(status)) == (cause, ordered)


@pytest.fixture
def board(tmp_path):
    path = tmp_path / "board"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    os.ftruncate(descriptor, SHAPE.size)
    yield Board(descriptor, SHAPE), descriptor, str(path)
    os.close(descriptor)


def test_what_a_worker_has_counted_is_kept_when_it_is_gone(board):
    arbiter, descriptor, _ = board
    arbiter.set_arbiter(1)
    slot = arbiter.slot(0)
    slot.begin_worker(4711)
    slot.begin(0, 7, 1.0)
    slot.begin(1, 8, 1.0)
    arbiter.bury(0, 4711)
    arbiter.count_crash("it died")
    report = read_board(descriptor, SHAPE)

    assert (report.requests, report.ended, report.crashes) == (2, 1, 1)
    assert (report.error, report.workers) == ("it died", ())


def test_the_process_that_has_a_request_is_found(board):
    arbiter, _, path = board
    slot = arbiter.slot(1)
    slot.begin_worker(4711)
    slot.begin(1, 0x1234567890ABCDEF, 1.0)

    assert process_at(path, SHAPE, 0x1234567890ABCDEF) == 4711
    assert process_at(path, SHAPE, 5) == 0
    assert process_at("/nowhere", SHAPE, 5) == 0
