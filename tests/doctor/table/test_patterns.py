from __future__ import annotations

import pytest

from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.doctor.findings.finding import Subject
from django_wsgimatch.doctor.table.patterns import Timing, pattern_findings


def found(directive):
    table = AliasTable.from_directives([directive])
    return list(pattern_findings(Subject("entry", directive, table, 0), Timing()))


def ids(directive):
    return [finding.id for finding in found(directive)]


@pytest.mark.parametrize(
    "directive",
    [
        pytest.param("WSGIScriptAlias /blog x.wsgi", id="plain"),
        pytest.param("WSGIScriptAlias /blog x.wsgi/$", id="plain with a dollar sign"),
        pytest.param("WSGIScriptAliasMatch ^/(a|b) x.wsgi/$1", id="branches inside"),
        pytest.param("WSGIScriptAliasMatch ^/a|^/b x.wsgi", id="all branches anchored"),
        pytest.param("WSGIScriptAliasMatch ^/a$|^/b$ x.wsgi", id="all branches anchored twice"),
        pytest.param("WSGIScriptAliasMatch (^/a$|^/(b|c$)$) x.wsgi", id="anchored in a group"),
        pytest.param("WSGIScriptAliasMatch ^/(.*)$ x.wsgi/$0$1", id="group 0"),
        pytest.param(r"WSGIScriptAliasMatch ^/a x.wsgi/\\$1", id="escaped dollar sign"),
        pytest.param(r"WSGIScriptAliasMatch \.cgi$ x.wsgi", id="an ending"),
        pytest.param("WSGIScriptAliasMatch [ab]/x x.wsgi", id="begins with no slash"),
        pytest.param("WSGIScriptAliasMatch .*/blog x.wsgi", id="meant anywhere"),
        pytest.param(r"WSGIScriptAliasMatch ^/a\.wsgi x.wsgi", id="escaped dot"),
        pytest.param("WSGIScriptAliasMatch ^/a.+html x.wsgi", id="repeated dot"),
        pytest.param("WSGIScriptAliasMatch ^/a.pyramid x.wsgi", id="no extension"),
        pytest.param("WSGIScriptAliasMatch ^/(?:) x.wsgi", id="empty group"),
        pytest.param("WSGIScriptAliasMatch ^/(a) x$10.wsgi", id="a zero behind the only group"),
        pytest.param(r"WSGIScriptAliasMatch ^/(a) 'x/\\\$1'", id="escaped backslash"),
        pytest.param(r"WSGIScriptAliasMatch ^/a x\1.wsgi", id="backslash without groups"),
    ],
)
def test_nothing_to_say(directive):
    assert ids(directive) == []


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        pytest.param("WSGIScriptAlias /a x.wsgi/$1", ["W001"], id="plain fills in nothing"),
        pytest.param("WSGIScriptAliasMatch ^/a x/$1", ["W001"], id="no group"),
        pytest.param("WSGIScriptAliasMatch ^/(a)(b) x/$3$4", ["W001"], id="two groups too few"),
        pytest.param("WSGIScriptAliasMatch ^/.*a.*b$ x", ["W002"], id="polynomial"),
        pytest.param("WSGIScriptAliasMatch /a x", ["W003"], id="searched for"),
        pytest.param("WSGIScriptAliasMatch (/a|/b) x", ["W003"], id="searched for, branches"),
        pytest.param("WSGIScriptAliasMatch ^/a|/b x", ["W004"], id="start of one branch"),
        pytest.param("WSGIScriptAliasMatch ^/a|^/b$ x", ["W004"], id="end of one branch"),
        pytest.param("WSGIScriptAliasMatch ^/a.wsgi$ x", ["W005"], id="dot before an extension"),
        pytest.param("WSGIScriptAliasMatch ^/(a.php|b)/ x", ["W005"], id="dot in a group"),
        pytest.param(f"WSGIScriptAliasMatch ^/{'(a)' * 10} x/$10", ["W031"], id="the tenth group"),
        pytest.param(r"WSGIScriptAliasMatch ^/(a) x/\1", ["W031"], id="as Python writes it"),
        pytest.param("WSGIScriptAliasMatch ^/(a) x/${1}", ["W031"], id="as nginx writes it"),
    ],
)
def test_something_to_say(directive, expected):
    assert ids(directive) == expected


@pytest.mark.parametrize(
    ("pattern", "uri"),
    [
        pytest.param(r"/blog/(\d+)$", "/x/y/blog/0", id="behind another path"),
        pytest.param("(/a|/x)/b$", "/x/y/a/b", id="one that does not begin as the example"),
        pytest.param("^(/a)|(/b/.+)$", "/x/y/b/a", id="the branch without ^"),
        pytest.param("^/a$|^/b", "/bx", id="the branch without $"),
        pytest.param("^/([a-z].php|b)/", "/a_php/", id="another character than a dot"),
    ],
)
def test_example_is_a_url_that_was_hardly_meant(pattern, uri):
    [finding] = found(f"WSGIScriptAliasMatch {pattern} x.wsgi")

    assert f"'{uri}'" in finding.message


def test_without_an_example_none_is_shown():
    [finding] = found("WSGIScriptAliasMatch (/x|/xy). x.wsgi")

    assert finding.message.endswith("it also matches behind another path.")


def test_pattern_that_is_too_large_to_be_tested():
    found = ids(f"WSGIScriptAliasMatch ^/{'(?:a.*b)?' * 150}$ x")

    assert found == ["W002"]
