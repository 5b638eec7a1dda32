from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from django_wsgimatch.cli import status as running
from django_wsgimatch.cli.common.terminal import Screen
from django_wsgimatch.cli.status import (
    WIDTHS,
    draw_status,
    duration,
    size,
    status_cells,
    status_lines,
)
from tests.support.commands import run_for
from tests.support.groups import site
from tests.support.statuses import PLACE, STOPPED

SERVERS = [{"server": 8, "pid": 9, "places": [PLACE, STOPPED]}]


def test_status_as_text():
    assert [line.split() for line in status_lines(SERVERS)] == [
        ["server", "8,", "manager", "9"],
        [
            "name",
            "state",
            "processes",
            "threads",
            "python",
            "settings",
            "uptime",
            "requests",
            "memory",
            "restarts",
            "last",
            "error",
        ],
        [
            "blog",
            "running",
            "11,12",
            "1/30",
            "3.13.0",
            "blog.settings",
            "3",
            "min",
            "7",
            "25.0",
            "MiB",
            "2",
            "Error",
            "in",
            "GET",
            "/:\\x1b[2J",
        ],
        ["shop", "stopped", "-", "1/30", "-", "-", "-", "7", "-", "2", "-"],
    ]


def test_status_in_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    stream = io.StringIO()

    draw_status(SERVERS, Screen(stream, no_color=True))

    assert "server 8, manager 9" in stream.getvalue()
    assert "running" in stream.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (1.2, "1 s"), (119, "119 s"), (180, "3 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_duration(seconds, words):
    assert duration(seconds) == words


def test_size():
    assert (size(None), size(3 << 19)) == ("-", "1.5 MiB")


def test_status_without_a_server(settings, tmp_path):
    settings.WSGIMATCH_SOCKET_DIRECTORY = tmp_path

    with pytest.raises(CommandError, match="No running server of this project has process groups"):
        call_command("wsgimatch", "status")


@pytest.mark.parametrize(
    ("bases", "where"),
    [
        pytest.param([], "no folder of sockets is there", id="none"),
        pytest.param(["/run/a"], "none has its folder in '/run/a'", id="one"),
        pytest.param(["/run/a", "/b"], "none has its folder in '/run/a', '/b'", id="two"),
    ],
)
@pytest.mark.parametrize("words", [["status"], ["drain", "on"]], ids=["status", "drain"])
def test_where_no_server_was_found(monkeypatch, settings, words, bases, where):
    settings.WSGIMATCH_HEALTH_PATH = "/-/wsgimatch/"
    for module in ("common.running_servers", "drain"):
        monkeypatch.setattr(
            f"django_wsgimatch.cli.{module}.socket_directories", lambda configured: bases
        )

    with pytest.raises(CommandError, match=f": {where}. Ask as the user that the server runs as"):
        call_command("wsgimatch", *words)


def test_commands_ask_the_running_server(tmp_path):
    with site(tmp_path) as at:
        at.told("/blog")
        typed = manage(at.project, "status", "--json")
        said = {
            words: run_for(at.project, *words.split())[0]
            for words in ("status", "restart blog", "stop other")
        }
        with pytest.raises(CommandError) as refused:
            run_for(at.project, "stop", "nobody")

    [server] = json.loads(typed)
    assert [place["name"] for place in server["places"]] == ["blog", "other"]
    assert "blog" in said["status"]
    assert said["restart blog"] == "Restarting blog.\n"
    assert said["stop other"] == "Stopping other.\n"
    assert str(refused.value) == (
        "There is no process group or application group 'nobody': blog, other."
    )


def manage(project, *words: str) -> str:
    """What a command of a project's prints."""
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-m", "django", "wsgimatch", *words],
        cwd=project,
        env=environ | {"PYTHONPATH": os.pathsep.join([os.getcwd(), str(project)])},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


HOSTILE = [
    pytest.param("\x1b]0;PWNED\x07\x1b[2J3.11", r"\x1b]0;PWNED\x07\...", id="escapes"),
    pytest.param("3.11\nFAKE  running", r"3.11\nFAKE  running", id="a line of its own"),
    pytest.param("\x9b31m\u202e11.3", r"\x9b31m\u202e11.3", id="C1 and bidirectional controls"),
    pytest.param("\udc80", r"\udc80", id="a lone surrogate"),
    pytest.param("x" * 8000, "x" * 17 + "...", id="8,000 characters"),
    pytest.param({"a": 1}, "?", id="an object"),
    pytest.param([None], "?", id="a list"),
    pytest.param(1.5, "?", id="a number"),
    pytest.param("", "-", id="nothing"),
]


@pytest.mark.parametrize(("said", "cell"), HOSTILE)
def test_what_a_group_says_of_itself_is_shown_as_text(said, cell):
    hostile = {**PLACE, "python": said, "settings": said, "error": said, "error_time": said}

    cells = status_cells(hostile)

    assert cells[4] == cell


@pytest.mark.parametrize("said", [each.values[0] for each in HOSTILE])
@pytest.mark.parametrize("key", [key for key in PLACE if key != "processes"])
def test_no_value_stops_status_or_breaks_a_row(monkeypatch, key, said):
    monkeypatch.setenv("COLUMNS", "300")
    servers = [{"server": 8, "pid": 9, "places": [{**PLACE, key: said}, STOPPED]}]
    stream = io.StringIO()

    lines = list(status_lines(servers))
    draw_status(servers, Screen(stream, no_color=True))

    assert len(lines) == 4
    assert all(line.isprintable() and line.encode() for line in lines)
    assert max(map(len, lines)) <= sum(WIDTHS) + 2 * len(WIDTHS)
    assert stream.getvalue().replace("\n", "").isprintable()


@pytest.mark.parametrize("seconds", ["1", [], {}, True, float("nan"), float("inf"), 10**400])
def test_what_is_no_time_and_no_size(seconds):
    assert (duration(seconds), size(seconds)) == ("?", "?")


def test_a_title_is_no_markup():
    stream = io.StringIO()

    draw_status(
        [{"server": "[link=x]8[/link]\x1b[2J", "pid": 9, "places": []}],
        Screen(stream, no_color=True),
    )

    assert r"server [link=x]8[/link]\x1b[2J, manager 9" in stream.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("words", ["status", "status --json"])
def test_no_encoding_stops_status(monkeypatch, encoding, words):
    hostile = {**PLACE, "settings": "caf\xe9.日本\udc80\x1b"}
    monkeypatch.setattr(
        running, "order_all", lambda *args, **order: [{"server": 8, "pid": 9, "places": [hostile]}]
    )
    stream = io.TextIOWrapper(io.BytesIO(), encoding)

    call_command("wsgimatch", *words.split(), stdout=stream)

    stream.flush()
    assert b"\x1b" not in stream.buffer.getvalue()
    assert "blog" in stream.buffer.getvalue().decode(encoding)


def test_in_a_terminal_of_ascii_boxes_are_drawn_in_ascii(monkeypatch):
    monkeypatch.setattr(
        running, "order_all", lambda *args, **order: [{"server": 8, "pid": 9, "places": [PLACE]}]
    )
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)

    call_command("wsgimatch", "status", stdout=stream)

    stream.flush()
    assert stream.buffer.getvalue().splitlines()[1].startswith(b"+--")
