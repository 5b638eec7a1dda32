"""WSGIMATCH_PLAIN_HTTP as the subcommands show it."""

from __future__ import annotations

import pytest

from django_wsgimatch import deny, redirect, script_alias
from tests.support.commands import asked, run, site_of_scripts

FIRST = "WSGIMATCH_PLAIN_HTTP[0], Redirect 301 / https://%{HTTP_HOST}/"
API = f"  over plain HTTP   {FIRST}: redirects to "


@pytest.fixture
def site(tmp_path, settings):
    site_of_scripts(tmp_path, settings)
    settings.WSGIMATCH_PLAIN_HTTP = [redirect("/", "https://%{HTTP_HOST}/", status=301)]
    settings.WSGIMATCH_HEALTH_PATH = "/-/wsgimatch/"
    settings.WSGIMATCH_TRUSTED_PROXIES = ["unix"]
    settings.WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-Proto"]
    return settings


def test_a_preview_has_both_where_nobody_says_how_it_is_asked(site):
    lines = run("preview", "/api/x?q", "--host", "shop.example")[0].splitlines()

    assert lines[2] == f"{API}https://shop.example/api/x?q (301)"
    assert lines[-1] == "  answer            the script"


def test_a_preview_of_a_plain_url_has_what_answers_it(site):
    assert run("preview", "http://shop.example/api/x?q")[0].splitlines() == [
        "http://shop.example/api/x?q",
        "  uri               /api/x",
        f"{API}https://shop.example/api/x?q (301)",
        "  QUERY_STRING      q",
        "  answer            redirects to https://shop.example/api/x?q (301)",
    ]


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        pytest.param(
            ["/api", "--peer", "unix", "--header", "X-Forwarded-Proto: https"],
            "the script",
            id="a trusted proxy's word",
        ),
        pytest.param(
            ["/api", "--peer", "unix", "--host", "x"],
            "redirects to https://x/api (301)",
            id="no word",
        ),
        pytest.param(
            ["/api", "--peer", "10.0.0.1", "--host", "x", "--header", "X-Forwarded-Proto: https"],
            "redirects to https://x/api (301)",
            id="anybody's word",
        ),
        pytest.param(["https://x/api"], "the script", id="a URL of HTTPS"),
        pytest.param(
            ["http://x/-/wsgimatch/live"], "the fallback: no alias matches", id="a page of health"
        ),
    ],
)
def test_the_scheme_decides(site, arguments, answer):
    assert run("preview", *arguments)[0].splitlines()[-1].removeprefix("  answer").strip() == answer


def test_a_preview_as_json(site):
    site.WSGIMATCH_PLAIN_HTTP = [deny("/api")]

    [shown] = asked("preview", "http://x/api")

    assert (shown["status"], shown["matched"], shown["directive"]) == (403, False, "deny /api")
    assert shown["plain_http"] == {
        "where": "WSGIMATCH_PLAIN_HTTP[0]",
        "directive": "deny /api",
        "status": 403,
        "url": None,
        "is_asked": True,
    }


def test_the_entries_are_listed_first(site):
    row = asked("list")[0]

    assert [row[name] for name in ("where", "host", "position", "kind", "state", "reason")] == [
        *("WSGIMATCH_PLAIN_HTTP[0]", None, 0, "Redirect", "redirected"),
        "301 https://%{HTTP_HOST}/",
    ]


@pytest.mark.parametrize(
    ("entries", "id", "message"),
    [
        pytest.param(
            [script_alias("/a", "api.wsgi")],
            "E002",
            "only redirect(), redirect_match(), deny() and deny_match(), and lines of Redirect and "
            "RedirectMatch, answer requests over plain HTTP, not script_alias('/a', ...).",
            id="another kind",
        ),
        pytest.param(
            [redirect("/", "https://%{HTTP_HOST}")],
            "W008",
            "the location '/' ends in a slash, the URL 'https://%{HTTP_HOST}' does not: '/x' "
            "becomes the URL 'https://%{HTTP_HOST}x'.",
            id="a slash that is missing",
        ),
        pytest.param(
            [redirect("/", "http://%{HTTP_HOST}/")],
            "W090",
            "'/' is redirected to '/' and '/', and so on: no page is ever reached.",
            id="to plain HTTP again",
        ),
        pytest.param(
            [redirect("/", "https://x/"), redirect("/a", "https://y/")],
            "W006",
            "no URL reaches '/a': WSGIMATCH_PLAIN_HTTP[0] takes all of them, such as '/a'.",
            id="an entry behind one that takes all",
        ),
    ],
)
def test_a_check_finds_what_is_wrong_with_an_entry(site, entries, id, message):
    site.WSGIMATCH_PLAIN_HTTP = entries

    found = [each for each in asked("check") if "PLAIN_HTTP" in each["where"]]

    assert [(each["id"], each["message"]) for each in found] == [(f"wsgimatch.{id}", message)]


@pytest.mark.parametrize("url", ["https://%{HTTP_HOST}/", "https://%{SERVER_NAME}:8443/"])
def test_a_check_finds_an_entry_of_the_table_that_names_its_host_so(site, url):
    site.WSGIMATCH_ALIASES = [redirect("/a/", url)]

    assert [each["where"] for each in asked("check") if each["id"] == "wsgimatch.W078"] == [
        "WSGIMATCH_ALIASES[0]"
    ]
