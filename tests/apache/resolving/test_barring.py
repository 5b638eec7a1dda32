"""Rules of mod_rewrite and mod_alias that answer with an error: closed, or told of first."""

from __future__ import annotations

import re
from random import Random

import pytest

from django_wsgimatch.aliases.alias import Alias, Denial, Redirection
from django_wsgimatch.aliases.table import compile_location
from django_wsgimatch.cli.imports import protected_lines
from tests.conformance.made.random_access import random_refusals
from tests.conformance.silence import compare_random
from tests.support.imports import aliases_of, import_lines, notes_of, settings_of
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED
from tests.thorough import mostly_thorough

ALIAS = "WSGIScriptAlias / /srv/a/a.wsgi"
ON = "RewriteEngine On"
URLS = ("/", "/a", "/A/x", "/a/x", "/a/x/y", "/b", "/b/x", "/c.php", "/a/c.php", "/aa")


def section(start: str, *lines: str) -> list[str]:
    """Lines in a section."""
    return [f"<{start}>", *lines, f"</{start.split()[0]}>"]


def is_closed(alias: Alias, url: str) -> bool:
    match alias.answer:
        case Denial():
            pass
        case Redirection(_, status) if status >= 400:
            pass
        case _:
            return False
    if alias.kind == "plain":
        return url == alias.location or url.startswith(alias.location.rstrip("/") + "/")
    found = compile_location(alias)
    return found.find(url) is not None


def closed(*lines: str) -> str:
    """Those of the URLs that are closed, one after the other."""
    aliases = aliases_of(*lines, ALIAS)
    return " ".join(url for url in URLS if any(is_closed(each, url) for each in aliases))


def told(*lines: str) -> list[str]:
    """What the report says first of what is open."""
    found = list(protected_lines(import_lines(*lines, ALIAS)))
    return [re.sub(r" +", " ", each) for each in found if each.startswith("open")]


