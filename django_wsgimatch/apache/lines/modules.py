"""Which modules are loaded, for <IfModule>."""

from __future__ import annotations

import re
from collections.abc import Iterable

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
