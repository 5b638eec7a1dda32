"""<IfDefine>, <IfModule> and their like: whether what stands in them is read at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...aliases.directives import get_word
from .modules import Modules
from .unreadable import Unreadable
from .variables import Variables
from .versions import version_holds
from .words import split_words

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
