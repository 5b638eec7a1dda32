"""Rules that redirect or refuse some requests by their headers: those that become entries."""

from __future__ import annotations

import re

import pytest

from django_wsgimatch.aliases.alias import Rewriting
from tests.support.imports import entry_lines, host, notes_of, settings_of

APP = "WSGIScriptAlias / /srv/app.wsgi"
ON = "RewriteEngine On"
REFUSED = "RewriteRule ^/a - [F]"


def found_of(*lines):
    """The entries of rules."""
    return entry_lines(ON, *lines, APP)[:-1]


@pytest.mark.parametrize(
    ("lines", "entry"),
    [
        pytest.param(
            [
                r"RewriteCond %{HTTP_HOST} !^shop\.example$ [NC]",
                "RewriteRule ^ https://shop.example%{REQUEST_URI} [R=301,L]",
            ],
            'rewrite("^(.*)$", "https://shop.example$1", status=301, '
            r'when={"HTTP_HOST": r"^(?!(?i:shop\.example$))"})',
            id="all hosts but one",
        ),
        pytest.param(
            [r"RewriteCond %{HTTP_HOST} ^www\.", "RewriteRule ^/(.*) http://x.example/$1 [R,L]"],
            'rewrite("^/(.*)", "http://x.example/$1", status=302, '
            r'when={"HTTP_HOST": r"^www\."})',
            id="some hosts",
        ),
        pytest.param(
            ["RewriteCond %{HTTP_USER_AGENT} (Bot|Spider) [NC]", "RewriteRule .* - [F]"],
            'rewrite("^/.*", status=403, when={"HTTP_USER_AGENT": "(?i:(Bot|Spider))"})',
            id="robots",
        ),
        pytest.param(
            [r"RewriteCond %{REMOTE_ADDR} !^10\.", "RewriteRule ^/a - [G]"],
            r'rewrite("^/a", status=410, when={"REMOTE_ADDR": r"^(?!10\.)"})',
            id="addresses",
        ),
        pytest.param(
            ["RewriteRule ^/ok - [L]", "RewriteCond %{QUERY_STRING} ^a", "RewriteRule ^/ /b [R,L]"],
            'rewrite("^(?!/ok)/", "/b", status=302, when={"QUERY_STRING": "^a"})',
            id="behind a rule that lets pass",
        ),
    ],
)
def test_a_rule_for_some_requests_is_an_entry(lines, entry):
    assert found_of(*lines) == [entry]
    assert notes_of(ON, *lines, APP)[len(lines) + 1] == "kept: an entry"


@pytest.mark.parametrize(
    ("lines", "redirects"),
    [
        pytest.param(
            [
                r"RewriteCond %{HTTP_HOST} ^www\.(.+)$ [NC]",
                "RewriteRule ^ http://%1%{REQUEST_URI} [R=301,L]",
            ],
            {"www.a.example": "http://a.example$1"},
            id="without www",
        ),
        pytest.param(
            [
                r"RewriteCond %{HTTP_HOST} !^www\. [NC]",
                "RewriteRule ^(.*)$ http://www.%{HTTP_HOST}$1 [R,L]",
            ],
            {"a.example": "http://www.a.example$1", "b.example": "http://www.b.example$1"},
            id="with www",
        ),
        pytest.param(
            [
                r"RewriteCond %{HTTP_HOST} ^(b)\. [OR]",
                r"RewriteCond %{HTTP_HOST} ^www\.(a)",
                "RewriteRule ^(.*)$ http://%1%2.example$1 [R,L]",
            ],
            {"www.a.example": "http://a.example$1", "b.example": "http://b.example$1"},
            id="one of two conditions",
        ),
    ],
)
def test_a_url_that_is_made_of_the_host_is_one_for_each_name(lines, redirects):
    names = ["ServerName a.example", "ServerAlias www.a.example b.example"]
    lines = host("*:80", *names, ON, *lines)

    entries = [each.alias.answer for each in settings_of(*lines).entries]
    answers = [each for each in entries if isinstance(each, Rewriting)]

    assert {each.when[0][1]: each.url for each in answers} == {
        f"^(?i:{re.escape(name)})$": url for name, url in redirects.items()
    }
    assert notes_of(*lines)[len(lines) - 2].startswith("changed: an entry for each name")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            ["ServerName a.example", "ServerAlias *.a.example", ON], id="a name with a wildcard"
        ),
        pytest.param([ON], id="no name"),
        pytest.param(
            ["ServerName www.a.example", ON, "RewriteCond %{REMOTE_ADDR} (.)"],
            id="a condition on something else",
        ),
        pytest.param(["ServerName a.example", ON], id="no name that it holds for"),
    ],
)
def test_it_is_named_where_the_names_do_not_tell(lines):
    rule = [r"RewriteCond %{HTTP_HOST} ^www\.(.*)", "RewriteRule ^ http://%1/ [R,L]"]
    lines = host("*:80", *lines, *rule)

    assert notes_of(*lines)[len(lines) - 2].startswith("needs you: ")


def test_rules_for_some_requests_keep_their_place_among_the_others():
    lines = ["RewriteRule ^/a/x /b [R,L]", "RewriteCond %{HTTP_HOST} ^a", "RewriteRule ^/a - [F]"]

    assert found_of(*lines, "RewriteRule ^/c /d [R,L]") == [
        'rewrite("^/a/x", "/b", status=302)',
        'rewrite("^/a", status=403, when={"HTTP_HOST": "^a"})',
        'rewrite("^/c", "/d", status=302)',
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["RewriteCond %{REMOTE_USER} ^$", REFUSED], id="a login"),
        pytest.param(["RewriteCond %{HTTP:X-Forwarded-Proto} http", REFUSED], id="a proxy's word"),
        pytest.param(
            ["WSGITrustedProxies 10.0.0.1", "RewriteCond %{REMOTE_ADDR} ^10", REFUSED],
            id="an address where proxies are trusted",
        ),
        pytest.param(
            ["RewriteCond %{HTTP:Forwarded} proto=http", "RewriteRule ^/a /b [PT]"],
            id="a proxy's word, of a rule that passes URLs on",
        ),
        pytest.param(["RewriteCond %{HTTP_HOST} >x", REFUSED], id="a comparison"),
        pytest.param(
            ["RewriteCond %{HTTP_HOST} ^(.*)", "RewriteRule ^ http://%1/ [R,L]"], id="its group"
        ),
        pytest.param(
            [
                *("RewriteRule ^/a/(.*) /srv/files/$1 [L]", "RewriteCond %{HTTP_HOST} x"),
                "RewriteRule ^/ http://x.example/ [R,L]",
            ],
            id="behind a rule that leads to a file of the same URLs",
        ),
    ],
)
def test_another_rule_for_some_requests_is_named(lines):
    assert not any(each.startswith("rewrite(") for each in found_of(*lines))
    assert "needs you" in notes_of(ON, *lines, APP)[len(lines) + 1]
