"""<IfVersion>, as mod_version's start_ifversion() reads it."""

from __future__ import annotations

import re

from ...aliases.patterns.pattern import compile_pattern
from ...exceptions import PatternError
from .unreadable import Unreadable

_VERSION = re.compile(r"([0-9]+)(?:\.([0-9]*))?(?:\.([0-9]*))?\.?")
_CURE = "write an operator and a version, such as <IfVersion >= 2.4>"


def version_holds(words: list[str], version: str) -> bool:
    """
    Return whether an <IfVersion> section holds for a version of Apache.

    ``words`` are its arguments with the ``>`` that ends the last.
    """
    operator, operand = _split(words)
    is_reversed = operator.startswith("!") and len(operator) > 1
    operator = operator[is_reversed:]
    if operator not in ("=", "==", "~", "<", "<=", ">", ">="):
        raise Unreadable(f"unrecognized operator '{operator}'", _CURE)
    if operator[0] == "=" and operand.startswith("/"):
        if len(operand) < 2 or not operand.endswith("/"):
            raise Unreadable("Missing delimiting / of regular expression.", _CURE)
        return is_reversed != _matches(operand[1:-1], version)
    if operator == "~":
        return is_reversed != _matches(operand, version)
    ours, theirs = _numbers(version), _numbers(operand)
    holds = {"=": ours == theirs, "<": ours < theirs, ">": ours > theirs}[operator[0]]
    return is_reversed != (holds or (len(operator) == 2 and ours == theirs))


def _split(words: list[str]) -> tuple[str, str]:
    """Return operator and operand; behind quotes the ``>`` is a word of its own."""
    if not 1 <= len(words) <= 3:
        raise Unreadable("<IfVersion> takes an operator and a version", _CURE)
    operator, operand = words[:2] if len(words) > 1 else ("=", words[0])
    bracket = "".join(words[2:])
    if not bracket and operand == ">":
        operator, operand, bracket = "=", operator, operand
    if bracket == ">":
        return operator, operand
    if not operand.endswith(">"):
        raise Unreadable("<IfVersion> directive missing closing '>'", _CURE)
    return operator, operand[:-1]


def _numbers(version: str) -> tuple[int, ...]:
    found = _VERSION.fullmatch(version)
    # More digits than a version has are no version, and a long int() is slow.
    if found is None or len(version) > 30:
        raise Unreadable(
            f"'{version}' is not a version: these have the format major[.minor[.patch]]", _CURE
        )
    return tuple(int(number or 0) for number in found.groups())


def _matches(pattern: str, version: str) -> bool:
    try:
        return compile_pattern(pattern).find(version) is not None
    except PatternError as error:
        raise Unreadable(str(error), "write a pattern that PCRE takes") from error
