from __future__ import annotations

import pytest

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.patterns.pattern import Pattern
from django_wsgimatch.aliases.table import AliasTable, Match, compile_location
from django_wsgimatch.exceptions import DirectiveError, TableError

TWO_ARGUMENTS = (
    "WSGIScriptAlias requires at least two arguments, Map location to target WSGI script file."
)
NOT_COMPILED = "Regular expression could not be compiled."


def filename(table, uri):
    match = table.match(uri)
    return match and match.filename


def test_match_of_a_plain_alias():
    alias = Alias("/app", "/x.wsgi")

    match = AliasTable([Alias("/other", "/o"), alias]).match("/app/y")

    assert match == Match(1, alias, "/app/y", 4, (), "/x.wsgi/y")


def test_match_of_a_match_alias():
    alias = Alias("^/(app|api)(/v1)?/(b)", "/d/$1.wsgi", "match")

    match = AliasTable([alias]).match("/app/b/c")

    assert match == Match(0, alias, "/app/b/c", 6, ("app", "", "b"), "/d/app.wsgi/c")


@pytest.mark.parametrize(
    ("aliases", "uri", "expected"),
    [
        pytest.param([("/a", "/1"), ("/a/b", "/2")], "/a/b", "/1/b", id="first, not longest"),
        pytest.param([("/app", "/1")], "/apps", None, id="a whole segment"),
        pytest.param([("/app", "/1")], "/app;v=1", None, id="a parameter is no end"),
        pytest.param([("/app/", "/1")], "/app", None, id="a slash at the end is wanted"),
        pytest.param([("/App", "/1")], "/app", None, id="case counts"),
        pytest.param([("app", "/1")], "/app", None, id="an alias without slash never matches"),
        pytest.param([("/a//b", "/1")], "/a/b/c", "/1/c", id="runs of slashes match"),
        pytest.param([("/", "/1")], "/a", "/1/a", id="the root takes all"),
        pytest.param([("$1", "/1")], "/$1", None, id="no pattern in a plain alias"),
        pytest.param([("/a", "/$1&\\a")], "/a", "/$1&\\a", id="nothing is substituted in plain"),
    ],
)
def test_plain(aliases, uri, expected):
    table = AliasTable(Alias(*alias) for alias in aliases)

    found = filename(table, uri)

    assert found == expected


@pytest.mark.parametrize(
    ("pattern", "target", "uri", "expected"),
    [
        pytest.param("bar", "/x", "/foobar/y", "/x/y", id="searched, text before it dropped"),
        pytest.param("^", "/x", "/a", None, id="a match that ends at 0 does not count"),
        pytest.param("$", "/x", "/a", "/x", id="an empty match at the end counts"),
        pytest.param("^/", "/x", "/a", "/x/a", id="the whole uri behind a single slash"),
        pytest.param("^/w/([^/]+)", "/d/$1.wsgi", "/w/a.txt/b", "/d/a.txt.wsgi/b", id="captures"),
        pytest.param("^/app/(\\w+)", "/d/$1.wsgi", "/app/a.txt", "/d/a.wsgi.txt", id="the rest"),
        pytest.param("^/a$", "/x", "/a\n", None, id="a dollar is the very end"),
    ],
)
def test_pattern(pattern, target, uri, expected):
    table = AliasTable([Alias(pattern, target, "match")])

    found = filename(table, uri)

    assert found == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        pytest.param(65535, 65537, id="the longest that is kept"),
        pytest.param(65536, 0, id="one more is thrown away, the rest of the uri with it"),
    ],
)
def test_long_substitution(length, expected):
    table = AliasTable([Alias("^/(a+)", "/$1", "match")])

    found = filename(table, "/" + "a" * (length - 1) + "/b")

    assert len(found) == expected


def test_table_without_aliases_matches_nothing():
    match = AliasTable([]).match("/")

    assert match is None


def test_from_directives():
    table = AliasTable.from_directives(
        [
            "# the shop",
            "WSGIScriptAlias /shop \\",
            "  ${ROOT}/shop.wsgi",
            "",
            "WSGIScriptAlias / /x",
        ],
        variables={"ROOT": "/srv"},
    )

    assert table.aliases == (Alias("/shop", "/srv/shop.wsgi"), Alias("/", "/x"))


def test_from_directives_reports_everything_at_once():
    lines = [
        "WSGIScriptAlias /a /x",
        "WSGIScriptAlias /b",
        "# a comment does not count",
        "WSGIScriptAliasMatch ( /x",
        "WSGIScriptAlias /c /x process-group=blue application-group=g",
    ]

    with pytest.raises(TableError) as caught:
        AliasTable.from_directives(lines, process_groups=["red"])

    assert str(caught.value).split("\n") == [
        f"entry 1: {TWO_ARGUMENTS}",
        f"entry 2: {NOT_COMPILED}",
        "entry 3: WSGI process group not yet configured.",
    ]
    assert [position for position, _ in caught.value.errors] == [1, 2, 3]


def test_table_reports_everything_at_once():
    aliases = [
        Alias("(", "/x", "match"),
        Alias("/", "/x"),
        Alias("/", "/x", "plain", "blue", "g"),
    ]

    with pytest.raises(TableError) as caught:
        AliasTable(aliases, process_groups=[])

    assert str(caught.value) == (
        f"entry 0: {NOT_COMPILED}\nentry 2: WSGI process group not yet configured."
    )


def test_compile_location_of_a_pattern():
    location = compile_location(Alias("^/(a)", "/x", "match"))

    assert isinstance(location, Pattern)
    assert (location.source, location.groups) == ("^/(a)", 1)


def test_compile_location_of_a_plain_alias_is_its_text():
    location = compile_location(Alias("(", "/x"))

    assert location == "("


def test_compile_location_refuses_in_the_words_of_apache():
    with pytest.raises(DirectiveError, match=rf"^{NOT_COMPILED}$"):
        compile_location(Alias("(", "/x", "match"))


HOSTS = {
    "shop.example": AliasTable([Alias("/", "/shop")]),
    ".example": AliasTable([Alias("/", "/example")]),
    "[::1]": AliasTable([Alias("/", "/six")]),
}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        pytest.param("shop.example", "/shop/", id="the host"),
        pytest.param("SHOP.example.:8080", "/shop/", id="capitals, a dot and a port"),
        pytest.param("www.example", "/example/", id="the first pattern that fits"),
        pytest.param("[::1]:8000", "/six/", id="IPv6"),
        pytest.param("other.test", "/own/", id="no virtual host"),
        pytest.param("", "/own/", id="no host at all"),
    ],
)
def test_virtual_host(host, expected):
    table = AliasTable([Alias("/", "/own")], virtual_hosts=HOSTS)

    found = filename(table.for_host(host), "/")

    assert found == expected


def test_table_without_virtual_hosts_is_every_hosts():
    table = AliasTable([])

    assert table.for_host("shop.example") is table


def test_document_root_is_tried_after_scripts():
    table = AliasTable.from_directives(
        ["DocumentRoot /srv/html", "WSGIScriptAlias /app /srv/a.wsgi", "Alias /f /srv/f"]
    )

    assert table.order == (2, 1, 0)
    found = [table.match(uri) for uri in ("/x/y.txt", "/app/x", "/f/x")]
    assert [each and each.filename for each in found] == [
        *("/srv/html/x/y.txt", "/srv/a.wsgi/x", "/srv/f/x")
    ]
