"""When groups are started: with the server a few at a time, or on demand."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from django_wsgimatch.daemon.manager import kept_place as kept_places
from django_wsgimatch.daemon.manager.keeper import AT_ONCE
from tests.support.groups import ALIASES, PLAIN, Site, site, write_project
from tests.support.health import HEALTH, READY
from tests.support.kept_places import SHAPE, group, kept_place

PRELOADED = (
    'script_alias("/blog", "app.wsgi", process_group="blog", application_group="%{GLOBAL}"),\n'
)
# Loads until another is loading, too, and for as long as there is a file; notes when.
SLOW = """\
import os, time
from pathlib import Path

began, here = time.time(), Path(__file__).parent
with open(here / "began", "a") as file:
    file.write("x")
while (here / "began").stat().st_size < 2 or os.path.exists(f"{__file__}.hold"):
    time.sleep(0.01)
with open(here / "loaded", "a") as file:
    file.write(f"[{began}, {time.time()}]\\n")


def application(environ, start_response):
    start_response("200 OK", [])
    return [b"slow"]
"""
NAMES = [f"g{number}" for number in range(3 * AT_ONCE)]
SLOW_ALIAS = PRELOADED.replace("app.wsgi", "slow.wsgi")
SLOW_ALIASES = ALIASES + "".join(SLOW_ALIAS.replace("blog", name) for name in NAMES[:-1])
SLOW_ALIASES += PRELOADED.replace("app.wsgi", "last.wsgi").replace("blog", NAMES[-1])
SLOW_GROUPS = f"WSGIMATCH_PROCESS_GROUPS |= {{name: {{}} for name in {NAMES!r}}}\n"


def slow_site(path: Path) -> Any:
    """A server with more groups that start with it than may start at once."""
    write_project(path, {}, "")
    for name in ("slow.wsgi", "last.wsgi"):
        (path / name).write_text(SLOW)
    return site(path, aliases=SLOW_ALIASES, more=SLOW_GROUPS)


def wait_for_manager(at: Site) -> None:
    """Wait until the server's worker answers: it has started the manager before."""
    at.get("/nothing")


def states(at: Site) -> list[str]:
    """How the slow groups are."""
    places = at.order(do="status")["places"]
    return [place["state"] for place in places if place["name"] in NAMES]


# The groups of the server that tests share, and those of them with a script to load ahead.
GROUPS = {
    "asked": {},
    "told": {"start": "boot"},
    "ahead": {},
    "waiting": {"start": "demand"},
    "homeless": {"python_home": "/nowhere"},
}
AHEAD = ("ahead", "waiting")
SHARED_ALIASES = f"""\
*(script_alias(f"/{{n}}", "app.wsgi", process_group=n)
  for n in {[name for name in GROUPS if name not in AHEAD]!r}),
*(script_alias(f"/{{n}}", "app.wsgi", process_group=n, application_group="%{{GLOBAL}}")
  for n in {AHEAD}),
"""


@pytest.fixture(scope="module")
def at(tmp_path_factory):
    more = f"WSGIMATCH_PROCESS_GROUPS |= {GROUPS!r}\n"
    with site(tmp_path_factory.mktemp("shared"), aliases=SHARED_ALIASES, more=more) as at:
        wait_for_manager(at)
        yield at


def test_a_group_is_started_by_its_first_request(at):
    before = at.place("asked")
    told = at.told("/asked")
    at.until(lambda: at.place("asked")["state"] == "running")
    after = at.place("asked")

    assert (before["state"], before["processes"]) == ("stopped", [])
    assert [process["pid"] for process in after["processes"]] == [told["pid"]]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("told", id="because it says so"),
        pytest.param("ahead", id="because a script is loaded ahead"),
    ],
)
def test_a_group_is_started_with_the_server(at, name):
    at.until(lambda: at.place(name)["state"] == "running")
    place = at.place(name)

    assert place["requests"] == 0


def test_a_group_with_a_script_to_load_ahead_may_wait_for_its_first_request(at):
    at.until(lambda: at.place("ahead")["state"] == "running")
    before = at.place("waiting")["state"]
    told = at.told("/waiting")

    assert before == "stopped"
    assert told["process_group"] == "waiting"


