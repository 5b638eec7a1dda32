from __future__ import annotations

import pytest

from tests.support.imports import host, notes_of, section, text_of, values_of

ALIAS = "WSGIScriptAlias / /srv/a.wsgi"
SETTING = "WSGIMATCH_ERROR_PAGES"


def pages_of(*lines):
    return values_of(*lines).get(SETTING)


@pytest.mark.parametrize(
    ("line", "pages"),
    [
        pytest.param('ErrorDocument 404 "Not here"', {"404": "Not here"}, id="a text"),
        pytest.param("ErrorDocument 404 /missing?x", {"404": "/missing?x"}, id="a URL-path"),
        pytest.param(
            "ErrorDocument 404 https://x.example/", {"404": "https://x.example/"}, id="a URL"
        ),
        pytest.param('ErrorDocument 404 "/a b"', {"404": "/a b"}, id="a text with a slash"),
        pytest.param(
            'ErrorDocument 404 "100 % of %x"', {"404": "100 % of %x"}, id="a percent sign"
        ),
        pytest.param("ErrorDocument 404 caf\xc3\xa9", {"404": "caf\xe9"}, id="UTF-8"),
        pytest.param("ErrorDocument 404 caf\xe9", {"404": "caf\xe9"}, id="ISO-8859-1"),
        pytest.param("ErrorDocument 404 default", None, id="the built-in page"),
    ],
)
def test_a_line_is_a_page_of_the_setting(line, pages):
    assert pages_of(line, ALIAS) == pages
    assert notes_of(line, ALIAS)[1].startswith("kept: ")


@pytest.mark.parametrize(
    ("line", "note"),
    [
        pytest.param(
            "ErrorDocument 404 %{REQUEST_URI}",
            "needs you: its text or URL depends on the request: write it without expressions",
            id="an expression",
        ),
        pytest.param(
            "ErrorDocument 404 mailto:me",
            "needs you: Apache redirects to 'mailto:me', which is no URL with a host",
            id="a scheme alone",
        ),
        pytest.param(
            "ErrorDocument 302 /x",
            "needs you: redirects and what is no error are answered as they are",
            id="a status that is no error",
        ),
        pytest.param(
            "ErrorDocument 404 Not here",
            "needs you: Apache refuses it: ErrorDocument takes two arguments",
            id="without quotes",
        ),
        pytest.param(
            "ErrorDocument 999 /x",
            "needs you: Apache refuses it: Unsupported HTTP response code 999",
            id="no status",
        ),
        pytest.param(
            "ErrorDocument 404 //x.example/y",
            "needs you: begins with two slashes, '//x.example/y': write a URL-path, or a whole URL",
            id="two slashes",
        ),
        pytest.param(
            "ErrorDocument 502 /x",
            "not needed: Nothing here answers 502 itself; 502 of an application is its own page, "
            "in Apache, too",
            id="a status of proxies",
        ),
    ],
)
def test_what_is_no_page_is_named(line, note):
    assert pages_of(line, ALIAS) is None
    assert notes_of(line, ALIAS)[1] == note


def test_a_url_for_401_is_ignored_as_by_apache():
    login = section("Location /x", "AuthType Basic", "AuthUserFile /u", "Require valid-user")
    lines = ["ErrorDocument 401 https://x.example/", ALIAS, *login]

    assert pages_of(*lines) is None
    assert notes_of(*lines)[1] == "not needed: Apache ignores a URL for 401, too"


def test_a_status_that_a_redirect_has_is_answered():
    assert pages_of("ErrorDocument 402 Pay", "Redirect 402 /x", ALIAS) == {"402": "Pay"}


def test_sections_for_all_urls_count_as_apache_merges_them():
    lines = [
        *section('Location "/"', "ErrorDocument 403 late"),
        *section("Directory /", "ErrorDocument 403 middle", "ErrorDocument 500 files"),
        "ErrorDocument 403 early",
        ALIAS,
    ]

    notes = notes_of(*lines)

    assert pages_of(*lines) == {"403": "late", "500": "files"}
    assert notes[2] == f"kept: {SETTING}"
    assert notes[5] == notes[8] == "not needed: site.conf:2 replaces it"
    assert notes[6] == (
        f"changed: {SETTING}, for what Apache answers before it looks at the section, too"
    )


def test_a_section_for_some_urls_needs_you():
    lines = [*section("Location /x", "ErrorDocument 404 x"), ALIAS]

    assert pages_of(*lines) is None
    assert notes_of(*lines)[2] == (
        f"needs you: it holds for some URLs, and {SETTING} for all: decide"
    )


def test_hosts_have_their_own_pages_and_that_of_the_server_where_they_have_none():
    lines = [
        "ErrorDocument 404 all",
        *host("*:80", "ServerName a.test", "ErrorDocument 404 own", "ErrorDocument 500 one"),
        *host("*:80", "ServerName b.test", "WSGIScriptAlias /b /srv/b.wsgi"),
        *host("*:80", "ServerName c.test", "ErrorDocument 404 default", "WSGIScriptAlias /c /c.py"),
    ]

    notes = notes_of(*lines)

    assert pages_of(*lines) == {
        "404": "all",
        "a.test": {"404": "own", "500": "one"},
        "*": {"404": "own", "500": "one"},
        "c.test": {"404": None},
    }
    assert [notes[1], notes[4], notes[5]] == [f"kept: {SETTING}"] * 3
    assert notes[15] == "kept: the built-in page"


def test_a_page_of_a_host_that_no_entry_is_written_for_needs_you():
    lines = [
        *host("*:80", "ServerName a.test"),
        *["<VirtualHost *:80>", "ServerName b.test", "ErrorDocument 404 own", "</VirtualHost>"],
    ]

    assert pages_of(*lines) is None
    assert notes_of(*lines)[7] == (
        "needs you: its host has no entries: name its page in WSGIMATCH_ERROR_PAGES yourself"
    )


def test_it_needs_you_where_another_host_has_the_same_page_too():
    lines = [
        *host("*:80", "ServerName a.test", "ErrorDocument 404 own"),
        *["<VirtualHost *:80>", "ServerName b.test", "ErrorDocument 404 own", "</VirtualHost>"],
    ]

    assert pages_of(*lines) == {"a.test": {"404": "own"}, "*": {"404": "own"}}
    assert notes_of(*lines)[8].startswith("needs you: its host has no entries")


def test_a_host_s_own_page_goes_before_that_of_the_server():
    lines = ["ErrorDocument 404 all", *host("*:80", "ErrorDocument 404 own")]

    assert pages_of(*lines) == {"404": "own"}
    assert notes_of(*lines)[1] == "not needed: site.conf:3 replaces it"


def test_the_fragment_names_the_lines():
    text = text_of('ErrorDocument 503 "Back soon"', "ErrorDocument 404 /missing", ALIAS)

    assert text.endswith(
        '# site.conf:2, 1\nWSGIMATCH_ERROR_PAGES = {404: "/missing", 503: "Back soon"}\n'
    )
