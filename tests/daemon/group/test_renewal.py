"""Deploys are never lost: whatever asks for new processes while some load is heard after it."""

from __future__ import annotations

import os
import signal
import struct
import time

import pytest

from django_wsgimatch.daemon.board import HEADER, READY
from django_wsgimatch.daemon.group.renewal import Renewal
from django_wsgimatch.daemon.group.worker.changes import LoadedFiles
from django_wsgimatch.daemon.manager.processes import Process
from tests.support.kept_places import SHAPE, kept_place, process
from tests.support.renewals import AGAIN, deployed, put
from tests.thorough import mostly_thorough

WAYS = ["restart", "hup", "touch"]
KEPT = "The processes with the scripts of before are kept."


@pytest.mark.parametrize("way", mostly_thorough(WAYS, "hup"))
def test_a_deploy_while_the_one_before_it_loads_is_served_after_it(tmp_path, way):
    with deployed(tmp_path) as site:
        site.at.told("/blog")
        site.hold()
        site.deploy("2")
        site.restart()
        site.at.until(lambda: site.loads == ["1", "2"])
        site.deploy("3")
        getattr(site, way)()
        site.at.server.wait_for_log(AGAIN)
        site.release()
        site.at.until(lambda: site.at.told("/blog")["version"] == "3")

        assert site.loads == ["1", "2", "3"]


@pytest.mark.parametrize("way", mostly_thorough(WAYS, "touch"))
def test_a_deploy_while_a_broken_one_fails_is_served_after_it(tmp_path, way):
    with deployed(tmp_path) as site:
        site.at.told("/blog")
        site.hold()
        site.deploy("2")
        script = (tmp_path / "app.wsgi").read_text()
        put(tmp_path / "app.wsgi", script + "1 / 0\n")
        site.restart()
        site.at.until(lambda: site.loads == ["1", "2"])
        site.deploy("3")
        put(tmp_path / "app.wsgi", script)
        getattr(site, way)()
        site.at.server.wait_for_log(AGAIN)
        site.release()

        site.at.until(lambda: site.at.told("/blog")["version"] == "3")


@pytest.mark.parametrize("way", mostly_thorough(["restart", "hup"]))
def test_a_deploy_while_a_group_starts_for_the_first_time_is_served_after_it(tmp_path, way):
    with deployed(tmp_path, is_held=True) as site:
        site.at.until(lambda: site.loads == ["1"])
        before = len(site.at.log)
        site.deploy("2")
        getattr(site, way)()
        if way == "hup":
            site.at.until(lambda: "Booting worker" in site.at.log[before:])
        site.release()

        site.at.until(lambda: site.at.told("/blog")["version"] == "2")


def test_the_request_that_notices_a_changed_script_is_answered_by_the_old_version(tmp_path):
    with deployed(tmp_path) as site:
        before = site.at.told("/blog")
        site.hold()
        site.deploy("2")
        os.utime(tmp_path / "app.wsgi")
        answers = [site.at.told("/blog") for _ in range(3)]
        site.at.until(lambda: site.loads == ["1", "2"])
        answers.append(site.at.told("/blog"))
        site.release()
        site.at.until(lambda: site.at.told("/blog")["version"] == "2")

    assert answers == [before] * 4


@pytest.mark.parametrize("way", mostly_thorough(WAYS))
def test_a_script_without_the_callable_that_is_asked_for_takes_no_other_s_place(tmp_path, way):
    with deployed(tmp_path) as site:
        before = site.at.told("/blog")
        put(tmp_path / "app.wsgi", "# It is being written.\n")
        getattr(site, way)()
        site.at.server.wait_for_log(KEPT)
        meanwhile = site.at.told("/blog")

        assert meanwhile == before
        assert "does not contain WSGI application 'application'" in site.at.log


def test_one_touch_loads_once(tmp_path):
    with deployed(tmp_path, processes=2, threads=1) as site:
        site.at.until(lambda: len(site.loads) == 2)
        site.deploy("2")
        os.utime(tmp_path / "app.wsgi")
        site.at.until(lambda: site.at.told("/blog")["version"] == "2")
        site.at.until(lambda: site.at.place("blog")["restarts"] == 1)
        versions = {site.at.told("/blog")["version"] for _ in range(20)}

        assert "2" in versions
        assert site.loads == ["1", "1", "2", "2"]
        assert site.at.place("blog")["restarts"] == 1


def test_one_hup_after_a_deploy_loads_once(tmp_path):
    with deployed(tmp_path, processes=2, threads=1) as site:
        site.at.until(lambda: len(site.loads) == 2)
        site.at.until(lambda: site.at.place("blog")["state"] == "running")
        site.deploy("2")
        site.hup()
        site.at.until(lambda: site.at.place("blog")["restarts"] == 1)

        assert site.loads == ["1", "1", "2", "2"]


def test_what_has_changed_before_the_new_processes_began_is_loaded_by_them():
    renewal = Renewal()
    changed = time.time()
    renewal.begin()

    assert not renewal.is_wanted_for(changed)
    assert renewal.is_wanted_for(time.time() + 1)


def test_a_file_that_changed_while_it_was_loaded_counts_as_changed(tmp_path, monkeypatch):
    module = tmp_path / "module_loaded_slowly.py"
    module.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    files = LoadedFiles()
    began = time.time_ns()
    __import__(module.stem)
    while module.stat().st_ctime_ns <= began:
        module.write_text("VERSION = 2\n")
    files.note(began)

    assert files.changed() == str(module)


@pytest.mark.parametrize(
    ("orders", "sent"),
    [
        pytest.param([signal.SIGUSR2], [signal.SIGUSR2], id="a restart"),
        pytest.param([signal.SIGHUP], [signal.SIGHUP], id="a HUP"),
        pytest.param([signal.SIGUSR2, signal.SIGHUP], [signal.SIGUSR2], id="a restart, then a HUP"),
        pytest.param([signal.SIGHUP, signal.SIGUSR2], [signal.SIGUSR2], id="a HUP, then a restart"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_what_is_ordered_while_a_group_starts_is_told_to_it_once_it_is_ready(
    tmp_path, orders, sent
):
    ready = bytearray(SHAPE.size)
    struct.pack_into("<qqd", ready, HEADER, 4711, READY, 5.0)
    signals = []
    with process() as leader, kept_place(tmp_path, bytes(SHAPE.size), leader) as kept:
        assert kept.current is not None
        kept.current.process = Process(leader.pid, lambda pid, signum: signals.append(signum))
        for signum in orders:
            kept.renew(signum)
        kept.look()
        before = [*signals]
        os.pwrite(kept.current.board, ready, 0)
        kept.look()
        kept.look()

    assert (before, signals) == ([], sent)
