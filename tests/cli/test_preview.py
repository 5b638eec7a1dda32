from __future__ import annotations

import io
import json
import os
import sys

import pytest
from django.core.management.base import CommandError

from django_wsgimatch import (
    access,
    access_match,
    basic,
    rewrite,
    rules,
    script_alias,
    script_alias_match,
)
from django_wsgimatch.cli import preview as previewing
from django_wsgimatch.doctor.projects.views import view_name
from django_wsgimatch.previews.values import Preview
from tests.support import commands
from tests.support.commands import SOURCE, asked, drawn, run, site_of_scripts

NOT_DECODED = "the path holds %2F, which AllowEncodedSlashes Off refuses"
API = "WSGIScriptAlias /api api.wsgi/api"
WSGI = "WSGIScriptAliasMatch ^/wsgi/([^/]+) scripts/$1.wsgi"


@pytest.fixture
def site(tmp_path, settings):
    return site_of_scripts(tmp_path, settings)


def test_preview(site):
    out, err, status = run("preview", "/wsgi/blog/2024?page=2")

    assert out.replace(str(site), "/srv") == (
        "/wsgi/blog/2024?page=2\n"
        "  uri               /wsgi/blog/2024\n"
        f"  alias             [0] {API}: lost, the URL does not begin with it\n"
        f"  alias             [1] {WSGI}: won, found: '/wsgi/blog'\n"
        "  $1                blog\n"
        "  filename          /srv/scripts/blog.wsgi/2024\n"
        "  script            /srv/scripts/blog.wsgi\n"
        "  SCRIPT_NAME       /wsgi/blog\n"
        "  PATH_INFO         /2024\n"
        "  QUERY_STRING      page=2\n"
        "  process group     (embedded)\n"
        "  application group (main interpreter)\n"
        "  callable object   app\n"
        "  rebuilt URL       /wsgi/blog/2024\n"
        "  answer            the script\n"
    )
    assert (err, status) == ("", 0)


@pytest.mark.parametrize(
    ("target", "lines"),
    [
        pytest.param(
            "/%2f",
            [
                "  answer            status 404",
                f"  warning           404: {NOT_DECODED}.",
            ],
            id="bad target",
        ),
        pytest.param(
            "http://h/other",
            [
                "  uri               /other",
                "  alias             [0] to [1]: 2 lost (-v 2 says why)",
                "  QUERY_STRING",
                "  view              none: the project's URLconf answers 404",
                "  answer            the fallback: no alias matches",
            ],
            id="fallback",
        ),
    ],
)
def test_preview_without_a_script(site, target, lines):
    assert run("preview", target)[0].splitlines()[1:] == lines


def test_preview_passes_a_broken_entry_over(site, settings):
    settings.WSGIMATCH_ALIASES = [script_alias_match("(", "x.wsgi"), script_alias("/zz", "z.wsgi")]

    assert run("preview", "/zz")[0].splitlines()[2:4] == [
        "  alias             [0] (broken): lost, `wsgimatch check` says why",
        "  alias             [1] WSGIScriptAlias /zz z.wsgi: won, the URL begins with it",
    ]


BOTH = "Require all of (any of (valid-user), any of (ip 10.0.0.0/8))"
ACCESS = [
    access("/", auth=basic("Räume", users="users"), require="valid-user"),
    access_match("^/z", require="ip 10.0.0.0/8", auth_merging="and"),
    access("/", require="all denied", host="shop.test"),
]


def test_preview_shows_the_access_rules_that_hold(site, settings):
    settings.WSGIMATCH_ACCESS = ACCESS

    login = f'Basic "Räume", users in {site}/users'
    assert run("preview", "/zz")[0].splitlines()[2:5] == [
        f"  access            Location /: {login}; Require valid-user",
        "  access            LocationMatch ^/z: Require ip 10.0.0.0/8",
        f"  demands           {login}; {BOTH}",
    ]


