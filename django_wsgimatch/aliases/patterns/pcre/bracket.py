"""Classes in square brackets: ``[^/]``, ``[[:alpha:]_-]``, as PCRE2's parse_regex() reads them."""

from __future__ import annotations

import re

from . import bytesets
from .cursor import Cursor
from .properties import property_escape
from .syntax import Anchor, Bytes, Look, Node

# PCRE2 rewrites these, so that a quantifier behind applies to the look-around alone.
WORD_EDGES: dict[str, list[Node]] = {
    "[[:<:]]": [Anchor.WORD_EDGE, Look(Bytes(bytesets.WORD), behind=False, negative=False)],
    "[[:>:]]": [Anchor.WORD_EDGE, Look(Bytes(bytesets.WORD), behind=True, negative=False)],
}
# check_posix_syntax(): "[:" counts only if a ":]" ends it.
POSIX = re.compile(r"\[([:.=])((?:\\[\]\\]|(?!\[\1|\1\])[^\]])*)\1\]")
_ESCAPED_LITERALS = {"b": 0x08, "8": 0x38, "9": 0x39, "g": 0x67}


class _Bracket:
    """One class while it is read."""

    def __init__(self, cursor: Cursor, options: frozenset[str]) -> None:
        self._cursor = cursor
        self._options = options
        self._mask = 0
        # The byte that could begin a range, and whether its hyphen has been read.
        self._first: int | None = None
        self._in_range = False
        self._quoting = False

    def read(self) -> int:
        """Read from behind the opening bracket to behind the closing one."""
        cursor = self._cursor
        negative = cursor.accept("^")
        self._skip_ignored()
        if cursor.at("]"):
            cursor.position += 1
            self._add_byte(0x5D)
        while not self._closed():
            self._item()
        if self._in_range:
            self._add(bytesets.of(b"-"))
        return bytesets.ALL ^ self._mask if negative else self._mask

    def _closed(self) -> bool:
        self._skip_ignored()
        if self._cursor.position >= len(self._cursor.source):
            raise self._cursor.invalid("missing terminating ] for character class")
        return not self._quoting and self._cursor.accept("]")

    def _skip_ignored(self) -> None:
        cursor = self._cursor
        ignores_blanks = "X" in self._options
        while True:
            if cursor.accept(r"\E"):
                self._quoting = False
            elif self._quoting:
                return
            elif cursor.accept(r"\Q"):
                self._quoting = True
            elif not (ignores_blanks and (cursor.accept(" ") or cursor.accept("\t"))):
                return

    def _item(self) -> None:
        cursor = self._cursor
        character = cursor.source[cursor.position]
        if self._quoting:
            cursor.position += 1
            self._add_byte(ord(character))
        elif character == "[" and (found := cursor.take(POSIX)):
            self._add_class(_posix_class(cursor, found, "i" in self._options))
        elif character == "\\":
            cursor.position += 1
            self._escape()
        else:
            cursor.position += 1
            if character == "-" and self._first is not None and not self._in_range:
                self._in_range = True
            else:
                self._add_byte(ord(character))

    def _escape(self) -> None:
        cursor = self._cursor
        letter = cursor.source[cursor.position : cursor.position + 1]
        if letter in bytesets.CHARACTER_TYPES:
            cursor.position += 1
            self._add_class(bytesets.CHARACTER_TYPES[letter])
        elif letter in ("p", "P"):
            self._add_class(property_escape(cursor, "i" in self._options))
        elif letter in _ESCAPED_LITERALS:
            cursor.position += 1
            self._add_byte(_ESCAPED_LITERALS[letter])
        elif (code := cursor.byte_escape()) is not None:
            self._add_byte(code)
        else:
            raise cursor.invalid(rf"\{letter} is not allowed in a character class")

    def _add_byte(self, code: int) -> None:
        mask = 1 << code
        if self._in_range and self._first is not None:
            if code < self._first:
                raise self._cursor.invalid("range out of order in character class")
            mask = bytesets.span(self._first, code)
            self._first, self._in_range = None, False
        else:
            self._first = code
        self._add(bytesets.fold(mask) if "i" in self._options else mask)

    def _add_class(self, mask: int) -> None:
        cursor = self._cursor
        following = cursor.source[cursor.position : cursor.position + 2]
        if self._in_range or (following[:1] == "-" and following not in ("-", "-]")):
            raise cursor.invalid("invalid range in character class")
        self._first = None
        self._add(mask)

    def _add(self, mask: int) -> None:
        self._mask |= mask


def read_class(cursor: Cursor, options: frozenset[str]) -> int:
    """Read a class from behind its opening bracket; ``options`` are the letters in force."""
    return _Bracket(cursor, options).read()


def _posix_class(cursor: Cursor, found: re.Match[str], caseless: bool) -> int:
    kind, name = found[1], found[2]
    if kind != ":":
        raise cursor.invalid("POSIX collating elements are not supported")
    negative = name.startswith("^")
    name = name.removeprefix("^")
    if name not in bytesets.POSIX_CLASSES:
        raise cursor.invalid(f"unknown POSIX class name {name!r}")
    if caseless and name in ("lower", "upper"):
        name = "alpha"
    mask = bytesets.POSIX_CLASSES[name]
    return bytesets.ALL ^ mask if negative else mask
