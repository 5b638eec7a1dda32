"""A place in a pattern that is being read, and the escapes that stand for one byte."""

from __future__ import annotations

import re

from ....exceptions import InvalidPattern, UnsupportedPattern

# \b is a backspace in a class only, so it is not here.
_NAMED_BYTES = {"a": 7, "e": 27, "f": 12, "n": 10, "r": 13, "t": 9}
_HEXADECIMAL = re.compile(r"x(?:\{0*([0-9A-Fa-f]{1,2})\}|(?!\{)([0-9A-Fa-f]{0,2}))")
_OCTAL = re.compile(r"o\{0*([0-7]{1,3})\}|([0-7]{1,3})")
_CONTROL = re.compile(r"c([ -~])")


class Cursor:
    """
    The pattern, how far it has been read, and how it is to be spelt for other PCRE2 releases.

    Apache's PCRE2 is the 10.42 of its distribution; the `pcre2` package brings its own, which
    reads some spellings in another way.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.foreign: str | None = None
        self.unportable: str | None = None
        self._respelt: list[tuple[int, int, str]] = []

    def invalid(self, reason: str) -> InvalidPattern:
        """Return the error for a pattern that PCRE2 refuses."""
        return InvalidPattern(self.source, reason)

    def unsupported(self, construct: str) -> UnsupportedPattern:
        """Return the error for a construct that no engine here has exactly."""
        return UnsupportedPattern(self.source, construct, curable=False)

    def note_foreign(self, construct: str) -> None:
        """Note a construct that only PCRE2 knows; the first one is kept."""
        self.foreign = self.foreign or construct

    def at(self, text: str) -> bool:
        """Return whether this text comes next."""
        return self.source.startswith(text, self.position)

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

    def respell(self, start: int, text: str) -> None:
        """Note that what was read since ``start`` is better written in another way."""
        self._respelt.append((start, self.position, text))

    def portable(self) -> str:
        """Return the pattern with every doubtful spelling replaced."""
        text, done = "", 0
        for start, end, replacement in self._respelt:
            text += self.source[done:start] + replacement
            done = end
        return text + self.source[done:]

    def byte_escape(self) -> int | None:
        r"""
        Read what follows a backslash if it stands for one byte (``\n``, ``\x41``, ``\.``).

        Return None, and read nothing, when it means something else. Mirrors check_escape() of
        PCRE2 10.42.
        """
        start = self.position
        letter = self.source[start : start + 1]
        if not letter:
            raise self.invalid("a backslash at the end")
        if not (letter.isascii() and letter.isalnum()):
            self.position += 1
            return ord(letter)
        if letter in _NAMED_BYTES:
            self.position += 1
            return _NAMED_BYTES[letter]
        code = self._numeric_escape(letter)
        if code is not None:
            # \x with two digits is the one spelling that PCRE2_ALT_BSUX leaves alone.
            self.respell(start, f"x{code:02x}")
        return code

    def _numeric_escape(self, letter: str) -> int | None:
        if letter == "x":
            if not (found := self.take(_HEXADECIMAL)):
                raise self.invalid(r"\x{...} is not the number of a byte")
            return int(found[1] or found[2] or "0", 16)
        if letter == "c":
            if not (found := self.take(_CONTROL)):
                raise self.invalid(r"\c must be followed by a printable ASCII character")
            return ord(found[1].upper()) ^ 0x40
        if letter in "o01234567":
            return self._octal_escape()
        return None

    def _octal_escape(self) -> int:
        found = self.take(_OCTAL)
        code = int(found[1] or found[2], 8) if found else 256
        if code > 255:
            raise self.invalid("an octal escape is not the number of a byte")
        return code
