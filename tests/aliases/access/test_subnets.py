from __future__ import annotations

import pytest

from django_wsgimatch.aliases.access.subnets import parse_address, parse_subnet
from django_wsgimatch.exceptions import DirectiveError


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        pytest.param("10.1.2.3", "10.1.2.3", "10.1.2.4", id="an address"),
        pytest.param("10", "10.255.0.1", "11.0.0.1", id="one octet"),
        pytest.param("10.1.", "10.1.9.9", "10.2.0.1", id="octets and a dot"),
        pytest.param("010.001", "10.1.0.1", "8.1.0.1", id="octets with zeros are decimal"),
        pytest.param("10.1.2.3/16", "10.1.0.1", "10.2.2.3", id="bits, and a host in the network"),
        pytest.param("10.0.0.0/255.0.0.0", "10.9.9.9", "11.0.0.0", id="a mask"),
        pytest.param("10.0.0.0/255.0.255.0", "10.7.0.9", "10.7.1.9", id="a mask with a hole"),
        pytest.param("10.0.0.0/+8", "10.9.9.9", "11.0.0.0", id="as strtol() reads numbers"),
        pytest.param("0.0.0.0/0.0.0.0", "9.9.9.9", "::1", id="all of IPv4"),
        pytest.param("2001:db8::/32", "2001:db8:1::1", "2001:db9::1", id="IPv6"),
        pytest.param("::1", "::1", "127.0.0.1", id="one address of IPv6"),
        pytest.param("10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:11.0.0.1", id="IPv4 inside IPv6"),
    ],
)
def test_a_network_holds_its_addresses_and_no_others(network, inside, outside):
    subnet = parse_subnet(network)

    addresses = [parse_address(each) for each in (inside, outside)]
    assert [each is not None and subnet.holds(each) for each in addresses] == [True, False]


@pytest.mark.parametrize(
    "network",
    [
        *("", "example.org", "256", "1..2", ".1", "10.1.2.3.4", "1234567890123456", "1:2"),
        *("0.0.0.0/0", "10.0.0.0/33", "10.0.0.0/-8", "10.0.0.0/", "10.0.0.0/8x", "10/8"),
        *("10.0.0.0/255", "::/0", "::1/129", "2001:db8::/ffff::", "::ffff:1.2.3.4", "fe80::1%eth0"),
        pytest.param("10.0.0.0/" + "9" * 5000, id="thousands of digits"),
    ],
)
def test_what_apache_refuses_is_refused_in_its_words(network):
    with pytest.raises(DirectiveError) as caught:
        parse_subnet(network)

    assert str(caught.value) == f"ip address '{network}' appears to be invalid"


@pytest.mark.parametrize("told", ["", "unix:", "10.0.0.1:80", "localhost", "1.2.3"])
def test_a_client_without_an_address_is_in_no_network(told):
    assert parse_address(told) is None
