from __future__ import annotations

import pytest

from django_wsgimatch import access, access_match
from django_wsgimatch.doctor.access.section_findings import (
    DiagnosedSection,
    address_findings,
    section_findings,
)
from django_wsgimatch.doctor.processes.serving import SettingValue
from django_wsgimatch.entry_options.access import to_section

SOCKET = SettingValue("unix:/run/socket", "gunicorn.conf.py")


def diagnosed(*entries):
    return [DiagnosedSection("A", to_section(each, str)) for each in entries]


def ids_of(*entries):
    found = section_findings(diagnosed(*entries), merge_slashes=True, allow_exponential=False)
    return [each.id for each in found]


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(access("/a//b", require="local"), id="two slashes"),
        pytest.param(access("/a/./b", require="local"), id="a dot"),
        pytest.param(access("/a/..", require="local"), id="a climb"),
        pytest.param(access_match("^a", require="local"), id="a pattern without a slash"),
        pytest.param(access_match("^/a$b", require="local"), id="a pattern that goes on"),
    ],
)
def test_a_section_that_no_url_reaches(entry):
    assert ids_of(entry) == ["W081"]


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(access("/", require="local"), id="all"),
        pytest.param(access("/a/", require="local"), id="a folder"),
        pytest.param(access("/a.b/..c", require="local"), id="dots in names"),
        pytest.param(access_match("^(?!/b)", require="local"), id="an empty match"),
        pytest.param(access_match("\\.php$", require="local"), id="an ending"),
        pytest.param(
            access("/a", deny="all", satisfy="any", require="local"), id="satisfy and deny"
        ),
        pytest.param(
            access("/a", order="allow,deny", satisfy="any", require="local"), id="satisfy and order"
        ),
        pytest.param(access("/a", satisfy="all", require="local"), id="satisfy all"),
    ],
)
def test_nothing_is_said_of_good_sections(entry):
    assert ids_of(entry) == []


@pytest.mark.parametrize(
    "more", [{}, {"deny": "10"} | {"allow": "all"}, {"order": "deny,allow"}], ids=str
)
def test_satisfy_any_that_lets_everybody_in(more):
    assert ids_of(access("/a", satisfy="any", require="valid-user", **more)) == ["W082"]


@pytest.mark.parametrize(
    ("entry", "bind", "values", "ids"),
    [
        pytest.param(access("/a", require="ip 10"), SOCKET, {}, ["W083"], id="ip on a socket"),
        pytest.param(access("/a", deny="10"), SOCKET, {}, ["W083"], id="deny on a socket"),
        pytest.param(access("/a", deny="all"), SOCKET, {}, [], id="all need no address"),
        pytest.param(access("/a", require="valid-user"), SOCKET, {}, [], id="a user"),
        pytest.param(access("/a", require="ip 10"), None, {}, [], id="where it listens is unknown"),
        pytest.param(
            access("/a", require="ip 10"),
            *(SettingValue("127.0.0.1:8000", "x"), {}, []),
            id="a port",
        ),
        pytest.param(
            access("/a", require="ip 10"),
            *(SOCKET, {"TRUSTED_PROXIES": ["unix"]}, []),
            id="somebody says whose address it is",
        ),
    ],
)
def test_rules_for_addresses_where_there_are_none(entry, bind, values, ids):
    assert [each.id for each in address_findings(diagnosed(entry), bind, values)] == ids
