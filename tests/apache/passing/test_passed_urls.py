"""Rules that pass URLs on: those that become entries, and those that are left."""

from __future__ import annotations

import pytest

from tests.support.imports import entry_lines, notes_of, section, settings_of

APP = "WSGIScriptAlias /app /srv/app.wsgi"
ON = "RewriteEngine On"


def found_of(*lines):
    """The entries of rules."""
    return entry_lines(ON, *lines, APP)[:-1]


@pytest.mark.parametrize(
    ("lines", "entry"),
    [
        pytest.param(
            ["RewriteRule ^/a/(.*)$ /app/$1 [PT]"], 'rewrite("^/a/(.*)$", "/app/$1")', id="plain"
        ),
        pytest.param(
            ["RewriteRule ^(.*)$ /app/$1 [QSA,PT,L]"],
            'rewrite("^(.*)$", "/app/$1", append_query=True)',
            id="with the query",
        ),
        pytest.param(
            ["RewriteRule ^/a /app [QSD,PT]"], 'rewrite("^/a", "/app?")', id="without the query"
        ),
        pytest.param(
            ["RewriteRule ^/A /app [NC,passthrough]"], 'rewrite("^(?i:/A)", "/app")', id="any case"
        ),
        pytest.param(
            ["RewriteRule ^/a app/x [PT]"], 'rewrite("^/a", "/app/x")', id="no slash at the start"
        ),
        pytest.param(
            ["RewriteRule ^/$ /app/$1 [PT]"], 'rewrite("^/$", "/app/")', id="a group that is none"
        ),
        pytest.param(
            ["RewriteCond %{REQUEST_URI} !^/app", "RewriteRule ^/(.*)$ /app/$1 [PT]"],
            'rewrite("^(?!/app)/(.*)$", "/app/$1")',
            id="a condition on the URL",
        ),
        pytest.param(
            ["RewriteRule !^/app /app/x [PT]"], 'rewrite("^(?!/app)/.*", "/app/x")', id="not"
        ),
        pytest.param(
            [
                *(
                    "RewriteCond %{HTTP_USER_AGENT} ^a [OR]",
                    "RewriteCond %{HTTP_USER_AGENT} b [NC]",
                ),
                *("RewriteCond %{REQUEST_METHOD} =POST", "RewriteRule ^/a$ /app [PT]"),
            ],
            'rewrite("^/a$", "/app", '
            'when={"HTTP_USER_AGENT": "(?:^a)|(?:(?i:b))", "REQUEST_METHOD": "^POST$"})',
            id="conditions on the request",
        ),
        pytest.param(
            ["RewriteCond %{HTTP:X-Way} !^b", "RewriteRule ^/a$ /app [PT]"],
            'rewrite("^/a$", "/app", when={"HTTP_X_WAY": "^(?!b)"})',
            id="a header that is not so",
        ),
        pytest.param(
            ["RewriteRule ^/ok - [L]", "RewriteRule ^/(.*) /app/$1 [PT]"],
            'rewrite("^(?!/ok)/(.*)", "/app/$1")',
            id="a rule that lets pass",
        ),
        pytest.param(
            ["RewriteRule ^/ok - [PT]", "RewriteRule ^/(.*) /app/$1 [PT]"],
            'rewrite("^(?!/ok)/(.*)", "/app/$1")',
            id="a rule that passes on what it does not change",
        ),
        pytest.param(
            ["RewriteRule .* - [E=A:1]", "RewriteRule ^/(.*) /app/$1 [PT]"],
            'rewrite("^/(.*)", "/app/$1")',
            id="a rule that sets a variable",
        ),
        pytest.param(
            ["RewriteCond %{REQUEST_FILENAME} !-f", "RewriteRule ^/(.*) /app/$1 [PT]"],
            'rewrite("^/(.*)", "/app/$1")',
            id="what is no file, as no URL is the name of one",
        ),
        pytest.param(
            [
                *("RewriteCond %{REQUEST_FILENAME} -f", "RewriteRule ^ - [L]"),
                "RewriteRule ^/(.*) /app/$1 [PT]",
            ],
            'rewrite("^/(.*)", "/app/$1")',
            id="behind a rule that lets files pass",
        ),
    ],
)
def test_a_rule_rewrites(lines, entry):
    assert found_of(*lines) == [entry]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["RewriteCond %{REMOTE_HOST} x", "RewriteRule ^/ - [F]"], id="a name"),
        pytest.param(
            [
                *("RewriteRule ^/one /two", "RewriteCond %{REMOTE_ADDR} ^127"),
                "RewriteRule ^/ - [F]",
            ],
            id="behind a rule that changes some URLs",
        ),
        pytest.param(
            [
                *("RewriteCond %{TIME_HOUR} 12", "RewriteRule ^/ - [L]"),
                *("RewriteCond %{REMOTE_ADDR} ^127", "RewriteRule ^/ - [F]"),
            ],
            id="behind a rule that lets some pass",
        ),
        pytest.param(
            ["RewriteCond %{REMOTE_ADDR} ^127", "RewriteRule ^/ - [F,C]", "RewriteRule x - [F]"],
            id="with another rule that belongs to it",
        ),
    ],
)
def test_a_rule_that_refuses_some_requests_is_left(lines):
    assert not any(line.startswith("rewrite(") for line in found_of(*lines))


