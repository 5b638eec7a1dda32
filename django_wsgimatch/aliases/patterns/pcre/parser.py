"""
A pattern as PCRE2 10.42 reads it: from text to nodes, or an error where PCRE2 has one.

Mirrors parse_regex() in pcre2_compile.c, under the options of Apache's ap_regcomp(): DOTALL,
DOLLAR_ENDONLY and DUPNAMES, 8-bit, without UTF and UCP. What few patterns hold is only named and
left to PCRE2 itself: recursion, conditions, verbs, callouts, references by name, ``(?|``, ``\\K``,
``\\R``, ``\\X``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from ....exceptions import InvalidPattern
from . import bytesets
from .bracket import POSIX, WORD_EDGES, property_set, read_class
from .cursor import Cursor, without_any_byte
from .measures import compiled_size, fixed_length
from .quirks import misread
from .syntax import (
    EMPTY,
    FAIL,
    Anchor,
    Atomic,
    BackReference,
    Bytes,
    CaptureGroup,
    Choice,
    Foreign,
    Greed,
    Look,
    Node,
    Parsed,
    Repeat,
    Sequence,
    Text,
    choice,
    joined,
    single_byte,
)

# PCRE2 allows 250, but a level costs several frames of Python's stack, in re's own parser too.
_DEEPEST = 40
_MOST_REPEATS = _LONGEST_LOOKBEHIND = 65535
# PCRE2 compiles to 65,536 bytes at most, which it alone counts exactly.
_SURELY_COMPILED = 60_000
_IS_LARGE_OR_ODD = re.compile(r"\{|\(\?=|\(\*|\[\[:[<>]|.{1500}", re.DOTALL)
# re reads \100 as octal.
_HIGHEST_REFERENCE = 99

_PLAIN_TEXT = re.compile(r"[^\\\[().|*+?{^$#\s\x85]+")
_IGNORED = re.compile(r"(?:\\E|\(\?#[^)]*\))*")
_IGNORED_EXTENDED = re.compile(r"(?:\\E|\(\?#[^)]*\)|[\t-\r \x85]|#[^\n]*(?:\n|\Z))*")
_QUANTIFIER = re.compile(r"([*+?])|\{(\d+)(?:(,)(\d*))?\}", re.ASCII)
_NO_QUANTIFIER = re.compile(r"\{(?!\d+(?:,\d*)?\})", re.ASCII)
_UNCOUNTED: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}

_NAME = r"([A-Za-z_][A-Za-z0-9_]{0,31})"
_NAMED_GROUP = re.compile(rf"\?(?:P?<{_NAME}>|'{_NAME}')")
_OPTIONS = re.compile(r"\?(\^?)([imnsxJU]*)(?:(-)([imnsxJU]*))?[:)]")
_LOOK = re.compile(r"\?(<?)([=!])")
_REFERENCE = re.compile(r"\\([1-9][0-9]*)")

# What is left to PCRE2: what stands for itself, and what begins a group.
_FOREIGN = re.compile(
    rf"\((?:\?(?:R|[+-]?[0-9]+|(?:&|P>){_NAME})|\*[A-Z0-9_]*(?:[:=][^)]*)?"
    r"|\?C(?:[0-9]*|([`'\"%#$^]).*?\2|\{.*?\}))\)"
    rf"|\\[KRX]|\(\?P={_NAME}\)|\\g[+-]?[0-9]+"
    rf"|\\[gk](?:<(?:[+-]?[0-9]+|{_NAME})>|'(?:[+-]?[0-9]+|{_NAME})'|\{{(?:[+-]?[0-9]+|{_NAME})\}})",
    re.DOTALL,
)
_FOREIGN_GROUP = re.compile(r"\?[|*]|\?<\*|\*[a-z_]+:|\?\((?![?*])[^()]*\)|\?(?=\([?*])")
_CALLOUT = re.compile(r"\(\?C[0-9]{0,2}\)")
_NOT_REPEATABLE = re.compile(r"\(\?C|\\K|\(\*(?!ACCEPT)")
_IS_LOOK = re.compile(r"\*$|l[ab]:|look")
_IS_NON_ATOMIC = re.compile(r"\?<|\*na|\*non")

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
    "C": Bytes(bytesets.ALL),
}


# Optimization: imports and checks read a pattern up to six times in a row.
@lru_cache(maxsize=256)
def parse(source: str) -> Parsed:
    """
    Read a pattern of Latin-1 characters.

    :raises InvalidPattern: PCRE2 refuses it.
    :raises UnsupportedPattern: whether PCRE2 refuses it cannot be told here.
    """
    if not source.isascii() and max(source) > "\xff":
        raise InvalidPattern(source, "a character beyond Latin-1; paths are matched byte by byte")
    return _Parser(source).pattern()


class _Parser:
    """
    Reads a pattern from left to right.

    ``options`` are the letters in force at the current place, as in ``(?imnsxJU)``. They begin with
    Apache's DOTALL.
    """

    def __init__(self, source: str) -> None:
        self._cursor = Cursor(source)
        self._options = frozenset("s")
        self._depth = 0
        self._looking_behind = False
        # Whether a quantifier may follow the item just read, and whether that was in parentheses.
        self._repeatable = False
        self._parenthesized = False
        self._groups = 0
        self._open: set[int] = set()
        self._highest_needed = 0

    def pattern(self) -> Parsed:
        cursor = self._cursor
        try:
            tree = choice(self._branches())
            if cursor.position < len(cursor.source):
                raise cursor.invalid("unmatched closing parenthesis")
            if self._highest_needed > self._groups:
                raise cursor.invalid("reference to non-existent subpattern")
        except InvalidPattern as error:
            # What is a mistake between bytes may be right between UTF-8 characters, or blanks.
            if cursor.foreign and cursor.foreign.startswith(("(*UTF", "(?xx")):
                raise cursor.unsupported(cursor.foreign) from error
            raise
        self._check(tree)
        portable = without_any_byte(cursor.source)
        return Parsed(tree, self._groups, cursor.foreign, portable, cursor.unportable)

    def _check(self, tree: Node) -> None:
        cursor = self._cursor
        if r"\S" in cursor.source and (r"\h" in cursor.source or r"\v" in cursor.source):
            # PCRE2 takes them for disjoint, so that a repeat of one gives back nothing to the
            # other (autoposstab in pcre2_auto_possess.c).
            cursor.note_foreign(r"\S beside \h or \v")
        if r"\C" in cursor.source and "(*UTF" in cursor.source:
            cursor.note_unportable(r"\C under (*UTF)")
        # Optimization: most patterns have nothing of this kind.
        if not _IS_LARGE_OR_ODD.search(cursor.source):
            return
        if compiled_size(tree) > _SURELY_COMPILED:
            cursor.note_foreign("a pattern this large")
        for construct in misread(tree):
            cursor.note_unportable(construct)

    def _branches(self) -> list[Node]:
        branches = [self._sequence()]
        while self._cursor.accept("|"):
            branches.append(self._sequence())
        return branches

    def _sequence(self) -> Node:
        items: list[Node] = []
        cursor = self._cursor
        while True:
            self._skip_ignored()
            if cursor.position >= len(cursor.source) or cursor.source[cursor.position] in "|)":
                return joined(items)
            self._repeatable, self._parenthesized = True, False
            *before, last = self._items()
            items += before
            items.append(self._repeated(last) if self._repeatable else last)

    def _skip_ignored(self) -> None:
        if "x" in self._options:
            self._cursor.take(_IGNORED_EXTENDED)
        elif self._cursor.source.startswith(("\\E", "(?#"), self._cursor.position):
            self._cursor.take(_IGNORED)

    def _items(self) -> list[Node]:
        cursor = self._cursor
        if found := cursor.take(_PLAIN_TEXT):
            return self._literal(found[0])
        start = cursor.source[cursor.position]
        if start in "*+?{" and cursor.take(_QUANTIFIER):
            raise cursor.invalid("quantifier does not follow a repeatable item")
        for text in WORD_EDGES if start == "[" else ():
            if cursor.accept(text):
                return WORD_EDGES[text]
        if start in "(\\":
            node = self._foreign_item() or self._reference()
            if node is not None:
                return [node]
        cursor.position += 1
        reader = _READERS.get(start)
        return [reader(self)] if reader else self._literal(start)

    def _literal(self, text: str) -> list[Node]:
        if "i" not in self._options:
            # A quantifier applies to the last character alone.
            return [Text(text[:-1]), Text(text[-1])] if len(text) > 1 else [Text(text)]
        return [
            Bytes(bytesets.fold(1 << ord(letter)))
            if letter.isascii() and letter.isalpha()
            else Text(letter)
            for letter in text
        ]

    def _foreign_item(self) -> Node | None:
        found = self._cursor.take(_FOREIGN)
        if not found:
            return None
        self._repeatable = not _NOT_REPEATABLE.match(found[0])
        if _CALLOUT.fullmatch(found[0]):
            # Apache has nothing that is called.
            return EMPTY
        if found[0] not in ("(*F)", "(*FAIL)"):
            return self._foreign(found[0])
        self._unsure_behind(found[0])
        return FAIL

    def _foreign(self, construct: str) -> Node:
        self._unsure_behind(construct)
        self._cursor.note_foreign(construct)
        return Foreign(construct)

    def _unsure_behind(self, construct: str) -> None:
        """Refuse what may have several lengths: PCRE2 releases differ on it in a look-behind."""
        if self._looking_behind:
            raise self._cursor.unsupported(f"{construct} in a look-behind")

    def _repeated(self, item: Node) -> Node:
        self._skip_ignored()
        found = self._cursor.take(_QUANTIFIER)
        if not found:
            return item
        low, high = self._counts(found)
        if isinstance(item, Look):
            if item.behind and self._looking_behind and low != high:
                raise self._cursor.invalid("lookbehind assertion is not fixed length")
            # PCRE2 tries an assertion once more at most.
            high = low + 1 if high is None else high
        if self._parenthesized and low == 0 and single_byte(item) is not None:
            # To PCRE2 (?:b)? is not b? (see forgets_entry()).
            item = Sequence((item,))
        self._skip_ignored()
        return Repeat(item, low, high, self._greed())

    def _counts(self, found: re.Match[str]) -> tuple[int, int | None]:
        sign, least, comma, most = found.groups()
        if sign:
            return _UNCOUNTED[sign]
        low = int(least)
        high = int(most) if most else None if comma else low
        if max(low, high or 0) > _MOST_REPEATS:
            raise self._cursor.invalid("number too big in {} quantifier")
        if high is not None and high < low:
            raise self._cursor.invalid("numbers out of order in {} quantifier")
        return low, high

    def _greed(self) -> Greed:
        if self._cursor.accept("+"):
            return Greed.POSSESSIVE
        lazy = self._cursor.accept("?")
        return Greed.LAZY if lazy != ("U" in self._options) else Greed.GREEDY

    def _dot(self) -> Node:
        return Bytes(bytesets.ALL) if "s" in self._options else _NOT_NEWLINE

    def _circumflex(self) -> Node:
        self._repeatable = False
        return Anchor.LINE_START if "m" in self._options else Anchor.START

    def _dollar(self) -> Node:
        self._repeatable = False
        return Anchor.LINE_END if "m" in self._options else Anchor.END

    def _bracket(self) -> Node:
        cursor = self._cursor
        if POSIX.match(cursor.source, cursor.position - 1):
            raise cursor.invalid("POSIX named classes are supported only within a class")
        return Bytes(read_class(cursor, caseless="i" in self._options))

    def _escape(self) -> Node:
        cursor = self._cursor
        letter = cursor.source[cursor.position : cursor.position + 1]
        if letter in ("p", "P"):
            return Bytes(property_set(cursor, "i" in self._options))
        if letter not in _ESCAPES:
            return self._literal(chr(cursor.byte_escape()))[0]
        cursor.position += 1
        if letter == "N" and cursor.comes(_NO_QUANTIFIER):
            raise cursor.invalid(r"\N{...} is supported only in UTF mode")
        node = _ESCAPES[letter]
        self._repeatable = not isinstance(node, Anchor)
        return node

    def _reference(self) -> Node | None:
        found = self._cursor.comes(_REFERENCE)
        if not found:
            return None
        number = int(found[1])
        if number >= 10 and number > self._groups and found[1][0] not in "89":
            # An octal number.
            return None
        self._cursor.position = found.end()
        self._unsure_behind("a back reference")
        self._highest_needed = max(self._highest_needed, number)
        if number > _HIGHEST_REFERENCE:
            return self._foreign(f"a back reference beyond group {_HIGHEST_REFERENCE}")
        complete = number <= self._groups and number not in self._open
        return BackReference(number, "i" in self._options, complete)

    # What begins with a parenthesis

    def _parenthesis(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._cursor.unsupported(f"parentheses nested more than {_DEEPEST} deep")
        node = self._group()
        self._depth -= 1
        self._parenthesized = True
        return node

    def _group(self) -> Node:
        cursor = self._cursor
        if found := cursor.take(_LOOK):
            return self._looking(behind=found[1] == "<", negative=found[2] == "!")
        if cursor.take(_NAMED_GROUP):
            return self._capture()
        if found := cursor.take(_OPTIONS):
            return self._with_options(found)
        if cursor.accept("?>"):
            return Atomic(self._inside())
        if found := cursor.take(_FOREIGN_GROUP):
            return self._foreign_group(found[0])
        if cursor.accept("?") or cursor.accept("*"):
            raise cursor.invalid("unrecognized character after (? or (*")
        return self._inside() if "n" in self._options else self._capture()

    def _inside(self) -> Node:
        node = choice(self._inside_branches())
        # A quantifier treats a look-around by itself in another way than one in a group.
        return Sequence((node,)) if isinstance(node, Look) else node

    def _inside_branches(self) -> list[Node]:
        options = self._options
        branches = self._branches()
        if not self._cursor.accept(")"):
            raise self._cursor.invalid("missing closing parenthesis")
        self._repeatable = True
        self._options = options
        return branches

    def _capture(self) -> Node:
        self._groups += 1
        number = self._groups
        self._open.add(number)
        item = self._inside()
        self._open.discard(number)
        return CaptureGroup(number, item)

    def _with_options(self, found: re.Match[str]) -> Node:
        before = self._options
        reset, on, hyphen, off = found.groups()
        if reset and hyphen:
            raise self._cursor.invalid("invalid hyphen in option setting")
        if "xx" in on:
            self._foreign("(?xx)")
        options = before - frozenset("imnsx") if reset else before
        self._options = (options | set(on)) - set(off or "")
        if found[0].endswith(")"):
            self._repeatable = False
            return EMPTY
        item = self._inside()
        self._options = before
        return item

    def _looking(self, *, behind: bool, negative: bool) -> Node:
        outside = self._looking_behind
        # A look ahead within a look-behind may be of any length.
        self._looking_behind = behind
        branches = self._inside_branches()
        self._looking_behind = outside
        lengths = {fixed_length(branch) for branch in branches} if behind else {0}
        if max(_LONGEST_LOOKBEHIND + 1 if n is None else n for n in lengths) > _LONGEST_LOOKBEHIND:
            raise self._cursor.invalid("lookbehind assertion is not fixed length")
        if len(lengths) > 1:
            # re wants one length for all branches.
            self._foreign("a look-behind of several lengths")
        return Look(choice(branches), behind, negative)

    def _foreign_group(self, begin: str) -> Node:
        if begin == "?|":
            groups, node = self._groups, self._inside()
            if groups < self._groups:
                self._foreign("(?|...)")
            return node
        self._foreign(f"({begin}...)" if begin != "?" else "(?(...)")
        if begin.startswith("?(") or begin == "?":
            return self._conditional(begin)
        if not _IS_LOOK.search(begin):
            return self._inside()
        behind = "<" in begin or "lb" in begin or "behind" in begin
        if behind and _IS_NON_ATOMIC.match(begin):
            self._cursor.note_unportable("a non-atomic look-behind")
        return self._looking(behind=behind, negative=begin.startswith(("*nl", "*neg")))

    def _conditional(self, begin: str) -> Node:
        # The condition of "(?" is a look-around.
        look = self._items()[0] if begin == "?" else EMPTY
        first, *others = self._inside_branches()
        return Choice((Sequence((look, first)), *others, EMPTY))


_READERS: dict[str, Callable[[_Parser], Node]] = {
    "(": lambda parser: parser._parenthesis(),
    "[": lambda parser: parser._bracket(),
    "\\": lambda parser: parser._escape(),
    ".": lambda parser: parser._dot(),
    "^": lambda parser: parser._circumflex(),
    "$": lambda parser: parser._dollar(),
}
