"""
Where a response ends is for the front to say: a group cannot put a second one behind its first.

A proxy that keeps its connections to the server would take it for the answer to somebody else.
"""

from __future__ import annotations

import os
import random
import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest

from django_wsgimatch.daemon.front.kept_connections import Connection
from django_wsgimatch.daemon.front.link import Link
from django_wsgimatch.daemon.front.relay import relay
from django_wsgimatch.daemon.front.reply import Reply
from django_wsgimatch.daemon.wire.protocol import (
    AT_ONCE,
    DATA,
    END,
    FILE,
    HEAD,
    HINTS,
    KEPT,
    LAST,
    READY_FRAME,
    decode_head,
    decode_whole,
    frame,
)
from django_wsgimatch.exceptions import DaemonError, ProtocolError
from tests.support.groups import site
from tests.support.raw_http import connect
from tests.support.relayed import ask, descriptors, place, scripted, settled
from tests.support.servers import ENTRY, GRANIAN, WAITRESS
from tests.support.wsgi import Answer, make_environ
from tests.thorough import mostly_thorough

OK = b"200 OK\nContent-Length:5"
MALFORMED = r"^Malformed response received from daemon process: "


def send(*data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(b"".join(data))


def answer_of(*data: bytes, **environ: Any) -> Answer:
    """What a client is answered where a group sends these frames. Raises DaemonError."""
    with scripted(send(*data)) as link:
        return ask(link, make_environ(**environ))


FAULTS = [
    pytest.param(b"200 OK\nContent-Length:5\nContent-Length:48", id="two lengths"),
    pytest.param(b"200 OK\nContent-Length:5\ncontent-LENGTH:5", id="the same length twice"),
    pytest.param(b"200 OK\nContent-Length:-5", id="a negative length"),
    pytest.param(b"200 OK\nContent-Length:+5", id="a length with a sign"),
    pytest.param(b"200 OK\nContent-Length:5, 5", id="a list of lengths"),
    pytest.param(b"200 OK\nContent-Length:4 8", id="a space in a length"),
    pytest.param(b"200 OK\nContent-Length: 5", id="a space before a length"),
    pytest.param(b"200 OK\nContent-Length:5\t", id="a tab behind a length"),
    pytest.param(b"200 OK\nContent-Length:0x5", id="a hexadecimal length"),
    pytest.param(b"200 OK\nContent-Length:5_0", id="a length with an underscore"),
    pytest.param(b"200 OK\nContent-Length:\xb2", id="a superscript digit"),
    pytest.param(b"200 OK\nContent-Length:", id="an empty length"),
    pytest.param(b"200 OK\nContent-Length:" + b"9" * 19, id="a length beyond all files"),
    pytest.param(b"200 OK\nTransfer-Encoding:chunked", id="a transfer encoding"),
    pytest.param(b"200 OK\nTRANSFER-encoding:identity", id="a transfer encoding of none"),
    pytest.param(b"200 OK\nTransfer-Encoding:chunked\nContent-Length:5", id="both"),
    pytest.param(b"100 Continue", id="100"),
    pytest.param(b"101 Switching Protocols", id="101"),
    pytest.param(b"103 Early Hints\nLink:</x>", id="103"),
    pytest.param(b"199 X", id="199"),
    pytest.param(b"600 X", id="600"),
    pytest.param(b"999 X", id="999"),
    pytest.param(b"000 X", id="0"),
    pytest.param(b"0200 OK", id="four digits"),
    pytest.param(b"-200 OK", id="a negative status"),
    pytest.param(b" 200 OK", id="a space before the status"),
]


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(LAST | KEPT, id="that is read by frames"),
        pytest.param(LAST | KEPT | AT_ONCE, id="that is there whole"),
    ],
)
@pytest.mark.parametrize("head", FAULTS)
def test_a_head_that_lies_about_where_its_response_ends_is_500(head, last):
    with pytest.raises(DaemonError, match=MALFORMED) as caught:
        answer_of(frame(HEAD, head), frame(last, b"AAAAAHTTP/1.1 200 OK\r\n\r\nEVIL"))

    assert caught.value.status == 500


