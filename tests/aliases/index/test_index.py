from __future__ import annotations

import gc
import time
from random import Random

import pytest

from django_wsgimatch.aliases.index import index as index_module
from django_wsgimatch.aliases.index.index import build_index
from django_wsgimatch.aliases.patterns import pattern as pattern_module
from django_wsgimatch.aliases.patterns.engine import find_with_re
from django_wsgimatch.aliases.patterns.pattern import Pattern, compile_pattern
from tests.fuzz.index import compare, shown
from tests.thorough import mostly_thorough

NUMBERED = [f"/app{number}" for number in range(100)]
CATCH_ALL = "^/.*"


def first_match(locations, uri):
    """The position of the first match, its end, and the text that a pattern found."""
    read = [compile_pattern(each) if "^" in each or "$" in each else each for each in locations]
    return shown(build_index(read)(uri))


def recording(made):
    """The maker of searches, which also says what it makes."""

    def find_with_recorded(translation, *options):
        made.append(translation)
        return find_with_re(translation, *options)

    return find_with_recorded


def position_of(answer):
    return answer and answer[0]


@pytest.mark.parametrize(
    ("locations", "uri", "answer"),
    [
        pytest.param([], "/x", None, id="an empty table"),
        pytest.param(["/a", "/b"], "/b/x", (1, 2, None), id="a plain alias"),
        pytest.param(["/a", "/b"], "/c", None, id="none of the plain aliases"),
        pytest.param(["/a", "/a/b"], "/a/b", (0, 2, None), id="the first, not the longest"),
        pytest.param(["/a/b", "/a"], "/a/b", (0, 4, None), id="the longer one if it is first"),
        pytest.param(["/a/b", "/a"], "/a/c", (1, 2, None), id="a nested one that does not fit"),
        pytest.param(["/a/b/c", "/a"], "/a/b", (1, 2, None), id="the uri ends above a nested one"),
        pytest.param(["/a", "/a"], "/a", (0, 2, None), id="the first of two that are the same"),
        pytest.param(["/", "/a"], "/a", (0, 1, None), id="the root hides all that follow"),
        pytest.param(["/a", "/"], "/b", (1, 1, None), id="the root takes the rest"),
        pytest.param(["/s/"], "/s", None, id="a slash at the end asks for one"),
        pytest.param(["/s/", "/s"], "/s/x", (0, 3, None), id="a slash at the end is there"),
        pytest.param(["app", "/app"], "/app", (1, 4, None), id="no slash at the start"),
        pytest.param(["/a/b", "//a//c"], "/a/c", (1, 4, None), id="runs in a location"),
        pytest.param(["^/a"], "/apps", (0, 2, "/a"), id="one pattern"),
        pytest.param(["^/a", "/b"], "/apps", (0, 2, "/a"), id="a pattern ends in mid-segment"),
        pytest.param(["^/a/(.*)", "/a"], "/a/x", (0, 4, "/a/x"), id="a pattern before a prefix"),
        pytest.param(["/a", "^/a/(.*)"], "/a/x", (0, 2, None), id="a prefix before a pattern"),
        pytest.param(["/a", "^/a.", CATCH_ALL], "/ax", (1, 3, "/ax"), id="pattern after pattern"),
        pytest.param(["/b", "^/abc", "^/ab", "^/a"], "/abd", (2, 3, "/ab"), id="nested parts"),
        pytest.param(["/b", "^/abc", "^/ab", "^/a"], "/aac", (3, 2, "/a"), id="a shorter part"),
        pytest.param(["/b", "^/(?:a|b)c", "/x"], "/bc", (1, 3, "/bc"), id="alternatives"),
        pytest.param(["/b", "x$", CATCH_ALL], "/b/x", (0, 2, None), id="unanchored behind"),
        pytest.param(["x$", "/b", CATCH_ALL], "/b/x", (0, 4, "x"), id="unanchored in front"),
        pytest.param(["/b", "^/aa", "^/a", "^/ab?"], "/b", (0, 2, None), id="a miss of all parts"),
        pytest.param(["/x", "^/a1", "^/a2"], "/b", None, id="a miss behind all parts"),
        pytest.param(["/x", "^/a1", "^/a2"], "/a3", None, id="a miss that shares a beginning"),
        pytest.param(["/x", "^/a/b", "^/a/c?", "^/a/"], "/a/d", (2, 3, "/a/"), id="try by try"),
        pytest.param(["/x", "^/a/b", "^/a/b?c", "^/a"], "/a/bb", (1, 4, "/a/b"), id="first try"),
        pytest.param(["/x", "^/a/.$", "^/a/.x"], "/a/bx", (2, 5, "/a/bx"), id="second try"),
        pytest.param(["/x", "^/a/.$", "^/a/.x"], "/a/bb", None, id="no try succeeds"),
        pytest.param(["/b", "^app", "/app"], "/app", (2, 4, None), id="a pattern for no uri"),
        pytest.param(["^", "/b", CATCH_ALL], "/b", (1, 2, None), id="a match that ends at 0"),
        pytest.param(["/a" * 17, "/a"], "/a" * 18, (0, 34, None), id="a deep location"),
        pytest.param(["/a" * 17, "/a"], "/a" * 16, (1, 2, None), id="not deep enough"),
    ],
)
def test_first_match(locations, uri, answer):
    assert first_match(locations, uri) == answer


