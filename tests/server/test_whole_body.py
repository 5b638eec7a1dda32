"""A request's body that breaks off, in the server's own process."""

from __future__ import annotations

import io

import pytest

from django_wsgimatch.server.whole_body import BROKEN_OFF, WholeBody, expect_whole_body
from tests.support.groups import site
from tests.support.raw_http import connect

READS = {
    "all": lambda body: body.read(),
    "all, by None": lambda body: body.read(None),
    "by its length": lambda body: body.read(10),
    "more than there is": lambda body: body.read(1000),
    "in pieces": lambda body: b"".join(iter(lambda: body.read(3), b"")),
    "by lines": lambda body: b"".join(iter(body.readline, b"")),
    "by parts of lines": lambda body: b"".join(iter(lambda: body.readline(3), b"")),
    "as lines": lambda body: b"".join(body.readlines()),
    "by iteration": lambda body: b"".join(body),
}
reads = pytest.mark.parametrize("read", READS.values(), ids=READS.keys())


class Slow(io.BytesIO):
    """A stream of a server that returns what has come so far."""

    def read(self, size=-1, /):
        return super().read(min(size, 2) if size and size > 0 else size)


@reads
@pytest.mark.parametrize("stream", [io.BytesIO, Slow], ids=["at once", "as it comes"])
def test_a_whole_body_is_read_as_it_is(read, stream):
    assert read(WholeBody(stream(b"one\ntwo\n.."), 10)) == b"one\ntwo\n.."


@reads
@pytest.mark.parametrize("stream", [io.BytesIO, Slow], ids=["at once", "as it comes"])
@pytest.mark.parametrize("given", [b"", b"one", b"one\n", b"one\ntwo\n."])
def test_a_body_that_breaks_off_is_an_error(read, stream, given):
    with pytest.raises(OSError, match=BROKEN_OFF):
        read(WholeBody(stream(given), 10))


def test_what_the_stream_has_besides_is_there():
    body = WholeBody(io.BytesIO(b"one"), 3)
    first = body.read()
    body.seek(0)

    assert (first, body.read()) == (b"one", b"one")


@pytest.mark.parametrize("length", ["", "0", "-1", "x", None], ids=repr)
def test_a_body_without_a_length_is_left_alone(length):
    stream = io.BytesIO(b"one")
    environ = {"wsgi.input": stream}
    if length is not None:
        environ["CONTENT_LENGTH"] = length
    expect_whole_body(environ)

    assert environ["wsgi.input"] is stream


SCRIPT = """\
from pathlib import Path


def application(environ, start_response):
    try:
        told = str(len(environ["wsgi.input"].read()))
    except OSError as error:
        told = str(error)
    with open(Path(__file__).parent / "told", "a") as file:
        file.write(told + "\\n")
    start_response("200 OK", [])
    return [b""]
"""
HERE = """\
script_alias("/app", "app.wsgi", process_group="%{GLOBAL}", application_group="%{GLOBAL}"),
"""


def test_an_upload_that_breaks_off_under_gunicorn(tmp_path):
    (tmp_path / "app.wsgi").write_text(SCRIPT)
    head = b"POST /app HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n"
    with site(tmp_path, aliases=HERE) as at:
        (tmp_path / "told").touch()
        with connect(at.server.address) as client:
            client.sendall(head % 5 + b"12345")
            at.until(lambda: (tmp_path / "told").read_text() == "5\n")
        with connect(at.server.address) as client:
            client.sendall(head % 1_000_000 + b"12345")
        at.until(lambda: (tmp_path / "told").read_text().count("\n") == 2)

    assert (tmp_path / "told").read_text() == f"5\n{BROKEN_OFF}\n"
