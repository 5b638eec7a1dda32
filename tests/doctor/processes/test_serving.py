"""What is written down of how the server is started: its own prefix, and its patience."""

from __future__ import annotations

import pytest

from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.doctor.processes.serving import (
    forwarding_findings,
    mount_findings,
    patience_findings,
)

SLOW = GroupOptions(request_timeout=2400)


@pytest.mark.parametrize(
    ("prefix", "message", "hint"),
    [
        pytest.param(
            "/shop/",
            "the environment has '/shop/', which ends in a slash: a server started with it "
            "removes it from '/shop/x' and leaves 'x'. Every URL answers 404, or 500 under "
            "gunicorn.",
            "export SCRIPT_NAME=/shop",
            id="a slash at the end",
        ),
        pytest.param(
            "/",
            "the environment has '/', which ends in a slash: a server started with it removes it "
            "from '/x' and leaves 'x'. Every URL answers 404, or 500 under gunicorn.",
            "unset SCRIPT_NAME",
            id="a slash alone",
        ),
        pytest.param(
            "shop",
            "the environment has 'shop', which does not begin with a slash: a server started with "
            "it removes it from '/shop/x' and leaves '/shop/x'. Every URL answers 404, or 500 "
            "under gunicorn.",
            "export SCRIPT_NAME=/shop",
            id="no slash",
        ),
    ],
)
def test_a_prefix_that_no_url_has(prefix, message, hint):
    [finding] = mount_findings({"SCRIPT_NAME": prefix})

    assert (finding.id, finding.message, finding.hint) == ("W060", message, hint)


@pytest.mark.parametrize("environ", [{}, {"SCRIPT_NAME": ""}, {"SCRIPT_NAME": "/shop"}])
def test_a_prefix_that_is_one(environ):
    assert list(mount_findings(environ)) == []


def said(directory, options=SLOW, configuration="", arguments=""):
    (directory / "gunicorn.conf.py").write_text(configuration)
    environ = {"GUNICORN_CMD_ARGS": arguments} if arguments else {}
    found = patience_findings({"blog": options}, str(directory), environ)
    return [finding.message.partition(": gunicorn's class")[0] for finding in found]


@pytest.mark.parametrize(
    ("configuration", "arguments", "waits"),
    [
        pytest.param("", "", "30 s (gunicorn's default)", id="nothing written down"),
        pytest.param("timeout = 60\n", "", "60 s (gunicorn.conf.py)", id="a longer time"),
        pytest.param(
            "", "-k sync --timeout 90", "90 s (GUNICORN_CMD_ARGS)", id="in the environment"
        ),
        pytest.param("threads = 1\n", "", "30 s (gunicorn's default)", id="one thread"),
        pytest.param("workers = 4\n", "", "30 s (gunicorn's default)", id="several workers"),
    ],
)
def test_a_group_that_may_take_longer_than_the_server_waits(
    tmp_path, configuration, arguments, waits
):
    assert said(tmp_path, SLOW, configuration, arguments) == [
        f"request_timeout is 2400 s, and the timeout of the server's workers is {waits}"
    ]


@pytest.mark.parametrize(
    ("configuration", "arguments"),
    [
        pytest.param("threads = 8\n", "", id="threads"),
        pytest.param("", "--threads=4", id="threads in the environment"),
        pytest.param("worker_class = 'gthread'\n", "", id="another class"),
        pytest.param("", "-k gevent", id="another class in the environment"),
        pytest.param("timeout = 3600\n", "", id="a server that waits as long"),
        pytest.param("timeout = 0\n", "", id="a server that waits for ever"),
        pytest.param("import os\nthreads = os.cpu_count()\n", "", id="what cannot be told"),
        pytest.param("import os\ntimeout = int(os.environ['T'])\n", "", id="a time from elsewhere"),
    ],
)
def test_a_server_that_waits(tmp_path, configuration, arguments):
    assert said(tmp_path, SLOW, configuration, arguments) == []


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(GroupOptions(), id="no limit given"),
        pytest.param(GroupOptions(request_timeout=20), id="a shorter limit"),
        pytest.param(GroupOptions(queue_timeout=300), id="a limit of another kind"),
    ],
)
def test_a_group_without_long_requests(tmp_path, options):
    assert said(tmp_path, options) == []


def test_the_longest_limit_is_named(tmp_path):
    options = GroupOptions(request_timeout=45, socket_timeout=120)

    [message] = said(tmp_path, options)

    assert message.startswith("socket_timeout is 120 s")


OPEN = 'forwarded_allow_ips = "*"\n'


def where(tmp_path, configuration="", **environ):
    if configuration:
        (tmp_path / "gunicorn.conf.py").write_text(configuration)
    return [finding.where for finding in forwarding_findings(str(tmp_path), environ)]


@pytest.mark.parametrize(
    ("configuration", "environ"),
    [
        pytest.param("", {}, id="nothing is known"),
        pytest.param("workers = 2\n", {}, id="defaults"),
        pytest.param('forwarded_allow_ips = "10.0.0.1"\n', {}, id="the front alone"),
        pytest.param(OPEN + 'forwarder_headers = ""\n', {}, id="no such header"),
        pytest.param(OPEN + 'forwarder_headers = "REMOTE_USER"\n', {}, id="another header"),
        pytest.param(
            OPEN + "forwarder_headers = headers()\n", {}, id="headers that are worked out"
        ),
        pytest.param("forwarded_allow_ips = addresses()\n", {}, id="addresses worked out"),
        pytest.param(OPEN, {"GUNICORN_CMD_ARGS": "--forwarder-headers ''"}, id="overruled"),
        pytest.param("", {"GUNICORN_CMD_ARGS": "--header-map"}, id="arguments without a value"),
        pytest.param("", {"GUNICORN_CMD_ARGS": "'"}, id="arguments that cannot be read"),
        pytest.param("", {"GUNICORN_CMD_ARGS": "-c none.py"}, id="a file that is not there"),
        pytest.param(OPEN + "def", {}, id="no Python"),
        pytest.param("", {"FORWARDED_ALLOW_IPS": "127.0.0.1"}, id="this machine"),
    ],
)
def test_nothing_to_say(tmp_path, configuration, environ):
    assert where(tmp_path, configuration, **environ) == []


@pytest.mark.parametrize(
    ("configuration", "environ", "expected"),
    [
        pytest.param(OPEN, {}, "gunicorn.conf.py", id="everybody is trusted"),
        pytest.param(
            'forwarded_allow_ips = "10.0.0.1, 0.0.0.0/0"\n', {}, "gunicorn.conf.py", id="a network"
        ),
        pytest.param('header_map = "dangerous"\n', {}, "gunicorn.conf.py", id="all headers"),
        pytest.param(OPEN + 'forwarder_headers = "*"\n', {}, "gunicorn.conf.py", id="any header"),
        pytest.param(
            "",
            {"GUNICORN_CMD_ARGS": "-w 2 --forwarded-allow-ips='*'"},
            "GUNICORN_CMD_ARGS",
            id="arguments",
        ),
        pytest.param("", {"FORWARDED_ALLOW_IPS": "*"}, "FORWARDED_ALLOW_IPS", id="a variable"),
        pytest.param(
            OPEN, {"GUNICORN_CMD_ARGS": "-c file:gunicorn.conf.py"}, "gunicorn.conf.py", id="named"
        ),
    ],
)
def test_everybody_may_send_script_name(tmp_path, configuration, environ, expected):
    assert where(tmp_path, configuration, **environ) == [expected]
