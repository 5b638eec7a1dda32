"""Modules as scripts: imported as Python does, and run anew where nobody holds what they made."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import itertools
import os
import sys
import textwrap
from pathlib import Path

import pytest

from django_wsgimatch.exceptions import ScriptError
from django_wsgimatch.modules import find_module_file
from django_wsgimatch.scripts import Scripts

PACKAGE = "wsgimatch_shop"
APP = f"{PACKAGE}.wsgi:application"
MAKE = f"{PACKAGE}.wsgi:make()"
SOURCE = """\
from .parts import greeting
import sys

runs = sys.runs = getattr(sys, "runs", 0) + 1
VERSION = {version}


def application(environ, start_response):
    return [VERSION, greeting]


def make():
    return lambda environ, start_response: [VERSION, "made"]


number = 1
"""


class Package:
    """A package on the path; every version of a module has an mtime of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / PACKAGE
        self.folder.mkdir()
        self._seconds = itertools.count(1_000_000_000)
        self.write("__init__", "")
        self.write("parts", "greeting = 'hello'\n")
        self.write("wsgi", SOURCE.format(version=1))

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.py"

    def write(self, name: str, source: str) -> None:
        seconds = next(self._seconds)
        self.file(name).write_text(textwrap.dedent(source))
        os.utime(self.file(name), (seconds, seconds))


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "runs", 0, raising=False)
    yield Package(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def said(scripts, key=APP):
    """What the application answers, or the status and the text of the error."""
    try:
        loaded = scripts.get(key)
        return loaded.application(key.partition(":")[2])({}, None)
    except ScriptError as error:
        return error.status, str(error)


def test_a_module_of_a_package_with_relative_imports(package):
    loaded = Scripts().get(APP)

    assert said(Scripts()) == [1, "hello"]
    assert loaded.key == APP
    assert loaded.path == str(package.file("wsgi"))
    assert loaded.module is sys.modules[f"{PACKAGE}.wsgi"]


def test_a_module_that_is_there_already_is_used_as_it_is(package):
    module = __import__(f"{PACKAGE}.wsgi", fromlist=["application"])

    loaded = Scripts().get(APP)

    assert loaded.module is module
    assert vars(sys)["runs"] == 1


def test_a_factory_is_called_once(package):
    package.write("wsgi", "calls = []\ndef make():\n    calls.append(1)\n    return print\n")
    scripts = Scripts()

    for _ in range(3):
        scripts.get(MAKE).application("make()")

    assert sys.modules[f"{PACKAGE}.wsgi"].calls == [1]


def test_two_targets_in_one_module_run_it_once(package):
    scripts = Scripts(reloading=True)
    scripts.get(APP), scripts.get(MAKE)

    package.write("wsgi", SOURCE.format(version=2))

    assert (said(scripts), said(scripts, MAKE)) == ([2, "hello"], [2, "made"])
    assert vars(sys)["runs"] == 2


@pytest.mark.parametrize("reloading", ["safe", True], ids=["safe", "as mod_wsgi"])
def test_a_changed_module_is_run_anew(package, reloading):
    scripts = Scripts(reloading=reloading)
    old = scripts.get(APP)

    package.write("wsgi", SOURCE.format(version=2))

    assert said(scripts) == [2, "hello"]
    new = scripts.get(APP).module
    assert new is sys.modules[f"{PACKAGE}.wsgi"] is sys.modules[PACKAGE].wsgi
    assert new is not old.module


def test_without_reloading_nobody_looks(package):
    scripts = Scripts(reloading=False)
    scripts.get(APP)

    package.write("wsgi", SOURCE.format(version=2))

    assert said(scripts) == [1, "hello"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("(", f"Target WSGI module '{PACKAGE}.wsgi' cannot be imported.", id="syntax"),
        pytest.param(
            "from . import nothing",
            f"Target WSGI module '{PACKAGE}.wsgi' cannot be imported.",
            id="an import that fails",
        ),
        pytest.param(
            "raise SystemExit(3)",
            f"Target WSGI module '{PACKAGE}.wsgi' cannot be imported.",
            id="an exit",
        ),
        pytest.param(
            "app = print",
            f"Target WSGI module '{PACKAGE}.wsgi' does not contain WSGI application 'application'.",
            id="no such name",
        ),
        pytest.param(
            "application = 1",
            f"Target WSGI module '{PACKAGE}.wsgi' has 'application' of type int, which cannot be "
            "called.",
            id="nothing that can be called",
        ),
    ],
)
def test_what_keeps_a_module_from_answering(package, source, reason, caplog):
    fresh, safe, strict = Scripts(), Scripts(), Scripts(reloading=True)
    assert said(safe) == said(strict) == [1, "hello"]
    old = sys.modules[f"{PACKAGE}.wsgi"]

    package.write("wsgi", source)

    assert said(strict) == said(strict) == (500, reason)
    assert said(safe) == said(safe) == [1, "hello"]
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == [
        f"Still serving the previous version of '{APP}': {reason}"
    ]
    assert sys.modules[f"{PACKAGE}.wsgi"] is old
    del sys.modules[f"{PACKAGE}.wsgi"]
    assert said(fresh) == (500, reason)
    assert f"{PACKAGE}.wsgi" not in sys.modules


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param(
            "def make():\n    return 1 / 0",
            f"Target WSGI module '{PACKAGE}.wsgi' has 'make()', which should return the "
            "application and fails.",
            id="one that raises",
        ),
        pytest.param(
            "def make(settings):\n    return print",
            f"Target WSGI module '{PACKAGE}.wsgi' has 'make()', which should return the "
            "application and fails.",
            id="one that takes arguments",
        ),
        pytest.param(
            "def make():\n    pass",
            f"Target WSGI module '{PACKAGE}.wsgi' has 'make()', which should return the "
            "application and returns something of type NoneType.",
            id="one that returns nothing",
        ),
    ],
)
def test_what_is_wrong_with_a_factory(package, source, reason):
    safe, strict = Scripts(), Scripts(reloading=True)
    assert said(safe, MAKE) == said(strict, MAKE) == [1, "made"]

    package.write("wsgi", source)

    assert said(strict, MAKE) == (500, reason)
    assert said(safe, MAKE) == [1, "made"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("wsgimatch_none", id="a module"),
        pytest.param("wsgimatch_none.a.b", id="a package"),
    ],
)
def test_a_module_that_is_not_on_the_path(name):
    found = said(Scripts(), f"{name}:app")

    reason = (
        f"Target WSGI module '{name}' not found: there is no 'wsgimatch_none' on sys.path. The "
        "folder that holds it should be in python_path of the process group, or in PYTHONPATH of "
        "the server."
    )
    assert found == (500, reason)


