"""
What a front makes of any reply, and a group of any request: an answer or a documented error.

``python -m tests.fuzz.relay --cases 50000 --seed 1`` exits with 1 and prints the case where
anything else happens: another exception, a response whose end is not clear, a request of another
than the front that runs something, a descriptor left open, a thread gone.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from django_wsgimatch.daemon.front.link import Link
from django_wsgimatch.daemon.wire.protocol import (
    AGAIN,
    AT_ONCE,
    DATA,
    END,
    ERROR,
    FILE,
    FRAME,
    HEAD,
    HINTS,
    KEPT,
    LAST,
    PULL,
    PULLED,
    READY,
    READY_FRAME,
    REFUSED,
    TOKEN_SIZE,
    encode_request,
    frame,
)
from django_wsgimatch.exceptions import DaemonError
from tests.fuzz.command_line import run_fuzzers
from tests.support.relayed import TOKEN, ask, descriptors, folder, place, settled
from tests.support.wsgi import Answer, make_environ

GOOD_HEAD = b"200 OK\nContent-Type:text/plain\nX-A:b"
# Heads that say something of where the response ends, mostly a lie.
LENGTHS = [b"", b"\nContent-Length:0", b"\nContent-Length:%d", b"\ncontent-length:%d"]
FRAMING = [
    *(*LENGTHS, b"\nContent-Length:5", b"\nContent-Length:-5", b"\nContent-Length:+5"),
    *(b"\nContent-Length:5,5", b"\nContent-Length:", b"\nContent-Length:99999999999999999999"),
    *(b"\nTransfer-Encoding:chunked", b"\nConnection:close", b"\nUpgrade:websocket"),
]
STATUSES = [b"200 OK", b"204 No Content", b"304 Not Modified", b"500 X", b"599", b"101 X", b"999 X"]
METHODS = ["GET", "HEAD", "POST"]
KINDS = [HEAD, DATA, LAST, END, HINTS, FILE, PULL, ERROR, AGAIN, READY, REFUSED, 0, 77, 255]
KINDS += [LAST | KEPT, END | KEPT, LAST | KEPT | AT_ONCE, END | AT_ONCE]


def random_reply(rng: random.Random) -> tuple[bytes, list[int]]:
    """Some bytes, and descriptors to send with the first of them."""
    kind = rng.randrange(8)
    if kind == 0:
        data = rng.randbytes(rng.randrange(200))
    elif kind == 1:
        data = b"".join(random_frame(rng) for _ in range(rng.randrange(1, 6)))
    else:
        data = good_reply(rng)
    if kind in (2, 3) and data:
        data = mutated(rng, data)
    if kind == 4:
        data = data[: rng.randrange(len(data) + 1)]
    if kind == 5:
        data = (
            FRAME.pack(rng.choice(KINDS), rng.choice([0, 1, 1 << 20, 1 << 31, 0xFFFFFFFF])) + data
        )
    return data, random_descriptors(rng)


def random_frame(rng: random.Random) -> bytes:
    data = rng.choice(
        [b"", GOOD_HEAD, b"500\nno", b"\nLink:</x>", rng.randbytes(rng.randrange(40))]
    )
    return frame(rng.choice(KINDS), data)


def good_reply(rng: random.Random) -> bytes:
    body = rng.randbytes(rng.randrange(2000))
    hints = frame(HINTS, b"\nLink:</x.css>; rel=preload") if rng.random() < 0.3 else b""
    kept, ready = rng.choice([(0, b""), (KEPT, b""), (KEPT, READY_FRAME), (KEPT | AT_ONCE, b"")])
    head = frame(HEAD, GOOD_HEAD if rng.random() < 0.5 else random_head(rng, len(body)))
    if rng.random() < 0.5:
        return hints + head + frame(LAST | kept, body) + ready
    return hints + head + frame(DATA, body) + frame(END | kept) + ready


def random_head(rng: random.Random, length: int) -> bytes:
    """A head of a response with a body of so many bytes, that may say otherwise."""
    told = b"".join(rng.choices(rng.choice([LENGTHS, FRAMING]), k=rng.randrange(3)))
    return rng.choice(STATUSES) + told.replace(b"%d", b"%d" % length)


def mutated(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def random_descriptors(rng: random.Random) -> list[int]:
    if rng.random() < 0.8:
        return []
    read, write = os.pipe()
    found = [read, write, os.open("/", os.O_RDONLY), os.open(__file__, os.O_RDONLY)]
    rng.shuffle(found)
    count = rng.randrange(1, 3)
    for descriptor in found[count:]:
        os.close(descriptor)
    return found[:count]


def lie(connection: socket.socket, data: bytes, found: list[int]) -> bool:
    """Send a reply; return whether the front may take the connection for one that is kept."""
    try:
        if found:
            socket.send_fds(connection, [data or b"x"], found)
        else:
            connection.sendall(data)
    finally:
        for descriptor in found:
            os.close(descriptor)
    return data.endswith(READY_FRAME) or bytes([LAST | KEPT | AT_ONCE]) in data


@contextmanager
def liar(replies: Iterator[tuple[bytes, list[int]]]) -> Iterator[Link]:
    """A group whose process sends whatever it likes."""
    with folder() as path, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path / "s"))
        listener.listen(100)
        listener.settimeout(0.2)
        done = threading.Event()

        def run() -> None:
            while not done.is_set():
                try:
                    connection = listener.accept()[0]
                except TimeoutError:
                    continue
                with connection, suppress(OSError):
                    connection.settimeout(5)
                    # The front may ask again where it has been told so.
                    while connection.recv(65536) and lie(connection, *next(replies)):
                        connection.settimeout(0.05)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        # A request that is to be sent again ends here: has_reached says that it may have run.
        yield Link(str(path / "s"), lambda: TOKEN, lambda request_id: True, connect_timeout=0.01)
        done.set()
        thread.join()


def check_answer(answer: Answer, method: str) -> None:
    """Raise AssertionError where a client could see the end of a response elsewhere."""
    names = [name.lower() for name, _ in answer.headers]
    lengths = [value for name, value in answer.headers if name.lower() == "content-length"]
    assert 200 <= answer.code < 600
    assert not {"transfer-encoding", "connection", "upgrade"} & {*names}
    assert len(lengths) <= 1
    if method == "HEAD" or answer.code in (204, 304):
        assert answer.body == b""
    elif lengths:
        assert len(answer.body) == int(lengths[0])


def fuzz_front(cases: int, seed: int) -> Counter[str]:
    """Let a front read random replies. Raises AssertionError with the case that went wrong."""
    rng = random.Random(seed)
    outcomes: Counter[str] = Counter()
    sent: list[tuple[bytes, list[int]]] = []

    def replies() -> Iterator[tuple[bytes, list[int]]]:
        while True:
            sent.append(random_reply(rng))
            yield sent[-1]

    with liar(replies()) as link:
        before = descriptors()
        for number in range(cases):
            method = rng.choice(METHODS)
            try:
                check_answer(ask(link, make_environ("/x", method=method)), method)
                outcomes["answered"] += 1
            except DaemonError as error:
                outcomes[str(error.status)] += 1
            except Exception as error:
                raise AssertionError(f"case {number}: {error!r} after {sent[-1]!r}") from error
            if len(sent) > 10:
                del sent[:-3]
        link.kept.clear()
        assert settled(before + 2), f"{descriptors() - before} descriptors are left open"
    return outcomes


def random_request(rng: random.Random, token: bytes) -> bytes:
    """The bytes of a request, mostly broken."""
    environ = make_environ("/x", headers={"A": "b" * rng.randrange(50)})
    body = rng.choice([None, b"", rng.randbytes(rng.randrange(500))])
    length = PULLED if body is None else len(body)
    keep = rng.random() < 0.5
    number = rng.getrandbits(64)
    data = encode_request(*(environ, {}, number, time.monotonic(), length, token), may_keep=keep)
    data += body or b""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(rng.randrange(300))
    if kind == 1:
        return mutated(rng, data)
    if kind == 2:
        return data[: rng.randrange(len(data))]
    return data


def random_token(rng: random.Random) -> bytes:
    """The place's token, or one that is not."""
    kind = rng.randrange(6)
    if kind == 0:
        return bytes(TOKEN_SIZE)
    if kind == 1:
        return rng.randbytes(TOKEN_SIZE)
    return mutated(rng, TOKEN) if kind == 2 else TOKEN


