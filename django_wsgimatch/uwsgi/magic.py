"""
What uWSGI fills in: ``%n`` and its like as it reads a file, ``$(NAME)`` and ``%(name)`` after that.

Mirrors config_magic_table_fill(), magic_sub(), uwsgi_getenv_with_default() and
uwsgi_manage_placeholder() of uWSGI 2.0.31.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from .options import UwsgiOption, with_value

# A value that asks for itself has no end in uWSGI.
_DEEPEST = 64
_LONGEST = 65536
_NUMBER = re.compile(r"[0-9]+")
_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a // b if b else 0,
}


def magic_letters(path: str, section: str) -> dict[str, str]:
    """Return what ``%`` and a letter stand for in a file; upper case is the first file's own."""
    full = os.path.abspath(path) if os.path.islink(path) else os.path.realpath(path)
    directory, name = os.path.split(full)
    stem, dot, extension = name.rpartition(".")
    letters = {
        "o": path,
        "p": full,
        "s": name,
        "d": f"{directory.rstrip('/')}/",
        "c": os.path.basename(directory),
        "e": extension if dot else "",
        "n": stem if dot else name,
        "x": section,
        "h": socket.gethostname(),
        "k": str(os.cpu_count() or 1),
        "%": "%",
        "(": "%(",
    }
    folders = [part for part in directory.split("/") if part][:10]
    return letters | {str(number): part for number, part in enumerate(folders)}


def replace_letters(text: str, letters: Mapping[str, str]) -> str:
    """Return a line with its letters filled in; uWSGI puts nothing for one it does not know."""
    # A % at the end of a line stays: uWSGI would take the line feed for a letter, and join lines.
    return re.sub("%(.)", lambda found: letters.get(found[1], ""), text)


@dataclass(slots=True)
class Placeholders:
    """
    The values for ``$(NAME)``, from an environment, and for ``%(name)``, from the options.

    ``used`` collects the names of options that are asked for.
    """

    environ: Mapping[str, str]
    values: dict[str, str]
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, environ: Mapping[str, str], options: Iterable[UwsgiOption]) -> Placeholders:
        """Return those of options that are not switched off: the first of a name counts."""
        values: dict[str, str] = {}
        for each in options:
            if not each.line.is_off:
                values.setdefault(each.line.name, each.value)
                _set(values, each)
        return cls(environ, values)

    def resolve(self, option: UwsgiOption) -> UwsgiOption:
        """Return an option with all placeholders filled in that have a value."""
        value = option.value
        for _ in range(_DEEPEST):
            filled, missing = self._pass(value)
            if filled == value:
                break
            value = filled
        else:
            missing = [f"{value[:20]}..."]
        return with_value(option, value, tuple(dict.fromkeys(missing)))

    def _pass(self, value: str) -> tuple[str, list[str]]:
        """Fill in the innermost placeholders once; tell which have no value."""
        missing: list[str] = []

        def fill(found: re.Match[str]) -> str:
            known = self._known(found[1], found[2])
            if known is None:
                missing.append(found[0])
            return found[0] if known is None else known

        filled = re.sub(r"([$%@])\(([^()]+)\)", fill, value)
        return (filled, missing) if len(filled) <= _LONGEST else (value, [f"{value[:20]}..."])

    def _known(self, symbol: str, name: str) -> str | None:
        if symbol == "$":
            return self._variable(name)
        return self._option(name) if symbol == "%" else None

    def _variable(self, name: str) -> str | None:
        variable, dash, default = name.partition("-")
        if not dash:
            return self.environ.get(name)
        value = self.environ.get(variable.removesuffix(":"))
        return default if value is None or (not value and variable.endswith(":")) else value

    def _option(self, name: str) -> str | None:
        if " " not in name.strip():
            self.used.add(name)
            return self.values.get(name)
        return self._computed(name.split())

    def _computed(self, words: list[str]) -> str:
        """Return what a row of names, numbers and operators comes to, from left to right."""
        current, operator = "", ""
        for word in words:
            if word in _ARITHMETIC:
                operator = word
            elif word in ("++", "--"):
                current = str(_number(current) + (1 if word == "++" else -1))
            else:
                value = word if _NUMBER.fullmatch(word) else self._option(word) or ""
                if operator:
                    value = str(_ARITHMETIC[operator](_number(current), _number(value)))
                    current, operator = value, ""
                else:
                    current += value
        return current


def _number(text: str) -> int:
    found = re.match(r"\s*([+-]?[0-9]{1,18})", text)
    return int(found[1]) if found else 0


def _set(values: dict[str, str], option: UwsgiOption) -> None:
    """Take what ``set-placeholder = name=value`` says, and its other names."""
    if option.line.name in ("set", "set-ph", "set-placeholder"):
        name, equals, value = option.value.partition("=")
        if equals:
            values.setdefault(name, value)
