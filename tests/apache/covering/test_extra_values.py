from __future__ import annotations

import pytest

from django_wsgimatch.aliases.alias import HeaderChange
from django_wsgimatch.aliases.lines.expiry import SinceChange
from django_wsgimatch.apache.covering.extra_values import (
    Left,
    extras_given_by,
    fixed_text,
)
from django_wsgimatch.apache.lines.directive import Directive, Spot
from django_wsgimatch.apache.lines.environment import OwnVariable
from django_wsgimatch.exceptions import DirectiveError


def values(line: str) -> list[object]:
    """What a line gives."""
    name, _, rest = line.partition(" ")
    given = extras_given_by(Directive(name, rest, Spot("site.conf", 1)))
    return [each.value for each in given.values()]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param("SetEnv TZ UTC", [("TZ", "UTC")], id="a variable"),
        pytest.param('SetEnv TZ ""', [("TZ", "")], id="an empty one"),
        pytest.param("SetEnv TZ", [("TZ", "")], id="one without a value"),
        pytest.param("SetEnv nokeepalive 1", [], id="one of Apache's own"),
        pytest.param("UnsetEnv A B", [None, None], id="two that are taken back"),
        pytest.param("PassEnv A", [("A", OwnVariable("A"))], id="one of Apache's environment"),
        pytest.param("ExpiresDefault M60", [SinceChange(60)], id="from a file's change on"),
        pytest.param("ExpiresByType Text/CSS A5", [5], id="by type"),
        pytest.param("AddDefaultCharset On", ["iso-8859-1"], id="Apache's own charset"),
        pytest.param("AddDefaultCharset off", [None], id="no charset"),
        pytest.param("LimitRequestBody 10", [10], id="a limit"),
        pytest.param("LimitRequestBody 0", [None], id="no limit"),
        pytest.param("Header set X-A b", [HeaderChange("set", "X-A", "b")], id="a header"),
        pytest.param("header SET X-A: b", [HeaderChange("set", "X-A", "b")], id="with a colon"),
        pytest.param(
            "Header always unset X-A",
            [HeaderChange("unset", "X-A", always=True)],
            id="one that is taken away from errors, too",
        ),
        pytest.param(
            "Header onsuccess append Vary Cookie",
            [HeaderChange("append", "Vary", "Cookie")],
            id="the usual condition",
        ),
        pytest.param(
            "Header set Content-Type text/css",
            [HeaderChange("set", "Content-Type", "text/css")],
            id="a whole type",
        ),
    ],
)
def test_a_directive_gives(line, found):
    assert values(line) == found


@pytest.mark.parametrize(
    ("line", "category"),
    [
        pytest.param("SetEnv SERVER_NAME x", "not needed", id="what Apache sets itself"),
        pytest.param("SetEnv wsgi.input x", "needs you", id="a name of WSGI's"),
        pytest.param("SetEnv A=b x", "needs you", id="a name with an equals sign"),
        pytest.param('Header set X-A "%{UNIQUE_ID}e"', "needs you", id="a variable's value"),
        pytest.param('Header set X-A "%t"', "needs you", id="a time"),
        pytest.param('Header set X-A "expr=%{HTTPS}"', "needs you", id="an expression"),
        pytest.param(r'Header set X-A "a\\nb"', "needs you", id="a line break"),
        pytest.param("Header set X-A b env=x", "needs you", id="a condition"),
        pytest.param("Header unset X-A early", "needs you", id="before the request is answered"),
        pytest.param("Header edit X-A a b", "needs you", id="an edit"),
        pytest.param("Header echo ^X", "needs you", id="an echo"),
        pytest.param("Header set X[A] b", "needs you", id="no name of a header"),
        pytest.param("Header set Connection close", "needs you", id="about the connection"),
        pytest.param("Header set Content-Length 1", "needs you", id="the length"),
        pytest.param("Header append Content-Type x", "needs you", id="a part of a type"),
        pytest.param("Header set Content-Type text/html", "needs you", id="a type for a charset"),
        pytest.param("Header always set WWW-Authenticate x", "needs you", id="a challenge"),
        pytest.param("Header unset Server", "not needed", id="what the server sends"),
        pytest.param('ExpiresDefault "now plus 100 years"', "needs you", id="beyond 31 bits"),
        pytest.param(f"ExpiresDefault A{'9' * 5000}", "needs you", id="thousands of digits"),
        pytest.param("SetEnv \xff x", "needs you", id="a name that is no text"),
        pytest.param('ExpiresByType a/b "now plus 100 years"', "needs you", id="by type, too"),
        pytest.param("PassEnv SERVER_NAME", "not needed", id="what Apache sets itself, passed"),
        pytest.param('AddDefaultCharset "a b"', "needs you", id="no name of a charset"),
    ],
)
def test_a_directive_that_no_option_says_has_a_reason(line, category):
    [found] = values(line)

    assert isinstance(found, Left)
    assert (found.category, bool(found.reason)) == (category, True)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("SetEnv", id="a variable without a name"),
        pytest.param("SetEnv A b c", id="a variable with two values"),
        pytest.param("Header", id="nothing"),
        pytest.param("Header always", id="a condition alone"),
        pytest.param("Header set X-A", id="no value"),
        pytest.param("Header unset", id="no name"),
        pytest.param("Header frob X-A b", id="an unknown action"),
        pytest.param("AddDefaultCharset", id="no charset"),
        pytest.param("ExpiresActive maybe", id="neither on nor off"),
        pytest.param("ExpiresDefault access plus 5", id="several words"),
        pytest.param("ExpiresByType text/css", id="a type alone"),
        pytest.param("ExpiresByType css A5", id="a type without a slash"),
        pytest.param("LimitRequestBody -1", id="a negative limit"),
        pytest.param("LimitRequestBody 5K", id="a limit with a unit"),
        pytest.param(f"LimitRequestBody {'9' * 5000}", id="a limit of thousands of digits"),
    ],
)
def test_what_apache_refuses_is_refused(line):
    with pytest.raises(DirectiveError):
        values(line)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param("plain", "plain", id="text"),
        pytest.param("100%% sure", "100% sure", id="a percent sign"),
        pytest.param("100%", "100%", id="one at the end"),
        pytest.param(r"a\tb\\c\d", "a\tb\\c\\d", id="escapes"),
        pytest.param("%%{x}e", "%{x}e", id="no variable"),
        pytest.param("%{x}e", None, id="a variable"),
        pytest.param("a %D b %", None, id="a duration"),
    ],
)
def test_a_header_s_value_is_fixed_or_not(value, found):
    assert fixed_text(value) == found
