"""Only the server's own requests run anything in a place: others do not know its token."""

from __future__ import annotations

import io
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from django_wsgimatch.daemon import log_limits
from django_wsgimatch.daemon.front.front import token_of
from django_wsgimatch.daemon.group.worker import serving
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.daemon.wire.protocol import (
    HEAD,
    MAGIC,
    REFUSED,
    TOKEN_SIZE,
    encode_request,
    frame,
)
from django_wsgimatch.exceptions import DaemonError, ManagerError
from tests.support.forging import answer_to, directory_of, request, token_at
from tests.support.groups import Site, site
from tests.support.relayed import TOKEN, place
from tests.support.wsgi import make_environ

OTHER = bytes(TOKEN_SIZE)


class Counting:
    """An application that knows how often it has run, and answers with the request's body."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, environ, start_response):
        self.runs += 1
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["wsgi.input"].read()]


def forged(
    token: bytes = OTHER, body: bytes = b"", environ: Mapping[str, str] | None = None
) -> bytes:
    """A request as the front would write it, but for its token."""
    given = {**make_environ(), **(environ or {})}
    return encode_request(given, {}, 1, time.monotonic(), len(body), token) + body


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(forged(), id="another token"),
        pytest.param(forged(TOKEN[:-1] + b"\xff"), id="a token that is wrong in its last byte"),
        pytest.param(forged(body=b"x" * 60_000), id="another token before a long body"),
        pytest.param(forged() + forged(TOKEN), id="another token, and the right one behind it"),
    ],
)
def test_a_request_without_the_token_runs_nothing_and_is_told_so(request_bytes):
    application = Counting()

    with place(application) as at:
        said = answer_to(at.link.path, request_bytes)
        runs = application.runs
        well = at.get().status

    assert (said, runs, well) == (frame(REFUSED), 0, "200 OK")


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(forged(TOKEN).replace(MAGIC, b"WM2", 1), id="of the version before"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n" + bytes(60), id="HTTP"),
    ],
)
def test_what_is_no_request_runs_nothing(request_bytes):
    application = Counting()

    with place(application) as at:
        said = answer_to(at.link.path, request_bytes)

    assert (said[5:8], application.runs) == (b"400", 0)


def test_the_right_token_runs_the_application():
    application = Counting()

    with place(application) as at:
        said = answer_to(at.link.path, forged(TOKEN))

    assert (said[:1], application.runs) == (bytes([HEAD]), 1)


def test_refusals_are_logged_seldom(caplog, monkeypatch):
    monkeypatch.setattr(serving._wrong_token, "_not_before", 0.0)

    with caplog.at_level(logging.WARNING), place(Counting()) as at:
        for _ in range(20):
            answer_to(at.link.path, forged())

    [record] = caplog.records
    expected = f"Refused a request of user {os.geteuid()} that does not carry this place's token."
    assert record.getMessage().startswith(expected)


def test_a_warning_says_how_many_were_left_out(caplog, monkeypatch):
    now = iter([100.0, 101.0, 102.0, 111.0])
    monkeypatch.setattr("django_wsgimatch.daemon.log_limits.time.monotonic", lambda: next(now))
    warning = log_limits.SeldomWarning(logging.getLogger("django_wsgimatch"), "No %s.")

    for word in ("one", "two", "three", "four"):
        warning.warn(word)

    told = [record.getMessage() for record in caplog.records]
    assert told == ["No one.", "No four. (2 more before this one)"]


def renewing(application: Any, token: bytes, **link: Any) -> Any:
    """A place whose token the front has not heard of yet; the manager would tell it."""
    asked: list[None] = []

    def wake() -> bytes:
        asked.append(None)
        return OTHER if len(asked) == 1 else token

    return place(application, token=token, wake=wake, **link), asked


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({}, id="without a body"),
        pytest.param({"CONTENT_LENGTH": "5"}, id="with a short body"),
        pytest.param({"CONTENT_LENGTH": "300000"}, id="with a long body"),
    ],
)
def test_a_front_with_an_old_token_asks_for_the_new_one_and_loses_no_request(sent):
    length = int(sent.get("CONTENT_LENGTH", 0))
    application = Counting()
    served, asked = renewing(application, TOKEN)

    with served as at:
        given = {"wsgi.input": io.BytesIO(b"x" * length), **sent}
        body = at.get(method="POST", **given).body

    assert (len(body), application.runs, len(asked)) == (length, 1, 2)


def test_kept_connections_to_a_place_with_a_new_token_cost_no_request():
    tokens = [TOKEN]
    application = Counting()

    with place(application, wake=lambda: tokens[-1]) as at:
        at.get()
        at.get()
        # As if its processes had been started by another manager.
        tokens.append(OTHER)
        at.threads.token = OTHER
        statuses = [at.get().status for _ in range(20)]

    assert (statuses, application.runs) == (["200 OK"] * 20, 22)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda board: board.unlink(), id="removed"),
        # The processes have the old file mapped: cut off itself, it would be their end.
        pytest.param(lambda board: replace_by(b"", board), id="empty"),
        pytest.param(lambda board: replace_by(bytes(100), board), id="cut off"),
    ],
)
def test_a_front_with_an_old_token_loses_no_request_where_the_board_tells_nothing(damage):
    application = Counting()
    served, asked = renewing(application, TOKEN)

    with served as at:
        damage(at.path / "b")
        status = at.get().status

    assert (status, application.runs, len(asked)) == ("200 OK", 1, 2)


def replace_by(data, path):
    """Put another file into a file's place."""
    path.unlink()
    path.write_bytes(data)


