"""What stands before the table, all of it at once: which of it answers first."""

from __future__ import annotations

import pytest

from django_wsgimatch import access, deny, redirect, redirect_match, rewrite, script_alias
from django_wsgimatch import wsgi as entry
from tests.support.wsgi import get, write_scripts

SECURE = {"wsgi.url_scheme": "https"}


@pytest.fixture
def site(tmp_path, settings):
    """A site with each kind of setting that comes before its table."""
    write_scripts(tmp_path, "app.wsgi")
    for name in ("robots.txt", "old/x.txt", "gone.txt", "closed/x.txt"):
        (tmp_path / "public" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "public" / name).write_text(f"the file {name}")
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_FALLBACK = None
    settings.WSGIMATCH_PLAIN_HTTP = [
        redirect_match("^((?!/robots).*)$", "https://%{HTTP_HOST}$1", status=301)
    ]
    settings.WSGIMATCH_FILES_FIRST = ["public"]
    settings.WSGIMATCH_ALIASES = [
        rewrite("^/gone", status=410),
        rewrite("^/when", status=403, when={"QUERY_STRING": "no"}),
        rewrite("^/(blog|old|closed|secret)(.*)$", "/app/$1$2"),
        redirect("/moved", "/app"),
        script_alias("/app", "app.wsgi"),
        deny("/shut"),
    ]
    settings.WSGIMATCH_ACCESS = [
        access("/closed", require="all denied"),
        access("/app/secret", require="all denied"),
    ]
    settings.WSGIMATCH_ERROR_PAGES = {403: "no entry", 404: "/blog/lost"}
    return settings


def told(target, **more):
    """The status of an answer, and a Location, what a script was given, or the body."""
    answer = get(entry.get_application(), target, **more)
    said = dict(answer.headers).get("Location") or answer.body.decode()
    if said.startswith("{"):
        said = f"{answer.told['SCRIPT_NAME']} {answer.told['PATH_INFO']}"
    return answer.code, said


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("/robots.txt", (200, "the file robots.txt"), id="a file, before a new URL"),
        pytest.param("/old/x.txt", (200, "the file old/x.txt"), id="the file of the old URL"),
        pytest.param("/old/y.txt", (200, "/app /old/y.txt"), id="no such file: the new URL"),
        pytest.param("/closed/x.txt", (403, "no entry"), id="a file of a closed URL"),
        pytest.param("/closed/y", (200, "/app /closed/y"), id="rules see the new URL"),
        pytest.param("/secret/y", (403, "no entry"), id="rules of the new URL"),
        pytest.param("/moved/x", (302, "https://localhost/app/x"), id="a redirect of the table"),
        pytest.param("/shut", (403, "no entry"), id="a page for what is refused"),
        pytest.param("/none", (404, "/app /blog/lost"), id="a page behind a new URL"),
    ],
)
def test_who_answers_over_https(site, target, expected):
    assert told(target, **SECURE) == expected


def test_a_file_does_not_answer_what_an_entry_that_rewrites_refuses(site):
    assert told("/gone.txt", **SECURE)[0] == 410


def test_a_file_does_not_answer_what_such_an_entry_refuses_at_times(site, tmp_path):
    (tmp_path / "public/when.txt").write_text("a file")

    assert [told(f"/when.txt{query}", **SECURE)[0] for query in ("", "?no")] == [404, 403]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param("/old/x.txt?a", (301, "https://localhost/old/x.txt?a"), id="a file"),
        pytest.param("/shut", (301, "https://localhost/shut"), id="what is refused"),
        pytest.param("/robots.txt", (200, "the file robots.txt"), id="what is left out"),
    ],
)
def test_plain_http_is_redirected_before_all_else(site, target, expected):
    assert told(target) == expected
