from __future__ import annotations

import json

import pytest

from django_wsgimatch.aliases.groups import Server, group_name
from django_wsgimatch.daemon.group_spec import GroupSpec
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place

SERVER = Server("a.example", "a.example", {"x": "a.example|/x"}.get)


def place(value, server=SERVER):
    name = group_name(value, server, "/x")
    return Place("blog", name.text, name.kind, name.is_chosen)


def test_places_of_one_name_and_two_kinds_are_two():
    same = [place(value) for value in ("%{RESOURCE}", "%{ENV:x}", "a.example|/x")]
    names = [place(value) for value in ("%{SERVER}", "%{HOST}", "a.example")]

    assert {p.application_group for p in same} == {"a.example|/x"}
    assert {p.application_group for p in names} == {"a.example"}
    assert len({*same, *names}) == len({p.key for p in (*same, *names)}) == 6


def test_who_has_chosen_a_name_is_no_part_of_it():
    given = Place("blog", "a", "resource", is_chosen=True), Place("blog", "a", "resource")

    assert given[0] == given[1]
    assert given[0].key == given[1].key


def test_a_literal_name_has_the_key_that_it_has_always_had():
    assert Place("blog", "").key == "c992a9893ac4bb7b"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(Place("blog", ""), id="a process group"),
        pytest.param(Place("", "a.example", "host", is_chosen=True), id="one that is chosen"),
    ],
)
def test_orders_tell_of_the_whole_place(given):
    told = Place.from_order(json.loads(json.dumps(given.to_order())))
    named = Place.named_by(given.naming, given.application_group)

    assert (told, told.is_chosen) == (given, given.is_chosen)
    assert (named.kind, named.is_chosen) == (given.kind, given.is_chosen)


@pytest.mark.parametrize(
    "order",
    [
        pytest.param({"process_group": "a", "application_group": 5}, id="a number"),
        pytest.param({"process_group": None, "application_group": ""}, id="nothing"),
        pytest.param(
            {"process_group": "a", "application_group": "b", "kind": "any"}, id="an unknown kind"
        ),
    ],
)
def test_an_order_for_no_place_is_refused(order):
    with pytest.raises(ValueError, match="no place"):
        Place.from_order(order)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("a.example", "(wsgi:blog/a.example)", id="a host"),
        pytest.param("\xff\xfe", "(wsgi:blog/??)", id="bytes"),
        pytest.param("\x1b[2J", "(wsgi:blog/?[2J)", id="an escape sequence"),
    ],
)
def test_lists_of_processes_show_printable_ascii(name, shown):
    assert GroupSpec(Place("blog", name), GroupOptions()).display_name == shown
