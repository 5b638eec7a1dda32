"""The entry under every server it is documented for, each a real process asked over a socket."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.raw_http import Answer
from tests.support.servers import (
    COMMANDS,
    ENTRY,
    GRANIAN,
    GUNICORN,
    GUNICORN_S_VERSION,
    PROJECT,
    UWSGI,
    WAITRESS,
    Server,
    environment,
    failing,
    running,
    wait_for,
)
from tests.thorough import mostly_thorough

Told = tuple[int] | tuple[int, str, str, str, str]
# Before 27 gunicorn passes on raw bytes above 7F, as Apache does.
STRICT_GUNICORN = ["gunicorn sync", "gunicorn gthread"] if GUNICORN_S_VERSION >= (27, 0) else []
"""Status of an error page, or status, script, SCRIPT_NAME, PATH_INFO and QUERY_STRING."""


def told(answer: Answer) -> Told:
    if answer.headers.get("content-type") != "application/json":
        return (answer.status,)
    facts = json.loads(answer.body)
    return (
        answer.status,
        facts["script"],
        facts["script_name"],
        facts["path_info"],
        facts["query_string"],
    )


@pytest.fixture(scope="module", params=COMMANDS)
def shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Server]]:
    project = shutil.copytree(PROJECT, tmp_path_factory.mktemp("server") / "project")
    with running(COMMANDS[request.param], project) as server:
        yield request.param, server


@pytest.fixture
def named_server(shared_server: tuple[str, Server]) -> Iterator[tuple[str, Server]]:
    """A server and its name; what it logs during a test is shown where the test fails."""
    log = shared_server[1].log
    start = log.stat().st_size
    yield shared_server
    print(log.read_bytes()[start:].decode(errors="replace"))


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param(b"/admin", (200, "handler.py", "", "/admin", ""), id="a handler for all"),
        pytest.param(b"/files/a/", (200, "handler.py", "", "/files/a/", ""), id="rest of the uri"),
        pytest.param(b"/administrator", (200, "handler.py", "", "/administrator", ""), id="no \\b"),
        pytest.param(b"/Admin", (200, "fallback", "", "/Admin", ""), id="case counts"),
        pytest.param(b"/admin?b??c", (200, "handler.py", "", "/admin", "b??c"), id="query"),
        pytest.param(b"/api", (200, "django.wsgi", "", "/api", ""), id="target with a tail"),
        pytest.param(b"/api/x", (200, "django.wsgi", "", "/api/x", ""), id="tail and rest"),
        pytest.param(b"/apis", (200, "fallback", "", "/apis", ""), id="a prefix ends at a slash"),
        pytest.param(
            b"/wsgi-scripts/hello",
            (200, "hello.wsgi", "/wsgi-scripts/hello", "", ""),
            id="a script by its name",
        ),
        pytest.param(
            b"/wsgi-scripts/hello/b/c?q",
            (200, "hello.wsgi", "/wsgi-scripts/hello", "/b/c", "q"),
            id="a script by its name, and the rest",
        ),
        pytest.param(b"/wsgi-scripts/missing", (404,), id="a script that is not there"),
        pytest.param(
            b"/wsgi-scripts/", (200, "fallback", "", "/wsgi-scripts/", ""), id="no name, no match"
        ),
        pytest.param(b"/files//a", (200, "handler.py", "", "/files/a", ""), id="merged slashes"),
        pytest.param(b"///admin", (200, "handler.py", "", "/admin", ""), id="leading slashes"),
        pytest.param(b"/x/../admin/./y", (200, "handler.py", "", "/admin/y", ""), id="dots"),
        pytest.param(b"/x/%2e%2e/admin", (200, "handler.py", "", "/admin", ""), id="encoded dots"),
        pytest.param(b"/%61dmin", (200, "handler.py", "", "/admin", ""), id="encoded letter"),
        pytest.param(
            b"/wsgi-scripts/hello/a%252Fb",
            (200, "hello.wsgi", "/wsgi-scripts/hello", "/a%2Fb", ""),
            id="encoded twice, decoded once",
        ),
        pytest.param(
            b"/admin/caf%C3%A9",
            (200, "handler.py", "", "/admin/caf\xc3\xa9", ""),
            id="bytes, not characters",
        ),
        pytest.param(b"/admin;v=1", (200, "handler.py", "", "/admin;v=1", ""), id="parameters"),
        pytest.param(b"/../admin", (400,), id="above the root"),
        pytest.param(b"/admin%00", (404,), id="NUL"),
    ],
)
def test_every_server_answers_alike(
    named_server: tuple[str, Server], target: bytes, expected: Told
) -> None:
    _, server = named_server

    answer = server.get(target)

    assert told(answer) == expected


@pytest.mark.parametrize(
    ("target", "expected", "exceptions"),
    [
        pytest.param(
            b"/admin%2Fx",
            (404,),
            {
                "granian": (200, "handler.py", "", "/admin/x", ""),
                "runserver": (200, "handler.py", "", "/admin/x", ""),
            },
            id="an encoded slash",
        ),
        pytest.param(
            b"/admin%zz",
            (400,),
            {
                "granian": (200, "handler.py", "", "/admin%zz", ""),
                "runserver": (200, "handler.py", "", "/admin%zz", ""),
            },
            id="a percent that escapes nothing",
        ),
        pytest.param(
            b"/admin#x",
            (400,),
            {
                "granian": (200, "handler.py", "", "/admin", ""),
                "runserver": (200, "handler.py", "", "/admin#x", ""),
            },
            id="a fragment",
        ),
        pytest.param(
            b"//admin",
            (200, "handler.py", "", "/admin", ""),
            # cheroot takes what follows two slashes for a host, and refuses to be a proxy.
            {"cheroot": (400,)},
            id="two leading slashes",
        ),
        pytest.param(
            b"/admin/\xff",
            (200, "handler.py", "", "/admin/\xff", ""),
            dict.fromkeys([*STRICT_GUNICORN, "granian", "waitress", "cheroot"], (400,)),
            id="a raw byte",
        ),
        pytest.param(
            b"http://localhost/admin",
            (200, "handler.py", "", "/admin", ""),
            {"cheroot": (400,), "runserver": (400,)},
            id="absolute form",
        ),
    ],
)
def test_a_server_that_hides_the_target_or_refuses_it_is_an_exception(
    named_server: tuple[str, Server], target: bytes, expected: Told, exceptions: dict[str, Told]
) -> None:
    """granian and runserver tell only a decoded path; what the target said beyond it is lost."""
    name, server = named_server

    answer = server.get(target)

    assert told(answer) == exceptions.get(name, expected)


MOUNTED = {
    "gunicorn": [*GUNICORN, "--env", "SCRIPT_NAME=/site", ENTRY],
    "granian": [*GRANIAN, "--url-path-prefix", "/site", ENTRY],
    "waitress": [*WAITRESS, "--url-prefix", "/site", ENTRY],
    "uwsgi": [*UWSGI, "--manage-script-name", "--mount", f"/site={ENTRY}"],
}


@pytest.fixture(scope="module", params=mostly_thorough(MOUNTED, "gunicorn", "uwsgi"))
def mounted_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    project = shutil.copytree(PROJECT, tmp_path_factory.mktemp("mounted") / "project")
    with running(MOUNTED[request.param], project) as server:
        yield server


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        pytest.param(
            b"/site/admin//x?q",
            (200, "handler.py", "/site", "/admin/x", "q"),
            id="the script answers the whole uri",
        ),
        pytest.param(
            b"/site/wsgi-scripts/hello/b",
            (200, "hello.wsgi", "/site/wsgi-scripts/hello", "/b", ""),
            id="the script answers a part",
        ),
        pytest.param(b"/site/zz", (200, "fallback", "/site", "/zz", ""), id="the fallback"),
        pytest.param(b"/site/", (200, "fallback", "/site", "/", ""), id="the mount point itself"),
    ],
)
def test_script_name_of_the_server_stands_before_that_of_the_alias(
    mounted_server: Server, target: bytes, expected: Told
) -> None:
    answer = mounted_server.get(target)

    assert told(answer) == expected


def test_script_name_comes_from_a_trusted_proxy_s_header(project: Path) -> None:
    with running([*GUNICORN, ENTRY], project) as server:
        answer = server.get(b"/site/wsgi-scripts/hello/b", {b"SCRIPT_NAME": b"/site"})

    assert told(answer) == (200, "hello.wsgi", "/site/wsgi-scripts/hello", "/b", "")


@pytest.mark.parametrize(
    ("options", "script"),
    [
        pytest.param([], "hello.wsgi", id="it is taken, as by default"),
        pytest.param(["--forwarder-headers", ""], "fallback", id="it is not"),
    ],
)
def test_script_name_in_a_header_chooses_the_alias(
    project: Path, options: list[str], script: str
) -> None:
    """Who comes by a unix socket is trusted, whatever forwarded_allow_ips says."""
    with running([*GUNICORN, *options, ENTRY], project) as server:
        answer = server.get(b"/x/wsgi-scripts/hello", {b"SCRIPT_NAME": b"/x"})

    assert told(answer)[1:2] == (script,)


def look_once_in(seconds: int, project: Path) -> None:
    """Have a project's server look at its scripts once in so many seconds."""
    with (project / "settings.py").open("a") as settings:
        settings.write(f"\nWSGIMATCH_SCRIPT_RELOAD_INTERVAL = {seconds}\n")


