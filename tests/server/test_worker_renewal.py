"""gunicorn's own workers, with our configuration: new ones are ready before old ones end."""

from __future__ import annotations

import functools
import os
import signal
from contextlib import ExitStack
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
    return made(tmp_path)


def made(folder: Path) -> Path:
    (folder / "fallback.py").write_text(FALLBACK)
    return folder


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """The servers that tests share, by how many workers they have; each is as new after a test."""
    with ExitStack() as stack:

        @functools.cache
        def served(workers: int) -> Site:
            project = made(tmp_path_factory.mktemp("shared"))
            command = ONE if workers == 1 else TWO
            at: Site = stack.enter_context(serving(project, command))
            return at

        yield served


@pytest.fixture
def served(servers):
    """The server with so many workers, all of which have loaded, and its log from now on."""

    def server(workers: int) -> Site:
        at: Site = servers(workers)
        at.until(lambda: len(loaders(at.project)) == workers)
        at.skip_log()
        return at

    return server


def serving(project: Path, command: list[str]):
    return site(project, aliases="", more=SETTINGS, command=command)


def answerer(at: Site) -> int:
    return int(at.get("/").body)


def loaders(project: Path) -> set[int]:
    """The workers that have begun to load, and have not ended."""
    return {*filter(is_there, (int(path.suffix[1:]) for path in project.glob("loading.*")))}


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_at_a_hup_the_old_worker_serves_until_the_new_one_is_ready(served):
    at = served(1)
    old = answerer(at)
    (at.project / "hold").touch()
    at.hup()
    at.until(lambda: loaders(at.project) > {old})
    meanwhile = {answerer(at) for _ in range(20)}
    (at.project / "hold").unlink()
    at.until(lambda: answerer(at) != old)
    at.until(lambda: not is_there(old))

    assert meanwhile == {old}


def test_after_a_hup_there_are_as_many_workers_as_before_and_all_are_new(served):
    at = served(2)
    at.until(lambda: len({answerer(at) for _ in range(20)}) == 2)
    old = loaders(at.project)
    at.hup()
    at.until(lambda: not any(map(is_there, old)))
    new = loaders(at.project)
    at.until(lambda: {answerer(at) for _ in range(20)} == new)

    assert len(new) == 2


@pytest.mark.parametrize("workers", mostly_thorough([1, 2], 1), ids=["one worker", "two workers"])
def test_at_a_hup_the_old_workers_stay_if_the_new_ones_do_not_load(served, workers):
    at = served(workers)
    answerer(at)
    old = loaders(at.project)
    (at.project / "broken").touch()
    at.hup()
    at.until(lambda: KEPT in at.log)
    kept = {answerer(at) for _ in range(20)}
    (at.project / "broken").unlink()
    at.hup()
    at.until(lambda: not any(map(is_there, old)))
    new = answerer(at)

    assert kept <= old
    assert new not in old


def test_a_worker_that_cannot_be_replaced_does_not_end_the_others(served):
    at = served(2)
    at.until(lambda: len({answerer(at) for _ in range(20)}) == 2)
    killed, other = loaders(at.project)
    (at.project / "broken").touch()
    os.kill(killed, signal.SIGKILL)
    at.until(lambda: KEPT in at.log)
    left = {answerer(at) for _ in range(20)}
    (at.project / "broken").unlink()
    at.hup()
    at.until(lambda: not is_there(other))

    assert left == {other}


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
