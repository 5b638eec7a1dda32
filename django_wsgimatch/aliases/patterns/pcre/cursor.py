"""A place in a pattern that is being read, and how a pattern is spelt for every PCRE2."""

from __future__ import annotations

import re

from ....exceptions import InvalidPattern, UnsupportedPattern

# \b is a backspace in a class only, so it is not here.
_NAMED_BYTES = {"a": 7, "e": 27, "f": 12, "n": 10, "r": 13, "t": 9}
_NUMBERED_BYTE = re.compile(r"x([0-9A-Fa-f]{2})|o\{0*([0-7]{1,3})\}|([0-7]{1,3})")
_CONTROL = re.compile(r"c([ -~])")
# What releases of PCRE2, or of the `pcre2` package, read in different ways: quoted text, \x with
# other than two digits, and braces that are a quantifier from PCRE2 10.43 on.
_DOUBTFUL = re.compile(
    r"\\Q(?P<quoted>.*?)(?:\\E|\Z)"
    r"|\\x(?:\{0*(?P<code>[0-9A-Fa-f]{1,2})\}|(?P<few>[0-9A-Fa-f](?![0-9A-Fa-f])|(?![0-9A-Fa-f{])))"
    r"|(?P<brace>\{)(?!\d+(?:,\d*)?\})"
    r"(?=[ \t]*(?:\d+[ \t]*(?:,[ \t]*\d*[ \t]*)?|,[ \t]*\d+[ \t]*)\})"
    r"|\\N\{|\\c.|\\.|\(\?#[^)]*\)",
    re.ASCII | re.DOTALL,
)
_ANY_BYTE = re.compile(r"(\\c.|\\[^C])|\\C", re.DOTALL)


def spelt_out(source: str) -> str:
    """Return the pattern in a spelling that every release of PCRE2 reads alike."""
    return _DOUBTFUL.sub(_spelt_out, source)


def _spelt_out(found: re.Match[str]) -> str:
    quoted, code, few, brace = found.group("quoted", "code", "few", "brace")
    if quoted is not None:
        # An \E alone stands between two items, as an empty quotation does.
        return "".join(f"\\x{ord(character):02x}" for character in quoted) or r"\E"
    if code or few is not None:
        return f"\\x{int(code or few or '0', 16):02x}"
    return found[0] if brace is None else r"\{"


def without_any_byte(source: str) -> str:
    r"""Return the pattern with ``\C``, which the `pcre2` package does not allow, as a dot."""
    return _ANY_BYTE.sub(lambda found: found[1] or "(?s:.)", source)


class Cursor:
    """The pattern, how far it has been read, and what in it is PCRE2's alone."""

    def __init__(self, source: str) -> None:
        self.source = spelt_out(source)
        self.position = 0
        self.foreign: str | None = None
        self.unportable: str | None = None
        self._given = source

    def invalid(self, reason: str) -> InvalidPattern:
        """Return the error for a pattern that PCRE2 refuses."""
        return InvalidPattern(self._given, reason)

    def unsupported(self, construct: str) -> UnsupportedPattern:
        """Return the error for a construct that no engine here has exactly."""
        return UnsupportedPattern(self._given, construct, curable=False)

    def note_foreign(self, construct: str) -> None:
        """Note a construct that only PCRE2 knows; the first one is kept."""
        self.foreign = self.foreign or construct

    def note_unportable(self, construct: str) -> None:
        """Note a construct on which releases of PCRE2 differ."""
        self.note_foreign(construct)
        self.unportable = construct

    def accept(self, text: str) -> bool:
        """Read this text if it comes next."""
        found = self.source.startswith(text, self.position)
        if found:
            self.position += len(text)
        return found

    def comes(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        """Return what the expression matches here, without reading it."""
        return expression.match(self.source, self.position)

    def take(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        """Read what the expression matches here."""
        found = expression.match(self.source, self.position)
        if found:
            self.position = found.end()
        return found

    def byte_escape(self) -> int:
        r"""Read what follows a backslash and stands for one byte (``\n``, ``\x41``, ``\.``)."""
        letter = self.source[self.position : self.position + 1]
        if found := self.take(_NUMBERED_BYTE):
            code = int(found[1], 16) if found[1] else int(found[2] or found[3], 8)
            if code < 256:
                return code
        elif found := self.take(_CONTROL):
            return ord(found[1].upper()) ^ 0x40
        elif letter in _NAMED_BYTES or (letter and not (letter.isascii() and letter.isalnum())):
            self.position += 1
            return _NAMED_BYTES.get(letter, ord(letter))
        raise self.invalid(rf"\{letter} is not an escape that stands for a byte")
