"""Whether a server says that it is ready exactly when it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from django_wsgimatch import script_alias, script_alias_match
from django_wsgimatch import wsgi as entry
from django_wsgimatch.daemon.servers.directory import bases_of, make_base
from django_wsgimatch.server.health import DRAINING, MOST
from tests.support.groups import ALIASES, HOOKS, PLAIN, SCRIPT, site, sockets_of
from tests.support.health import HEALTH, LIVE, READY, health
from tests.support.servers import failing, listens
from tests.support.wsgi import Answer, get, write_scripts
from tests.thorough import mostly_thorough

BROKEN = "raise RuntimeError('the password is s3cret')\n"


@pytest.fixture
def project(settings, tmp_path) -> Iterator[Path]:
    """A project whose alias /a leads to a script, and whose server says whether it is ready."""
    settings.BASE_DIR = tmp_path
    settings.WSGIMATCH_HEALTH_PATH = "/-/wsgimatch/"
    settings.WSGIMATCH_SOCKET_DIRECTORY = sockets_of(tmp_path)
    settings.WSGIMATCH_ALIASES = [script_alias("/a", "x.wsgi")]
    write_scripts(tmp_path, "x.wsgi")
    yield Path(tmp_path)
    shutil.rmtree(sockets_of(tmp_path), ignore_errors=True)


def said(answer: Answer) -> tuple[int, str]:
    return answer.code, answer.body.decode()


def test_a_server_whose_scripts_load_lives_and_is_ready(project):
    application = entry.get_application()

    assert said(get(application, LIVE)) == (200, "live\n")
    assert said(get(application, READY)) == (200, "ready\n")


def test_head_has_no_body(project):
    answer = get(entry.get_application(), READY, method="HEAD")

    assert said(answer) == (200, "")


def test_an_answer_is_never_kept(project):
    assert ("Cache-Control", "no-store") in get(entry.get_application(), READY).headers


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/-/wsgimatch/ready?verbose", id="a query"),
        pytest.param("/-/wsgimatch/re%61dy", id="an encoded letter"),
    ],
)
def test_other_ways_to_write_the_path(project, target):
    assert said(get(entry.get_application(), target)) == (200, "ready\n")


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"headers": {"Host": "10.0.0.7:8000"}}, id="a host that is not allowed"),
        pytest.param({"headers": {"Host": "no host"}}, id="a host that is none"),
        pytest.param({"without": ["HTTP_HOST"]}, id="no host"),
    ],
)
def test_any_host_is_answered(settings, project, request_):
    settings.ALLOWED_HOSTS = ["www.example"]

    assert said(get(entry.get_application(), READY, **request_)) == (200, "ready\n")


def test_no_alias_hides_the_pages(settings, project):
    settings.WSGIMATCH_ALIASES = [script_alias("/", "x.wsgi")]

    assert said(get(entry.get_application(), READY)) == (200, "ready\n")


def test_virtual_hosts_do_not_hide_the_pages(settings, project):
    settings.WSGIMATCH_VIRTUAL_HOSTS = {"www.example": [script_alias("/", "x.wsgi")]}
    headers = {"Host": "www.example"}

    assert said(get(entry.get_application(), READY, headers=headers)) == (200, "ready\n")


@pytest.mark.parametrize(
    "target", ["/-/wsgimatch/", "/-/wsgimatch/readyx", "/-/wsgimatch/ready/", "/-/wsgimatch"]
)
def test_what_else_is_below_the_path_is_the_table_s(settings, project, target):
    settings.WSGIMATCH_ALIASES = [script_alias("/-", "x.wsgi")]

    assert get(entry.get_application(), target).corridor[:3] == (200, str(project / "x.wsgi"), "/-")


@pytest.mark.parametrize("target", [READY, LIVE])
@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "Via", "X-Real-IP"],
)
def test_nobody_learns_anything_through_a_proxy(project, target, header):
    answer = get(entry.get_application(), target, headers={header: "192.0.2.1"})

    assert answer.code == 404
    assert b"ready" not in answer.body


def test_without_the_setting_the_path_is_like_any_other(settings, project):
    settings.WSGIMATCH_HEALTH_PATH = None
    settings.WSGIMATCH_FALLBACK = None

    assert get(entry.get_application(), READY).code == 404
    assert not sockets_of(project).exists()


# Scripts of the server's own worker


def test_a_script_that_raises_keeps_the_server_from_being_ready(project):
    (project / "x.wsgi").write_text(BROKEN)
    application = entry.get_application()

    reason = f"Target WSGI script '{project}/x.wsgi' cannot be loaded as Python module"
    assert said(get(application, READY)) == (503, f"{reason}: RuntimeError, see the log\n")
    assert said(get(application, LIVE)) == (200, "live\n")


@pytest.mark.parametrize(
    ("alias", "is_ready"),
    [
        pytest.param(script_alias("/a", "x.wsgi/tail"), False, id="a tail behind the script"),
        pytest.param(script_alias_match("^/a", "x.wsgi"), False, id="a pattern without captures"),
        pytest.param(script_alias_match("^/(x)", "$1.wsgi"), True, id="a capture"),
        pytest.param(script_alias("/a", "scripts"), True, id="a directory"),
        pytest.param(
            script_alias("/a", "scripts", process_group="%{GLOBAL}", application_group="%{GLOBAL}"),
            True,
            id="a directory in a place that is named",
        ),
        pytest.param(script_alias("/a", "no.wsgi"), False, id="no script at all"),
    ],
)
def test_which_scripts_must_load(settings, project, alias, is_ready):
    (project / "scripts").mkdir()
    (project / "x.wsgi").write_text(BROKEN)
    settings.WSGIMATCH_ALIASES = [alias]

    assert get(entry.get_application(), READY).code == (200 if is_ready else 503)


def test_a_script_of_a_virtual_host_must_load(settings, project):
    (project / "y.wsgi").write_text(BROKEN)
    settings.WSGIMATCH_VIRTUAL_HOSTS = {"www.example": [script_alias("/b", "y.wsgi")]}

    assert get(entry.get_application(), READY).code == 503


def test_a_script_that_is_put_right_is_loaded_by_the_next_question(project):
    script = project / "x.wsgi"
    script.write_text(BROKEN)
    application = entry.get_application()
    before = get(application, READY).code

    write_scripts(project, "x.wsgi")
    os.utime(script, (1, 1))

    assert (before, said(get(application, READY))) == (503, (200, "ready\n"))


def test_a_broken_script_is_not_executed_at_each_question(project):
    count = f"with open({str(project / 'ran')!r}, 'a') as file: file.write('.')\n"
    (project / "x.wsgi").write_text(count + BROKEN)
    application = entry.get_application()

    for _ in range(3):
        get(application, READY)

    assert (project / "ran").read_text() == "."


def test_a_loaded_script_whose_next_version_is_broken_serves_on_and_is_ready(project):
    application = entry.get_application()
    (project / "x.wsgi").write_text(BROKEN)
    os.utime(project / "x.wsgi", (1, 1))

    assert get(application, "/a").code == 200
    assert said(get(application, READY)) == (200, "ready\n")


def test_many_reasons_are_cut(settings, project):
    count = MOST + 5
    settings.WSGIMATCH_ALIASES = [script_alias(f"/{n}", f"no{n}.wsgi") for n in range(count)]

    lines = get(entry.get_application(), READY).body.decode().splitlines()

    assert lines[0] == f"Target WSGI script not found or unable to stat: {project}/no0.wsgi"
    assert lines[MOST:] == ["and 5 more"]


# Draining


def test_a_server_in_a_runtime_directory_outside_run_is_found(tmp_path, monkeypatch):
    runtime = sockets_of(tmp_path)
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(runtime))
    base = make_base(str(runtime / "wsgimatch"))

    found = bases_of(os.geteuid())

    shutil.rmtree(runtime)
    assert base in found


# Process groups


def test_a_group_that_has_not_started_is_a_reason_and_then_is_none(tmp_path):
    (tmp_path / "app.wsgi").write_text(
        f"import os, time\nwhile not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.02)\n"
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [])\n    return [b'']\n"
    )
    aliases = 'script_alias("/blog", "app.wsgi", process_group="blog"),\n'
    with site(tmp_path, aliases=aliases, more=HEALTH) as at:
        before = health(at)
        (tmp_path / "go").touch()
        at.until(lambda: health(at) == (200, "ready\n"))

    assert before[0] == 503
    assert "process group 'blog' is starting\n" in before[1]


@pytest.mark.parametrize(
    "command", mostly_thorough([PLAIN, HOOKS], HOOKS), ids=["gunicorn", "gunicorn with our hooks"]
)
def test_a_script_that_raises_in_a_group_keeps_the_server_from_being_ready(tmp_path, command):
    (tmp_path / "app.wsgi").write_text(BROKEN)
    aliases = 'script_alias("/blog", "app.wsgi", process_group="blog"),\n'
    with site(tmp_path, aliases=aliases, more=HEALTH, command=command) as at:
        at.until(lambda: "does not load" in health(at)[1])
        answer = health(at)

    assert answer == (
        503,
        f"process group 'blog' does not load '{tmp_path}/app.wsgi', see the log\n",
    )


def test_a_group_that_cannot_start_is_a_reason(tmp_path):
    with site(tmp_path, {"home": "/nowhere"}, more=HEALTH) as at:
        at.until(lambda: "process group 'blog' " in health(at)[1])
        at.until(lambda: "starting" not in health(at)[1])
        status, text = health(at)

    assert status == 503
    assert text.startswith("process group 'blog' did not start: ")


def test_a_stopped_group_is_no_reason(tmp_path):
    with site(tmp_path, more=HEALTH) as at:
        at.until(lambda: health(at) == (200, "ready\n"))
        at.order(do="stop", name="blog")
        at.until(lambda: at.place("blog")["state"] == "stopped")

        assert health(at) == (200, "ready\n")


def test_a_broken_table_is_never_ready(tmp_path):
    settings = f"SECRET_KEY = 'x'\nWSGIMATCH_ALIASES = ['WSGIScriptAlias /a']\n{HEALTH}"
    (tmp_path / "settings.py").write_text(settings)

    status, log = failing(PLAIN, tmp_path)

    assert status != 0
    assert "ERROR wsgimatch.E002 WSGIMATCH_ALIASES[0]: WSGIScriptAlias requires" in log


# The end of the server


def test_a_server_that_is_told_to_end_is_not_ready_first(tmp_path):
    with site(tmp_path, more=f"{HEALTH}WSGIMATCH_DRAIN_SECONDS = 60\n", command=HOOKS) as at:
        at.until(lambda: health(at) == (200, "ready\n"))
        at.server.process.terminate()
        at.until(lambda: health(at) == (503, f"{DRAINING}\n"))
        answered = at.get("/here").status
        at.server.process.terminate()
        status = at.server.process.wait(60)

    assert (answered, status) == (200, 0)


@pytest.mark.parametrize(
    "groups", mostly_thorough([ALIASES, ""]), ids=["with groups", "without groups"]
)
def test_a_server_that_has_drained_ends(tmp_path, groups):
    aliases = groups or 'script_alias("/here", "app.wsgi"),\n'
    more = f"{HEALTH}WSGIMATCH_DRAIN_SECONDS = 0.1\n"
    more += "" if groups else "WSGIMATCH_PROCESS_GROUPS = {}\n"
    with site(tmp_path, aliases=aliases, more=more, command=HOOKS) as at:
        at.until(lambda: health(at) == (200, "ready\n"))
        at.server.process.terminate()
        status = at.server.process.wait(60)

    assert status == 0
    assert "ends in 0.1 s (WSGIMATCH_DRAIN_SECONDS), or at another TERM." in at.log


# What the script of the tests does at /here/wait.
WAIT = """
def wait(environ, rest):
    open("waiting", "w").close()
    while not os.path.exists("go"):
        time.sleep(0.02)
"""


def test_while_requests_finish_nobody_can_connect(tmp_path):
    more = f"{HEALTH}WSGIMATCH_DRAIN_SECONDS = 0\n"
    (tmp_path / "app.wsgi").write_text(SCRIPT + WAIT)
    with site(tmp_path, more=more, command=HOOKS) as at, ThreadPoolExecutor() as pool:
        at.until(lambda: health(at) == (200, "ready\n"))
        slow = pool.submit(at.told, "/here/wait")
        at.until((tmp_path / "waiting").exists)
        at.server.process.terminate()
        at.until(lambda: not listens(at.server.address))
        is_serving = not slow.done()
        (tmp_path / "go").touch()
        told = slow.result(60)
        status = at.server.process.wait(60)

    assert is_serving
    assert told["application_group"] == ""
    assert status == 0
