from __future__ import annotations

from dataclasses import replace

import pytest

from django_wsgimatch.daemon.group_spec import GroupSpec
from django_wsgimatch.daemon.options import GroupOptions
from django_wsgimatch.daemon.place import Place


@pytest.mark.parametrize(
    ("start", "application_group", "preload", "boots"),
    [
        pytest.param(None, "", (), False, id="nothing is said"),
        pytest.param(None, "", ("/a.wsgi",), True, id="a script is loaded ahead"),
        pytest.param("boot", "", (), True, id="with the server"),
        pytest.param("demand", "", ("/a.wsgi",), False, id="on demand, whatever is loaded ahead"),
        pytest.param("boot", "red", (), False, id="an application group nobody has asked for"),
        pytest.param("boot", "red", ("/a.wsgi",), True, id="one in which a script is loaded ahead"),
    ],
)
def test_a_place_that_starts_with_the_server(start, application_group, preload, boots):
    place = Place("blog", application_group)

    spec = GroupSpec(place, GroupOptions(start=start), preload=preload)

    assert spec.boots == boots


def test_processes_are_the_same_whenever_they_start():
    spec = GroupSpec(Place("blog", ""), GroupOptions())
    other = replace(spec, options=GroupOptions(start="boot"), preload=("/a.wsgi",))

    assert spec.whenever_started == other.whenever_started


def test_processes_with_other_options_are_others():
    spec = GroupSpec(Place("blog", ""), GroupOptions())

    other = replace(spec, options=GroupOptions(threads=3))

    assert spec.whenever_started != other.whenever_started
