"""
Branches, sequences, quantifiers and single characters of a pattern, as PCRE2 10.42 reads them.

Mirrors parse_regex() in pcre2_compile.c. What begins with a parenthesis is in `parser`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from functools import reduce
from operator import or_

from . import bytesets
from .bracket import POSIX, WORD_EDGES, read_class
from .cursor import Cursor
from .measures import single_byte
from .properties import property_escape
from .references import References
from .syntax import EMPTY, Anchor, Bytes, Choice, Foreign, Greed, Look, Node, Repeat, Sequence, Text

_MOST_REPEATS = 65535

_PLAIN_TEXT = re.compile(r"[^\\\[().|*+?{^$#\s\x85]+")
_QUOTED = re.compile(r"\\Q((?:(?!\\E).)*)(?:\\E)?", re.DOTALL)
_IGNORED = re.compile(r"(?:\\E|\\Q\\E|\(\?#[^)]*\))*")
_IGNORED_EXTENDED = re.compile(r"(?:\\E|\\Q\\E|\(\?#[^)]*\)|[\t-\r \x85]|#[^\n]*(?:\n|\Z))*")
_QUANTIFIER = re.compile(r"([*+?])|\{(\d+)(?:(,)(\d*))?\}", re.ASCII)
# From PCRE2 10.43 on these are quantifiers too.
_LATER_QUANTIFIER = re.compile(
    r"\{[ \t]*(?:\d+[ \t]*(?:,[ \t]*\d*[ \t]*)?|,[ \t]*\d+[ \t]*)\}", re.ASCII
)
_UNCOUNTED: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}

_NAME = r"([A-Za-z_][A-Za-z0-9_]*)"
_SUBROUTINE = re.compile(rf"g(?:<(?:([+-]?[0-9]+)|{_NAME})>|'(?:([+-]?[0-9]+)|{_NAME})')")
_NUMBERED_REFERENCE = re.compile(r"g(?:\{([+-]?[0-9]+)\}|([+-]?[0-9]+))")
_NAMED_REFERENCE = re.compile(rf"k(?:<{_NAME}>|'{_NAME}'|\{{{_NAME}\}})|g\{{{_NAME}\}}")
_DECIMAL = re.compile(r"[1-9][0-9]*")

# \R is atomic in PCRE2; this is the same without an atomic group.
_LINE_BREAK = Choice(
    (
        Text("\r\n"),
        Sequence((Text("\r"), Look(Text("\n"), behind=False, negative=True))),
        Bytes(bytesets.VERTICAL_SPACE ^ bytesets.of(b"\r")),
    )
)
_NOT_NEWLINE = Bytes(bytesets.ALL ^ bytesets.NEWLINE)
_ESCAPES: dict[str, Node] = {
    **{letter: Bytes(mask) for letter, mask in bytesets.CHARACTER_TYPES.items()},
    "A": Anchor.START,
    # The search always begins at offset 0.
    "G": Anchor.START,
    "z": Anchor.END,
    "Z": Anchor.END_OR_FINAL_NEWLINE,
    "b": Anchor.WORD_EDGE,
    "B": Anchor.NOT_WORD_EDGE,
    "N": _NOT_NEWLINE,
    "R": _LINE_BREAK,
}
# PCRE2 takes these for disjoint, so that a repeat of one gives back nothing to the other. Yet \S
# has bytes of \h and \v, and \R such of \s and \N (autoposstab in pcre2_auto_possess.c).
_TAKEN_FOR_DISJOINT = tuple(map(frozenset, ("Sh", "Sv", "SR", "NR", "Rs")))


class SequenceParser(ABC):
    """
    Reads alternatives up to the end or to a closing parenthesis.

    ``options`` are the letters in force at the current place, as in ``(?imnsxXJU)``, where ``X``
    stands for ``xx``. They begin with Apache's DOTALL.
    """

    def __init__(self, source: str) -> None:
        self.cursor = Cursor(source)
        self.references = References(self.cursor)
        self.options = frozenset("s")
        self.utf = False
        self.looking_around = 0
        self.looking_behind = False
        # Whether a quantifier may follow the item just read, and whether that was in parentheses.
        self.repeatable = False
        self.parenthesized = False
        self._types: set[str] = set()

    @abstractmethod
    def parenthesis(self) -> Node:
        """Read what begins with the parenthesis just read."""

    def branches(self) -> list[Node]:
        """Read alternatives, up to what cannot belong to them."""
        branches = [self.sequence()]
        while self.cursor.accept("|"):
            branches.append(self.sequence())
        return branches

    def sequence(self) -> Node:
        """Read one alternative."""
        items: list[Node] = []
        cursor = self.cursor
        end = len(cursor.source)
        while True:
            self._skip_ignored()
            if cursor.position >= end or cursor.source[cursor.position] in "|)":
                return _sequence(items)
            self.repeatable = True
            self.parenthesized = False
            *before, last = self._items()
            items += before
            items.append(self._repeated(last) if self.repeatable else last)

    def foreign(self, construct: str) -> Node:
        """Return the node of a construct that only PCRE2 knows."""
        self.unsure_behind(construct)
        self.cursor.note_foreign(construct)
        return Foreign(construct)

    def unsure_behind(self, construct: str) -> None:
        """Refuse what may have several lengths: PCRE2 releases differ on it in a look-behind."""
        if self.looking_behind:
            raise self.cursor.unsupported(f"{construct} in a look-behind")

    def _skip_ignored(self) -> None:
        self.cursor.take(_IGNORED_EXTENDED if "x" in self.options else _IGNORED)

    def _items(self) -> list[Node]:
        cursor = self.cursor
        if found := cursor.take(_PLAIN_TEXT) or cursor.take(_QUOTED):
            return self._literal(found[found.lastindex or 0])
        start = cursor.source[cursor.position]
        if start in "*+?{" and cursor.take(_QUANTIFIER):
            raise cursor.invalid("quantifier does not follow a repeatable item")
        for text, nodes in WORD_EDGES.items():
            if cursor.accept(text):
                return nodes
        later = cursor.comes(_LATER_QUANTIFIER)
        cursor.position += 1
        if later:
            cursor.respell(later.start(), r"\{")
        reader = _READERS.get(start)
        return [reader(self)] if reader else self._literal(start)

    def _literal(self, text: str) -> list[Node]:
        if not text:
            return [EMPTY]
        if "i" not in self.options:
            # A quantifier applies to the last character alone.
            return [Text(text[:-1]), Text(text[-1])] if len(text) > 1 else [Text(text)]
        return [
            Bytes(bytesets.fold(1 << ord(letter)))
            if letter.isascii() and letter.isalpha()
            else Text(letter)
            for letter in text
        ]

    # Quantifiers

    def _repeated(self, item: Node) -> Node:
        self._skip_ignored()
        counts = self._counts()
        if counts is None:
            return item
        low, high = counts
        if isinstance(item, Look):
            if item.behind and low != high:
                self._refuse_behind()
            # PCRE2 tries an assertion once more at most.
            high = low + 1 if high is None else high
        if self.parenthesized and low == 0 and single_byte(item) is not None:
            # To PCRE2 (?:b)? is not b? (see forgets_entry()).
            item = Sequence((item,))
        self._skip_ignored()
        return Repeat(item, low, high, self._greed())

    def _counts(self) -> tuple[int, int | None] | None:
        found = self.cursor.take(_QUANTIFIER)
        if not found:
            return None
        sign, least, comma, most = found.groups()
        if sign:
            return _UNCOUNTED[sign]
        low = int(least)
        high = int(most) if most else None if comma else low
        if max(low, high or 0) > _MOST_REPEATS:
            raise self.cursor.invalid("number too big in {} quantifier")
        if high is not None and high < low:
            raise self.cursor.invalid("numbers out of order in {} quantifier")
        return low, high

    def _greed(self) -> Greed:
        if self.cursor.accept("+"):
            return Greed.POSSESSIVE
        lazy = self.cursor.accept("?")
        return Greed.LAZY if lazy != ("U" in self.options) else Greed.GREEDY

    # Single characters and places

    def _dot(self) -> Node:
        if "s" in self.options:
            return Bytes(bytesets.ALL)
        self._note_type("N")
        return _NOT_NEWLINE

    def _circumflex(self) -> Node:
        self.repeatable = False
        return Anchor.LINE_START if "m" in self.options else Anchor.START

    def _dollar(self) -> Node:
        self.repeatable = False
        return Anchor.LINE_END if "m" in self.options else Anchor.END

    def _bracket(self) -> Node:
        cursor = self.cursor
        cursor.position -= 1
        if cursor.comes(POSIX):
            raise cursor.invalid("POSIX named classes are supported only within a class")
        cursor.position += 1
        return Bytes(read_class(cursor, self.options))

    def _escape(self) -> Node:
        cursor = self.cursor
        letter = cursor.source[cursor.position : cursor.position + 1]
        if letter in _ESCAPES:
            return self._fixed_escape(letter)
        if letter in ("p", "P"):
            return Bytes(property_escape(cursor, "i" in self.options))
        if letter in ("K", "X", "C"):
            cursor.position += 1
            return self._odd_escape(letter)
        reference = self._reference()
        if reference is not None:
            return reference
        code = cursor.byte_escape()
        if code is None:
            raise cursor.invalid(rf"\{letter} is not an escape")
        return self._literal(chr(code))[0]

    def _fixed_escape(self, letter: str) -> Node:
        cursor = self.cursor
        cursor.position += 1
        node = _ESCAPES[letter]
        if letter == "N" and cursor.at("{") and not cursor.comes(_QUANTIFIER):
            raise cursor.invalid(r"\N{...} is supported only in UTF mode")
        if node is _LINE_BREAK:
            self._refuse_behind()
        self.repeatable = not isinstance(node, Anchor)
        self._note_type(letter)
        return node

    def _note_type(self, letter: str) -> None:
        self._types.add(letter)
        for pair in _TAKEN_FOR_DISJOINT:
            if pair <= self._types:
                self.cursor.note_foreign(" beside ".join(rf"\{name}" for name in sorted(pair)))

    def _odd_escape(self, letter: str) -> Node:
        cursor = self.cursor
        if letter == "C":
            if self.utf:
                raise cursor.unsupported(r"\C under (*UTF)")
            cursor.respell(cursor.position - 2, "(?s:.)")
            return Bytes(bytesets.ALL)
        if letter == "X":
            self._refuse_behind()
        elif self.looking_around:
            raise cursor.invalid(r"\K is not allowed in lookarounds")
        self.repeatable = letter == "X"
        return self.foreign(rf"\{letter}")

    def _refuse_behind(self) -> None:
        if self.looking_behind:
            raise self.cursor.invalid("lookbehind assertion is not fixed length")

    # References

    def _reference(self) -> Node | None:
        cursor, references = self.cursor, self.references
        folded = "i" in self.options
        start = cursor.position
        if found := cursor.take(_SUBROUTINE):
            return self.call(found[1] or found[3], found[2] or found[4])
        if found := cursor.take(_NAMED_REFERENCE):
            self.unsure_behind("a back reference")
            return references.to_name(found[found.lastindex or 0], folded)
        if found := cursor.take(_NUMBERED_REFERENCE):
            self.unsure_behind("a back reference")
            return references.to_number(references.absolute(found[1] or found[2]), folded)
        if found := cursor.take(_DECIMAL):
            number = int(found[0])
            if number < 10 or found[0][0] in "89" or number <= references.groups:
                self.unsure_behind("a back reference")
                return references.to_number(number, folded)
            cursor.position = start
        return None

    def call(self, digits: str | None, name: str | None) -> Node:
        """Return the node of a subroutine call to a group."""
        if digits is not None:
            number = self.references.absolute(digits)
            # Group 0 is the whole pattern.
            if number or digits[0] in "+-":
                self.references.need(number)
        if name is not None:
            self.references.need_name(name)
        return self.foreign(f"a subroutine call to group {digits or name}")


def choice(branches: list[Node]) -> Node:
    """Return the node of these alternatives."""
    if len(branches) == 1:
        return branches[0]
    masks = [single_byte(branch) for branch in branches]
    if None in masks:
        return Choice(tuple(branches))
    # One set of bytes cannot be ambiguous, as (a|a)* is.
    return Bytes(reduce(or_, filter(None, masks), 0))


def _sequence(items: list[Node]) -> Node:
    merged: list[Node] = []
    for item in items:
        if merged and isinstance(item, Text) and isinstance(before := merged[-1], Text):
            merged[-1] = Text(before.text + item.text)
        elif item is not EMPTY:
            merged.append(item)
    return merged[0] if len(merged) == 1 else Sequence(tuple(merged))


_READERS = {
    "(": lambda parser: parser.parenthesis(),
    "[": lambda parser: parser._bracket(),
    "\\": lambda parser: parser._escape(),
    ".": lambda parser: parser._dot(),
    "^": lambda parser: parser._circumflex(),
    "$": lambda parser: parser._dollar(),
}