def fuzz_group(cases: int, seed: int) -> Counter[str]:
    """Send a group random requests. Raises AssertionError where it answers no more."""
    rng = random.Random(seed)
    outcomes: Counter[str] = Counter()
    runs = 0

    def application(environ: object, start_response: Callable[..., object]) -> list[bytes]:
        nonlocal runs
        runs += 1
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    with place(application) as at:
        before = descriptors()
        for number in range(cases):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(at.link.path)
                token, before_it = random_token(rng), runs
                with suppress(OSError):
                    connection.sendall(random_request(rng, token))
                    connection.shutdown(socket.SHUT_WR)
                    first = connection.recv(5)
                    outcomes[str(first[:1])] += 1
                if token != TOKEN:
                    outcomes["another token"] += 1
                    assert runs == before_it, f"case {number} has run the application"
            if number % 1000 == 0:
                assert at.get(target="/x").body == b"ok", f"no answer after case {number}"
        assert at.get(target="/x").body == b"ok"
        at.link.kept.clear()
        assert settled(before + 2), f"{descriptors() - before} descriptors are left open"
    return outcomes


def main(argv: Sequence[str] | None = None) -> int:
    logging.disable()
    return run_fuzzers(__doc__, {"front": fuzz_front, "group": fuzz_group}, argv)


if __name__ == "__main__":
    raise SystemExit(main())
