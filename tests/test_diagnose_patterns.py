from __future__ import annotations

import pytest

from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.diagnose.patterns import pattern_findings
from django_wsgimatch.diagnose.subject import Subject


def ids(directive, allow_exponential=False):
    table = AliasTable.from_directives([directive], allow_exponential=allow_exponential)
    return [finding.id for finding in pattern_findings(Subject("entry", directive, table, 0))]


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
    ],
)
def test_something_to_say(directive, expected):
    assert ids(directive) == expected


def test_pattern_that_is_too_large_to_be_tested():
    found = ids(f"WSGIScriptAliasMatch ^/{'(?:a.*b)?' * 150}$ x")

    assert found == ["W002"]