@pytest.fixture
def gunicorn(project: Path) -> Iterator[Server]:
    look_once_in(0, project)
    with running(COMMANDS["gunicorn gthread"], project) as server:
        yield server
        print(server.log.read_text())


def publish(script: Path, source: str, mtime: int) -> None:
    """Put a new version of a script in place in one step, as deployments and editors do."""
    new = script.with_suffix(".new")
    new.write_text(source)
    os.utime(new, (mtime, mtime))
    new.replace(script)


def version(number: int) -> str:
    return (PROJECT / "scripts/version.wsgi").read_text().replace("= 0", f"= {number}")


def test_reload_under_load_loses_no_request(gunicorn: Server, project: Path) -> None:
    answers = []
    with ThreadPoolExecutor(4) as clients:
        for number in range(1, 11):
            asked = clients.map(gunicorn.get, [b"/wsgi-scripts/version"] * 100)
            publish(project / "scripts/version.wsgi", version(number), mtime=number)
            answers += [(answer.status, answer.body) for answer in asked]

    assert len(answers) == 1000
    assert set(answers) <= {(200, str(number).encode()) for number in range(11)}
    assert gunicorn.get(b"/wsgi-scripts/version").body == b"10"


def test_syntax_error_under_load_leaves_the_old_version_serving(
    gunicorn: Server, project: Path
) -> None:
    script = project / "scripts/version.wsgi"
    before = gunicorn.get(b"/wsgi-scripts/version").body

    with ThreadPoolExecutor(4) as clients:
        asked = clients.map(gunicorn.get, [b"/wsgi-scripts/version"] * 1000)
        publish(script, "def (", mtime=1)
        answers = [(answer.status, answer.body) for answer in asked]
    log = gunicorn.wait_for_log("SyntaxError")
    publish(script, version(2), mtime=2)
    after = gunicorn.get(b"/wsgi-scripts/version").body

    assert answers == [(200, before)] * 1000
    assert log.count(f"Still serving the previous version of '{script}'") == 1
    assert after == b"2"


