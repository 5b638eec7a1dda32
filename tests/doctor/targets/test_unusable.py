"""Scripts that have no application, or another than WSGI's: what is said, and what to paste."""

from __future__ import annotations

import json
import os

import pytest

from django_wsgimatch import script_alias
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.doctor.findings.finding import Subject
from django_wsgimatch.doctor.findings.project_report import Told, read_told
from django_wsgimatch.doctor.projects.project_side import look
from django_wsgimatch.doctor.projects.projects_by_url import Key
from django_wsgimatch.doctor.projects.unloaded import unloaded_finding
from django_wsgimatch.doctor.targets import unusable
from django_wsgimatch.entries import to_alias

WSGI = "def {}(environ, start_response): ...\n"
DEFINE = (
    "Define application(environ, start_response) in it, or name the one that it has: "
    "callable_object='...'."
)


@pytest.fixture
def said(tmp_path):
    """What is said of a script in the server's own process, or in a process group."""

    def said_of(source, name="x.wsgi", group="", **options):
        script = tmp_path / name
        script.write_text(source)
        entry = script_alias("/x", name, **options)
        alias = to_alias(entry, process_groups=(), variables={})
        callable_object = alias.callable_object or "application"
        told = look(str(script), callable_object, None, [])
        finding = unloaded_finding(
            Subject("entry", entry, AliasTable([alias]), 0),
            Key(group, "", str(script), callable_object),
            read_told(json.dumps(told).encode()),
        )
        message = finding.message.replace(f"{tmp_path}/", "")
        assert finding.id == "E026"
        return message.removeprefix("the script "), finding.hint.replace(f"{tmp_path}/", "")

    return said_of


MISSING = "'x.wsgi' does not load in the server's own process: it has no 'application'. "
NO_WSGI = "'x.wsgi' does not load in the server's own process: application {}. Requests get 500."


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        pytest.param(
            WSGI.format("app"),
            "It has 'app': script_alias('/x', 'x.wsgi', callable_object='app').",
            id="app",
        ),
        pytest.param(
            "class Flask:\n    def __call__(self, environ, start_response): ...\napp = Flask()\n",
            "It has 'app': script_alias('/x', 'x.wsgi', callable_object='app').",
            id="an object that is called app",
        ),
        pytest.param(
            WSGI.format("hello"),
            "It has 'hello': script_alias('/x', 'x.wsgi', callable_object='hello').",
            id="a function by another name",
        ),
        pytest.param(
            WSGI.format("helper") + WSGI.format("wsgi_app"),
            "It has 'wsgi_app': script_alias('/x', 'x.wsgi', callable_object='wsgi_app').",
            id="the usual one of two",
        ),
        pytest.param(
            "def create_app(): ...\n",
            "Make the application in the script: application = create_app().",
            id="a factory",
        ),
        pytest.param("from os.path import join\nx = 5\n", DEFINE, id="nothing of the kind"),
        pytest.param("", DEFINE, id="an empty file"),
    ],
)
def test_what_a_script_has_instead(said, source, hint):
    assert said(source) == (f"{MISSING}Requests get 404.", hint)


def test_a_missing_name_is_500_in_a_process_group(said):
    message, _ = said("", group="blog")

    assert message == (
        "'x.wsgi' does not load in process group 'blog': it has no 'application'. Requests get 500."
    )


@pytest.mark.parametrize(
    ("source", "what", "hint"),
    [
        pytest.param("application = 5\n", "is 5, which cannot be called", DEFINE, id="a number"),
        pytest.param("application = None\n", "is None, which cannot be called", DEFINE, id="None"),
        pytest.param(
            "application = 'blog.wsgi:application'\n",
            "is 'blog.wsgi:application', which cannot be called",
            DEFINE,
            id="a dotted path",
        ),
        pytest.param(
            "class Bad:\n    def __repr__(self): raise ValueError\napplication = Bad()\n",
            "is an object of Bad, which cannot be called",
            DEFINE,
            id="what cannot be shown",
        ),
        pytest.param(
            "async def application(scope, receive, send): ...\n",
            "is an ASGI application",
            "Let the script make a WSGI application, with "
            "django.core.wsgi.get_wsgi_application() or a2wsgi.ASGIMiddleware(application).",
            id="a coroutine function",
        ),
        pytest.param(
            "class ASGI:\n    async def __call__(self, scope, receive, send): ...\n"
            "application = ASGI()\n",
            "is an ASGI application",
            "Let the script make a WSGI application, with "
            "django.core.wsgi.get_wsgi_application() or a2wsgi.ASGIMiddleware(application).",
            id="an object of an ASGI framework",
        ),
        pytest.param(
            "def application(): ...\n",
            "does not take an environ and a start_response",
            "Make the application in the script: application = application().",
            id="a function without arguments",
        ),
        pytest.param(
            "def application(scope, receive, send): ...\n",
            "does not take an environ and a start_response",
            "Make the application in the script: application = application().",
            id="a function of three",
        ),
    ],
)
def test_what_is_no_wsgi_application(said, source, what, hint):
    assert said(source) == (NO_WSGI.format(what), hint)


