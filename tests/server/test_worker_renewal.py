"""gunicorn's own workers, with our configuration: new ones are ready before old ones end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support.groups import HOOKS, Site, site, write_project
from tests.support.servers import failing
from tests.thorough import mostly_thorough

# A fallback that waits for a file as it loads, or raises; the process answers with its id.
FALLBACK = """\
import os, time


def make():
    open(f"loading.{os.getpid()}", "w").close()
    while os.path.exists("hold"):
        time.sleep(0.02)
    if os.path.exists("broken"):
        raise RuntimeError("no fallback")
    return application


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""
SETTINGS = """\
WSGIMATCH_PROCESS_GROUPS = {}
WSGIMATCH_FALLBACK = "fallback.make"
WSGIMATCH_HEALTH_PATH = "/-/"
WSGIMATCH_DRAIN_SECONDS = 0
"""
ONE, TWO = ([*HOOKS[:-1], "--workers", number, HOOKS[-1]] for number in ("1", "2"))
KEPT = "New workers cannot start: Worker failed to boot. The old ones are kept."


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "fallback.py").write_text(FALLBACK)
    return Path(tmp_path)


def serving(project: Path, command: list[str]):
    return site(project, aliases="", more=SETTINGS, command=command)


def answerer(at: Site) -> int:
    return int(at.get("/").body)


def loaders(project: Path) -> set[int]:
    """The workers that have begun to load."""
    return {int(path.suffix[1:]) for path in project.glob("loading.*")}


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_at_a_hup_the_old_worker_serves_until_the_new_one_is_ready(project):
    with serving(project, ONE) as at:
        old = answerer(at)
        (project / "hold").touch()
        at.hup()
        at.until(lambda: loaders(project) > {old})
        meanwhile = {answerer(at) for _ in range(20)}
        (project / "hold").unlink()
        at.until(lambda: answerer(at) != old)
        at.until(lambda: not is_there(old))

    assert meanwhile == {old}


def test_after_a_hup_there_are_as_many_workers_as_before_and_all_are_new(project):
    with serving(project, TWO) as at:
        at.until(lambda: len({answerer(at) for _ in range(20)}) == 2)
        old = loaders(project)
        at.hup()
        at.until(lambda: not any(map(is_there, old)))
        new = {pid for pid in loaders(project) - old if is_there(pid)}
        at.until(lambda: {answerer(at) for _ in range(20)} == new)

    assert len(new) == 2


@pytest.mark.parametrize(
    "command", mostly_thorough([ONE, TWO], ONE), ids=["one worker", "two workers"]
)
def test_at_a_hup_the_old_workers_stay_if_the_new_ones_do_not_load(project, command):
    with serving(project, command) as at:
        answerer(at)
        at.until(lambda: len(loaders(project)) == int(command[-2]))
        old = loaders(project)
        (project / "broken").touch()
        at.hup()
        at.until(lambda: KEPT in at.log)
        kept = {answerer(at) for _ in range(20)}
        (project / "broken").unlink()
        at.hup()
        at.until(lambda: not any(map(is_there, old)))
        new = answerer(at)

    assert kept <= old
    assert new not in old


def test_a_worker_that_cannot_be_replaced_does_not_end_the_others(project):
    with serving(project, TWO) as at:
        at.until(lambda: len({answerer(at) for _ in range(20)}) == 2)
        killed, other = loaders(project)
        (project / "broken").touch()
        os.kill(killed, signal.SIGKILL)
        at.until(lambda: KEPT in at.log)

        assert {answerer(at) for _ in range(20)} == {other}


def test_a_server_none_of_whose_workers_loads_ends(project):
    write_project(project, {}, "", SETTINGS)
    (project / "broken").touch()

    status, log = failing(ONE, project)

    assert status != 0
    assert "RuntimeError: no fallback" in log


def test_a_server_ends_while_its_new_workers_load(project):
    with serving(project, ONE) as at:
        old = answerer(at)
        (project / "hold").touch()
        at.hup()
        at.until(lambda: loaders(project) > {old})
        at.server.process.terminate()
        (project / "hold").unlink()
        status = at.server.process.wait(60)

    assert status == 0
