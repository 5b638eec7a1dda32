"""What may stand in WSGIMATCH_ACCESS, and what is said of what may not."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import pytest

from django_wsgimatch import access, access_match, all_of, any_of, basic, none_of
from django_wsgimatch.aliases.access.requirements import Demands, parse_demand
from django_wsgimatch.aliases.access.rules import AccessRules, Login
from django_wsgimatch.aliases.access.sections import AccessSection
from django_wsgimatch.answers.access import passwords
from django_wsgimatch.conf import configuration
from django_wsgimatch.entry_options.access import to_section
from django_wsgimatch.entry_options.said_access import said_section
from django_wsgimatch.exceptions import DirectiveError
from tests.conformance.made.random_sections import random_section


def section(entry: Any) -> AccessSection:
    return to_section(entry, lambda path: f"/base/{path!s}")


def test_a_section_says_what_apache_s_lines_would():
    made = section(
        access(
            "/trac",
            require_ssl=True,
            order="allow,deny",
            allow="all",
            deny=["10.0.0.0/8", "example.org"],
            satisfy="any",
            limit="GET POST",
            allow_methods=["GET", "PUT"],
            auth=basic("Trac", users="users"),
            require=["user ann", all_of("local", any_of("ip 10", "method GET"), none_of("ip 11"))],
        )
    )

    assert (made.directive, made.location) == ("Location", "/trac")
    assert list(made.rules.lines()) == [
        "SSLRequireSSL",
        "AllowMethods GET PUT",
        "Order allow,deny (for GET POST only)",
        "Allow from all (for GET POST only)",
        "Deny from 10.0.0.0/8 example.org (for GET POST only)",
        "Satisfy any (for GET POST only)",
        'Basic "Trac", users in /base/users',
        (
            "Require any of (user ann, all of (local, any of (ip 10, method GET), none of (ip 11)))"
            " (for GET POST only)"
        ),
    ]


def test_text_stands_for_its_utf_8_bytes():
    made = section(access_match("^/ä", auth=basic("Räume"), require="user röbi"))

    assert (made.directive, made.location) == ("LocationMatch", "^/\xc3\xa4")
    assert made.rules.login.realm == "R\xc3\xa4ume"
    assert list(made.rules.lines())[-1] == "Require user r\xc3\xb6bi"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param("/a", "'/a' should be access(...) or access_match(...)", id="text"),
        pytest.param(
            access("/a"),
            "it says nothing: add require=..., auth=... or another option",
            id="nothing",
        ),
        pytest.param(
            access("a", require="local"), "the location 'a' should begin with '/'", id="no slash"
        ),
        pytest.param(
            access("/a", allow_methods="get"),
            "Invalid Method 'get'",
            id="a method in small letters",
        ),
        pytest.param(
            access("/a*", require="local"),
            "the location '/a*' contains '*', which Apache takes for a wildcard: write "
            "access_match() and a pattern",
            id="a wildcard",
        ),
        pytest.param(
            access("", require="local"), "the location should be non-empty text, not ''", id="empty"
        ),
        pytest.param(
            access("/a", require=1),  # type: ignore[arg-type]
            "require should be Apache's words, all_of(), any_of(), none_of() or a list of them, "
            "not 1",
            id="a number",
        ),
        pytest.param(
            access("/a", require=["local", "not ip 10"]),
            "negative Require directive has no effect in <RequireAny> directive",
            id="a negation that does nothing",
        ),
        pytest.param(
            access("/a", require=all_of()),
            "<RequireAll> directive contains no authorization directives",
            id="nothing in all_of()",
        ),
        pytest.param(
            access("/a", require=[]),
            "<RequireAny> directive contains no authorization directives",
            id="an empty list",
        ),
        pytest.param(
            access("/a", require="all granted\nall denied"),
            "require 'all granted\\nall denied' contains a character that cannot be printed",
            id="two lines",
        ),
        pytest.param(
            access("/a", auth="basic"),  # type: ignore[arg-type]
            "auth should be basic(...) or 'none', not 'basic'",
            id="a word for a login",
        ),
        pytest.param(
            access("/a", auth=basic("a\r\nX: y")),
            "the realm 'a\\r\\nX: y' contains a control character",
            id="a realm with another header",
        ),
        pytest.param(
            access("/a", auth=basic(users="")),
            "the file of users should be non-empty text, not ''",
            id="an empty path",
        ),
        pytest.param(
            access("/a", order="allow"),  # type: ignore[arg-type]
            "unknown order 'allow'; there are deny,allow, allow,deny, mutual-failure",
            id="an order",
        ),
        pytest.param(
            access("/a", require="local", limit="GET FOO"),
            "Invalid Method 'FOO'",
            id="an unknown method",
        ),
        pytest.param(
            access("/a", require="local", limit_except=[]),
            "limit_except should be methods such as 'GET POST', not []",
            id="no methods",
        ),
        pytest.param(
            access("/a", require="local", limit="TRACE"),
            "TRACE cannot be controlled by <Limit>, see TraceEnable",
            id="TRACE",
        ),
        pytest.param(
            access("/a", require="local", limit=7),  # type: ignore[arg-type]
            "limit should be methods such as 'GET POST', not 7",
            id="a number for methods",
        ),
        pytest.param(
            access("/a", require="local", limit="GET", limit_except="PUT"),
            "limit and limit_except exclude each other",
            id="both limits",
        ),
        pytest.param(
            access("/a", auth="none", limit="GET"),
            "limit says what require, order, allow, deny and satisfy are for: add one of them",
            id="a limit of nothing",
        ),
        pytest.param(
            access("/a", satisfy="some"),  # type: ignore[arg-type]
            "Satisfy either 'any' or 'all'.",
            id="satisfy",
        ),
        pytest.param(
            access("/a", auth_merging="xor"),  # type: ignore[arg-type]
            "AuthMerging must be one of: Off | And | Or",
            id="merging",
        ),
        pytest.param(
            access("/a", allow="env=ok"),
            "'env=ok' cannot be asked here: no SetEnvIf has set a variable",
            id="a variable",
        ),
        pytest.param(
            access("/a", deny="example.org/8"), "An IP address was expected", id="a name with bits"
        ),
        pytest.param(
            access("/a", require_ssl="yes"),  # type: ignore[arg-type]
            "require_ssl should be True or False, not 'yes'",
            id="require_ssl",
        ),
        pytest.param(
            access("/a", require="local", host=""),
            "host should be a pattern of hosts, or a list of some, not ''",
            id="host",
        ),
        pytest.param(
            access("/a", require="local", host=[]),
            "host should be a pattern of hosts, or a list of some, not []",
            id="no hosts",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(entry, message):
    with pytest.raises(DirectiveError) as caught:
        section(entry)

    assert str(caught.value) == message


def test_an_unknown_option_is_refused_where_it_is_written():
    with pytest.raises(TypeError, match="requires"):
        access("/a", requires="local")  # type: ignore[call-arg]


def test_every_mistake_of_the_setting_is_told_by_its_place(settings):
    settings.WSGIMATCH_ACCESS = [
        access("/a", require="local"),
        access("/b", require="locale"),
        access_match("(", require="local"),
        "/c",
    ]

    read = configuration()

    assert [each.where for each in read.problems] == [f"WSGIMATCH_ACCESS[{n}]" for n in (1, 2, 3)]
    assert [each.location for each in read.access] == ["/a"]


def test_a_login_without_the_extra_is_told_with_the_cure(settings, monkeypatch):
    monkeypatch.setattr("django_wsgimatch.conf.are_installed", lambda: False)
    settings.WSGIMATCH_ACCESS = [access("/a", auth=basic("x", users="users"), require="valid-user")]

    [problem] = configuration().problems

    assert str(problem) == f"WSGIMATCH_ACCESS[0]: {passwords.NOT_INSTALLED}"


def test_addresses_need_no_extra(settings, monkeypatch):
    monkeypatch.setattr("django_wsgimatch.conf.are_installed", lambda: False)
    settings.WSGIMATCH_ACCESS = [access("/a", require="ip 10")]

    assert configuration().problems == ()


@pytest.mark.parametrize("seed", range(60))
def test_the_entry_that_says_a_section_is_read_as_that_section(seed):
    entry = random_section(Random(seed), None).entry
    meant = section(entry)

    said = said_section(meant)

    assert said is not None
    assert to_section(said, to_latin_1) == meant


def to_latin_1(path):
    return os.fsencode(path).decode("latin-1")


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(AccessRules(), id="nothing"),
        pytest.param(AccessRules(login=Login(realm="x")), id="half of a login"),
        pytest.param(AccessRules(login=Login("Basic", "a\nb")), id="a line break"),
        pytest.param(
            AccessRules(Demands("all", (parse_demand("all granted"),))),
            id="a container of another kind",
        ),
    ],
)
def test_what_no_entry_can_say_has_none(rules):
    assert said_section(AccessSection("/", rules)) is None