def test_a_factory_that_the_entry_names(said):
    message, hint = said(
        "def create_app(config=None, debug=False): ...\n", callable_object="create_app"
    )

    assert message == (
        "'x.wsgi' does not load in the server's own process: create_app does not take an environ "
        "and a start_response. Requests get 500."
    )
    assert hint == (
        "Make the application in the script: application = create_app(). Then remove "
        "callable_object='create_app' from the entry."
    )


def test_a_wsgi_py_beside_an_asgi_py(said, tmp_path):
    (tmp_path / "wsgi.py").write_text(WSGI.format("application"))

    _, hint = said("async def application(scope, receive, send): ...\n", "asgi.py")

    assert hint == "There is a wsgi.py beside it: script_alias('/x', 'wsgi.py')."


def test_an_exception_has_its_line(said):
    message, _ = said("import os\n\nimport no_such_module\n")

    assert message == (
        "'x.wsgi' does not load in the server's own process: ModuleNotFoundError: No module named "
        "'no_such_module' (line 3 of x.wsgi). Requests get 500."
    )


def test_an_exception_further_in_has_the_line_there(said, tmp_path, monkeypatch):
    (tmp_path / "inner_conf.py").write_text("x = 1\ny = x['key']\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    message, _ = said("import inner_conf\n")

    assert "TypeError: 'int' object is not subscriptable (line 2 of inner_conf.py)" in message


def test_a_mistake_in_what_is_imported_has_its_line(said, tmp_path, monkeypatch):
    (tmp_path / "torn_conf.py").write_text("x = 1\ndef y(\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    message, _ = said("import torn_conf\n")

    assert "(line 2 of torn_conf.py)" in message


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("def application(environ, start_response): ...\n", id="a function"),
        pytest.param("application = lambda e, s: []\n", id="a lambda"),
        pytest.param("def application(*args): ...\n", id="any arguments"),
        pytest.param("def application(environ, start_response, more=1): ...\n", id="a default"),
        pytest.param(
            "class application:\n    def __init__(self, environ, start_response): ...\n",
            id="a class",
        ),
        pytest.param(
            "class A:\n    def __call__(self, e, s): ...\napplication = A()\n", id="an object"
        ),
        pytest.param(
            "from functools import partial\n"
            "def f(config, e, s): ...\napplication = partial(f, None)\n",
            id="a partial",
        ),
        pytest.param("def application(e, s):\n    yield b''\n", id="a generator function"),
        pytest.param("application = dict.get\n", id="a builtin"),
    ],
)
def test_wsgi_applications_of_all_kinds_are_sound(source):
    names: dict[str, object] = {}
    exec(source, names)

    assert unusable.of_application("application", names["application"]) is None


def test_a_script_in_a_directory_that_may_not_be_passed(tmp_path, monkeypatch):
    (tmp_path / "shut").mkdir()
    script = tmp_path / "shut" / "x.wsgi"
    script.write_text("")
    shut = str(tmp_path / "shut")
    monkeypatch.setattr(os, "access", lambda path, mode: path != shut)

    assert unusable.first_unusable(str(script)) == shut


def test_a_script_that_takes_too_long_is_a_warning_and_no_error():
    entry = script_alias("/x", "x.wsgi")
    table = AliasTable([to_alias(entry, process_groups=(), variables={})])
    told = Told(error="it takes more than 30 s", is_late=True)

    finding = unloaded_finding(Subject("entry", entry, table, 0), Key("blog", "", "/x.wsgi"), told)

    assert (finding.id, finding.message) == (
        "W055",
        (
            "the script '/x.wsgi' was not checked: it takes more than 30 s. It is not known "
            "whether it loads in process group 'blog', and whether it fits its URLs."
        ),
    )
