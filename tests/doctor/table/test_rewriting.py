"""Entries that rewrite URLs: what must be found of them, and what is sound."""

from __future__ import annotations

import pytest

from django_wsgimatch import alias, redirect, redirect_match, rewrite, script_alias
from tests.doctor import tables as doctor_tables

APP = script_alias("/app", "app.wsgi")


@pytest.fixture
def site(tmp_path):
    doctor_tables.write(tmp_path, {"static/robots.txt": "", "app.wsgi": "def application(): ...\n"})
    return tmp_path


@pytest.mark.parametrize(
    ("entries", "finding"),
    [
        pytest.param(
            [rewrite("^/a$", "/b"), APP],
            ("W101", "WSGIMATCH_ALIASES[0]", "'/a' becomes '/b', and no entry answers that"),
            id="nothing answers",
        ),
        pytest.param(
            [rewrite("^/a", "/app/.."), APP],
            ("W101", "WSGIMATCH_ALIASES[0]", "'/a' becomes '/app/..', which is refused with 403"),
            id="dots",
        ),
        pytest.param(
            [rewrite("^/a", "/app"), rewrite("^/a/b$", "/app/b"), APP],
            ("W102", "WSGIMATCH_ALIASES[1]", "WSGIMATCH_ALIASES[0] rewrites all of them"),
            id="an earlier one takes all",
        ),
        pytest.param(
            [redirect("/old", "/app"), rewrite("^/old", "/app"), APP],
            ("W103", "WSGIMATCH_ALIASES[0]", "WSGIMATCH_ALIASES[1] rewrites all of them"),
            id="a redirect is hidden",
        ),
    ],
)
def test_what_is_wrong_is_found(site, settings, entries, finding):
    found = doctor_tables.found(settings, site, entries, fallback=None)

    id, where, proof = finding
    assert [(each.id, each.where) for each in found] == [(id, where)]
    assert proof in found[0].message


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([rewrite("^/a/(.*)$", "/app/$1"), APP], id="to a script"),
        pytest.param([rewrite("^(.*)$", "/app/$1"), APP], id="all URLs"),
        pytest.param([rewrite("^/a", "/s/robots.txt"), alias("/s", "static"), APP], id="to a file"),
        pytest.param([rewrite("^/a", "/old"), redirect("/old", "/app"), APP], id="to a redirect"),
        pytest.param(
            [rewrite("^/", "/old/x"), redirect_match("^/old/", "http://x/"), APP],
            id="to a redirect whose own URLs are rewritten",
        ),
        pytest.param(
            [rewrite("^/a", "/app", when={"REQUEST_METHOD": "x"}), rewrite("^/a", "/app/b"), APP],
            id="behind a condition",
        ),
    ],
)
def test_sound_entries_stay_in_peace(site, settings, entries):
    assert doctor_tables.found(settings, site, entries, fallback=None) == []


def test_a_fallback_may_answer_the_new_url(site, settings):
    assert doctor_tables.found(settings, site, [rewrite("^/a$", "/b"), APP]) == []
