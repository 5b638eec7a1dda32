"""Connections that are kept between requests: quick, and never at the cost of another request."""

from __future__ import annotations

import io
import logging
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from django_wsgimatch.daemon.front.kept_connections import MOST_KEPT, KeptConnections
from django_wsgimatch.daemon.group.worker import threads
from django_wsgimatch.daemon.wire.protocol import (
    AT_ONCE,
    KEPT,
    LAST,
    READY_FRAME,
    REQUEST,
    decode_request,
    encode_request,
    frame,
    update_environ,
)
from django_wsgimatch.exceptions import DaemonError, ProtocolError
from tests.support.groups import wait_until
from tests.support.relayed import TOKEN, RelayedPlace, ask, descriptors, place, scripted
from tests.support.wsgi import Answer, make_environ

OK = frame(1, b"200 OK\nContent-Length:2") + frame(LAST | KEPT, b"ok") + READY_FRAME

SIZES = pytest.mark.parametrize(
    "size",
    [
        pytest.param(0, id="without a body"),
        pytest.param(5, id="with a short body"),
        pytest.param(300_000, id="with a long body"),
    ],
)


class Body:
    """A response of one piece that is closed when a test lets it."""

    def __init__(self, may_close: threading.Event) -> None:
        self.may_close = may_close

    def __iter__(self):
        yield b"ok"

    def close(self) -> None:
        self.is_in_time = self.may_close.wait(60)


def hello(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


def reading(sizes):
    """An application that reads each request's body and notes how long it is."""

    def application(environ, start_response):
        sizes.append(len(environ["wsgi.input"].read()))
        return hello(environ, start_response)

    return application


def other_front(at: RelayedPlace) -> RelayedPlace:
    """The same place, asked by a front with connections of its own."""
    return replace(at, link=replace(at.link, kept=KeptConnections()))


def post(at: RelayedPlace, body: bytes) -> Answer:
    sent = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    return at.get(method="POST", **sent)


def test_one_connection_carries_many_requests():
    connections = set()

    def application(environ, start_response):
        connections.add(id(environ["wsgi.early_hints"].__self__.connection))
        return hello(environ, start_response)

    bodies: list[bytes] = []

    def have_been_carried() -> bool:
        connections.clear()
        bodies[:] = [at.get().body for _ in range(20)]
        return len(connections) == 1

    with place(application) as at:
        # None is kept in a moment in which no other thread looks for a front.
        wait_until(have_been_carried)

    assert (bodies, len(connections)) == ([b"ok"] * 20, 1)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_another_front_does_not_wait_for_threads_that_wait_for_this_one(number):
    with place(hello, threads=number) as at, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: at.get(), range(50)))
        began = time.monotonic()
        for _ in range(20):
            assert other_front(at).get().body == b"ok"
        took = time.monotonic() - began

    # Whoever waits, waits for LOOK_UP: a machine cannot be that busy for all of them.
    assert took < 20 * threads.LOOK_UP


def test_a_thread_that_still_closes_its_response_gets_no_request():
    may_close = threading.Event()
    body = Body(may_close)

    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return body if environ["PATH_INFO"] == "/slow" else [b"ok"]

    with place(application, threads=2) as at:
        at.get()
        slow = at.get(target="/slow").body
        quick = [at.get().body for _ in range(5)]
        may_close.set()

    assert (slow, quick) == (b"ok", [b"ok"] * 5)
    assert body.is_in_time


@SIZES
def test_a_request_that_comes_as_its_process_is_told_to_end_is_answered_once(monkeypatch, size):
    bodies: list[int] = []

    with place(reading(bodies)) as at:
        receive = threads._receive

        def receive_and_close(connection, memory):
            received = receive(connection, memory)
            if at.threads._waiting:
                at.threads.close()
            return received

        monkeypatch.setattr(threads, "_receive", receive_and_close)
        at.get()
        # A thread in accept() takes one request more.
        answer = post(at, b"x" * size).body

    assert (answer, bodies) == (b"ok", [0, size])


@SIZES
def test_a_request_that_comes_as_its_thread_is_let_go_is_answered_once(monkeypatch, size):
    bodies: list[int] = []

    with place(reading(bodies)) as at:
        at.get()
        receive = threads._receive

        def receive_and_let_go(connection, memory):
            received = receive(connection, memory)
            while at.threads._waiting:
                threads._release(at.threads._waiting.popitem()[1])
            return received

        monkeypatch.setattr(threads, "_receive", receive_and_let_go)
        answers = [post(at, b"x" * size).body for _ in range(5)]

    assert (answers, bodies) == ([b"ok"] * 5, [0] + [size] * 5)


def test_a_process_whose_other_requests_hang_waits_for_a_thread_that_has_just_accepted():
    hanging, may_end = threading.Event(), threading.Event()

    def application(environ, start_response):
        hanging.set()
        may_end.wait(60)
        return hello(environ, start_response)

    with place(application) as at, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(at.get)
        assert hanging.wait(60)
        hung = [*at.threads.work.values()]
        while_one_accepts = at.threads.are_only_at(hung)
        at.threads.close()
        wait_until(lambda: at.threads.are_only_at(hung))
        while_it_hangs = at.threads.are_only_at([])
        may_end.set()
        body = answer.result().body

    assert (while_one_accepts, while_it_hangs, body) == (False, False, b"ok")


def test_more_fronts_than_threads_are_all_answered():
    with place(hello, threads=2) as at, ThreadPoolExecutor(16) as pool:
        fronts = [other_front(at) for _ in range(16)]
        bodies = [b.body for b in pool.map(lambda n: fronts[n % 16].get(), range(2000))]

    assert bodies == [b"ok"] * 2000


