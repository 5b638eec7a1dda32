"""Alias, DocumentRoot and Redirect as entries: what they say, what closes them, in which order."""

from __future__ import annotations

import pytest

from django_wsgimatch.apache.importing import import_configuration
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.apache.reading.reading import read_text
from tests.support.imports import entry_lines, notes_of, section

APP = "WSGIScriptAlias /app /srv/app.wsgi"
FILES = "Alias /f /srv/files"
GRANTED = section("Directory /srv/files", "Require all granted")
SHUT = section("Directory /", "Require all denied")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["Alias /f /srv/files"], ['alias("/f", "/srv/files")'], id="Alias"),
        pytest.param(
            [r"AliasMatch ^/(\w+)\.css$ /srv/css/$1"],
            [r'alias_match(r"^/(\w+)\.css$", "/srv/css/$1")'],
            id="AliasMatch",
        ),
        pytest.param(
            ["ServerRoot /etc/apache2", "Alias /f files"],
            ['alias("/f", "/etc/apache2/files")'],
            id="a path relative to ServerRoot",
        ),
        pytest.param(
            [
                "Alias /f /srv/files",
                *section("Directory /srv/files", "DirectoryIndex a b", "DirectoryIndex c"),
            ],
            ['alias("/f", "/srv/files", index=["a", "b", "c"])'],
            id="index files",
        ),
        pytest.param(
            ["Alias /f /srv/files", "DirectoryIndex index.php /cgi/x a.html"],
            ['alias("/f", "/srv/files", index=["a.html"])'],
            id="index files that are no programs",
        ),
        pytest.param(
            [
                "Alias /f /srv/files",
                *section("Directory /srv/files", "DirectoryIndex a", "DirectoryIndex disabled"),
            ],
            ['alias("/f", "/srv/files", index=[])'],
            id="no index file",
        ),
        pytest.param(
            [
                "Alias /f /srv/files",
                *section("Directory /srv/files/x", "Options SymLinksIfOwnerMatch"),
            ],
            ['alias("/f", "/srv/files", follow_symlinks="owner")'],
            id="links that a part does not follow",
        ),
        pytest.param(
            ["Redirect /o http://x/", "RedirectMatch 301 ^/p(.*) http://x$1", "Redirect gone /q"],
            [
                'redirect("/o", "http://x/", status=302)',
                'redirect_match("^/p(.*)", "http://x$1", status=301)',
                'redirect("/q", status=410)',
            ],
            id="redirects",
        ),
        pytest.param(
            ["Alias /a /srv/a", "Redirect /a/o http://x/"],
            ['redirect("/a/o", "http://x/", status=302)', 'alias("/a", "/srv/a")'],
            id="redirects before files",
        ),
        pytest.param(
            section("Location /o", "Redirect 301 http://x/"),
            ['redirect_match("^/o(?=/|$)", "http://x/", status=301)'],
            id="a redirect of a whole Location",
        ),
        pytest.param(
            section("Location /o", "Redirect /o/p http://x/"),
            ['redirect("/o/p", "http://x/", status=302)'],
            id="a redirect in a Location",
        ),
    ],
)
def test_what_answers_without_a_script_is_an_entry(lines, expected):
    assert entry_lines(*lines, APP) == [*expected, 'script_alias("/app", "/srv/app.wsgi")']


def test_document_root_is_the_last_entry():
    whole = ["LoadModule mpm_event_module x.so", "LoadModule wsgi_module x.so"]

    found = entry_lines(*whole, "DocumentRoot /srv/html", APP)

    assert found[-2:] == ['script_alias("/app", "/srv/app.wsgi")', 'document_root("/srv/html/")']


@pytest.mark.parametrize(
    ("lines", "closed"),
    [
        pytest.param(SHUT, ["/f"], id="nothing grants the folder"),
        pytest.param([*SHUT, *GRANTED], [], id="a section grants it"),
        pytest.param(section("Location /f/x", "Require ip 10"), ["/f/x"], id="a Location"),
        pytest.param(section("Directory /srv/files/x", "Require user x"), ["/f/x"], id="a folder"),
        pytest.param(
            section("Files a.txt", "Require all denied"),
            [r"^(?=.*/(?:a\.txt)(?:/|$))/f(?=/|$)"],
            id="the name of a file",
        ),
        pytest.param(section("Directory /srv/files", "SetHandler x"), ["/f"], id="a handler"),
        pytest.param(["SetHandler wsgi-script"], ["/f"], id="scripts that may not run"),
        pytest.param(
            section("Location /f", "SetHandler none"), [], id="a handler that sends files"
        ),
        pytest.param(
            ["AddHandler cgi-script .cgi"],
            [r"^(?=.*/[^/]*?(?:\.(?i:cgi)(?:\.|(?=/|$))))/f(?=/|$)"],
            id="programs by their names",
        ),
        pytest.param(
            ["AddType application/x-httpd-php .php"],
            [r"^(?=.*/[^/]*?(?:\.(?i:php)(?:\.|(?=/|$))))/f(?=/|$)"],
            id="programs by their type",
        ),
        pytest.param(["AddType text/x-y .y"], [], id="another type"),
        pytest.param(["ScriptAlias /f/cgi /srv/files/cgi"], ["/f/cgi"], id="CGI scripts"),
        pytest.param(["ProxyPass /f/p http://x/"], ["/f/p"], id="a proxy"),
        pytest.param(
            ["ProxyPass /f !", "ProxyPass / http://x/"],
            [r"^(?=(?!/f(?:/|$))(?=/))/f(?=/|$)"],
            id="a proxy for all but the files",
        ),
        pytest.param(
            ["RewriteEngine On", "RewriteRule ^/f/(.*) /app/$1 [PT,E=A:1]"],
            [r"^(?=/f/(?:.*))/f(?=/|$)"],
            id="a rule that sends their URLs elsewhere",
        ),
        pytest.param(
            [
                *("RewriteEngine On", "RewriteCond /srv/other%{REQUEST_URI} !-f"),
                "RewriteRule ^/f/(.*) /app/$1 [PT]",
            ],
            [],
            id="a rule for what is no file",
        ),
    ],
)
def test_what_apache_does_not_send_is_closed_before_the_files(lines, closed):
    found = entry_lines("Alias /f /srv/files", *lines, carries=False)

    denied = [each for each in found if each.startswith("deny")]
    assert [each.split('"')[1] for each in denied] == closed
    assert found == [*denied, 'alias("/f", "/srv/files")']


