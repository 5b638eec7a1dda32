"""Addresses of peers and hops, and the networks they lie in."""

from __future__ import annotations

import pytest

from django_wsgimatch.answers.proxies.addresses import (
    Networks,
    _bare,
    address_number,
    bare_address,
    holds,
    is_trusted_hop,
    is_trusted_peer,
    network_of,
)

LINKS = "10.0.0.0/8 192.0.2.7 203.0.113.0/24 2001:db8::/32"


def networks(texts: str = LINKS, *, has_unix: bool = False) -> Networks:
    return Networks.of(map(network_of, texts.split()), has_unix=has_unix)


@pytest.mark.parametrize(
    ("address", "is_held"),
    [
        pytest.param("10.0.0.0", True, id="the first of a network"),
        pytest.param("10.255.255.255", True, id="the last of a network"),
        pytest.param("11.0.0.0", False, id="behind a network"),
        pytest.param("192.0.2.7", True, id="a single address"),
        pytest.param("192.0.2.8", False, id="beside a single address"),
        pytest.param("2001:db8::1", True, id="IPv6"),
        pytest.param("2001:DB8:0::1", True, id="IPv6 in another spelling"),
        pytest.param("2001:db9::1", False, id="another IPv6 network"),
        pytest.param("::ffff:10.1.2.3", True, id="IPv4 as a dual-stack socket tells it"),
        pytest.param("::ffff:0a01:0203", True, id="the same in hexadecimal"),
        pytest.param("::10.1.2.3", False, id="an IPv6 address that only looks like it"),
        pytest.param("127.1", False, id="a short form"),
        pytest.param("0x0a000001", False, id="hexadecimal"),
        pytest.param("010.0.0.1", False, id="leading zeros"),
        pytest.param("10.0.0.1\n", False, id="a line break"),
        pytest.param("10.0.0.1\0", False, id="a NUL"),
        pytest.param("localhost", False, id="a name"),
        pytest.param("", False, id="nothing"),
        pytest.param("1" * 100_000, False, id="100 kB"),
    ],
)
def test_address_lies_in_the_networks_or_does_not(address, is_held):
    assert holds(networks(), address) is is_held


def test_ipv4_network_written_as_ipv6_holds_ipv4_addresses():
    mapped = networks("::ffff:10.0.0.0/104")

    assert [holds(mapped, each) for each in ("10.1.2.3", "::ffff:10.9.9.9", "11.0.0.1")] == [
        *(True, True, False)
    ]


def test_network_of_everything_holds_its_own_kind_of_address():
    everything = networks("0.0.0.0/0")

    assert [holds(everything, each) for each in ("8.8.8.8", "::1")] == [True, False]


def test_bits_behind_the_mask_do_not_count():
    assert holds(networks("10.1.2.3/8"), "10.9.9.9")


@pytest.mark.parametrize("peer", ["", "localhost", "0.0.0.0", "unix:"])
def test_peer_without_an_address_is_trusted_by_the_word_unix_alone(peer):
    everything = networks("0.0.0.0/0 ::/0")

    assert not is_trusted_peer(everything, peer)
    assert is_trusted_peer(networks("192.0.2.7", has_unix=True), peer)


def test_unix_trusts_no_peer_that_has_an_address():
    assert not is_trusted_peer(networks("", has_unix=True), "127.0.0.1")


@pytest.mark.parametrize(
    ("hop", "is_trusted"),
    [
        pytest.param("10.0.0.1", True, id="an address"),
        pytest.param("10.0.0.1:4711", True, id="an address with a port"),
        pytest.param("[2001:db8::1]:443", True, id="IPv6 with a port"),
        pytest.param("unix:", True, id="what nginx writes for a peer without an address"),
        pytest.param("", False, id="nothing"),
        pytest.param("localhost", False, id="a name"),
        pytest.param("0.0.0.0", False, id="an address that nobody has"),
    ],
)
def test_hop_that_a_proxy_tells(hop, is_trusted):
    assert is_trusted_hop(networks(has_unix=True), hop) is is_trusted


@pytest.mark.parametrize(
    ("hop", "address"),
    [
        pytest.param("192.0.2.1", "192.0.2.1", id="an address"),
        pytest.param("192.0.2.1:4711", "192.0.2.1", id="with a port"),
        pytest.param("192.0.2.1:_hidden", "192.0.2.1", id="with a port that is hidden"),
        pytest.param("[2001:db8::1]", "2001:db8::1", id="in brackets"),
        pytest.param("[2001:db8::1]:4711", "2001:db8::1", id="in brackets with a port"),
        pytest.param("2001:db8::1", "2001:db8::1", id="without brackets"),
        pytest.param("unknown", "", id="unknown"),
        pytest.param("_hidden", "", id="a hidden one"),
        pytest.param("192.0.2.1:", "", id="a colon without a port"),
        pytest.param("[2001:db8::1", "", id="one bracket"),
        pytest.param("192.0.2.1, 192.0.2.2", "", id="two"),
        pytest.param("fe80::1%eth0", "", id="a zone"),
        pytest.param("<script>", "", id="markup"),
    ],
)
def test_address_of_a_hop(hop, address):
    assert bare_address(hop) == address


def test_what_is_too_long_for_an_address_is_not_remembered():
    before = _bare.cache_info().currsize

    assert [bare_address(f"{number}{'9' * 8000}") for number in range(100)] == [""] * 100
    assert _bare.cache_info().currsize == before


def test_address_is_a_number_of_its_version():
    assert [*map(address_number, ("0.0.0.1", "::2", "::ffff:0.0.0.3", "four"))] == [
        *((4, 1), (6, 2), (4, 3), None)
    ]
