"""Redirects from plain HTTP to HTTPS become WSGIMATCH_PLAIN_HTTP."""

from __future__ import annotations

import shlex

import pytest

from django_wsgimatch.apache.writing.fragment import python_lines
from tests.support.imports import SCRIPT_LINE as SCRIPT
from tests.support.imports import notes_of, section, secure_host, settings_of, values_of

ON = "RewriteEngine On"
OFF = "RewriteCond %{HTTPS} off"
ALL = "RewriteRule (.*) https://%{HTTP_HOST}%{REQUEST_URI}"
TO_HTTPS = 'redirect("/", "https://%{HTTP_HOST}/", status=302)'
ENTRY = "an entry of WSGIMATCH_PLAIN_HTTP"


def plain(*lines: str) -> list[str]:
    """The entries for plain HTTP, each on one line."""
    return _list("WSGIMATCH_PLAIN_HTTP", *lines)


def table(*lines: str) -> list[str]:
    """The entries of the table."""
    return _list("WSGIMATCH_ALIASES", *lines)


def _list(name: str, *lines: str) -> list[str]:
    written = list(python_lines(settings_of(*lines), "site.conf"))
    if f"{name} = [" not in written:
        return []
    start = written.index(f"{name} = [") + 1
    found: list[str] = []
    for line in written[start : written.index("]", start)]:
        if line.startswith("     ") or line == "    ),":
            found[-1] += line.strip() + " "
        elif not line.startswith("    #"):
            found.append(line.strip())
    return [each.strip().removesuffix(",").replace(", )", ")") for each in found]


def plain_host(*lines: str) -> list[str]:
    return section("VirtualHost *:80", *lines)


@pytest.mark.parametrize(
    ("lines", "entries"),
    [
        pytest.param([OFF, ALL], [TO_HTTPS], id="all"),
        pytest.param(
            ["RewriteCond %{HTTPS} !=on", "RewriteRule ^(.*)$ https://%{HTTP_HOST}$1 [R=301,L]"],
            ['redirect("/", "https://%{HTTP_HOST}/", status=301)'],
            id="what the pattern has found",
        ),
        pytest.param(
            ["RewriteCond %{HTTPS} !on", "RewriteRule ^/?(.*) https://%{SERVER_NAME}/$1 [R,L]"],
            ['redirect("/", "https://%{SERVER_NAME}/", status=302)'],
            id="below the slash",
        ),
        pytest.param(
            ["RewriteRule ^/?(.*) https://%{SERVER_NAME}:8443/$1 [R,L]"],
            ['redirect("/", "https://%{SERVER_NAME}:8443/", status=302)'],
            id="without a condition, as it could lead nowhere else",
        ),
        pytest.param(
            ["RewriteCond %{REQUEST_SCHEME} =http", f"{ALL} [R=308,L]"],
            ['redirect("/", "https://%{HTTP_HOST}/", status=308)'],
            id="by the scheme",
        ),
        pytest.param(["RewriteCond %{SERVER_PORT} !^443$", ALL], [TO_HTTPS], id="by the port"),
        pytest.param(
            [OFF, "RewriteRule ^ https://www.example%{REQUEST_URI} [L,R=permanent]"],
            ['redirect("/", "https://www.example/", status=301)'],
            id="a host that is named",
        ),
        pytest.param(
            [OFF, "RewriteCond %{REQUEST_URI} ^/cobbler_web", ALL],
            [
                'redirect_match("^(?=/cobbler_web)(.*)$", "https://%{HTTP_HOST}$1", status=302)',
            ],
            id="some URLs",
        ),
        pytest.param(
            [OFF, "RewriteCond %{REQUEST_URI} !^/repo/", f"{ALL} [L]"],
            ['redirect_match("^(?!/repo/)(.*)$", "https://%{HTTP_HOST}$1", status=302)'],
            id="all but some URLs",
        ),
        pytest.param(
            [r"RewriteRule ^/\.well-known/ - [L]", OFF, ALL],
            [r'redirect_match(r"^(?!/\.well-known/)(.*)$", "https://%{HTTP_HOST}$1", status=302)'],
            id="behind a rule that lets pass",
        ),
        pytest.param(
            ["RewriteRule .* - [E=A:b]", OFF, ALL], [TO_HTTPS], id="behind a rule for a variable"
        ),
        pytest.param(
            ["RewriteRule ^/old http://new.example/ [R,L]", "RewriteRule ^/no - [F]", OFF, ALL],
            [
                'redirect_match("^/old", "http://new.example/", status=302)',
                'deny_match("^/no")',
                TO_HTTPS,
            ],
            id="behind rules that answer",
        ),
        pytest.param(
            ["RewriteRule ^/f$ /srv/f.txt [L]", OFF, ALL],
            ['redirect_match("^(?!/f$)(.*)$", "https://%{HTTP_HOST}$1", status=302)'],
            id="behind a rule to a file",
        ),
        pytest.param(
            [OFF, ALL, "Redirect /old http://new.example/"],
            [TO_HTTPS],
            id="before lines of mod_alias",
        ),
    ],
)
def test_a_rule_for_plain_http_is_an_entry_of_its_own(lines, entries):
    assert plain(ON, *lines, SCRIPT) == entries


