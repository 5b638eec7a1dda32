"""Modules as scripts under a real gunicorn: in its worker, in groups, and in other Pythons."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.forging import asked
from tests.support.groups import PLAIN, other_pythons, site, version_of
from tests.support.renewals import put
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self"), reason="looks into /proc")

INIT = "from .version import VERSION\n"
APP = """\
import json, os, sys
from . import VERSION
from .parts.name import NAME

def application(environ, start_response):
    if environ["PATH_INFO"] == "/settings":
        NAMES = [os.environ.get("DJANGO_SETTINGS_MODULE")]
    told = {name: environ[name] for name in ("SCRIPT_FILENAME", "SCRIPT_NAME", "PATH_INFO")}
    told |= {name: environ[f"mod_wsgi.{name}"] for name in (
        "process_group", "application_group", "callable_object"
    )}
    told |= {"version": VERSION, "name": NAME, "pid": os.getpid(), "made": MADE}
    told["python"] = "%d.%d" % sys.version_info[:2]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]

MADE = 0

def make():
    global MADE
    MADE += 1
    return application
"""
PLACES = """\
script_alias("/here", "shop.web.app:application"),
script_alias("/blog", "shop.web.app:application", process_group="blog"),
script_alias("/made", "shop.web.app:make()", process_group="blog"),
script_alias("/red", "shop.web.app:application", application_group="red"),
script_alias("/other", "other.wsgi", process_group="other"),
"""


def write_package(folder: Path) -> Path:
    """Write a package whose application is in a package of it, and imports from both."""
    web = folder / "shop" / "web"
    (web / "parts").mkdir(parents=True)
    (folder / "shop" / "__init__.py").touch()
    (web / "__init__.py").write_text(INIT)
    (web / "version.py").write_text("VERSION = 1\n")
    (web / "parts" / "name.py").write_text("NAME = 'shop'\n")
    (web / "app.py").write_text(APP)
    return web / "app.py"


def edit(file: Path, text: str) -> None:
    put(file, textwrap.dedent(text))


def test_modules_answer_wherever_scripts_do(tmp_path):
    app = write_package(tmp_path)

    with site(tmp_path, {"python_path": [str(tmp_path)]}, aliases=PLACES) as at:
        told = {name: at.told(f"/{name}/a/b?c") for name in ("here", "blog", "made", "red")}

    names = ("SCRIPT_NAME", "PATH_INFO", "process_group", "application_group", "callable_object")
    assert {name: [each[key] for key in names] for name, each in told.items()} == {
        "here": ["/here", "/a/b", "", "", "application"],
        "blog": ["/blog", "/a/b", "blog", "", "application"],
        "made": ["/made", "/a/b", "blog", "", "make()"],
        "red": ["/red", "/a/b", "", "red", "application"],
    }
    assert {each["SCRIPT_FILENAME"] for each in told.values()} == {str(app)}
    assert {each["name"] for each in told.values()} == {"shop"}
    assert [told[name]["made"] for name in ("made", "red")] == [1, 0]
    assert told["blog"]["pid"] == told["made"]["pid"]
    assert len({each["pid"] for each in told.values()}) == 3


def test_a_group_finds_a_module_in_its_own_python(tmp_path):
    python = next(iter(other_pythons()), None)
    if python is None:
        pytest.skip("there is no other Python from 3.10 on")
    subprocess.run([python, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    [packages] = (tmp_path / "venv" / "lib").glob("python3.*/site-packages")
    app = write_package(packages)
    (tmp_path / "project").mkdir()
    aliases = PLACES.replace('script_alias("/here"', 'script_alias("/none"')

    with site(tmp_path / "project", {"python_home": str(tmp_path / "venv")}, aliases=aliases) as at:
        told = at.told("/blog/x")
        status = at.get("/none").status
        log = at.log

    assert (told["python"], told["SCRIPT_FILENAME"]) == (version_of(python), str(app))
    assert status == 500
    assert "Target WSGI module 'shop.web.app' not found: there is no 'shop' on sys.path." in log


def test_processes_are_renewed_for_a_changed_module_and_the_old_serve_until_it_loads(tmp_path):
    app = write_package(tmp_path)
    options = {"python_path": [str(tmp_path)]}

    with site(
        tmp_path, options, aliases=PLACES, more="WSGIMATCH_SCRIPT_RELOAD_INTERVAL = 0\n"
    ) as at:
        first = at.told("/blog")
        at.told("/made")
        edit(app, "raise RuntimeError('not yet')\n")
        at.told("/blog")
        at.until(lambda: "not yet" in at.log)
        meanwhile = at.told("/blog")
        put(app.parent / "version.py", "VERSION = 2222\n")
        edit(app, APP)
        at.until(lambda: at.told("/blog")["version"] == 2222)
        then = at.told("/made")

    assert (first["version"], meanwhile["pid"]) == (1, first["pid"])
    assert then["pid"] != first["pid"]
    # It was made with the process, before anybody asked for it.
    assert then["made"] == 1


def test_the_server_s_own_process_runs_a_changed_module_anew_and_no_other(tmp_path):
    app = write_package(tmp_path)

    with site(tmp_path, aliases=PLACES, more="WSGIMATCH_SCRIPT_RELOAD_INTERVAL = 0\n") as at:
        first = at.told("/here")
        put(app.parent / "version.py", "VERSION = 2222\n")
        edit(app, APP + "\nMADE = 'anew'\n")
        second = at.told("/here")

    assert (second["pid"], second["made"], second["version"]) == (first["pid"], "anew", 1)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A site whose group blog has loaded a module."""
    folder = tmp_path_factory.mktemp("shop")
    write_package(folder)
    aliases = PLACES.replace('script_alias("/other"', 'script_alias("/x"')
    with site(folder, {"python_path": [str(folder)]}, aliases=aliases) as at:
        at.told("/blog")
        yield at


