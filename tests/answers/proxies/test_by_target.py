"""What is remembered of requests by their target."""

from __future__ import annotations

from typing import Any

import pytest

from django_wsgimatch.answers.proxies.by_target import ByTarget
from tests.support.wsgi import make_environ

LONG = "/" + 600 * "a"


def asked_for(*environs):
    """How often something was found for these requests, one after the other."""
    found: list[Any] = []
    remembered = ByTarget(found.append)
    for environ in environs:
        remembered(environ)
    return len(found)


def test_what_is_found_is_remembered_even_if_it_is_nothing():
    environ = make_environ("/a")

    assert asked_for(environ, environ, dict(environ)) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(make_environ("/b"), id="another path"),
        pytest.param(make_environ("/a", HTTP_HOST="other.example"), id="another host"),
        pytest.param(make_environ("/a", script_name="/x"), id="another mount point"),
        pytest.param({**make_environ("/a"), "wsgimatch.uri": "/a"}, id="a uri that was made"),
    ],
)
def test_another_request_is_asked_for_by_itself(other):
    assert asked_for(make_environ("/a"), other) == 2


def test_a_plain_query_makes_no_difference():
    assert asked_for(make_environ("/a?x=1"), make_environ("/a?y=2")) == 1


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param(make_environ("/a?\xe9"), id="a query that may be refused"),
        pytest.param(make_environ("/a", without=["HTTP_HOST"]), id="no host"),
        pytest.param(make_environ(LONG), id="a long path"),
    ],
)
def test_what_is_not_remembered(environ):
    assert asked_for(environ, environ) == 2


def test_all_is_forgotten_before_it_is_too_much():
    few = [make_environ(f"/{number}") for number in range(4096)]

    assert asked_for(*few, few[0]) == 4096
    assert asked_for(*few, make_environ("/more"), few[0]) == 4098