def test_a_hup_takes_effect_at_once_whatever_the_interval(project: Path) -> None:
    look_once_in(3600, project)
    with running([*GUNICORN, "--workers", "1", ENTRY], project) as server:
        said = [server.get(b"/wsgi-scripts/version").body for _ in range(2)]
        publish(project / "scripts/version.wsgi", version(2), mtime=2)
        within = server.get(b"/wsgi-scripts/version").body
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("Worker exiting")
        after = server.get(b"/wsgi-scripts/version").body

    assert (said, within, after) == ([b"0", b"0"], b"0", b"2")


def test_gunicorn_preloads_the_table_before_it_forks(project: Path) -> None:
    with running([*GUNICORN, "--preload", "--workers", "2", ENTRY], project) as server:
        answers = [told(server.get(target)) for target in (b"/admin", b"/wsgi-scripts/hello/b")]

    assert answers == [
        (200, "handler.py", "", "/admin", ""),
        (200, "hello.wsgi", "/wsgi-scripts/hello", "/b", ""),
    ]


def test_hup_brings_new_settings_and_loses_no_request(gunicorn: Server, project: Path) -> None:
    old = (200, "fallback", "", "/added", "")
    new = (200, "hello.wsgi", "/added", "", "")
    answers = [told(gunicorn.get(b"/added"))]

    with (project / "settings.py").open("a") as settings:
        settings.write('WSGIMATCH_ALIASES.append(script_alias("/added", "scripts/hello.wsgi"))\n')
    gunicorn.process.send_signal(signal.SIGHUP)

    def serves_it() -> bool:
        answers.append(told(gunicorn.get(b"/added")))
        return answers[-1] == new

    wait_for(gunicorn.process, gunicorn.log, serves_it)
    assert answers == [old] * (len(answers) - 1) + [new]


