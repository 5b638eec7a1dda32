"""What of a request's headers is a trusted proxy's, and what becomes of all others."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from typing import Any

import pytest

from django_wsgimatch.answers.proxies.mount import MOUNT
from django_wsgimatch.answers.proxies.reading import read_trusted_proxies
from django_wsgimatch.answers.proxies.trusted import PEER, TrustedProxies, scheme_of_connection
from tests.support.serving import key_of

PROXY = "10.0.0.1"
# One for each purpose.
USUAL = [
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Server"),
    *("X-Forwarded-Port", "X-Forwarded-Prefix"),
]
TOLD = {
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
    "X-Forwarded-Server": "front.example",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Prefix": "/shop",
}


def trusting(
    *headers: str, proxies: tuple[str, ...] = (PROXY,), variables: dict[str, str] | None = None
) -> TrustedProxies:
    def fail(setting: str, error: Exception) -> None:
        raise error

    read = read_trusted_proxies(proxies, headers, variables or {}, fail)
    assert read is not None
    return read


def request(
    headers: Mapping[str, str] | None = None, peer: str = PROXY, **more: Any
) -> dict[str, Any]:
    """The environ of a server that was asked for /x."""
    return {
        "REMOTE_ADDR": peer,
        "wsgi.url_scheme": "http",
        "HTTP_HOST": "inner:8000",
        "SERVER_NAME": "inner",
        "SERVER_PORT": "8000",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/x",
        "RAW_URI": "/x",
        "HTTP_ACCEPT": "*/*",
        **{key_of(name): value for name, value in (headers or {}).items()},
        **more,
    }


def changes(proxies: TrustedProxies, environ: dict[str, Any]) -> dict[str, Any]:
    """What is made of an environ: what is new or changed, and None for what is gone."""
    after = dict(environ)
    proxies.apply(after)
    return {
        key: after.get(key)
        for key in sorted({*environ, *after})
        if environ.get(key) != after.get(key)
    }


def test_all_that_a_trusted_proxy_tells_is_taken():
    assert changes(trusting(*USUAL), request(TOLD)) == {
        "HTTP_HOST": "shop.example",
        "REMOTE_ADDR": "192.0.2.1",
        "SCRIPT_NAME": "/shop",
        "SERVER_NAME": "front.example",
        "SERVER_PORT": "443",
        "wsgi.url_scheme": "https",
        MOUNT: "+",
        PEER: PROXY,
    }


@pytest.mark.parametrize("peer", ["192.0.2.66", "", "10.0.0.2", "10.0.0.1 ", "::1"])
def test_all_that_anybody_else_tells_is_dropped(peer):
    dropped = {key_of(name): None for name in TOLD}

    assert changes(trusting(*USUAL), request(TOLD, peer=peer)) == {**dropped, PEER: peer}


def test_a_request_without_such_headers_stays_as_it_is():
    assert changes(trusting(*USUAL), request()) == {}
    assert changes(trusting(*USUAL), request(peer="192.0.2.66")) == {}


def test_rivals_of_a_named_header_are_dropped():
    told = {
        "X-Forwarded-For": "192.0.2.1",
        "X-Real-IP": "9.9.9.9",
        "CF-Connecting-IP": "9.9.9.9",
        "Forwarded": "for=9.9.9.9;proto=https",
        "X-Forwarded-SSL": "on",
    }

    assert changes(trusting("X-Forwarded-For"), request(told)) == {
        "HTTP_CF_CONNECTING_IP": None,
        "HTTP_FORWARDED": None,
        "HTTP_X_REAL_IP": None,
        "REMOTE_ADDR": "192.0.2.1",
        PEER: PROXY,
    }


def test_rivals_are_dropped_where_the_named_header_is_missing():
    found = changes(trusting("X-Forwarded-For"), request({"X-Real-IP": "9.9.9.9"}))

    assert found == {"HTTP_X_REAL_IP": None, PEER: PROXY}


OWN = {"REMOTE_ADDR": "X-Remote-Addr", "wsgi.url_scheme": "X-Request-Scheme"}


def test_client_and_scheme_in_headers_of_their_own_leave_the_usual_ones_to_the_application():
    told = {
        "X-Remote-Addr": "192.0.2.1",
        "X-Request-Scheme": "https",
        "X-Forwarded-For": "9.9.9.9",
        "X-Forwarded-Proto": "http",
    }

    assert changes(trusting(variables=OWN), request(told, REMOTE_HOST="proxy.example")) == {
        "REMOTE_ADDR": "192.0.2.1",
        "REMOTE_HOST": None,
        "wsgi.url_scheme": "https",
        PEER: PROXY,
    }


@pytest.mark.parametrize(
    ("told", "changed"),
    [
        pytest.param({}, {}, id="neither is told"),
        pytest.param(
            {"X-Remote-Addr": "", "X-Request-Scheme": ""}, {PEER: PROXY}, id="both are empty"
        ),
        pytest.param(
            {"X-Remote-Addr": "me", "X-Request-Scheme": "ftp"},
            {"REMOTE_ADDR": "", PEER: PROXY},
            id="no address and no scheme",
        ),
    ],
)
def test_client_and_scheme_stay_those_of_the_connection_without_a_value(told, changed):
    assert changes(trusting(variables=OWN), request(told)) == changed


def test_nobody_else_tells_client_and_scheme():
    told = {"X-Remote-Addr": "192.0.2.1", "X-Request-Scheme": "https"}

    assert changes(trusting(variables=OWN), request(told, peer="192.0.2.66")) == {
        "HTTP_X_REMOTE_ADDR": None,
        "HTTP_X_REQUEST_SCHEME": None,
        PEER: "192.0.2.66",
    }


def test_a_scheme_in_a_header_of_its_own_is_not_what_gunicorn_believes():
    environ = request({"X-Forwarded-Proto": "https"})
    environ |= {"gunicorn.socket": object(), "wsgi.url_scheme": "https"}

    assert changes(trusting(variables=OWN), environ) == {"wsgi.url_scheme": "http"}


def test_of_two_named_headers_of_one_purpose_the_last_in_the_setting_counts():
    told = {"X-Real-IP": "192.0.2.1", "X-Forwarded-For": "192.0.2.2"}

    found = changes(trusting("X-Real-IP", "X-Forwarded-For"), request(told))

    assert found == {"HTTP_X_REAL_IP": None, "REMOTE_ADDR": "192.0.2.2", PEER: PROXY}


def test_what_is_for_a_purpose_that_is_not_named_stays():
    assert changes(trusting("X-Forwarded-For"), request({"X-Forwarded-Host": "a"})) == {}


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        pytest.param("X-Forwarded-Proto", "HTTPS", "https", id="upper case"),
        pytest.param("X-Forwarded-Proto", "http", "http", id="http"),
        pytest.param("X-Forwarded-Proto", "http, https", "https", id="a lie before it"),
        pytest.param("X-Forwarded-Proto", "ftp", "http", id="another scheme"),
        pytest.param("X-Forwarded-Proto", "", "http", id="nothing"),
        pytest.param("X-Forwarded-Protocol", "ssl", "https", id="ssl"),
        pytest.param("X-Forwarded-SSL", "on", "https", id="on"),
        pytest.param("X-HTTPS", "1", "https", id="1"),
        pytest.param("X-Forwarded-HTTPS", "Off", "http", id="off"),
        pytest.param("Front-End-Https", "maybe", "http", id="neither on nor off"),
    ],
)
def test_scheme(header, value, expected):
    environ = request({header: value})

    trusting(header).apply(environ)

    assert environ["wsgi.url_scheme"] == expected


@pytest.mark.parametrize(
    ("header", "value", "key", "expected"),
    [
        pytest.param("X-Forwarded-Host", "evil, a.test:81", "HTTP_HOST", "a.test:81", id="last"),
        pytest.param("X-Forwarded-Host", "", "HTTP_HOST", "inner:8000", id="no host"),
        pytest.param("X-Forwarded-Host", "a b", "HTTP_HOST", "a b", id="a bad host, for a 400"),
        pytest.param("X-Forwarded-Server", "a/b", "SERVER_NAME", "inner", id="a bad name"),
        pytest.param("X-Forwarded-Server", "a:80", "SERVER_NAME", "inner", id="a name with a port"),
        pytest.param("X-Forwarded-Port", "0", "SERVER_PORT", "8000", id="port 0"),
        pytest.param("X-Forwarded-Port", "65536", "SERVER_PORT", "8000", id="port 65536"),
        pytest.param("X-Forwarded-Port", "\xb2", "SERVER_PORT", "8000", id="no port"),
        pytest.param("X-Forwarded-Port", "9" * 9999, "SERVER_PORT", "8000", id="a long port"),
        pytest.param("X-Forwarded-Prefix", "//evil.example", "SCRIPT_NAME", "", id="another site"),
        pytest.param("X-Script-Name", "/a/", "SCRIPT_NAME", "/a", id="a script name"),
        pytest.param("X-Real-IP", "192.0.2.1:4711", "REMOTE_ADDR", "192.0.2.1", id="a port"),
        pytest.param("X-Real-IP", "<script>", "REMOTE_ADDR", "", id="a client that is no address"),
    ],
)  # fmt: skip
def test_value_of_a_trusted_header(header, value, key, expected):
    environ = request({header: value})

    trusting(header).apply(environ)

    assert environ[key] == expected


def test_forwarded_tells_three_things_and_has_rivals_for_each():
    told = {
        "Forwarded": "for=9.9.9.9, for=192.0.2.1;proto=https;host=shop.example",
        "X-Forwarded-For": "9.9.9.9",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "http",
    }

    assert changes(trusting("Forwarded"), request(told)) == {
        "HTTP_FORWARDED": "for=192.0.2.1;proto=https;host=shop.example",
        "HTTP_HOST": "shop.example",
        "HTTP_X_FORWARDED_FOR": None,
        "HTTP_X_FORWARDED_HOST": None,
        "HTTP_X_FORWARDED_PROTO": None,
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "https",
        PEER: PROXY,
    }


def test_the_name_of_the_proxy_is_not_that_of_the_client():
    environ = request({"X-Real-IP": "192.0.2.1"}, REMOTE_HOST="proxy.example")

    trusting("X-Real-IP").apply(environ)

    assert "REMOTE_HOST" not in environ


def test_forwarded_host_counts_more_than_that_of_the_target():
    environ = request({"X-Forwarded-Host": "shop.example"}, RAW_URI="http://evil.example/x?y")

    trusting("X-Forwarded-Host").apply(environ)

    assert (environ["HTTP_HOST"], environ["RAW_URI"]) == ("shop.example", "/x?y")


def test_unix_peers_are_trusted_by_name():
    proxies = trusting("X-Real-IP", proxies=("unix",))
    environ = request({"X-Real-IP": "192.0.2.1"}, peer="")

    proxies.apply(environ)

    assert (environ["REMOTE_ADDR"], environ[PEER]) == ("192.0.2.1", "")


VARIABLES = {"REMOTE_USER": "X-Remote-User", "SSL_CLIENT_S_DN": "X-SSL-Client-S-DN"}


def test_variables_come_from_a_trusted_proxy_s_headers():
    told = {"X-Remote-User": "ann", "X-SSL-Client-S-DN": "CN=Ann, O=Example"}

    assert changes(trusting(variables=VARIABLES), request(told)) == {
        "REMOTE_USER": "ann",
        "SSL_CLIENT_S_DN": "CN=Ann, O=Example",
        PEER: PROXY,
    }


def test_headers_for_variables_are_dropped_from_anybody_else():
    environ = request({"X-Remote-User": "admin"}, peer="192.0.2.66", REMOTE_USER="the server's")

    assert changes(trusting(variables=VARIABLES), environ) == {
        "HTTP_X_REMOTE_USER": None,
        PEER: "192.0.2.66",
    }


@pytest.mark.parametrize("value", ["", "(null)"])
def test_value_that_stands_for_none_is_none(value):
    environ = request({"X-Remote-User": value}, REMOTE_USER="the proxy itself")

    trusting(variables=VARIABLES).apply(environ)

    assert "REMOTE_USER" not in environ


def test_variable_without_its_header_is_not_the_proxy_s_own():
    """The server may know the proxy's certificate: it is not the client's."""
    environ = request(SSL_CLIENT_S_DN="CN=proxy")

    assert changes(trusting(variables=VARIABLES), environ) == {"SSL_CLIENT_S_DN": None}


def test_header_of_a_variable_may_be_one_of_the_registry():
    proxies = trusting("X-Forwarded-Proto", variables={"HTTPS": "X-Forwarded-SSL"})
    told = {"X-Forwarded-SSL": "on", "X-Forwarded-Proto": "https", "X-Scheme": "http"}

    assert changes(proxies, request(told)) == {
        "HTTPS": "on",
        "HTTP_X_SCHEME": None,
        "wsgi.url_scheme": "https",
        PEER: PROXY,
    }


def test_scheme_that_gunicorn_took_from_somebody_else_does_not_count():
    with socket.socket() as plain:
        environ = request(peer="127.0.0.1")
        environ |= {"gunicorn.socket": plain, "wsgi.url_scheme": "https"}

        trusting("X-Forwarded-Proto").apply(environ)

    assert environ["wsgi.url_scheme"] == "http"


def test_scheme_that_gunicorn_took_stays_where_no_header_for_it_is_named():
    with socket.socket() as plain:
        environ = request() | {"gunicorn.socket": plain, "wsgi.url_scheme": "https"}

        trusting("X-Forwarded-For").apply(environ)

    assert environ["wsgi.url_scheme"] == "https"


def test_scheme_of_gunicorn_s_own_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    with context.wrap_socket(socket.socket(), do_handshake_on_connect=False) as connection:
        assert scheme_of_connection(request() | {"gunicorn.socket": connection}) == "https"


@pytest.mark.parametrize(
    ("variables", "scheme"), [({}, "http"), ({"HTTPS": "on"}, "https"), ({"HTTPS": "off"}, "http")]
)
def test_scheme_of_uwsgi(variables, scheme):
    environ = request() | {"uwsgi.version": b"2.0", "wsgi.url_scheme": "https", **variables}

    assert scheme_of_connection(environ) == scheme


def test_scheme_of_other_servers_is_what_they_say():
    assert scheme_of_connection({"wsgi.url_scheme": "https"}) == "https"