def test_preview_shows_what_the_entry_itself_says_first(site, settings):
    settings.WSGIMATCH_ALIASES = [
        script_alias("/api", "api.wsgi", access=rules(require="local", require_ssl=True)),
        script_alias("/open", "api.wsgi"),
    ]
    settings.WSGIMATCH_ACCESS = ACCESS[1:2]

    shown = asked("preview", "/api/x", "/open/x")

    own = "SSLRequireSSL; Require local"
    assert [each["access"] for each in shown] == [[f"WSGIScriptAlias /api: {own}"], []]
    assert [each["demands"] for each in shown] == [own.split("; "), []]


def test_preview_shows_the_access_rules_of_a_host(site, settings):
    settings.WSGIMATCH_ACCESS = ACCESS[2:]

    shown = asked("preview", "/zz", "http://shop.test/zz")

    assert [each["demands"] for each in shown] == [[], ["Require all denied"]]


def test_preview_shows_the_page_of_an_error(site, settings):
    settings.WSGIMATCH_FALLBACK = None
    settings.WSGIMATCH_ERROR_PAGES = {404: "/api/missing"}

    text = run("preview", "/zz")[0]

    assert text.splitlines()[-2:] == [
        "  answer            status 404",
        "  page              /api/missing",
    ]


def test_preview_for_programs(site):
    assert asked("preview", "/api/entry/x/", "/zz?q") == [
        {
            "target": "/api/entry/x/",
            "uri": "/api/entry/x/",
            "status": 200,
            "matched": True,
            "alias": 0,
            "directive": "WSGIScriptAlias /api api.wsgi/api",
            "captures": [],
            "filename": f"{site}/api.wsgi/api/entry/x/",
            "url": None,
            "script": f"{site}/api.wsgi",
            "script_name": "",
            "path_info": "/api/entry/x/",
            "query_string": "",
            "process_group": "",
            "application_group": "",
            "callable_object": "application",
            "view": f"{commands.__name__}.entry",
            "urlconf_status": None,
            "load_error": None,
            "request": None,
            "warnings": [],
            "access": [],
            "demands": [],
            "plain_http": None,
            "file_first": None,
            "missing_files": [],
            "asked_uri": None,
            "rewriting": None,
            "error_page": None,
        },
        {
            **dict.fromkeys(["status", "alias", "directive", "filename", "url", "script"]),
            **dict.fromkeys(["script_name", "path_info", "process_group", "application_group"]),
            **dict.fromkeys(["callable_object", "view", "load_error", "request", "plain_http"]),
            **dict.fromkeys(["asked_uri", "rewriting"]),
            "urlconf_status": 404,
            "target": "/zz?q",
            "uri": "/zz",
            "matched": False,
            "captures": None,
            "query_string": "q",
            "warnings": [],
            "access": [],
            "demands": [],
            "file_first": None,
            "missing_files": [],
            "error_page": None,
        },
    ]


def test_a_rewritten_url_is_shown_before_and_after(site, settings):
    settings.WSGIMATCH_ALIASES = [
        rewrite("^/old/(.*)$", "/api/$1?from=old"),
        *settings.WSGIMATCH_ALIASES,
    ]

    out = run("preview", "/old/x?a=b")[0].replace(str(site), "/srv")

    assert out.splitlines()[1:9] == [
        "  asked for         /old/x",
        "  rewritten by      RewriteRule ^/old/(.*)$ /api/$1?from=old [PT]",
        "  uri               /api/x",
        f"  alias             [1] {API}: won, the URL begins with it",
        "  filename          /srv/api.wsgi/api/x",
        "  script            /srv/api.wsgi",
        "  SCRIPT_NAME",
        "  PATH_INFO         /api/x",
    ]
    assert "  QUERY_STRING      from=old" in out


