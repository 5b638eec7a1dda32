from __future__ import annotations

import pytest

from django_wsgimatch import access, access_match, basic, rules, script_alias, script_alias_match
from tests.doctor import tables

OWN = rules(require="local")


@pytest.fixture
def found(settings, tmp_path):
    def ask(entry, *sections):
        (tmp_path / "x.wsgi").write_text("def application(environ, start_response): ...\n")
        settings.WSGIMATCH_ACCESS = [*sections]
        return tables.found(settings, tmp_path, [entry])

    return ask


@pytest.mark.parametrize(
    ("own", "section", "lost"),
    [
        pytest.param(
            OWN, access("/", require="all granted"), "Require local", id="another requirement"
        ),
        pytest.param(OWN, access("/a", require="ip 10"), "Require local", id="the same location"),
        pytest.param(
            rules(deny="all", require="local"),
            access("/", order="deny,allow", allow="all"),
            "Order deny,allow; Deny from all",
            id="the hosts alone",
        ),
        pytest.param(
            rules(require_ssl=True),
            access("/", require_ssl=False),
            "SSLRequireSSL",
            id="that it is encrypted",
        ),
        pytest.param(
            rules(allow_methods="GET"),
            access("/", allow_methods="GET POST"),
            "AllowMethods GET",
            id="the methods that are allowed",
        ),
    ],
)
def test_a_section_that_replaces_what_an_entry_says(found, own, section, lost):
    [finding] = found(script_alias("/a", "x.wsgi", access=own), access("/b", deny="1"), section)

    assert (finding.id, finding.where) == ("W089", "WSGIMATCH_ALIASES[0]")
    assert finding.message == (
        f"nobody who asks for '/a' meets this part of its access: {lost}. WSGIMATCH_ACCESS[1] "
        "holds for all its URLs and replaces it, as in Apache a <Location> replaces what a "
        "<Directory> says."
    )


def test_a_pattern_has_the_sections_of_all_urls_alone(found):
    own = script_alias_match("^/a", "x.wsgi", access=OWN)

    ids = [[each.id for each in found(own, access(at, require="ip 10"))] for at in ("/", "/a")]

    assert ids == [["W089"], []]


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param([access("/a/b", require="all granted")], id="some of its urls"),
        pytest.param([access("/ab", require="all granted")], id="other urls"),
        pytest.param([access_match("^/a", require="all granted")], id="a pattern"),
        pytest.param([access("/", require_ssl=True)], id="something else"),
        pytest.param([access("/", require="local")], id="the same"),
        pytest.param([access("/", allow_methods="GET")], id="the methods alone"),
        pytest.param([access("/", require="ip 10", auth_merging="and")], id="one that adds to it"),
        pytest.param([access("/", require="ip 10", host="other.test")], id="another host"),
        pytest.param(
            [access("/", require="ip 10"), access("/a", auth_merging="and")],
            id="one that takes it in again",
        ),
    ],
)
def test_nothing_is_said_where_the_entry_is_asked(found, sections):
    assert found(script_alias("/a", "x.wsgi", access=OWN), *sections) == []


def test_an_entry_that_lets_everybody_in(found, tmp_path):
    login = basic("x", users=tmp_path / "users")
    (tmp_path / "users").touch(0o600)

    [finding] = found(
        script_alias("/a", "x.wsgi", access=rules(satisfy="any", auth=login, require="valid-user"))
    )

    assert (finding.id, finding.where) == ("W082", "WSGIMATCH_ALIASES[0]")
