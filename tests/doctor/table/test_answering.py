"""Redirects and entries with files: what must be found of their URLs, and what is sound."""

from __future__ import annotations

import pytest

from django_wsgimatch import alias, alias_match, deny, redirect, redirect_match, script_alias
from tests.doctor import tables as doctor_tables

FOUND = [
    pytest.param(
        redirect("/a", "/a/b"), "W090", "'/a' is redirected to '/a/b' and '/a/b/b', and", id="below"
    ),
    pytest.param(redirect("/", "/new/"), "W090", "'/' is redirected to '/new/'", id="all URLs"),
    pytest.param(redirect("/a", "/a"), "W090", "'/a' is redirected to '/a'", id="to itself"),
    pytest.param(
        redirect_match("^/(.*)", "/app/$1"), "W090", "'/' is redirected to '/app/'", id="a pattern"
    ),
    pytest.param(
        redirect("/a/", "http://x.example/b"),
        "W008",
        "'/a/x' becomes the URL 'http://x.example/bx'",
        id="a redirect that loses a slash",
    ),
    pytest.param(
        redirect("/", "http://x.example"),
        "W008",
        "'/x' becomes the URL 'http://x.examplex'",
        id="a redirect to hosts that anybody may have",
    ),
    pytest.param(
        redirect("/a", "http://x.example/b/"),
        "W091",
        "'/a/' becomes 'http://x.example/b//'",
        id="a redirect with two slashes",
    ),
    pytest.param(
        alias("/a/", "static"),
        "W008",
        "'/a/x' becomes the file 'staticx'",
        id="files that lose a slash",
    ),
    pytest.param(
        redirect("/a", "/b$1"), "W001", "Redirect does not fill in groups", id="no pattern"
    ),
    pytest.param(
        redirect_match("^/a", "/b$1"), "W001", "the target '/b$1' uses $1", id="a missing group"
    ),
    pytest.param(
        redirect_match("^/a(.)", r"/b\1"), "W031", r"in the target '/b\1', \1 is", id="a backslash"
    ),
    pytest.param("Redirect ^/a /b", "W007", "a plain location is not a pattern", id="a line"),
    pytest.param(redirect("/a?b", "/c"), "W051", "is compared as '/a'", id="a query"),
]

SOUND = [
    pytest.param(redirect("/old", "/new"), id="another path"),
    pytest.param(redirect("/old/", "/new/"), id="two slashes"),
    pytest.param(redirect("/old.html", "/new/"), id="a page with an extension"),
    pytest.param(redirect("/old", "http://x.example/?page="), id="a query takes the rest"),
    pytest.param(redirect("/old", "https://www.x.example/old"), id="another host"),
    pytest.param(redirect("/", "https://www.x.example/"), id="all of a host"),
    pytest.param(redirect("/", "https://www.x.example/", "permanent"), id="a status"),
    pytest.param(redirect_match("^/old$", "/old/new"), id="below, but for what is below"),
    pytest.param(redirect_match("^/(?!new/)(.*)", "/new/$1"), id="all but where it leads"),
    pytest.param(redirect_match("^/a/(.*)", "/b/?q=$1"), id="a group in a query"),
    pytest.param(redirect("/past", status="gone"), id="no URL"),
    pytest.param(alias("/a", "static"), id="files"),
    pytest.param(alias("/a", "static/"), id="a path that ends in a slash"),
    pytest.param(alias("/a/", "static/"), id="both end in a slash"),
    pytest.param(alias_match("^/a/(.*)", "static/$1"), id="files of a pattern"),
    pytest.param(alias("/robots.txt", "static/robots.txt"), id="one file"),
    pytest.param("Alias /a static", id="a line"),
]


@pytest.fixture
def site(tmp_path):
    doctor_tables.write(tmp_path, {"static/robots.txt": "", "app.wsgi": "def application(): ...\n"})
    return tmp_path


@pytest.mark.parametrize(("entry", "id", "proof"), FOUND)
def test_what_is_wrong_is_found(site, settings, entry, id, proof):
    found = doctor_tables.found(settings, site, [entry])

    assert id in {each.id for each in found}
    assert any(proof in each.message for each in found), found


@pytest.mark.parametrize("entry", SOUND)
def test_sound_entry_stays_in_peace(site, settings, entry):
    assert doctor_tables.found(settings, site, [entry]) == []


def test_a_circle_of_two_redirects_is_found_at_both(site, settings):
    entries = [redirect("/a", "/b"), redirect("/b", "/a")]

    found = doctor_tables.found(settings, site, entries)

    assert [(each.id, each.where) for each in found] == [
        ("W090", "WSGIMATCH_ALIASES[0]"),
        ("W090", "WSGIMATCH_ALIASES[1]"),
    ]


def test_a_site_of_all_kinds_is_sound_in_any_order(site, settings):
    entries = [
        script_alias("/", "app.wsgi"),
        alias("/static", "static"),
        alias("/static/old", "static"),
        redirect("/old", "/new"),
        redirect_match(r"^/(?:news|blog)/(\d+)$", "/posts/$1"),
    ]
    settings.BASE_DIR = site
    entries[1], entries[2] = entries[2], entries[1]

    assert doctor_tables.found(settings, site, entries) == []


BY_KIND = (
    "As in Apache, redirects are tried first, then files, then scripts, wherever they stand: let "
    "WSGIMATCH_ALIASES[1] match less, or remove one of the two."
)


@pytest.mark.parametrize(
    ("entries", "id", "hint"),
    [
        pytest.param(
            [script_alias("/a", "app.wsgi"), redirect("/a", "/b")],
            "W006",
            BY_KIND,
            id="a script behind a redirect",
        ),
        pytest.param(
            [alias("/a/b", "static"), redirect("/a", "/b")],
            "W006",
            BY_KIND,
            id="files behind a redirect",
        ),
        pytest.param(
            [script_alias("/a", "app.wsgi"), redirect_match("^/.", "http://x.example/")],
            "W006",
            BY_KIND,
            id="a script behind a pattern",
        ),
        pytest.param(
            [redirect("/a", "/b"), redirect("/a/b", "/c")],
            "W006",
            "The first alias that matches wins. Move this one before WSGIMATCH_ALIASES[0], or "
            "remove it.",
            id="two of one kind",
        ),
        pytest.param(
            [deny("/a"), redirect("/a/b", "/c")],
            "W006",
            "The first alias that matches wins. Move this one before WSGIMATCH_ALIASES[0], or "
            "remove it.",
            id="a redirect behind a denial",
        ),
    ],
)
def test_a_hint_about_the_order_helps(site, settings, entries, id, hint):
    found = doctor_tables.found(settings, site, entries)

    assert [(each.id, each.hint) for each in found] == [(id, hint)]


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        pytest.param(
            redirect("/a", "b"), "Begin the URL with a slash, or with a scheme", id="no URL"
        ),
        pytest.param(
            redirect("/a"), "Write where to, as in redirect('/old', '/new')", id="nothing"
        ),
        pytest.param("Redirect gone /a /b", "Leave out the URL", id="a URL for a status without"),
        pytest.param("Alias /a", "Write script_alias(location, target), alias(", id="another"),
        pytest.param(
            "Redirect /a /bRedirect /c /d", "One string holds two directives.", id="a missing comma"
        ),
    ],
)
def test_what_apache_refuses_has_a_cure(site, settings, entry, hint):
    [finding] = doctor_tables.found(settings, site, [entry])

    assert (finding.id, finding.hint.startswith(hint)) == ("E002", True)
