from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.servers.basehttp import get_internal_wsgi_application

from django_wsgimatch import script_alias, script_alias_match
from django_wsgimatch import wsgi as entry
from django_wsgimatch.asroot.launch import AS_ROOT
from django_wsgimatch.conf import configuration
from django_wsgimatch.project import use_settings_of_manage_py
from django_wsgimatch.wsgi import get_application, make_dispatcher
from tests.support.servers import ENTRY, GUNICORN, PYTHON, environment, failing
from tests.support.wsgi import get, write_scripts
from tests.thorough import mostly_thorough

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = "DJANGO_SETTINGS_MODULE"


def hello(environ, start_response):
    start_response("299 Hello", [("Content-Type", "text/plain")])
    return [b"Hello"]


def make_hello():
    return hello


@pytest.fixture
def script(tmp_path, settings):
    """A script that the alias /a leads to."""
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_ALIASES = [script_alias("/a", "x.wsgi")]
    return str(write_scripts(tmp_path, "x.wsgi"))


def test_aliases_of_the_settings_are_served(script):
    answer = get(get_application(), "/a/b")

    assert answer.corridor == (200, script, "/a", "/b")


def test_no_alias_leads_to_django(script):
    answer = get(get_application(), "/elsewhere")

    assert answer.code == 404
    assert b"<title>Not Found</title>" in answer.body


@pytest.mark.parametrize(
    ("fallback", "status"),
    [
        pytest.param(None, "404 Not Found", id="none"),
        pytest.param(f"{__name__}.make_hello", "299 Hello", id="a factory"),
    ],
)
def test_fallback(settings, script, fallback, status):
    settings.WSGIMATCH_FALLBACK = fallback

    answer = get(get_application(), "/elsewhere")

    assert answer.status == status


@pytest.mark.parametrize(
    ("fallback", "reason"),
    [
        pytest.param("nodots", "nodots doesn't look like a module path", id="no dotted path"),
        pytest.param("no_such.module", "No module named 'no_such'", id="no module"),
        pytest.param(
            f"{__name__}.nothing",
            f'Module "{__name__}" does not define a "nothing" attribute/class',
            id="nothing there",
        ),
        pytest.param(
            f"{__name__}.VARIABLE",
            f"'{__name__}.VARIABLE' should be a function that takes no arguments and returns an "
            "application: 'DJANGO_SETTINGS_MODULE' is not a callable object",
            id="no function",
        ),
        pytest.param(
            f"{__name__}.hello",
            f"'{__name__}.hello' should be a function that takes no arguments and returns an "
            "application: missing a required argument: 'environ'",
            id="an application",
        ),
    ],
)
def test_fallback_that_cannot_be_made(settings, fallback, reason):
    settings.WSGIMATCH_FALLBACK = fallback

    with pytest.raises(ImproperlyConfigured) as caught:
        get_application()

    assert str(caught.value) == f"WSGIMATCH_FALLBACK: {reason}"


def test_chunked_request(settings, script):
    settings.WSGIMATCH_CHUNKED_REQUEST = False

    answer = get(get_application(), "/a", headers={"Transfer-Encoding": "chunked"})

    assert answer.status == "411 Length Required"


def test_server_name(settings):
    settings.WSGIMATCH_SERVER_NAME = "www.example"

    assert make_dispatcher(configuration()).server_name == "www.example"


def test_script_reloading(settings):
    settings.WSGIMATCH_SCRIPT_RELOADING = False

    assert make_dispatcher(configuration()).scripts.reloading is False


@pytest.mark.parametrize(
    ("given", "taken"), [pytest.param({}, 1, id="by default"), pytest.param({0: 0}, 0, id="given")]
)
def test_script_reload_interval(settings, given, taken):
    for value in given.values():
        settings.WSGIMATCH_SCRIPT_RELOAD_INTERVAL = value

    assert make_dispatcher(configuration()).scripts.interval == taken


def test_script_of_another_project_is_refused(script, caplog):
    Path(script).write_text(f'import os\nos.environ.setdefault("{VARIABLE}", "blog.settings")')

    answer = get(get_application(), "/a")

    assert answer.status == "500 Internal Server Error"
    [message] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert f"asks for {VARIABLE} 'blog.settings', but this process runs 'tests.settings'" in message


def test_scripts_are_preloaded(settings, script):
    groups = "process-group=%{GLOBAL} application-group=%{GLOBAL}"
    settings.WSGIMATCH_ALIASES = [f"WSGIScriptAlias /a x.wsgi {groups}"]

    dispatcher = make_dispatcher(configuration())

    assert list(dispatcher.scripts.loaded) == [script]


def test_script_that_fails_to_preload_does_not_stop_the_server(settings, script):
    groups = "process-group=%{GLOBAL} application-group=%{GLOBAL}"
    settings.WSGIMATCH_ALIASES = [f"WSGIScriptAlias /a x.wsgi {groups}"]
    Path(script).write_text("(")

    answer = get(get_application(), "/a")

    assert answer.status == "500 Internal Server Error"