@pytest.mark.parametrize(
    ("head", "told"),
    [
        pytest.param(b"200 OK", ("200 OK", [], None), id="no length"),
        pytest.param(b"200", ("200", [], None), id="no reason"),
        pytest.param(b"299 Odd", ("299 Odd", [], None), id="a status of the site's own"),
        pytest.param(
            b"599 X\nContent-Length:0", ("599 X", [("Content-Length", "0")], 0), id="no body"
        ),
        pytest.param(
            b"200 OK\ncontent-length:007", ("200 OK", [("content-length", "007")], 7), id="zeros"
        ),
        pytest.param(
            b"200 OK\nX-Content-Length:-1\nContent-Lengths:a",
            ("200 OK", [("X-Content-Length", "-1"), ("Content-Lengths", "a")], None),
            id="names that are like it",
        ),
    ],
)
def test_a_head_that_is_sound(head, told):
    assert decode_head(head) == told


@pytest.mark.parametrize("times", [1, 2], ids=["new", "remembered"])
@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "keep-alive", "Proxy-Authenticate", "Proxy-Authorization"),
        *("Proxy-Connection", "TE", "Trailer", "Trailers", "Upgrade"),
    ],
)
def test_headers_of_the_connection_are_dropped_as_gunicorn_drops_them(name, times):
    head = f"200 OK\nA:b\n{name}:close\nC:d".encode()

    told = [decode_head(head)[1] for _ in range(times)]

    assert told == [[("A", "b"), ("C", "d")]] * times


def test_two_lengths_are_refused_when_both_are_remembered():
    for length in ("5", "48"):
        decode_head(f"200 OK\nContent-Length:{length}".encode())

    with pytest.raises(ProtocolError, match="more than one Content-Length"):
        decode_head(b"200 OK\nContent-Length:5\nContent-Length:48")


@pytest.mark.parametrize(
    "hint",
    [
        pytest.param(b"\nContent-Length:5", id="a length"),
        pytest.param(b"\nTransfer-Encoding:chunked", id="a transfer encoding"),
        pytest.param(b"200 OK\nA:b", id="a status"),
    ],
)
def test_early_hints_with(hint):
    with pytest.raises(DaemonError, match=MALFORMED):
        answer_of(frame(HINTS, hint), frame(HEAD, OK), frame(LAST, b"AAAAA"))


# The body's length


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([frame(LAST | KEPT, b"AAAAAEVIL")], id="longer"),
        pytest.param([frame(LAST | KEPT, b"AAA")], id="shorter"),
        pytest.param([frame(END | KEPT)], id="none at all"),
        pytest.param([frame(LAST | KEPT, b"A" * 100_000)], id="much longer"),
        pytest.param([frame(LAST | KEPT | AT_ONCE, b"AAAAAEVIL")], id="longer, and there whole"),
        pytest.param([frame(LAST | KEPT | AT_ONCE, b"AAA")], id="shorter, and there whole"),
    ],
)
def test_a_whole_body_of_another_length_is_500_before_anything_is_sent(frames):
    with pytest.raises(DaemonError, match=MALFORMED):
        answer_of(frame(HEAD, OK), *frames)


def pieces_of(*data: bytes, **environ: Any) -> tuple[bytes, DaemonError | None]:
    """What reaches the client of a body, and how it ends."""
    sent = []
    with scripted(send(*data)) as link:
        body: Iterable[bytes] = relay(link, make_environ(**environ), lambda *given: bytearray)
        try:
            for piece in body:
                sent.append(piece)
        except DaemonError as error:
            return b"".join(sent), error
        finally:
            if hasattr(body, "close"):
                body.close()
        assert len(link.kept) == 0, "a connection whose group lies is kept"
    return b"".join(sent), None


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([frame(DATA, b"AAAAAEVIL"), frame(END | KEPT)], id="in one piece"),
        pytest.param([frame(DATA, b"AAA"), frame(LAST | KEPT, b"AAEVIL")], id="in the last piece"),
        pytest.param([frame(DATA, b"AAAAA"), frame(DATA, b"EVIL"), frame(END | KEPT)], id="behind"),
        pytest.param([frame(DATA, b"AAAAA"), frame(LAST | KEPT, b"EVIL")], id="at the end"),
    ],
)
def test_a_body_is_cut_where_its_length_says(frames):
    sent, error = pieces_of(frame(HEAD, OK), *frames, READY_FRAME)

    assert (sent, error) == (b"AAAAA", None)


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([frame(DATA, b"AAA"), frame(END | KEPT)], id="an end"),
        pytest.param([frame(DATA, b"AAA"), frame(LAST | KEPT, b"A")], id="a last piece"),
        pytest.param([frame(DATA, b"AAA")], id="nothing more"),
        pytest.param([frame(DATA, b""), frame(DATA, b"AAA"), frame(END)], id="an empty piece"),
    ],
)
def test_a_body_that_ends_early_is_an_error_after_what_was_sent(frames):
    sent, error = pieces_of(frame(HEAD, OK), *frames)

    assert sent.startswith(b"AAA")
    assert error is not None
    assert error.status == 500


