"""Words and patterns as they stand in an Apache configuration."""

from __future__ import annotations

import re

from ....apache.lines.directive import Directive

_PLAIN = re.compile(r"[\w/.:|~@%+=,!^$()?*-]+", re.ASCII)


def as_one_line(directive: Directive) -> str:
    """Return a directive as one line, as it stands."""
    return f"{directive.name} {' '.join(directive.rest.splitlines())}".rstrip()


def word(text: str) -> str:
    """Return a text as one argument of a directive, in quotes where it needs them."""
    if _PLAIN.fullmatch(text):
        return text
    return in_quotes(text)


def comment(text: str) -> str:
    """Return a comment: a backslash at its end would make one of the line behind it, too."""
    return f"# {' '.join(text.split())}".rstrip("\\")


def in_quotes(text: str) -> str:
    """Return a text in quotes: ap_getword_conf() reads it back as it was."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def raw_word(text: str) -> str:
    """
    Return a text as one argument of a directive of mod_rewrite: backslashes stay as they are.

    The text holds no double quote.
    """
    return text if re.fullmatch(r"[^\s\"'][^\s\"]*", text) else f'"{text}"'


# Mirrors parseargline(): a quote ends a word that began with it, and no backslash goes.
_WORD = re.compile(r""" "([^"]*)"? | '([^']*)'? | ((?:\\\s|\S)+) """, re.VERBOSE)


def raw_words(text: str) -> list[str]:
    """Return the words of a line of mod_rewrite as it reads them: backslashes stay."""
    return [next(filter(None, found.groups()), "") for found in _WORD.finditer(text)]
