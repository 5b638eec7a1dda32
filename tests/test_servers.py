"""The entry under every server it is documented for, each a real process asked over a socket."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.raw_http import Answer
from tests.servers import (
    COMMANDS,
    ENTRY,
    GRANIAN,
    GUNICORN,
    PROJECT,
    UWSGI,
    WAITRESS,
    Server,
    running,
)

Told = tuple[int] | tuple[int, str, str, str, str]
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
            dict.fromkeys(
                ["gunicorn sync", "gunicorn gthread", "granian", "waitress", "cheroot"], (400,)
            ),
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


@pytest.fixture(scope="module", params=MOUNTED)
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
