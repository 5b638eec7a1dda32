from __future__ import annotations

import pytest

from django_wsgimatch.doctor.processes.forwarding import forwarding_findings

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