@pytest.mark.parametrize(
    ("head", "method"),
    [
        pytest.param(OK, "HEAD", id="HEAD"),
        pytest.param(b"204 No Content", "GET", id="204"),
        pytest.param(b"304 Not Modified\nContent-Length:48", "GET", id="304 with a length"),
        pytest.param(b"204 No Content\nContent-Length:5", "POST", id="204 with a length"),
    ],
)
@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([frame(LAST | KEPT, b"EVIL"), READY_FRAME], id="whole"),
        pytest.param([frame(LAST | KEPT | AT_ONCE, b"EVIL")], id="whole, and ready at once"),
        pytest.param([frame(DATA, b"EV"), frame(LAST | KEPT, b"IL"), READY_FRAME], id="in pieces"),
        pytest.param([frame(LAST | KEPT, b"E" * 400_000), READY_FRAME], id="long"),
        pytest.param([frame(END | KEPT), READY_FRAME], id="none"),
    ],
)
def test_a_body_where_none_may_be_is_dropped(head, method, frames):
    with scripted(send(frame(HEAD, head), *frames)) as link:
        answer = ask(link, make_environ(method=method))
        kept = len(link.kept)

    assert (answer.body, kept) == (b"", 1)


def by_frames(data: bytes) -> object:
    """What a response that has come makes, read frame by frame."""
    started: list[object] = []
    mine, its = socket.socketpair()
    with its:
        mine.settimeout(0)
        its.sendall(data[1:])
        its.shutdown(socket.SHUT_WR)
        reply = Reply(Connection(mine), Link("", lambda: b"", bool), make_environ(), data[:1], [])

        def start_response(*given: object) -> Callable[[bytes], object]:
            started.append(given)
            return bytearray

        body = b"".join(reply.begin(start_response))
        reply.connection.socket.close()
    return *started, body


def told_by(read: Callable[[bytes], object], data: bytes) -> object:
    try:
        return read(data)
    except (ProtocolError, DaemonError, EOFError, RuntimeError) as error:
        return ProtocolError if isinstance(error, ProtocolError) else type(error)


def at_a_glance(data: bytes) -> object:
    """The same, of one that is there whole; None for all others."""
    whole = decode_whole(data)
    return whole and (whole[0][:2], whole[1])


def test_what_is_there_whole_is_what_its_frames_make_of_it():
    rng = random.Random(11)
    seen = Counter[str]()
    heads = [b"200 OK", OK, b"204 X", b"304 X\nContent-Length:5", b"99 X", b"200 OK\nConnection:a"]
    for _ in range(3000):
        head = rng.choice(heads)
        last = rng.choice([LAST | KEPT | AT_ONCE, LAST | KEPT, LAST, END | KEPT | AT_ONCE, DATA])
        body = rng.choice([b"", b"AAA", b"AAAAA", b"AAAAAEVIL"])
        data = frame(rng.choice([HEAD, HEAD, HINTS]), head) + frame(last, body)
        data = data[: rng.choice([len(data)] * 3 + [len(data) - 1, 9])] + rng.choice(
            [b"", b"", b"E"]
        )

        glance = told_by(at_a_glance, data)
        seen[type(glance).__name__] += 1

        assert glance in (None, told_by(by_frames, data)), data
    assert len(seen) == 3, seen


# Files


