"""Application groups as sub interpreters, under a real gunicorn on a Python that has them."""

from __future__ import annotations

import re
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from django_wsgimatch.daemon.front.link import Link
from django_wsgimatch.daemon.group.worker.interpreters import Interpreters, SubInterpreter
from django_wsgimatch.daemon.group.worker.nesting import refusal_of_interpreters
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.daemon.wire.protocol import (
    REFUSED,
    TOKEN_SIZE,
    encode_request,
    frame,
)
from django_wsgimatch.exceptions import DaemonError
from tests.support.forging import asked
from tests.support.groups import PLAIN, site
from tests.support.wsgi import make_environ

NEEDS_3_13 = pytest.mark.skipif(
    sys.version_info < (3, 13), reason="Django runs in sub interpreters from Python 3.13 on"
)
ALIASES = """\
script_alias("/here", "app.wsgi"),
script_alias("/red", "app.wsgi", application_group="red"),
script_alias("/blue", "app.wsgi", application_group="blue"),
script_alias("/blog", "app.wsgi", process_group="blog"),
script_alias("/blog-red", "app.wsgi", process_group="blog", application_group="red"),
script_alias("/blog-blue", "app.wsgi", process_group="blog", application_group="blue"),
"""


@pytest.mark.parametrize(
    ("version", "words"),
    [
        pytest.param((3, 12), "the group's is 3.12", id="too old"),
        pytest.param((3, 13), "None", id="the first one"),
        pytest.param((3, 14), "None", id="a newer one"),
    ],
)
def test_a_group_s_python_must_be_new_enough(version, words):
    assert words in str(refusal_of_interpreters(version))


class Counted(Interpreters):
    """Interpreters that are only counted."""

    def _make(self, name, environ):
        return SubInterpreter(len(self._running), socket.socket(), Link(name, bytes, bool))


def test_clients_have_so_many_interpreters_made():
    made = Counted("interpreter", packages={}, most=2)
    chosen = [Place("", name, "host", is_chosen=True) for name in ("a", "b", "c", "a")]
    named = [Place("", name) for name in ("a", "d")]

    paths = [made.link(place, {}).path for place in (*chosen[:2], *named, chosen[3])]
    with pytest.raises(DaemonError, match="maximum_application_groups allows, 2") as refused:
        made.link(chosen[2], {})
    for running in made._running.values():
        running.listener.close()
    made._running.clear()

    assert paths == ["a", "b", "a", "d", "a"]
    assert refused.value.status == 503


@NEEDS_3_13
@pytest.mark.parametrize("backend", ["interpreter", "interpreter-own-gil"])
def test_application_groups_share_a_process_and_no_module(tmp_path, backend):
    more = f"WSGIMATCH_APPLICATION_GROUP_BACKEND = {backend!r}\n"

    with site(tmp_path, aliases=ALIASES, more=more, command=PLAIN) as at:
        told = {name: at.told(f"/{name}") for name in ("here", "red", "blue", "blog-red", "blog")}

    assert told["red"]["pid"] == told["blue"]["pid"] == told["here"]["pid"]
    assert told["blog-red"]["pid"] == told["blog"]["pid"] != told["here"]["pid"]
    assert [told[name]["application_group"] for name in ("red", "blue")] == ["red", "blue"]


@NEEDS_3_13
@pytest.mark.parametrize("backend", ["interpreter", "interpreter-own-gil"])
def test_many_requests_to_interpreters(tmp_path, backend):
    more = f"WSGIMATCH_APPLICATION_GROUP_BACKEND = {backend!r}\n"
    # On a busy machine all may ask one place.
    more += "WSGIMATCH_THREADS_PER_PLACE = None\n"
    names = ["red", "blue", "blog-red", "blog-blue"] * 100

    with site(tmp_path, aliases=ALIASES, more=more, command=PLAIN) as at:
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(at.told, [f"/{name}" for name in names]))
        at.hup()
        again = at.told("/red")

    groups = [f"{t['process_group']}-{t['application_group']}".removeprefix("-") for t in told]
    assert groups == names
    assert again["application_group"] == "red"


@NEEDS_3_13
def test_an_interpreter_runs_nothing_for_a_process_of_the_same_user(tmp_path):
    more = "WSGIMATCH_APPLICATION_GROUP_BACKEND = 'interpreter'\n"

    with site(tmp_path, aliases=ALIASES, more=more, command=PLAIN) as at:
        pid = at.told("/red")["pid"]
        # The connections at it have its name, too.
        listed = Path("/proc/net/unix").read_text()
        [path] = {*re.findall(rf"@(wsgimatch-{pid}-\S+)", listed)}
        names = {"SCRIPT_FILENAME": str(tmp_path / "app.wsgi")}
        environ = {**make_environ(), **names, "mod_wsgi.callable_object": "application"}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(f"\0{path}")
            connection.sendall(encode_request(environ, {}, 1, 0.0, 0, bytes(TOKEN_SIZE)))
            said = connection.recv(100)
        well = at.told("/red")["pid"]

    assert (said, well) == (frame(REFUSED), pid)


@NEEDS_3_13
def test_an_interpreter_of_a_group_loads_only_the_group_s_own_scripts(tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere.wsgi").write_text("import os\nos._exit(5)\n")
    more = "WSGIMATCH_APPLICATION_GROUP_BACKEND = 'interpreter'\n"

    with site(tmp_path / "project", aliases=ALIASES, more=more, command=PLAIN) as at:
        at.told("/blog-red")
        names = {"mod_wsgi.process_group": "blog", "mod_wsgi.application_group": "red"}
        inside, outside = [
            asked(at, "blog", script, **names) for script in ("app.wsgi", "../elsewhere.wsgi")
        ]

    assert b"200 OK" in inside
    assert outside[5:8] == b"403"
