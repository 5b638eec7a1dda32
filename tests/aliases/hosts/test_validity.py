"""Which hosts a request may name, with the answers of Apache 2.4.71 to each."""

from __future__ import annotations

import pytest

from django_wsgimatch.aliases.hosts.validity import is_valid_authority, is_valid_host
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED, Oracle, Request, Table

GOOD = [
    *(
        "a",
        "A.Example",
        "a.example:80",
        "a.example:65535",
        "a.example:00080",
        "a.",
        "a.b.",
        "a.:80",
    ),
    *(".a", "a_b", "_", "-", "-a", "a-", "a.b1", "1a", "1.a", "1-2", "0x7f", "1.2.3.a", "x" * 3000),
    *("1.2.3.4", "1.2.3.4:80", "1.2.3.4.", "1.2.3.0", "0.0.0.0", "1.2.3.400", "xn--caf-dma"),
    *("[::1]", "[::1]:80", "[A::B]", "[::ffff:1.2.3.4]", "[::1]:00080"),
]
BAD = [
    *("x,y", "x y", "x\ty", "x@y", "x/y", "x/../../etc", "x\\y", "x|y", "127.0.0.1|/tenant-two"),
    *("x%41", "x'y", 'x"y', "x;y", "x?y", "x#y", "x=y", "x+y", "*", "x!", "x~", "x&y", "x(y)"),
    *("\xff\xfe", "caf\xe9", "x\x7f", "x\x00", "a\n", "a.example:80a", "a:1:2", "a: 80", "a :80"),
    *("..", "a..b", "a..", ".", "a.b..", ".:80", "..:80"),
    *(
        "1",
        "12345",
        "1.2",
        "1.2.3.",
        "01.2.3.4",
        "1.02.3.4",
        ".1.2.3",
        "1.2.3.4.5",
        "1:80",
        "80:80",
    ),
    *("a.1", "a.1b", "a.1.", "a.-b", "a._b", "a.2-", "a.0", "1.2.3.-a", "_a._tcp", "0x7f.1"),
    *("[::1", "::1", "::1]", "[::1]x", "[::1].", "x[::1]", "[::1]a:80", "[::1]:80a", "[:::]"),
    *("[1]", "[1::2::3]", "[1:.2]", "[1..2]", "[1.:2]", "[::1%eth0]", "[.1]", "[1.]"),
]
# Apache reads them in two ways.
HEADER_ONLY_BAD = ["a.example:", "a.example:0", ":80", ":", "[]", "[]:80", "[:]", "[g]", "[::1]:"]
# Apache keeps 32 bits of a header's port and 16 of a target's: see the differences.
BAD_HERE = ["a:65536", "a:4294967376", "a:99999999999999999999", "[::1]:65536"]


def ids(hosts):
    return [ascii(host)[1:-1][:30] for host in hosts]


@pytest.mark.parametrize("host", GOOD, ids=ids(GOOD))
def test_hosts_that_apache_accepts(host):
    assert is_valid_host(host)
    assert is_valid_authority(host)


@pytest.mark.parametrize("host", BAD, ids=ids(BAD))
def test_hosts_that_apache_refuses(host):
    assert not is_valid_host(host)
    assert not is_valid_authority(host)


@pytest.mark.parametrize("host", HEADER_ONLY_BAD, ids=ids(HEADER_ONLY_BAD))
def test_hosts_that_apache_refuses_in_a_header_and_accepts_in_a_target(host):
    assert not is_valid_host(host)
    assert is_valid_authority(host)


@pytest.mark.parametrize("host", BAD_HERE, ids=ids(BAD_HERE))
def test_ports_that_apache_takes_for_others(host):
    assert not is_valid_host(host)
    assert not is_valid_authority(host)


@pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)
def test_apache_says_the_same():
    hosts = [host for host in (*GOOD, *BAD, *HEADER_ONLY_BAD) if host.isprintable()]
    table = Table("hosts", ("WSGIScriptAlias /x {ROOT}/a.wsgi",), ("a.wsgi",))
    with Oracle([table]) as oracle:
        asked = [("hosts", Request("/x", host)) for host in hosts]
        statuses = [answer.status for answer in oracle.ask_all(asked)]

    accepted = [status == 200 for status in statuses]
    assert dict(zip(hosts, accepted, strict=True)) == {host: is_valid_host(host) for host in hosts}


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("a" * 50_000 + "!", id="one label"),
        pytest.param("a." * 50_000 + "!", id="many labels"),
        pytest.param("[" + ":a" * 50_000 + "!]", id="many colons"),
        pytest.param("[" + "::a" * 50_000 + "]", id="many pairs of colons"),
        pytest.param("a:" + "0" * 50_000 + "9" * 50_000, id="a long port"),
    ],
)
def test_long_hosts_take_linear_time(host):
    # A hundred kilobytes would take minutes otherwise.
    assert not is_valid_host(host)
    assert not is_valid_authority(host)
