from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.plans import names
from tests.support.wsgi import get, write_scripts

GROUP = "mod_wsgi.application_group"


@pytest.fixture
def script(tmp_path):
    return str(write_scripts(tmp_path, "x.wsgi"))


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as made:
        yield made


def dispatcher_of(script: str, group: str, **options) -> Dispatcher:
    rules = Rules(application_group=group)
    return Dispatcher(AliasTable([Alias("^/([a-z]+)", script, "match")]), rules=rules, **options)


@pytest.mark.parametrize(
    ("group", "named"),
    [
        pytest.param("%{RESOURCE}", "127.0.0.1:8000|/a", id="by SCRIPT_NAME"),
        pytest.param("%{SERVER}", "127.0.0.1:8000", id="by the server"),
        pytest.param("%{HOST}", "www.example:8000", id="by the host"),
        pytest.param("%{ENV:X}", "blue", id="by a variable"),
        pytest.param("%{ENV:Y}", "www.example:8000", id="by a variable that names another"),
        pytest.param("%{ENV:Z}", "%{ENV:Z}", id="by a variable that is not set"),
    ],
)
def test_names_of_requests_that_are_planned(script, monkeypatch, group, named):
    monkeypatch.delenv("Z", raising=False)
    dispatcher = dispatcher_of(script, group)
    environ = {"HTTP_HOST": "www.example:8000", "X": "blue", "Y": "%{HOST}"}
    get(dispatcher, "/a", **environ)
    monkeypatch.setattr(Dispatcher, "walk", None)

    told = [get(dispatcher, "/a", **environ).told[GROUP] for _ in range(20)]

    assert told == [named] * 20


def test_each_request_has_the_names_of_its_own(script):
    dispatcher = dispatcher_of(script, "%{RESOURCE}")
    targets = ["/a", "/b", "/a", "/c/x", "/b"] * 5

    told = [get(dispatcher, target, HTTP_HOST="h:8000").told[GROUP] for target in targets]

    assert told == [f"127.0.0.1:8000|{target[:2]}" for target in targets]


def test_a_unix_socket_of_gunicorn_s_and_another_are_told_apart(script, connection):
    """The server's name and port are the client's words on the one, and not on the other."""
    dispatcher = dispatcher_of(script, "%{SERVER}")
    environ = {"HTTP_HOST": "evil:81", "SERVER_NAME": "evil", "SERVER_PORT": "81"}

    told = [
        get(dispatcher, "/a", **environ, **more).told[GROUP]
        for more in [{}, {"gunicorn.socket": connection}] * 10
    ]

    assert told == ["evil:81", "localhost"] * 10


def test_names_are_remembered_up_to_a_number(script, monkeypatch):
    monkeypatch.setattr(names, "MOST_NAMES", 10)
    dispatcher = dispatcher_of(script, "%{HOST}")

    codes = {get(dispatcher, "/a", HTTP_HOST=f"h{number}").code for number in range(100)}

    assert codes == {200}
    assert len(dispatcher._planner._names) <= 10
