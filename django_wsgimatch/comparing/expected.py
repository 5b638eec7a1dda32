"""Differences that are known and wanted: a file that keeps them, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..exceptions import CompareError
from .differences import Compared, Difference

# A request as it is shown, what differs, and the two values.
Expected = frozenset[tuple[str, str, str, str]]


def read_expected(lines: Iterable[str], name: str) -> Expected:
    """
    Return the differences that a file keeps; lines that begin with # are comments.

    ``name`` is the file's. Raises CompareError for a line that is none of `expected_lines`.
    """
    found = set()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        known = _read(line)
        if known is None:
            reason = "should be a difference as --write-expected writes it"
            raise CompareError(f"{name}:{number}: {line.strip()[:80]!r} {reason}")
        found.add(known)
    return frozenset(found)


def _read(line: str) -> tuple[str, str, str, str] | None:
    try:
        parts = json.loads(line)
    # More brackets than Python reads are no difference either.
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or len(parts) != 4:
        return None
    request, what, old, new = map(str, parts)
    return request, what, old, new


def expected_lines(compared: Iterable[Compared]) -> Iterator[str]:
    """Yield a line for each difference, as `read_expected` reads it."""
    for each in compared:
        for difference in each.differences:
            yield json.dumps(_key(each, difference))


def without_expected(compared: Compared, expected: Expected) -> Compared:
    """Return a request without the differences that are expected."""
    left = (d for d in compared.differences if _key(compared, d) not in expected)
    return replace(compared, differences=tuple(left))


def _key(compared: Compared, difference: Difference) -> tuple[str, str, str, str]:
    return str(compared.request), difference.what, difference.old, difference.new