@pytest.mark.parametrize(
    ("lines", "urls"),
    [
        pytest.param(["RewriteRule ^/a/x - [F]"], "/a/x /a/x/y", id="F"),
        pytest.param(["RewriteRule ^/a/x - [forbidden]"], "/a/x /a/x/y", id="forbidden"),
        pytest.param(["RewriteRule ^/a/x - [G]"], "/a/x /a/x/y", id="G"),
        pytest.param(
            ["RewriteCond %{REQUEST_FILENAME} ^/b", "RewriteRule ^ - [F]"],
            "/b /b/x",
            id="of a file, which is the URL as long as no rule has changed that",
        ),
        pytest.param(
            ["RewriteRule ^/a /b", "RewriteCond %{SCRIPT_FILENAME} ^/b", "RewriteRule ^ - [F]"],
            "",
            id="of a file behind a rule that changes the URL",
        ),
        pytest.param(["RewriteRule ^/a/x - [R=404,L]"], "/a/x /a/x/y", id="R with an error"),
        pytest.param(["RewriteRule ^/a/x /y [L,F]"], "/a/x /a/x/y", id="F beats another URL"),
        pytest.param(["RewriteRule ^/a/x - [R]"], "", id="a redirect"),
        pytest.param(["RewriteRule ^/a/x - [R=302]"], "", id="a redirect with a status"),
        pytest.param(["RewriteRule ^/a/x /y [L]"], "", id="another URL"),
        pytest.param([r"RewriteRule \.php$ - [F]"], "/c.php /a/c.php", id="anywhere"),
        pytest.param(["RewriteRule ^/a/ - [F,NC]"], "/A/x /a/x /a/x/y /a/c.php", id="any case"),
        pytest.param(["RewriteRule ^ - [F]"], " ".join(URLS), id="all"),
        pytest.param(["RewriteRule .* - [F]"], " ".join(URLS), id="all, too"),
        pytest.param(["RewriteRule !^/a - [F]"], "/ /A/x /b /b/x /c.php", id="all but some"),
        pytest.param(
            ["RewriteRule ^/a/x - [L]", "RewriteRule ^/a/ - [F]"], "/a/c.php", id="let pass before"
        ),
        pytest.param(["RewriteRule .* - [END]", "RewriteRule ^/a/ - [F]"], "", id="all let pass"),
        pytest.param(
            ["RewriteRule ^/a - [C]", r"RewriteRule \.php$ - [F]"], "/a/c.php", id="a chain"
        ),
        pytest.param(
            ["RewriteRule ^/b /z [C]", "RewriteRule z - [F]"], "/b /b/x", id="a chain of URLs"
        ),
        pytest.param(
            ["RewriteCond %{REQUEST_URI} ^/A/ [NC]", "RewriteRule x - [F]"],
            "/A/x /a/x /a/x/y",
            id="a condition on the URL",
        ),
        pytest.param(
            ["RewriteCond %{REQUEST_URI} !=/a/x", "RewriteRule ^/a/x - [F]"],
            "/a/x/y",
            id="a URL that is not meant",
        ),
        pytest.param(
            [
                "RewriteCond %{REQUEST_URI} ^/b [OR]",
                "RewriteCond %{REQUEST_URI} php",
                "RewriteRule ^/[bc] - [F]",
            ],
            "/b /b/x /c.php",
            id="one of two conditions",
        ),
        pytest.param(
            [r"RewriteCond %{REMOTE_HOST} !\.x\.test$", "RewriteRule ^/b - [F]"],
            "/b /b/x",
            id="only some hosts",
        ),
        pytest.param(
            ["RewriteCond %{HTTPS} off", "RewriteRule ^/b - [F]"], "/b /b/x", id="only with TLS"
        ),
        pytest.param(
            ["RewriteCond %{LA-U:REMOTE_USER} ^$", "RewriteRule ^/b - [F]"],
            "/b /b/x",
            id="only who has logged in",
        ),
        pytest.param(
            ["RewriteCond expr \"! -R '10.0.0.0/8'\"", "RewriteRule ^/b - [F]"],
            "/b /b/x",
            id="an expression",
        ),
    ],
)
def test_urls_that_a_rule_keeps_from_the_alias_are_closed(lines, urls):
    assert closed(ON, *lines) == urls


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["RewriteRule ^/a - [F]"], id="no engine"),
        pytest.param([ON, "RewriteRule ^/a - [F]", "RewriteEngine off"], id="an engine put off"),
        pytest.param([ON, "RewriteRule ^/a - [E=x:1]"], id="a variable"),
        pytest.param(["Redirect /a http://x.test/"], id="a redirect"),
        pytest.param(
            [ON, *section("Location /b", "RewriteRule ^ - [F]")], id="an engine elsewhere"
        ),
    ],
)
def test_what_refuses_nothing_closes_nothing(lines):
    assert closed(*lines) == ""


@pytest.mark.parametrize(
    ("lines", "urls"),
    [
        pytest.param(["Redirect gone /b"], "/b /b/x", id="gone"),
        pytest.param(["Redirect 403 /a/x"], "/a/x /a/x/y", id="a status"),
        pytest.param([r"RedirectMatch 404 \.php$"], "/c.php /a/c.php", id="a pattern"),
        pytest.param(section("Location /b", "Redirect gone"), "/b /b/x", id="in a section"),
        pytest.param(section("Location /b", ON, "RewriteRule ^ - [F]"), "/b /b/x", id="a rule"),
        pytest.param(
            section("Directory /srv/a", ON, "RewriteRule (.*) - [G]"), " ".join(URLS), id="a folder"
        ),
        pytest.param(
            section(
                *("Directory /srv/a", ON, "RewriteCond %{REQUEST_URI} ^/b"),
                "RewriteRule ^ - [F]",
            ),
            "/b /b/x",
            id="a URL in a folder",
        ),
    ],
)
def test_redirects_and_rules_in_sections_close_too(lines, urls):
    assert closed(*lines) == urls


