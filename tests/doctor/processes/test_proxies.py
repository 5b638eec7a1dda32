"""Whom the settings trust, beside what gunicorn's settings say."""

from __future__ import annotations

from typing import Any

import pytest

from django_wsgimatch.doctor.processes.proxies import peer_findings, trust_findings
from django_wsgimatch.doctor.processes.serving import gunicorn_settings

USUAL = ["X-Forwarded-For", "X-Forwarded-Proto"]


def values(
    proxies: tuple[object, ...] = (), headers: object = (), variables: object = None
) -> dict[str, Any]:
    return {
        "TRUSTED_PROXIES": [*proxies],
        "TRUSTED_PROXY_HEADERS": headers,
        "TRUSTED_PROXY_VARIABLES": variables or {},
    }


@pytest.mark.parametrize(
    ("network", "part"),
    [
        pytest.param("0.0.0.0/0", "all", id="everything"),
        pytest.param("::/0", "all", id="everything of IPv6"),
        pytest.param("20.0.0.0/8", "1/256", id="a public /8"),
        pytest.param("10.0.0.0/7", "1/128", id="more than a private network"),
        pytest.param("2400::/12", "1/4096", id="a registry's network"),
    ],
)
def test_network_that_is_too_wide(network, part):
    [finding] = trust_findings(values((network,), USUAL))

    assert (finding.id, finding.where) == ("W071", "WSGIMATCH_TRUSTED_PROXIES")
    assert finding.message == (
        f"{network!r} holds {part} of the internet. Each of them can say who asks, and how."
    )


@pytest.mark.parametrize(
    "network",
    [
        *("unix", "10.0.0.0/8", "172.16.0.0/12", "127.0.0.0/8", "fd00::/8", "100.64.0.0/10"),
        # The widest of Cloudflare's and of Amazon's CloudFront.
        *("104.16.0.0/13", "2a06:98c0::/29", "52.82.128.0/19", "192.0.2.7"),
    ],
)
def test_network_that_may_be(network):
    assert list(trust_findings(values((network,), USUAL))) == []


def test_what_is_no_network_is_not_for_this_check():
    assert list(trust_findings(values(("*", 7, None), USUAL))) == []


def test_without_settings_there_is_nothing_to_say():
    assert list(trust_findings(values())) == []
    assert list(peer_findings(values(), {})) == []


@pytest.mark.parametrize(
    ("given", "id"),
    [
        pytest.param(values((), USUAL), "W072", id="no proxy"),
        pytest.param(values((), (), {"REMOTE_USER": "X-User"}), "W072", id="a variable, no proxy"),
        pytest.param(values(("unix",)), "W073", id="no header"),
        pytest.param(values(("unix",), ["X-Real-IP", *USUAL]), "W074", id="two clients"),
        pytest.param(values(("unix",), ["Forwarded", "x-forwarded-host"]), "W074", id="two hosts"),
    ],
)
def test_one_half_is_missing_or_too_much(given, id):
    assert [finding.id for finding in trust_findings(given)] == [id]


@pytest.mark.parametrize(
    "given",
    [
        values(("unix",), USUAL),
        values(("unix",), ["Forwarded", "X-Forwarded-Prefix", "X-Forwarded-Port"]),
        values(("unix",), (), {"REMOTE_USER": "X-User"}),
        values(("unix",), [*USUAL, "nonsense", 7]),
    ],
)
def test_sound_settings_stay_in_peace(given):
    assert list(trust_findings(given)) == []


def ids(directory, given, configuration="", **environ: str) -> list[str]:
    (directory / "gunicorn.conf.py").write_text(configuration)
    return [f.id for f in peer_findings(given, gunicorn_settings(str(directory), environ))]


@pytest.mark.parametrize(
    ("configuration", "environ"),
    [
        pytest.param('bind = "unix:/run/a.sock"', {}, id="a file"),
        pytest.param('bind = ["127.0.0.1:8000", "unix:/run/a.sock"]', {}, id="a list"),
        pytest.param("", {"GUNICORN_CMD_ARGS": "-b unix:/run/a.sock"}, id="the environment"),
    ],
)
@pytest.mark.parametrize(
    ("given", "is_found"),
    [
        pytest.param(values(), True, id="nobody is trusted"),
        pytest.param(values(("10.0.0.1",), USUAL), True, id="others are trusted"),
        pytest.param(values(("unix",), ["X-Forwarded-Proto"]), True, id="no client"),
        pytest.param(values(("unix",), ["X-Real-IP"]), False, id="the client"),
        pytest.param(values(("unix",), ["Forwarded"]), False, id="the client in another header"),
    ],
)
def test_unix_socket_at_which_clients_have_no_address(
    tmp_path, configuration, environ, given, is_found
):
    assert ("W070" in ids(tmp_path, given, configuration, **environ)) is is_found


@pytest.mark.parametrize(
    "configuration", ["", 'bind = "127.0.0.1:8000"', "bind = name()", "bind = []"]
)
def test_other_addresses_stay_in_peace(tmp_path, configuration):
    assert ids(tmp_path, values(), configuration) == []


@pytest.mark.parametrize(
    ("allowed", "is_found"),
    [
        pytest.param("*", True, id="anybody"),
        pytest.param("0.0.0.0/0", True, id="any network"),
        pytest.param("10.0.0.2,10.0.0.9", True, id="another one"),
        pytest.param("192.0.2.0/24", True, id="another network"),
        pytest.param("127.0.0.1,10.0.0.2", False, id="the same, and this machine"),
        pytest.param("::1", False, id="this machine"),
        pytest.param("", False, id="nobody"),
    ],
)
def test_gunicorn_that_believes_others(tmp_path, allowed, is_found):
    configuration = f"forwarded_allow_ips = {allowed!r}"
    given = values(("10.0.0.2",), ["X-Forwarded-For"])

    assert ids(tmp_path, given, configuration) == (["W075"] if is_found else [])
    # Where a header of the scheme is named here, gunicorn does not decide.
    assert ids(tmp_path, values(("10.0.0.2",), USUAL), configuration) == []


def test_dangerous_headers_matter_where_headers_are_trusted(tmp_path):
    configuration = 'header_map = "dangerous"'

    assert ids(tmp_path, values(("10.0.0.2",), USUAL), configuration) == ["W076"]
    assert ids(tmp_path, values(), configuration) == []