def test_a_redirect_answers_before_an_access_rule_and_one_in_a_location_behind_it():
    found = entry_lines(
        "Redirect /a/o http://x/",
        "Alias /a /srv/a",
        *section("Location /a", "Require user x", "Redirect /a/p http://y/"),
    )

    assert [each.partition(",")[0] for each in found] == [
        *('redirect("/a/o"', 'deny("/a"', 'redirect("/a/p"', 'alias("/a"')
    ]


def test_a_redirect_of_all_of_a_location_comes_before_other_redirects_and_access_rules():
    found = entry_lines(
        *("RewriteEngine On", "RewriteRule ^/a/w http://w/ [R,L]", "Redirect /a http://x/"),
        *section("Location /a/x", "Redirect 301 http://y/"),
        *section("Location /a/x/y", "RedirectTemp http://z/", "Require env x"),
        APP,
    )

    assert [each.partition(", ")[0] for each in found] == [
        *('redirect_match("^/a/w"', 'redirect_match("^/a/x/y(?=/|$)"'),
        *('redirect_match("^/a/x(?=/|$)"', 'redirect("/a"', 'script_alias("/app"'),
    ]


def test_an_index_file_that_a_rule_closes_does_not_answer_for_its_folder():
    found = entry_lines("Alias /f /srv/files", *section("Files index.html", "Require ip 10"))

    assert found[-1] == 'alias("/f", "/srv/files", index=[])'


@pytest.mark.parametrize(
    ("pattern", "closed"),
    [
        pytest.param("/srv/*/in", ["^(?=/f/in(?:/|$))/f(?=/|$)"], id="one below it"),
        pytest.param("/*/files/?/in", ["^(?=/f/[^/]/in(?:/|$))/f(?=/|$)"], id="some below it"),
        pytest.param("/srv/f*", ["/f"], id="itself"),
        pytest.param("/srv/x*/in", [], id="another one"),
    ],
)
def test_a_folder_with_wildcards_closes_the_urls_of_the_folders_that_it_names(pattern, closed):
    folder = section(f'Directory "{pattern}"', "AuthType Digest", "Require valid-user")

    found = entry_lines("Alias /f /srv/files", *folder, APP)

    assert [each.split('"')[1] for each in found if each.startswith("deny")] == closed


