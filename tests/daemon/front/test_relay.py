"""The relay's two sides against each other, in one process."""

from __future__ import annotations

import gc
import gzip
import io
import os
import random
import socket
import tempfile
import threading
import weakref
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import pytest

from django_wsgimatch.daemon.front.gate import Gate
from django_wsgimatch.daemon.front.link import Link
from django_wsgimatch.daemon.front.relay import relay
from django_wsgimatch.daemon.front.reply import LONGEST_WHOLE, RECEIVE
from django_wsgimatch.daemon.wire.protocol import (
    AGAIN,
    DATA,
    ERROR,
    FILE,
    FRAME,
    HEAD,
    HINTS,
    INLINE,
    LAST,
    PULL,
    frame,
)
from django_wsgimatch.daemon.wire.wire import JOINED
from django_wsgimatch.exceptions import DaemonError
from tests.fuzz.relay import fuzz_front, fuzz_group
from tests.support.relayed import TOKEN, ask, descriptors, place, scripted, settled
from tests.support.wsgi import make_environ

TEXT = [("Content-Type", "text/plain")]


class Body:
    """A body that knows whether it was closed."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.closed = 0

    def __iter__(self):
        yield from self.pieces
        if self.error:
            raise self.error

    def close(self) -> None:
        self.closed += 1


def respond(body, status="200 OK", headers=TEXT):
    """An application that answers with a body, or what a function makes of the environ."""

    def application(environ, start_response):
        start_response(status, list(headers))
        return body(environ) if callable(body) else body

    return application


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        pytest.param(respond([b"all"]), b"all", id="one piece"),
        pytest.param(respond([b"a", b"", b"b"]), b"ab", id="pieces"),
        pytest.param(respond([]), b"", id="nothing"),
        pytest.param(respond(Body(b"x" * 300_000, b"y")), b"x" * 300_000 + b"y", id="long pieces"),
        pytest.param(
            respond([b"abc", b"def"], headers=[("Content-Length", "4")]),
            b"abcd",
            id="more than Content-Length",
        ),
        pytest.param(respond([bytearray(b"ab")]), b"ab", id="a bytearray, which servers take, too"),
    ],
)
def test_body(application, expected):
    with place(application) as at:
        answer = at.get()

    assert answer.body == expected


@pytest.mark.parametrize("more", [-100, -1, 0, 1], ids="{} bytes more".format)
@pytest.mark.parametrize(
    "size",
    [
        pytest.param(JOINED, id="as the group copies behind its head"),
        pytest.param(RECEIVE, id="as the front receives at once"),
        pytest.param(LONGEST_WHOLE, id="as the front receives before it begins"),
    ],
)
def test_a_body_of_one_piece_comes_whole(size, more):
    body = random.Random(size).randbytes(size + more)

    with place(respond([body])) as at:
        bodies = [at.get().body for _ in range(3)]

    assert bodies == [body] * 3


def test_status_and_headers_come_as_they_are():
    headers = [("Set-Cookie", "a=b; Path=/"), ("Set-Cookie", "c=\xe9"), ("X-Empty", "")]

    with place(respond([b""], "299 Odd \xe9", headers)) as at:
        answer = at.get()

    assert (answer.status, answer.headers) == ("299 Odd \xe9", headers)


def test_a_request_leaves_nothing_for_the_garbage_collector():
    """Otherwise a group holds the posted bodies of some hundred requests."""
    inputs = []

    def application(environ, start_response):
        inputs.append(weakref.ref(environ["wsgi.input"]))
        return respond([b"ok"])(environ, start_response)

    gc.disable()
    try:
        with place(application) as at:
            at.get()
            at.get()
        left = [known() for known in inputs]
    finally:
        gc.enable()

    assert left == [None, None]


def test_write_comes_before_the_body():
    def application(environ, start_response):
        write = start_response("200 OK", TEXT)
        write(b"first ")
        return [b"second"]

    with place(application) as at:
        assert at.get().body == b"first second"


def test_start_response_may_be_called_again_with_exc_info_before_the_body():
    def application(environ, start_response):
        start_response("200 OK", TEXT)
        try:
            raise ValueError
        except ValueError as error:
            start_response("500 Oops", TEXT, (ValueError, error, error.__traceback__))
        return [b"sorry"]

    with place(application) as at:
        assert at.get().status == "500 Oops"


def test_exc_info_after_the_body_has_begun_cuts_the_response():
    def application(environ, start_response):
        start_response("200 OK", TEXT)
        yield b"begun"
        try:
            raise ValueError("late")
        except ValueError as error:
            start_response("500 Oops", TEXT, (ValueError, error, error.__traceback__))

    with place(application) as at, pytest.raises(DaemonError, match="in the middle"):
        at.get()


@pytest.mark.parametrize(
    "application",
    [
        pytest.param(lambda environ, start_response: 1 / 0, id="an exception"),
        pytest.param(lambda environ, start_response: exit(3), id="SystemExit"),
        pytest.param(lambda environ, start_response: [b"x"], id="no start_response"),
        pytest.param(respond(["text"]), id="a body of text"),
        pytest.param(respond(None), id="no body"),
        pytest.param(respond([b""], "200 OK\r\nX: y"), id="a line break in the status"),
        pytest.param(respond([b""], headers=[("A", "b\nC: d")]), id="a line break in a header"),
        pytest.param(respond([b""], headers=[("A:b", "c")]), id="a colon in a name"),
        pytest.param(respond([b""], headers=[("A", "\u0416")]), id="text that is no latin-1"),
    ],
)
def test_what_is_no_response_is_500(application):
    with place(application) as at:
        with pytest.raises(DaemonError) as caught:
            at.get()
        assert caught.value.status == 500


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(Body(b"a", b"b"), id="at the end"),
        pytest.param(Body(b"a", error=ValueError()), id="after an exception"),
        pytest.param(Body(), id="without a piece"),
    ],
)
def test_the_body_is_closed_once(body):
    ending = pytest.raises(DaemonError) if body.error else nullcontext()
    with place(respond(body)) as at, ending:
        at.get()

    assert body.closed == 1


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        pytest.param(lambda body: body.read(), b"ab\ncd", id="all"),
        pytest.param(lambda body: body.read(2) + body.read(), b"ab\ncd", id="in two"),
        pytest.param(lambda body: body.readline(), b"ab\n", id="a line"),
        pytest.param(lambda body: b"|".join(body.readlines()), b"ab\n|cd", id="lines"),
        pytest.param(lambda body: b"|".join(body), b"ab\n|cd", id="as an iterator"),
        pytest.param(lambda body: body.read() + body.read(), b"ab\ncd", id="beyond the end"),
        pytest.param(lambda body: b"", b"", id="not at all"),
    ],
)
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({"CONTENT_LENGTH": "5"}, id="short"),
        pytest.param({"CONTENT_LENGTH": "5", "HTTP_EXPECT": "100-continue"}, id="asked for"),
        pytest.param({"HTTP_TRANSFER_ENCODING": "chunked"}, id="of unknown length"),
    ],
)
def test_request_body(read, expected, sent):
    given = {"wsgi.input": io.BytesIO(b"ab\ncd"), **sent}

    with place(respond(lambda environ: [read(environ["wsgi.input"])])) as at:
        assert at.get(method="POST", **given).body == expected


def test_a_long_body_comes_whole():
    data = os.urandom(3_000_000)
    given = {"wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data))}

    with place(respond(lambda environ: [environ["wsgi.input"].read()])) as at:
        assert at.get(method="POST", **given).body == data


class Watched(io.BytesIO):
    """A request body that knows whether it was read."""

    was_read = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.was_read = True
        return super().read(size)


@pytest.mark.parametrize("does_read", [True, False], ids=["read", "not read"])
def test_a_body_that_waits_to_be_asked_for_is_read_only_if_the_application_reads(does_read):
    body = Watched(b"x" * 100_000)
    given = {"wsgi.input": body, "CONTENT_LENGTH": "100000", "HTTP_EXPECT": "100-continue"}
    read = (lambda environ: [environ["wsgi.input"].read(1)]) if does_read else [b"no"]

    with place(respond(read)) as at:
        at.get(method="POST", **given)

    assert body.was_read == does_read


def test_an_application_may_read_on_after_its_response_has_begun():
    def application(environ, start_response):
        start_response("200 OK", TEXT)
        while piece := environ["wsgi.input"].read(50_000):
            yield piece[:1]

    given = {"wsgi.input": io.BytesIO(b"x" * 200_000), "CONTENT_LENGTH": "200000"}

    with place(application) as at:
        assert at.get(method="POST", **given).body == b"xxxx"


def test_a_client_that_goes_away_is_an_error_in_the_application():
    seen: list[str] = []

    def application(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            seen.append(str(error))
        start_response("200 OK", TEXT)
        return []

    given = {"wsgi.input": io.BytesIO(b"x" * 10), "CONTENT_LENGTH": "100000"}

    with place(application) as at:
        at.get(method="POST", **given)

    assert seen == ["The client went away in the middle of the request's body."]


def test_early_hints_come_before_the_response():
    hinted: list[Any] = []

    def application(environ, start_response):
        environ["wsgi.early_hints"]([("Link", "</x.css>; rel=preload")])
        return respond([b"ok"])(environ, start_response)

    with place(application) as at:
        answer = at.get(**{"wsgi.early_hints": hinted.append})

    assert (answer.body, hinted) == (b"ok", [[("Link", "</x.css>; rel=preload")]])


def temporary(data: bytes, position: int = 0):
    file = tempfile.TemporaryFile()  # noqa: SIM115, the response closes it
    file.write(data)
    file.seek(position)
    return file


def gzipped(data: bytes):
    return gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(data)))


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        pytest.param(partial(temporary, b"all of it"), b"all of it", id="a file"),
        pytest.param(partial(temporary, b"all of it", 4), b"of it", id="from a position on"),
        pytest.param(partial(gzipped, b"inside"), b"inside", id="one that is not on the disk so"),
        pytest.param(partial(io.BytesIO, b"memory"), b"memory", id="in memory"),
    ],
)
def test_file_wrapper(file, expected):
    with place(respond(lambda environ: environ["wsgi.file_wrapper"](file(), 3))) as at:
        before = descriptors()
        assert at.get().body == expected
        at.link.kept.clear()
        assert settled(before)


def test_a_file_goes_to_the_server_s_own_wrapper():
    wrapped: list[Any] = []

    def wrapper(file, size):
        wrapped.append(isinstance(file, io.BufferedReader))
        with file:
            return [file.read()]

    def body(environ):
        return environ["wsgi.file_wrapper"](temporary(b"data"))

    with place(respond(body)) as at:
        assert at.get(**{"wsgi.file_wrapper": wrapper}).body == b"data"
    assert wrapped == [True]


def test_environ_is_the_front_s():
    seen: dict[str, Any] = {}

    with place(respond(lambda environ: seen.update(environ) or [])) as at:
        at.get(target="/%E9?q", headers={"A": "\xe9"}, SERVER_SOFTWARE="x", extra="\u0416\udc80")

    environ = make_environ("/%E9?q", headers={"A": "\xe9"}, SERVER_SOFTWARE="x")
    texts = {name: value for name, value in environ.items() if isinstance(value, str)}
    texts["extra"] = "\u0416\udc80"
    assert {name: value for name, value in seen.items() if isinstance(value, str)} == texts


def test_a_nul_is_refused():
    with place(respond([b""])) as at, pytest.raises(DaemonError) as caught:
        at.get(HTTP_A="a\0b")

    assert caught.value.status == 400


def test_descriptors_do_not_leak():
    with place(respond([b"x"])) as at:
        at.get()
        before = descriptors()
        for _ in range(50):
            at.get()
        at.link.kept.clear()
        assert settled(before)


# What a process may do to the front


def send(*data: bytes):
    return lambda connection: connection.sendall(b"".join(data))


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        pytest.param(send(), 500, id="nothing"),
        pytest.param(send(b"garbage, and more of it"), 500, id="garbage"),
        pytest.param(send(frame(HEAD, b"200 OK\r\nA: b")), 500, id="a carriage return"),
        pytest.param(send(frame(HEAD, b"OK")), 500, id="no status"),
        pytest.param(send(frame(DATA, b"x")), 500, id="data before the head"),
        pytest.param(send(b"\x01\xff\xff\xff\xff" + b"x" * 100_000), 500, id="an endless head"),
        pytest.param(send(*[frame(HINTS, b"\nA:b")] * 200), 500, id="hints without an end"),
        pytest.param(send(frame(FILE)), 500, id="a file without a head"),
        pytest.param(send(frame(HEAD, b"200 OK"), frame(FILE)), 500, id="a file without a file"),
        pytest.param(send(frame(HEAD, b"200 OK"), frame(LAST, b"x" * 9)[:8]), 500, id="cut off"),
        pytest.param(send(frame(ERROR, b"200\nOK")), 500, id="a refusal that is none"),
        pytest.param(send(frame(ERROR, b"503\nno")), 503, id="a refusal"),
    ],
)
def test_a_forged_reply_is_an_error_for_its_request(reply, status):
    with scripted(reply) as link, pytest.raises(DaemonError) as caught:
        ask(link, make_environ())

    assert caught.value.status == status


def test_descriptors_that_nobody_asked_for_are_closed():
    def reply(connection):
        with socket.socket() as one, socket.socket() as other:
            head = frame(HEAD, b"200 OK") + frame(LAST, b"x")
            socket.send_fds(connection, [head], [one.fileno(), other.fileno()])

    with scripted(reply) as link:
        before = descriptors()
        with pytest.raises(DaemonError):
            ask(link, make_environ())
        assert settled(before + 1)


def test_descriptors_without_an_end_are_not_collected():
    """A front that has none left could answer for no group at all."""

    def reply(connection):
        with socket.socket() as one:
            for _ in range(1000):
                socket.send_fds(connection, [frame(PULL)], [one.fileno()])

    with scripted(reply) as link:
        before = descriptors()
        with pytest.raises(DaemonError, match="more than one file"):
            ask(link, make_environ())
        assert settled(before + 1)


def test_a_refusal_is_one_line_in_the_log():
    forged = b"503\nno\n[CRITICAL] The server is gone\x1b[2J\xc2\x9b2J"

    with scripted(send(frame(ERROR, forged))) as link, pytest.raises(DaemonError) as caught:
        ask(link, make_environ())

    assert str(caught.value) == r"no\n[CRITICAL] The server is gone\x1b[2J\x9b2J"


def test_a_request_that_nobody_began_is_sent_again():
    with scripted(send(frame(AGAIN)), send(frame(HEAD, b"200 OK"), frame(LAST, b"x"))) as link:
        assert ask(link, make_environ()).body == b"x"


def pull_and(*frames):
    """Ask for the body, read it, and then do something else than answer."""

    def reply(connection):
        connection.sendall(FRAME.pack(PULL, 10))
        connection.recv(65536)
        connection.sendall(b"".join(frames))

    return reply


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(pull_and(), id="killed"),
        pytest.param(pull_and(frame(AGAIN)), id="given back"),
    ],
)
def test_a_request_whose_body_has_been_passed_on_is_not_sent_again(reply):
    body = b"x" * (INLINE + 1)
    environ = make_environ(CONTENT_LENGTH=str(len(body)))
    environ["wsgi.input"] = io.BytesIO(body)

    with scripted(reply, has_reached=False) as link, pytest.raises(DaemonError) as caught:
        ask(link, environ)

    assert caught.value.status == 500


class LateBody:
    """A request's body that comes, or whose client is given up, once the group has gone away."""

    def __init__(self, gone: threading.Event, comes: bytes = b"") -> None:
        self.gone = gone
        self.comes = comes

    def read(self, size: int) -> bytes:
        self.gone.wait(60)
        if not self.comes:
            raise TimeoutError
        return self.comes[:size]


