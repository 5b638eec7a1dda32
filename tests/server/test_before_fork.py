"""What is made before a server forks its workers, and what each of them has for itself."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.groups import HOOKS, PLAIN, SCRIPT, Site, site
from tests.support.servers import ENTRY, GRANIAN, GUNICORN, UWSGI, Server, environment, running
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(
    not os.path.exists("/proc/self/smaps_rollup"), reason="only Linux tells what processes share"
)

MANY = 10_000
SETTINGS = """\
from pathlib import Path
from django_wsgimatch import script_alias, script_alias_match

BASE_DIR = Path(__file__).parent
SECRET_KEY = "only for the tests"
INSTALLED_APPS = ["django_wsgimatch"]
WSGIMATCH_FALLBACK = None
WSGIMATCH_ALIASES = [
    script_alias("/first", "app.wsgi"),
    *[script_alias(f"/app{n}", f"/srv/app{n}/wsgi.py") for n in range(AMOUNT)],
    *[script_alias_match(f"^/p{n}/([a-z]+)", f"/srv/p{n}/$1.wsgi") for n in range(AMOUNT // 10)],
    script_alias("/last", "app.wsgi", process_group="%{GLOBAL}", application_group="%{GLOBAL}"),
]
"""
# It says in which process it was loaded, and in which it answers.
LOADED = """\
import json, os

loaded_in = os.getpid()


def application(environ, start_response):
    start_response("200 OK", [])
    return [json.dumps([loaded_in, os.getpid(), VERSION]).encode()]


VERSION = 1
"""


def write(project: Path, amount: int) -> Path:
    project.mkdir()
    (project / "settings.py").write_text(f"AMOUNT = {amount}\n{SETTINGS}")
    (project / "app.wsgi").write_text(LOADED)
    return project


def loaded(server: Server, target: bytes) -> tuple[int, int, int]:
    """Which process has loaded the script that answers, which one answers, and its version."""
    answer = server.get(target)
    assert answer.status == 200, server.log.read_text()
    there, here, version = json.loads(answer.body)
    return there, here, version


def workers(server: Server) -> list[int]:
    pid = server.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def private(pid: int) -> float:
    """The MiB of memory that a process shares with nobody."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    [kib] = [line.split()[1] for line in lines if line.startswith("Private_Dirty:")]
    return int(kib) / 1024


def private_of_worker(project: Path, *options: str) -> float:
    """The MiB that one of two workers has for itself, when it has answered from the table."""
    with running([*GUNICORN, "--workers", "2", *options, ENTRY], project) as server:
        loaded(server, b"/first/x")
        return private(loaded(server, b"/last/x")[1])


def test_workers_share_the_table_that_was_built_before_the_fork(tmp_path):
    few, many = write(tmp_path / "few", 1), write(tmp_path / "many", MANY)

    shared = private_of_worker(many, "--preload") - private_of_worker(few, "--preload")
    own = private_of_worker(many) - private_of_worker(few)

    assert own > 6
    assert shared < 0.4 * own


@pytest.fixture
def preloading(tmp_path: Path) -> Iterator[Server]:
    project = write(tmp_path / "project", 1)
    command = [*GUNICORN, "--preload", "--workers", "2", ENTRY]
    with running(command, project, environment(WSGIMATCH_ALLOW_ROOT="1")) as server:
        yield server
        print(server.log.read_text())


def test_no_application_is_loaded_before_the_fork(preloading):
    there, here, _ = loaded(preloading, b"/last")

    assert there == here
    assert here in workers(preloading)


def test_a_hup_brings_new_scripts_and_says_that_settings_stay(preloading):
    project = preloading.log.parent
    before = workers(preloading)
    (project / "app.wsgi").write_text(LOADED.replace("VERSION = 1", "VERSION = 2"))
    (project / "settings.py").write_text("WSGIMATCH_ALIASES = []\n")

    preloading.process.send_signal(signal.SIGHUP)
    preloading.wait_for_log("With --preload the settings and the table stay as they are")
    preloading.wait_for_log("Worker exiting")

    there, here, version = loaded(preloading, b"/last")
    assert (there, version) == (here, 2)
    assert here not in before


def test_an_application_around_it_is_finished_too(tmp_path):
    project = write(tmp_path / "project", 1)
    (project / "around.py").write_text(
        "from django_wsgimatch.wsgi import application as inner\n\n\n"
        "def application(environ, start_response):\n"
        "    return inner(environ, start_response)\n"
    )
    with running([*GUNICORN, "--preload", "around:application"], project) as server:
        there, here, _ = loaded(server, b"/last")

        assert there == here
        assert [here] == workers(server)


@pytest.mark.parametrize(
    ("command", "is_shared"),
    mostly_thorough(
        [
            pytest.param([*GRANIAN, "--workers", "2", ENTRY], False, id="granian"),
            pytest.param(
                [*UWSGI, "--master", "--processes", "2", "--module", ENTRY], True, id="uwsgi"
            ),
        ]
    ),
)
def test_what_other_servers_load_before_the_fork(tmp_path, command, is_shared):
    with running(command, write(tmp_path / "project", 1)) as server:
        there, here, _ = loaded(server, b"/last")

        assert (there == server.process.pid) is is_shared
        assert (there == here) is not is_shared


@pytest.mark.parametrize(
    "command", mostly_thorough([PLAIN, HOOKS], HOOKS), ids=["gunicorn alone", "our hooks"]
)
def test_groups_answer_behind_workers_that_share_the_table(tmp_path, command):
    with site(tmp_path, command=[*command[:-1], "--preload", command[-1]]) as at:
        told = at.told("/blog")

    assert told["process_group"] == "blog"


def test_a_hup_brings_new_code_to_the_groups_and_keeps_their_options(tmp_path):
    with site(tmp_path, command=[*HOOKS[:-1], "--preload", HOOKS[-1]]) as at:
        told = [at.told("/blog")]
        (at.project / "app.wsgi").write_text(SCRIPT.replace("VERSION = 1", "VERSION = 2"))
        settings = at.project / "settings.py"
        settings.write_text(settings.read_text().replace("'blog'", "'other'"))
        at.hup()
        # The old processes may answer once more after a new one has.
        at.until(lambda: version_of(told, at) == 2)

    newest = told[-1]
    assert (told[0]["version"], newest["process_group"], newest["version"]) == (1, "blog", 2)


def version_of(told: list[dict[str, Any]], at: Site) -> int:
    """Ask once more; return the version of the script that has answered."""
    told.append(at.told("/blog"))
    version: int = told[-1]["version"]
    return version
