"""Trusted proxies of mod_wsgi and of mod_remoteip as settings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.imports import notes_of, section, values_of

ALIAS = "WSGIScriptAlias / /srv/a.wsgi"
PROXIES = "WSGITrustedProxies 127.0.0.1 10.0.0.0/8"
HEADERS = "WSGITrustedProxyHeaders x-forwarded-for X-Forwarded-Proto"
EVERYBODY = (
    "Apache believes everybody here: write into WSGIMATCH_TRUSTED_PROXIES who connects to the "
    "server. Until then nobody is believed"
)
REMOTE = ["RemoteIPHeader X-Forwarded-For", "RemoteIPInternalProxy 10.0.0.1"]


def proxies_of(*lines: str) -> dict[str, Any]:
    """The settings for proxies, without the beginning of their names."""
    start = "WSGIMATCH_TRUSTED_"
    found = values_of(*lines)
    return {n.removeprefix(start): v for n, v in found.items() if n.startswith(start)}


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        pytest.param(
            [PROXIES, HEADERS],
            {
                "PROXIES": ["127.0.0.1", "10.0.0.0/8"],
                "PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
            },
            id="mod_wsgi's",
        ),
        pytest.param(
            [PROXIES, "WSGITrustedProxies ::1", HEADERS],
            {
                "PROXIES": ["127.0.0.1", "10.0.0.0/8", "::1"],
                "PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"],
            },
            id="of several lines",
        ),
        pytest.param(
            [PROXIES, HEADERS, *section("Directory /srv", "WSGITrustedProxies ::1")],
            {"PROXIES": ["::1"], "PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"]},
            id="of a section, which replaces those of the server",
        ),
        pytest.param(
            [HEADERS],
            {"PROXY_HEADERS": ["X-Forwarded-For", "X-Forwarded-Proto"]},
            id="of everybody, whom nobody should believe",
        ),
        pytest.param([PROXIES], {}, id="without headers"),
        pytest.param(
            REMOTE,
            {"PROXIES": ["10.0.0.1"], "PROXY_HEADERS": ["X-Forwarded-For"]},
            id="mod_remoteip's",
        ),
        pytest.param(
            [PROXIES, "WSGITrustedProxyHeaders X-Unheard-Of"], {}, id="with an unknown header"
        ),
        pytest.param(["WSGITrustedProxies proxy.test", HEADERS], {}, id="with a name"),
        pytest.param([PROXIES, HEADERS, *REMOTE], {}, id="of both modules"),
        pytest.param([*REMOTE, "RemoteIPTrustedProxy 10.0.0.2"], {}, id="from outside"),
        pytest.param(["RemoteIPHeader Forwarded", REMOTE[1]], {}, id="with a header for more"),
    ],
)
def test_proxies_that_are_believed(lines, found):
    assert proxies_of(*lines, ALIAS) == found


@pytest.mark.parametrize(
    ("lines", "notes"),
    [
        pytest.param(
            [PROXIES, HEADERS],
            ["kept: WSGIMATCH_TRUSTED_PROXIES", "kept: WSGIMATCH_TRUSTED_PROXY_HEADERS"],
            id="kept",
        ),
        pytest.param(
            REMOTE,
            [
                f"changed: WSGIMATCH_TRUSTED_{name}; headers like it are dropped from others, and "
                "the application still sees those of proxies"
                for name in ("PROXY_HEADERS", "PROXIES")
            ],
            id="other headers",
        ),
        pytest.param(
            [HEADERS],
            [
                f"needs you: {EVERYBODY}",
            ],
            id="everybody",
        ),
        pytest.param(
            [PROXIES], ["not needed: no line names a header that proxies set"], id="no header"
        ),
        pytest.param(
            [*REMOTE, "RemoteIPTrustedProxy 10.0.0.2"],
            [
                (
                    "needs you: the settings have no counterpart for what mod_remoteip does here: "
                    "write them"
                )
            ]
            * 3,
            id="what only mod_remoteip does",
        ),
        pytest.param(
            ["WSGITrustedProxies x.test", "WSGITrustedProxyHeaders X-Forwarded-For"],
            [
                (
                    "needs you: 'x.test' is no address such as '192.0.2.1', no network such as "
                    "'10.0.0.0/8', and not 'unix', which stands for those who connect by a unix "
                    "socket; no names are looked up"
                )
            ]
            * 2,
            id="a name",
        ),
    ],
)
def test_the_report_says_of_proxies(lines, notes):
    found = notes_of(*lines, ALIAS)

    assert [found[number + 1] for number in range(len(lines))] == notes


def test_hosts_that_differ_need_the_user():
    lines = [
        *("<VirtualHost *>", "ServerName a.test", PROXIES, HEADERS, ALIAS, "</VirtualHost>"),
        *("<VirtualHost *>", "ServerName b.test", ALIAS, "</VirtualHost>"),
    ]

    assert proxies_of(*lines) == {}
    assert notes_of(*lines)[3] == (
        "needs you: entries have other proxies than others, and the settings hold for all: write "
        "them"
    )