def test_capture_that_leads_out_of_the_derived_roots(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_ALIASES = [script_alias_match("^/a([^/])?", "in/.$1")]
    write_scripts(tmp_path, "in/x.wsgi", "secret.wsgi")
    application = get_application()

    answers = [get(application, target).code for target in ("/a/x.wsgi", "/a./secret.wsgi")]

    assert answers == [200, 403]


def test_broken_table_stops_the_server(settings):
    settings.WSGIMATCH_ALIASES = ["WSGIScriptAliasMatch ( /x"]

    with pytest.raises(ImproperlyConfigured) as caught:
        get_application()

    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("wsgimatch", "check", stdout=out, stderr=io.StringIO())
    assert str(caught.value) == out.getvalue().rstrip("\n")


def test_runserver_finds_the_entry(settings):
    settings.WSGI_APPLICATION = "django_wsgimatch.wsgi.application"

    application: object = get_internal_wsgi_application()

    assert application is entry.application


@pytest.fixture
def without_settings(tmp_path, monkeypatch):
    """An empty folder, and an environment that names no settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["/first"])
    # Set first, so that it is taken away again whatever the test leaves.
    monkeypatch.setenv(VARIABLE, "")
    return tmp_path


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(
            f'def main():\n    os.environ.setdefault("{VARIABLE}", "shop.settings")',
            id="as Django writes it",
        ),
        pytest.param(
            f'if __name__ == "__main__":\n    os.environ.setdefault("{VARIABLE}", "shop.settings")',
            id="in the main program",
        ),
    ],
)
def test_settings_of_manage_py(without_settings, source):
    (without_settings / "manage.py").write_text(source)

    use_settings_of_manage_py()

    assert os.environ[VARIABLE] == "shop.settings"
    assert sys.path == [str(without_settings), "/first"]


def test_folder_of_manage_py_is_on_the_path_once(without_settings):
    (without_settings / "manage.py").write_text(f'os.environ["{VARIABLE}"] = "shop.settings"')
    sys.path.append(str(without_settings))

    use_settings_of_manage_py()

    assert sys.path == ["/first", str(without_settings)]


def test_settings_of_the_environment_come_first(without_settings, monkeypatch):
    (without_settings / "manage.py").write_text(f'os.environ["{VARIABLE}"] = "shop.settings"')
    monkeypatch.setenv(VARIABLE, "blog.settings")

    use_settings_of_manage_py()

    assert os.environ[VARIABLE] == "blog.settings"


@pytest.mark.parametrize("source", [pytest.param(None, id="none"), pytest.param("", id="silent")])
def test_no_settings_anywhere(without_settings, source):
    if source is not None:
        (without_settings / "manage.py").write_text(source)

    with pytest.raises(ImproperlyConfigured) as caught:
        use_settings_of_manage_py()

    assert str(caught.value) == (
        "Set DJANGO_SETTINGS_MODULE, "
        "or start the server in the folder of a manage.py that names it."
    )


def run_entry(folder: Path) -> subprocess.CompletedProcess[str]:
    """Import the entry in a process of its own, as a server does."""
    environ = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environ["PYTHONPATH"] = str(ROOT)
    program = "from django_wsgimatch.wsgi import application as a; print(len(a.table.aliases))"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)


def test_server_started_beside_manage_py(project):
    done = run_entry(project)

    said = f"{AS_ROOT}\n" if os.geteuid() == 0 else ""
    assert (done.stdout, done.stderr) == ("3\n", said)


SOCKET = ["--bind", "unix:{socket}"]


def errors_of_check(project: Path) -> list[str]:
    """Each error that ``check`` finds, with its hint."""
    done = subprocess.run(
        [*PYTHON, "manage.py", "wsgimatch", "check"],
        cwd=project,
        env=environment(None),
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    return [
        "\n".join(lines[number : number + 2])
        for number, line in enumerate(lines)
        if line.startswith("ERROR")
    ]


def test_server_started_elsewhere(tmp_path):
    done = run_entry(tmp_path)

    assert done.returncode == 3
    assert done.stderr.removeprefix(f"{AS_ROOT}\n") == (
        "Set DJANGO_SETTINGS_MODULE, or start the server in the folder of a manage.py that names "
        "it.\n"
    )


def test_server_started_with_a_broken_table(project):
    with (project / "settings.py").open("a") as file:
        file.write("WSGIMATCH_ALIASES = ['WSGIScriptAlias', 'Listen 80']\n")

    done = run_entry(project)

    assert done.returncode == 3
    errors = errors_of_check(project)
    assert len(errors) == 2
    assert done.stderr.removeprefix(f"{AS_ROOT}\n") == (
        "\n".join([*errors, "2 errors, 0 warnings.", ""])
    )


@pytest.mark.parametrize(("prefix", "good"), [("/shop/", "/shop"), ("shop", "/shop"), ("/", "")])
def test_a_prefix_that_no_url_has_is_told_at_the_start(monkeypatch, caplog, prefix, good):
    monkeypatch.setenv("SCRIPT_NAME", prefix)

    entry.warn_of_mount_point()

    assert caplog.messages == [
        (
            f"SCRIPT_NAME is {prefix!r} in the environment: no URL lies below it, so that every "
            f"one is a 404. It should be {good!r}."
        )
    ]


@pytest.mark.parametrize("prefix", ["", "/shop"])
def test_a_sound_prefix_is_not_mentioned(monkeypatch, caplog, prefix):
    monkeypatch.setenv("SCRIPT_NAME", prefix)

    entry.warn_of_mount_point()

    assert caplog.messages == []


@pytest.mark.parametrize(
    "command",
    mostly_thorough(
        [
            pytest.param([*PYTHON, "manage.py", "wsgimatch", "serve", *SOCKET], id="serve"),
            pytest.param([*GUNICORN, "--workers", "2", ENTRY], id="gunicorn alone"),
            pytest.param([*GUNICORN, "--workers", "5", ENTRY], id="five workers"),
            pytest.param([*GUNICORN, "--preload", ENTRY], id="a gunicorn that preloads"),
        ],
        "gunicorn alone",
    ),
)
def test_gunicorn_says_what_check_says_of_a_broken_table_and_ends(project, command):
    with (project / "settings.py").open("a") as file:
        file.write("WSGIMATCH_ALIASES = ['WSGIScriptAlias', 'Listen 80']\n")

    status, log = failing(command, project)

    assert status == 3
    assert log.count("\n".join(errors_of_check(project))) == 1
    assert "Traceback" not in log
