"""The two sides that are asked what a proxy's headers make of a request: mod_wsgi and ours."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPResponse
from importlib import import_module
from pathlib import Path
from typing import Any

from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.answers.proxies.reading import read_trusted_proxies
from django_wsgimatch.answers.proxies.wrapper import BehindProxies
from django_wsgimatch.dispatcher import Dispatcher
from tests.conformance.made.proxy_requests import FLAG, SCHEME, Asked, Trust
from tests.support.oracle import (
    APACHE,
    MODULE,
    ApacheFailed,
    answers,
    end_session,
    free_port,
    small_configuration,
)
from tests.support.trees import open_directory

# Another mod_wsgi.so than the oracle's, as for the benchmarks.
VARIABLE = "WSGIMATCH_BENCH_MOD_WSGI"
SERVER_NAME = "server.test"
# It tells all text of its environ, latin-1 as it is.
TELL = """\
import json

def application(environ, start_response):
    said = {name: value for name, value in environ.items() if type(value) is str}
    body = json.dumps(said).encode()
    head = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", head)
    return [body]
"""
CONFIGURATION = """\
LogLevel crit
ServerLimit 1
ThreadsPerChild 4
MaxRequestWorkers 4
MaxKeepAliveRequests 0
KeepAliveTimeout 60
UseCanonicalName On
ServerName {name}:{port}
WSGIApplicationGroup %{{GLOBAL}}
"""
SECTION = """\
WSGIScriptAlias {location} "{script}"
<Location "{location}">
WSGITrustedProxies {proxies}
WSGITrustedProxyHeaders {headers}
</Location>
"""

_SCHEMES = {name.lower() for name in (*SCHEME, *FLAG)}
# The environ as a script tells it, None where there was no script.
Told = dict[str, str] | None


def module() -> Path:
    """The mod_wsgi.so to compare with."""
    return Path(os.environ.get(VARIABLE) or MODULE)


class Theirs:
    """A running Apache: ``port`` is its own."""

    def __init__(self, port: int, stack: ExitStack) -> None:
        self.port = port
        self._stack = stack
        self._connections: dict[str, socket.socket] = {}

    def ask(self, asked: Asked) -> Told:
        """What the script is told of a request."""
        connection = self._connection(asked.peer)
        connection.sendall(asked.to_bytes())
        response = HTTPResponse(connection)
        response.begin()
        body = response.read()
        if response.status == 200:
            return _told(body)
        connection.close()
        del self._connections[asked.peer]
        return None

    def _connection(self, peer: str) -> socket.socket:
        if peer not in self._connections:
            connection = socket.create_connection(("127.0.0.1", self.port), 30, (peer, 0))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections[peer] = self._stack.enter_context(connection)
        return self._connections[peer]


@contextmanager
def apache(trusts: Sequence[Trust]) -> Iterator[Theirs]:
    """Run Apache with a location for each of some settings, for the time of a ``with`` block."""
    with ExitStack() as stack:
        directory = stack.enter_context(open_directory())
        port = free_port()
        script = directory / "tell.wsgi"
        script.write_text(TELL)
        text = small_configuration(directory, port, module())
        text += CONFIGURATION.format(name=SERVER_NAME, port=port)
        for trust in trusts:
            proxies, headers = " ".join(trust.proxies), " ".join(trust.headers)
            text += SECTION.format(
                location=trust.location, script=script, proxies=proxies, headers=headers
            )
        (directory / "httpd.conf").write_text(text)
        log = stack.enter_context((directory / "said.log").open("w"))
        command = [str(APACHE), "-D", "FOREGROUND", "-f", str(directory / "httpd.conf")]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        stack.callback(end_session, process)
        while not answers(port):
            if process.poll() is not None:
                raise ApacheFailed((directory / "said.log").read_text())
        yield Theirs(port, stack)


class Ours:
    """
    Our dispatcher behind the same settings, with the environ that gunicorn makes of the same bytes.

    ``refused`` counts the requests that gunicorn answers itself: schemes that contradict each
    other. It is asked again then, as one that trusts nobody.
    """

    def __init__(self, trusts: Iterable[Trust], port: int, directory: Path) -> None:
        (directory / "tell.wsgi").write_text(TELL)
        self._server = (SERVER_NAME, port)
        self._applications = {trust.location: _application(trust, directory) for trust in trusts}
        self.refused = 0

    def ask(self, asked: Asked) -> Told:
        """What the script is told of a request."""
        environ = self._environ(asked)
        statuses: list[str] = []

        def start_response(status, headers, exc_info=None):
            statuses.append(status)
            return print

        application = self._applications[asked.trust.location]
        body = application(environ, start_response)
        return _told(b"".join(body)) if statuses[0].startswith("200") else None

    def _environ(self, asked: Asked) -> dict[str, Any]:
        if not {*map(str.lower, asked.trust.headers)} & _SCHEMES:
            # gunicorn alone would decide, from its own headers.
            return self._parsed(asked, "")
        try:
            return self._parsed(asked, "*")
        except _INVALID_SCHEMES:
            self.refused += 1
            return self._parsed(asked, "")

    def _parsed(self, asked: Asked, allowed: str) -> dict[str, Any]:
        settings = _CONFIG()
        settings.set("forwarded_allow_ips", allowed)
        client = (asked.peer, 40000)
        request = next(iter(_PARSER(settings, iter([asked.to_bytes()]), client)))
        environ: dict[str, Any]
        _, environ = _CREATE(request, io.BytesIO(), client, self._server, settings)
        return environ


def _application(trust: Trust, directory: Path) -> BehindProxies:
    problems: list[Exception] = []
    proxies = read_trusted_proxies(
        trust.proxies, trust.headers, {}, lambda _, error: problems.append(error)
    )
    assert proxies is not None
    assert problems == []
    table = AliasTable.from_directives([f"WSGIScriptAlias {trust.location} {directory}/tell.wsgi"])
    return BehindProxies(Dispatcher(table), proxies)


def _told(body: bytes) -> dict[str, str]:
    said: dict[str, str] = json.loads(body)
    return said


_CONFIG: Any = import_module("gunicorn.config").Config
_CREATE: Any = import_module("gunicorn.http.wsgi").create
_INVALID_SCHEMES: Any = import_module("gunicorn.http.errors").InvalidSchemeHeaders
_PARSER: Any = import_module("gunicorn.http.parser").RequestParser