@pytest.mark.parametrize(
    ("lines", "closed"),
    [
        pytest.param(
            section("Files *.bak", "Require all denied"),
            [r"^(?=.*/(?:[^/]*\.bak)(?:/|$))(?!/f/run(?:/|$))/f((?:/(?s:.*))?)\z"],
            id="some names",
        ),
        pytest.param(
            section("Directory /srv/files/in", "AuthType Digest", "Require valid-user"),
            [r"^(?=.*/in(?:/|$))(?!/f/run(?:/|$))/f((?:/(?s:.*))?)\z"],
            id="a folder in it",
        ),
        pytest.param(
            section("Directory /srv/other", "Require all denied"), [], id="another folder"
        ),
    ],
)
def test_of_files_among_which_a_script_lies_no_more_is_closed(lines, closed):
    found = entry_lines(
        *("Alias /f/run /srv/run.wsgi", "Alias /f /srv/files", *lines),
        *section("Location /f/run", "SetHandler wsgi-script", "Options +ExecCGI"),
    )

    denied = [each.split('"')[1] for each in found if each.startswith("deny")]
    assert [each for each in denied if "/f((" in each] == closed


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        pytest.param(
            [r"RewriteRule \.html$ - [F]"],
            [r'deny_match(r"\.html$")', 'alias("/f", "/srv/files", index=[])'],
            id="in all folders",
        ),
        pytest.param(
            ["RewriteCond %{HTTP_USER_AGENT} bot", "RewriteRule x - [F]"],
            [
                'rewrite("x", status=403, when={"HTTP_USER_AGENT": "bot"})',
                'alias("/f", "/srv/files", index=[])',
            ],
            id="in all folders, for some requests",
        ),
        pytest.param(
            ["RewriteRule ^/f/a/.+ - [F]"],
            ['deny_match("^/f/a/.+")', 'deny_match("^/f/a/$")', 'alias("/f", "/srv/files")'],
            id="in one folder",
        ),
        pytest.param(
            ["RewriteCond %{HTTP_USER_AGENT} bot", "RewriteRule ^/f/(a|b)/i - [G]"],
            [
                'rewrite("^/f/(a|b)/i", status=410, when={"HTTP_USER_AGENT": "bot"})',
                'rewrite("^/f/a/$", status=410, when={"HTTP_USER_AGENT": "bot"})',
                'rewrite("^/f/b/$", status=410, when={"HTTP_USER_AGENT": "bot"})',
                'alias("/f", "/srv/files")',
            ],
            id="in two folders, for some requests",
        ),
        pytest.param(
            [r"RewriteRule ^/f/a/\w+/index - [F]"],
            [
                r'deny_match(r"^/f/a/\w+/index")',
                r'deny_match("^/f/a/(?s:.+)/$")',
                'alias("/f", "/srv/files")',
            ],
            id="in the folders of one folder",
        ),
        pytest.param(
            ["Redirect gone /f/a/index.html"],
            [
                'redirect("/f/a/index.html", status=410)',
                'redirect_match("^/f/a/$", status=410)',
                'alias("/f", "/srv/files")',
            ],
            id="by a redirect",
        ),
        pytest.param(
            ["Redirect gone /app/index.html"],
            ['redirect("/app/index.html", status=410)', 'alias("/f", "/srv/files")'],
            id="where a script answers the folder",
        ),
        pytest.param(
            ["RewriteRule ^/f/a - [F]"],
            ['deny_match("^/f/a")', 'alias("/f", "/srv/files")'],
            id="with the folder",
        ),
    ],
)
def test_a_folder_is_refused_as_its_index_file_is(lines, found):
    entries = entry_lines("RewriteEngine On", *lines, "Alias /f /srv/files", APP)

    assert entries[:-1] == found


def test_files_are_without_the_scripts_that_lie_among_them():
    found = entry_lines(
        "Alias /f/run /srv/run.wsgi",
        "Alias /f /srv/files",
        *section("Location /f/run", "SetHandler wsgi-script", "Options +ExecCGI"),
    )

    assert found == [
        r'alias_match(r"^(?!/f/run(?:/|$))/f((?:/(?s:.*))?)\z", "/srv/files$1")',
        'script_alias("/f/run", "/srv/run.wsgi")',
    ]


def test_a_virtual_host_has_the_files_of_the_main_server_before_its_scripts():
    found = entry_lines(
        "Alias /f /srv/files",
        "Redirect /o http://x/",
        *section("VirtualHost *:80", "Alias /g /srv/g", "WSGIScriptAlias / /srv/a.wsgi"),
    )

    assert found == [
        'redirect("/o", "http://x/", status=302)',
        'alias("/g", "/srv/g")',
        'alias("/f", "/srv/files")',
        'script_alias("/", "/srv/a.wsgi")',
    ]


def test_a_redirect_of_another_port_is_named():
    notes = notes_of(
        *section("VirtualHost *:80", "ServerName a.test", "Redirect / https://a.test/"),
        *section("VirtualHost *:443", "ServerName a.test", "WSGIScriptAlias / /srv/a.wsgi"),
    )

    assert notes[3] == (
        "needs you: /: other entries answer it here: a table cannot tell addresses apart. "
        "`import --address` writes those of one address. If it is for plain HTTP alone, "
        "WSGIMATCH_PLAIN_HTTP can have it"
    )


@pytest.mark.parametrize(
    ("options", "note"),
    [
        pytest.param("Indexes", "a folder without an index file is not listed", id="Indexes"),
        pytest.param("+MultiViews", "files are asked for by their whole names", id="MultiViews"),
    ],
)
def test_what_options_no_longer_do_is_told(options, note):
    notes = notes_of("Alias /f /srv/files", *section("Location /f", f"Options {options}"))

    assert notes[3].startswith(f"changed: {note}")


@pytest.mark.parametrize(
    ("modules", "is_closed"),
    [
        pytest.param(None, True, id="nobody says which modules there are"),
        pytest.param(["mime", "php8.2_module"], True, id="the module of PHP"),
        pytest.param(["mod_proxy_fcgi.c"], True, id="a module that passes files on"),
        pytest.param(["mime_module", "wsgi", "dir"], False, id="no module that runs files"),
    ],
)
def test_files_that_another_file_of_the_server_may_have_run_are_closed(modules, is_closed):
    given = Surroundings(modules=None if modules is None else frozenset(modules))
    read = read_text("DocumentRoot /srv/html\n", "site.conf", given)

    settings = import_configuration(read, lambda path: "missing").settings

    assert settings is not None
    assert ["php" in each.alias.location for each in settings.entries] == [True] * is_closed + [
        False
    ]
