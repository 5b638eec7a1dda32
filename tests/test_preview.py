from __future__ import annotations

from dataclasses import replace

import pytest

from django_wsgimatch.aliases.groups import Server
from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.previews.preview import preview, rebuilt_url
from django_wsgimatch.previews.tries import tries
from django_wsgimatch.previews.values import Preview, PreviewSite

TABLE = AliasTable.from_directives(
    [
        "WSGIScriptAlias /blog blog.wsgi",
        "WSGIScriptAliasMatch ^/(api|rpc)/v(\\d)? api.wsgi/$1",
        "WSGIScriptAlias /dir dir process-group=%{GLOBAL} application-group=%{GLOBAL}",
    ]
)


@pytest.fixture
def site(tmp_path):
    (tmp_path / "dir").mkdir()
    for name in ("blog.wsgi", "api.wsgi"):
        (tmp_path / name).touch()
    rules = Rules(base_directory=str(tmp_path))
    return PreviewSite(
        TABLE, rules, Server("localhost"), view=lambda path_info: f"view of {path_info}"
    )


def test_all_of_a_preview(site, tmp_path):
    shown = preview(site, "/api/v2/x?q")

    assert shown == Preview(
        target="/api/v2/x?q",
        uri="/api/v2/x",
        status=200,
        matched=True,
        alias=1,
        directive="WSGIScriptAliasMatch ^/(api|rpc)/v(\\\\d)? api.wsgi/$1",
        captures=("api", "2"),
        filename=f"{tmp_path}/api.wsgi/api/x",
        url=None,
        script=f"{tmp_path}/api.wsgi",
        script_name="/api/v2",
        path_info="/api/x",
        query_string="q",
        process_group="",
        application_group="",
        callable_object="application",
        view="view of /api/x",
        urlconf_status=None,
        load_error=None,
        request=None,
        warnings=("An application would rebuild the URL as '/api/v2/api/x', not '/api/v2/x'.",),
    )


def test_nothing_is_known_of_a_bad_target(site):
    shown = preview(site, "/%zz")

    assert shown == Preview(
        *("/%zz", None, 400, False, None, None, None),
        *(None,) * 13,
        warnings=("400: '%zz' is not a percent escape.",),
    )


@pytest.mark.parametrize(
    ("target", "view"),
    [
        pytest.param("/other", "view of /other", id="path"),
        pytest.param("/a/../%41?q", "view of /a/../A", id="unescaped and not normalised"),
        pytest.param("http://host/a/../b", "view of /b", id="absolute form"),
    ],
)
def test_fallback(site, target, view):
    shown = preview(site, target)

    assert (shown.status, shown.matched, shown.path_info, shown.view) == (None, False, None, view)


def test_without_fallback(site):
    shown = preview(replace(site, has_fallback=False), "/other")

    assert (shown.status, shown.view) == (404, None)


def test_script_that_would_not_load(site):
    shown = preview(replace(site, load_error=lambda *where: "500: no."), "/blog")

    assert (shown.status, shown.warnings) == (200, ("500: no.",))


def test_directory(site, tmp_path):
    shown = preview(site, "/dir")

    reason = f"403: Attempt to invoke directory as WSGI application: {tmp_path}/dir."
    assert (shown.status, shown.script, shown.view, shown.warnings) == (403, None, None, (reason,))


def test_directory_that_is_redirected_to_its_own_url(site):
    rules = replace(site.rules, directory_slash=True)

    shown = preview(replace(site, rules=rules), "/dir?q")

    assert (shown.status, shown.url, shown.warnings) == (301, "http://localhost/dir/?q", ())


@pytest.mark.parametrize(
    ("target", "url"),
    [
        pytest.param("/blog/x", "/blog/x", id="script"),
        pytest.param("/other", None, id="fallback"),
    ],
)
def test_rebuilt_url(site, target, url):
    assert rebuilt_url(preview(site, target)) == url


@pytest.mark.parametrize(
    ("directives", "uri", "expected"),
    [
        pytest.param([" /a", " /b"], "/a", [(0, "won", "the URL begins with it")], id="the first"),
        pytest.param(
            [" /a", " /b"],
            "/b",
            [(0, "lost", "the URL does not begin with it"), (1, "won", "the URL begins with it")],
            id="the second",
        ),
        pytest.param(
            ["Match ^/(a)", " /b", " /a/b"],
            "/a/b",
            [
                (0, "won", "found: '/a'"),
                (2, "later", "the URL begins with it, but an earlier alias has won"),
            ],
            id="later ones that match too",
        ),
        pytest.param(["Match ^/b"], "/a", [(0, "lost", "not found in the URL")], id="pattern"),
        pytest.param(
            [" a"],
            "/a",
            [(0, "lost", "it can never match: it does not begin with '/'")],
            id="no slash",
        ),
        pytest.param([" /A"], "/a/x", [(0, "lost", "upper and lower case differ")], id="case"),
        pytest.param(
            [" /a/"], "/a", [(0, "lost", "it ends in '/', the URL does not")], id="slash at the end"
        ),
        pytest.param([" /a"], "/ab", [(0, "lost", "'b' follows it, not '/'")], id="longer name"),
    ],
)
def test_tries(directives, uri, expected):
    table = AliasTable.from_directives(f"WSGIScriptAlias{each} x" for each in directives)

    tried = [(each.position, each.outcome, each.reason) for each in tries(table, uri)]

    assert tried == expected


@pytest.mark.parametrize("target", ["/blog/page//contact/", "/blog//", "//blog/x", "/blog/a%2F/b"])
def test_slashes_that_count_as_one_are_told(site, target):
    """The application does not get the path that was asked for."""
    shown = preview(replace(site, rules=replace(site.rules, allow_encoded_slashes=True)), target)

    [warning] = shown.warnings
    assert warning.startswith("Consecutive slashes count as one: the application gets '/blog")
    assert warning.endswith("(WSGIMATCH_MERGE_SLASHES).")


def test_a_path_that_is_passed_on_as_it_is_needs_no_warning(site):
    assert preview(site, "/blog/page/contact/?next=//x").warnings == ()