def pull_and_leave(gone: threading.Event, *frames: bytes):
    """Ask for the body, say something else, and wait for no body."""

    def reply(connection):
        connection.sendall(FRAME.pack(PULL, 10) + b"".join(frames))
        connection.shutdown(socket.SHUT_RDWR)
        gone.set()

    return reply


def test_a_client_that_is_too_slow_is_408_also_where_the_group_has_gone_away():
    gone = threading.Event()
    environ = make_environ(CONTENT_LENGTH=str(INLINE + 1))
    environ["wsgi.input"] = LateBody(gone)

    with scripted(pull_and_leave(gone)) as link, pytest.raises(DaemonError) as caught:
        ask(link, environ)

    assert caught.value.status == 408


@pytest.mark.parametrize(
    ("frames", "status"),
    [
        pytest.param([frame(ERROR, b"504\nit took too long")], 504, id="it says so"),
        pytest.param([], 500, id="it ends"),
    ],
)
def test_a_group_that_gives_a_request_up_while_its_body_comes_says_why(frames, status):
    gone = threading.Event()
    environ = make_environ(CONTENT_LENGTH=str(INLINE + 1))
    environ["wsgi.input"] = LateBody(gone, b"x" * (INLINE + 1))

    with scripted(pull_and_leave(gone, *frames)) as link, pytest.raises(DaemonError) as caught:
        ask(link, environ)

    assert caught.value.status == status


