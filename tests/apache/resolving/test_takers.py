"""What answers beside the aliases: scripts by Alias and a handler, files, redirects and rules."""

from __future__ import annotations

import pytest

from tests.support.imports import (
    aliases_of,
    entry_lines,
    import_lines,
    notes_of,
    section,
    settings_of,
)

ROOT = "WSGIScriptAlias / /srv/a.wsgi"
EXECUTABLE = ["SetHandler wsgi-script", "Options +ExecCGI"]


def entries_of(*lines: str) -> list[tuple[str, str]]:
    """The locations and targets of the entries for every host that scripts answer."""
    aliases = [each for each in aliases_of(*lines) if each.answer is None]
    return [(each.location, each.target) for each in aliases]


# Alias with the handler wsgi-script


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(section("Location /id", *EXECUTABLE), id="SetHandler in a Location"),
        pytest.param(section("Directory /srv/id", *EXECUTABLE), id="in a Directory"),
        pytest.param(section("Files id.py", *EXECUTABLE), id="in Files"),
        pytest.param(["SetHandler wsgi-script", "Options ExecCGI"], id="for the whole server"),
        pytest.param(
            section("Directory /srv/id", "AddHandler wsgi-script .py", "Options All"),
            id="AddHandler",
        ),
        pytest.param(["AddHandler wsgi-script wsgi PY", "Options +ExecCGI"], id="without a dot"),
    ],
)
def test_an_alias_of_a_script_is_an_entry_before_the_others(lines):
    assert entries_of(ROOT, "Alias /id /srv/id/id.py", *lines) == [
        ("/id", "/srv/id/id.py"),
        ("/", "/srv/a.wsgi"),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="no handler"),
        pytest.param(section("Location /id", "SetHandler wsgi-script"), id="without ExecCGI"),
        pytest.param(
            section("Location /id", *EXECUTABLE, "Options -ExecCGI"), id="ExecCGI taken back"
        ),
        pytest.param(section("Location /id", "SetHandler foo", "Options +ExecCGI"), id="another"),
        pytest.param(["AddHandler wsgi-script .wsgi", "Options +ExecCGI"], id="another ending"),
        pytest.param(section("Location /other", *EXECUTABLE), id="elsewhere"),
        pytest.param(
            [
                *["AddHandler wsgi-script .py", "Options +ExecCGI"],
                *section("Directory /srv/id", "RemoveHandler .py"),
            ],
            id="RemoveHandler",
        ),
    ],
)
def test_an_alias_that_runs_no_script_is_no_entry(lines):
    assert entries_of(ROOT, "Alias /id /srv/id/id.py", *lines) == [("/", "/srv/a.wsgi")]


def test_an_alias_of_the_main_server_comes_before_those_of_virtual_hosts():
    lines = [
        *section("VirtualHost *:80", ROOT),
        "Alias /id /srv/id.py",
        *section("Location /id", *EXECUTABLE, "WSGIApplicationGroup %{GLOBAL}"),
    ]

    assert entries_of(*lines) == [("/id", "/srv/id.py"), ("/", "/srv/a.wsgi")]
    assert aliases_of(*lines)[0].application_group == "%{GLOBAL}"


def test_scripts_among_the_files_of_a_folder_are_told_by_their_names():
    [entry] = entries_of(
        "Alias /eo /srv/eo",
        *section("Directory /srv/eo", "AddHandler wsgi-script .py", "Options ExecCGI"),
    )

    pattern = r"^/eo(/(?:[^/]+/)*?(?:[^/]+\.(?i:py)(?:\.[^/]*)?))(?=/|$)"
    assert entry == (pattern, "/srv/eo$1")


def test_scripts_of_a_document_root_come_last():
    found = entries_of(
        "DocumentRoot /srv/html",
        *section("Files *.wsgi", *EXECUTABLE),
        "WSGIScriptAlias /app /srv/a.wsgi",
    )

    assert found == [
        ("/app", "/srv/a.wsgi"),
        (r"^(/(?:[^/]+/)*?(?:[^/]*\.wsgi))(?=/|$)", "/srv/html$1"),
    ]


def test_a_virtual_host_runs_the_scripts_of_the_main_server_s_document_root():
    host = ["ServerName a.test", "WSGIScriptAlias /app /srv/a.wsgi"]
    host += section("Location /", *EXECUTABLE)

    found = settings_of("DocumentRoot /srv/html", *section("VirtualHost *:80", *host))

    aliases = [each.alias for each in found.entries]
    assert [(each.location, each.target, each.answer) for each in aliases] == [
        ("/app", "/srv/a.wsgi", None),
        ("/", "/srv/html", None),
    ]


def test_an_alias_match_takes_the_whole_url():
    lines = [r"AliasMatch ^/m/(\w+) /srv/$1.py", "SetHandler wsgi-script", "Options +ExecCGI"]

    assert entries_of(*lines) == [(r"^/m/(\w+).*", "/srv/$1.py")]


def test_an_access_rule_closes_such_an_entry_too():
    lines = [ROOT, "Alias /id /srv/id.py", *section("Location /id", *EXECUTABLE)]

    found = aliases_of(*lines, *section("Files id.py", "Require env x"))

    assert [(each.directive, each.location) for each in found] == [
        *(("deny", "/id"), ("WSGIScriptAlias", "/id"), ("WSGIScriptAlias", "/"))
    ]


def test_the_lines_that_make_an_entry_are_kept():
    notes = notes_of(ROOT, "Alias /id /srv/id.py", *section("Location /id", *EXECUTABLE))

    assert (notes[2], notes[4]) == ("kept: an entry", "kept: the entry of /id")


# What Apache answers itself