def test_a_rewritten_url_that_is_refused_says_why(site, settings):
    settings.WSGIMATCH_ALIASES = [rewrite("^/old/(.*)$", "/api/../$1")]

    lines = run("preview", "/old/x")[0].splitlines()

    assert lines[-2:] == [
        "  answer            status 403",
        "  warning           403: the new URL '/api/../x' has a segment of dots.",
    ]


@pytest.fixture
def lost(settings):
    """A table in which one alias of five nearly matches /api, and the last one does."""
    names = ["/b", "/c", "/API", "/d", "/api"]
    settings.WSGIMATCH_ALIASES = [script_alias(name, "api.wsgi") for name in names]


def aliases_of(*words):
    lines = [line.split(maxsplit=1) for line in run("preview", *words)[0].splitlines()[1:]]
    return [line[1].replace("WSGIScriptAlias ", "") for line in lines if line[0] == "alias"]


def test_several_aliases_in_a_row_that_lost_are_one_line(site, lost):
    assert aliases_of("/api/x") == [
        "[0] to [1]: 2 lost (-v 2 says why)",
        "[2] /API api.wsgi: lost, upper and lower case differ",
        "[3] /d api.wsgi: lost, the URL does not begin with it",
        "[4] /api api.wsgi: won, the URL begins with it",
    ]


def test_all_aliases_that_lost_are_told_if_asked_for(site, lost):
    assert aliases_of("/api/x", "-v", "2")[:2] == [
        "[0] /b api.wsgi: lost, the URL does not begin with it",
        "[1] /c api.wsgi: lost, the URL does not begin with it",
    ]


def test_of_a_great_table_the_preview_is_short(site, settings):
    settings.WSGIMATCH_ALIASES = [
        *[script_alias(f"/app{number}", "api.wsgi") for number in range(2000)],
        script_alias("/api", "api.wsgi"),
    ]

    assert aliases_of("/api/x") == [
        "[0] to [1999]: 2,000 lost (-v 2 says why)",
        "[2000] /api api.wsgi: won, the URL begins with it",
    ]


