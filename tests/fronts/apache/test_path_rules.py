"""Rules that compare with the path of a file, and what is said of URLs in their place."""

from __future__ import annotations

import pytest

from django_wsgimatch.fronts.apache.lines.quoting import raw_words
from tests.fronts.apache.exporting import export, passed

SCRIPT = "WSGIScriptAlias / /srv/app/app.wsgi"
FOLDER = "WSGIScriptAlias /s /srv/scripts"
CLOSED = [
    *("<IfModule mod_alias.c>", "RedirectMatch 403 ^", "</IfModule>"),
    '<If "true">',
    "Require all denied",
    "<IfModule mod_access_compat.c>",
    "Order allow,deny",
    "Deny from all",
    "</IfModule>",
    "</If>",
]


def host(*lines: str) -> str:
    return "\n".join(["<VirtualHost *:80>", *lines, "</VirtualHost>", ""])


def said(alias: str, *rules: str, place: str = "Directory /srv/app") -> list[str]:
    """The lines that an export writes of rules in a section, for the URLs of an entry."""
    section = [f"<{place}>", "RewriteEngine On", *rules, f"</{place.split()[0]}>"]
    lines = passed(host(alias, *section))
    start = next(n for n, line in enumerate(lines) if line.startswith("<Proxy"))
    end = next(n for n, line in enumerate(lines) if line.startswith("</Proxy"))
    return lines[start + 1 : end]


@pytest.mark.parametrize(
    ("alias", "place", "conditions"),
    [
        pytest.param(
            SCRIPT,
            "Directory /srv/app",
            ["%{REQUEST_URI} ^((?s:.*))", "app.wsgi%1 x"],
            id="the folder of a script",
        ),
        pytest.param(
            "WSGIScriptAlias /a /srv/app/app.wsgi",
            "Directory /",
            ["%{REQUEST_URI} ^/a((?s:.*))", "srv/app/app.wsgi%1 x"],
            id="a folder above",
        ),
        pytest.param(
            "WSGIScriptAlias /a/ /srv/app/app.wsgi/",
            "Files app.wsgi",
            ["%{REQUEST_URI} ^/a/((?s:.*))", "/srv/app/app.wsgi/%1 x"],
            id="the name of a script, with slashes",
        ),
        pytest.param(
            FOLDER,
            "Directory /srv/scripts",
            ["%{REQUEST_URI} ^/s/((?s:.*))", "%1 x"],
            id="a folder of scripts",
        ),
        pytest.param(
            FOLDER,
            "Directory /srv/scripts/sub",
            ["%{REQUEST_URI} ^/s/sub/((?s:.*))", "%1 x"],
            id="a folder below one of scripts",
        ),
        pytest.param(
            SCRIPT,
            'Directory ~ "/srv"',
            ["%{REQUEST_URI} ^((?s:.*))", "app/app.wsgi%1 x"],
            id="a pattern that is a folder",
        ),
        pytest.param(
            SCRIPT,
            "Directory /srv//app/",
            ["%{REQUEST_URI} ^((?s:.*))", "app.wsgi%1 x"],
            id="a folder with slashes",
        ),
        pytest.param(
            "WSGIScriptAlias /a /srv/$a/app.wsgi",
            "Directory /srv",
            ["%{REQUEST_URI} ^/a((?s:.*))", r"\$a/app.wsgi%1 x"],
            id="what would be expanded",
        ),
    ],
)
def test_a_pattern_is_compared_with_the_path_that_the_url_stands_for(alias, place, conditions):
    found = said(alias, "RewriteRule x - [F]", place=place)

    assert found == [
        "RewriteEngine On",
        *(f"RewriteCond {each}" for each in conditions),
        "RewriteRule ^ - [F]",
    ]


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        pytest.param(
            [r"RewriteRule !^app\.wsgi/x /y [NC,G]"],
            [r"RewriteCond app.wsgi%1 !^app\.wsgi/x [NC]", "RewriteRule ^ - [NC,G]"],
            id="a pattern that must not match, in any case",
        ),
        pytest.param(
            ['RewriteRule "a b" https://x.test/ [R]'],
            ['RewriteCond app.wsgi%1 "a b"', "RewriteRule ^ https://x.test/ [R]"],
            id="a redirect elsewhere, and blanks",
        ),
        pytest.param(
            ["RewriteRule -f$ - [F]"],
            ["RewriteCond app.wsgi%1 (?:)-f$", "RewriteRule ^ - [F]"],
            id="what a condition would take for a test",
        ),
        pytest.param(
            ["RewriteCond %{HTTPS} on [OR]", "RewriteRule x - [F]"],
            ["RewriteCond app.wsgi%1 x", "RewriteCond %{HTTPS} on [OR]", "RewriteRule ^ - [F]"],
            id="a condition, behind which an OR has nothing",
        ),
    ],
)
def test_a_rule_keeps_what_it_says_else(rules, lines):
    _, _, *found = said(SCRIPT, *rules)

    assert found == lines


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(["RewriteRule x /y [L]"], id="another file"),
        pytest.param(["RewriteRule (x) https://x.test/$1 [R]"], id="a capture"),
        pytest.param(["RewriteCond $0 y", "RewriteRule x - [F]"], id="a capture in a condition"),
        pytest.param(
            ["RewriteCond %{REQUEST_FILENAME} -f", "RewriteRule x - [F]"], id="the file itself"
        ),
        pytest.param(
            ["RewriteCond %{REQUEST_FILENAME} -f", "RewriteRule ^ - [F]"],
            id="the file itself, for all URLs",
        ),
        pytest.param(["RewriteCond $1 app", "RewriteRule (.*) - [F]"], id="the path as a capture"),
        pytest.param(["RewriteRule ^ - [F]", "RewriteOptions Inherit"], id="rules from elsewhere"),
        pytest.param(["RewriteRule x - [E=a:1]"], id="a variable"),
        pytest.param(["""RewriteRule x"y - [F]"""], id="a quote"),
    ],
)
def test_what_cannot_be_said_of_urls_is_closed(rules):
    assert said(SCRIPT, *rules) == CLOSED


