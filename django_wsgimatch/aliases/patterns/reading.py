"""
What a translated pattern is like, for its search and for the index.

Tables of many entries repeat a few shapes with other words in them, ``^/app1/([^/]+)`` and
``^/app2/([^/]+)``. A shape is read once, with a placeholder for each word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ...exceptions import PatternError
from .pcre.literals import anchored, needed, prefixes, segments
from .pcre.measures import shortest
from .pcre.parser import parse
from .pcre.syntax import Node, Parsed, Text
from .pcre.translate import Inexpressible, translate
from .plain import is_plain

# Splits into words and what is between them. A character before a quantifier is no word's.
_BETWEEN_WORDS = re.compile(r"((?:\\.|\[[^]]*\]|[^\w-]|[\w-](?=[*+?{]))+)", re.ASCII | re.DOTALL)
# All that may stand between words. In particular nothing that depends on the letters of a word:
# options, look-behinds, possessive repeats.
_INDIFFERENT = re.compile(
    r"(?:[/.^$|)~,:;=@!%&]|\((?:\?:)?(?!\?|\*)|\\[.dwsDWS/~-]|\[\^?[\w/.~+,-]+\]|[\w-]|[*+?]\??(?![*+?]))+",
    re.ASCII,
)
# A placeholder has two characters, so that none is taken for a single one; neither is a blank.
_PLACEHOLDERS = [f"{chr(number)}\x0e" for number in range(1, 9)]
_TRANSLATED_PLACEHOLDER = re.compile(r"\\x0[1-8]\\x0e")


class Reading(NamedTuple):
    """A pattern that ``re`` can run; the fields are those of `Pattern`, and the translation."""

    groups: int
    anchored: bool
    prefixes: tuple[str, ...] | None
    segments: tuple[str, ...]
    translation: str
    never_empty: bool
    needed: str


def read_parsed(parsed: Parsed, run: Node | None = None) -> Reading:
    """
    Return what is known of a pattern.

    :param run: what ``re`` is to run in its place.
    :raises Inexpressible: ``re`` cannot run it.
    """
    if parsed.foreign is not None:
        raise Inexpressible(parsed.foreign)
    tree = parsed.tree
    return Reading(
        parsed.groups,
        anchored(tree),
        prefixes(tree),
        segments(tree),
        translate(run or tree),
        shortest(tree) > 0,
        _needed(tree),
    )


def _needed(tree: Node) -> str:
    """Return what to look for before a search, where the search is the slower of the two."""
    quick = isinstance(tree, Text) or (anchored(tree) and is_plain(tree))
    return "" if quick else needed(tree)


def read_by_shape(source: str) -> Reading | None:
    """
    Return what is known of a harmless pattern, from another of its shape if there was one.

    None where the pattern has to be read for itself.
    """
    # Optimization: 7 us a pattern instead of 70.
    words = _BETWEEN_WORDS.split(source)
    between = tuple(words[1::2])
    del words[1::2]
    shape = _shape(between, words[0] != "", words[-1] != "")
    return None if shape is None else shape.filled([word for word in words if word])


@dataclass(frozen=True, slots=True)
class _Shape:
    reading: Reading
    # The translation, cut where the words belong.
    pieces: tuple[str, ...]

    def filled(self, words: list[str]) -> Reading:
        reading, pieces = self.reading, self.pieces
        table: dict[int, str] = dict(zip(range(1, 9), words, strict=False))
        table[0x0E] = ""
        found = reading.prefixes
        text = [pieces[0]]
        for word, piece in zip(words, pieces[1:], strict=True):
            text += (word, piece)
        return Reading(
            reading.groups,
            reading.anchored,
            None if found is None else _translated(found, table),
            _translated(reading.segments, table),
            "".join(text),
            reading.never_empty,
            reading.needed.translate(table),
        )


def _translated(texts: tuple[str, ...], table: dict[int, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([text.translate(table) for text in texts]))


@lru_cache(maxsize=4096)
def _shape(between: tuple[str, ...], begins_with_word: bool, ends_with_word: bool) -> _Shape | None:
    words = len(between) - 1 + begins_with_word + ends_with_word
    if not between or words > len(_PLACEHOLDERS) or not all(map(_INDIFFERENT.fullmatch, between)):
        return None
    # The first and the last word may be missing.
    placeholders = iter(_PLACEHOLDERS)
    source = next(placeholders) if begins_with_word else ""
    for text in between[:-1]:
        source += text + next(placeholders)
    source += between[-1] + (next(placeholders) if ends_with_word else "")
    try:
        parsed = parse(source)
        if not is_plain(parsed.tree):
            return None
        reading = read_parsed(parsed)
    except (PatternError, Inexpressible):
        return None
    pieces = tuple(_TRANSLATED_PLACEHOLDER.split(reading.translation))
    return _Shape(reading, pieces) if len(pieces) == words + 1 else None
