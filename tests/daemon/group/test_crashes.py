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
from tests.support.groups import SCRIPT, site
from tests.support.renewals import put
from tests.thorough import mostly_thorough

SHAPE = Shape.of(1, 2)
CRASHES = {
    "a status": ("os._exit(7)", "exited with status 7"),
    "a status of gunicorn's own": ("os._exit(3)", "exited with status 3"),
    "a signal": ("os.kill(os.getpid(), 11)", "died of SIGSEGV"),
}
# It ends its process with the status that its PATH_INFO names.
ENDING = """\
import os


def application(environ, start_response):
    if environ["PATH_INFO"] != "/":
        os._exit(int(environ["PATH_INFO"][1:]))
    start_response("200 OK", [])
    return [b""]
"""
# Each test has a group of its own: one server is enough for them all.
GROUPS = {
    **{f"crash-{number}": {} for number in range(len(CRASHES))},
    **{f"ending-{status}": {"processes": 2, "threads": 1} for status in (1, 3, 4)},
    "killed": {"processes": 2},
    "counted": {"maximum_requests": 4},
    "deployed": {},
}
ALIASES = f"""\
*(script_alias(f"/{{n}}", f"{{n}}.wsgi", process_group=n, application_group="%{{GLOBAL}}")
  for n in {[*GROUPS]!r}),
"""


def script_of(name):
    if name.startswith("crash-"):
        crash, _ = [*CRASHES.values()][int(name[-1])]
        return f"import os\n{crash}\n"
    return ENDING if name.startswith("ending-") else SCRIPT


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    project = tmp_path_factory.mktemp("shared")
    for name in GROUPS:
        (project / f"{name}.wsgi").write_text(script_of(name))
    with site(project, aliases=ALIASES, more=f"WSGIMATCH_PROCESS_GROUPS |= {GROUPS!r}\n") as at:
        yield at


@pytest.fixture
def at(shared):
    """The shared site, with what the log says from now on."""
    shared.skip_log()
    return shared


@pytest.mark.parametrize("crash", mostly_thorough(CRASHES, "a status of gunicorn's own"))
def test_a_group_whose_script_ends_its_process_is_refused_at_once(shared, crash):
    at, death = shared, CRASHES[crash][1]
    name = f"crash-{[*CRASHES].index(crash)}"
    at.get(f"/{name}")
    at.until(lambda: at.place(name)["state"] == "failed")
    answer = at.get(f"/{name}")
    told = at.place(name)
    log = at.server.log.read_text()

    assert answer.status == 503
    assert answer.headers["retry-after"]
    assert re.search(rf"did not start: .*process \d+ {death} while it loaded", told["error"])
    assert told["crashes"] >= 1
    assert len(re.findall(rf"\[{name}\] .*Booting worker", log)) <= 8


@pytest.mark.parametrize("status", mostly_thorough([1, 3, 4], 3))
def test_an_application_that_ends_its_process_ends_no_other(at, status):
    name = f"ending-{status}"
    at.get(f"/{name}/")
    at.until(lambda: len(at.place(name)["processes"]) == 2)
    before = {process["pid"] for process in at.place(name)["processes"]}
    arbiter = at.place(name)["pid"]
    lost = at.get(f"/{name}/{status}").status
    at.until(lambda: at.place(name)["crashes"] == 1 and at.place(name)["error"] != "")
    told = at.place(name)
    at.until(lambda: f"exited with status {status}" in at.log)
    log = at.log

    [dead] = before - {process["pid"] for process in told["processes"]}
    assert (lost, told["pid"]) == (500, arbiter)
    assert told["error"] == f"process {dead} exited with status {status} with 1 requests at work"
    request = f"{name}: GET /{name}/{status}"
    assert f"{request}: the process {dead} that was at this request has ended" in log


def test_a_killed_process_is_in_the_status_at_once(at):
    killed = at.told("/killed")["pid"]
    at.until(lambda: len(at.place("killed")["processes"]) == 2)
    os.kill(killed, signal.SIGKILL)
    at.until(lambda: at.place("killed")["crashes"] == 1 and at.place("killed")["error"] != "")
    told = at.place("killed")
    at.until(lambda: len(at.place("killed")["processes"]) == 2)

    assert killed not in {process["pid"] for process in told["processes"]}
    assert told["error"].startswith(f"process {killed} died of SIGKILL (out of memory?)")


def test_counts_survive_the_replacement_of_workers(at):
    counts = []
    for _ in range(10):
        assert at.get("/counted").status == 200
        counts.append(at.place("counted")["requests"])
    at.order(do="restart", name="counted")
    at.until(lambda: at.place("counted")["restarts"] == 1)
    # How many requests a process takes once it is to be replaced depends on how busy all are.
    at.until(lambda: at.place("counted")["ended"] >= 2)
    at.order(do="stop", name="counted")
    at.get("/counted")
    told = at.place("counted")

    assert counts == sorted(counts)
    assert (counts[-1], told["requests"], told["crashes"]) == (10, 11, 0)


def test_a_deploy_that_does_not_load_is_told_with_its_cause(at):
    at.told("/deployed")
    put(at.project / "deployed.wsgi", "VERSION = \n")
    at.order(do="restart", name="deployed")
    at.until(lambda: "SyntaxError" in at.place("deployed")["error"])


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
