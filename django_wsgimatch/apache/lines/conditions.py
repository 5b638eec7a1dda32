"""<IfDefine>, <IfModule> and their like: whether what stands in them is read at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...aliases.directives import get_word
from ...aliases.patterns.pattern import compile_pattern
from ...exceptions import PatternError
from .directive import Unreadable, split_words
from .variables import Variables

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


# What distributions build into Apache, or load without saying so.
_BUILT_IN = frozenset(("core", "http", "log_config", "logio", "so", "unixd", "version", "watchdog"))
_MPMS = frozenset(("event", "worker", "prefork", "itk"))
_SPELLING = re.compile(r"(?:mod_)?(?:mpm_)?(.*?)(?:\.c|\.cpp|_module)?", re.DOTALL)


class Modules:
    """
    The modules that are loaded at the line that is read.

    ``given`` are those of `Surroundings.modules`, which says what None means.
    """

    def __init__(self, given: Iterable[str] | None) -> None:
        self._is_complete = given is not None
        self._loaded = _BUILT_IN | set(map(plain_name, given or ()))

    def load(self, name: str) -> None:
        """Follow a LoadModule line."""
        module = plain_name(name)
        self._loaded |= {module}
        self._is_complete |= module in _MPMS

    def is_loaded(self, name: str) -> bool:
        """
        Whether <IfModule> holds for a name: of a source file, or of a module.

        For ``mod_wsgi``, which is neither, it never does.
        """
        if not name.endswith((".c", ".cpp", "_module")):
            return False
        return not self._is_complete or plain_name(name) in self._loaded


def plain_name(name: str) -> str:
    """Return what mod_wsgi.c and wsgi_module have in common: wsgi."""
    found = _SPELLING.fullmatch(name)
    plain = found[1] if found else name
    return "http" if plain == "http_core" else plain


# As in the documentation, by their lower case.
CONDITIONS = {
    name.lower(): name
    for name in ("IfDefine", "IfModule", "IfVersion", "IfFile", "IfDirective", "IfSection")
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """
    What the conditions ask.

    All directives and all sections are held known: <IfDirective> and <IfSection> hold.
    """

    variables: Variables
    modules: Modules
    version: str
    exists: Callable[[str], bool]

    def hold(self, name: str, argument: str) -> bool:
        """
        Return whether a section holds, given all that stands behind its name.

        Raises Unreadable where Apache would refuse it.
        """
        if name == "ifversion":
            return version_holds(split_words(argument), self.version)
        title = CONDITIONS[name]
        asked, bracket, _ = argument.rpartition(">")
        if not bracket:
            raise Unreadable(f"<{title}> directive missing closing '>'", "end the line with >")
        is_reversed = asked.startswith("!")
        word, _ = get_word(asked[is_reversed:])
        if not word:
            raise Unreadable(
                f"<{title}> directive requires additional arguments", "write what it tests"
            )
        return is_reversed != self._holds(name, word)

    def _holds(self, name: str, word: str) -> bool:
        if name == "ifdefine":
            return self.variables.is_defined(word)
        if name == "ifmodule":
            return self.modules.is_loaded(word)
        return name != "iffile" or self.exists(word)
