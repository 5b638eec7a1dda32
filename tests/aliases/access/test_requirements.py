from __future__ import annotations

import pytest

from django_wsgimatch.aliases.access.requirements import Demand, contain, parse_demand
from django_wsgimatch.exceptions import DirectiveError


@pytest.mark.parametrize(
    ("line", "demand"),
    [
        pytest.param("all granted", Demand("all", ("granted",), is_granted=True), id="all granted"),
        pytest.param("all Denied", Demand("all", ("denied",)), id="all denied"),
        pytest.param("Require user ann", Demand("user", ("ann",)), id="with its Require"),
        pytest.param('user "h i" gus', Demand("user", ("h i", "gus")), id="a name with a blank"),
        pytest.param("not group a", Demand("group", ("a",), is_negated=True), id="negated"),
        pytest.param("valid-user x", Demand("valid-user"), id="words that Apache passes over"),
        pytest.param("method GET HEAD", Demand("method", ("GET", "HEAD")), id="methods"),
    ],
)
def test_a_line_is_read_as_apache_reads_it(line, demand):
    assert parse_demand(line) == demand


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(
            "all", "Argument for 'Require all' must be 'granted' or 'denied'", id="all of what"
        ),
        pytest.param("ip", "'require ip' requires an argument", id="no address"),
        pytest.param("ip x", "ip address 'x' appears to be invalid", id="a name for an address"),
        pytest.param("method get", "Invalid Method 'get'", id="a method in lower case"),
        pytest.param("user", "'Require user' should name at least one user", id="no user"),
        pytest.param(
            "user %{X}", "'%{X}' in 'Require user' is not the name of a user", id="an expression"
        ),
        pytest.param(
            "host a#b", "'a#b' in 'Require host' is not the name of a host", id="a comment"
        ),
        *(
            pytest.param(
                line,
                f"Require {line.removeprefix('not ')!r} cannot be asked here; there are all, ip, "
                "host, local, method, user, valid-user and group. Until something takes its "
                "place, write 'all denied'",
                id=line,
            )
            for line in ("env x", "expr true", "ldap-user ann", "not not ip 10", "IP 10")
        ),
    ],
)
def test_what_cannot_be_asked_is_refused_and_never_passed_over(line, message):
    with pytest.raises(DirectiveError) as caught:
        parse_demand(line)

    assert str(caught.value) == message


NOT, GRANTED = parse_demand("not ip 10"), parse_demand("all granted")


@pytest.mark.parametrize(
    ("kind", "members", "message"),
    [
        pytest.param(
            "all", [], "<RequireAll> directive contains no authorization directives", id="empty"
        ),
        pytest.param(
            "any",
            [GRANTED, NOT],
            "negative Require directive has no effect in <RequireAny> directive",
            id="not among alternatives",
        ),
        pytest.param(
            "any",
            [contain("none", [GRANTED])],
            "<RequireNone> directive has no effect in <RequireAny> directive",
            id="none of, among alternatives",
        ),
        pytest.param(
            "all",
            [NOT, contain("none", [GRANTED])],
            "<RequireAll> directive contains only negative authorization directives: "
            "add 'all granted' to it",
            id="nobody could be let in",
        ),
    ],
)
def test_containers_that_apache_refuses(kind, members, message):
    with pytest.raises(DirectiveError) as caught:
        contain(kind, members)

    assert str(caught.value) == message


def test_a_container_says_what_it_demands():
    container = contain("any", [parse_demand("local"), contain("all", [GRANTED, NOT])])

    assert str(container) == "any of (local, all of (all granted, not ip 10))"
