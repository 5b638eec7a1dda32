"""Trusted proxies under every server: who asks, and which headers a server lets through."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.support.servers import COMMANDS, ENTRY, PROJECT, WAITRESS, Server, running
from tests.thorough import mostly_thorough

CLIENT, LIE = "203.0.113.9", "9.9.9.9"
TELL = """
import json

def application(environ, start_response):
    told = {name: value for name, value in environ.items() if type(value) is str}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]
"""
SETTINGS = """
WSGIMATCH_ALIASES = [script_alias("/tell", "tell.wsgi")]
WSGIMATCH_TRUSTED_PROXIES = [{peer!r}]
WSGIMATCH_TRUSTED_PROXY_HEADERS = [
    "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix",
]
"""
# waitress would drop what does not come from its own --trusted-proxy.
SERVERS = {
    **COMMANDS,
    "waitress": [*WAITRESS, "--no-clear-untrusted-proxy-headers", ENTRY],
}
HEADERS = {
    b"X-Real-IP": CLIENT.encode(),
    b"X-Forwarded-Proto": b"https",
    b"X-Forwarded-Host": b"shop.example",
    b"X-Forwarded-Prefix": b"/site",
}
FACTS = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME", "PATH_INFO")
# What the servers that do not drop a name with underscores make of it, beside one with dashes.
LETS_UNDERSCORES_THROUGH = {"granian": LIE, "cheroot": LIE, "uwsgi": ""}


@pytest.fixture(
    scope="module",
    params=mostly_thorough(SERVERS, "gunicorn gthread", "granian", "waitress", "uwsgi"),
)
def named_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Server]]:
    name = request.param
    project = shutil.copytree(PROJECT, tmp_path_factory.mktemp("proxies") / "project")
    (project / "tell.wsgi").write_text(TELL)
    peer = "127.0.0.1" if name == "runserver" else "unix"
    with (project / "settings.py").open("a") as settings:
        settings.write("from django_wsgimatch import script_alias\n" + SETTINGS.format(peer=peer))
    with running(SERVERS[name], project) as server:
        yield name, server


def told(server: Server, headers: dict[bytes, bytes]) -> dict[str, str]:
    answer = server.get(b"/tell/x", headers)
    assert answer.status == 200, answer
    said: dict[str, str] = json.loads(answer.body)
    return said


def test_what_the_proxy_tells_is_so(named_server):
    said = told(named_server[1], HEADERS)

    assert [said[name] for name in FACTS] == [CLIENT, "https", "shop.example", "/site/tell", "/x"]


def test_client_of_whom_nothing_is_told_is_the_peer(named_server):
    name, server = named_server

    said = told(server, {})

    nobody = {"runserver": "127.0.0.1", "waitress": "localhost", "uwsgi": "0.0.0.0"}
    assert (said["REMOTE_ADDR"], said["wsgi.url_scheme"]) == (nobody.get(name, ""), "http")


def test_scheme_of_a_rival_header_does_not_count(named_server):
    """gunicorn and uWSGI themselves take it from such headers."""
    rivals = {b"X-Forwarded-SSL": b"on", b"X-Forwarded-Protocol": b"ssl"}

    assert told(named_server[1], rivals)["wsgi.url_scheme"] == "http"


def test_underscores_get_through_where_the_page_says_so(named_server):
    name, server = named_server

    said = told(server, {**HEADERS, b"X_Real_IP": LIE.encode()})

    assert said["REMOTE_ADDR"] == LETS_UNDERSCORES_THROUGH.get(name, CLIENT)
