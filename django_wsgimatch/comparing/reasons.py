"""Why requests differ, in a few words: the same words for all that differ alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .differences import Compared

# With these words the values say something of more than one request.
_WITH_VALUES = ("status", "answer", "error page")


def why_different(compared: Compared) -> str:
    """Return what differs first, "" where nothing does: ``status 403, then 200``, or a header."""
    for each in compared.differences:
        what, *who = each.what.split(", without ")
        behind = "".join(f", without {text}" for text in who)
        if what in _WITH_VALUES:
            return f"{what} {each.old}, then {each.new}{behind}"
        return f"{what.partition(',')[0]}{behind}"
    return ""


def by_reason(compared: Iterable[Compared]) -> dict[str, int]:
    """Return how many requests differ for what reason, the most frequent first."""
    reasons = Counter(reason for each in compared if (reason := why_different(each)))
    return dict(reasons.most_common())
