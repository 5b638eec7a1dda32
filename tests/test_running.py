from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from django_wsgimatch import terminal
from django_wsgimatch.exceptions import SettingError
from django_wsgimatch.gunicorn_command import arguments
from django_wsgimatch.running import duration, size, status_lines
from tests.groups import site

PLACE: dict[str, Any] = {
    "name": "blog",
    "process_group": "blog",
    "application_group": "",
    "state": "running",
    "pid": 10,
    "processes": [{"pid": 11}, {"pid": 12}],
    "python": "3.13.0",
    "settings": "blog.settings",
    "uptime": 200.0,
    "requests": 7,
    "busy": 1,
    "threads": 30,
    "memory": 25 << 20,
    "restarts": 2,
    "error": "Error in GET /:\x1b[2J",
    "error_time": None,
}
STOPPED = {
    **PLACE,
    "name": "shop",
    "state": "stopped",
    "processes": [],
    "python": None,
    "settings": None,
    "uptime": None,
    "memory": None,
    "error": "",
}
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
            "/:?[2J",
        ],
        ["shop", "stopped", "-", "1/30", "-", "-", "-", "7", "-", "2", "-"],
    ]


def test_status_in_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    stream = io.StringIO()

    terminal.show_status(terminal.console(stream, no_color=True), SERVERS)

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


def test_commands_ask_the_running_server(tmp_path):
    with site(tmp_path) as at:
        at.told("/blog")
        said = {
            words: manage(at.project, *words.split())
            for words in ("status --json", "status", "restart blog", "stop other", "stop nobody")
        }

    [server] = json.loads(said["status --json"])
    assert [place["name"] for place in server["places"]] == ["blog", "other"]
    assert "blog" in said["status"]
    assert said["restart blog"] == "Restarting blog.\n"
    assert said["stop other"] == "Stopping other.\n"
    assert said["stop nobody"] == (
        "CommandError: There is no process group or application group 'nobody': blog, other.\n"
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


@pytest.mark.parametrize(
    ("files", "program"),
    [
        pytest.param(["python", "gunicorn"], ["{bin}/gunicorn"], id="pip's script"),
        pytest.param(["python"], ["-m", "gunicorn"], id="where there is none"),
    ],
)
def test_serve_becomes_gunicorn(tmp_path, monkeypatch, files, program):
    for name in files:
        (tmp_path / name).touch()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    assert arguments(["-w", "4"]) == [
        str(tmp_path / "python"),
        *[word.format(bin=tmp_path) for word in program],
        *("-c", "python:django_wsgimatch.gunicorn", "-w", "4", "django_wsgimatch.wsgi"),
    ]


@pytest.mark.parametrize("word", ["-c", "--config", "--config=x"])
def test_serve_takes_no_configuration(word):
    with pytest.raises(SettingError, match="would stand in place of the configuration"):
        arguments([word])
