"""Rules of mod_rewrite that ask whether a file is there."""

from __future__ import annotations

import pytest

from django_wsgimatch.apache.covering.coverage import FileKind
from django_wsgimatch.apache.writing.fragment import values
from tests.support.imports import aliases_of, notes_of, section, settings_of

APP = "WSGIScriptAlias /app /srv/app.wsgi"
BEFORE = ["DocumentRoot /srv/www", "RewriteEngine On"]
FILES: dict[str, FileKind] = {"/srv": "directory", "/srv/www": "directory"}
NO_PROGRAMS = r"(?!.*?(?:\.(?:php\d?|phtml|phps|phar)(?:\.|$)))"
FOUND = 'RewriteCond "/srv/theme/$1" -f'
THEME = 'RewriteRule "^/static/(.*)" "/srv/theme/$1" [L]'


def first_of(*lines):
    """The files that come first: kind, location, target and options."""
    found = values(settings_of(*BEFORE, *lines, files=FILES)).get("WSGIMATCH_FILES_FIRST", [])
    return [(each["kind"], each["location"], each["target"], each["options"]) for each in found]


@pytest.mark.parametrize(
    ("lines", "first"),
    [
        pytest.param(
            [FOUND, THEME],
            ("AliasMatch", "^/static/(.*)", "/srv/theme/$1", {}),
            id="the file that the rule leads to",
        ),
        pytest.param(
            [
                "RewriteCond %{DOCUMENT_ROOT}/s/$1 -f",
                "RewriteRule ^/x/(.*)$ %{DOCUMENT_ROOT}/s/$1 [L]",
            ],
            ("AliasMatch", f"^{NO_PROGRAMS}/x/(.*)$", "/srv/www/s/$1", {}),
            id="below DocumentRoot",
        ),
        pytest.param(
            [
                "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} -f",
                "RewriteRule ^(.*)$ %{DOCUMENT_ROOT}$1 [L]",
            ],
            ("AliasMatch", f"^{NO_PROGRAMS}/(.*)$", "/srv/www/$1", {}),
            id="the file that the URL names",
        ),
        pytest.param(
            [
                "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} -f",
                "RewriteRule .* %{DOCUMENT_ROOT}%{REQUEST_URI} [L]",
            ],
            ("AliasMatch", f"^{NO_PROGRAMS}/(.*)$", "/srv/www/$1", {}),
            id="the file that the URL names, without a pattern",
        ),
        pytest.param(
            [
                "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-f",
                "RewriteRule ^/page/.* %{DOCUMENT_ROOT}/index.html [L]",
            ],
            ("AliasMatch", f"^{NO_PROGRAMS}(?=/page/.*)(?s:/.*)", "/srv/www$0", {}),
            id="what is no file",
        ),
        pytest.param(
            [
                "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-f",
                "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-d",
                "RewriteCond %{REQUEST_URI} !^/app",
                "RewriteRule ^ /srv/www/index.html [L]",
            ],
            (
                "AliasMatch",
                f"^{NO_PROGRAMS}(?!/app)(?s:/.*)",
                "/srv/www$0",
                {"index": ["index.html"]},
            ),
            id="what is neither file nor folder",
        ),
    ],
)
def test_files_that_a_rule_asks_for_come_first(lines, first):
    assert first_of(*lines, APP) == [first]


def test_the_report_says_so_of_the_rule_and_its_condition():
    notes = notes_of(*BEFORE, FOUND, THEME, APP, files=FILES)

    assert notes[4].startswith("changed: WSGIMATCH_FILES_FIRST")
    assert notes[3].startswith("kept")


def test_what_a_rule_answers_otherwise_is_its_entry():
    found = aliases_of(
        *BEFORE,
        "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-f",
        "RewriteRule ^/page/.* %{DOCUMENT_ROOT}/index.html [L]",
        APP,
        files=FILES,
    )

    assert [(each.location, each.target) for each in found if each.target] == [
        ("^/page/.*", "/srv/www/index.html"),
        ("/app", "/srv/app.wsgi"),
        ("/", "/srv/www/"),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            ["RewriteCond /srv/other/$1 -f", THEME], id="another file than the rule leads to"
        ),
        pytest.param(["RewriteCond %{REQUEST_FILENAME} -f", THEME], id="no file's name yet"),
        pytest.param(['RewriteCond "/srv/theme/$1" -s', THEME], id="a file that is not empty"),
        pytest.param(['RewriteCond "/srv/theme/$1" -f [OR]', THEME], id="an open alternative"),
        pytest.param([FOUND, "RewriteCond %{HTTP_HOST} x", THEME], id="another condition"),
        pytest.param(
            [FOUND, 'RewriteRule "^/static/(.*)" "/srv/theme/$1" [L,PT]'], id="a URL, not a file"
        ),
        pytest.param([FOUND, 'RewriteRule "^/static/(.*)" "/x" [R,L]'], id="a redirect"),
        pytest.param([FOUND, THEME, "Redirect /static /x"], id="a redirect of the same URLs"),
        pytest.param(
            ["RewriteRule ^/static/a /srv/b [L]", FOUND, THEME], id="an earlier rule of its URLs"
        ),
        pytest.param(
            [FOUND, THEME, *section("Directory /srv/theme", "Require ip 10")],
            id="a folder that not everybody may read",
        ),
        pytest.param(
            [FOUND, THEME, *section("Files *.key", "Require all denied")],
            id="files that nobody may read",
        ),
        pytest.param(
            [FOUND, THEME, *section("Directory /srv/theme", "SetHandler wsgi-script")],
            id="files that are run",
        ),
        pytest.param(
            [
                "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-f",
                "RewriteRule ^ /srv/www/index.html [L]",
            ],
            id="what a script answers where there is a file",
        ),
    ],
)
def test_what_would_answer_otherwise_does_not_come_first(lines):
    assert first_of(*lines, APP) == []


def test_of_several_hosts_nothing_comes_first():
    hosts = [
        line
        for name in ("a", "b")
        for line in section(
            "VirtualHost *:80",
            f"ServerName {name}.test",
            *BEFORE,
            FOUND.replace("theme", name),
            THEME.replace("theme", name),
            APP.replace("app.wsgi", f"{name}.wsgi"),
        )
    ]

    assert first_of(*hosts) == []


def test_a_host_that_only_redirects_to_the_other_one_is_none_of_several():
    hosts = [
        *section("VirtualHost *:80", "ServerName a.test", "Redirect / https://a.test/"),
        *section("VirtualHost *:443", "ServerName a.test", *BEFORE, FOUND, THEME, APP),
    ]

    settings = settings_of(*hosts, files=FILES)

    assert [each.alias.location for each in settings.first] == ["^/static/(.*)"]
