from __future__ import annotations

import contextlib
import io
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.http import HttpResponse
from django.urls import path
from django.views import View

from django_wsgimatch import script_alias, script_alias_match
from django_wsgimatch.cli import preview as previewing
from django_wsgimatch.cli.listing import COLUMNS
from django_wsgimatch.doctor.projects.views import view_name
from django_wsgimatch.management.commands.wsgimatch import Unsuccessful
from django_wsgimatch.preview import Preview

ROOT = Path(__file__).resolve().parent.parent
TOO_FEW = (
    "WSGIScriptAlias requires at least two arguments, Map location to target WSGI script file."
)
NOT_DECODED = "the path holds %2F, which AllowEncodedSlashes Off refuses"
API = "WSGIScriptAlias /api api.wsgi/api"
WSGI = "WSGIScriptAliasMatch ^/wsgi/([^/]+) scripts/$1.wsgi"
SOURCE = "def application(environ, start_response): ...\napp = application\n"


def entry(request, **kwargs):
    return HttpResponse()


class Page(View):
    pass


class Callable:
    def __call__(self, request):
        return HttpResponse()


urlpatterns = [
    path("api/entry/<str:name>/", entry),
    path("page/", Page.as_view()),
    path("callable/", Callable()),
    path("", entry),
]


@pytest.fixture
def site(tmp_path, settings):
    for name in ("api.wsgi", "scripts/blog.wsgi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SOURCE)
    settings.BASE_DIR = tmp_path
    settings.ROOT_URLCONF = __name__
    settings.WSGIMATCH_ALIASES = [
        script_alias("/api", "api.wsgi/api"),
        script_alias_match("^/wsgi/([^/]+)", "scripts/$1.wsgi", callable_object="app"),
    ]
    return tmp_path


def run(*arguments, **options):
    """What the command prints, what it complains of, and its status."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("wsgimatch", *arguments, stdout=out, stderr=err, **options)
    except Unsuccessful as error:
        return out.getvalue(), err.getvalue(), error.returncode
    return out.getvalue(), err.getvalue(), 0


def asked(*arguments):
    """The objects that --json gives."""
    return json.loads(run(*arguments, "--json")[0])


class Terminal(io.StringIO):
    def isatty(self):
        return True


def drawn(*arguments):
    terminal = Terminal()
    call_command("wsgimatch", *arguments, stdout=terminal, stderr=io.StringIO())
    return terminal.getvalue()


def test_check_of_a_sound_table(site):
    assert run("check") == ("0 errors, 0 warnings.\n", "", 0)


def test_check_of_a_broken_table(site, settings):
    settings.WSGIMATCH_ALIASES = [script_alias("/a", "none.wsgi"), script_alias("b", "api.wsgi")]

    out, err, status = run("check")

    assert out.replace(str(site), "/srv") == (
        "ERROR wsgimatch.E010 WSGIMATCH_ALIASES[0]: the target 'none.wsgi' does not exist: there "
        "is no '/srv/none.wsgi'. Every request gets 404.\n"
        "    hint: Fix the path. A relative one begins in settings.BASE_DIR.\n"
        "WARNING wsgimatch.W007 WSGIMATCH_ALIASES[1]: 'b' can never match: URLs begin with '/', "
        "and this location does not.\n"
        "    hint: Put a slash in front: script_alias('/b', 'api.wsgi').\n"
        "1 error, 1 warning.\n"
    )
    assert (err, status) == ("", 1)


def test_check_shows_how_far_it_is_where_somebody_may_wait(site):
    terminal = Terminal()

    call_command("wsgimatch", "check", stdout=io.StringIO(), stderr=terminal)

    frames = re.split(r"\r(?:\x1b\[2K)?", terminal.getvalue())
    done = [frame.split()[0] for frame in frames if "100%" in frame]
    assert list(dict.fromkeys(done))[:3] == ["entries", "targets", "urls"]


@pytest.mark.parametrize(
    ("stderr", "arguments"),
    [
        pytest.param(io.StringIO(), [], id="no terminal"),
        pytest.param(Terminal(), ["--json"], id="a program reads"),
    ],
)
def test_check_shows_no_bars_where_nobody_watches(site, stderr, arguments):
    call_command("wsgimatch", "check", *arguments, stdout=io.StringIO(), stderr=stderr)

    assert stderr.getvalue() == ""


@pytest.mark.parametrize(
    ("fail_level", "status"), [("ERROR", 0), ("CRITICAL", 0), ("WARNING", 1), ("INFO", 1)]
)
def test_fail_level(site, settings, fail_level, status):
    settings.WSGIMATCH_ALIASES = [script_alias("b", "api.wsgi")]

    assert run("check", "--fail-level", fail_level)[2] == status


def test_check_for_programs(site, settings):
    settings.WSGIMATCH_ALIASES = [script_alias("b", "api.wsgi")]

    assert asked("check") == [
        {
            "id": "wsgimatch.W007",
            "level": "WARNING",
            "where": "WSGIMATCH_ALIASES[0]",
            "message": "'b' can never match: URLs begin with '/', and this location does not.",
            "hint": "Put a slash in front: script_alias('/b', 'api.wsgi').",
        }
    ]


def test_list(site, settings):
    settings.WSGIMATCH_ALIASES = [
        script_alias("/api", "api.wsgi/api"),
        script_alias_match("^/(x)", "scripts/$1", pass_authorization=False, callable_object="app"),
        script_alias("/none", "none.wsgi"),
        "WSGIScriptAlias /broken",
    ]
    settings.WSGIMATCH_VIRTUAL_HOSTS = {".example": [script_alias("/", "api.wsgi")]}

    out = run("list")[0].replace(str(site), "/srv")

    assert [re.split("  +", line) for line in out.splitlines()] == [
        [*COLUMNS],
        [
            *("WSGIMATCH_VIRTUAL_HOSTS['.example'][0]", ".example", "0", "plain", "/", "api.wsgi"),
            *("-", "(embedded)", "(main interpreter)", "script /srv/api.wsgi"),
        ],
        [
            *("WSGIMATCH_ALIASES[0]", "-", "0", "plain", "/api", "api.wsgi/api"),
            *("-", "(embedded)", "(main interpreter)", "script /srv/api.wsgi"),
        ],
        [
            *("WSGIMATCH_ALIASES[1]", "-", "1", "match", "^/(x)", "scripts/$1"),
            "callable_object=app pass_authorization=False",
            *("(embedded)", "(main interpreter)", "directory /srv/scripts"),
        ],
        [
            *("WSGIMATCH_ALIASES[2]", "-", "2", "plain", "/none", "none.wsgi"),
            *("-", "(embedded)", "(main interpreter)", "missing: /srv/none.wsgi"),
        ],
        [*("WSGIMATCH_ALIASES[3]", "-", "3", "-", "-", "-", "-", "-", "-"), f"broken: {TOO_FEW}"],
    ]


def test_list_for_programs(site):
    assert asked("list")[1] == {
        "host": None,
        "position": 1,
        "where": "WSGIMATCH_ALIASES[1]",
        "kind": "match",
        "location": "^/wsgi/([^/]+)",
        "target": "scripts/$1.wsgi",
        "process_group": "%{GLOBAL}",
        "application_group": "%{GLOBAL}",
        "callable_object": "app",
        "pass_authorization": True,
        "state": "directory",
        "script": f"{site}/scripts",
        "reason": "",
    }


def test_list_of_an_empty_table(settings):
    settings.WSGIMATCH_ALIASES = []

    assert run("list")[0].split() == [
        *("entry", "host", "position", "kind", "location", "target", "options"),
        *("process", "group", "application", "group", "script"),
    ]


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
            "script": f"{site}/api.wsgi",
            "script_name": "",
            "path_info": "/api/entry/x/",
            "query_string": "",
            "process_group": "",
            "application_group": "",
            "callable_object": "application",
            "view": f"{__name__}.entry",
            "urlconf_status": None,
            "load_error": None,
            "warnings": [],
        },
        {
            **dict.fromkeys(["status", "alias", "directive", "filename", "script", "script_name"]),
            **dict.fromkeys(["path_info", "process_group", "application_group"]),
            **dict.fromkeys(["callable_object", "view", "load_error"]),
            "urlconf_status": 404,
            "target": "/zz?q",
            "uri": "/zz",
            "matched": False,
            "captures": None,
            "query_string": "q",
            "warnings": [],
        },
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
    assert previewing.answer(Preview(**shown)) == "the script, which does not load"


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
        pytest.param(OF_DJANGO, "/api/entry/x/", (f"{__name__}.entry", None), id="a view"),
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
    settings.WSGIMATCH_FALLBACK = f"{__name__}.entry"

    [shown] = asked("preview", "/nosuch")

    assert shown["urlconf_status"] is None


def test_preview_of_a_script_that_does_not_load(site):
    (site / "api.wsgi").write_text("(")

    lines = run("preview", "/api")[0].splitlines()

    assert "  answer            the script, which does not load" in lines


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "JSON"])
@pytest.mark.parametrize(
    ("given", "words", "skipped"),
    [
        pytest.param(b"", [], 0, id="an empty file"),
        pytest.param(b"# nothing\n\n", [], 0, id="a file of comments"),
        pytest.param(b"nonsense\n", [], 1, id="no line that can be read"),
        pytest.param(b"/a\n", ["--limit", "0"], 0, id="a limit of nothing"),
    ],
)
def test_a_comparison_of_nothing_is_no_success(tmp_path, given, words, skipped, options):
    (tmp_path / "urls").write_bytes(given)

    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        out, err, status = run("compare", url, url, str(tmp_path / "urls"), *words, *options)

    assert status == 1
    assert ("nothing was compared" in out) == (not options)
    assert len(err.splitlines()) == (0 if options else skipped)


def test_findings_are_sorted_by_entry(site, settings):
    settings.WSGIMATCH_NONE = 1
    settings.WSGIMATCH_VIRTUAL_HOSTS = {"a.example": [script_alias("x", "none.wsgi")]}
    settings.WSGIMATCH_ALIASES = [
        *[script_alias(f"/{number}", "api.wsgi") for number in range(9)],
        script_alias("y", "api.wsgi"),
        script_alias("z", "none.wsgi"),
    ]

    found = [(each["where"], each["id"][-4:]) for each in asked("check")]

    assert found == [
        ("WSGIMATCH_NONE", "W013"),
        ("WSGIMATCH_VIRTUAL_HOSTS['a.example'][0]", "E010"),
        ("WSGIMATCH_VIRTUAL_HOSTS['a.example'][0]", "W007"),
        ("WSGIMATCH_ALIASES[9]", "W007"),
        ("WSGIMATCH_ALIASES[10]", "E010"),
        ("WSGIMATCH_ALIASES[10]", "W007"),
    ]


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
    assert view_name(path_info) == f"{__name__}.{view}"


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


@pytest.mark.parametrize("arguments", [[], ["preview"], ["guess"], ["check", "--fail-level", "X"]])
def test_bad_arguments(arguments):
    with pytest.raises(CommandError):
        run(*arguments)


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


def test_terminal_shows_the_findings(site, settings):
    settings.WSGIMATCH_ALIASES = [script_alias("b", "api.wsgi")]

    assert "wsgimatch.W007" in drawn("check")


def test_terminal_shows_the_table(site, settings):
    settings.WSGIMATCH_ALIASES.append("WSGIScriptAlias /broken")

    out = drawn("list")

    assert "WSGIMATCH_ALIASES[0]" in out
    assert "application group" not in out


def test_terminal_shows_previews(site):
    out = drawn("preview", "/wsgi/blog", "/api\x1b[0m")

    assert "/wsgi/blog" in out
    assert r"/api\x1b[0m" in out


def test_command_line():
    """As typed: a status for the shell, and nothing else on standard output."""
    words = ["-m", "django", "wsgimatch", "preview", "--json", os.fsdecode(b"/caf\xe9"), "-"]
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, *words], input=b"/b\n", capture_output=True, env=environ, check=True
    )

    assert [shown["target"] for shown in json.loads(done.stdout)] == ["/caf\xe9", "/b"]