@pytest.mark.parametrize(
    ("lines", "report"),
    [
        pytest.param(
            ["RewriteCond %{THE_REQUEST} ^TRACE", "RewriteRule .* - [F]"],
            "URLs that match ^: site.conf:2: RewriteCond %{THE_REQUEST} ^TRACE, site.conf:3: "
            "RewriteRule .* - [F]",
            id="the line of a request",
        ),
        pytest.param(
            ["RewriteCond %{TIME_HOUR} !^1", "RewriteRule ^/b - [F]"],
            "URLs that match ^/b: site.conf:2: RewriteCond %{TIME_HOUR} !^1, "
            "site.conf:3: RewriteRule ^/b - [F]",
            id="what says nothing of who asks",
        ),
        pytest.param(
            [r"RewriteRule ^/(.)\1 - [F]"],
            "/ (for some of these URLs; which ones cannot be determined): site.conf:2: "
            r"RewriteRule ^/(.)\1 - [F]",
            id="a pattern that no other can hold",
        ),
        pytest.param(
            section("Directory /srv/a", ON, r"RewriteRule ^a\.wsgi/b - [F]"),
            "/ (for some of these URLs; which ones cannot be determined): site.conf:4: "
            r"RewriteRule ^a\.wsgi/b - [F]",
            id="a name of a file",
        ),
    ],
)
def test_a_rule_for_some_requests_only_is_told_first(lines, report):
    assert closed(ON, *lines) == ""
    assert told(ON, *lines) == [f"open {report}"]


def test_the_report_has_what_is_closed_before_what_is_open():
    closing = ["RewriteCond %{REMOTE_HOST} !x", "RewriteRule ^/a - [F]"]
    lines = [ON, "RewriteCond %{TIME_HOUR} 1", "RewriteRule ^/b - [F]", *closing]

    assert list(protected_lines(import_lines(*lines, ALIAS))) == [
        (
            "Access rules: these URLs answer 403 to everybody until you decide. Delete the entry "
            "once something else enforces the rule:"
        ),
        "closed      URLs that match ^(?=/a)/: site.conf:5: RewriteRule ^/a - [F]",
        (
            "Access rules: Apache refuses some requests for these URLs, and here they are open to "
            "everybody:"
        ),
        (
            "open        URLs that match ^/b: site.conf:2: RewriteCond %{TIME_HOUR} 1, "
            "site.conf:3: RewriteRule ^/b - [F]"
        ),
    ]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("Redirect \xb2 /b http://x/", id="a superscript"),
        pytest.param(f"Redirect {'4' * 5000} /b", id="thousands of digits"),
        pytest.param("RewriteRule ^/b /c [R=\xb2]", id="a superscript in a flag"),
        pytest.param(f"RewriteRule ^/b /c [R={'3' * 5000}]", id="thousands of digits in a flag"),
    ],
)
def test_a_status_that_is_no_number_of_python_s_does_not_stop_the_import(line):
    assert import_lines(ON, line, ALIAS).settings is not None


def test_the_line_of_a_closed_rule_says_so():
    rule = section("Location /b", "Redirect gone /b")
    condition = "RewriteCond %{REMOTE_HOST} !x"
    notes = notes_of(ON, condition, "RewriteRule ^/a - [F]", *rule, ALIAS)

    assert notes[2] == "part: It is part of the rule in site.conf:3"
    assert notes[3] == "needs you: URLs that match ^(?=/a)/: 403 until you decide"
    assert notes[5] == "needs you: /b: 403 until you decide"


@pytest.mark.parametrize(
    ("lines", "urls"),
    [
        pytest.param(section("Location /b", ON), "/b /b/x", id="in a Location"),
        pytest.param(section("LocationMatch ^/b", ON), "/b /b/x", id="in a pattern of URLs"),
        pytest.param(section("Location /b/x", ON), "/b/x", id="for a part of them"),
        pytest.param(
            [*section("Location /a", ON), *section("LocationMatch x$", ON)],
            "/b/x",
            id="in one of two sections",
        ),
        pytest.param(section("Location /*", ON), "/b /b/x", id="by a wildcard"),
        pytest.param(section("Location /a", ON), "", id="for other URLs"),
        pytest.param(section("Directory /srv/a", ON), "", id="in a Directory"),
        pytest.param(section("Location /b", "RewriteEngine Off"), "", id="put off"),
    ],
)
def test_an_engine_in_a_section_of_urls_counts_for_the_rules_of_the_server(lines, urls):
    assert closed(*lines, "RewriteRule ^/b - [F]") == urls


def test_a_redirect_that_refuses_holds_for_what_stands_around_it_alone():
    refusal = "RedirectMatch 403 ^/b"

    assert closed(*section("Directory /srv/other", refusal)) == ""
    assert closed(*section("Files *.html", refusal)) == ""
    assert closed(*section("Directory /srv", refusal)) == "/b /b/x"
    assert closed(*section("LocationMatch x$", refusal)) == "/b/x"


