from __future__ import annotations

import pytest

from django_wsgimatch import access, alias, basic, deny, script_alias
from django_wsgimatch.checks import file_system_findings
from django_wsgimatch.conf import configuration
from tests.support.wsgi import write_scripts

NOT_SHOWN = ("W066", "W067")


@pytest.fixture
def site(tmp_path, settings):
    write_scripts(tmp_path, "app.wsgi")
    (tmp_path / "errors").mkdir()
    (tmp_path / "errors/404.html").write_text("not here")
    (tmp_path / "users").write_text("")
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_FALLBACK = None
    settings.WSGIMATCH_ALIASES = [
        deny("/closed"),
        alias("/errors", "errors"),
        script_alias("/app", "app.wsgi"),
    ]
    return settings


def found():
    return [each for each in file_system_findings(configuration()) if each.id in NOT_SHOWN]


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param({404: "/errors/404.html"}, id="a file"),
        pytest.param({404: "/app/404?x"}, id="an application"),
        pytest.param({404: "a text", 403: "https://example.org/"}, id="no page of this site"),
    ],
)
def test_nothing_is_said_of_pages_that_are_shown(site, pages):
    site.WSGIMATCH_ERROR_PAGES = pages

    assert found() == []


@pytest.mark.parametrize(
    ("page", "status"),
    [
        pytest.param("/nowhere", 404, id="no entry"),
        pytest.param("/errors/missing.html", 404, id="no file"),
        pytest.param("/errors/", 403, id="a folder without an index"),
        pytest.param("/errors", 301, id="a folder without its slash"),
        pytest.param("/closed/x", 403, id="a deny()"),
    ],
)
def test_a_page_that_is_an_error_is_found(site, page, status):
    site.WSGIMATCH_ERROR_PAGES = {500: page}

    [finding] = found()

    assert (finding.id, finding.where) == ("W066", "WSGIMATCH_ERROR_PAGES[500]")
    assert finding.message == f"'{page}' answers {status} itself: clients get the small page."


def test_the_host_is_named_on_which_a_page_is_missing(site):
    site.WSGIMATCH_VIRTUAL_HOSTS = {".example.org": [deny("/app")]}
    site.WSGIMATCH_ERROR_PAGES = {404: "/app"}

    [finding] = found()

    assert (
        finding.message == "'/app' answers 403 itself on example.org: clients get the small page."
    )


@pytest.mark.parametrize(
    ("sections", "ids"),
    [
        pytest.param([access("/", require="all denied")], ["W067"], id="closed"),
        pytest.param(
            [access("/", auth=basic("Here", users="users"), require="valid-user")],
            ["W067"],
            id="for those who log in",
        ),
        pytest.param(
            [
                access("/", auth=basic("Here", users="users"), require="valid-user"),
                access("/app", require="all granted"),
            ],
            [],
            id="opened",
        ),
    ],
)
def test_a_page_of_a_refusal_is_found_where_it_is_closed_too(site, sections, ids):
    site.WSGIMATCH_ACCESS = sections
    site.WSGIMATCH_ERROR_PAGES = {401: "/app", 404: "/app"}

    assert [each.id for each in found()] == ids