def test_groups_start_a_few_at_a_time(tmp_path):
    with slow_site(tmp_path) as at:
        wait_for_manager(at)
        at.until(lambda: states(at) == ["running"] * len(NAMES))
        loads = [json.loads(line) for line in (tmp_path / "loaded").read_text().splitlines()]

    at_once = [sum(began <= at <= ended for began, ended in loads) for at, _ in loads]
    assert len(loads) == len(NAMES)
    assert 1 < max(at_once) <= AT_ONCE


def test_scripts_of_the_server_and_asked_groups_answer_while_others_wait_for_their_turn(tmp_path):
    hold = tmp_path / "slow.wsgi.hold"
    hold.touch()
    with slow_site(tmp_path) as at:
        here = at.told("/here")
        while_here = states(at)
        last = at.get(f"/{NAMES[-1]}")
        while_last = states(at)
        hold.unlink()

    assert here["process_group"] == ""
    assert while_here.count("starting") > AT_ONCE
    assert last.status == 200
    assert "starting" in while_last


def test_a_group_that_is_stopped_before_its_turn_waits_for_a_request(tmp_path):
    with slow_site(tmp_path) as at:
        wait_for_manager(at)
        at.order(do="stop", name=NAMES[-1])
        at.until(lambda: states(at)[:-1] == ["running"] * (len(NAMES) - 1))
        state = states(at)[-1]
        answer = at.get(f"/{NAMES[-1]}")

    assert state == "stopped"
    assert answer.status == 200


def test_a_group_that_takes_too_long_to_load_lets_the_next_ones_start(tmp_path, monkeypatch):
    with (
        group() as (leader, _),
        kept_place(tmp_path, bytes(SHAPE.size), leader) as kept,
    ):
        before = kept.is_coming
        monkeypatch.setattr(kept_places, "LONGEST_TURN", 0.0)
        after = kept.is_coming

    assert (before, after) == (True, False)


def test_what_would_keep_a_group_from_starting_is_told_at_the_server_s_start(at):
    log = at.server.wait_for_log("[wsgimatch] homeless cannot be started")
    place = at.place("homeless")
    answer = at.get("/homeless")

    assert "No such file or directory: '/nowhere/bin/python3'" in log
    assert (place["state"], place["processes"]) == ("failed", [])
    assert answer.status == 503


@pytest.mark.parametrize(
    ("start", "status"),
    [pytest.param("boot", 503, id="with the server"), pytest.param("demand", 200, id="on demand")],
)
def test_a_server_whose_group_cannot_start_is_ready_if_it_starts_on_demand(tmp_path, start, status):
    options = {"python_home": "/nowhere", "start": start}
    with site(tmp_path, options, more=HEALTH) as at:
        wait_for_manager(at)
        at.until(lambda: at.place("blog")["state"] == "failed")
        at.until(lambda: at.place("other")["state"] == "running")
        ready = at.get(READY)

    assert ready.status == status
    assert (b"process group 'blog'" in ready.body) == (start == "boot")


def test_a_group_that_has_failed_is_tried_again_with_the_next_definition(tmp_path):
    with site(tmp_path, {"environment": {"PYTHONIOENCODING": "no-such"}}) as at:
        before = at.get("/blog").status
        write_project(tmp_path, {"blog": {}, "other": {}}, ALIASES)
        at.server.process.send_signal(signal.SIGHUP)
        at.until(lambda: at.place("blog")["state"] in ("running", "stopped"))
        after = at.get("/blog").status

    assert (before, after) == (503, 200)


def test_a_server_that_starts_nothing_ahead_has_no_process_of_a_group(tmp_path):
    with site(tmp_path, command=[*PLAIN[:-1], "--workers", "1", PLAIN[-1]]) as at:
        at.told("/here")
        at.until(lambda: bool(at.order(do="status")["places"]))
        places = at.order(do="status")["places"]

    assert {place["name"]: place["state"] for place in places} == {
        "blog": "stopped",
        "other": "stopped",
    }
