"""The lists that each proxy adds to, and the lies at their left."""

from __future__ import annotations

import time

import pytest

from django_wsgimatch.answers.proxies.addresses import Networks, network_of
from django_wsgimatch.answers.proxies.forwarded import (
    Forwarded,
    forwarded,
    forwarded_for,
    last_item,
    parameters,
)

PROXIES = Networks.of(map(network_of, ("10.0.0.0/8", "2001:db8::/32")), has_unix=True)


@pytest.mark.parametrize(
    ("value", "client", "kept"),
    [
        pytest.param("192.0.2.1", "192.0.2.1", "192.0.2.1", id="the client alone"),
        pytest.param("9.9.9.9, 192.0.2.1", "192.0.2.1", "192.0.2.1", id="a lie before it"),
        pytest.param(
            "9.9.9.9,192.0.2.1,10.0.0.2", "192.0.2.1", "192.0.2.1, 10.0.0.2", id="another proxy"
        ),
        pytest.param(
            "10.9.9.9, 192.0.2.1, 10.0.0.2",
            "192.0.2.1",
            "192.0.2.1, 10.0.0.2",
            id="a lie that is a proxy's address",
        ),
        pytest.param("10.0.0.3, 10.0.0.2", "10.0.0.3", "10.0.0.3, 10.0.0.2", id="all are proxies"),
        pytest.param(
            " , 192.0.2.1 ,, \t10.0.0.2,", "192.0.2.1", "192.0.2.1, 10.0.0.2", id="empty items"
        ),
        pytest.param("192.0.2.1, unix:", "192.0.2.1", "192.0.2.1, unix:", id="nginx on a socket"),
        pytest.param("192.0.2.1:5, 10.0.0.2:6", "192.0.2.1", "192.0.2.1:5, 10.0.0.2:6", id="ports"),
        pytest.param("192.0.2.1, unknown", "", "unknown", id="what is no address"),
        pytest.param("8.8.8.8, localhost, 10.0.0.2", "", "localhost, 10.0.0.2", id="a name"),
        pytest.param("2001:db8::9, 2001:db9::1", "2001:db9::1", "2001:db9::1", id="IPv6"),
    ],
)
def test_x_forwarded_for(value, client, kept):
    assert forwarded_for(value, PROXIES) == (client, kept)


@pytest.mark.parametrize("value", ["", " ", ",", " , ,\t"])
def test_list_that_is_empty_tells_nothing(value):
    assert forwarded_for(value, PROXIES) is None
    assert forwarded(value, PROXIES) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(
            "for=192.0.2.1;proto=https;host=shop.example",
            Forwarded(
                "192.0.2.1", "for=192.0.2.1;proto=https;host=shop.example", "shop.example", "https"
            ),
            id="one proxy",
        ),
        pytest.param(
            'For="[2001:db9::1]:4711" ; Proto="https"',
            Forwarded("2001:db9::1", 'For="[2001:db9::1]:4711" ; Proto="https"', "", "https"),
            id="quotes, brackets, a port and upper case",
        ),
        pytest.param(
            "for=9.9.9.9;proto=http;host=evil.example, for=192.0.2.1;proto=https, for=10.0.0.2",
            Forwarded("192.0.2.1", "for=192.0.2.1;proto=https, for=10.0.0.2", "", "https"),
            id="two proxies, and a lie",
        ),
        pytest.param(
            'for="open, for=192.0.2.1;host="shop.example:8443"',
            Forwarded(
                "192.0.2.1", 'for=192.0.2.1;host="shop.example:8443"', "shop.example:8443", ""
            ),
            id="a quote that is left open hides nothing",
        ),
        pytest.param("for=unknown", Forwarded("", "for=unknown"), id="unknown"),
        pytest.param(
            "by=10.0.0.1;proto=https",
            Forwarded("", "by=10.0.0.1;proto=https", "", "https"),
            id="no client",
        ),
        pytest.param(
            "nonsense, for=10.0.0.2;proto=https",
            Forwarded("", "nonsense, for=10.0.0.2;proto=https"),
            id="what a proxy's own peer has sent is malformed",
        ),
    ],
)
def test_forwarded(value, expected):
    assert forwarded(value, PROXIES) == expected


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        pytest.param("for=a;by=b", {"for": "a", "by": "b"}, id="two"),
        pytest.param(r'for="a\"b\\"', {"for": 'a"b\\'}, id="escapes"),
        pytest.param("for=192.0.2.1:80", {"for": "192.0.2.1:80"}, id="a colon without quotes"),
        pytest.param("for=a;", {"for": "a"}, id="a semicolon at the end"),
        pytest.param("for=a;for=b", {}, id="one of them twice"),
        pytest.param("for", {}, id="no value"),
        pytest.param('for="a', {}, id="an open quote"),
        pytest.param("for=a b", {}, id="a blank"),
        pytest.param("=a", {}, id="no name"),
    ],
)
def test_parameters_of_an_element(element, expected):
    assert parameters(element) == expected


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("," * 400_000, id="commas"),
        pytest.param("10.0.0.1," * 50_000, id="proxies"),
        pytest.param('for="' + "\\" * 400_000, id="escapes"),
        pytest.param("for=a;" * 60_000, id="parameters"),
        pytest.param("for=" + "\t" * 400_000, id="blanks"),
    ],
)
def test_400_kb_are_read_in_a_moment(value):
    begun = time.process_time()

    forwarded_for(value, PROXIES)
    forwarded(value, PROXIES)

    assert time.process_time() - begun < 2


def test_of_a_list_the_last_item_is_the_nearest_proxy_s():
    assert [last_item(each) for each in ("a", "evil, a", "a, ", "")] == ["a", "a", "", ""]
