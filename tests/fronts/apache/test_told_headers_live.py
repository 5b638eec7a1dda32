"""What a real Apache tells the server behind it, whatever clients say."""

from __future__ import annotations

import base64
import hashlib
import http.client
import itertools
import socketserver
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from django_wsgimatch.fronts.apache.passing import header_lines
from django_wsgimatch.fronts.backend import read_backend
from django_wsgimatch.fronts.carried import Carried
from tests.support.oracle import APACHE, MODULES, answers, end_session, free_port
from tests.support.servers import wait_for
from tests.support.trees import open_directory

NEEDED = (
    *("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic"),
    *("headers", "proxy", "proxy_http", "ssl"),
)
pytestmark = pytest.mark.skipif(
    not all((MODULES / f"mod_{name}.so").exists() for name in NEEDED), reason="needs apache2"
)

FRAME = """\
ServerRoot "{folder}"
DefaultRuntimeDir "{folder}"
PidFile "{folder}/httpd.pid"
ErrorLog "{folder}/error.log"
Listen 127.0.0.1:{port}
ServerName front.test
User www-data
Group www-data
{modules}
ProxyPass / http://127.0.0.1:{backend}/ nocanon retry=0
<Location />
    AuthType Basic
    AuthName members
    AuthBasicProvider file
    AuthUserFile "{folder}/users"
    Require valid-user
</Location>
{told}
"""
CLIENT = "127.0.0.77"
PASSWORD = f"Basic {base64.b64encode(b'ann:secret').decode()}"
ALL = Carried(has_users=True, variables=("SSL_CLIENT_VERIFY", "SSL_CLIENT_S_DN"))
BEHIND = Carried(has_users=True, is_behind=True)
TOLD = {
    "x-forwarded-for": CLIENT,
    "x-forwarded-proto": "http",
    "x-remote-user": "ann",
    "x-auth-type": "Basic",
}
TOLD_BEHIND = {
    "x-remote-addr": CLIENT,
    "x-request-scheme": "http",
    "x-remote-user": "ann",
    "x-auth-type": "Basic",
}


class Backend(socketserver.ThreadingTCPServer):
    """A server that keeps the headers of each request, as they arrive."""

    daemon_threads, block_on_close = True, False
    said: list[tuple[str, str]]


