"""Sites that answer slowly, without end or nonsense."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from django.core.management import CommandError, call_command

from django_wsgimatch.comparing import http_client
from django_wsgimatch.comparing.http_client import (
    Manner,
    OpenConnections,
    Response,
    Site,
    ask,
    require,
)
from django_wsgimatch.comparing.targets import Request
from django_wsgimatch.exceptions import CompareError

HEAD = b"HTTP/1.1 200 OK\r\n"
REQUEST = Request("GET", "/")


@contextmanager
def site_that_sends(first: bytes, then: bytes = b"", pause: float = 0.0) -> Iterator[int]:
    """The port of a site that answers so, and sends the rest again and again, with pauses."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer, args=(listener, first, then, pause, over))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _answer(
    listener: socket.socket, first: bytes, then: bytes, pause: float, over: threading.Event
) -> None:
    with suppress(OSError):
        while not over.is_set():
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(first)
                while then and not over.wait(pause):
                    connection.sendall(then)
                if not then and pause:
                    over.wait()


LATE = Response(failure="TimeoutError: no complete response within 0.3 s")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(HEAD + b"Content-Length: 9999\r\n\r\n", b"x", id="a body byte by byte"),
        pytest.param(HEAD + b"\r\n", b"x", id="a body without a length"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", id="chunks"),
        pytest.param(HEAD + b"X: ", b"x", id="a header byte by byte"),
        pytest.param(b"", b"H", id="a status line byte by byte"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="Continue without end"),
        pytest.param(b"", b"", id="nothing"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n",
            b"x: y\r\n",
            id="trailers without end",
        ),
    ],
)
def test_an_answer_has_a_time_in_all(first, then):
    with site_that_sends(first, then, 0.01) as port:
        response = ask(Site("http", "127.0.0.1", port), REQUEST, Manner(timeout=0.3))

    assert response == LATE


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(b"", b"", id="that never comes"),
        pytest.param(b"\x16\x03\x03\x40\x00\x02\x00\x3f\x00", b"x", id="byte by byte"),
    ],
)
def test_a_handshake_has_the_same_time(first, then):
    with site_that_sends(first, then, 0.01) as port:
        site = Site("https", "127.0.0.1", port)
        response = ask(site, REQUEST, Manner(timeout=0.3))
        with pytest.raises(CompareError, match=r"no complete response within 0\.3 s$"):
            require(site, Manner(timeout=0.3))

    assert response == LATE


def test_of_a_body_without_end_a_part_is_read(monkeypatch):
    monkeypatch.setattr(http_client, "LONGEST_BODY", 100_000)

    with site_that_sends(HEAD + b"\r\n", b"x" * 65536) as port:
        response = ask(Site("http", "127.0.0.1", port), REQUEST, Manner())

    assert (response.status, response.body) == (200, b"x" * 100_000)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x1b[2J\r\n\r\n", id="no HTTP"),
        pytest.param(b"HTTP/1.1 999999 \r\n\r\n", id="a status that is none"),
        pytest.param(HEAD + b"X: y\r\n" * 1000 + b"\r\n", id="headers without end"),
        pytest.param(HEAD + b"X: " + b"y" * 100_000, id="a header without end"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nx", id="a chunk below nothing"
        ),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", id="no chunk"),
        pytest.param(HEAD + b"Content-Length: 5\r\n\r\nx", id="half a body"),
    ],
)
def test_nonsense_is_a_failure(answer):
    with site_that_sends(answer) as port:
        response = ask(Site("http", "127.0.0.1", port), REQUEST, Manner())

    assert response.failure


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon", "1e300"])
def test_a_timeout_that_is_none(seconds):
    with pytest.raises(CommandError, match="should be a number of seconds above 0"):
        call_command("wsgimatch", "compare", "http://a", "http://b", "-", f"--timeout={seconds}")


@contextmanager
def site_that_keeps(
    answers: int, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[int]]]:
    """The port of a site that answers so often over a connection; and to how many it answered."""
    counts: list[int] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                connection = tls.wrap_socket(plain, server_side=True) if tls else plain
                counts.append(0)
                with connection:
                    while counts[-1] < answers and connection.recv(65536):
                        counts[-1] += 1
                        connection.sendall(HEAD + b"Content-Length: 2\r\n\r\nok")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], counts
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param(9, [5], id="it stays open"),
        pytest.param(2, [2, 2, 1], id="the site closes it in between"),
    ],
)
def test_a_connection_is_used_again_and_made_anew_where_the_site_has_closed_it(answers, expected):
    with site_that_keeps(answers) as (port, counts):
        kept = OpenConnections()
        site = Site("http", "127.0.0.1", port)
        found = [ask(site, REQUEST, Manner(), kept) for _ in range(5)]
        kept.close()

    assert [(each.status, each.body) for each in found] == [(200, b"ok")] * 5
    assert counts == expected


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a.test"),
            *("-keyout", str(path), "-out", str(path.with_suffix(".crt"))),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path.with_suffix(".crt"), path)
    return context


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl, for a certificate")
def test_a_connection_with_tls_is_used_again_too(tls):
    manner = Manner(verifies=False)

    with site_that_keeps(9, tls) as (port, counts):
        kept = OpenConnections()
        site = Site("https", "127.0.0.1", port)
        found = [ask(site, REQUEST, manner, kept) for _ in range(5)]
        kept.close()

    assert [(each.status, each.body, each.failure) for each in found] == [(200, b"ok", "")] * 5
    assert counts == [5]