OF_DJANGO = """\
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""


@pytest.mark.parametrize(
    ("source", "error"),
    [
        pytest.param(
            "import nosuch\n", "ModuleNotFoundError: No module named 'nosuch'", id="import"
        ),
        pytest.param("1 / 0\n", "ZeroDivisionError: division by zero", id="it raises"),
        pytest.param("(\n", "'(' was never closed", id="no Python"),
        pytest.param("x = 5\n", "it has no 'application'", id="no application"),
        pytest.param(
            "application = 5\n", "application is 5, which cannot be called", id="a number"
        ),
    ],
)
def test_preview_says_why_a_script_of_the_server_s_own_does_not_load(site, source, error):
    (site / "api.wsgi").write_text(source)

    [shown] = asked("preview", "/api/x")

    assert error in shown["load_error"]
    assert any(error in warning for warning in shown["warnings"])
    assert previewing.answer_text(Preview(**shown)) == "the script, which does not load"


def test_preview_of_very_many_scripts_loads_the_first_few(site, settings, monkeypatch):
    monkeypatch.setattr(previewing, "MOST_PROJECTS", 1)
    for name in ("api.wsgi", "scripts/blog.wsgi"):
        (site / name).write_text("1 / 0\n")

    shown = asked("preview", "/api/x", "/wsgi/blog", "/api/y")

    assert [each["load_error"] is None for each in shown] == [False, True, False]


def test_preview_loads_each_script_once(site):
    source = f"open({str(site / 'loads')!r}, 'a').write('x')\n{SOURCE}"
    (site / "api.wsgi").write_text(source)

    shown = asked("preview", "/api/x", "/api/y", "/api")

    assert [each["load_error"] for each in shown] == [None] * 3
    assert (site / "loads").read_text() == "x"


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        pytest.param(OF_DJANGO, "/api/nosuch", (None, 404), id="no view"),
        pytest.param(OF_DJANGO, "/api/entry/x/", (f"{commands.__name__}.entry", None), id="a view"),
        pytest.param(OF_DJANGO, "/api/entry/x", (None, 301), id="a slash is appended"),
        pytest.param(SOURCE, "/api/nosuch", (None, None), id="a script that is not Django's"),
        pytest.param(f"{OF_DJANGO}(", "/api/nosuch", (None, None), id="one that does not load"),
        pytest.param("", "/nosuch", (None, 404), id="the fallback"),
    ],
)
def test_what_the_urlconf_answers(site, settings, source, target, said):
    settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
    (site / "api.wsgi").write_text(source)

    [shown] = asked("preview", target)

    assert (shown["view"], shown["urlconf_status"]) == said


def test_a_fallback_that_is_not_this_project_is_not_asked(site, settings):
    settings.WSGIMATCH_FALLBACK = f"{commands.__name__}.entry"

    [shown] = asked("preview", "/nosuch")

    assert shown["urlconf_status"] is None


def test_preview_of_a_script_that_does_not_load(site):
    (site / "api.wsgi").write_text("(")

    lines = run("preview", "/api")[0].splitlines()

    assert "  answer            the script, which does not load" in lines


def test_preview_without_fallback(site, settings):
    settings.WSGIMATCH_FALLBACK = None

    [shown] = asked("preview", "/zz")

    assert shown["status"] == 404


def test_preview_of_a_script_with_other_settings(site):
    (site / "api.wsgi").write_text("import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'other'")

    [shown] = asked("preview", "/api")

    [warning] = shown["warnings"]
    assert warning.startswith("500: the script ")
    assert "'other', but the process runs 'tests.settings'" in warning


@pytest.mark.parametrize(
    ("host", "group"),
    [
        pytest.param([], "localhost|/api/x", id="no host"),
        pytest.param(["--host", "shop.example"], "shop.example|/api/x", id="name"),
        pytest.param(["--host", "shop.example:8080"], "shop.example:8080|/api/x", id="and port"),
        pytest.param(["--host", "[::1]:8080"], "[::1]:8080|/api/x", id="IPv6"),
    ],
)
def test_host_names_the_groups(site, settings, host, group):
    settings.WSGIMATCH_ALIASES = [script_alias("/api", "api.wsgi")]
    settings.WSGIMATCH_APPLICATION_GROUP = "%{RESOURCE}"

    [shown] = asked("preview", "/api/x", *host)

    assert shown["application_group"] == group.replace("/api/x", "/api")


def test_server_name_names_the_groups(site, settings):
    settings.WSGIMATCH_ALIASES = [script_alias("/api", "api.wsgi", application_group="%{SERVER}")]
    settings.WSGIMATCH_SERVER_NAME = "main.example"

    [shown] = asked("preview", "/api", "--host", "other.example")

    assert shown["application_group"] == "main.example"


def test_environment_names_the_groups(site, settings, monkeypatch):
    monkeypatch.setenv("GROUP", "from the environment")
    settings.WSGIMATCH_ALIASES = [
        script_alias("/api", "api.wsgi", application_group="%{ENV:GROUP}")
    ]

    [shown] = asked("preview", "/api")

    assert shown["application_group"] == "from the environment"


@pytest.mark.parametrize(
    ("target", "arguments", "alias"),
    [
        pytest.param("/x", ["--host", "one.example"], 0, id="host header"),
        pytest.param("http://one.example/x", [], 0, id="target"),
        pytest.param("http://two.example/x", ["--host", "one.example"], None, id="target wins"),
        pytest.param("/api", ["--host", "one.example"], 1, id="entry for every host"),
        pytest.param("/x", [], None, id="none"),
    ],
)
def test_virtual_hosts(site, settings, target, arguments, alias):
    settings.WSGIMATCH_VIRTUAL_HOSTS = {"one.example": [script_alias("/x", "api.wsgi")]}

    [shown] = asked("preview", target, *arguments)

    assert shown["alias"] == alias


def test_the_aliases_shown_are_the_virtual_host_s(site, settings):
    settings.WSGIMATCH_VIRTUAL_HOSTS = {"one.example": [script_alias("/x", "api.wsgi")]}

    out = run("preview", "http://one.example/x")[0]

    assert "[0] WSGIScriptAlias /x api.wsgi: won, the URL begins with it" in out


@pytest.mark.parametrize(
    ("path_info", "view"),
    [
        pytest.param("/api/entry/a/", "entry", id="function"),
        pytest.param("/page/", "Page", id="class"),
        pytest.param("/callable/", "Callable", id="callable object"),
        pytest.param("/api/entry/caf\xc3\xa9/", "entry", id="UTF-8"),
        pytest.param("/api/entry/caf\xe9/", "entry", id="no UTF-8"),
        pytest.param("", "entry", id="empty is a slash"),
    ],
)
def test_view_name(site, path_info, view):
    assert view_name(path_info) == f"{commands.__name__}.{view}"


def test_no_view(site):
    assert view_name("/none/") is None


def test_urlconf_that_does_not_load(site, settings):
    settings.ROOT_URLCONF = "no.such.urls"

    out, err, status = run("preview", "/api", "--json")

    assert json.loads(out)[0]["view"] is None
    assert status == 0
    assert err == (
        "The views cannot be named, as the URLconf does not load: ModuleNotFoundError: No module "
        "named 'no'\n"
    )


@pytest.mark.parametrize("targets", [1, 5], ids=["one URL", "several URLs"])
def test_a_urlconf_that_does_not_load_is_tried_for_all_urls_together(
    site, settings, monkeypatch, targets
):
    monkeypatch.syspath_prepend(site)
    (site / "brokenurls.py").write_text(
        f"import pathlib; p = pathlib.Path({str(site / 'tried')!r})\n"
        "p.write_text((p.read_text() if p.exists() else '') + 'x')\nraise RuntimeError\n"
    )
    settings.ROOT_URLCONF = "brokenurls"

    run("preview", *["/nosuch"] * targets)

    # Once for the warning, once for the views, once for what the URLconf answers.
    assert (site / "tried").read_text() == "xxx"


def test_preview_with_a_broken_table(site, settings):
    settings.WSGIMATCH_ALIASES = ["WSGIScriptAlias /a", script_alias("/api", "api.wsgi")]

    out, err, status = run("preview", "/api", "--json")

    assert json.loads(out)[0]["alias"] == 1
    assert status == 0
    assert err == (
        "1 of the settings or entries cannot be used as they are and take no part here; "
        "`manage.py wsgimatch check` says why.\n"
    )


@pytest.mark.parametrize(
    "host",
    [pytest.param("a b"), pytest.param("http://a"), pytest.param("a:b"), pytest.param("u@h")],
)
def test_bad_host(site, host):
    with pytest.raises(CommandError) as caught:
        run("preview", "/api", "--host", host)

    assert str(caught.value) == f"The host {host!r} should be NAME or NAME:PORT."


@pytest.mark.parametrize(
    ("stdin", "uris"),
    [
        pytest.param(b"/a\n/b\n", ["/a", "/b"], id="two lines"),
        pytest.param(b"/a\n/b", ["/a", "/b"], id="no newline at the end"),
        pytest.param(b"/a\n\n/b\n", ["/a", None, "/b"], id="empty line"),
        pytest.param(b"/\xe9\xff\n", ["/\xe9\xff"], id="bytes"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_targets_from_standard_input(site, monkeypatch, stdin, uris):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))

    assert [shown["uri"] for shown in asked("preview", "-")] == uris


def test_bytes_in_arguments(site):
    argument = os.fsdecode(b"/caf\xe9")

    [shown] = asked("preview", argument)

    assert shown["uri"] == "/caf\xe9"


def test_terminal_shows_previews(site):
    out = drawn("preview", "/wsgi/blog", "/api\x1b[0m")

    assert "/wsgi/blog" in out
    assert r"/api\x1b[0m" in out