def test_a_rule_passes_on_what_one_before_it_does_not_lead_to_a_file():
    rules = ["RewriteRule ^/one$ /srv/one.txt [L]", "RewriteRule ^/(.*)$ /app/$1 [PT]"]

    found = entry_lines(ON, *rules, APP, files={"/srv": "directory"})

    assert found[:2] == [
        'rewrite("^(?!/one$)/(.*)$", "/app/$1")',
        'alias_match("^/one$", "/srv/one.txt")',
    ]


def test_rules_that_answer_are_tried_in_their_order():
    found = found_of(
        "RewriteRule ^/a/x - [F]",
        "RewriteRule y http://x/ [R,L]",
        "RewriteRule ^/a/(.*) /app/$1 [PT]",
        "RewriteRule ^/b - [G]",
        "Redirect /old http://x/",
    )

    assert found == [
        'rewrite("^/a/x", status=403)',
        'rewrite("y", "http://x/", status=302)',
        'rewrite("^/a/(.*)", "/app/$1")',
        'rewrite("^/b", status=410)',
        'redirect("/old", "http://x/", status=302)',
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["RewriteRule ^/a /app/%1 [PT]"], id="a group of a condition"),
        pytest.param(["RewriteRule ^/a /app/%{HTTP_HOST} [PT]"], id="a variable"),
        pytest.param(["RewriteRule ^/a ${map:x} [PT]"], id="a map"),
        pytest.param(["RewriteRule ^/a http://x/app [PT]"], id="another host"),
        pytest.param(
            ["RewriteCond %{REQUEST_FILENAME} !-d", "RewriteRule ^/a /app [PT]"],
            id="what is no folder",
        ),
        pytest.param(["RewriteRule ^/a /app [PT,E=A:1]"], id="a variable that it sets"),
        pytest.param(["RewriteRule ^/a /app [PT,B]"], id="groups that are escaped"),
        pytest.param(
            ["RewriteCond %{TIME_HOUR} 12", "RewriteRule ^/a /app [PT]"], id="another condition"
        ),
        pytest.param(
            ["RewriteCond %{ENV:X} 1", "RewriteRule ^/a - [F]", "RewriteRule ^/a /app [PT]"],
            id="behind a refusal of some requests",
        ),
        pytest.param(
            ["RewriteRule ^/a(.*) /b$1", "RewriteRule ^/a /app [PT]"],
            id="behind a rule that changes its URLs",
        ),
        pytest.param(
            [
                *("RewriteCond %{THE_REQUEST} x", "RewriteRule ^/a - [S=1]"),
                "RewriteRule ^/a /app [PT]",
            ],
            id="behind one that skips",
        ),
        pytest.param(
            [
                *("DocumentRoot /srv/html", "RewriteRule ^/a(.*) /app/$1 [PT]"),
                "RewriteRule ^/app/x$ /x.txt [L]",
            ],
            id="the file of another rule may take the new URL",
        ),
        pytest.param(
            [*section("Location /x", "Alias /y /srv/y"), "RewriteRule ^/a /app [PT]"],
            id="files for a URL as it came",
        ),
    ],
)
def test_a_rule_is_left(lines):
    assert not any(line.startswith("rewrite(") and "app" in line for line in found_of(*lines))


def test_a_rule_that_is_left_is_named():
    notes = notes_of(ON, "RewriteRule ^/a /app/%{HTTP_HOST} [PT]", APP)

    assert notes[2].startswith("needs you")


def test_a_rule_and_its_conditions_are_kept():
    lines = [ON, "RewriteCond %{REQUEST_METHOD} POST", "RewriteRule ^/a /app [PT]", APP]

    assert [notes_of(*lines)[number].partition(":")[0] for number in (2, 3)] == ["kept"] * 2


def test_a_virtual_host_rewrites_its_own_urls():
    host = section("VirtualHost *:80", "ServerName x.test", ON, "RewriteRule ^/a /app [PT]", APP)
    other = section("VirtualHost *:80", "ServerName y.test", APP)

    settings = settings_of(*host, *other)

    found = {each.pattern: [e.alias.directive for e in each.entries] for each in settings.hosts}
    assert found["x.test"] == ["RewriteRule", "WSGIScriptAlias"]
    assert "RewriteRule" not in found.get("y.test", found.get("*", []))


def test_the_first_of_two_hosts_of_a_name_rewrites_its_urls():
    first = section("VirtualHost *:80", "ServerName x.test", ON, "RewriteRule ^/a /app [PT]", APP)
    second = section("VirtualHost *:80", "ServerName y.test", "ServerAlias x.test", APP)

    settings = settings_of(*first, *second)

    found = {each.pattern: [e.alias.directive for e in each.entries] for each in settings.hosts}
    assert found["x.test"] == ["RewriteRule", "WSGIScriptAlias"]


def test_two_addresses_that_rewrite_otherwise_are_left():
    first = section("VirtualHost *:80", "ServerName x.test", ON, "RewriteRule ^/a /app [PT]", APP)
    second = section("VirtualHost *:443", "ServerName x.test", APP)

    settings = settings_of(*first, *second)

    entries = [*settings.entries, *(e for host in settings.hosts for e in host.entries)]
    assert [each.alias.directive for each in entries] == ["WSGIScriptAlias"]


def test_what_a_rule_leads_to_stays_closed():
    lines = [ON, "RewriteRule ^/a/(.*) /app/$1 [PT]", APP]
    closed = section("Location /app/x", "Require valid-user", "AuthType Form")

    assert entry_lines(*lines, *closed)[:2] == [
        'rewrite("^/a/(.*)", "/app/$1")',
        'deny("/app/x", note="an access rule of Apache stood here: site.conf:5")',
    ]
