"""Classes in square brackets: ``[^/]``, ``[[:alpha:]_-]``, as PCRE2's parse_regex() reads them."""

from __future__ import annotations

import re

from . import bytesets
from .cursor import Cursor
from .syntax import Anchor, Bytes, Look, Node

# PCRE2 rewrites these, so that a quantifier behind applies to the look-around alone.
WORD_EDGES: dict[str, list[Node]] = {
    "[[:<:]]": [Anchor.WORD_EDGE, Look(Bytes(bytesets.WORD), behind=False, negative=False)],
    "[[:>:]]": [Anchor.WORD_EDGE, Look(Bytes(bytesets.WORD), behind=True, negative=False)],
}
# check_posix_syntax(): "[:" counts only if a ":]" ends it.
POSIX = re.compile(r"\[([:.=])((?:\\[\]\\]|(?!\[\1|\1\])[^\]])*)\1\]")
_PROPERTY = re.compile(r"([pP])(?:([A-Za-z])|\{(\^?)([^{}\\]*)\})")
_CATEGORY = re.compile(r"C[cfnos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?")
_IGNORED = re.compile(r"(?:\\E)*")
_BEGINS_RANGE = re.compile(r"-(?!\]|\Z)")
_ESCAPED_LITERALS = {"b": 0x08, "8": 0x38, "9": 0x39, "g": 0x67}


def read_class(cursor: Cursor, *, caseless: bool) -> int:
    """Read a class from behind its opening bracket."""
    cursor.take(_IGNORED)
    negative = cursor.accept("^")
    mask, begun, in_range = 0, False, False
    # The byte that could begin a range.
    first: int | None = None
    while not (cursor.take(_IGNORED) and begun and cursor.accept("]")):
        begun = True
        if first is not None and not in_range and cursor.accept("-"):
            in_range = True
            continue
        named = _named_set(cursor, caseless)
        if named is not None:
            if in_range or cursor.comes(_BEGINS_RANGE):
                raise cursor.invalid("invalid range in character class")
            mask, first = mask | named, None
            continue
        code = _byte(cursor)
        item = 1 << code
        if in_range and first is not None:
            if code < first:
                raise cursor.invalid("range out of order in character class")
            item = bytesets.span(first, code)
        first, in_range = None if in_range else code, False
        mask |= bytesets.fold(item) if caseless else item
    mask |= bytesets.of(b"-") if in_range else 0
    return bytesets.ALL ^ mask if negative else mask


def _named_set(cursor: Cursor, caseless: bool) -> int | None:
    if found := cursor.take(POSIX):
        return _posix_class(cursor, found, caseless)
    letter = cursor.source[cursor.position : cursor.position + 2].removeprefix("\\")
    if not cursor.accept("\\"):
        return None
    if letter in bytesets.CHARACTER_TYPES:
        cursor.position += 1
        return bytesets.CHARACTER_TYPES[letter]
    if letter in ("p", "P"):
        return property_set(cursor, caseless)
    cursor.position -= 1
    return None


def _byte(cursor: Cursor) -> int:
    character = cursor.source[cursor.position : cursor.position + 1]
    if not character:
        raise cursor.invalid("missing terminating ] for character class")
    cursor.position += 1
    if character != "\\":
        return ord(character)
    letter = cursor.source[cursor.position : cursor.position + 1]
    if letter in _ESCAPED_LITERALS:
        cursor.position += 1
        return _ESCAPED_LITERALS[letter]
    return cursor.byte_escape()


def property_set(cursor: Cursor, caseless: bool) -> int:
    r"""Read ``\p{Lu}`` from behind its backslash: the Latin-1 characters of a category."""
    found = cursor.take(_PROPERTY)
    if not found:
        raise cursor.invalid(r"malformed \P or \p sequence")
    kind, letter, negation, name = found.groups()
    name = letter or name
    if not _CATEGORY.fullmatch(name):
        cursor.note_foreign("\\" + found[0])
        return bytesets.ALL
    if caseless and name in ("Lu", "Ll", "Lt"):
        # PCRE2 10.42 keeps the case here, later releases do not.
        cursor.unportable = rf"\{found[0]} under (?i)"
    mask = bytesets.of_category(name)
    return mask if (kind == "p") != bool(negation) else bytesets.ALL ^ mask


def _posix_class(cursor: Cursor, found: re.Match[str], caseless: bool) -> int:
    name = found[2].removeprefix("^")
    if found[1] != ":" or name not in bytesets.POSIX_CLASSES:
        raise cursor.invalid(f"unknown POSIX class {found[0]}")
    mask = bytesets.POSIX_CLASSES["alpha" if caseless and name in ("lower", "upper") else name]
    return bytesets.ALL ^ mask if name != found[2] else mask
