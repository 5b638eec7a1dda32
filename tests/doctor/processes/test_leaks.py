from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.doctor.findings.finding import Subject
from django_wsgimatch.doctor.processes.leaks import Interpreter, inherited_findings, leak_findings
from django_wsgimatch.doctor.targets.files import survey
from django_wsgimatch.doctor.targets.listing import Listings

ON_PATH = "import os, sys\nsys.path.insert(0, os.path.dirname(__file__))\n"
APPLICATION = "def application(environ, start_response): ...\n"


def setdefault(name: str, value: str) -> str:
    return f"import os\nos.environ.setdefault({name!r}, {value!r})\n"


def assigned(name: str, value: str) -> str:
    return f"import os\nos.environ[{name!r}] = {value!r}\n"


def settings(value: str) -> str:
    return setdefault("DJANGO_SETTINGS_MODULE", value)


def write(directory: Path, files: dict[str, str]) -> None:
    for name, source in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))


def found(directory, files, *, targets=("a.wsgi", "b.wsgi"), places=None, **interpreter):
    """What is said where the targets' aliases run in interpreters of these names, or in one."""
    write(directory, files)
    table = AliasTable.from_directives(
        f"WSGIScriptAlias /{number} {target}" for number, target in enumerate(targets)
    )
    rules = Rules(base_directory=str(directory))
    subjects = [Subject(f"[{n}]", None, table, n) for n in range(len(targets))]
    names = places or [("group", "")] * len(targets)

    def interpreter_of(subject):
        name = names[subject.position]
        return name and Interpreter(name, **interpreter)

    surveyed = [(each, survey(each.alias, rules, Listings())) for each in subjects]
    return list(leak_findings(surveyed, interpreter_of))


def ids(*arguments, **options):
    return [finding.id for finding in found(*arguments, **options)]