@pytest.mark.parametrize(
    "size", [pytest.param(2, id="a short body"), pytest.param(200_000, id="a long body")]
)
def test_a_response_may_say_that_its_thread_waits_already(size):
    body = b"x" * size
    said = frame(1, b"200 OK") + frame(LAST | KEPT | AT_ONCE, body)

    def answers_thrice(connection):
        connection.sendall(said)
        for _ in range(2):
            connection.recv(65536)
            connection.sendall(said)

    with scripted(answers_thrice) as link:
        answers = [ask(link, make_environ()).body for _ in range(3)]

    assert answers == [body] * 3


def test_a_connection_that_the_group_has_closed_costs_no_request():
    def closing(connection):
        connection.sendall(OK)

    with scripted(closing, closing, closing) as link:
        answers = [ask(link, make_environ()).body for _ in range(3)]

    assert answers == [b"ok"] * 3


def test_a_request_that_a_closed_connection_has_swallowed_is_not_sent_again():
    def answers_once(connection):
        connection.sendall(OK)
        # The second request is read, and the process gone.
        assert connection.recv(65536)

    with scripted(answers_once) as link:
        ask(link, make_environ())
        with pytest.raises(DaemonError) as caught:
            ask(link, make_environ())

    assert caught.value.status == 500


def test_the_rest_of_a_body_is_nobody_elses_request():
    def application(environ, start_response):
        read = environ["wsgi.input"].read(3)
        start_response("200 OK", [("Content-Length", "3")])
        return [read]

    with place(application, threads=1) as at:
        answers = [post(at, b"abc" + b"x" * 299_997).body for _ in range(5)]

    assert answers == [b"abc"] * 5


def test_the_body_cannot_be_read_after_the_response():
    errors = []

    class Late(Body):
        def __init__(self, body):
            self.body = body

        def close(self):
            try:
                self.body.read()
            except OSError as error:
                errors.append(str(error))

    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return Late(environ["wsgi.input"])

    with place(application, threads=1) as at:
        answers = [post(at, b"x" * 300_000).body for _ in range(3)]

    assert answers == [b"ok"] * 3
    assert set(errors) == {"The response is complete: the request's body can be read no more."}


def test_a_request_has_nothing_of_the_one_before():
    rng = random.Random(7)
    names = [f"HTTP_X_{number}" for number in range(8)]
    seen = []

    def application(environ, start_response):
        seen.append({name: environ[name] for name in names if name in environ})
        return hello(environ, start_response)

    sent = [
        {
            name: rng.choice(["", "a", "\xe9", "\u0416"])
            for name in rng.sample(names, rng.randrange(9))
        }
        for _ in range(300)
    ]
    with place(application, threads=1) as at:
        for headers in sent:
            at.get(**headers)

    assert seen == sent


def test_what_travels_makes_the_same_environ():
    rng = random.Random(3)
    known: dict[str, object] = {}
    before: dict[str, str] = {}
    for _ in range(2000):
        texts = {
            rng.choice("ABCDEFGHIJ"): rng.choice(["", "x", "\xff", "\u0416\udc80"])
            for _ in range(rng.randrange(8))
        }
        objects = {rng.choice("HIJKL"): rng.choice([None, 1, b"x"]) for _ in range(2)}
        packet = encode_request({**texts, **objects}, before, 1, 0.0, 0, TOKEN)
        _, encoding, _, gone, *_ = decode_request(packet)
        update_environ(known, encoding, gone, packet[REQUEST.size :])
        expected = {name: text for name, text in texts.items() if name not in objects}

        assert (known, before) == (expected, expected)


@pytest.mark.parametrize(
    ("gone", "data"),
    [
        pytest.param(0, b"a", id="a name without a value"),
        pytest.param(2, b"a", id="fewer names than are gone"),
        pytest.param(1, b"a", id="a name that was not there"),
        pytest.param(0, b"a\0b\0c", id="an odd number"),
    ],
)
def test_an_environ_that_makes_no_sense_is_refused(gone, data):
    with pytest.raises(ProtocolError):
        update_environ({}, b"L", gone, data)


def test_so_many_connections_are_kept_at_most():
    with place(hello, threads=4) as at:
        at.get()
        before = descriptors()
        fronts = [other_front(at) for _ in range(MOST_KEPT + 40)]
        for front in fronts:
            front.get()
        left = descriptors() - before
        for front in fronts:
            front.link.kept.clear()

    assert left <= 2 * MOST_KEPT


def test_a_child_process_does_not_use_its_parents_connections():
    with place(hello) as at:
        at.get()
        at.get()
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            os.write(write, b"none" if at.link.kept.take() is None else b"some")
            os._exit(0)
        os.waitpid(pid, 0)
        said = os.read(read, 10)
        after = at.get().body
        os.close(read)
        os.close(write)

    assert (said, after) == (b"none", b"ok")


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ConnectionRefusedError("no database"), id="a connection refused"),
        pytest.param(BrokenPipeError("no cache"), id="a broken pipe"),
        pytest.param(TimeoutError("no answer"), id="a timeout"),
        pytest.param(EOFError("no more"), id="an end of file"),
    ],
)
def test_an_applications_own_trouble_with_sockets_is_its_own(error, caplog):
    def application(environ, start_response):
        raise error

    with place(application) as at, pytest.raises(DaemonError) as caught:
        at.get(target="/x")

    assert caught.value.status == 500
    assert str(caught.value) == f"{type(error).__name__} in the application"
    [record] = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert record.getMessage() == "Error in GET /x"
    assert record.exc_info[1] is error
