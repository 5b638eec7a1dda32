"""``preview --header`` and ``--peer``: what becomes of a request from a proxy, and from others."""

from __future__ import annotations

import pytest
from django.core.management.base import CommandError

from django_wsgimatch import script_alias
from tests.support.commands import asked, drawn, run, site_of_scripts

TOLD = [
    *("--header", "X-Forwarded-For: 9.9.9.9, 203.0.113.9", "--header", "X-Forwarded-Proto: https"),
    *("--header", "X-Forwarded-Host: shop.example", "--header", "X-Forwarded-Prefix: /site"),
    *("--header", "X-Real-IP: 9.9.9.9", "--header", "X-Remote-User: ann"),
]


@pytest.fixture
def site(tmp_path, settings):
    site = site_of_scripts(tmp_path, settings)
    settings.WSGIMATCH_TRUSTED_PROXIES = ["unix", "10.0.0.0/8"]
    settings.WSGIMATCH_TRUSTED_PROXY_HEADERS = [
        *("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix"),
    ]
    settings.WSGIMATCH_TRUSTED_PROXY_VARIABLES = {"REMOTE_USER": "X-Remote-User"}
    settings.WSGIMATCH_ALIASES = []
    settings.WSGIMATCH_VIRTUAL_HOSTS = {"shop.example": [script_alias("/api", "api.wsgi")]}
    return site


def test_request_of_a_trusted_proxy(site):
    out, err, status = run("preview", "/api/x", "--peer", "unix", *TOLD)

    assert out.replace(str(site), "/srv") == (
        "/api/x\n"
        "  peer              unix, a trusted proxy\n"
        "  REMOTE_ADDR       203.0.113.9\n"
        "  scheme            https\n"
        "  HTTP_HOST         shop.example\n"
        "  SERVER_NAME       localhost\n"
        "  SERVER_PORT       80\n"
        "  REMOTE_USER       ann\n"
        "  dropped           HTTP_X_REAL_IP\n"
        "  uri               /api/x\n"
        "  alias             [0] WSGIScriptAlias /api api.wsgi: won, the URL begins with it\n"
        "  filename          /srv/api.wsgi/x\n"
        "  script            /srv/api.wsgi\n"
        "  SCRIPT_NAME       /site/api\n"
        "  PATH_INFO         /x\n"
        "  QUERY_STRING\n"
        "  process group     (embedded)\n"
        "  application group (main interpreter)\n"
        "  callable object   application\n"
        "  rebuilt URL       https://shop.example/site/api/x\n"
        "  answer            the script\n"
    )
    assert (err, status) == ("", 0)


def test_request_of_anybody_else(site):
    [shown] = asked("preview", "/api/x", "--host", "inner.example:81", *TOLD)

    assert (shown["status"], shown["request"]) == (
        None,
        {
            "peer": "127.0.0.1",
            "is_trusted": False,
            "environ": {
                "REMOTE_ADDR": "127.0.0.1",
                "wsgi.url_scheme": "http",
                "HTTP_HOST": "inner.example:81",
                "SERVER_NAME": "inner.example",
                "SERVER_PORT": "81",
            },
            "dropped": [
                *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"),
                *("HTTP_X_FORWARDED_PREFIX", "HTTP_X_REAL_IP", "HTTP_X_REMOTE_USER"),
            ],
        },
    )


def test_peer_without_an_address_that_nobody_has_told(site):
    out, _, _ = run("preview", "/", "--peer", "unix")

    assert "  REMOTE_ADDR       (no address)\n" in out


def test_a_bad_forwarded_host_is_400(site):
    [shown] = asked("preview", "/api", "--peer", "10.0.0.1", "--header", "X-Forwarded-Host: a b")

    assert shown["status"] == 400


def test_group_that_a_header_names(site, settings):
    settings.WSGIMATCH_ALIASES = [
        script_alias("/user", "api.wsgi", application_group="%{ENV:REMOTE_USER}")
    ]

    [shown] = asked("preview", "/user", "--peer", "10.0.0.1", *TOLD[-2:])

    assert shown["application_group"] == "ann"


def test_headers_of_one_name_are_a_list(site):
    lines = ["--header", "X-Forwarded-For: 9.9.9.9", "--header", "x-forwarded-for: 203.0.113.9"]

    [shown] = asked("preview", "/", "--peer", "10.0.0.1", *lines)

    assert shown["request"]["environ"]["REMOTE_ADDR"] == "203.0.113.9"


def test_without_settings_nothing_is_taken_and_nothing_dropped(site, settings):
    settings.WSGIMATCH_TRUSTED_PROXY_HEADERS = []
    settings.WSGIMATCH_TRUSTED_PROXY_VARIABLES = {}

    [shown] = asked("preview", "/", "--peer", "10.0.0.1", *TOLD)

    assert (shown["request"]["is_trusted"], shown["request"]["dropped"]) == (False, [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ["--peer", "proxy.example"],
            "The peer 'proxy.example' should be an address, or 'unix'.",
            id="a peer's name",
        ),
        *[
            pytest.param(
                ["--header", header],
                f"The header {header!r} should be 'NAME: VALUE', the name of letters, digits and "
                "dashes.",
                id=repr(header),
            )
            for header in ("X-Forwarded-For", "X_Real_IP: 1.2.3.4", ": a", "X-A: a\r\nX-B: b")
        ],
    ],
)
def test_argument_that_cannot_be(site, arguments, message):
    with pytest.raises(CommandError) as caught:
        run("preview", "/", *arguments)

    assert str(caught.value) == message


def test_terminal_shows_who_asks(site):
    out = drawn("preview", "/api", "--peer", "10.0.0.1", *TOLD, "--header", "X-Host: \xe9")

    assert "10.0.0.1, a trusted proxy" in out
    assert "203.0.113.9" in out