def test_silence_is_504_after_socket_timeout():
    def reply(connection):
        connection.recv(1)

    with scripted(reply, socket_timeout=0.2) as link, pytest.raises(DaemonError) as caught:
        ask(link, make_environ())

    assert caught.value.status == 504


def test_nobody_listening_is_503_after_connect_timeout(tmp_path):
    woken: list[None] = []

    def wake() -> bytes:
        woken.append(None)
        return TOKEN

    link = Link(str(tmp_path / "s"), wake, bool, connect_timeout=0.1)

    with pytest.raises(DaemonError) as caught:
        ask(link, make_environ())

    assert caught.value.status == 503
    assert woken


def test_random_replies_harm_nobody():
    assert fuzz_front(400, seed=7).total() == 400


def test_random_requests_harm_nobody():
    assert fuzz_group(600, seed=7)


def nothing_started(status, headers, exc_info=None):
    raise OSError("the client is gone")


@pytest.mark.parametrize(
    "application",
    [
        pytest.param(respond([b"all"]), id="one piece"),
        pytest.param(respond(Body(b"a", b"b")), id="pieces"),
        pytest.param(respond([]), id="nothing"),
        pytest.param(respond(Body(b"x" * 300_000, b"y")), id="long pieces"),
        pytest.param(lambda environ, start_response: 1 / 0, id="an application that fails"),
        pytest.param(respond(Body(b"a", error=ValueError("no"))), id="one that fails half way"),
        pytest.param(
            respond(lambda environ: environ["wsgi.file_wrapper"](io.FileIO(__file__))),
            id="a file",
        ),
    ],
)
def test_every_response_leaves_the_gate(application):
    gate = Gate(1)
    with place(application, gate=gate) as at:
        for _ in range(3):
            with suppress(DaemonError):
                at.get()
            assert gate.is_empty


