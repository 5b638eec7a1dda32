"""Rules of mod_rewrite that become entries, and those that do not."""

from __future__ import annotations

import pytest

from tests.support.imports import entry_lines, notes_of, section

APP = "WSGIScriptAlias /app /srv/app.wsgi"
ON = "RewriteEngine On"


def found_of(*lines: str) -> list[str]:
    """The entries of rules."""
    return entry_lines(ON, *lines, APP)[:-1]


@pytest.mark.parametrize(
    ("lines", "entry"),
    [
        pytest.param(
            ["RewriteRule ^/a(.*)$ http://x$1 [R=301,L]"],
            'redirect_match("^/a(.*)$", "http://x$1", status=301)',
            id="a redirect",
        ),
        pytest.param(
            ["RewriteRule ^/a /b [R,L]"],
            'redirect_match("^/a", "/b", status=302)',
            id="on the site",
        ),
        pytest.param(
            ["RewriteRule ^/a http://x/"],
            'redirect_match("^/a", "http://x/", status=302)',
            id="to another site without a flag",
        ),
        pytest.param(["RewriteRule ^/a - [F]"], 'deny_match("^/a")', id="refused"),
        pytest.param(["RewriteRule ^/a - [G]"], 'redirect_match("^/a", status=410)', id="gone"),
        pytest.param(
            ["RewriteRule ^/a - [R=404]"], 'redirect_match("^/a", status=404)', id="an error"
        ),
        pytest.param(
            ["RewriteRule ^/A/ /b [R,L,NC]"],
            'redirect_match("^(?i:/A/)", "/b", status=302)',
            id="any case",
        ),
        pytest.param(
            ["RewriteRule ^ http://x%{REQUEST_URI} [R,L]"],
            'redirect_match("^(.*)$", "http://x$1", status=302)',
            id="the whole URL",
        ),
        pytest.param(
            ["RewriteRule ^/ok - [L]", "RewriteRule ^/(.*) http://x/$1 [R,L]"],
            'redirect_match("^(?!/ok)/(.*)", "http://x/$1", status=302)',
            id="a rule that lets pass",
        ),
        pytest.param(
            ["RewriteCond %{REQUEST_URI} !^/b", "RewriteRule ^/(.*) http://x/$1 [R,L]"],
            'redirect_match("^(?!/b)/(.*)", "http://x/$1", status=302)',
            id="a condition on the URL",
        ),
        pytest.param(
            ["RewriteCond %{HTTPS} off", "RewriteRule ^/a http://x/ [R,L]"],
            'redirect_match("^/a", "http://x/", status=302)',
            id="a condition that always holds",
        ),
        pytest.param(
            [
                *("RewriteCond %{HTTPS} off [OR]", "RewriteCond %{HTTP_HOST} x"),
                "RewriteRule ^/a http://x/ [R,L]",
            ],
            'redirect_match("^/a", "http://x/", status=302)',
            id="one of two conditions always holds",
        ),
        pytest.param(
            [
                *("RewriteCond %{HTTP_HOST} ^x [NC,OR]", "RewriteCond %{HTTPS} on"),
                "RewriteRule ^/a - [F]",
            ],
            'rewrite("^/a", status=403, when={"HTTP_HOST": "^(?i:x)"})',
            id="a condition, or one that never holds",
        ),
        pytest.param(
            [
                *("RewriteCond %{HTTPS} on [OR]", "RewriteCond %{REQUEST_URI} ^/b [OR]"),
                *("RewriteCond %{REQUEST_SCHEME} =https", "RewriteRule ^/a - [F]"),
            ],
            'deny_match("^(?=/b)/a")',
            id="a condition on the URL, between two that never hold",
        ),
        pytest.param(
            ["RewriteCond %{REQUEST_URI} ^/b [OR]", "RewriteRule ^/a - [F]"],
            'deny_match("^/a")',
            id="an OR with nothing behind it, which always holds",
        ),
        pytest.param(
            ["DocumentRoot /srv/html", "Redirect / http://z/", "RewriteRule ^/a$ /b.txt [L]"],
            'redirect("/", "http://z/", status=302)',
            id="a file behind a redirect of all",
        ),
    ],
)
def test_a_plain_rule_is_an_entry(lines, entry):
    assert found_of(*lines)[:1] == [entry]


def test_a_rule_is_an_entry_for_the_urls_that_do_not_skip_it():
    found = found_of(
        "RewriteRule ^/a/x - [S=2]",
        "RewriteRule ^/a/y - [skip=1]",
        "RewriteRule ^/a - [F]",
        "RewriteRule ^/b - [G]",
    )

    assert found == [
        'deny_match("^(?!/a/x)(?!(?=/a/y)(?!/a/x))/a")',
        'redirect_match("^/b", status=410)',
    ]


@pytest.mark.parametrize(
    ("chain", "rule", "found"),
    [
        pytest.param(
            ["RewriteRule ^/s/(.*) /t/$1 [C]", "RewriteRule x - [F]"],
            "RewriteRule ^/s - [G]",
            ['redirect_match("^(?!/s/(?:.*))/s", status=410)'],
            id="of its URLs",
        ),
        pytest.param(
            ["RewriteRule ^/s/(.*) /t/$1 [C]", "RewriteRule x - [C]", "RewriteRule y - [G]"],
            "RewriteRule ^/a - [F]",
            ['deny_match("^(?!/s/(?:.*))/a")'],
            id="of other URLs, behind three",
        ),
        pytest.param(
            ["RewriteRule ^/s/(.*) /t/$1 [C]", "RewriteRule x - [F]"],
            "RewriteRule ^/t/x - [F]",
            [],
            id="of URLs that it makes",
        ),
        pytest.param(
            ["RewriteRule ^/s/(.*) /t/$1 [C]", "RewriteRule x - [F]"],
            "RewriteRule !^/a - [F]",
            [],
            id="of all but some URLs",
        ),
        pytest.param(
            ["RewriteRule ^/s/(.*) /t/$1 [C]", "RewriteRule x /z"],
            "RewriteRule ^/s - [F]",
            [],
            id="behind one that changes URLs twice",
        ),
        pytest.param(
            ["RewriteCond %{TIME_HOUR} 1", "RewriteRule ^/s/ /t/ [C]", "RewriteRule x - [F]"],
            "RewriteRule ^/s - [F]",
            [],
            id="behind one for some requests",
        ),
    ],
)
def test_a_rule_behind_a_chain_is_an_entry_where_it_gets_no_url_of_the_chain(chain, rule, found):
    entries = found_of(*chain, rule)

    assert [each for each in entries if "note" not in each] == found