def test_the_table_has_the_rest():
    lines = [ON, "RewriteRule ^/no - [F]", OFF, ALL, "Redirect /old http://new.example/", SCRIPT]

    assert table(*lines)[:-1] == [
        'deny_match("^/no")',
        'redirect("/old", "http://new.example/", status=302)',
    ]


def test_what_is_said_of_the_lines():
    notes = notes_of(ON, OFF, f"{ALL} [R,L]", SCRIPT)

    assert [notes[2], notes[3]] == [
        "kept: It is part of the rule in site.conf:3",
        f"kept: {ENTRY}",
    ]


def test_what_a_flag_leaves_as_it_is_is_escaped():
    lines = [ON, OFF, f"{ALL} [R=301,L,NE]", SCRIPT]

    assert plain(*lines) == ['redirect("/", "https://%{HTTP_HOST}/", status=301)']
    assert notes_of(*lines)[3] == (
        f"changed: {ENTRY}; characters that NE leaves as they are in the URL are escaped"
    )


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["RewriteCond %{HTTP_HOST} x", ALL], id="a condition on something else"),
        pytest.param(["RewriteCond %{HTTP:X-Forwarded-Proto} !https", ALL], id="a header"),
        pytest.param(["RewriteRule ^/a /b", OFF, ALL], id="a rule before that changes URLs"),
        pytest.param([OFF, f"{ALL} [C]", "RewriteRule x y"], id="a chain"),
        pytest.param([OFF, ALL, "RewriteRule x /y [L]"], id="a rule behind that sees the new URL"),
        pytest.param([OFF, "RewriteRule (.*) https://%{HTTP_HOST}%{REQUEST_URI}?x"], id="a query"),
        pytest.param(["RewriteCond %{SERVER_PORT} ^80$", ALL], id="a port that may be another"),
    ],
)
def test_what_cannot_be_said_exactly_is_left(lines):
    assert plain(ON, *lines, SCRIPT) == []


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["UseCanonicalName On"], id="the server's own name"),
        pytest.param(section("VirtualHost *:80", SCRIPT), id="a host without the rule"),
    ],
)
def test_all_that_is_asked_over_plain_http_must_say_the_same(lines):
    assert plain(ON, "RewriteRule ^/?(.*) https://%{SERVER_NAME}/$1 [R,L]", SCRIPT, *lines) == []


def test_what_is_left_names_the_setting():
    note = notes_of(ON, "RewriteCond %{HTTP_HOST} x", ALL, SCRIPT)[3]

    assert note.endswith(
        "A table does not tell HTTP from HTTPS, and WSGIMATCH_PLAIN_HTTP does: write a redirect "
        "there, such as redirect('/', 'https://%{HTTP_HOST}/'), or let what speaks TLS redirect"
    )


def test_several_hosts_with_the_same_rule():
    hosts = [
        *plain_host("ServerName a", ON, OFF, ALL, "WSGIScriptAlias / /srv/a"),
        *plain_host("ServerName b", ON, OFF, ALL, "WSGIScriptAlias / /srv/b"),
    ]

    assert plain(*hosts) == [TO_HTTPS]


def test_a_port_that_only_redirects_beside_a_host_with_tls():
    lines = [
        *plain_host("ServerName x", "Redirect permanent / https://x/"),
        *secure_host("ServerName x"),
    ]

    assert plain(*lines) == ['redirect("/", "https://x/", status=301)']
    assert notes_of(*lines)[3] == f"kept: {ENTRY}"
    assert [shlex.join(each) for each in settings_of(*lines).servers.commands] == [
        "manage.py wsgimatch serve --bind 0.0.0.0:80",
        "manage.py wsgimatch serve --bind 0.0.0.0:443 --certfile /etc/ssl/a.pem",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Redirect /a https://x/a", SCRIPT], id="some URLs"),
        pytest.param(["ProxyPass /a http://y/", "Redirect / https://x/"], id="a proxy before it"),
        pytest.param(["Redirect / http://x/"], id="to plain HTTP"),
        pytest.param(
            [ON, "RewriteRule ^/a /b", "Redirect / https://x/"], id="a rule that is no entry"
        ),
        pytest.param(
            ["Redirect / https://x/", "</VirtualHost>", "<VirtualHost *:80>", "ServerName y"],
            id="one host of two",
        ),
    ],
)
def test_a_port_that_does_more_than_redirect_is_left(lines):
    assert plain(*plain_host("ServerName x", *lines), *secure_host("ServerName x")) == []


def test_without_tls_a_port_that_redirects_has_a_table():
    lines = plain_host("Redirect permanent / https://x/")

    assert plain(*lines) == []
    assert table(*lines) == ['redirect("/", "https://x/", status=301)']


def test_as_json():
    assert values_of(ON, OFF, ALL, SCRIPT)["WSGIMATCH_PLAIN_HTTP"] == [
        {
            "kind": "Redirect",
            "location": "/",
            "url": "https://%{HTTP_HOST}/",
            "status": 302,
            "from": ["site.conf:3"],
        }
    ]