def test_a_switch_in_another_section_counts():
    lines = passed(
        host(
            SCRIPT,
            *("<Directory /srv>", "RewriteEngine On", "</Directory>"),
            *("<Directory /srv/app>", "RewriteRule ^ - [F]", "</Directory>"),
        )
    )

    section = lines.index('<Proxy "http://127.0.0.1:8000/*">')
    assert lines[section + 1 : section + 6] == [
        "RewriteEngine On",
        "</Proxy>",
        "# <Directory /srv/app> of /c/site.conf:6:",
        '<Proxy "http://127.0.0.1:8000/*">',
        "RewriteRule ^ - [F]",
    ]


def test_urls_that_are_no_paths_are_refused_first():
    found = said(f"MergeSlashes Off\n{SCRIPT}", "RewriteRule x - [F]")

    assert found[1:3] == [
        r"RewriteCond %{REQUEST_URI} //|/\.\.?(?:/|$)",
        "RewriteRule ^ - [F]",
    ]


def test_captures_of_a_pattern_are_part_of_the_path():
    found = said(
        r"WSGIScriptAliasMatch ^/t/(\w+) /srv/t/$1.wsgi",
        "RewriteRule ^a - [F]",
        place="Directory /srv",
    )

    uri = r"RewriteCond %{REQUEST_URI} ^(?:/t/(\w+))((?s:.*))"
    assert found == [
        "RewriteEngine On",
        *(uri, r"RewriteCond t/%1.wsgi%2 //|/\.\.?(?:/|$)", "RewriteRule ^ - [F]"),
        *(uri, "RewriteCond t/%1.wsgi%2 ^a", "RewriteRule ^ - [F]"),
    ]


def test_a_rule_of_a_location_is_said_for_each_entry_and_stays_for_what_is_not_passed_on():
    lines = passed(
        host(
            *("WSGIScriptAlias /a /srv/app/app.wsgi", SCRIPT, "<Location />", "RewriteEngine On"),
            *("RewriteCond %{HTTPS} off", "RewriteRule app - [F]", "</Location>"),
        )
    )

    section = lines.index("<Location />")
    assert lines[section + 2 :] == [
        "RewriteCond %{REQUEST_URI} ^(?=/a(?:/|$))/a((?s:.*))",
        "RewriteCond srv/app/app.wsgi%1 app",
        "RewriteCond %{HTTPS} off",
        "RewriteRule ^ - [F]",
        "RewriteCond %{REQUEST_URI} ^(?!/a(?:/|$))(?=/)((?s:.*))",
        "RewriteCond srv/app/app.wsgi%1 app",
        "RewriteCond %{HTTPS} off",
        "RewriteRule ^ - [F]",
        "RewriteCond %{REQUEST_FILENAME} !^proxy:",
        "RewriteCond %{HTTPS} off",
        "RewriteRule app - [F]",
        "</Location>",
        "</VirtualHost>",
    ]


