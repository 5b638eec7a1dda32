"""Why requests differ, counted."""

from __future__ import annotations

import pytest

from django_wsgimatch.comparing.differences import Compared, Difference
from django_wsgimatch.comparing.reasons import by_reason, why_different
from django_wsgimatch.comparing.targets import Request

GET = Request("GET", "/")


@pytest.mark.parametrize(
    ("what", "old", "new", "reason"),
    [
        pytest.param("status", "403", "200", "status 403, then 200", id="a status"),
        pytest.param(
            "status, without credentials",
            "401",
            "200",
            "status 401, then 200, without credentials",
            id="a status for somebody who is not known",
        ),
        pytest.param(
            "answer", "status 200", "timed out", "answer status 200, then timed out", id="no answer"
        ),
        pytest.param("body, line 12", "a", "b", "body", id="a body"),
        pytest.param("Location", "/a", "/b", "Location", id="a header"),
        pytest.param(
            "Vary, without credentials", "a", "b", "Vary, without credentials",
            id="a header for somebody who is not known",
        ),
    ],
)  # fmt: skip
def test_all_that_differ_alike_have_one_reason(what, old, new, reason):
    assert why_different(Compared(GET, (Difference(what, old, new),))) == reason


def test_the_first_difference_is_the_reason():
    found = Compared(GET, (Difference("status", "200", "302"), Difference("Location", "", "/x")))

    assert why_different(found) == "status 200, then 302"


def test_reasons_are_counted_and_what_is_the_same_has_none():
    same, body, moved = (
        Compared(GET, differences)
        for differences in (
            (),
            (Difference("body, line 1", "a", "b"),),
            (Difference("Location", "/a", "/b"),),
        )
    )

    assert list(by_reason([moved, same, body, body]).items()) == [("body", 2), ("Location", 1)]