def test_a_rule_for_some_requests_behind_a_chain_is_an_entry():
    chain = ["RewriteRule ^/s/(.*) /t/$1 [C]", "RewriteRule x - [F]"]
    condition = "RewriteCond %{REMOTE_ADDR} ^127"

    behind = found_of(*chain, condition, "RewriteRule ^/m - [F]")
    seeing_its_urls = found_of(*chain, condition, "RewriteRule ^/t/m - [F]")

    when = 'when={"REMOTE_ADDR": "^127"}'
    assert [each for each in behind if "note" not in each] == [
        f'rewrite("^(?!/s/(?:.*))/m", status=403, {when})'
    ]
    assert not any(each.startswith("rewrite") for each in seeing_its_urls)


def test_a_rule_that_skips_others_is_part_of_them():
    notes = notes_of(ON, "RewriteRule ^/a/x - [S=1]", "RewriteRule ^/a - [F]", APP)

    assert notes[2] == "kept: It is part of the rule in site.conf:3"


def test_a_rule_to_a_file_leads_below_the_document_root():
    found = entry_lines(
        ON,
        "DocumentRoot /srv/html",
        r"RewriteRule ^/(\w+)\.txt$ /texts/$1 [L]",
        "WSGIScriptAlias / /srv/a",
    )

    assert found[0] == r'alias_match(r"^/(\w+)\.txt$", "/srv/html/texts/$1")'


def test_a_rule_to_a_file_leads_to_what_is_there():
    found = entry_lines(ON, "RewriteRule ^/a$ /srv/b.txt [L]", APP, files={"/srv": "directory"})

    assert found[0] == 'alias_match("^/a$", "/srv/b.txt")'


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param("RewriteRule ^/a http://x/ [P]", id="passed on"),
        pytest.param(
            "RewriteCond %{HTTP:X-Forwarded-Proto} http\nRewriteRule ^/a https://%{HTTP_HOST}/ [R]",
            id="to HTTPS",
        ),
        pytest.param("RewriteRule ^/a /b? [R]", id="without the query"),
        pytest.param("RewriteRule ^/a /b?x [R,QSA]", id="with two queries"),
        pytest.param("RewriteRule ^/(.*) /b/$1 [R,NE]", id="not escaped"),
        pytest.param("RewriteRule ^/a /b/%1 [R]", id="a condition's group"),
        pytest.param("RewriteRule ^/a ${map:x} [R]", id="a map"),
        pytest.param("RewriteRule ^/a b [R]", id="a relative URL"),
        pytest.param("RewriteCond %{THE_REQUEST} x\nRewriteRule ^/a /b [R]", id="a condition"),
        pytest.param(
            "RewriteCond %{THE_REQUEST} x\nRewriteRule ^/x - [S=1]\nRewriteRule ^/a /b [R]",
            id="behind a jump of some requests",
        ),
        pytest.param(
            "RewriteRule ^/x - [S=1]\nRewriteRule ^/a /b [R,C]\nRewriteRule ^/b /c [R]",
            id="behind a jump into a chain",
        ),
        pytest.param("RewriteRule ^/x /a [S=1]\nRewriteRule ^/a /b [R]", id="behind a change"),
        pytest.param("RewriteRule x* /b [R]", id="a pattern of nothing"),
    ],
)
def test_another_rule_is_named(rule):
    lines = rule.split("\n")

    notes = notes_of(ON, *lines, APP)

    assert found_of(*lines) == []
    assert notes[len(lines) + 1].startswith("needs you: ")


def test_a_redirect_without_an_end_is_left_where_a_later_rule_may_see_it():
    assert found_of("RewriteRule ^/a /b [R]", "RewriteRule b /c [R,L]") == [
        'redirect_match("b", "/c", status=302)'
    ]


def test_a_rule_that_never_holds_is_not_needed():
    notes = notes_of(
        *section(
            "VirtualHost *:443",
            *("SSLEngine on", ON, "RewriteCond %{HTTPS} !=on"),
            *("RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R,L]", APP),
        )
    )

    assert {notes[4], notes[5]} == {"not needed: It never holds in this virtual host"}


def test_rules_of_the_main_server_are_not_those_of_a_virtual_host():
    found = entry_lines(ON, "RewriteRule ^/a /b [R,L]", *section("VirtualHost *", APP))

    assert found == ['script_alias("/app", "/srv/app.wsgi")']


def test_rules_answer_in_their_order_and_before_redirects():
    rules = ["RewriteRule ^/a - [F]", "RewriteRule ^/b /c [R,L]", "RewriteRule ^/d - [F]"]

    assert found_of("Redirect / http://z/", *rules) == [
        'deny_match("^/a")',
        'redirect_match("^/b", "/c", status=302)',
        'deny_match("^/d")',
        'redirect("/", "http://z/", status=302)',
    ]
