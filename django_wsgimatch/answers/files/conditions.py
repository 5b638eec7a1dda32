"""
Whether a client's copy is still good: ap_meets_conditions() and what it asks.

Comparisons are Apache's, which are stricter than RFC 9110 in places: within 60 seconds of a change
a date is a weak validator.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

Environ = Mapping[str, Any]

# Headers that make a request one that is not simply answered with the file.
CONDITIONAL = frozenset(
    {
        "HTTP_IF_MATCH",
        "HTTP_IF_UNMODIFIED_SINCE",
        "HTTP_IF_NONE_MATCH",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_RANGE",
    }
)
# For so many seconds after a change a file may change again without its date telling.
WEAK_SECONDS = 60

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = "([0-9]{2}):([0-9]{2}):([0-9]{2})"
_MONTH = "([A-Z][a-z]{2})"
# What apr_date_parse_http() takes behind the name of the day, with how their groups are read.
_DATES = (
    (re.compile(f"([0-9]{{1,2}}) {_MONTH} ([0-9]{{4}}) {_TIME} "), "dmyHMS"),
    (re.compile(f"([0-9]{{2}})-{_MONTH}-([0-9]{{2}}) {_TIME} "), "dmyHMS"),
    (re.compile(f"{_MONTH} ([0-9 ][0-9]) {_TIME} ([0-9]{{4}})"), "mdHMSy"),
)
_BLANKS = " \t\n\r\v\f"
_SPECIAL = re.compile(r'[\\"(),]')


def meets(
    environ: Environ, etag: str, modified: int, now: float, *, is_get: bool
) -> Literal[200, 304, 412]:
    """
    Return the status that the conditions of a request lead to.

    ``modified`` and ``now`` are seconds since 1970; ``is_get`` is true for GET and HEAD.
    """
    match = environ.get("HTTP_IF_MATCH")
    if match is not None and match[:1] != "*" and not names(match, etag, weakly=False):
        return 412
    unmodified_since = environ.get("HTTP_IF_UNMODIFIED_SINCE")
    is_fresh: bool | None = None
    if unmodified_since is not None:
        if _has_changed(environ, unmodified_since, modified, now):
            return 412
        is_fresh = False
    none_match = environ.get("HTTP_IF_NONE_MATCH")
    if none_match is not None:
        if not _is_among(environ, none_match, etag, is_get):
            is_fresh = False
        elif not is_get:
            return 412
        else:
            is_fresh = is_fresh is not False
    modified_since = environ.get("HTTP_IF_MODIFIED_SINCE")
    if modified_since is not None:
        if not _is_unchanged(environ, modified_since, modified, now):
            is_fresh = False
        elif is_get:
            is_fresh = is_fresh is not False
    if "HTTP_IF_RANGE" in environ and "HTTP_RANGE" in environ:
        return 200
    return 304 if is_fresh else 200


def range_is_meant(environ: Environ, etag: str, modified: int, now: float) -> bool:
    """Whether a request's If-Range lets its Range count: ap_condition_if_range()."""
    if_range: str | None = environ.get("HTTP_IF_RANGE")
    if not if_range:
        return if_range is None
    if if_range[0] == '"':
        return if_range == etag
    return parse_date(if_range) == modified and now >= modified + WEAK_SECONDS


def _has_changed(environ: Environ, since: str, modified: int, now: float) -> bool:
    date = parse_date(since)
    if not date or modified <= date:
        return False
    return "HTTP_RANGE" not in environ or now >= modified + WEAK_SECONDS


def _is_among(environ: Environ, none_match: str, etag: str, is_get: bool) -> bool:
    weakly = is_get and "HTTP_RANGE" not in environ
    return none_match[:1] == "*" or names(none_match, etag, weakly=weakly)


def _is_unchanged(environ: Environ, since: str, modified: int, now: float) -> bool:
    if not modified <= parse_date(since) <= now:
        return False
    return "HTTP_RANGE" not in environ or now >= modified + WEAK_SECONDS


def names(header: str, etag: str, *, weakly: bool) -> bool:
    """
    Whether a list of entity tags names one: find_list_item().

    The first member that is no entity tag ends the list. Compared strongly, no weak tag is equal
    to another.
    """
    if weakly:
        etag = etag.removeprefix("W/")
    if etag[:1] != '"':
        return False
    place, end = 0, len(header)
    while place < end:
        while place < end and header[place] in "," + _BLANKS:
            place += 1
        if weakly and header.startswith('W/"', place):
            place += 2
        if header[place : place + 1] != '"':
            return False
        begin, place = place, _end_of_member(header, place)
        if header[begin:place].rstrip(" \t") == etag:
            return True
    return False


def _end_of_member(header: str, place: int) -> int:
    """Where a member of a list ends: at a comma outside of quotes and comments."""
    in_quotes, comments = False, 0
    while found := _SPECIAL.search(header, place):
        place, mark = found.end(), found[0]
        if mark == "\\":
            place += 1
        elif mark == '"' and not comments:
            in_quotes = not in_quotes
        elif mark == "(" and not in_quotes:
            comments += 1
        elif mark == ")" and comments:
            comments -= 1
        elif mark == "," and not in_quotes and not comments:
            return place - 1
    return len(header)


@lru_cache(maxsize=256)
def parse_date(text: str) -> int:
    """
    Return a date of HTTP in seconds since 1970, 0 for what is none: apr_date_parse_http().

    The three forms of RFC 9110, 5.6.7 are read; neither the day's name nor the time zone is
    looked at.
    """
    text = text.lstrip(_BLANKS)
    _, _, date = text.partition(" ")
    for pattern, order in _DATES:
        if found := pattern.match(date):
            return _seconds(dict(zip(order, found.groups(), strict=True)))
    return 0


def _seconds(parts: Mapping[str, str]) -> int:
    if parts["m"] not in _MONTHS:
        return 0
    month, year, day = 1 + _MONTHS.index(parts["m"]), int(parts["y"]), int(parts["d"])
    if len(parts["y"]) == 2:
        year += 2000 if year < 70 else 1900
    hour, minute, second = (int(parts[each]) for each in "HMS")
    if year < 1970 or hour > 23 or minute > 59 or second > 61:
        return 0
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return 0
    return calendar.timegm((year, month, day, hour, minute, second))
