"""Conditions of requests, as Apache's ap_meets_conditions() decides."""

from __future__ import annotations

import pytest

from django_wsgimatch.answers.files.conditions import meets, names, parse_date, range_is_meant

CHANGED = 784_111_777
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER = "Sun, 06 Nov 1994 08:49:38 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"
TAG = '"5-abc"'
LONG_AFTER = CHANGED + 1e6
SOON_AFTER = CHANGED + 59


def environ_of(**headers: str) -> dict[str, str]:
    return {f"HTTP_{name.upper()}": value for name, value in headers.items()}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="none"),
        pytest.param({"if_none_match": TAG}, 304, id="the copy is still good"),
        pytest.param({"if_none_match": f"W/{TAG}"}, 304, id="the copy's tag is weak"),
        pytest.param({"if_none_match": "*"}, 304, id="any copy"),
        pytest.param({"if_none_match": '"other"'}, 200, id="another copy"),
        pytest.param(
            {"if_none_match": '"other"', "if_modified_since": DATE}, 200, id="the tag decides"
        ),
        pytest.param(
            {"if_none_match": TAG, "if_modified_since": EARLIER}, 200, id="the date decides, too"
        ),
        pytest.param({"if_none_match": f"W/{TAG}", "range": "x"}, 200, id="weak, with a range"),
        pytest.param({"if_none_match": TAG, "range": "x"}, 304, id="strong, with a range"),
        pytest.param({"if_modified_since": DATE}, 304, id="not modified since"),
        pytest.param({"if_modified_since": EARLIER}, 200, id="modified since"),
        pytest.param({"if_modified_since": "Sun, 06 Nov 2094 08:49:37 GMT"}, 200, id="from then"),
        pytest.param({"if_modified_since": "yesterday"}, 200, id="no date"),
        pytest.param({"if_match": TAG}, 200, id="the file is the one"),
        pytest.param({"if_match": "*"}, 200, id="the file is any"),
        pytest.param({"if_match": f"W/{TAG}"}, 412, id="a weak tag is no match"),
        pytest.param({"if_match": '"other"'}, 412, id="the file is another"),
        pytest.param({"if_unmodified_since": DATE}, 200, id="unmodified since"),
        pytest.param({"if_unmodified_since": EARLIER}, 412, id="modified after all"),
        pytest.param({"if_unmodified_since": "never"}, 200, id="unmodified since no date"),
        pytest.param(
            {"if_unmodified_since": DATE, "if_none_match": TAG}, 200, id="unmodified goes before"
        ),
        pytest.param(
            {"if_none_match": TAG, "range": "x", "if_range": '"other"'}, 200, id="a range if"
        ),
    ],
)
def test_get(headers, status):
    found = meets(environ_of(**headers), TAG, CHANGED, LONG_AFTER, is_get=True)

    assert found == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"if_none_match": TAG}, 412, id="there is one"),
        pytest.param({"if_none_match": "*"}, 412, id="there is any"),
        pytest.param({"if_none_match": f"W/{TAG}"}, 200, id="a weak tag is no match"),
        pytest.param({"if_modified_since": DATE}, 200, id="a date is not looked at"),
    ],
)
def test_post(headers, status):
    found = meets(environ_of(**headers), TAG, CHANGED, LONG_AFTER, is_get=False)

    assert found == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"if_modified_since": DATE}, 304, id="without a range"),
        pytest.param({"if_modified_since": DATE, "range": "x"}, 200, id="with a range"),
        pytest.param({"if_unmodified_since": EARLIER, "range": "x"}, 200, id="unmodified, range"),
    ],
)
def test_a_date_is_weak_within_a_minute(headers, status):
    found = meets(environ_of(**headers), TAG, CHANGED, SOON_AFTER, is_get=True)

    assert found == status