def test_many_threads_with_an_old_token_lose_no_request():
    application = Counting()
    tokens = [TOKEN]

    with place(application, wake=lambda: tokens[-1]) as at, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: at.get(), range(50)))
        tokens.append(OTHER)
        at.threads.token = OTHER
        statuses = {each.status for each in pool.map(lambda _: at.get(), range(200))}

    assert (statuses, application.runs) == ({"200 OK"}, 250)


def test_a_place_that_refuses_everything_is_503_and_the_manager_is_not_asked_all_the_time():
    asked: list[None] = []

    def wake() -> bytes:
        asked.append(None)
        return OTHER

    application = Counting()
    served = place(application, wake=wake, connect_timeout=0.5)
    with served as at, pytest.raises(DaemonError) as caught:
        at.get()

    assert (caught.value.status, application.runs) == (503, 0)
    assert 2 <= len(asked) <= 7


def test_a_manager_that_does_not_tell_the_token_is_503():
    def wake() -> bytes:
        raise DaemonError(503, "no manager")

    with place(Counting(), wake=wake) as at, pytest.raises(DaemonError, match="no manager"):
        at.get()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"socket": "/s"}, id="none"),
        pytest.param({"token": None}, id="null"),
        pytest.param({"token": "zz"}, id="no number"),
        pytest.param({"token": "00ff"}, id="too short"),
        pytest.param({"token": "00" * 17}, id="too long"),
    ],
)
def test_an_answer_without_a_token_is_an_error(answer):
    with pytest.raises(ManagerError, match="does not tell the place's token"):
        token_of(answer)


def test_a_truncated_request_waits_for_its_rest_and_runs_nothing():
    application = Counting()

    with place(application) as at, socket.socket(socket.AF_UNIX) as connection:
        connection.connect(at.link.path)
        connection.sendall(forged(TOKEN)[:20])
        connection.shutdown(socket.SHUT_WR)
        said = connection.recv(1)

    assert (said, application.runs) == (b"", 0)


# A real server: what a process of the same user can do, which is what a group without user is


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("origin"), {"threads": 2}) as at:
        at.told("/blog")
        at.told("/other")
        yield at


def test_a_place_runs_what_carries_its_own_token(served):
    path = directory_of(served).socket(Place("blog", ""))

    said = answer_to(path, request(served, token_at(served, "blog"), "app.wsgi"))

    assert b"200 OK" in said


@pytest.mark.parametrize("of", ["other", None], ids=["another place's token", "a guessed token"])
def test_a_place_refuses_what_carries(served, of):
    before = served.place("blog")["requests"]
    token = token_at(served, of) if of else OTHER
    path = directory_of(served).socket(Place("blog", ""))

    said = answer_to(path, request(served, token, "app.wsgi"))

    assert (said, served.place("blog")["requests"]) == (frame(REFUSED), before)
    served.until(lambda: "does not carry this place's token" in served.log)


def test_each_place_has_a_token_of_its_own(served):
    tokens = {token_at(served, group) for group in ("blog", "other")}

    assert (len(tokens), {len(token) for token in tokens}) == (2, {TOKEN_SIZE})


def test_a_token_stands_in_no_environment_no_command_line_no_status_and_no_file(served):
    tokens = [token_at(served, group) for group in ("blog", "other")]
    texts = [token.hex().encode() for token in tokens] + tokens
    seen = [repr(served.order(do="status")).encode(), served.log.encode()]
    for pid in served.processes():
        for name in ("environ", "cmdline"):
            seen.append(Path(f"/proc/{pid}/{name}").read_bytes())
    for path in [*Path(directory_of(served).path).iterdir(), *served.project.rglob("*")]:
        if path.is_file():
            seen.append(path.read_bytes())

    assert [text for text in texts if any(text in each for each in seen)] == []


def test_hup_leaves_the_tokens(served):
    before = [token_at(served, group) for group in ("blog", "other")]

    served.hup()
    served.until(lambda: served.log.count("Booting worker") > 1)

    assert [token_at(served, group) for group in ("blog", "other")] == before


def test_a_manager_that_is_started_again_costs_no_request_of_fronts_with_its_old_tokens(tmp_path):
    with site(tmp_path, {"inactivity_timeout": 60}) as at:
        first = at.told("/blog")["pid"]
        before = token_at(at, "blog")
        os.kill(at.order(do="status")["pid"], signal.SIGKILL)
        at.until(lambda: not os.path.exists(f"/proc/{first}"))
        statuses = [at.get("/blog").status for _ in range(20)]
        after = token_at(at, "blog")

    assert set(statuses) == {200}
    assert before != after


def test_a_manager_that_does_not_answer_keeps_nobody_from_a_group_that_runs(tmp_path):
    with site(tmp_path, {"connect_timeout": 1}) as at:
        manager = at.order(do="status")["pid"] if at.get("/blog").status == 200 else 0
        os.kill(manager, signal.SIGSTOP)
        try:
            status = at.get("/blog").status
        finally:
            os.kill(manager, signal.SIGCONT)
        after = at.get("/blog").status

    assert (status, after) == (200, 200)
