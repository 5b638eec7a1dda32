"""
The corpus's questions about groups, put to a real manager: each script runs in its own place.

A place's processes are started for it, as for a server; all cases share one manager.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from django_wsgimatch.daemon.definition import Definition
from django_wsgimatch.daemon.front.front import Places
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.servers.own_python import own_packages, own_python
from django_wsgimatch.daemon.servers.owner import Owner, start_time
from django_wsgimatch.daemon.wire.control import give_order
from django_wsgimatch.dispatcher import Dispatcher
from tests.conformance.corpus_cases import (
    CASES,
    HOST,
    OUT_OF_REACH,
    Case,
    Sites,
    asked,
    headers_of,
    questions,
    text,
)
from tests.support.serving import no_content, serve
from tests.support.trees import PROBE, build_tree, open_directory

TAGS = {"process-group", "application-group", "env-group", "server-group"}
CASES_OF_PLACES = [case for case in CASES if case["tag"] in TAGS and case["id"] not in OUT_OF_REACH]

# The probe says where it runs, too.
PLACED = PROBE.replace("import json", "import json, os").replace(
    "        body =",
    '        said |= {"pid": os.getpid()}\n'
    '        said |= {name: environ["mod_wsgi." + name] for name in\n'
    '                 ("process_group", "application_group")}\n'
    "        body =",
)


class PlacedSites(Sites):
    """The corpus's tables, their applications in the places that the aliases name."""

    def __init__(self, directory: Path, places: Places) -> None:
        super().__init__(directory)
        self.places = places

    def dispatcher(self, case: Case) -> Dispatcher:
        name = case["table"]["name"]
        if name not in self.dispatchers:
            site = self.site(case)
            scripts = [path for path in case["table"]["tree"] if not path.endswith("/")]
            build_tree(self.root(case), [{"path": path, "text": PLACED} for path in scripts])
            self.dispatchers[name] = Dispatcher(
                site.table.for_host(HOST),
                no_content,
                rules=site.configuration.rules,
                reload_interval=0,
                server_name=HOST,
                server_ports=None,
                places=self.places,
            )
        return self.dispatchers[name]

    def processes(self, process_group: str, application_group: str) -> list[int]:
        """The ids of the processes of a place; this process's own for the worker."""
        if (process_group, application_group) == ("", ""):
            return [os.getpid()]
        told = give_order(self.places.directory.manager, {"do": "status"})["places"]
        wanted = {"process_group": process_group, "application_group": application_group}
        # Names of two kinds may be the same: they are two places.
        found = [place for place in told if place.items() >= wanted.items()]
        return [process["pid"] for place in found for process in place["processes"]]


@contextmanager
def owner() -> Iterator[Owner]:
    """A process that a manager takes for its server; the manager ends with it."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        try:
            yield Owner(process.pid, start_time(process.pid) or "")
        finally:
            process.kill()


@pytest.fixture(scope="module")
def sites() -> Iterator[PlacedSites]:
    sockets = Path(tempfile.mkdtemp(prefix="wm"))
    with open_directory() as directory, owner() as server:
        places = Places(definition(), str(sockets / "run"), server)
        places.open()
        yield PlacedSites(directory, places)
        places.close()
    wait_until_empty(sockets)
    shutil.rmtree(sockets)


def definition() -> Definition:
    """What the corpus's WSGIDaemonProcess lines say."""
    return Definition(
        time=time.time(),
        python=own_python(),
        packages=own_packages(),
        sys_path=tuple(sys.path),
        directory="/",
        groups={name: GroupOptions(threads=2) for name in ("dp1", "dp2")},
    )


def wait_until_empty(folder: Path) -> None:
    deadline = time.monotonic() + 15
    while any(folder.iterdir()):
        assert time.monotonic() < deadline, "The manager goes on without its server."
        time.sleep(0.02)


def ask(case: Case, sites: PlacedSites) -> dict[str, Any]:
    variables = sites.site(case).configuration.environment_of(headers_of(case))
    return serve(sites.dispatcher(case), asked(case).to(HOST), headers_of(case), variables)


@questions(case for case in CASES_OF_PLACES if case["observed"]["script"] is not None)
def test_a_script_runs_in_the_place_that_mod_wsgi_would_run_it_in(
    case: Case, sites: PlacedSites
) -> None:
    observed = case["observed"]
    place = observed["process_group"], str(text(observed["application_group"]))

    first, second = ask(case, sites), ask(case, sites)

    assert second == first
    assert first.pop("pid") in sites.processes(*place)
    assert first == {
        "status": 200,
        "file": f"{sites.root(case)}/{observed['script']}",
        "callable": observed.get("callable", "application"),
        "SCRIPT_NAME": observed["script_name"],
        "PATH_INFO": observed["path_info"],
        "QUERY_STRING": observed["query_string"],
        "HTTP_AUTHORIZATION": observed.get("authorization"),
        "process_group": place[0],
        "application_group": place[1],
    }


@questions(
    case
    for case in CASES_OF_PLACES
    if case["observed"].get("matched") and case["observed"]["script"] is None
)
def test_a_request_without_a_script_or_place_is_refused_as_by_mod_wsgi(
    case: Case, sites: PlacedSites
) -> None:
    answer = ask(case, sites)

    assert answer == {"status": case["observed"]["status"]}
