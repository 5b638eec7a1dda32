from __future__ import annotations

import time

import pytest

from django_wsgimatch.aliases.access.requirements import contain, parse_demand
from django_wsgimatch.aliases.access.rules import AccessRules, HostRules, Login, merge_rules
from django_wsgimatch.aliases.access.sections import AccessSection, SectionIndex


def demanding(line, **more):
    return AccessRules(contain("any", [parse_demand(line)]), **more)


def index_of(*locations, kind="plain"):
    return SectionIndex(AccessSection(each, demanding("local"), kind) for each in locations)


@pytest.mark.parametrize(
    ("location", "uris"),
    [
        pytest.param("/a", ["/a", "/a/", "/a/b"], id="without a slash: it and all below"),
        pytest.param("/a/", ["/a/", "/a/b"], id="with a slash: below it alone"),
        pytest.param("/", ["/", "/a", "/a/", "/a/b", "/ab", "/A", "//a"], id="the root: all"),
        pytest.param("/a/b", ["/a/b"], id="two segments"),
        pytest.param("/ab", ["/ab"], id="no part of a segment"),
        pytest.param("/A", ["/A"], id="case counts"),
    ],
)
def test_a_location_holds_for_whole_segments(location, uris):
    index = index_of(location)

    asked = ["/", "/a", "/a/", "/a/b", "/ab", "/A"] + ["//a"] * (location == "/")
    assert [uri for uri in asked if index.find(uri, "")] == uris


def test_slashes_count_as_one_whatever_merge_slashes_says():
    assert index_of("/a/b").find("/a//b/c", "") != ()


@pytest.mark.parametrize(
    ("pattern", "uris"),
    [
        pytest.param("/b$", ["/a/b"], id="searched, not anchored"),
        pytest.param("^(?!/a)", ["/c"], id="an empty match is one"),
        pytest.param("x*", ["/a/b", "/c"], id="an empty match at the start is one"),
        pytest.param("^", ["/a/b", "/c"], id="the start is in every uri"),
    ],
)
def test_a_pattern_is_found_as_apache_finds_it(pattern, uris):
    index = index_of(pattern, kind="match")

    assert [uri for uri in ("/a/b", "/c") if index.find(uri, "")] == uris


def test_all_sections_that_hold_are_found_in_their_order():
    sections = [
        AccessSection("/a/b", demanding("local")),
        AccessSection("b", demanding("local"), "match"),
        AccessSection("/c", demanding("local")),
        AccessSection("/", demanding("local")),
    ]

    found = SectionIndex(sections).find("/a/b/c", "")

    assert [each.location for each in found] == ["/a/b", "b", "/"]


@pytest.mark.parametrize(
    ("host", "found"),
    [
        pytest.param("shop.test", ["all", "shop.test"], id="its own host"),
        pytest.param("SHOP.test:8000", ["all", "shop.test"], id="case and port do not count"),
        pytest.param("x.test", ["all", ".test"], id="a host below a pattern"),
        pytest.param("other.example", ["all"], id="another host"),
    ],
)
def test_a_section_of_a_host_holds_for_the_first_pattern_that_the_request_fits(host, found):
    sections = [
        AccessSection("/", demanding("user all")),
        AccessSection("/", demanding("user shop.test"), host="shop.test"),
        AccessSection("/", demanding("user .test"), host=".test"),
    ]
    index = SectionIndex(sections, hosts=["shop.test", ".test"])

    lines = [line for each in index.find("/", host) for line in each.rules.lines()]
    assert lines == [f"Require user {name}" for name in found]


@pytest.mark.parametrize(
    ("host", "found"),
    [
        pytest.param("b.test", ["two"], id="one of its hosts"),
        pytest.param("x.test", ["others"], id="a host that fits no other pattern"),
        pytest.param("c.test", [], id="a host with a table, and no section"),
    ],
)
def test_a_section_may_be_for_several_hosts_and_for_those_without_a_table(host, found):
    sections = [
        AccessSection("/", demanding("user two"), host=("a.test", "b.test")),
        AccessSection("/", demanding("user others"), host="*"),
    ]
    index = SectionIndex(sections, hosts=["a.test", "b.test", "c.test"])

    lines = [line for each in index.find("/", host) for line in each.rules.lines()]
    assert lines == [f"Require user {name}" for name in found]


def test_a_later_section_s_requirements_replace_the_earlier_ones():
    merged = merge_rules([demanding("local"), demanding("user ann")])

    assert merged == demanding("user ann")


@pytest.mark.parametrize(("merging", "kind"), [("and", "all"), ("or", "any")])
def test_auth_merging_keeps_both(merging, kind):
    merged = merge_rules([demanding("local"), demanding("user ann", merging=merging)])

    assert str(merged.demands) == f"{kind} of (any of (local), any of (user ann))"


def test_auth_merging_off_alone_takes_the_requirements_back():
    assert merge_rules([demanding("local"), AccessRules(merging="off")]).demands is None


def test_a_login_is_merged_value_by_value():
    first = AccessRules(login=Login("Basic", "staff", "/users", "/groups"))

    merged = merge_rules([first, AccessRules(login=Login("Basic", "boss"))])

    assert merged.login == Login("Basic", "boss", "/users", "/groups")


def test_order_allow_deny_and_satisfy_are_replaced_as_one():
    first = AccessRules(host_rules=HostRules(satisfy="any"))
    second = HostRules("allow,deny")

    assert merge_rules([first, AccessRules(host_rules=second)]).host_rules == second


def test_the_rules_of_an_entry_come_before_all_sections():
    index = SectionIndex([AccessSection("/a", demanding("local"))])
    own = [demanding("user ann")]

    assert [index.rules_for(uri, "", own) for uri in ("/a", "/b")] == [demanding("local"), *own]


def test_what_sections_say_together_is_merged_into_what_an_entry_says():
    """Not one after the other: ap_location_walk() merges sections before it looks at files."""
    sections = demanding("local"), AccessRules(merging="and")
    index = SectionIndex(AccessSection("/", rules) for rules in sections)

    found = index.rules_for("/a", "", [demanding("user ann")])

    assert found is not None
    assert list(found.lines()) == ["Require all of (any of (user ann), any of (local))"]


def test_no_section_no_rules():
    assert index_of("/a").rules_for("/b", "") is None


def test_a_thousand_sections_and_a_uri_of_a_thousand_segments_cost_little():
    index = index_of(*(f"/s{number}/x" for number in range(1000)))
    started = time.thread_time()

    for _ in range(100):
        index.find("/a" * 1000, "")

    assert time.thread_time() - started < 0.5