@pytest.mark.parametrize(
    ("lines", "urls"),
    [
        pytest.param(
            ["<Location /a>", "RewriteRule (x) /$1", "</Location>"], "/a", id="a rule of a location"
        ),
        pytest.param(
            ["<Location /a>", "RewriteCond $1 x", "RewriteRule (.*) - [F]", "</Location>"],
            "/a",
            id="the path as a capture",
        ),
        pytest.param(
            ["<Location /a>", "RewriteRule ^ - [S=1]", "RewriteRule x - [L]", "</Location>"],
            "/a",
            id="a rule that another one jumps over",
        ),
        pytest.param(
            ["<Location /a>", 'Require expr "%{PATH_INFO} == 1"', "</Location>"], "/a", id="a rule"
        ),
        pytest.param(
            ['<If "-f %{REQUEST_FILENAME}">', "Require all denied", "</If>"],
            "all URLs of this host",
            id="a condition",
        ),
        pytest.param(
            ["RewriteCond %{LA-U:PATH_INFO} x", "RewriteRule ^ - [F]"],
            "all URLs of this host",
            id="a look ahead",
        ),
    ],
)
def test_a_line_that_stays_and_asks_for_a_file_closes_its_urls(lines, urls):
    [refused] = export(host(SCRIPT, *lines)).refused

    reason = "it compares with a file, which no URL that is passed on has"
    assert refused.note == f"{urls}: 403, as {reason}"


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["RewriteCond %{REQUEST_FILENAME} !-f", "RewriteRule ^/x - [F]"], id="server"),
        pytest.param(["RewriteCond %{LA-U:REMOTE_USER} x", "RewriteRule ^/x - [F]"], id="a user"),
        pytest.param(["<Location /a>", "RewriteRule ^ - [F]", "</Location>"], id="all URLs"),
        pytest.param(['Header set X-A "%{PATH_INFO}e"'], id="a header"),
    ],
)
def test_a_line_that_says_the_same_of_a_url_stays(lines):
    found = export(host(SCRIPT, *lines))

    assert found.refused == []
    assert [each for each in lines if each not in found.text] == []


def test_a_rule_for_the_name_of_one_script_of_a_folder_holds_where_that_name_stands():
    lines = passed(
        host(FOLDER, "<Files a.wsgi>", "RewriteEngine On", "RewriteRule /x - [F]", "</Files>")
    )

    assert lines[4:9] == [
        '<ProxyMatch "^http://127\\\\.0\\\\.0\\\\.1:8000(?=(?=.*/(?:a\\\\.wsgi)(?:/|$))/s(?=/|$))">',
        "RewriteEngine On",
        "RewriteCond %{REQUEST_URI} ^/s((?s:.*))",
        "RewriteCond /srv/scripts%1 /x",
        "RewriteRule ^ - [F]",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param(r"^a\.b - [F]", [r"^a\.b", "-", "[F]"], id="a backslash"),
        pytest.param(r'"^a\\.b c" -', [r"^a\\.b c", "-"], id="quotes"),
        pytest.param(r"a\ b  -", [r"a\ b", "-"], id="a blank behind a backslash"),
        pytest.param("'a \"b' -", ['a "b', "-"], id="the other quotes"),
    ],
)
def test_words_of_mod_rewrite_keep_their_backslashes(line, words):
    assert raw_words(line) == words


MAIN = ["<Location />", "RewriteEngine On", "RewriteCond %{HTTPS} off", "RewriteRule a - [F]"]


def test_sections_of_the_main_server_are_written_anew_for_each_host():
    text = "\n".join([*MAIN, "</Location>", "<Location /x>", "RewriteRule ^ - [L]", "</Location>"])

    lines = [line.strip() for line in export(f"{text}\n{host(SCRIPT)}").text.splitlines()]

    start = lines.index("<Location />", lines.index("</Location>"))
    assert lines[start : start + 13] == [
        "<Location />",
        "RewriteEngine On",
        "RewriteCond %{REQUEST_URI} ^(?=/)((?s:.*))",
        "RewriteCond srv/app/app.wsgi%1 a",
        "RewriteCond %{HTTPS} off",
        "RewriteRule ^ - [F]",
        "RewriteCond %{REQUEST_FILENAME} !^proxy:",
        "RewriteCond %{HTTPS} off",
        "RewriteRule a - [F]",
        "</Location>",
        "<Location /x>",
        "RewriteRule ^ - [L]",
        "</Location>",
    ]


@pytest.mark.parametrize(
    ("main", "own"),
    [
        pytest.param(
            [], ["<Location /y>", "RewriteEngine On", "</Location>"], id="rules of a host"
        ),
        pytest.param(["RewriteOptions Inherit"], [], id="options"),
        pytest.param(["RewriteRule ^ - [C]", "RewriteRule ^ - [F]"], [], id="a chain"),
        pytest.param(["RewriteRule (.) /$1"], [], id="a rule that cannot be said"),
    ],
)
def test_sections_of_the_main_server_close_their_urls_where_they_cannot(main, own):
    text = "\n".join([*MAIN, *main, "</Location>"])

    found = export(f"{text}\n{host(SCRIPT, *own)}")

    assert found.refused
    assert "RewriteCond srv/app" not in found.text
