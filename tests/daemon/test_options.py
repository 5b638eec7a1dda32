from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from django_wsgimatch.daemon.option_values import ANSWERS, read_options
from django_wsgimatch.daemon.options import GroupOptions

# WSGIDaemonProcess's options in mod_wsgi 6.1.1.
MOD_WSGI = [
    "chroot",
    "connect-timeout",
    "cpu-priority",
    "cpu-time-limit",
    "deadlock-timeout",
    "display-name",
    "eviction-timeout",
    "graceful-timeout",
    "group",
    "header-buffer-size",
    "home",
    "inactivity-timeout",
    "interrupt-timeout",
    "lang",
    "listen-backlog",
    "locale",
    "maximum-requests",
    "memory-limit",
    "processes",
    "python-eggs",
    "python-home",
    "python-path",
    "queue-timeout",
    "receive-buffer-size",
    "request-timeout",
    "response-buffer-size",
    "response-flush-delay",
    "response-socket-timeout",
    "restart-interval",
    "script-group",
    "script-user",
    "send-buffer-size",
    "server-metrics",
    "shutdown-timeout",
    "socket-timeout",
    "socket-user",
    "stack-size",
    "startup-timeout",
    "supplementary-groups",
    "switch-interval",
    "threads",
    "umask",
    "user",
    "virtual-memory-limit",
]


def test_every_option_of_mod_wsgi_has_an_answer():
    names = {name.replace("-", "_") for name in MOD_WSGI}

    answered = {name for name, answer in ANSWERS.items() if answer.kind != "beyond"}

    assert answered == names


def test_what_is_not_refused_is_an_option():
    fields = {field.name for field in dataclasses.fields(GroupOptions)}

    assert fields == {name for name, answer in ANSWERS.items() if answer.kind != "refused"}


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        pytest.param("processes", 3, 3, id="a number"),
        pytest.param("request_timeout", 2.5, 2.5, id="part of a second"),
        pytest.param("umask", "027", 0o027, id="a mask as text"),
        pytest.param("umask", 0o027, 0o027, id="a mask as a number"),
        pytest.param("user", 33, "#33", id="a user's number"),
        pytest.param("user", "www-data", "www-data", id="a user's name"),
        pytest.param("home", "blog", "/srv/site/blog", id="a relative path"),
        pytest.param("home", Path("/srv/blog/"), "/srv/blog", id="a path"),
        pytest.param("python_path", "a:/b", ("/srv/site/a", "/b"), id="paths as text"),
        pytest.param("python_path", ["a", Path("/b")], ("/srv/site/a", "/b"), id="a list of paths"),
        pytest.param("supplementary_groups", "a, 7", ("a", "7"), id="groups as text"),
        pytest.param("environment", {"A": "b"}, (("A", "b"),), id="variables"),
        pytest.param("cpu_priority", -5, -5, id="a nice value"),
        pytest.param("lang", None, None, id="left out"),
    ],
)
def test_option(name, given, value):
    options, errors = read_options({name: given}, "/srv/site")

    assert (getattr(options, name), errors) == (value, ())