def file_of(data: bytes, head: bytes, change: Callable[[int], object] = bool) -> Any:
    """A group that passes a file, and does something to it afterwards."""

    def reply(connection: socket.socket) -> None:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.seek(0)
            packet = frame(HEAD, head) + frame(FILE)
            socket.send_fds(connection, [packet], [file.fileno()])
            change(file.fileno())

    return reply


def by_sendfile(descriptors_sent: list[int]) -> Callable[[Any, int], Iterable[bytes]]:
    """A wrapper that sends a file as gunicorn does: with socket.sendfile(), and a position."""

    class Wrapper:
        def __init__(self, file: Any, size: int) -> None:
            self.close = file.close
            self.file = file

        def __iter__(self):
            one, other = socket.socketpair()
            with one, other:
                descriptors_sent.append(one.sendfile(self.file, 0, 5))
                yield other.recv(100)

    return Wrapper


@pytest.mark.parametrize(
    ("data", "head", "body"),
    [
        pytest.param(b"AAAAA", OK, b"AAAAA", id="as long as it says"),
        pytest.param(b"AAAAAEVIL", OK, b"AAAAA", id="longer: it is cut"),
        pytest.param(b"AAAAAEVIL", b"200 OK", b"AAAAAEVIL", id="of no length"),
        pytest.param(b"EVIL", b"204 No Content", b"", id="where no body may be"),
        pytest.param(b"EVIL", b"304 Not Modified\nContent-Length:9", b"", id="not modified"),
    ],
)
def test_a_file(data, head, body):
    with scripted(file_of(data, head)) as link:
        before = descriptors()
        answer = ask(link, make_environ())
        # The listening group's thread may be gone with its end of the connection.
        assert settled(before + 1)

    assert answer.body == body


def test_a_file_shorter_than_its_length_is_500():
    with scripted(file_of(b"AAA", OK)) as link, pytest.raises(DaemonError, match=MALFORMED):
        ask(link, make_environ())


def test_a_file_for_head_is_not_sent():
    with scripted(file_of(b"AAAAA", OK)) as link:
        assert ask(link, make_environ(method="HEAD")).body == b""


@pytest.mark.parametrize("wrapper", ["reading", "socket.sendfile"])
def test_a_file_that_is_shortened_while_it_is_sent_ends_in_an_error(wrapper):
    held: list[int] = []
    sent: list[int] = []

    def reply(connection: socket.socket) -> None:
        file = tempfile.TemporaryFile()  # noqa: SIM115, the test closes it
        file.write(b"AAAAA")
        file.seek(0)
        held.append(os.dup(file.fileno()))
        socket.send_fds(connection, [frame(HEAD, OK) + frame(FILE)], [file.fileno()])
        file.close()

    def shorten(file: Any, size: int) -> Iterable[bytes]:
        os.truncate(held[0], 3)
        made = by_sendfile(sent)(file, size) if wrapper == "socket.sendfile" else None
        return made or iter_of(file)

    class iter_of:
        def __init__(self, file: Any) -> None:
            self.file, self.close = file, file.close

        def __iter__(self):
            return iter(lambda: self.file.read(100), b"")

    with scripted(reply) as link, pytest.raises(DaemonError, match="ends before"):
        ask(link, {**make_environ(), "wsgi.file_wrapper": shorten})
    os.close(held[0])


def test_a_file_sent_by_its_descriptor_and_long_enough_is_no_error():
    sent: list[int] = []

    with scripted(file_of(b"AAAAA", OK)) as link:
        answer = ask(link, {**make_environ(), "wsgi.file_wrapper": by_sendfile(sent)})

    assert (answer.body, sent) == (b"AAAAA", [5])