@pytest.mark.parametrize(
    ("name", "missing", "above"),
    [
        pytest.param("none", "none", "__init__", id="a module"),
        pytest.param("none.b", "none", "__init__", id="a package"),
        pytest.param("wsgi.b", "wsgi.b", "wsgi", id="below a module that is no package"),
    ],
)
def test_a_module_that_is_not_in_its_package(package, name, missing, above):
    found = said(Scripts(), f"{PACKAGE}.{name}:app")

    holder = f"{PACKAGE}.{missing}".rpartition(".")[0]
    reason = (
        f"Target WSGI module '{PACKAGE}.{name}' not found: there is no '{PACKAGE}.{missing}', and "
        f"'{holder}' is '{package.file(above)}'."
    )
    assert found == (500, reason)


def test_a_module_that_comes_later(package):
    scripts = Scripts()
    key = f"{PACKAGE}.late:app"
    assert said(scripts, key)[0] == 500

    package.write("late", "def app(environ, start_response):\n    return ['late']\n")

    assert said(scripts, key) == ["late"]


@pytest.mark.parametrize("reloading", ["safe", True], ids=["safe", "as mod_wsgi"])
@pytest.mark.parametrize(
    "holding",
    [
        pytest.param("from .wsgi import application", id="the application"),
        pytest.param("from .wsgi import make as other", id="a function of its own"),
        pytest.param("from . import wsgi", id="the module"),
    ],
)
def test_a_module_stays_where_another_holds_what_it_made(package, caplog, reloading, holding):
    """Views that have registered with an application would be missing in the new one."""
    package.write("views", f"{holding}\n")
    package.write("wsgi", SOURCE.format(version=1) + "\nfrom . import views\n")
    scripts = Scripts(reloading=reloading)
    scripts.get(APP)

    package.write("wsgi", SOURCE.format(version=2))

    assert said(scripts) == said(scripts) == [1, "hello"]
    [record] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.getMessage() == (
        f"WSGI module '{APP}' has changed, and is not loaded anew: {PACKAGE}.views would keep "
        "what the old one has made. Restart the server, or give the alias a process group, whose "
        "processes are replaced."
    )