@pytest.mark.parametrize(
    ("files", "options"),
    [
        pytest.param({"a.wsgi": settings("a"), "b.wsgi": settings("a")}, {}, id="one project"),
        pytest.param(
            {"a.wsgi": settings("a"), "b.wsgi": settings("b")},
            {"places": [("one", ""), ("other", "")]},
            id="two interpreters",
        ),
        pytest.param(
            {"a.wsgi": settings("a"), "b.wsgi": settings("b")},
            {"places": [None, None]},
            id="interpreters that a request decides",
        ),
        pytest.param(
            {"a.wsgi": setdefault("A", "x"), "b.wsgi": setdefault("A", "x")}, {}, id="same value"
        ),
        pytest.param(
            {"a.wsgi": setdefault("A", "x"), "b.wsgi": setdefault("A", "y")},
            {"environment": {"A": "z"}},
            id="the environment decides, as setdefault is meant",
        ),
        pytest.param(
            {
                "a/x.wsgi": f"{ON_PATH}import lib",
                "b/x.wsgi": f"{ON_PATH}import other",
                "a/lib.py": "",
                "b/lib.py": "",
                "b/other.py": "",
            },
            {"targets": ("a/x.wsgi", "b/x.wsgi")},
            id="a name that one of them does not use",
        ),
        pytest.param(
            {"a.wsgi": f"{ON_PATH}import lib", "b.wsgi": f"{ON_PATH}import lib", "lib.py": ""},
            {},
            id="one module",
        ),
        pytest.param(
            {"d/a.wsgi": settings("a") + APPLICATION, "d/manage.py": settings("b")},
            {"targets": ("d",)},
            id="a file in a directory of scripts that is no application",
        ),
        pytest.param({"a.wsgi": "import no.such, os.path"}, {}, id="modules that are not there"),
        pytest.param({"a.wsgi": settings("a")}, {"targets": ("none.wsgi",)}, id="no script"),
    ],
)
def test_nothing_to_say(tmp_path, files, options):
    assert ids(tmp_path, files, **options) == []


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        pytest.param(
            {"a.wsgi": settings("a"), "b.wsgi": settings("b")}, {}, "E016", id="two projects"
        ),
        pytest.param(
            {"d/a.wsgi": settings("a") + APPLICATION, "d/b.py": settings("b") + APPLICATION},
            {"targets": ("d",)},
            "E016",
            id="two projects in a directory of scripts",
        ),
        pytest.param(
            {
                "a.wsgi": f"{ON_PATH}from wiki.wsgi import application",
                "wiki/wsgi.py": settings("wiki.conf"),
                "b.wsgi": settings("b"),
            },
            {},
            "E016",
            id="the project's own wsgi.py is imported",
        ),
        pytest.param(
            {
                "a.wsgi": f"{ON_PATH}from wiki.wsgi import application",
                "wiki/__init__.py": "",
                "wiki/wsgi.py": settings("wiki.conf"),
            },
            {"settings": "own.settings", "targets": ("a.wsgi",)},
            "E013",
            id="the interpreter runs another project",
        ),
        pytest.param(
            {"a.wsgi": setdefault("A", "x"), "b.wsgi": setdefault("A", "y")},
            {},
            "W028",
            id="two defaults",
        ),
        pytest.param(
            {"a.wsgi": assigned("A", "x"), "b.wsgi": assigned("A", "y")},
            {"environment": {"A": "z"}},
            "W028",
            id="two values, whatever the environment has",
        ),
        pytest.param(
            {
                "a/x.wsgi": ON_PATH + settings("config.settings"),
                "b/x.wsgi": ON_PATH + settings("config.settings"),
                "a/config/settings.py": "",
                "b/config/settings.py": "",
            },
            {"targets": ("a/x.wsgi", "b/x.wsgi")},
            "E023",
            id="two projects with settings of one name",
        ),
        pytest.param(
            {
                "a/x.wsgi": f"{ON_PATH}from lib import application",
                "a/lib.py": "",
                "b/lib.py": "",
            },
            {"targets": ("a/x.wsgi",), "modules": {"lib": "/srv/own/lib.py"}},
            "E023",
            id="what the server's own project has imported",
        ),
    ],
)
def test_something_to_say(tmp_path, files, options, expected):
    assert ids(tmp_path, files, **options) == [expected]


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        pytest.param(setdefault, setdefault, "The script that is loaded first", id="defaults"),
        pytest.param(setdefault, assigned, "The script that is loaded last", id="one is assigned"),
    ],
)
def test_who_decides(tmp_path, first, second, outcome):
    [finding] = found(tmp_path, {"a.wsgi": first("A", "x"), "b.wsgi": second("A", "y")})

    assert outcome in finding.message


@pytest.mark.parametrize(
    ("how", "outcome"),
    [
        pytest.param(setdefault, "serves that project's pages", id="a default is passed over"),
        pytest.param(assigned, "answers 500", id="what is assigned is noticed"),
    ],
)
def test_what_becomes_of_another_project_behind_an_import(tmp_path, how, outcome):
    files = {
        "a.wsgi": f"{ON_PATH}import wiki.wsgi",
        "wiki/wsgi.py": how("DJANGO_SETTINGS_MODULE", "wiki.conf"),
    }

    [finding] = found(tmp_path, files, targets=("a.wsgi",), settings="own.settings")

    assert outcome in finding.message


@pytest.mark.parametrize(
    ("settings_module", "expected"),
    [
        pytest.param("wiki.settings", ["W029"], id="another project"),
        pytest.param("shop.production", [], id="other settings of this project"),
        pytest.param(None, [], id="no settings"),
    ],
)
def test_settings_that_are_inherited(tmp_path, settings_module, expected):
    main = f"if __name__ == '__main__':\n    {settings('shop.settings').splitlines()[1]}\n"
    (tmp_path / "manage.py").write_text(f"import os\n{main}")

    found = [finding.id for finding in inherited_findings(str(tmp_path), settings_module)]

    assert found == expected


def test_without_manage_py_nothing_is_inherited(tmp_path):
    assert list(inherited_findings(str(tmp_path), "wiki.settings")) == []