# What the application's author is told


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        pytest.param("200 OK", [("Content-Length", "1"), ("content-length", "1")], id="two"),
        pytest.param("200 OK", [("Content-Length", "-1")], id="negative"),
        pytest.param("200 OK", [("Content-Length", "+1")], id="with a sign"),
        pytest.param("200 OK", [("Content-Length", " 1")], id="with a space"),
        pytest.param("200 OK", [("Content-Length", "1_0")], id="with an underscore"),
        pytest.param("200 OK", [("Transfer-Encoding", "chunked")], id="a transfer encoding"),
        pytest.param("101 Switching Protocols", [], id="101"),
        pytest.param("999 X", [], id="999"),
    ],
)
def test_an_application_is_told_of_its_mistake(status, headers, caplog):
    def application(environ, start_response):
        start_response(status, headers)
        return [b"x"]

    with place(application) as at, pytest.raises(DaemonError) as caught:
        at.get(target="/x")

    assert str(caught.value) == "ValueError in the application"
    [record] = [r for r in caplog.records if r.getMessage() == "Error in GET /x"]
    assert "start_response(status, headers)" in record.exc_text or record.exc_info


def test_a_head_that_was_refused_may_be_followed_by_a_sound_one():
    def application(environ, start_response):
        try:
            start_response("200 OK", [("Content-Length", "-1")])
        except ValueError:
            start_response("400 Bad", [("Content-Length", "2")])
        return [b"no"]

    with place(application) as at:
        answer = at.get()

    assert (answer.status, answer.body) == ("400 Bad", b"no")


# A real server, and a tenant that writes to the front what it likes

TENANT = """\
from django_wsgimatch.daemon.wire.protocol import FRAME


def application(environ, start_response):
    if environ["QUERY_STRING"]:
        exchange = environ["wsgi.early_hints"].__self__
        exchange.connection.sendall(bytes.fromhex(environ["QUERY_STRING"]))
        exchange.is_head_sent = exchange.is_complete = True
        raise OSError("The rest is silence.")
    start_response("200 OK", [("Content-Length", "2"), ("Connection", "close")])
    return [b"ok"]
"""


# A file that has all its bytes when the front looks, and lacks some when they are sent.
SIZE = 64 << 20
PASSING = f"""\
import os, socket
from django_wsgimatch.daemon.wire.protocol import FILE, HEAD, frame


def application(environ, start_response):
    exchange = environ["wsgi.early_hints"].__self__
    with open(os.path.join(os.path.dirname(environ["SCRIPT_FILENAME"]), "long"), "rb") as file:
        head = frame(HEAD, b"200 OK\\nContent-Length:{SIZE}") + frame(FILE)
        socket.send_fds(exchange.connection, [head], [file.fileno()])
        exchange.is_head_sent = exchange.is_complete = True
    raise OSError("The rest is silence.")
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    project = tmp_path_factory.mktemp("framing")
    (project / "app.wsgi").write_text(TENANT)
    aliases = """\
