from __future__ import annotations

import re

import pytest

from django_wsgimatch import alias, rewrite, rules, script_alias, script_alias_match
from django_wsgimatch.cli.listing import COLUMNS
from tests.support.commands import asked, drawn, run, site_of_scripts

TOO_FEW = (
    "WSGIScriptAlias requires at least two arguments, Map location to target WSGI script file."
)


@pytest.fixture
def site(tmp_path, settings):
    return site_of_scripts(tmp_path, settings)


def test_list(site, settings):
    settings.WSGIMATCH_ALIASES = [
        script_alias("/api", "api.wsgi/api"),
        script_alias_match("^/(x)", "scripts/$1", pass_authorization=False, callable_object="app"),
        script_alias("/none", "none.wsgi"),
        "WSGIScriptAlias /broken",
    ]
    settings.WSGIMATCH_VIRTUAL_HOSTS = {".example": [script_alias("/", "api.wsgi")]}

    out = run("list")[0].replace(str(site), "/srv")

    assert [re.split("  +", line) for line in out.splitlines()] == [
        [*COLUMNS],
        [
            *("WSGIMATCH_VIRTUAL_HOSTS['.example'][0]", ".example", "0", "plain", "/", "api.wsgi"),
            *("-", "(embedded)", "(main interpreter)", "script /srv/api.wsgi"),
        ],
        [
            *("WSGIMATCH_ALIASES[0]", "-", "0", "plain", "/api", "api.wsgi/api"),
            *("-", "(embedded)", "(main interpreter)", "script /srv/api.wsgi"),
        ],
        [
            *("WSGIMATCH_ALIASES[1]", "-", "1", "match", "^/(x)", "scripts/$1"),
            "callable_object=app pass_authorization=False",
            *("(embedded)", "(main interpreter)", "directory /srv/scripts"),
        ],
        [
            *("WSGIMATCH_ALIASES[2]", "-", "2", "plain", "/none", "none.wsgi"),
            *("-", "(embedded)", "(main interpreter)", "missing: /srv/none.wsgi"),
        ],
        [*("WSGIMATCH_ALIASES[3]", "-", "3", "-", "-", "-", "-", "-", "-"), f"broken: {TOO_FEW}"],
    ]


RULES = rules(require="ip 10.0.0.0/8", require_ssl=True)


def test_list_for_programs(site):
    assert asked("list")[1] == {
        "host": None,
        "position": 1,
        "where": "WSGIMATCH_ALIASES[1]",
        "kind": "match",
        "location": "^/wsgi/([^/]+)",
        "target": "scripts/$1.wsgi",
        "process_group": "%{GLOBAL}",
        "application_group": "%{GLOBAL}",
        "callable_object": "app",
        "pass_authorization": True,
        "state": "directory",
        "script": f"{site}/scripts",
        "reason": "",
        "unplanned": "",
        "access": [],
        "when": [],
    }


def test_list_shows_entries_that_rewrite(site, settings):
    when = {"REQUEST_METHOD": "^POST$"}
    settings.WSGIMATCH_ALIASES = [rewrite("^/a", "/api?b", append_query=True, when=when)]

    [_, row] = [re.split("  +", line) for line in run("list")[0].splitlines()]

    assert row == [
        *("WSGIMATCH_ALIASES[0]", "-", "0", "RewriteRule", "^/a", "/api?b"),
        *("append_query=True when=REQUEST_METHOD ^POST$", "-", "-", "rewritten"),
    ]


def test_list_shows_what_entries_say_of_access(site, settings):
    settings.WSGIMATCH_ALIASES = [
        script_alias("/a", "api.wsgi", pass_authorization=False, access=RULES),
        alias("/b", "scripts", access=RULES),
    ]

    out = run("list")[0]
    listed = [row["access"] for row in asked("list")]

    assert listed == [["SSLRequireSSL", "Require ip 10.0.0.0/8"]] * 2
    assert out.count(" pass_authorization=False access=SSLRequireSSL; Require ip 10.0.0.0/8 ") == 1
    assert out.count(" access=SSLRequireSSL; Require ip 10.0.0.0/8 ") == 2


UNRESOLVED = "its target 'scripts/../api.wsgi' holds '//', '/.' or '/..', to be resolved each time"


def test_list_names_the_entries_without_a_plan(site, settings):
    settings.WSGIMATCH_ALIASES = [
        script_alias("/a", "api.wsgi"),
        script_alias("/b", "scripts/../api.wsgi"),
        "WSGIScriptAlias /broken",
    ]

    listed = [row["unplanned"] for row in asked("list")]
    last = run("list")[0].splitlines()[-1]

    assert listed == ["", UNRESOLVED, ""]
    assert last == (
        "WSGIMATCH_ALIASES[1] has no plan, so each request walks through the file system: "
        f"{listed[1]}."
    )
    assert last in " ".join(drawn("list").split())


def test_list_of_an_empty_table(settings):
    settings.WSGIMATCH_ALIASES = []

    assert run("list")[0].split() == [
        *("entry", "host", "position", "kind", "location", "target", "options"),
        *("process", "group", "application", "group", "script"),
    ]


def test_terminal_shows_the_table(site, settings):
    settings.WSGIMATCH_ALIASES.append("WSGIScriptAlias /broken")

    out = drawn("list")

    assert "WSGIMATCH_ALIASES[0]" in out
    assert "application group" not in out
