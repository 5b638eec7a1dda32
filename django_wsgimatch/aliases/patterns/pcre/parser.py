"""
A pattern as PCRE2 10.42 reads it: from text to nodes, or an error where PCRE2 has one.

Mirrors parse_regex() in pcre2_compile.c, under the options of Apache's ap_regcomp(): DOTALL,
DOLLAR_ENDONLY and DUPNAMES, 8-bit, without UTF and UCP.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ....exceptions import InvalidPattern
from .measures import captured, compiled_size, fixed_length
from .quirks import enters_skipped_group, misses_first_byte
from .sequences import SequenceParser, choice
from .syntax import (
    EMPTY,
    FAIL,
    Atomic,
    CaptureGroup,
    Choice,
    Condition,
    Look,
    Node,
    Parsed,
    Sequence,
)

# PCRE2 allows 250, but a level costs several frames of Python's stack, in re's own parser too.
_DEEPEST = 40
_LONGEST_LOOKBEHIND = 65535
# PCRE2 compiles to 65,536 bytes at most, which it alone counts exactly.
_SURELY_COMPILED = 60_000
_NEVER_TOO_LONG = 1500

_MISREAD_STARTS = {
    misses_first_byte: "a search that begins with a look ahead, not with the text looked for",
    enters_skipped_group: "a group of several alternatives that is repeated no times",
}

_NAME = r"([A-Za-z_][A-Za-z0-9_]*)"
_OPTIONS = re.compile(r"(\^?)([imnsxJU]*)(?:-([imnsxJU]*))?([:)])")
_NAMED_GROUP = re.compile(rf"P?<{_NAME}>|'{_NAME}'")
_CALL = re.compile(rf"(?:(R)|([+-]?[0-9]+)|(?:&|P>){_NAME})\)")
_NAMED_REFERENCE = re.compile(rf"P={_NAME}\)")
_CALLOUT = re.compile(
    r"C(?:([0-9]*)|([`'\"%#$^])(?:(?!\2).|\2\2)*\2|\{(?:[^}]|\}\})*\})\)", re.DOTALL
)
_VERB = re.compile(r"\*([A-Z]*)(?::([^)]*))?\)")
_SPELT_GROUP = re.compile(r"\*([a-z_]+):")
_BEGINS_VERB = re.compile(r"\*[A-Za-z:]")
_START_OPTION = re.compile(r"\(\*([A-Z0-9_]+)(?:=([0-9]{1,9}))?\)")
_ASSERTION = re.compile(r"\((?:\?(?:=|!|<=|<!|\*|<\*|C)|\*[a-z])")
_CONDITION = re.compile(
    rf"\((?:([+-]?[0-9]+)|<{_NAME}>|'{_NAME}'|R([0-9]*)|R&{_NAME}"
    rf"|(VERSION)>?=[0-9]+(?:\.[0-9]+)?|{_NAME})\)"
)

# Options at the very start that change neither what matches nor how it is read.
_HARMLESS_STARTS = frozenset(
    ["LF", "BSR_UNICODE", "NO_JIT", "NO_START_OPT", "NO_AUTO_POSSESS", "NO_DOTSTAR_ANCHOR"]
)
_NEWLINE_STARTS = frozenset(["CR", "CRLF", "ANYCRLF", "ANY", "NUL", "BSR_ANYCRLF"])
_OTHER_STARTS = _NEWLINE_STARTS | {"UTF", "UTF8", "UCP", "NOTEMPTY", "NOTEMPTY_ATSTART"}
_LIMIT_STARTS = frozenset(["LIMIT_MATCH", "LIMIT_DEPTH", "LIMIT_RECURSION", "LIMIT_HEAP"])
_VERBS = frozenset(["ACCEPT", "COMMIT", "PRUNE", "SKIP", "THEN"])

_LOOKS = {"=": (False, False), "!": (False, True), "<=": (True, False), "<!": (True, True)}
_SPELT_LOOKS = {
    "pla": "=",
    "positive_lookahead": "=",
    "nla": "!",
    "negative_lookahead": "!",
    "plb": "<=",
    "positive_lookbehind": "<=",
    "nlb": "<!",
    "negative_lookbehind": "<!",
}
_SPELT_NON_ATOMIC = {
    "napla": False,
    "non_atomic_positive_lookahead": False,
    "naplb": True,
    "non_atomic_positive_lookbehind": True,
}
_SCRIPT_RUNS = frozenset(["sr", "script_run", "asr", "atomic_script_run"])


def parse(source: str) -> Parsed:
    """
    Read a pattern of Latin-1 characters.

    :raises InvalidPattern: PCRE2 refuses it.
    :raises UnsupportedPattern: whether PCRE2 refuses it cannot be told here.
    """
    if not source.isascii() and max(source) > "\xff":
        raise InvalidPattern(source, "a character beyond Latin-1; paths are matched byte by byte")
    return _Parser(source).pattern()


class _Parser(SequenceParser):
    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._depth = 0

    def pattern(self) -> Parsed:
        cursor = self.cursor
        try:
            self._start_options()
            tree = choice(self.branches())
            if cursor.position < len(cursor.source):
                raise cursor.invalid("unmatched closing parenthesis")
            self.references.check()
            self._check_size(tree)
            self._check_start(tree)
        except InvalidPattern as error:
            # What is a mistake between bytes may be right between UTF-8 characters.
            if self.utf:
                raise cursor.unsupported("(*UTF)") from error
            raise
        groups, portable = self.references.highest, cursor.portable()
        return Parsed(tree, groups, cursor.foreign, portable, cursor.unportable)

    def _check_size(self, tree: Node) -> None:
        short = len(self.cursor.source) <= _NEVER_TOO_LONG and "{" not in self.cursor.source
        if not short and compiled_size(tree) > _SURELY_COMPILED:
            self.foreign("a pattern this large")

    def _check_start(self, tree: Node) -> None:
        for is_misread, construct in _MISREAD_STARTS.items():
            if is_misread(tree):
                self.foreign(construct)
                self.cursor.unportable = construct

    def _start_options(self) -> None:
        cursor = self.cursor
        while found := cursor.comes(_START_OPTION):
            name, number = found.groups()
            if name not in (_LIMIT_STARTS if number else _HARMLESS_STARTS | _OTHER_STARTS):
                return
            cursor.position = found.end()
            self.utf = self.utf or name.startswith("UTF")
            if name not in _HARMLESS_STARTS:
                cursor.note_foreign(found[0])

    def parenthesis(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.cursor.unsupported(f"parentheses nested more than {_DEEPEST} deep")
        node = self._parenthesis()
        self._depth -= 1
        return node

    def _parenthesis(self) -> Node:
        cursor = self.cursor
        if cursor.comes(_BEGINS_VERB):
            return self._starred()
        if not cursor.accept("?"):
            return self._inside() if "n" in self.options else self._group(None)
        for read in (self._ordinary, self._look, self._options, self._odd):
            node = read()
            if node is not None:
                return node
        if cursor.position >= len(cursor.source):
            raise cursor.invalid("missing closing parenthesis")
        raise cursor.invalid("unrecognized character after (? or (?-")

    def _inside(self) -> Node:
        return _grouped(self._inside_branches())

    def _inside_branches(self) -> list[Node]:
        options = self.options
        branches = self.branches()
        self._close()
        self.options = options
        return branches

    def _close(self) -> None:
        if not self.cursor.accept(")"):
            raise self.cursor.invalid("missing closing parenthesis")
        self.repeatable = True
        self.parenthesized = True

    # Groups

    def _ordinary(self) -> Node | None:
        cursor = self.cursor
        if cursor.accept(":"):
            return self._inside()
        if cursor.accept(">"):
            return Atomic(self._inside())
        if cursor.accept("|"):
            return self._branch_reset()
        if found := cursor.take(_NAMED_GROUP):
            return self._group(found[1] or found[2])
        return None

    def _group(self, name: str | None) -> Node:
        number = self.references.open_group(name)
        item = self._inside()
        self.references.close_group(number)
        return CaptureGroup(number, item)

    def _branch_reset(self) -> Node:
        """Read ``(?|...)``, in which every alternative numbers its groups from the same number."""
        options, references = self.options, self.references
        first = last = references.groups
        branches: list[Node] = []
        while not branches or self.cursor.accept("|"):
            references.groups = first
            branches.append(self.sequence())
            last = max(last, references.groups)
        references.groups = last
        self._close()
        self.options = options
        if last > first:
            self.foreign("(?|...)")
        return _grouped(branches)

    def _options(self) -> Node | None:
        found = self.cursor.take(_OPTIONS)
        if not found:
            return None
        reset, on, off, end = found.groups()
        if reset and off is not None:
            raise self.cursor.invalid("invalid hyphen in option setting")
        before = self.options
        self.options = _changed(before - frozenset("imnsxX") if reset else before, on, off or "")
        if end == ")":
            self.repeatable = False
            return EMPTY
        item = self._inside()
        self.options = before
        return item

    # Assertions

    def _look(self) -> Node | None:
        cursor = self.cursor
        for sign in ("=", "!", "<=", "<!"):
            if cursor.accept(sign):
                return self._looking(*_LOOKS[sign])
        for sign, behind in (("*", False), ("<*", True)):
            if cursor.accept(sign):
                return self._non_atomic(behind)
        return None

    def _looking(self, behind: bool, negative: bool) -> Node:
        outside = self.looking_behind
        self.looking_around += 1
        # A look ahead within a look-behind may be of any length.
        self.looking_behind = behind
        branches = self._inside_branches()
        self.looking_around -= 1
        self.looking_behind = outside
        if behind:
            return self._look_behind(branches, negative)
        return Look(choice(branches), False, negative)

    def _look_behind(self, branches: list[Node], negative: bool) -> Node:
        lengths = [fixed_length(branch) for branch in branches]
        if None in lengths or max(filter(None, lengths), default=0) > _LONGEST_LOOKBEHIND:
            raise self.cursor.invalid("lookbehind assertion is not fixed length")
        if len(set(lengths)) == 1:
            return Look(choice(branches), True, negative)
        self.unsure_behind("a look-behind of several lengths")
        # re wants one length for all branches.
        looks = tuple(Look(branch, True, negative) for branch in branches)
        if any(map(captured, branches)):
            self.foreign("a group in a look-behind of several lengths")
        # One look around them all, so that a quantifier sees one assertion as PCRE2 does.
        return Look(Sequence(looks) if negative else Choice(looks), False, False)

    def _non_atomic(self, behind: bool) -> Node:
        if behind:
            raise self.cursor.unsupported("a non-atomic look-behind")
        self.foreign("a non-atomic look-around")
        return self._looking(behind, negative=False)

    # Conditions

    def _condition(self) -> Node:
        cursor = self.cursor
        self.unsure_behind("a condition")
        if cursor.comes(_ASSERTION):
            return self._assertion_condition()
        found = cursor.take(_CONDITION)
        if not found:
            raise cursor.invalid("malformed condition after (?(")
        digits, angled, quoted, recursion, recursion_name, version, bare = found.groups()
        if bare == "DEFINE" and not self.references.number_of("DEFINE"):
            return self._define()
        if recursion_name is not None:
            self.references.need_name(recursion_name)
        if recursion:
            self.references.need(int(recursion))
        if recursion is not None or recursion_name is not None or version:
            self.foreign(f"the condition {found[0]}")
            return choice(self._yes_and_no())
        return self._group_condition(digits, angled or quoted or bare)

    def _group_condition(self, digits: str | None, name: str | None) -> Node:
        references = self.references
        if digits is not None:
            number = references.absolute(digits)
            references.need(number)
        else:
            assert name is not None
            number = references.number_of(name)
            references.need_name(name)
        complete = references.closed(number)
        yes, no = self._yes_and_no()
        return Condition(number, yes, no, complete)

    def _assertion_condition(self) -> Node:
        cursor = self.cursor
        cursor.position += 1
        look = self.parenthesis()
        if not isinstance(look, Look):
            self.foreign("a condition with a callout")
            return choice(self._yes_and_no())
        if captured(look):
            self.foreign("a group in the condition of (?(")
        yes, no = self._yes_and_no()
        opposite = replace(look, negative=not look.negative)
        return Choice((Sequence((look, yes)), Sequence((opposite, no))))

    def _define(self) -> Node:
        """Read groups that are there to be called only; they take no part in the match."""
        if len(self._inside_branches()) > 1:
            raise self.cursor.invalid("DEFINE subpattern contains more than one branch")
        return self.foreign("(?(DEFINE)")

    def _yes_and_no(self) -> list[Node]:
        branches = self._inside_branches()
        if len(branches) > 2:
            raise self.cursor.invalid("conditional subpattern contains more than two branches")
        return [*branches, EMPTY][:2]

    # The rest

    def _odd(self) -> Node | None:
        cursor = self.cursor
        if cursor.accept("("):
            cursor.position -= 1
            return self._condition()
        if found := cursor.take(_CALL):
            return self.call("0" if found[1] else found[2], found[3])
        if found := cursor.take(_NAMED_REFERENCE):
            self.unsure_behind("a back reference")
            self.repeatable = True
            return self.references.to_name(found[1], "i" in self.options)
        if found := cursor.take(_CALLOUT):
            if found[1] and int(found[1]) > 255:
                raise cursor.invalid("number after (?C is greater than 255")
            self.repeatable = False
            return EMPTY
        return None

    def _starred(self) -> Node:
        cursor = self.cursor
        if found := cursor.take(_SPELT_GROUP):
            return self._spelt_group(found[1])
        found = cursor.take(_VERB)
        if not found:
            raise cursor.invalid("(*VERB) not recognized or malformed")
        name, argument = found.groups()
        self.repeatable = name == "ACCEPT"
        if name in ("F", "FAIL"):
            self.unsure_behind("(*FAIL)")
            return FAIL
        if name in _VERBS or (name in ("", "MARK") and argument):
            return self.foreign(f"(*{name or 'MARK'})")
        raise cursor.invalid("(*VERB) not recognized or malformed")

    def _spelt_group(self, name: str) -> Node:
        if name in _SPELT_LOOKS:
            return self._looking(*_LOOKS[_SPELT_LOOKS[name]])
        if name == "atomic":
            return Atomic(self._inside())
        if name in _SPELT_NON_ATOMIC:
            return self._non_atomic(_SPELT_NON_ATOMIC[name])
        if name in _SCRIPT_RUNS:
            self.foreign(f"(*{name}:")
            return self._inside()
        raise self.cursor.invalid("(*alpha_assertion) not recognized")


def _grouped(branches: list[Node]) -> Node:
    node = choice(branches)
    # A quantifier treats a look-around by itself in another way than one in a group.
    return Sequence((node,)) if isinstance(node, Look) else node


def _changed(options: frozenset[str], on: str, off: str) -> frozenset[str]:
    added, removed = set(on), set(off)
    if "x" in on:
        # xx is x, and blanks in classes are ignored as well.
        options -= {"X"}
        added |= {"X"} if "xx" in on else set()
    if "x" in off:
        removed.add("X")
    return (options | added) - removed
