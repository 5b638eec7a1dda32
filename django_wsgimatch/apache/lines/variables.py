"""What Define, -D and the environment give: names that are defined, and values for ``${NAME}``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from .directive import Unreadable

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
