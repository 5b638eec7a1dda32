from __future__ import annotations

import pytest

from django_wsgimatch.aliases.groups import (
    Server,
    group_name,
    host_name,
    is_literal,
    split_host,
    variable,
)

VARIABLES = {
    "GROUP": "blue",
    "EMPTY": "",
    "RESOURCE": "%{RESOURCE}",
    "ENV": "%{ENV:GROUP}",
    "NOPE": "%x",
}
SERVER = Server("www.example", "Client.Example:8080", VARIABLES.get)


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [
        pytest.param("h", "h", "", id="no port"),
        pytest.param("h:81", "h", "81", id="a port"),
        pytest.param("h:", "h", "", id="an empty port"),
        pytest.param("h:http", "h:http", "", id="letters are no port"),
        pytest.param("[::1]", "[::1]", "", id="IPv6 without port"),
        pytest.param("[::1]:81", "[::1]", "81", id="IPv6 with port"),
        pytest.param("", "", "", id="empty"),
    ],
)
def test_split_host(host, name, port):
    parts = split_host(host)

    assert parts == (name, port)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        pytest.param("WWW.Example:81", "www.example", id="lower case, no port"),
        pytest.param("www.example.", "www.example", id="no dot at the end"),
        pytest.param("[::1]:81", "::1", id="no brackets"),
    ],
)
def test_host_name(host, name):
    found = host_name(host)

    assert found == name


@pytest.mark.parametrize(
    ("host", "suffix"),
    [
        pytest.param("h", "", id="none"),
        pytest.param("h:80", "", id="http"),
        pytest.param("h:443", "", id="https"),
        pytest.param("h:8080", ":8080", id="another"),
        pytest.param("h:0080", "", id="leading zeros"),
        pytest.param("h:0", "", id="zero"),
    ],
)
def test_port_suffix(host, suffix):
    found = Server("www.example", host).port_suffix

    assert found == suffix


@pytest.mark.parametrize(
    ("value", "name"),
    [
        pytest.param("blue", "blue", id="a literal name"),
        pytest.param("$1", "$1", id="nothing is substituted"),
        pytest.param("%{GLOBAL}", "", id="the main one"),
        pytest.param("%{RESOURCE}", "www.example:8080|/app", id="host and SCRIPT_NAME"),
        pytest.param("%{SERVER}", "www.example:8080", id="ServerName"),
        pytest.param("%{HOST}", "client.example:8080", id="the Host header"),
        pytest.param("%{ENV:GROUP}", "blue", id="a variable"),
        pytest.param("%{ENV:EMPTY}", "", id="an empty variable"),
        pytest.param("%{ENV:NONE}", "%{ENV:NONE}", id="an unset variable stays"),
        pytest.param("%{ENV:RESOURCE}", "www.example:8080|/app", id="resolved once more"),
        pytest.param("%{ENV:ENV}", "%{ENV:GROUP}", id="no variable of a variable"),
        pytest.param("%{ENV:NOPE}", "%x", id="a variable with a percent sign"),
        pytest.param("x%{SERVER}", "x%{SERVER}", id="only the whole value counts"),
        pytest.param("%{global}", "%{global}", id="only in this case"),
        pytest.param("%{ENV:GROUP}x", "%{ENV:GROUP}x", id="text behind a variable"),
    ],
)
def test_group_name(value, name):
    found = group_name(value, SERVER, "/app")

    assert found == name


def test_host_group_of_a_request_without_host():
    found = group_name("%{HOST}", Server("www.example"), "")

    assert found == "www.example"


def test_unknown_variable_of_a_server_without_lookup():
    found = group_name("%{ENV:GROUP}", Server("www.example"), "")

    assert found == "%{ENV:GROUP}"


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        pytest.param(None, False, id="not given"),
        pytest.param("blue", True, id="a name"),
        pytest.param("%{GLOBAL}", True, id="the main one"),
        pytest.param("%{SERVER}", False, id="of the request"),
        pytest.param("x%{y", False, id="anything like it"),
    ],
)
def test_is_literal(value, literal):
    found = is_literal(value)

    assert found is literal


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("BOTH", "request", id="the request comes first"),
        pytest.param("PROCESS", "process", id="then the process"),
        pytest.param("HTTP_X_GROUP", None, id="a client's header has no say"),
        pytest.param("wsgi.version", None, id="only text is a value"),
        pytest.param("NONE", None, id="unset"),
    ],
)
def test_variable(name, value):
    environ = {"BOTH": "request", "HTTP_X_GROUP": "evil", "wsgi.version": (1, 0)}

    found = variable(name, environ, {"BOTH": "process", "PROCESS": "process"})

    assert found == value