@pytest.mark.parametrize(
    ("name", "given", "complaint"),
    [
        pytest.param(
            "processes", 0, "processes should be a whole number, 1 or more, not 0", id="0"
        ),
        pytest.param(
            "threads", True, "threads should be a whole number, 1 or more, not True", id="a truth"
        ),
        pytest.param(
            "threads", 1.5, "threads should be a whole number, 1 or more, not 1.5", id="a part"
        ),
        pytest.param(
            "request_timeout",
            "5",
            "request_timeout should be a number of seconds, 0 for no limit, not '5'",
            id="a number as text",
        ),
        pytest.param(
            "umask",
            "9",
            "umask should be a number such as 0o022, or text such as '022', not '9'",
            id="no mask",
        ),
        pytest.param(
            "umask",
            0o1777,
            "umask should be a number such as 0o022, or text such as '022', not 1023",
            id="too large a mask",
        ),
        pytest.param("user", "", "user should be a name or a number, not ''", id="nothing"),
        pytest.param(
            "home",
            "a\0b",
            "home should be a path; a relative one begins in BASE_DIR, not 'a\\x00b'",
            id="a NUL",
        ),
        pytest.param(
            "python_path",
            3,
            "python_path should be a list of paths, or text with : between them, not 3",
            id="no path",
        ),
        pytest.param(
            "supplementary_groups",
            3,
            "supplementary_groups should be a list of names or numbers, not 3",
            id="no groups",
        ),
        pytest.param(
            "environment",
            {"A=": "b"},
            "environment should be a dict of text to text, not {'A=': 'b'}",
            id="no name of a variable",
        ),
        pytest.param(
            "environment",
            {"A": 1},
            "environment should be a dict of text to text, not {'A': 1}",
            id="a number in the environment",
        ),
        pytest.param(
            "environment",
            "A=b",
            "environment should be a dict of text to text, not 'A=b'",
            id="an environment as text",
        ),
        pytest.param(
            "cpu_priority",
            30,
            "cpu_priority should be a whole number from -20 to 19, not 30",
            id="too nice",
        ),
        pytest.param(
            "server_metrics",
            True,
            "server_metrics is refused: there is no scoreboard of Apache's. `manage.py wsgimatch "
            "status` shows what there is to see",
            id="refused",
        ),
        pytest.param(
            "python-home", "/x", "'python-home' is written 'python_home' here", id="mod_wsgi's own"
        ),
        pytest.param(
            "thread",
            1,
            "'thread' is not an option of a process group; did you mean 'threads'?",
            id="misspelt",
        ),
        pytest.param(
            "zzzz",
            1,
            f"'zzzz' is not an option of a process group; there are {', '.join(ANSWERS)}",
            id="unknown",
        ),
    ],
)
def test_mistake(name, given, complaint):
    options, errors = read_options({name: given}, "/srv/site")

    assert ([str(error) for error in errors], options) == ([complaint], GroupOptions())


def test_scripts_have_one_kind_of_owner():
    _, errors = read_options({"script_user": "blog", "script_group": "blog"}, "/")

    assert [str(error) for error in errors] == [
        "only one of script_user and script_group may be given"
    ]


def test_all_mistakes_are_told():
    _, errors = read_options({"threads": 0, "zz": 1, "processes": -1}, "/")

    assert len(errors) == 3


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        pytest.param({}, "blog.settings", id="in the environment alone"),
        pytest.param({"settings": "shop.settings"}, "shop.settings", id="the option beats it"),
    ],
)
def test_settings_of_the_environment_are_the_group_s(given, settings):
    """A script that asks for others would get these without a word."""
    environment = {"DJANGO_SETTINGS_MODULE": "blog.settings"}

    options, errors = read_options({"environment": environment, **given}, "/")

    assert (options.settings, errors) == (settings, ())


@pytest.mark.parametrize(
    ("options", "socket"),
    [
        pytest.param({"address": "unix:/run/x.sock"}, "/run/x.sock", id="a path"),
        pytest.param({"address": "unix:///run/x.sock"}, "/run/x.sock", id="as a URL"),
        pytest.param({"address": "unix:x.sock"}, "/srv/x.sock", id="a path below BASE_DIR"),
        pytest.param(
            {"address": "unix:/run/x.sock", "socket": "/run/x.sock"}, "/run/x.sock", id="twice"
        ),
    ],
)
def test_an_address_is_a_socket(options, socket):
    assert read_options(options, "/srv") == (GroupOptions(socket=socket), ())


@pytest.mark.parametrize(
    "address",
    [
        *("/run/x.sock", "tcp:127.0.0.1:80", "127.0.0.1:80", "unix:", "unix:@x", ":80", 80),
        f"unix:/{'x' * 107}",
    ],
)
def test_an_address_is_a_unix_socket_s(address):
    [error] = read_options({"address": address}, "/srv")[1]

    assert str(error) == (
        "address should be 'unix:' and a path of at most 107 bytes, relative to BASE_DIR or not, "
        f"not {address!r}"
    )


def test_an_address_and_another_socket_are_a_mistake():
    _, errors = read_options({"address": "unix:/a", "socket": "/b"}, "/srv")

    assert [str(error) for error in errors] == ["only one of socket and address may be given"]
