"""Groups that a warm parent has forked: each is as one that was started by itself."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.groups import Site, site
from tests.support.rooted import (
    OTHER,
    SERVER,
    TENANT,
    Process,
    needs_root,
    served,
    uid,
    write_project,
)

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self"), reason="looks into /proc")

PACKAGE = "django_wsgimatch"
# A script that tells what its process has been given, and what it has by chance.
SCRIPT = """\
import gc, json, locale, os, random, resource, signal, sys, tempfile, threading, time, uuid


def application(environ, start_response):
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    masks = {name: status[name].strip() for name in ("SigBlk", "SigIgn", "SigCgt", "NoNewPrivs")}
    files = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            files[int(name)] = os.readlink(f"/proc/self/fd/{name}").partition(":")[0][-6:]
        except OSError:
            pass
    own = os.path.dirname(environ["SCRIPT_FILENAME"])
    told = {
        "masks": masks,
        "files": sorted(kind for number, kind in files.items() if number < 6),
        "variables": {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        "path": sys.path,
        "arguments": sys.argv,
        "modules": sorted(name for name in sys.modules if not name.startswith("_mod_wsgi")),
        "threads": [thread.name for thread in threading.enumerate()][:1],
        "limits": [resource.getrlimit(n) for n in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)],
        "cwd": os.getcwd(),
        "zone": time.tzname,
        "locale": locale.setlocale(locale.LC_ALL),
        "streams": [sys.stdout.encoding, sys.stdout.errors, sys.stdin.read()],
        "switch_interval": sys.getswitchinterval(),
        "buffering": [stream.line_buffering for stream in (sys.stdout, sys.stderr)],
        "nice": os.nice(0),
        "frozen": gc.get_freeze_count() > 0,
    }
    chance = {
        "random": random.random(),
        "other": random.Random().random(),
        "name": next(tempfile._get_candidate_names()),
        "uuid": str(uuid.uuid4()),
        "token": os.urandom(8).hex(),
        "marks": sorted(name for name in vars(sys) if name.startswith("mark_")),
    }
    setattr(sys, "mark_" + environ["mod_wsgi.process_group"], True)
    ids = [os.getpid(), os.getppid(), os.getsid(0)]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"told": told, "chance": chance, "ids": ids}).encode()]
"""


def words_of(pid: int) -> list[str]:
    """A process's command line, as lists of processes show it."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return [word for word in Path(f"/proc/{pid}/cmdline").read_text().split("\0") if word]
    return []


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_warm_parent(pid: int) -> bool:
    return [word.strip() for word in words_of(pid)[-1:]] == ["(wsgi:parent)"]


def warm_parents(at: Site) -> list[int]:
    return [pid for pid in at.processes() if is_warm_parent(pid)]


def forked(at: Site, name: str) -> dict[str, Any]:
    """What the script says in a group, once a warm parent has forked it."""
    told: dict[str, Any] = {}

    def is_forked() -> bool:
        told.update(json.loads(at.get(f"/{name}").body))
        if is_warm_parent(parent_of(told["ids"][1])):
            return True
        at.order(do="stop", name=name)
        return False

    at.until(is_forked, 30)
    return told


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("app.wsgi", "other.wsgi"):
        (tmp_path / name).write_text(SCRIPT)
    return tmp_path


def test_a_forked_group_is_as_one_that_was_started_by_itself(project):
    options = {"switch_interval": 0.01, "open_files_limit": 500, "home": str(project)}
    # A variable that Python reads at its start: no other group's parent can fork this one.
    alone = {**options, "environment": {"PYTHONALONE": "1"}}
    more = f"WSGIMATCH_PROCESS_GROUPS |= {{'other': {options!r}, 'third': {{}}}}\n"
    with site(project, alone, more=more) as at:
        by_itself = json.loads(at.get("/blog").body)
        is_alone = not is_warm_parent(parent_of(by_itself["ids"][1]))
        by_parent = forked(at, "other")

    assert is_alone
    modules = {*by_parent["told"].pop("modules")} - {*by_itself["told"].pop("modules")}
    assert {name.split(".")[0] for name in modules} <= {*sys.stdlib_module_names, PACKAGE}
    assert by_parent["told"] == by_itself["told"]


