"""Chunked bodies that turn out to be longer than their entry allows: 413, as Apache answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest

from tests.support.both_servers import apache, needs_apache
from tests.support.groups import PLAIN, site
from tests.support.raw_http import Address, connect, request_bytes
from tests.support.servers import GRANIAN, WAITRESS
from tests.support.trees import open_directory
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self"), reason="looks into /proc")

LIMIT = 5_000
SCRIPT = """\
def application(environ, start_response):
    what = environ["PATH_INFO"].strip("/")
    return globals()[what](environ["wsgi.input"], start_response)


def begin(start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])


def read(body, start_response):
    length = len(body.read())
    begin(start_response)
    return [str(length).encode()]


def begin_and_read(body, start_response):
    begin(start_response)
    return [str(len(body.read())).encode()]


def catch(body, start_response):
    try:
        length = len(body.read())
    except OSError:
        length = "too long"
    begin(start_response)
    return [str(length).encode()]


def read_later(body, start_response):
    begin(start_response)
    yield b""
    yield str(len(body.read())).encode()


def read_lines(body, start_response):
    begin(start_response)
    yield str(sum(map(len, body))).encode()


def do_not_read(body, start_response):
    begin(start_response)
    return [b"0"]
"""
GROUP = f'script_alias("/group", "limits.wsgi", process_group="blog", body_limit={LIMIT}),\n'
HERE = f'script_alias("/here", "limits.wsgi", body_limit={LIMIT}),\n'
WAYS = ["read", "begin_and_read", "catch", "read_later", "read_lines"]
SIZES = [LIMIT, LIMIT + 1, 100 * LIMIT]
EXPECTED = {way: [200, 413, 413] for way in WAYS}

Ask = Callable[[str, int], int]


def chunked(length: int) -> bytes:
    """A body in chunks, with its end."""
    sizes = [1_000] * (length // 1_000) + [length % 1_000] * bool(length % 1_000)
    return b"".join(b"%x\r\n%s\r\n" % (size, b"x" * size) for size in sizes) + b"0\r\n\r\n"


@pytest.fixture(
    scope="module",
    params=mostly_thorough(
        [
            pytest.param(PLAIN, id="gunicorn"),
            pytest.param([*PLAIN[:-3], PLAIN[-1]], id="gunicorn with one thread"),
            pytest.param([*GRANIAN, "django_wsgimatch.wsgi:application"], id="granian"),
            pytest.param([*WAITRESS, "django_wsgimatch.wsgi:application"], id="waitress"),
        ],
        "gunicorn",
        "waitress",
    ),
)
def ask(request, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    folder = tmp_path_factory.mktemp("limits")
    (folder / "limits.wsgi").write_text(SCRIPT)
    with site(folder, aliases=GROUP + HERE, command=request.param) as at:
        yield lambda target, length: asked(at.server.address, target.encode(), length)


def asked(address: Address, target: bytes, length: int) -> int:
    """The status of an answer, which may come before all of the body has been sent."""
    head = request_bytes(target, b"POST", {b"Transfer-Encoding": b"chunked"})
    with connect(address) as connection, HTTPResponse(connection, method="POST") as response:
        with suppress(BrokenPipeError):
            connection.sendall(head + chunked(length))
        response.begin()
        return response.status


@pytest.mark.parametrize("place", ["here", "group"])
def test_a_chunked_body_that_is_too_long_is_413(ask, place):
    found = {way: [ask(f"/{place}/{way}", size) for size in SIZES] for way in WAYS}

    assert found == EXPECTED


def test_a_body_that_nobody_reads_is_no_error(ask):
    # waitress has read it all before anybody is asked, as mod_wsgi's front has for its daemons.
    assert ask("/here/do_not_read", 2 * LIMIT) in (200, 413)


@needs_apache
def test_apache_answers_the_same() -> None:
    lines = (
        "WSGIChunkedRequest On\nWSGIDaemonProcess g\n"
        "WSGIScriptAlias /here {directory}/limits.wsgi\n"
        "WSGIScriptAlias /group {directory}/limits.wsgi process-group=g\n"
        f"LimitRequestBody {LIMIT}\n"
    )
    with open_directory() as directory, apache(directory, lines, ()) as url:
        host, _, port = urlsplit(url).netloc.partition(":")
        address = host, int(port)
        (directory / "limits.wsgi").write_text(SCRIPT)
        for place in ("here", "group"):
            found = {
                way: [asked(address, f"/{place}/{way}".encode(), size) for size in SIZES]
                for way in WAYS
            }

            assert found == EXPECTED