@pytest.mark.parametrize(
    ("locations", "uri", "answer"),
    [
        pytest.param(["/a/b"], "/a//b/c", (0, 5, None), id="a run in the uri"),
        pytest.param(["/a/"], "/a//b", (0, 4, None), id="a run where the location ends"),
        pytest.param(["/b", "^/a//b", "/a"], "/a//b", (1, 5, "/a//b"), id="a pattern sees runs"),
        pytest.param(["/b", "/a", "^/a//b"], "/a//b", (1, 2, None), id="a plain alias first"),
        pytest.param(["^/a/b", "/c"], "/a//b", None, id="a pattern without runs"),
    ],
)
def test_first_match_in_unmerged_uri(locations, uri, answer):
    assert first_match(locations, uri) == answer


def test_index_of_merged_uris_gives_what_the_pattern_found():
    pattern = compile_pattern(r"^/(\w+)/(\w+)")

    answer = build_index(["/x", pattern, "/"], merged=True)("/y/z/")

    assert shown(answer) == (1, 4, "/y/z")


def test_plain_answers_are_prebuilt():
    look_up = build_index(NUMBERED, merged=True)

    assert look_up("/app7/x") is look_up("/app7/y")


@pytest.mark.parametrize(
    ("patterns", "uri", "position"),
    [
        pytest.param([f"/{n}/x" for n in range(100)], "/a/77/x", 77, id="segment, unanchored"),
        pytest.param([f"^/a/[^/]+/{n}/" for n in range(100)], "/a/b/9/c", 9, id="segment, nested"),
        pytest.param([f"^/a/[^/]*{n}$" for n in range(100)], "/a/b7", 7, id="one prefix"),
        pytest.param([f"{n}$" for n in range(100)], "/a/b7", 7, id="unindexable"),
        pytest.param([f"^/a{'b' * n}$" for n in range(100)], "/abbb", 3, id="nested parts"),
    ],
)
def test_crowd_of_patterns(patterns, uri, position):
    locations: list[str | Pattern] = [*map(compile_pattern, patterns), "/a/b", "/a"]

    assert position_of(build_index(locations)(uri)) == position
    assert build_index(["/a/b", *locations[::-1]])("/a/b/zz") == (0, 4)


def test_crowd_does_not_hide_an_earlier_alias():
    crowd = [compile_pattern(f"^/a/.*{number}") for number in range(50)]

    look_up = build_index([*crowd[:10], "/a/b/c", *crowd[10:], "/a"])

    assert position_of(look_up("/a/b/c/11")) == 1
    assert position_of(look_up("/a/b/c/zz")) == 10
    assert position_of(look_up("/a/b/49")) == 4
    assert position_of(look_up("/a/b")) == 51


def test_large_table_compiles_patterns_when_needed(monkeypatch):
    made: list[str] = []
    monkeypatch.setattr(index_module, "MOST_COMPILED", 3)
    monkeypatch.setattr(pattern_module, "find_with_re", recording(made))
    look_up = build_index([compile_pattern(f"^/app{number}/(.*)") for number in range(4)])
    before = [*made]

    answers = [shown(look_up("/app2/x")) for _ in range(2)]

    assert answers == [(2, 7, "/app2/x")] * 2
    assert (before, made) == ([], [r"\A/app2/(.*)"])


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_collection_is_left_as_it_was(enabled):
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()

    build_index(NUMBERED)

    after = gc.isenabled()
    (gc.enable if before else gc.disable)()
    assert after is enabled


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("/" * 8000, id="slashes only"),
        pytest.param("/a" * 4000, id="many segments"),
        pytest.param("/a" * 4000 + "/", id="many segments and a slash"),
        pytest.param("/" + "a" * 8000, id="one long segment"),
    ],
)
def test_long_uri_is_looked_up_in_short_time(uri):
    unindexable = [compile_pattern(f"/{number}x/y") for number in range(100)]
    look_up = build_index([*NUMBERED, "/b" * 5000, *unindexable, "/c"])
    # What uris with empty segments need is built for the first of them.
    look_up("//")
    started = time.thread_time()

    answers = [look_up(uri) for _ in range(20)]

    assert answers == [None] * 20
    assert (time.thread_time() - started) / 20 < 0.001


@pytest.mark.parametrize(("lookups", "tables"), mostly_thorough([(2000, 40), (6000, 120)]))
def test_index_equals_linear_scan(lookups, tables):
    seed = time.time_ns() % 1_000_000
    print(f"seed {seed}")

    assert compare(Random(seed), lookups) == tables
