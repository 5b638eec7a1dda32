"""Range headers, as Apache's byterange filter reads them."""

from __future__ import annotations

import pytest

from django_wsgimatch.answers.files.ranges import parse_ranges

WHOLE = None
UNSATISFIABLE: list[tuple[int, int]] = []


@pytest.mark.parametrize(
    ("header", "ranges"),
    [
        pytest.param("bytes=0-0", [(0, 0)], id="the first byte"),
        pytest.param("bytes=98-200", [(98, 99)], id="up to the end at most"),
        pytest.param("bytes=90-", [(90, 99)], id="from a byte on"),
        pytest.param("bytes=-10", [(90, 99)], id="the last bytes"),
        pytest.param("bytes=-1000", [(0, 99)], id="more last bytes than there are"),
        pytest.param("bytes=100-", UNSATISFIABLE, id="beyond the end"),
        pytest.param("bytes=100-,0-0", [(0, 0)], id="one of two beyond the end"),
        pytest.param("bytes=0-1,5-6", [(0, 1), (5, 6)], id="two"),
        pytest.param("bytes=5-6,0-1", [(5, 6), (0, 1)], id="two, in their own order"),
        pytest.param("bytes=0-1,2-3", [(0, 3)], id="neighbours are joined"),
        pytest.param("bytes=0-5,2-3", [(0, 5)], id="one within the other"),
        pytest.param("bytes=5-9,0-6", [(0, 9)], id="one that begins before the other"),
        pytest.param("bytes=5-6,0-,7-8", [(0, 99)], id="the whole, whatever else"),
        pytest.param("BYTES=0-0", [(0, 0)], id="the unit in any case"),
        pytest.param("bytes=0-0,,5-5", [(0, 0), (5, 5)], id="two commas"),
        pytest.param("bytes=0-0,", [(0, 0)], id="a comma at the end"),
        pytest.param("bytes=,0-0", WHOLE, id="a comma at the start"),
        pytest.param("bytes=0-0, 5-5", WHOLE, id="a blank"),
        pytest.param("bytes=5-3", WHOLE, id="backwards"),
        pytest.param("bytes=-0", WHOLE, id="the last no bytes"),
        pytest.param("bytes=-", WHOLE, id="a dash"),
        pytest.param("bytes=", WHOLE, id="nothing"),
        pytest.param("bytes=1", WHOLE, id="no dash"),
        pytest.param("bytes=1-2-3", WHOLE, id="two dashes"),
        pytest.param("bytes=+1-2", WHOLE, id="a sign"),
        pytest.param("bytes=\u0661-2", WHOLE, id="a digit of another script"),
        pytest.param("bytes=9223372036854775807-", UNSATISFIABLE, id="the largest number"),
        pytest.param("bytes=9223372036854775808-", WHOLE, id="a larger number"),
        pytest.param(f"bytes={'0' * 5000}1-1", [(1, 1)], id="many zeros"),
        pytest.param("items=0-0", WHOLE, id="another unit"),
        pytest.param("bytes=0-60,10-99,90-99", [(0, 99)], id="all of it in three"),
    ],
)
def test_ranges_of_100_bytes(header, ranges):
    found = parse_ranges(header, 100)

    assert found == ranges


def test_an_empty_file_has_no_ranges():
    assert parse_ranges("bytes=0-0", 0) is WHOLE


@pytest.mark.parametrize(
    ("words", "is_whole"),
    [
        pytest.param([f"{n * 3}-{n * 3}" for n in range(200)], False, id="200 ranges"),
        pytest.param([f"{n * 3}-{n * 3}" for n in range(201)], True, id="201 ranges"),
        pytest.param(["0-0"] * 21, False, id="20 overlaps"),
        pytest.param(["0-0"] * 22, True, id="21 overlaps"),
        pytest.param([f"{n}-{n}" for n in range(20, -1, -1)], False, id="20 reversals"),
        pytest.param([f"{n}-{n}" for n in range(21, -1, -1)], True, id="21 reversals"),
        pytest.param(["0-999", "500-500", "0-10"], False, id="one that holds the others"),
        pytest.param(["0-700", "900-999", "0-700"], True, id="more bytes than there are"),
    ],
)
def test_what_asks_for_too_much_gets_the_whole_file(words, is_whole):
    found = parse_ranges("bytes=" + ",".join(words), 1000)

    assert (found is WHOLE) is is_whole