class Keeper(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        lines = iter(self.rfile.readline, b"\r\n")
        named = (line.decode("latin-1").partition(":") for line in lines if b":" in line)
        assert isinstance(self.server, Backend)
        self.server.said = [(name, value.strip()) for name, _, value in named]
        self.wfile.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


@contextmanager
def front(carried: Carried) -> Iterator[tuple[int, Backend]]:
    """Run Apache with what an export has for the headers, before a server that keeps them."""
    with open_directory() as folder, Backend(("127.0.0.1", 0), Keeper) as backend:
        threading.Thread(target=backend.serve_forever, args=[0.02]).start()
        process = subprocess.Popen(
            [str(APACHE), "-D", "FOREGROUND", "-f", str(configured(folder, backend, carried))],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        port = int((folder / "port").read_text())
        try:
            wait_for(process, folder / "error.log", lambda: answers(port))
            yield port, backend
        finally:
            end_session(process)
            backend.shutdown()


def configured(folder: Path, backend: Backend, carried: Carried) -> Path:
    """Write Apache's configuration and the file of its users."""
    port, behind = free_port(), backend.server_address[1]
    digest = base64.b64encode(hashlib.sha1(b"secret").digest()).decode()
    (folder / "users").write_text(f"ann:{{SHA}}{digest}\n")
    (folder / "port").write_text(str(port))
    modules = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in NEEDED]
    told = header_lines(read_backend(f"http://127.0.0.1:{behind}"), carried)
    text = FRAME.format(
        folder=folder, port=port, backend=behind, modules="\n".join(modules), told="\n".join(told)
    )
    (folder / "httpd.conf").write_text(text)
    return folder / "httpd.conf"


def heard(site: tuple[int, Backend], headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What the server behind hears that is none of the usual headers, of a client's request."""
    port, backend = site
    connection = http.client.HTTPConnection("127.0.0.1", port, 30, source_address=(CLIENT, 0))
    connection.putrequest("GET", "/x", skip_accept_encoding=True)
    for name, value in (("Authorization", PASSWORD), *headers):
        connection.putheader(name, value)
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    assert status == 204
    usual = ("host", "authorization", "connection", "cookie")
    assert len({name.lower() for name, _ in backend.said}) == len(backend.said)
    return {name.lower(): value for name, value in backend.said if name.lower() not in usual}


def spellings(name: str) -> list[str]:
    """A header's name with each hyphen or an underscore in its place."""
    first, *parts = name.split("-")
    joints = itertools.product("-_", repeat=len(parts))
    return [first + "".join(map("".join, zip(each, parts, strict=True))) for each in joints]


@pytest.fixture(scope="module")
def apache() -> Iterator[tuple[int, Backend]]:
    with front(ALL) as site:
        yield site


@pytest.fixture(scope="module")
def apache_behind() -> Iterator[tuple[int, Backend]]:
    with front(BEHIND) as site:
        yield site


NAMES = (
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Remote-User", "X-Auth-Type"),
    *("X-SslClientVerify", "X-SslClientSDn"),
)
LIES = [(spelt, "lie") for name in NAMES for spelt in spellings(name)]
REMOVED = ", ".join(NAMES)
CLIENTS = [
    pytest.param([], id="an honest client"),
    pytest.param(LIES, id="one who says it all himself, in every spelling"),
    pytest.param([(n.upper(), v) for n, v in LIES], id="in capitals"),
    pytest.param([(name, "lie") for name in NAMES for _ in range(3)], id="three times"),
    pytest.param([("Connection", f"close, {REMOVED}")], id="one who has it taken away"),
    pytest.param([("Connection", REMOVED.replace(",", ""))], id="without commas"),
    pytest.param([("Connection", REMOVED.replace(",", ";q=1,").lower())], id="with parameters"),
    pytest.param([("Connection", name) for name in NAMES], id="in several headers"),
    pytest.param([("Connection", f'"{name}"') for name in NAMES], id="in quotes"),
    pytest.param([("connection", f"keep-alive\t,\t{REMOVED}"), *LIES], id="with tabs"),
    pytest.param(
        [("X-Forwarded-Ssl", "on"), ("X-Forwarded-Protocol", "ssl"), ("SCRIPT_NAME", "/lie")],
        id="what gunicorn would believe",
    ),
]


@pytest.mark.parametrize("headers", CLIENTS)
def test_what_apache_tells_is_the_truth_and_all_of_it(apache, headers):
    assert heard(apache, headers) == TOLD


@pytest.mark.parametrize("headers", CLIENTS[4:10])
def test_behind_another_proxy_client_and_scheme_are_told_apart(apache_behind, headers):
    named = [(n, v.replace("Forwarded-For", "Remote-Addr")) for n, v in headers]
    of_proxy = {"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https"}
    others = [(n, v) for n, v in (*headers, *named) if n.lower() == "connection"]

    assert heard(apache_behind, [*of_proxy.items(), *others]) == {**of_proxy, **TOLD_BEHIND}


def test_nobody_else_s_words_of_client_and_scheme_pass_behind_another_proxy(apache_behind):
    lies = [(spelt, "lie") for name in TOLD_BEHIND for spelt in spellings(name)]

    assert heard(apache_behind, lies) == TOLD_BEHIND


def test_what_connection_names_otherwise_still_reaches_the_application(apache):
    said = heard(apache, [("Connection", "close, X-Csrftoken"), ("X-Csrftoken", "abc")])

    assert said == {**TOLD, "x-csrftoken": "abc"}
