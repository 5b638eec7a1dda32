from __future__ import annotations

from random import Random

import pytest

from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.doctor.uris import hidden_aliases
from django_wsgimatch.doctor.uris.hidden_aliases import (
    OftenTaken,
    Unreachable,
    example_uris,
    often_taken,
    unreachable,
)


def judged(*lines, merge_slashes=True):
    table = AliasTable.from_directives(f"WSGIScriptAlias{line} x.wsgi" for line in lines)
    return [
        found
        for position in range(len(lines))
        if (found := unreachable(table, position, merge_slashes=merge_slashes))
    ]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([" /a", " /b"], id="apart"),
        pytest.param([" /a/b", " /a"], id="special before general"),
        pytest.param(["Match ^/wsgi/([a-z]+)", "Match ^/wsgi/([^/]+)"], id="general later"),
        pytest.param(["Match ^/(?!static/)", " /static"], id="excepted by looking ahead"),
        pytest.param(["Match ^/app(?!/admin)", " /app"], id="a part is excepted"),
        pytest.param(["Match ^/(.+)(?<!x)$", "Match ^/ax?$"], id="looking behind excepts some"),
        pytest.param([r"Match ^/(.)\1", "Match ^/[ab]+$"], id="back reference takes some"),
        pytest.param(["Match ^/a$", "Match ^/b$", "Match ^/[abc]$"], id="two take a part"),
        pytest.param(["Match (?<=/a)b$", " /ab"], id="looking behind takes some"),
    ],
)
def test_all_are_reached(lines):
    assert judged(*lines) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([" /a", " /a/b"], Unreachable(1, (0,), "/a/b"), id="plain, plain"),
        pytest.param(
            [" /admin", "Match ^/admin/([^/]+)"],
            Unreachable(1, (0,), "/admin/a"),
            id="plain, match",
        ),
        pytest.param(
            ["Match ^/(admin|files)", " /files"], Unreachable(1, (0,), "/files"), id="match, plain"
        ),
        pytest.param(
            ["Match /api/v[0-9]+/", "Match ^/svc/api/v2/(.*)$"],
            Unreachable(1, (0,), "/svc/api/v2/"),
            id="match anywhere",
        ),
        pytest.param(
            [" /a", " /b", "Match ^/[ab](/|$)"], Unreachable(2, (0, 1), "/a"), id="two together"
        ),
        pytest.param(
            ["Match ^/(?!static/)", " /b"], Unreachable(1, (0,), "/b"), id="looking ahead"
        ),
        pytest.param(
            ["Match ^/", r"Match ^/(a)\1"], Unreachable(1, (0,), "/a"), id="back reference, hidden"
        ),
    ],
)
def test_hidden_by_earlier_ones(lines, expected):
    assert judged(*lines) == [expected]


@pytest.mark.parametrize(
    "location",
    [
        pytest.param(" a", id="no slash in front"),
        pytest.param(" /a/../b", id="dots"),
        pytest.param("Match ^", id="only the start"),
        pytest.param("Match x*", id="empty at the start of every uri"),
        pytest.param("Match ^(?=/app)", id="nothing but a look ahead"),
        pytest.param("Match //", id="slashes are merged"),
        pytest.param("Match (?!)", id="fails always"),
        pytest.param("Match a^b", id="anchor in the middle"),
    ],
)
def test_never_matches(location):
    assert judged(location) == [Unreachable(0)]


def test_slashes_that_are_not_merged_can_be_matched():
    assert judged("Match //", merge_slashes=False) == []


def test_without_proof_examples_are_tried():
    [found] = judged("Match ^/(.*)(?<!x)$", "Match ^/ab*$")

    assert (found.hiders, found.proved, found.tried > 10) == ((0,), False, True)


def test_what_cannot_be_proved_is_not_claimed(monkeypatch):
    monkeypatch.setattr(hidden_aliases, "_MOST_HIDERS", 1)

    assert judged(" /a", " /b", "Match ^/[ab](/|$)") == []


def taken(*lines):
    """What earlier aliases take of the last one's uris."""
    table = AliasTable.from_directives(f"WSGIScriptAlias{line} x.wsgi" for line in lines)
    return often_taken(table, len(lines) - 1)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([" /blog"], id="alone"),
        pytest.param([" /blog/admin", " /blog"], id="special before general"),
        pytest.param(["Match ^/blog/?$", " /blog"], id="the front page before the rest"),
        pytest.param(["Match ^/(blog|shop)/?$", " /blog"], id="front pages of several"),
        pytest.param([r"Match \.php$", " /blog"], id="an ending anywhere"),
        pytest.param(["Match ^/[^/]+/admin(/|$)", " /blog"], id="a part of every site"),
        pytest.param(["Match ^/(de|en)/", "Match ^/[a-z]+/shop"], id="some of many"),
        pytest.param([" /blog", " /"], id="all the rest"),
    ],
)
def test_not_taken_too_often(lines):
    assert taken(*lines) is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            ["Match ^/[a-z]+/?$", " /blog"],
            OftenTaken((0,), "/blog", 2, 5),
            id="all front pages",
        ),
        pytest.param(
            ["Match ^/[^/]+/.+", " /blog"], OftenTaken((0,), "/blog/x", 3, 5), id="all but those"
        ),
        pytest.param(
            [r"Match ^/b(.)\1g$", " /boog"], OftenTaken((0,), "/boog", 1, 5), id="back reference"
        ),
        pytest.param(
            [" /blog", "Match ^/(blog|shop)/?$"],
            OftenTaken((0,), "/blog", 2, 4),
            id="one of two branches",
        ),
    ],
)
def test_often_taken(lines, expected):
    assert taken(*lines) == expected


def test_what_is_too_complex_is_not_called_taken(monkeypatch):
    monkeypatch.setattr("django_wsgimatch.doctor.uris.search.MOST_PLACES", 3)

    assert taken(" /blog", "Match ^/(blog|shop)/?$") is None


def test_uris_that_a_pattern_does_not_match_are_no_examples():
    table = AliasTable.from_directives([r"WSGIScriptAliasMatch ^/(a|b)\1$ x.wsgi"])

    assert list(example_uris(table.locations[0])) == []


def test_search_that_is_too_complex_yields_no_examples(monkeypatch):
    monkeypatch.setattr("django_wsgimatch.doctor.uris.search.MOST_PLACES", 3)

    assert list(example_uris("/abcdef")) == []


def test_verdicts_agree_with_requests():
    """A random table: what is called unreachable is reached by no uri, all else by some."""
    random = Random(7)
    parts = ["/a", "/b", "/[ab]", "/(a|b/c)", "/.*", "/c?", "/(?!a)", "/[^/]+"]
    for _ in range(40):
        sources = ["^" + "".join(random.choices(parts, k=2)) for _ in range(6)]
        table = AliasTable.from_directives(f"WSGIScriptAliasMatch {each} x" for each in sources)
        uris = ["/" + "".join(random.choices("abc/", k=random.randrange(8))) for _ in range(500)]
        normal = [uri for uri in uris if "//" not in uri]
        reached = {hit[0] for uri in normal if (hit := table.lookup(uri))}

        hidden = {position for position in range(6) if unreachable(table, position)}

        assert reached.isdisjoint(hidden), sources