def test_a_package_is_run_anew_with_the_modules_that_it_has(package):
    package.write("__init__", "from . import parts\ndef make():\n    return lambda *a: [1]\n")
    key = f"{PACKAGE}:make()"
    scripts = Scripts()
    assert said(scripts, key) == [1]
    package.write("__init__", "import sys\ndef make():\n    return lambda *a: [parts.greeting]\n")

    assert said(scripts, key) == ["hello"]


class Shouting(importlib.machinery.SourceFileLoader):
    """A loader that changes what it loads, as those do that trace or check types."""

    def get_code(self, fullname):
        source = self.get_data(self.path).decode().replace("hello", "HELLO")
        return compile(source, self.path, "exec")


def test_a_loader_of_another_s_runs_the_module_each_time(package, monkeypatch):
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name != f"{PACKAGE}.wsgi":
                return None
            file = str(package.file("wsgi"))
            return importlib.util.spec_from_file_location(name, file, loader=Shouting(name, file))

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    source = "application = lambda *given: ['hello', {}]\n"
    package.write("wsgi", source.format(1))
    scripts = Scripts()
    first = said(scripts)

    package.write("wsgi", source.format(2))

    assert (first, said(scripts)) == (["HELLO", 1], ["HELLO", 2])


def test_an_edit_of_the_same_second_and_length_is_run(package, monkeypatch):
    """Python would take the bytecode of the version before for current."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    scripts = Scripts()
    scripts.get(APP)
    seconds = int(package.file("wsgi").stat().st_mtime)

    package.write("wsgi", SOURCE.format(version=2))
    os.utime(package.file("wsgi"), ns=(0, seconds * 10**9 + 1))

    assert said(scripts) == [2, "hello"]


def test_a_module_that_becomes_a_package(package):
    scripts = Scripts()
    scripts.get(APP)

    package.file("wsgi").unlink()
    (package.folder / "wsgi").mkdir()
    package.write("wsgi/__init__", "def application(*given):\n    return ['a package']\n")

    assert said(scripts) == ["a package"]


def test_a_module_whose_file_is_gone_serves_on(package, caplog):
    scripts = Scripts()
    scripts.get(APP)

    package.file("wsgi").unlink()

    assert said(scripts) == said(scripts) == [1, "hello"]
    assert len([each for each in caplog.records if each.levelname == "ERROR"]) == 1


def test_a_module_of_another_django_project_is_refused(package, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "own")
    package.write("wsgi", "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'other'\napp = print")

    status, reason = said(Scripts(settings_module="own"), f"{PACKAGE}.wsgi:app")

    assert status == 500
    assert reason.startswith(f"Target WSGI script '{PACKAGE}.wsgi:app' asks for DJANGO_SETTINGS_")
    assert f"{PACKAGE}.wsgi" not in sys.modules


def test_a_factory_that_asks_for_another_django_project_is_refused_each_time(package, monkeypatch):
    """The name is put together: it cannot be read from the source."""
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "own")
    package.write(
        "wsgi",
        "import os\ndef make():\n    os.environ['DJANGO_SETTINGS_' + 'MODULE'] = 'other'\n"
        "    return print\n",
    )
    scripts = Scripts(settings_module="own")

    found = [said(scripts, MAKE)[0] for _ in range(2)]

    assert found == [500, 500]
    assert os.environ["DJANGO_SETTINGS_MODULE"] == "own"


def test_the_first_factory_of_a_process_group_decides_for_its_project(package, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    for name in ("one", "two"):
        package.write(
            name,
            f"import os\ndef make():\n    os.environ['DJANGO_SETTINGS_' + 'MODULE'] = '{name}'\n"
            "    return lambda *given: []\n",
        )
    scripts = Scripts(is_adopting=True)

    found = [said(scripts, f"{PACKAGE}.{name}:make()") for name in ("one", "two")]

    assert found[0] == []
    assert found[1][0] == 500
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")


def test_a_module_without_a_file_stays():
    scripts = Scripts()

    loaded = scripts.get("sys:getsizeof")

    assert loaded.path == "sys:getsizeof"
    assert scripts.is_current(loaded)


def test_where_a_module_lies_is_told_without_running_anything(package):
    package.write("__init__", "raise RuntimeError")

    found = [find_module_file(name).path for name in (f"{PACKAGE}.wsgi", PACKAGE, "sys", "a.b")]

    assert found == [str(package.file("wsgi")), str(package.file("__init__")), "", ""]
    assert PACKAGE not in sys.modules
