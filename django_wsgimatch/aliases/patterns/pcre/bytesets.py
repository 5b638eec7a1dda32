"""
Sets of bytes as integers of 256 bits: bit N is set when byte N belongs.

PCRE2's character types and POSIX classes are those of its built-in tables (the C locale), as
httpd neither sets a locale nor asks for UCP: no byte above 0x7F is a letter, a digit or a space.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache, reduce
from itertools import pairwise
from operator import or_

ALL = (1 << 256) - 1


def of(codes: Iterable[int]) -> int:
    """Return the set of these byte values."""
    return union(1 << code for code in codes)


def union(masks: Iterable[int]) -> int:
    """Return the set of all that is in any of these sets."""
    return reduce(or_, masks, 0)


def span(first: int, last: int) -> int:
    """Return the set of the bytes from ``first`` to ``last``, both included."""
    return (1 << last + 1) - (1 << first)


def members(mask: int) -> Iterator[int]:
    """Yield the byte values in the set, lowest first."""
    return (code for code in range(256) if mask >> code & 1)


def classes(masks: Iterable[int]) -> list[int]:
    """Return the sets of bytes that none of these sets tells apart."""
    found = [ALL]
    for mask in masks:
        parts = ((each & mask, each & ~mask) for each in found)
        found = [part for both in parts for part in both if part]
    return found


UPPER = span(0x41, 0x5A)
LOWER = span(0x61, 0x7A)
DIGIT = span(0x30, 0x39)
WORD = UPPER | LOWER | DIGIT | of(b"_")
SPACE = of(b"\t\n\v\f\r ")
HORIZONTAL_SPACE = of(b"\t \xa0")
VERTICAL_SPACE = of(b"\n\v\f\r\x85")
NEWLINE = of(b"\n")

CHARACTER_TYPES = {
    "d": DIGIT,
    "w": WORD,
    "s": SPACE,
    "h": HORIZONTAL_SPACE,
    "v": VERTICAL_SPACE,
}
CHARACTER_TYPES |= {letter.upper(): ALL ^ mask for letter, mask in CHARACTER_TYPES.items()}

POSIX_CLASSES = {
    "alpha": UPPER | LOWER,
    "lower": LOWER,
    "upper": UPPER,
    "alnum": UPPER | LOWER | DIGIT,
    "ascii": span(0x00, 0x7F),
    "blank": of(b"\t "),
    "cntrl": span(0x00, 0x1F) | of(b"\x7f"),
    "digit": DIGIT,
    "graph": span(0x21, 0x7E),
    "print": span(0x20, 0x7E),
    "punct": span(0x21, 0x7E) & ~(UPPER | LOWER | DIGIT),
    "space": SPACE,
    "word": WORD,
    "xdigit": DIGIT | of(b"abcdefABCDEF"),
}


def fold(mask: int) -> int:
    """Return the set with both cases of every ASCII letter in it."""
    return mask | (mask & UPPER) << 32 | (mask & LOWER) >> 32


@cache
def of_category(category: str) -> int:
    """Return the bytes whose Latin-1 character is of a Unicode general category (``L``, ``Lu``)."""
    return of(code for code in range(256) if unicodedata.category(chr(code)).startswith(category))


@lru_cache(maxsize=4096)
def as_class(mask: int) -> str:
    """Return the set as a class of Python's ``re``, in escapes that mean the same everywhere."""
    inside, outside = _ranges(mask), _ranges(ALL ^ mask)
    return f"[{inside}]" if inside and len(inside) <= len(outside) else f"[^{outside}]"


def _ranges(mask: int) -> str:
    text = ""
    codes = [*members(mask), 999]
    first = codes[0]
    for code, following in pairwise(codes):
        if following != code + 1:
            text += _escaped(first) if first == code else f"{_escaped(first)}-{_escaped(code)}"
            first = following
    return text


def _escaped(code: int) -> str:
    character = chr(code)
    return character if 1 << code & (WORD & span(0, 0x7F)) or character == "/" else f"\\x{code:02x}"