script_alias("/here", "app.wsgi"),
script_alias("/blog", "app.wsgi", process_group="blog"),
"""
    with site(project, aliases=aliases) as at:
        assert at.get("/blog").body == b"ok"
        yield at


def on_the_wire(at: Any, frames: bytes, *, method: bytes = b"GET") -> bytes:
    """
    All that a client receives over one connection, on which it asks twice.

    A server that closes it before it has read the second request resets it, and what the client
    has not read by then is lost: it asks again.
    """
    received = b""
    for _ in range(10):
        received = received or _received(at, frames, method)
    return received


def _received(at: Any, frames: bytes, method: bytes) -> bytes:
    lines = b" HTTP/1.1\r\nHost: localhost\r\n"
    asked = method + b" /blog?" + frames.hex().encode() + lines + b"\r\n"
    with connect(at.server.address) as connection:
        connection.sendall(asked)
        # The server may have closed the connection by now.
        with suppress(BrokenPipeError):
            connection.sendall(b"GET /blog" + lines + b"Connection: close\r\n\r\n")
        try:
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionResetError:
            return b""


UPGRADE = b"200 OK\nConnection:upgrade\nUpgrade:websocket\nContent-Length:0"
SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nEVIL!"


@pytest.mark.parametrize("head", FAULTS)
def test_a_tenant_s_head_is_one_500_on_the_wire(served, head):
    received = on_the_wire(served, frame(HEAD, head) + frame(LAST, b"AAAAA" + SMUGGLED))

    # The answer to the first request, and that to the second.
    statuses = [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert b"EVIL" not in received
    assert statuses == [b"500", b"200"]


@pytest.mark.parametrize(
    ("frames", "method", "first"),
    [
        pytest.param(
            [frame(HEAD, OK), frame(DATA, b"AAAAA" + SMUGGLED), frame(END)],
            *(b"GET", b"200"),
            id="a body that is longer than it says",
        ),
        pytest.param(
            [frame(HEAD, OK), frame(LAST, b"AAAAA" + SMUGGLED)],
            *(b"GET", b"500"),
            id="a whole body that is longer than it says",
        ),
        pytest.param(
            [frame(HEAD, b"204 No Content"), frame(LAST, SMUGGLED)],
            *(b"GET", b"204"),
            id="a body behind 204",
        ),
        pytest.param(
            [frame(HEAD, b"304 Not Modified"), frame(DATA, SMUGGLED), frame(END)],
            *(b"GET", b"304"),
            id="a body behind 304",
        ),
        pytest.param(
            [frame(HEAD, OK), frame(DATA, SMUGGLED), frame(END)],
            *(b"HEAD", b"200"),
            id="a body behind HEAD",
        ),
        pytest.param(
            [frame(HEAD, UPGRADE), frame(END)],
            *(b"GET", b"200"),
            id="an upgrade",
        ),
    ],
)
def test_a_tenant_s_body_is_one_response_on_the_wire(served, frames, method, first):
    received = on_the_wire(served, b"".join(frames), method=method)

    statuses = [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]
    assert b"EVIL" not in received
    assert statuses == [first, b"200"]
    assert b"upgrade" not in received.lower()


def test_a_tenant_s_body_that_ends_early_ends_the_connection(served):
    received = on_the_wire(served, frame(HEAD, OK) + frame(DATA, b"AAA") + frame(END))

    assert received.endswith(b"\r\n\r\nAAA")
    assert received.count(b"HTTP/1.1 ") == 1


def test_a_header_of_the_connection_is_dropped_in_a_group_as_outside(served):
    inside, outside = served.get("/blog"), served.get("/here")

    assert (inside.status, inside.body) == (200, b"ok")
    different = {"date"}
    assert {n: v for n, v in inside.headers.items() if n not in different} == {
        n: v for n, v in outside.headers.items() if n not in different
    }


@pytest.mark.parametrize(
    "command", mostly_thorough([WAITRESS, GRANIAN]), ids=["waitress", "granian"]
)
def test_a_tenant_s_response_is_one_response_under_other_servers_too(tmp_path, command):
    (tmp_path / "app.wsgi").write_text(TENANT)
    longer = frame(HEAD, OK) + frame(DATA, b"AAAAA" + SMUGGLED) + frame(END)
    twice = frame(HEAD, OK + b"\nContent-Length:48") + frame(LAST, b"AAAAA" + SMUGGLED)
    bodiless = frame(HEAD, b"304 Not Modified") + frame(LAST, SMUGGLED)
    aliases = 'script_alias("/blog", "app.wsgi", process_group="blog"),\n'

    with site(tmp_path, aliases=aliases, command=[*command, ENTRY]) as at:
        received = [on_the_wire(at, frames) for frames in (longer, twice, bodiless)]

    told = [[part[:3] for part in each.split(b"HTTP/1.1 ")[1:]] for each in received]
    assert [statuses[0] for statuses in told] == [b"200", b"500", b"304"]
    # A server may close the connection instead of answering the second request.
    assert all(statuses[1:] in ([], [b"200"]) for statuses in told)
    assert b"EVIL" not in b"".join(received)


def test_a_file_that_its_group_shortens_ends_the_connection(tmp_path):
    (tmp_path / "app.wsgi").write_text(PASSING)
    long = tmp_path / "long"
    long.touch()
    os.truncate(long, SIZE)
    aliases = 'script_alias("/blog", "app.wsgi", process_group="blog"),\n'

    with site(tmp_path, aliases=aliases) as at, connect(at.server.address) as connection:
        request = b"GET /blog HTTP/1.1\r\nHost: localhost\r\n\r\n"
        connection.sendall(request * 2)
        received = connection.recv(65536)
        os.truncate(long, SIZE // 2)
        received += b"".join(iter(lambda: connection.recv(65536), b""))

    assert received.count(b"HTTP/1.1 ") == 1
    assert received.startswith(b"HTTP/1.1 200")
