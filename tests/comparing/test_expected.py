"""Differences that are expected, kept in a file."""

from __future__ import annotations

import pytest

from django_wsgimatch.comparing.differences import Compared, Difference
from django_wsgimatch.comparing.expected import expected_lines, read_expected, without_expected
from django_wsgimatch.comparing.targets import Request
from django_wsgimatch.exceptions import CompareError

STATUS = Difference("status", "301", "404")
BODY = Difference("body, line 1", 'a "quoted"\tline', "\xe9")
FOUND = Compared(Request("GET", "/x", "a.test"), (STATUS, BODY))


def test_what_was_written_is_passed_over():
    lines = list(expected_lines([FOUND]))

    found = without_expected(FOUND, read_expected(["# comment", "", *lines[:1]], "known"))

    assert found == Compared(FOUND.request, (BODY,))


def test_another_host_s_difference_is_another_one():
    expected = read_expected(expected_lines([FOUND]), "known")

    found = without_expected(Compared(Request("GET", "/x"), (STATUS,)), expected)

    assert found.differences == (STATUS,)


@pytest.mark.parametrize("line", ['["GET /x"]', "GET /x", "{", '"four"'])
def test_a_line_that_is_no_difference_is_named(line):
    with pytest.raises(CompareError) as caught:
        read_expected(["# comment", line], "known")

    assert str(caught.value) == (
        f"known:2: {line!r} should be a difference as --write-expected writes it"
    )