@pytest.mark.parametrize(
    ("line", "urls"),
    [
        pytest.param("Alias /static static", "/static", id="Alias of no known folder"),
        pytest.param("Redirect /old http://x/?", "/old", id="Redirect that drops the query"),
        pytest.param("Redirect 200 /old", "/old", id="Redirect with a status of no redirect"),
        pytest.param("RewriteRule ^/a /b [R]", "URLs that match ^/a", id="RewriteRule"),
        pytest.param("RewriteRule ^/a - [F]", "URLs that match ^/a", id="a rule that refuses"),
        pytest.param(
            "RewriteRule !^/a /b", "URLs that cannot be determined", id="a rule for all but"
        ),
        pytest.param("ProxyPass /p http://x/", "/p", id="ProxyPass"),
        pytest.param("UserDir public_html", "URLs that match ^/~", id="UserDir"),
    ],
)
def test_urls_that_are_taken_from_an_alias_are_said(line, urls):
    note = notes_of(line, ROOT)[1]

    assert f"{urls}: answered by the alias / here. " in note
    assert note.startswith("needs you: ")


def test_a_section_says_which_urls_a_handler_or_a_redirect_takes():
    notes = notes_of(
        ROOT,
        *section("Location /status", "SetHandler other-handler"),
        *section("LocationMatch ^/old", "Redirect http://x/"),
    )

    assert notes[3].startswith("needs you: /status: answered by the alias / here. ")
    assert notes[6].startswith("needs you: URLs that match ^/old: answered by the alias / here. ")


def test_urls_that_no_alias_answers_are_said_too():
    note = notes_of("ProxyPass /static http://x/", "WSGIScriptAlias /app /srv/a.wsgi")[1]

    assert note.startswith("needs you: /static: answered by no alias here. ")


@pytest.mark.parametrize(
    ("rule", "urls"),
    [
        pytest.param("RewriteRule x - [F]", ["^.*?(?:x)", "/$"], id="of all folders"),
        pytest.param("RewriteRule ^/f/.+ - [F]", ["^/f/.+", "^/f/$"], id="of one folder"),
        pytest.param("RewriteRule ^/f - [F]", ["^/f"], id="of no folder but those that it refuses"),
        pytest.param("RewriteRule ^/f/a.txt - [F]", ["^/f/a.txt", "^/f/$"], id="of another name"),
    ],
)
def test_a_rule_that_refuses_index_files_takes_their_folders(rule, urls):
    lines = ("RewriteEngine On", "RewriteCond %{THE_REQUEST} bot", rule, "DirectoryIndex a.txt")

    imported = import_lines(*lines, "Alias /f /srv/f")

    assert [each.region.location for each in imported.taken] == urls


def test_a_rule_that_only_sets_variables_takes_nothing():
    imported = import_lines(ROOT, "RewriteRule ^/a - [E=x:1]")

    assert imported.taken == ()


@pytest.mark.parametrize(
    ("alias", "category"),
    [
        pytest.param("WSGIScriptAlias /app /srv/a.wsgi", "changed", id="no alias takes /"),
        pytest.param("WSGIScriptAliasMatch ^/a /srv/a.wsgi", "changed", id="a pattern"),
        pytest.param(ROOT, "not needed", id="an alias takes /"),
        pytest.param("WSGIScriptAliasMatch ^/ /srv/a.wsgi", "not needed", id="a pattern takes all"),
    ],
)
def test_a_document_root_is_an_entry_where_no_alias_takes_all(alias, category):
    notes = notes_of(*section("VirtualHost *:80", "DocumentRoot /srv/html", alias))

    assert notes[2].startswith(f"{category}: ")


def test_the_fallback_s_comment_speaks_of_files_where_there_are_some():
    alias = "WSGIScriptAlias /app /srv/a.wsgi"

    found = [settings_of(*lines).others[-1] for lines in ([alias], ["DocumentRoot srv", alias])]

    assert [each.name for each in found] == ["WSGIMATCH_FALLBACK"] * 2
    assert [each.comment.split(".")[0] for each in found] == [
        "As in Apache, nothing answers what no alias matches",
        "What no alias matches is 404",
    ]


# Scripts that Apache sends as files

SENT = "SetHandler default-handler"
NOTE = 'note="Apache sends these scripts as files: site.conf:3", status=404'


@pytest.mark.parametrize(
    ("lines", "closed"),
    [
        pytest.param(section("Directory /srv", SENT), [f'deny("/", {NOTE})'], id="all of them"),
        pytest.param(section("Location /x", SENT), [f'deny("/x", {NOTE})'], id="some URLs"),
        pytest.param(
            [*section("Directory /srv", SENT), *section("Location /x", "SetHandler none")],
            [f'deny_match("^(?!/x(?:/|$))/", {NOTE})'],
            id="but for those of which a section takes that back",
        ),
        pytest.param(
            [*section("Location /x", SENT), *section("Location /x/y", "Require env z")],
            [
                'deny("/x/y", note="an access rule of Apache stood here: site.conf:6")',
                f'deny("/x", {NOTE})',
            ],
            id="behind an access rule",
        ),
        pytest.param(section("Files b.wsgi", SENT), [], id="another script"),
        pytest.param(section("If true", SENT), [], id="URLs that nobody knows"),
    ],
)
def test_scripts_that_apache_sends_as_files_are_404(lines, closed):
    assert entry_lines(ROOT, *lines)[:-1] == closed


def test_it_is_said_of_which_urls_a_script_is_not_run():
    notes = notes_of(ROOT, *section("Location /x", SENT))

    assert notes[3] == (
        "changed: /x: 404, where Apache sends a script as it is, and finds nothing below it"
    )


def test_a_handler_for_scripts_that_nobody_knows_needs_you():
    notes = notes_of("WSGIScriptAlias /s /srv/s", *section("Files b.wsgi", SENT))

    assert notes[3].startswith("needs you")
