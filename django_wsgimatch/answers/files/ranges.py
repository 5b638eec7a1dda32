"""
Which bytes of a file a client asks for: ap_set_byterange().

As Apache does it: a header that is not quite right is passed over, neighbours are joined, and what
asks for too much gets the whole file.
"""

from __future__ import annotations

import re

# MaxRanges, MaxRangeOverlaps and MaxRangeReversals of Apache.
MOST_RANGES = 200
MOST_OVERLAPS = 20
MOST_REVERSALS = 20

_LARGEST = 2**63 - 1
_NUMBER = re.compile("[0-9]+", re.ASCII)

Range = tuple[int, int]
"""The first byte and the last."""


class Ranges:
    """What has been read of a header: the open range lasts until one does not touch it."""

    __slots__ = ("done", "open", "overlaps", "reversals")

    def __init__(self) -> None:
        self.done: list[Range] = []
        self.open: Range | None = None
        self.overlaps = 0
        self.reversals = 0

    def add(self, start: int, end: int) -> None:
        """Join a range to the open one, or begin another."""
        if self.open is None:
            self.open = start, end
            return
        first, last = self.open
        is_joined = start >= first and end <= last
        if start < first and end >= first - 1:
            first, is_joined = start, True
            self.reversals += 1
        if end >= last and start <= last + 1:
            last, is_joined = end, True
        if is_joined:
            self.overlaps += 1
            self.open = first, last
        else:
            self.done.append(self.open)
            self.open = start, end

    def all(self) -> list[Range]:
        """Every range."""
        return [*self.done, self.open] if self.open else self.done

    @property
    def are_too_many(self) -> bool:
        """Whether there is more of something than Apache allows."""
        return (
            len(self.all()) > MOST_RANGES
            or self.overlaps > MOST_OVERLAPS
            or self.reversals > MOST_REVERSALS
        )


def parse_ranges(header: str, length: int) -> list[Range] | None:
    """
    Return the ranges of a file of so many bytes that a header asks for.

    None is for the whole file, an empty list where the file has none of what is asked for (416).
    """
    if header[:6].lower() != "bytes=" or not length:
        return None
    found = Ranges()
    is_beyond = False
    for word in re.split(",+", header[6:]):
        if not word:
            break
        asked = _read(word, length)
        if asked is None:
            return None
        start, end = asked
        if start == 0 and word[-1] == "-":
            # The rest of the header is not looked at.
            found.done, found.open = [], (0, length - 1)
            break
        if start >= length:
            is_beyond = True
        else:
            found.add(start, min(end, length - 1))
    ranges = found.all()
    if not ranges:
        return [] if is_beyond else None
    if found.are_too_many or sum(end - start + 1 for start, end in ranges) > length:
        return None
    return ranges


def _read(word: str, length: int) -> Range | None:
    """The range that a word names, perhaps beyond the end; None where it is none."""
    first, dash, last = word.partition("-")
    if not dash:
        return None
    if not first:
        number = _number(last)
        return (max(length - number, 0), length - 1) if number else None
    start = _number(first)
    end = _number(last) if last else length - 1
    if start is None or end is None or (last and start > end):
        return None
    return start, end


def _number(text: str) -> int | None:
    """A number as ap_parse_strict_length() reads it."""
    # int() refuses a text of thousands of digits, zeros or not.
    digits = text.lstrip("0")
    if not _NUMBER.fullmatch(text) or len(digits) > 19:
        return None
    number = int(digits or "0")
    return number if number <= _LARGEST else None
