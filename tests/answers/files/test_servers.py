"""Files below an entry under real servers: all of a file comes, or the connection is cut."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Iterator

import pytest

from tests.support.raw_http import connect, fetch, request_bytes
from tests.support.servers import GRANIAN, GUNICORN, UWSGI, WAITRESS, Server, environment, running

APPLICATION = """\
from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.answers.files.serving import serve_file

OPTIONS = FileOptions()

def application(environ, start_response):
    uri = environ["SCRIPT_NAME"] + environ["PATH_INFO"]
    return serve_file({folder!r} + uri, environ, start_response, OPTIONS, uri=uri)
"""
ENTRY = "files_application:application"
COMMANDS = {
    "gunicorn sync": [*GUNICORN, ENTRY],
    "gunicorn gthread": [*GUNICORN, "--threads", "4", ENTRY],
    "granian": [*GRANIAN, ENTRY],
    "waitress": [*WAITRESS, ENTRY],
    "cheroot": [sys.executable, "-m", "cheroot", "--bind", "{socket}", ENTRY],
    "uwsgi": [*UWSGI, "--http-keepalive", "--module", ENTRY],
}
SMALL = b"hello"
LARGE = os.urandom(1 << 20) * 10
# More than what is on its way between a server and a client that does not read.
HUGE = 64 << 20


@pytest.fixture(scope="module", params=COMMANDS)
def server(request, tmp_path_factory) -> Iterator[Server]:
    project = tmp_path_factory.mktemp("project")
    folder = project / "files"
    folder.mkdir()
    (folder / "small.txt").write_bytes(SMALL)
    (folder / "empty.txt").write_bytes(b"")
    (folder / "large.bin").write_bytes(LARGE)
    for path in folder.iterdir():
        # What has changed within a second has a weak tag.
        os.utime(path, (1_600_000_000, 1_600_000_000))
    (project / "files_application.py").write_text(APPLICATION.format(folder=str(folder)))
    with running(COMMANDS[request.param], project, environment(None)) as server:
        yield server


def test_files_come_whole(server):
    answers = [server.get(b"/" + name) for name in (b"small.txt", b"empty.txt", b"large.bin")]

    told = [(answer.status, hashlib.sha256(answer.body).digest()) for answer in answers]
    assert told == [(200, hashlib.sha256(data).digest()) for data in (SMALL, b"", LARGE)]


@pytest.mark.parametrize(
    ("target", "ranges", "body"),
    [
        pytest.param(b"/small.txt", b"1-2", b"el", id="of a small file"),
        pytest.param(b"/large.bin", b"1048577-", LARGE[1048577:], id="of a large file"),
        pytest.param(b"/large.bin", b"0-", LARGE, id="all of a large file"),
    ],
)
def test_ranges_come_whole(server, target, ranges, body):
    answer = server.get(target, {b"Range": b"bytes=" + ranges})

    assert (answer.status, answer.headers["content-length"]) == (206, str(len(body)))
    assert answer.body == body


def test_several_ranges_come_in_parts(server):
    answer = server.get(b"/large.bin", {b"Range": b"bytes=0-1,500000-500001"})

    assert answer.headers["content-length"] == str(len(answer.body))
    assert (LARGE[:2] in answer.body, LARGE[500000:500002] in answer.body) == (True, True)


@pytest.mark.parametrize("target", [b"/small.txt", b"/large.bin"])
def test_head_has_the_headers_alone(server, target):
    whole, head = server.get(target), fetch(server.address, target, method=b"HEAD")

    ours = ("etag", "last-modified", "content-type", "content-length", "accept-ranges")
    assert [head.headers[name] for name in ours] == [whole.headers[name] for name in ours]
    assert head.body == b""


def test_a_copy_that_is_still_good_is_not_sent(server):
    etag = server.get(b"/small.txt").headers["etag"]

    answer = server.get(b"/small.txt", {b"If-None-Match": etag.encode()})

    assert (answer.status, answer.body) == (304, b"")


@pytest.mark.parametrize("headers", [{}, {b"Range": b"bytes=1-"}], ids=["whole", "in part"])
def test_the_connection_is_cut_where_a_file_becomes_shorter(server, headers):
    path = server.log.parent / "files" / "huge.bin"
    path.write_bytes(b"")
    os.truncate(path, HUGE)
    with connect(server.address, 20) as connection:
        keeping = {b"Connection": b"keep-alive", **headers}
        connection.sendall(request_bytes(b"/huge.bin", b"GET", keeping))
        received = len(connection.recv(65536))
        os.truncate(path, 1000)
        received += rest_of(connection)

    assert 0 < received < HUGE


def rest_of(connection: socket.socket) -> int:
    """How many bytes come until the server closes; TimeoutError where it does not."""
    received = 0
    try:
        while data := connection.recv(1 << 20):
            received += len(data)
    except ConnectionResetError:
        pass
    return received
