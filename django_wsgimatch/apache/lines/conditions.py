"""<IfDefine>, <IfModule> and their like: whether what stands in them is read at all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ...aliases.directives import get_word
from ...aliases.patterns.pattern import compile_pattern
from ...exceptions import PatternError
from .directive import Unreadable, split_words

_NO_COLON = "take a name without a colon: ${name:key} asks a RewriteMap"


class Variables:
    """
    The names and values that hold for the line that is read.

    Mirrors ap_server_config_defines and server_config_defined_vars: a name's case counts in
    <IfDefine>, and does not in ``${NAME}``.
    """

    def __init__(self, defines: Iterable[str], environ: Mapping[str, str] | None) -> None:
        self._defines = set(defines)
        self._values: dict[str, str] = {}
        self._environ = _bytewise(os.environ if environ is None else environ)

    def define(self, words: list[str]) -> None:
        """Follow a Define line, of which ``words`` are the arguments; an empty value is none."""
        if not 1 <= len(words) <= 2 or not words[0]:
            raise Unreadable(
                "Define takes a name, and a value or none", "put a value with blanks in quotes"
            )
        name, value = words[0], "".join(words[1:])
        _check(name)
        self._defines.add(name)
        if value:
            self._values[name.lower()] = value

    def undefine(self, words: list[str]) -> None:
        if len(words) != 1 or not words[0]:
            raise Unreadable("UnDefine takes one name", "write one UnDefine line for each name")
        _check(words[0])
        self._defines.discard(words[0])
        self._values.pop(words[0].lower(), None)

    def is_defined(self, name: str) -> bool:
        """Whether <IfDefine> holds for a name."""
        return name in self._defines

    def resolve(self, line: str, most: int) -> tuple[str, list[str]]:
        """
        Return a line with values filled in, and the names that have none, as ap_resolve_env() does.

        These stay as they are. Names with a colon are no variables: mod_rewrite's maps look so.
        Nothing is filled in beyond ``most`` characters: the line is longer than that then.
        """
        if "${" not in line:
            return line, []
        unknown: list[str] = []
        pieces: list[str] = []
        position = length = 0
        # A pattern would look for a missing } from each ${ anew.
        while (start := line.find("${", position)) >= 0:
            if (end := line.find("}", start)) < 0:
                break
            name = line[start + 2 : end]
            known = self._values.get(name.lower(), self._environ.get(name))
            if known is None:
                known = line[start : end + 1]
                if ":" not in name:
                    unknown.append(name)
            pieces += (line[position:start], known)
            length += len(known) + start - position
            position = end + 1
            if length > most:
                break
        return "".join((*pieces, line[position:])), unknown


def _check(name: str) -> None:
    if ":" in name:
        raise Unreadable("Variable name must not contain ':'", _NO_COLON)


def _bytewise(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment as text with a character a byte."""
    return {
        os.fsencode(name).decode("latin-1"): os.fsencode(value).decode("latin-1")
        for name, value in environ.items()
    }


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
# How the names of modules begin that another file of a server may have run files.
_RUNNERS = ("php", "suphp", "cgi", "fcgid", "fastcgi", "proxy_fcgi", "proxy_scgi", "perl", "lsapi")
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

    @property
    def may_run_files(self) -> bool:
        """Whether one of them may be there that runs files as programs."""
        names = (name.startswith(_RUNNERS) for name in self._loaded)
        return not self._is_complete or any(names)

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
