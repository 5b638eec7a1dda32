"""While developing, an edit of a group's project is served as an edit of the server's own is."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sys
import time
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import pytest

from django_wsgimatch.daemon.definition import Definition
from django_wsgimatch.daemon.group.renewal import Renewal
from django_wsgimatch.daemon.group.worker.changes import LoadedFiles
from django_wsgimatch.daemon.group.worker.watching import FailedLoad, Watch, files_of
from django_wsgimatch.daemon.group_spec import GroupSpec
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.daemon.servers.owner import watch_of_gunicorn, watch_of_this_server
from tests.support.groups import HOOKS, PLAIN, site, sockets_of, wait_until
from tests.support.raw_http import fetch
from tests.support.renewals import put
from tests.support.servers import GUNICORN_S_VERSION, PYTHON, address, environment, running
from tests.support.small_projects import DjangoProject, SmallSite, write_site
from tests.thorough import mostly_thorough

SCRIPT = """\
import json, os, sys
from pathlib import Path
{imports}


def application(environ, start_response):
    {late}
    told = {{"version": part.VERSION, "pid": os.getpid()}}
    told["process_group"] = environ["mod_wsgi.process_group"]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
"""
AT_ONCE = {"imports": "import part", "late": "pass"}
LATE = {"imports": "", "late": "import part"}
# As Django's own set-up: what has failed once cannot be done again in the same process.
ONCE = {
    "imports": "assert not hasattr(sys, 'tried')\nsys.tried = True\nimport part",
    "late": "pass",
}
BOOT = 'script_alias("/blog", "app.wsgi", process_group="blog", application_group="%{GLOBAL}"),\n'
ALIASES = f'{BOOT}script_alias("/other", "other.wsgi", process_group="other"),\n'
RUNSERVER = [*PYTHON, "-m", "django", "runserver", "127.0.0.1:0"]
SERVES_ON = "The processes with the scripts of before are kept."

SERVERS = [
    pytest.param([*HOOKS, "--reload"], id="serve --reload"),
    pytest.param([*PLAIN, "--reload"], id="gunicorn --reload"),
    pytest.param(RUNSERVER, id="runserver"),
]
servers = pytest.mark.parametrize("command", mostly_thorough(SERVERS, "runserver"))
# How a server's own workers come anew is the server's affair.
a_server = pytest.mark.parametrize("command", mostly_thorough(SERVERS, "gunicorn --reload"))


class Developed:
    """A site whose group ``blog`` tells the version that its module ``part`` has."""

    def __init__(self, at, lib):
        self.at, self.lib = at, lib

    def write(self, source, name="part"):
        put(self.lib / f"{name}.py", source)

    def edit_settings(self, text, is_seen):
        """
        Write the settings until that is seen: a reloader first looks after it has loaded.

        Each time it gets twice as long, as it may take longer to load than the time before.
        """
        settings = self.at.project / "settings.py"
        pauses = (0.5 * 2**number for number in itertools.count())
        due = 0.0

        def is_done():
            nonlocal due
            if time.monotonic() >= due:
                put(settings, text)
                due = time.monotonic() + next(pauses)
            return is_seen()

        self.at.until(is_done)

    @property
    def settings(self):
        return (self.at.project / "settings.py").read_text()

    def asked(self, target, what="process_group"):
        """What the process that answers says of itself, None where none does."""
        with suppress(OSError):
            # runserver gets another port each time that it starts again.
            at = address(self.at.project / "socket", self.at.server.log)
            answer = fetch(at, target.encode())
            return json.loads(answer.body)[what] if answer.status == 200 else None

    def status(self, target):
        with suppress(OSError):
            return self.at.get(target).status

    @property
    def version(self):
        return self.at.told("/blog")["version"]

    def serves(self, version):
        self.at.until(lambda: self.version == version)


@contextmanager
def developed(path, command, script=AT_ONCE, first="VERSION = 1\n", aliases=ALIASES):
    (path / "app.wsgi").write_text(SCRIPT.format(**script))
    lib = path / "lib"
    lib.mkdir()
    (lib / "part.py").write_text(first)
    more = "WSGI_APPLICATION = 'django_wsgimatch.wsgi.application'\n"
    options = {"python_path": [str(lib)]}
    with site(path, options, aliases=aliases, more=more, command=command) as at:
        yield Developed(at, lib)


@servers
def test_an_edit_of_a_groups_project_renews_that_group_alone(tmp_path, command):
    with developed(tmp_path, command) as site:
        before = site.at.told("/blog"), site.at.told("/other")
        started = site.at.order(do="status")["pid"]
        site.write("VERSION = 2\n")
        site.serves(2)
        after = site.at.told("/blog"), site.at.told("/other")

        assert before[0]["version"] == 1
        assert before[0]["pid"] != after[0]["pid"]
        assert before[1]["pid"] == after[1]["pid"]
        assert site.at.order(do="status")["pid"] == started
        assert site.at.log.count("New processes are started") == 1


@a_server
def test_an_edit_of_the_servers_own_project_leaves_the_groups_alone(tmp_path, command):
    with developed(tmp_path, command) as site:
        before = site.at.told("/blog")["pid"], site.at.order(do="status")["pid"]
        new = 'WSGIMATCH_ALIASES.append(script_alias("/new", "app.wsgi", process_group="blog"))\n'
        site.edit_settings(site.settings + new, lambda: site.asked("/new", "pid") == before[0])

        assert site.at.order(do="status")["pid"] == before[1]


@a_server
def test_a_group_that_is_written_into_the_settings_is_started(tmp_path, command):
    with developed(tmp_path, command) as site:
        new = (
            'WSGIMATCH_PROCESS_GROUPS["new"] = {}\n'
            'WSGIMATCH_ALIASES.append(script_alias("/new", "other.wsgi", process_group="new"))\n'
        )
        site.edit_settings(site.settings + new, lambda: site.asked("/new") == "new")


@pytest.mark.parametrize(
    ("wrong", "said"),
    mostly_thorough(
        [
            pytest.param("WSGIMATCH_ALIASES.append('x')\n", "WSGIMATCH_ALIASES[2]", id="the table"),
            pytest.param("WSGIMATCH_TABLE = no_such_name\n", "no_such_name", id="a name"),
            pytest.param("WSGIMATCH_ALIASES = = []\n", "invalid syntax", id="no Python"),
            pytest.param("INSTALLED_APPS.append('nosuch')\n", "nosuch", id="an app"),
        ]
    ),
)
def test_settings_that_cannot_be_used_wait_for_their_correction(tmp_path, wrong, said):
    with developed(tmp_path, [*HOOKS, "--reload"]) as site:
        before = site.at.told("/blog")
        good = site.settings
        site.edit_settings(good + wrong, lambda: site.status("/blog") == 500)
        site.edit_settings(good, lambda: site.status("/blog") == 200)

        assert site.at.told("/blog") == before
        assert said in site.at.log


@pytest.mark.parametrize(
    "script",
    mostly_thorough(
        [pytest.param(AT_ONCE, id="at once"), pytest.param(LATE, id="by a request")], "by a request"
    ),
)
def test_each_edit_is_served_whenever_its_module_was_imported(tmp_path, script):
    with developed(tmp_path, [*PLAIN, "--reload"], script) as site:
        for version in (1, 2, 3):
            site.write(f"VERSION = {version}\n")
            site.serves(version)


def test_an_edit_of_a_place_of_the_servers_own_project_renews_it(tmp_path):
    aliases = ALIASES + 'script_alias("/red", "app.wsgi", application_group="red"),\n'
    (tmp_path / "part.py").write_text("VERSION = 1\n")
    with developed(tmp_path, [*PLAIN, "--reload"], aliases=aliases) as site:
        before = site.at.told("/red")["version"]
        put(tmp_path / "part.py", "VERSION = 2\n")
        site.at.until(lambda: site.at.told("/red")["version"] == 2)

        assert before == 1
        assert site.version == 1


@pytest.mark.parametrize(
    ("broken", "corrected"),
    mostly_thorough(
        [
            pytest.param({"part": "VERSION = = 2\n"}, {"part": "VERSION = 2\n"}, id="no Python"),
            pytest.param({"part": "1 / 0\n"}, {"part": "VERSION = 2\n"}, id="an error"),
            pytest.param(
                {"new": "VERSION = = 2\n", "part": "from new import VERSION\n"},
                {"new": "VERSION = 2\n"},
                id="a module that is new",
            ),
            pytest.param(
                {"new": "VERSION = 1\n", "part": "from new import VERSION, MORE\n"},
                {"new": "VERSION = 2\nMORE = 3\n"},
                id="a module that loads, without a name",
            ),
            pytest.param(
                {"part": "from new import VERSION\n"},
                {"new": "VERSION = 2\n"},
                id="a missing module",
            ),
        ],
        "a module that is new",
    ),
)
def test_code_that_does_not_load_leaves_the_old_serving_until_it_is_corrected(
    tmp_path, broken, corrected
):
    with developed(tmp_path, [*PLAIN, "--reload"]) as site:
        before = site.at.told("/blog")
        for name, source in broken.items():
            site.write(source, name)
        site.at.server.wait_for_log(SERVES_ON)
        meanwhile = site.at.told("/blog")
        for name, source in corrected.items():
            site.write(source, name)
        site.serves(2)

        assert meanwhile == before
        assert "Traceback" in site.at.log
        # The edits of a broken version may be noticed one by one.
        assert site.at.log.count(SERVES_ON) <= len(broken)


@pytest.mark.parametrize(
    ("broken", "corrected"),
    mostly_thorough(
        [
            pytest.param("VERSION = = 2\n", "part", id="no Python"),
            pytest.param("1 / 0\n", "part", id="an error"),
            pytest.param("from new import VERSION\n", "new", id="a missing module"),
        ],
        "a missing module",
    ),
)
def test_code_that_did_not_load_at_the_start_is_loaded_once_it_is_corrected(
    tmp_path, broken, corrected
):
    with developed(tmp_path, [*PLAIN, "--reload"], ONCE, broken) as site:
        status = site.at.get("/blog").status
        site.write("VERSION = 2\n", corrected)
        site.at.until(lambda: b'"version": 2' in site.at.get("/blog").body)

        assert status == 500


SHOP = DjangoProject(
    settings="TEMPLATES[0]['DIRS'] = [BASE_DIR / 'shop/templates']\n",
    views="from django.shortcuts import render\n"
    "def shop(request):\n    return render(request, 'shop.html')\n",
    patterns='path("", shop),',
)
SHOP_ALIAS = 'script_alias("/shop", "scripts/shop.wsgi", process_group="shop"),\n'


@contextmanager
def shop(path, command):
    """A Django project in a group, whose page comes from a template."""
    write_site(path, SmallSite(SHOP_ALIAS, {"shop": SHOP}))
    (path / "shop/templates").mkdir()
    (path / "shop/templates/shop.html").write_text("one")
    try:
        with running(command, path, environment("own.settings")) as server:
            yield server
        wait_until(lambda: not any(sockets_of(path).iterdir()))
    finally:
        shutil.rmtree(sockets_of(path), ignore_errors=True)


def appears(server, target, status, body):
    def is_there():
        answer = server.get(target)
        return (answer.status, answer.body) == (status, body)

    wait_until(is_there, log=server.log.read_text)


def test_an_edit_of_the_urls_of_a_django_project_is_served(tmp_path):
    with shop(tmp_path, [*PLAIN, "--reload"]) as server:
        appears(server, b"/shop/", 200, b"one")
        before = server.get(b"/shop/new/").status
        urls = tmp_path / "shop/urls.py"
        put(urls, urls.read_text() + "urlpatterns.append(path('new/', shop))\n")
        appears(server, b"/shop/new/", 200, b"one")

    assert before == 404


TEMPLATES = ["shop/templates/base.html", "shop/templates/shop.html"]


@pytest.mark.parametrize("where", mostly_thorough(TEMPLATES))
def test_an_edit_of_a_template_of_a_django_project_is_served(tmp_path, where):
    with shop(tmp_path, [*PLAIN, "--reload"]) as server:
        if "base" in where:
            (tmp_path / where).write_text("one")
            (tmp_path / "shop/templates/shop.html").write_text("{% extends 'base.html' %}")
        appears(server, b"/shop/", 200, b"one")
        (tmp_path / where).write_text("two")
        appears(server, b"/shop/", 200, b"two")

        assert "New processes" not in server.log.read_text()


@pytest.mark.parametrize(
    "pattern", mostly_thorough(["data.txt", "*.txt"]), ids=["a file", "a pattern"]
)
def test_a_file_that_gunicorn_is_to_watch_renews_the_groups(tmp_path, pattern):
    if pattern.startswith("*") and GUNICORN_S_VERSION < (26, 1):
        pytest.skip("before 26.1 gunicorn takes names of files alone")
    (tmp_path / "data.txt").touch()
    command = [*PLAIN, "--reload", "--reload-extra-file", pattern]
    with developed(tmp_path, command) as site:
        before = site.at.told("/blog")["pid"]
        (tmp_path / "data.txt").write_text("new\n")
        site.at.until(lambda: site.at.told("/blog")["pid"] != before)

        assert f"'{tmp_path}/data.txt' has changed" in site.at.log


def test_a_server_that_does_not_reload_leaves_its_groups_alone(tmp_path):
    with developed(tmp_path, PLAIN) as site:
        before = site.at.told("/blog")
        site.at.told("/other")
        site.write("VERSION = 2\n")
        site.at.order(do="restart", name="other")
        site.at.until(lambda: site.at.place("other")["restarts"] == 1)

        assert site.at.told("/blog") == before
        assert "has changed" not in site.at.log


@pytest.mark.parametrize(
    ("reload", "extra", "watch"),
    [
        pytest.param(False, [], None, id="off"),
        pytest.param(False, ["/etc/shop.ini"], None, id="off, with a file"),
        pytest.param(True, [], (), id="on"),
        pytest.param(True, ["/etc/shop.ini"], ("/etc/shop.ini",), id="on, with a file"),
    ],
)
def test_gunicorns_reload_says_whether_groups_watch_their_files(reload, extra, watch):
    cfg = SimpleNamespace(reload=reload, reload_extra_files=extra)

    assert watch_of_gunicorn(cfg) == watch


@pytest.mark.parametrize(
    ("value", "watch"),
    [
        pytest.param("true", (), id="in the process that it starts"),
        pytest.param(None, None, id="in no other"),
    ],
)
def test_runservers_reloader_says_whether_groups_watch_their_files(monkeypatch, value, watch):
    monkeypatch.delenv("RUN_MAIN", raising=False)
    if value is not None:
        monkeypatch.setenv("RUN_MAIN", value)

    assert watch_of_this_server() == watch


@pytest.mark.parametrize("watch", [None, (), ("/etc/shop.ini",)], ids=["off", "on", "with a file"])
def test_what_is_watched_reaches_the_groups_processes(watch):
    definition = Definition(
        1.0, "python", {}, (), "/", groups={"blog": GroupOptions()}, watch=watch
    )
    spec = Definition.from_json(definition.to_json()).spec(Place("blog", ""), ())

    assert GroupSpec.from_json(spec.to_json()).watch == watch


@pytest.fixture
def module(tmp_path, monkeypatch):
    path = tmp_path / "module_that_is_edited.py"
    path.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield path
    sys.modules.pop(path.stem, None)


def watched(extra=()):
    files = LoadedFiles(is_whole=True)
    watch = Watch(files, extra)
    files.note()
    return watch


def edit(path):
    before = path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == before:
        path.write_text("VERSION = 2\n")


def test_each_edit_is_told_once(module):
    __import__(module.stem)
    watch = watched()
    told = [watch.look()]
    for _ in range(2):
        edit(module)
        told += [watch.look(), watch.look()]

    assert told == [None, str(module), None, str(module), None]


def test_a_module_that_is_imported_later_is_watched_from_then_on(module):
    watch = watched()
    edit(module)
    watch.look()
    __import__(module.stem)
    told = [watch.look()]
    edit(module)
    told.append(watch.look())

    assert told == [None, str(module)]


def test_a_module_with_a_time_of_tomorrow_is_not_told_for_ever(module, monkeypatch):
    """As on a disk of another machine, whose clock is ahead."""
    __import__(module.stem)
    now = module.stat().st_ctime_ns - 1_000_000_000
    monkeypatch.setattr("time.time_ns", lambda: now)
    watch = watched()

    assert watch.look() is None


def test_a_module_that_is_gone_is_no_edit(module):
    __import__(module.stem)
    watch = watched()
    module.unlink()

    assert watch.look() is None


def test_a_file_that_appears_is_an_edit_where_a_pattern_stands_for_it(tmp_path):
    watch = watched([str(tmp_path / "*.ini")])
    before = watch.look()
    (tmp_path / "shop.ini").touch()

    assert (before, watch.look()) == (None, str(tmp_path / "shop.ini"))


def error_of(source, monkeypatch, tmp_path):
    (tmp_path / "broken_module.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((SyntaxError, ArithmeticError, ImportError)) as caught:
        __import__("broken_module")
    return caught.value


@pytest.mark.parametrize(
    ("source", "name"),
    [
        pytest.param("1 / 0\n", "broken_module.py", id="an error"),
        pytest.param("1 = 0\n", "broken_module.py", id="no Python"),
        pytest.param("import no_such_module\n", "no_such_module.py", id="a missing module"),
        pytest.param(
            "import no_such_module\n", "no_such_module/__init__.py", id="a missing package"
        ),
        pytest.param(
            "try:\n    1 / 0\nexcept ArithmeticError as e:\n    raise ImportError from e\n",
            "broken_module.py",
            id="an error with a cause",
        ),
    ],
)
def test_the_files_of_an_error_are_those_that_may_be_edited(tmp_path, monkeypatch, source, name):
    error = error_of(source, monkeypatch, tmp_path)

    assert str(tmp_path / name) in files_of(error)


def test_an_error_that_is_its_own_cause_has_an_end():
    error = ValueError()
    error.__context__ = ValueError()
    error.__context__.__context__ = error

    assert [*files_of(error)] == []


def test_the_arbiter_sees_an_edit_of_what_a_worker_could_not_load(tmp_path):
    there, missing = tmp_path / "there.py", tmp_path / "missing.py"
    there.touch()
    files = LoadedFiles()
    files.add([str(there), str(missing)])
    files.note()
    with open(tmp_path / "told", "w+b") as told:
        FailedLoad({**files.noted()}).write(told.fileno())
        failed = FailedLoad.read(told.fileno())
    assert failed is not None
    before = failed.edited()
    missing.touch()

    assert (before, failed.edited()) == (None, str(missing))


def test_a_worker_that_has_told_nothing_leaves_nothing_to_look_at():
    with open(os.devnull, "rb") as told:
        assert FailedLoad.read(told.fileno()) is None


def test_a_change_that_did_not_load_is_tried_once_for_all_processes():
    renewal = Renewal()
    renewal.begin()
    renewal.tried = 5.0
    renewal.end()

    assert not renewal.is_wanted_for(5.0)
    assert renewal.is_wanted_for(6.0)