@pytest.mark.parametrize(
    ("if_range", "now", "is_meant"),
    [
        pytest.param(None, LONG_AFTER, True, id="no condition"),
        pytest.param("", LONG_AFTER, False, id="an empty one"),
        pytest.param(TAG, SOON_AFTER, True, id="the tag"),
        pytest.param('"other"', LONG_AFTER, False, id="another tag"),
        pytest.param(f"W/{TAG}", LONG_AFTER, False, id="a weak tag"),
        pytest.param(DATE, LONG_AFTER, True, id="the date"),
        pytest.param(LATER, LONG_AFTER, False, id="a later date"),
        pytest.param(DATE, SOON_AFTER, False, id="the date, within a minute"),
    ],
)
def test_if_range(if_range, now, is_meant):
    environ = {} if if_range is None else {"HTTP_IF_RANGE": if_range}

    found = range_is_meant(environ, TAG, CHANGED, now)

    assert found is is_meant


@pytest.mark.parametrize(
    ("header", "weakly", "strongly"),
    [
        pytest.param('"a"', True, True, id="alone"),
        pytest.param('W/"a"', True, False, id="weak"),
        pytest.param(' ,, "b" , "a" ', True, True, id="in a list"),
        pytest.param('"b" x, "a"', True, True, id="behind one with more"),
        pytest.param('"a" x', False, False, id="with more behind it"),
        pytest.param('x, "a"', False, False, id="behind what is no tag"),
        pytest.param('W/"b", "a"', True, False, id="behind a weak one"),
        pytest.param('"b,"a"', False, False, id="a quotation mark too few"),
        pytest.param('"b\\"", "a"', True, True, id="an escaped quotation mark"),
        pytest.param('"b"(,"a"', False, False, id="in an open comment"),
        pytest.param('"b"(,), "a"', True, True, id="behind a comment"),
        pytest.param('"b\\', False, False, id="a backslash at the end"),
        pytest.param("", False, False, id="nothing"),
        pytest.param("*", False, False, id="an asterisk"),
    ],
)
def test_names(header, weakly, strongly):
    found = names(header, '"a"', weakly=True), names(header, '"a"', weakly=False)

    assert found == (weakly, strongly)


def test_a_weak_tag_is_equal_to_none_strongly():
    found = names('W/"a"', 'W/"a"', weakly=True), names('"a"', 'W/"a"', weakly=False)

    assert found == (True, False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param(DATE, CHANGED, id="RFC 9110's own"),
        pytest.param("Sunday, 06-Nov-94 08:49:37 GMT", CHANGED, id="RFC 850's"),
        pytest.param("Sun Nov  6 08:49:37 1994", CHANGED, id="asctime's"),
        pytest.param("Sun, 6 Nov 1994 08:49:37 GMT", CHANGED, id="a day of one digit"),
        pytest.param("Mon, 06 Nov 1994 08:49:37 GMT", CHANGED, id="a wrong name of the day"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 PST", CHANGED, id="another time zone"),
        pytest.param(f"  {DATE}", CHANGED, id="blanks before it"),
        pytest.param("Sun, 06 Nov 1994 08:49:37", 0, id="no time zone"),
        pytest.param("06 Nov 1994 08:49:37 GMT", 0, id="no name of the day"),
        pytest.param("Sun, 06 Nov 1969 08:49:37 GMT", 0, id="before 1970"),
        pytest.param("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800, id="a leap day"),
        pytest.param("Wed, 29 Feb 2023 00:00:00 GMT", 0, id="no leap day"),
        pytest.param("Sun, 31 Nov 1994 08:49:37 GMT", 0, id="no such day"),
        pytest.param("Sun, 06 Nob 1994 08:49:37 GMT", 0, id="no such month"),
        pytest.param("Sun, 06 Nov 1994 24:00:00 GMT", 0, id="no such hour"),
        pytest.param("Sunday, 06-Nov-69 08:49:37 GMT", 3_150_953_377, id="in 2069"),
        pytest.param("", 0, id="nothing"),
    ],
)
def test_parse_date(text, seconds):
    found = parse_date(text)

    assert found == seconds
