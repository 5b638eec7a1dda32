"""Whether a redirect to HTTPS is asked for again and again."""

from __future__ import annotations

from typing import Any

import pytest

from django_wsgimatch.aliases.alias import Alias, Redirection
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.doctor.processes.plain_http import loop_findings
from django_wsgimatch.doctor.processes.serving import SettingValue

TABLE = AliasTable([Alias("/", "", answer=Redirection("https://%{HTTP_HOST}/", 301))])
PROTO = ["X-Forwarded-For", "x-forwarded-proto"]
SOCKET = "unix:/run/shop.sock"


def found(
    table: AliasTable = TABLE,
    *,
    proxies: tuple[str, ...] = (),
    headers: object = (),
    variables: object = None,
    bind: str | None = None,
    header: object = None,
) -> list[Any]:
    values = {
        "TRUSTED_PROXIES": [*proxies],
        "TRUSTED_PROXY_HEADERS": headers,
        "TRUSTED_PROXY_VARIABLES": variables or {},
    }
    given = {} if bind is None else {"bind": SettingValue(bind, "gunicorn.conf.py")}
    return list(loop_findings(table, values, given, header))


def test_a_socket_whose_front_nobody_trusts():
    [finding] = found(bind=SOCKET)

    assert (finding.id, finding.where) == ("W077", "WSGIMATCH_PLAIN_HTTP")
    assert finding.message == (
        f"bind is '{SOCKET}', so a server in front ends TLS, and it is not trusted: requests over "
        "HTTPS look like plain HTTP then, unless the server itself believes its front, and are "
        "redirected to HTTPS again and again."
    )
    assert finding.hint == (
        "Trust the header in which it tells the scheme: WSGIMATCH_TRUSTED_PROXIES = ['unix'] (who "
        'connects to the server), WSGIMATCH_TRUSTED_PROXY_HEADERS = ["X-Forwarded-For", '
        '"X-Forwarded-Proto"].'
    )


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"proxies": ("10.0.0.1",), "headers": ["X-Forwarded-For"]}, id="no scheme"),
        pytest.param({"header": ("HTTP_X_FORWARDED_PROTO", "https")}, id="Django's own trust"),
        pytest.param({"headers": PROTO, "bind": SOCKET}, id="a header and no proxy"),
    ],
)
def test_proxies_that_do_not_tell_the_scheme(given):
    assert [finding.id for finding in found(**given)] == ["W077"]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="nothing is known"),
        pytest.param({"bind": "0.0.0.0:443"}, id="a port"),
        pytest.param({"bind": f"{SOCKET},0.0.0.0:443"}, id="a port beside a socket"),
        pytest.param({"bind": SOCKET, "proxies": ("unix",), "headers": PROTO}, id="trusted"),
        pytest.param(
            {"bind": SOCKET, "proxies": ("unix",), "variables": {"wsgi.url_scheme": "X-S"}},
            id="a variable",
        ),
    ],
)
def test_where_requests_over_https_are_known_there_is_nothing_to_say(given):
    assert found(**given) == []


def test_what_does_not_lead_to_https_leads_nowhere_again():
    table = AliasTable([Alias("/api", "", answer=Redirection("", 410))])

    assert found(table, bind=SOCKET) == []