def test_a_response_holds_the_gate_until_it_is_over():
    gate = Gate(1)
    with place(respond(Body(b"x" * 300_000, b"y")), gate=gate) as at:
        body = relay(at.link, make_environ(), lambda *given: lambda data: None)
        held = not gate.is_empty
        read = b"".join(body)

    assert held
    assert len(read) == 300_001
    assert gate.is_empty


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda body: body.close(), id="closed"),
        pytest.param(lambda body: [body.close() for _ in range(3)], id="closed three times"),
        pytest.param(lambda body: [b"".join(body), body.close()], id="read and closed"),
        pytest.param(lambda body: None, id="forgotten"),
    ],
)
def test_a_response_leaves_the_gate_once(end):
    gate = Gate(2)
    with place(respond(Body(b"x" * 300_000, b"y")), gate=gate) as at:
        body = relay(at.link, make_environ(), lambda *given: lambda data: None)
        next(iter(body))
        end(body)
        del body
        gc.collect()

        gate.enter()
        assert not gate.is_empty
        gate.leave()
        assert gate.is_empty


def test_a_client_that_is_gone_leaves_the_gate():
    gate = Gate(1)
    with (
        place(respond([b"all"]), gate=gate) as at,
        pytest.raises(OSError, match="the client is gone"),
    ):
        relay(at.link, make_environ(), nothing_started)

    assert gate.is_empty


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(3, id="a short one"),
        pytest.param(100_000, id="a long one that comes at once"),
        pytest.param(200_000, id="a longer one"),
    ],
)
def test_a_response_that_the_server_cannot_begin_costs_no_other_request(size):
    with place(respond([b"x" * size])) as at:
        with pytest.raises(OSError, match="the client is gone"):
            relay(at.link, make_environ(), nothing_started)

        bodies = [at.get().body for _ in range(3)]

    assert bodies == [b"x" * size] * 3


def test_who_is_not_let_in_sends_nothing():
    gate = Gate(1)
    gate.enter()
    with place(respond([b"all"]), gate=gate) as at:
        with pytest.raises(DaemonError) as refused:
            at.get()

        assert refused.value.status == 503
        gate.leave()
        assert at.get().body == b"all"
