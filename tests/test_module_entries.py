"""Entries that name modules: in the settings, in the server's own process, in the commands."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path

import pytest

from django_wsgimatch import script_alias, script_alias_match
from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.checks import check_settings, file_system_findings
from django_wsgimatch.conf import configuration
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.doctor.findings.finding import Subject
from django_wsgimatch.entries import to_alias
from django_wsgimatch.exceptions import DirectiveError
from django_wsgimatch.places import definition
from tests.support.commands import run
from tests.support.wsgi import TELL, get

NAME = "wsgimatch_entries"
APP, MAKE = f"{NAME}.shop:application", f"{NAME}.shop:make()"


def alias_of(entry):
    return to_alias(entry, process_groups=(), variables={})


def module(location, target, kind="plain", **options):
    name = target.partition(":")[2]
    return Alias(location, target, kind, callable_object=name, is_module=True, **options)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder on the path, with a package in it."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    package = tmp_path / NAME
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "telling.py").write_text(TELL)
    (package / "shop.py").write_text(
        "from .telling import tell\n"
        "application = tell('application')\n"
        "def make():\n    return tell('made')\n"
    )
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


# The settings


@pytest.mark.parametrize(
    ("entry", "alias"),
    [
        pytest.param(script_alias("/a", "a.b:app"), module("/a", "a.b:app"), id="a module"),
        pytest.param(
            script_alias_match("^/a", "a.b:make()", process_group="blue"),
            module("^/a", "a.b:make()", "match", process_group="blue"),
            id="a factory, by a pattern",
        ),
        pytest.param(
            script_alias("/a", "a:app", callable_object="app"),
            module("/a", "a:app"),
            id="with its name as an option",
        ),
        pytest.param(script_alias("/a", "./a:app"), Alias("/a", "./a:app"), id="a file's path"),
        pytest.param(script_alias("/a", Path("a:app")), Alias("/a", "a:app"), id="a Path"),
        pytest.param(script_alias("/a", b"a:app"), Alias("/a", "a:app"), id="bytes"),
        pytest.param("WSGIScriptAlias /a a:app", Alias("/a", "a:app"), id="a directive line"),
    ],
)
def test_what_names_a_module(entry, alias):
    assert alias_of(entry) == alias


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param(
            script_alias("/a", "a:app", callable_object="other"),
            "the target 'a:app' names 'app', and callable_object names 'other': leave "
            "callable_object out",
            id="another callable",
        ),
        pytest.param(
            script_alias_match("^/(a)", "$1:app"),
            "the target '$1:app' names a module, and no part of a URL may choose one: write an "
            "entry for each module, without $0 to $9",
            id="a capture",
        ),
        pytest.param(
            script_alias("/a", "a:make('x')"),
            "the target \"a:make('x')\" has a colon and no slash, so it names a module, and should "
            "be 'package.module:name', or 'package.module:name()' for a function without arguments "
            "that returns the application. Write './a:make('x')' for a file of that name",
            id="a factory with arguments",
        ),
    ],
)
def test_what_names_none_is_told(entry, message):
    with pytest.raises(DirectiveError) as caught:
        alias_of(entry)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        pytest.param(
            script_alias("/a", "a:make()", process_group="blue"),
            "script_alias('/a', 'a:make()', process_group='blue')",
            id="a module",
        ),
        pytest.param(
            script_alias("/a", Path("a:app"), callable_object="app"),
            "script_alias('/a', b'a:app', callable_object='app')",
            id="a file",
        ),
    ],
)
def test_the_line_to_paste_names_what_the_entry_names(entry, line):
    subject = Subject("", entry, AliasTable([alias_of(entry)]), 0)

    assert subject.line() == line
    assert alias_of(eval(line, {"script_alias": script_alias})) == alias_of(entry)


def test_a_group_may_be_asked_for_the_modules_of_its_own_entries(settings):
    settings.WSGIMATCH_PROCESS_GROUPS = {"blue": {}, "red": {}}
    settings.WSGIMATCH_ALIASES = [
        script_alias("/a", "a:app", process_group="blue"),
        script_alias("/b", "b:app", process_group="red"),
        script_alias("/c", "c:app", process_group="%{ENV:GROUP}"),
        script_alias("/d", "d:app"),
        script_alias("/e", "/srv/x.wsgi", process_group="blue"),
    ]

    told = definition(configuration())

    assert told.modules == ("c:app",)
    assert told.group_modules == {"blue": ("a:app",), "red": ("b:app",), "": ("d:app",)}


# The server's own process


def dispatcher(*aliases, **rules):
    return Dispatcher(AliasTable(aliases), rules=Rules(**rules), reload_interval=1000)


@pytest.mark.parametrize("target", [APP, MAKE])
@pytest.mark.parametrize(
    "rules",
    [
        pytest.param({}, id="any rules"),
        pytest.param({"roots": ("/nowhere",)}, id="roots that it does not lie in"),
        pytest.param({"follow_symlinks": False}, id="no symbolic links"),
        pytest.param({"application_group": "%{RESOURCE}"}, id="groups of each request"),
    ],
)
def test_a_module_answers_and_is_soon_found_without_the_corridor(
    folder, monkeypatch, target, rules
):
    application = dispatcher(module("/shop", target), **rules)
    get(application, "/shop")
    monkeypatch.setattr(application, "walk", None)

    answers = [get(application, f"/shop{path}") for path in ("", "/", "/a/b", "/a%20b?c") * 20]

    assert [each.corridor for each in answers[:4]] == [
        (200, f"{folder}/{NAME}/shop.py", "/shop", ""),
        (200, f"{folder}/{NAME}/shop.py", "/shop", "/"),
        (200, f"{folder}/{NAME}/shop.py", "/shop", "/a/b"),
        (200, f"{folder}/{NAME}/shop.py", "/shop", "/a b"),
    ]
    name = target.partition(":")[2]
    assert {each.told["mod_wsgi.callable_object"] for each in answers} == {name}
    assert {each.told["callable"] for each in answers} == {name.replace("make()", "made")}


def test_a_match_that_ends_inside_a_name_leads_to_no_other_module(folder):
    """``/x.shop`` is ``x`` and then ``.shop``: together with a target that would be a name."""
    (folder / NAME / "__init__.py").write_text("from .telling import tell\nsho = tell('sho')\n")
    application = dispatcher(
        module("/there", f"{NAME}.shop:application"), module("^/x", f"{NAME}:sho", "match")
    )
    for target in ("/there", "/x"):
        assert get(application, target).code == 200

    assert [get(application, "/x.shop:application").code for _ in range(3)] == [404] * 3


def test_a_module_that_does_not_load_is_told_in_the_log_and_not_to_clients(folder, caplog):
    application = dispatcher(module("/a", f"{NAME}.none:app"))

    answers = [get(application, "/a") for _ in range(2)]

    assert [each.code for each in answers] == [500, 500]
    assert b"none" not in answers[0].body
    reason = (
        f"Target WSGI module '{NAME}.none' not found: there is no '{NAME}.none', and '{NAME}' is "
        f"'{folder}/{NAME}/__init__.py'."
    )
    assert caplog.messages == [reason, reason]


def test_a_module_is_loaded_ahead_where_a_script_would_be(folder, caplog):
    groups = {"process_group": "%{GLOBAL}", "application_group": "%{GLOBAL}"}
    application = dispatcher(
        module("/a", APP, **groups),
        module("/b", MAKE),
        module("/c", f"{NAME}.none:app", **groups),
        roots=("/nowhere",),
    )

    application.preload()

    assert list(application.scripts.loaded) == [APP]
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert f"there is no '{NAME}.none'" in record.getMessage()


def test_a_changed_module_is_served_at_once(folder):
    application = Dispatcher(AliasTable([module("/a", APP)]), reload_interval=0)
    get(application, "/a")
    file = folder / NAME / "shop.py"
    file.write_text("from .telling import tell\napplication = tell('anew')\n")
    os.utime(file, (1, 1))

    answers = [get(application, "/a").told["callable"] for _ in range(3)]

    assert answers == ["anew"] * 3


# What the commands say


@pytest.fixture
def site(settings, folder):
    settings.BASE_DIR = folder
    settings.WSGIMATCH_ALIASES = [
        script_alias("/shop", APP),
        script_alias_match("^/made(?=/|$)", MAKE, process_group="blue"),
    ]
    settings.WSGIMATCH_PROCESS_GROUPS = {"blue": {"python_path": [str(folder)]}}
    return settings


def findings():
    assert check_settings() == []
    found = file_system_findings(configuration())
    return [(each.id, each.where, each.message, each.hint) for each in found]


def test_the_list_shows_modules(site):
    found = json.loads(run("list", "--json")[0])

    shown = [[row[name] for name in ("target", "state", "script", "reason")] for row in found]
    assert shown == [[APP, "module", APP, ""], [MAKE, "module", MAKE, ""]]
    assert {row["unplanned"] for row in found} == {""}
    assert f"module {MAKE}" in run("list")[0]
    assert "callable_object" not in run("list")[0]


def test_a_preview_shows_modules(site):
    one, other = json.loads(run("preview", "--json", "/shop/x", "/made")[0])

    names = ("status", "directive", "filename", "script", "script_name", "path_info")
    assert [one[name] for name in names] == [
        *(200, f"script_alias /shop {APP}", None, APP, "/shop", "/x")
    ]
    assert [other[name] for name in names] == [
        200,
        f"script_alias_match ^/made(?=/|$) {MAKE} process-group=blue",
        *(None, MAKE, "/made", ""),
    ]
    assert (one["callable_object"], other["callable_object"]) == ("application", "make()")
    assert one["load_error"] is other["load_error"] is None


def test_a_check_has_nothing_to_say_of_modules_that_load(site):
    assert findings() == []


@pytest.mark.parametrize(
    ("target", "options", "message", "hint"),
    [
        pytest.param(
            f"{NAME}.none:app",
            {},
            f"the script '{NAME}.none:app' does not load in the server's own process: Target WSGI "
            f"module '{NAME}.none' not found: there is no '{NAME}.none', and '{NAME}' is "
            "'{folder}/__init__.py'. Requests get 500.",
            "Install what is missing in the server's virtual environment, or give the alias a "
            "process group with a python_home. Or fix the module, or its name.",
            id="no module",
        ),
        pytest.param(
            APP,
            {"process_group": "bare"},
            f"the script '{APP}' does not load in process group 'bare': Target WSGI module "
            f"'{NAME}.shop' not found: there is no '{NAME}' on sys.path. The folder that holds it "
            "should be in python_path of the process group, or in PYTHONPATH of the server. "
            "Requests get 500.",
            "Install what is missing in the virtual environment of its process group, or add its "
            "folder to python_path. Or fix the module, or its name.",
            id="a module that the group's Python does not find",
        ),
        pytest.param(
            f"{NAME}.shop:make",
            {},
            f"the script '{NAME}.shop:make' does not load in the server's own process: make does "
            "not take an environ and a start_response. Requests get 500.",
            f"Have it called: script_alias('/a', '{MAKE}').",
            id="a factory that is not called",
        ),
    ],
)
def test_a_check_finds_what_does_not_load_where_it_should(
    site, folder, target, options, message, hint
):
    site.WSGIMATCH_PROCESS_GROUPS = {"bare": {}}
    site.WSGIMATCH_ALIASES = [script_alias("/a", target, **options)]

    found = findings()

    message = message.replace("{folder}", str(folder / NAME))
    assert found == [("E026", "WSGIMATCH_ALIASES[0]", message, hint)]


def test_a_check_finds_a_module_that_asks_for_other_settings(site, folder):
    (folder / NAME / "other.py").write_text(
        "import os\nos.environ['DJANGO_SETTINGS_MODULE'] = 'other'\napplication = print\n"
    )
    site.WSGIMATCH_ALIASES = [script_alias("/a", f"{NAME}.other:application")]

    ids = [id for id, *_ in findings()]

    assert ids == ["E013"]