@pytest.mark.parametrize(
    ("target", "status"),
    [
        pytest.param("shop.web.app:application", b"200", id="of an entry of its own"),
        pytest.param("shop.web.app:make", b"403", id="another name in the same module"),
        pytest.param("os:getcwd()", b"403", id="one of Python's own"),
        pytest.param("settings:WSGIMATCH_ALIASES", b"403", id="the settings"),
        pytest.param("shop.web.app", b"403", id="no name"),
    ],
)
def test_a_group_answers_with_the_modules_of_its_own_entries(shop, target, status):
    said = asked(shop, "blog", "", SCRIPT_FILENAME=target)

    assert status in said[:40]


def test_another_tenant_s_module_is_refused(tmp_path):
    """Both groups could import it; the entry names one."""
    write_package(tmp_path)
    options = {"python_path": [str(tmp_path)]}
    more = f"WSGIMATCH_PROCESS_GROUPS['other'] = {options!r}\n"

    with site(tmp_path, options, aliases=PLACES, more=more) as at:
        at.told("/blog")
        at.get("/other")
        said = asked(at, "other", "", SCRIPT_FILENAME="shop.web.app:application")

    assert said[5:8] == b"403"


@pytest.mark.parametrize(
    "mode", mostly_thorough([0o644, 0o664]), ids=["its owner's alone", "its group's too"]
)
def test_script_user_is_that_of_the_module_s_file(tmp_path, mode):
    app = write_package(tmp_path)
    app.chmod(mode)
    options = {"python_path": [str(tmp_path)], "script_user": os.geteuid()}

    with site(tmp_path, options, aliases=PLACES) as at:
        statuses = [at.get("/blog").status for _ in range(2)]
        log = at.log

    assert statuses == ([200, 200] if mode == 0o644 else [403, 403])
    assert (f"WSGI script file is writable to group: {str(app)!r}." in log) == (mode != 0o644)


@pytest.mark.skipif(
    sys.version_info < (3, 13), reason="sub interpreters are for Python 3.13 and newer"
)
@pytest.mark.parametrize("backend", ["interpreter", "interpreter-own-gil"])
def test_modules_in_sub_interpreters(tmp_path, backend):
    app = write_package(tmp_path)
    aliases = (
        PLACES
        + """\
script_alias("/inner", "shop.web.app:make()", process_group="blog", application_group="in"),
"""
    )
    more = f"WSGIMATCH_APPLICATION_GROUP_BACKEND = {backend!r}\n"
    more += "WSGIMATCH_SCRIPT_RELOAD_INTERVAL = 0\n"

    with site(
        tmp_path, {"python_path": [str(tmp_path)]}, aliases=aliases, more=more, command=PLAIN
    ) as at:
        told = {name: at.told(f"/{name}") for name in ("here", "red", "blog", "inner")}
        names = {"mod_wsgi.application_group": "in", "SCRIPT_FILENAME": "os:getcwd()"}
        forged = asked(at, "blog", "", **names)
        edit(app, APP + "\nMADE = 7\n")
        at.until(lambda: at.told("/inner")["made"] == 8)

    assert told["red"]["pid"] == told["here"]["pid"]
    assert told["inner"]["pid"] == told["blog"]["pid"]
    assert {each["SCRIPT_FILENAME"] for each in told.values()} == {str(app)}
    assert [told[name]["made"] for name in ("blog", "inner")] == [0, 1]
    assert forged[5:8] == b"403"


def test_a_module_is_loaded_ahead_and_its_application_made_where_a_script_would_be(tmp_path):
    app = write_package(tmp_path)
    with app.open("a") as file:
        file.write("\n\ndef fail():\n    raise RuntimeError('made ahead')\n")
    aliases = """\
script_alias("/here", "shop.web.app:application"),
script_alias(
    "/b", "shop.web.app:fail()", process_group="blog", application_group="%{GLOBAL}"
),
"""

    with site(tmp_path, {"python_path": [str(tmp_path)]}, aliases=aliases) as at:
        at.told("/here")
        at.until(lambda: "RuntimeError: made ahead" in at.log)

    assert "Target WSGI module 'shop.web.app' has 'fail()', which should return the" in at.log