BROKEN_ENTRIES = """
WSGIMATCH_ALIASES += [
    "WSGIScriptAlias /only-one-word",
    script_alias_match("(", "handler.py"),
    "WSGIScriptAlias /x handler.py on=off",
]
"""
TOO_FEW = "requires at least two arguments, Map location to target WSGI script file."
BROKEN_MESSAGES = [
    (
        f"ERROR wsgimatch.E002 WSGIMATCH_ALIASES[3]: WSGIScriptAlias {TOO_FEW} "
        "The line is 'WSGIScriptAlias /only-one-word'."
    ),
    (
        "ERROR wsgimatch.E003 WSGIMATCH_ALIASES[4]: Regular expression could not be compiled. In "
        "the pattern '(': missing closing parenthesis."
    ),
    (
        "ERROR wsgimatch.E002 WSGIMATCH_ALIASES[5]: Invalid option to WSGI script alias "
        "definition. The line is 'WSGIScriptAlias /x handler.py on=off'."
    ),
]


@pytest.fixture
def broken_project(project: Path) -> Path:
    with (project / "settings.py").open("a") as settings:
        settings.write(BROKEN_ENTRIES)
    return project


@pytest.mark.parametrize(
    "name",
    mostly_thorough([name for name in COMMANDS if name != "runserver"], "gunicorn sync"),
)
def test_broken_table_is_told_whole_and_ends_the_server(name: str, broken_project: Path) -> None:
    status, output = failing(COMMANDS[name], broken_project)

    messages = [line for line in output.splitlines() if line.startswith("ERROR wsgimatch.")]
    assert status != 0
    # A server with several workers may say it once for each.
    assert list(dict.fromkeys(messages)) == BROKEN_MESSAGES


def test_runserver_tells_a_broken_table_by_the_system_checks(broken_project: Path) -> None:
    status, output = failing(COMMANDS["runserver"], broken_project)

    assert status != 0
    assert re.findall(r"\((wsgimatch\.E\d+)\) (WSGIMATCH_ALIASES\[\d\])", output) == [
        ("wsgimatch.E002", "WSGIMATCH_ALIASES[3]"),
        ("wsgimatch.E002", "WSGIMATCH_ALIASES[5]"),
        ("wsgimatch.E003", "WSGIMATCH_ALIASES[4]"),
    ]


def test_settings_are_those_of_manage_py_in_the_current_folder(project: Path) -> None:
    with running(COMMANDS["gunicorn sync"], project, environment(settings=None)) as server:
        answer = server.get(b"/admin")

    assert told(answer) == (200, "handler.py", "", "/admin", "")


def test_without_settings_and_manage_py_one_sentence_says_what_to_do(project: Path) -> None:
    (project / "manage.py").unlink()

    status, output = failing(COMMANDS["gunicorn sync"], project, environment(settings=None))

    assert status != 0
    assert (
        "Set DJANGO_SETTINGS_MODULE, or start the server in the folder of a manage.py that "
        "names it." in output
    )