def test_no_access_rule_opens_what_a_rule_refuses():
    lines = [ON, "RewriteRule ^/a/x - [F]"]

    assert closed(*lines, *section("Location /a/x", "Require all granted")) == "/a/x /a/x/y"
    assert closed(*lines, *section("Location /", "Allow from all", "Satisfy any")) == "/a/x /a/x/y"


@pytest.mark.parametrize(
    "taker",
    [
        pytest.param("Alias /static /srv/static", id="Alias"),
        pytest.param("AliasMatch ^/s/(.*) /srv/static/$1", id="AliasMatch"),
        pytest.param("DocumentRoot /srv/static", id="DocumentRoot"),
    ],
)
def test_what_else_takes_urls_opens_nothing(taker):
    handler = section("Files x", "SetHandler none")

    assert closed(taker, *handler, ON, "RewriteRule ^/b - [F]") == "/b /b/x"


@pytest.mark.parametrize(
    ("main", "own", "expected"),
    [
        pytest.param([ON, "RewriteRule ^/a - [F]"], [], 0, id="not handed down"),
        pytest.param([ON, "RewriteRule ^/a - [F]"], ["RewriteOptions Inherit"], 1, id="asked for"),
        pytest.param(
            [ON, "RewriteOptions InheritDown", "RewriteRule ^/a - [F]"], [ON], 1, id="handed down"
        ),
        pytest.param(
            [ON, "RewriteOptions InheritDown", "RewriteRule ^/a - [F]"],
            [],
            0,
            id="to a host that has nothing of mod_rewrite",
        ),
        pytest.param(
            [ON, "RewriteOptions InheritDown", "RewriteRule ^/a - [F]"],
            section("Location /x", "RewriteEngine On"),
            1,
            id="to a host that has it in a section",
        ),
        pytest.param([ON], ["RewriteRule ^/a - [F]"], 1, id="the engine is handed down"),
        pytest.param(
            [ON], ["RewriteEngine Off", "RewriteRule ^/a - [F]"], 0, id="the engine is put off"
        ),
        pytest.param(
            [ON, "RewriteRule ^/a - [F]"],
            ["RewriteOptions InheritBefore", "RewriteRule ^ - [L]"],
            1,
            id="before what it lets pass itself",
        ),
        pytest.param(
            [ON, "RewriteRule ^/a - [F]"],
            ["RewriteOptions Inherit", "RewriteRule ^ - [L]"],
            0,
            id="behind what it lets pass itself",
        ),
        pytest.param(
            [ON, "RewriteOptions Inherit", "RewriteRule ^/a - [F]"],
            [ON],
            1,
            id="asked for above, as options are handed down",
        ),
        pytest.param(
            [ON, "RewriteOptions Inherit", "RewriteRule ^/a - [F]"],
            ["RewriteOptions AllowNoSlash"],
            0,
            id="options of its own",
        ),
        pytest.param(
            [ON, "RewriteOptions InheritDown", "RewriteRule ^/a - [F]"],
            ["RewriteOptions IgnoreInherit"],
            0,
            id="refused",
        ),
        pytest.param(["Redirect gone /a"], [], 1, id="a redirect is handed down"),
    ],
)
def test_a_virtual_host_has_rules_of_the_main_server_where_it_asks(main, own, expected):
    settings = settings_of(*main, *section("VirtualHost *:80", *own, ALIAS))

    denials = [each for each in settings.entries if each.alias.answer is not None]
    assert len(denials) == expected


def test_random_rules_are_of_all_kinds():
    text = "".join(random_refusals(Random(number), 80) for number in range(40))

    assert {"[F]", "[NC,G]", "[C]", "Inherit", "!^10", "gone", "404"} <= set(
        re.findall(r"\[[A-Z,]+\]|Inherit|!\^10|gone|404", text)
    )


@pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)
@pytest.mark.parametrize("seed", mostly_thorough(["f-22", "f-48", "177-33"]))
def test_a_random_rule_is_opened_nowhere_in_silence(seed):
    found = compare_random(seed, "refusals")

    assert found.opened == [], str(found)
    assert found.kept_out > 200
