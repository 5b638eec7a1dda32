from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from django_wsgimatch.daemon.manager.admission import Admission, leavers
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place


def chosen(name, group="blog"):
    return Place(group, name, "host", is_chosen=True)


@dataclass
class Spec:
    options: GroupOptions


@dataclass
class FakePlace:
    """A place as the manager knows it."""

    place: Place
    used: float = 0.0
    is_live: bool = True
    is_busy: bool = False
    is_ending: bool = False
    has_had_its_turn: bool = True
    spec: Spec = field(default_factory=lambda: Spec(GroupOptions(maximum_application_groups=2)))

    def last_used(self) -> float:
        return self.used


# Admission asks of a KeptPlace what this has, and nothing more.
Kept: Any = FakePlace


def starts(admission, count, options, now, place=None):
    """Ask for so many starts at once; return how many were admitted."""
    admitted = 0
    for number in range(count):
        asked = place or chosen(str(number))
        if not admission.refusal(asked, options, [], now):
            admission.count(asked, options, now)
            admitted += 1
    return admitted


def test_so_many_starts_a_minute():
    admission, options = Admission(), GroupOptions(maximum_starts=6)

    assert starts(admission, 20, options, 0.0) == 6
    assert starts(admission, 20, options, 9.0) == 0
    assert starts(admission, 20, options, 10.0) == 1
    assert starts(admission, 20, options, 40.0) == 3
    assert starts(admission, 20, options, 1000.0) == 6


def test_the_refusal_names_the_option():
    admission, options = Admission(), GroupOptions(maximum_starts=1)
    admission.count(chosen("a"), options, 0.0)

    assert admission.refusal(chosen("b"), options, [], 0.0) == (
        "clients have started as many application groups as maximum_starts allows, 1 a minute"
    )


def test_process_groups_have_allowances_of_their_own():
    admission, options = Admission(), GroupOptions(maximum_starts=2)

    assert starts(admission, 5, options, 0.0, chosen("a", "blog")) == 2
    assert starts(admission, 5, options, 0.0, chosen("a", "shop")) == 2


def test_a_new_limit_counts_anew():
    admission = Admission()

    assert starts(admission, 5, GroupOptions(maximum_starts=1), 0.0) == 1
    assert starts(admission, 5, GroupOptions(maximum_starts=3), 0.0) == 3


@pytest.mark.parametrize(
    ("options", "place"),
    [
        pytest.param(GroupOptions(maximum_starts=0), chosen("a"), id="no limit"),
        pytest.param(GroupOptions(maximum_starts=1), Place("blog", "a"), id="named by the table"),
        pytest.param(GroupOptions(maximum_starts=1), Place("blog", ""), id="a process group"),
    ],
)
def test_all_are_admitted(options, place):
    assert starts(Admission(), 100, options, 0.0, place) == 100


def test_none_is_admitted_while_too_many_are_ending():
    options = GroupOptions(maximum_application_groups=2)
    ending = [Kept(chosen(name), is_live=False, is_ending=True) for name in "abcd"]
    admission = Admission()

    assert admission.refusal(chosen("x"), options, ending[:3], 0.0) == ""
    assert admission.refusal(chosen("x"), options, ending, 0.0) == (
        "as many application groups as maximum_application_groups allows, 2, have been started, "
        "and none has ended yet"
    )
    assert admission.refusal(chosen("x", "shop"), options, ending, 0.0) == ""


A, B, C = chosen("a"), chosen("b"), chosen("c")


@pytest.mark.parametrize(
    ("known", "leaving"),
    [
        pytest.param([Kept(A, 1)], [], id="there is room"),
        pytest.param([Kept(A, 2), Kept(B, 1)], [B], id="the least recently used one"),
        pytest.param([Kept(A, 2), Kept(B, 1, is_busy=True)], [A], id="an idle one first"),
        pytest.param(
            [Kept(A, 2, is_busy=True), Kept(B, 1, is_busy=True)], [B], id="a busy one last"
        ),
        pytest.param([Kept(A, 2), Kept(B, 1, is_live=False)], [], id="stopped ones take no room"),
        pytest.param([Kept(A, 3), Kept(B, 2), Kept(C, 1)], [C, B], id="after a lower limit"),
        pytest.param(
            [Kept(A, 2), Kept(Place("blog", "b")), Kept(Place("blog", ""))],
            [],
            id="what the table names takes no room",
        ),
        pytest.param([Kept(A, 2), Kept(chosen("b", "shop"))], [], id="nor do other groups'"),
    ],
)
def test_who_must_end_for_a_new_one(known, leaving):
    new = Kept(chosen("new"), is_live=False)

    assert [kept.place for kept in leavers(new, [*known, new])] == leaving


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(Kept(Place("blog", "a"), is_live=False), id="the table names it"),
        pytest.param(Kept(chosen("x")), id="it lives, and is started anew"),
        pytest.param(
            Kept(chosen("x"), is_live=False, spec=Spec(GroupOptions(maximum_application_groups=0))),
            id="no limit",
        ),
    ],
)
def test_nobody_must_end(kept):
    assert leavers(kept, [Kept(A), Kept(B), Kept(C), kept]) == []