def test_forked_groups_share_nothing_by_chance(project):
    with site(project) as at:
        one, other = forked(at, "blog"), forked(at, "other")

    # Each has an arbiter, a session and a process of its own.
    assert len({*one["ids"], *other["ids"]}) == 4
    same = [name for name, value in one["chance"].items() if other["chance"][name] == value]
    assert same == ["marks"]
    assert one["chance"]["marks"] == []


def test_a_forked_group_is_shown_by_its_name(project):
    with site(project) as at:
        told = forked(at, "blog")
        words = [words_of(pid) for pid in told["ids"][:2]]

    assert [line[-1] for line in words] == ["(wsgi:blog)"] * 2
    assert [len(line) for line in words] == [3] * 2


def test_a_forked_group_is_restarted_and_stopped_alone(project):
    with site(project) as at:
        one, other = forked(at, "blog"), forked(at, "other")
        at.order(do="restart", name="blog")
        at.until(lambda: json.loads(at.get("/blog").body)["ids"][0] != one["ids"][0])
        renewed = json.loads(at.get("/blog").body)
        at.order(do="stop", name="blog")
        at.until(lambda: not os.path.exists(f"/proc/{one['ids'][1]}"))
        same = json.loads(at.get("/other").body)

    assert renewed["ids"][1] == one["ids"][1]
    assert same["ids"] == other["ids"]


def test_what_a_forked_group_leaves_behind_ends_with_it(project):
    script = SCRIPT.replace("    setattr(sys", "    SPAWN; setattr(sys").replace(
        "SPAWN", "__import__('subprocess').Popen(['sleep', '1000'], start_new_session=True)"
    )
    (project / "app.wsgi").write_text(script)
    with site(project) as at:
        forked(at, "blog")
        before = sleepers(at)
        at.order(do="stop", name="blog")
        at.until(lambda: not sleepers(at))

    assert before


def sleepers(at: Site) -> list[int]:
    return [pid for pid in at.processes() if words_of(pid)[:1] == ["sleep"]]


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_groups_of_a_parent_that_was_killed_are_back(project, signum):
    with site(project) as at:
        told = forked(at, "blog")
        os.kill(parent_of(told["ids"][1]), signum)
        at.until(lambda: not os.path.exists(f"/proc/{told['ids'][1]}"))
        at.until(lambda: at.place("blog")["state"] == "running")
        after = json.loads(at.get("/blog").body)

    assert after["ids"][1] != told["ids"][1]


def test_a_parent_that_was_stopped_keeps_nobody_waiting_for_long(project):
    with site(project, more="WSGIMATCH_PROCESS_GROUPS['third'] = {}\n") as at:
        told = forked(at, "blog")
        os.kill(parent_of(told["ids"][1]), signal.SIGSTOP)
        answer = at.get("/other")
        after = at.get("/blog")

    assert (answer.status, after.status) == (200, 200)


def test_a_parent_ends_with_a_manager_that_was_killed(project):
    with site(project) as at:
        told = forked(at, "blog")
        parent = parent_of(told["ids"][1])
        os.kill(at.order(do="status")["pid"], signal.SIGKILL)
        at.until(lambda: not os.path.exists(f"/proc/{parent}"))
        answer = at.get("/blog")

    assert answer.status == 200


def test_a_single_group_has_no_parent(tmp_path):
    (tmp_path / "app.wsgi").write_text(SCRIPT)
    alone = {"environment": {"PYTHONALONE": "1"}}
    with site(tmp_path, alone) as at:
        at.get("/blog")
        at.get("/other")
        parents = warm_parents(at)

    assert parents == []


@needs_root
def test_a_parent_runs_as_its_groups_user_and_has_no_rights_of_root_s(root_s_home):
    groups = {name: {"user": TENANT} for name in ("a", "b")} | {"c": {"user": OTHER}, "plain": {}}
    with served(write_project(root_s_home, "warm", groups), waits_for="plain") as site:
        site.until(lambda: any(map(is_parent, site.processes())))
        users = [site.told(name) for name in groups]
        found = [each for each in site.processes() if is_parent(each)]
        status = Path(f"/proc/{found[0].pid}/status").read_text()
        is_started_by_root = parent_of(found[0].pid) == site.starter()

    assert users == [uid(TENANT), uid(TENANT), uid(OTHER), uid(SERVER)]
    assert [each.user for each in found] == [uid(TENANT)]
    assert is_started_by_root
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status


def is_parent(process: Process) -> bool:
    return process.words[-1].strip() == "(wsgi:parent)" if process.words else False
