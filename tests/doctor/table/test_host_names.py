"""Virtual hosts whose entries never answer: the name that was meant is told."""

from __future__ import annotations

import pytest

from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.doctor.table.host_names import host_findings


@pytest.mark.parametrize(
    ("host", "reason", "hint"),
    [
        pytest.param(
            "https://example.org",
            "a host is a name, without scheme and path",
            "Write 'example.org'.",
            id="a URL",
        ),
        pytest.param(
            "http://example.org:8000/shop",
            "a host is a name, without scheme and path",
            "Write 'example.org'.",
            id="a URL with all there is",
        ),
        pytest.param(
            "example.org/shop",
            "a host is a name, without scheme and path",
            "Write 'example.org'.",
            id="a path",
        ),
        pytest.param(
            "example.org:8000",
            "the port is removed before hosts are compared",
            "Write 'example.org'.",
            id="a port",
        ),
        pytest.param(
            "*.example.org",
            "subdomains are written with a dot in front",
            "Write '.example.org'.",
            id="a star",
        ),
        pytest.param(
            "example.org.",
            "a dot at the end is removed before hosts are compared",
            "Write 'example.org'.",
            id="a dot at the end",
        ),
        pytest.param(
            r"^(www\.)?example\.org$",
            "a host has the form 'name', '.name' or '*'",
            "Write the name that browsers send.",
            id="a regular expression",
        ),
        pytest.param(
            "www.*",
            "a host has the form 'name', '.name' or '*'",
            "Write the name that browsers send.",
            id="a star at the end",
        ),
        pytest.param(
            "b\u00fccher.example",
            "browsers send names that are not ASCII in another form",
            "Write 'xn--bcher-kva.example'.",
            id="not ASCII",
        ),
    ],
)
def test_a_name_that_no_request_has(host, reason, hint):
    [finding] = host_findings([host])

    assert (finding.message, finding.hint) == (
        f"no request has this host: {reason}. Its entries never answer.",
        hint,
    )


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("*", "example.org"),
        (".example.org", "www.example.org"),
        (".example.org", "example.org"),
        (".example.org", ".a.example.org"),
        ("Example.org", "example.ORG"),
    ],
)
def test_a_host_that_an_earlier_one_takes(earlier, later):
    [finding] = host_findings([earlier, later])

    assert finding.where == f"WSGIMATCH_VIRTUAL_HOSTS[{later!r}]"
    assert finding.hint == f"Move it before {earlier!r}."
    empty = AliasTable([])
    hosts = {earlier: AliasTable([]), later: AliasTable([])}
    table = AliasTable([], virtual_hosts=hosts)
    assert table.for_host(later.removeprefix(".")) is hosts[earlier] is not empty


@pytest.mark.parametrize(
    "hosts",
    [
        pytest.param(["example.org", ".example.org", "*"], id="the special case first"),
        pytest.param(["localhost", "127.0.0.1", "[::1]"], id="addresses"),
        pytest.param(["under_score.example", "EXAMPLE.org"], id="odd but possible"),
        pytest.param(["a.example.org", "b.example.org", ".example.net"], id="others"),
    ],
)
def test_hosts_that_answer(hosts):
    assert list(host_findings(hosts)) == []
