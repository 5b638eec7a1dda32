"""Targets that name a module and what stands in it: ``pkg.mod:application``, ``pkg.mod:make()``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..exceptions import DirectiveError
from .target import Script

_FORM = re.compile(r"([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*):([A-Za-z_][A-Za-z0-9_]*)(\(\))?")
_CAPTURE = re.compile(r"\$[0-9]")
_SLASHES = re.compile("//+")

CAPTURE_IN_MODULE = (
    "the target {!r} names a module, and no part of a URL may choose one: write an entry for each "
    "module, without $0 to $9"
)
NOT_A_MODULE = (
    "the target {0!r} has a colon and no slash, so it names a module, and should be "
    "'package.module:name', or 'package.module:name()' for a function without arguments that "
    "returns the application. Write './{0}' for a file of that name"
)


@dataclass(frozen=True, slots=True)
class ModuleTarget:
    """
    A module by its absolute name, and the callable in it.

    With ``is_factory`` that is called without arguments, and returns the application. The text of
    it stands in ``Resolution.script`` and for a script's path wherever scripts are known by one:
    no path of a script has its form, since those begin with a slash.
    """

    module: str
    name: str
    is_factory: bool = False

    def __str__(self) -> str:
        return f"{self.module}:{self.callable_object}"

    @property
    def callable_object(self) -> str:
        """What ``mod_wsgi.callable_object`` says: the name as the target has it."""
        return f"{self.name}()" if self.is_factory else self.name

    @classmethod
    def of(cls, script: str) -> ModuleTarget:
        """Return what str() has made of one. Raises ValueError for other text."""
        found = _FORM.fullmatch(script)
        if found is None:
            raise ValueError(f"no module and name: {script!r}")
        return cls(found[1], found[2], is_factory=found[3] is not None)


def read_module_target(target: str) -> ModuleTarget | None:
    """
    Return the module that an entry's target names, None where it is a file.

    A module is what has a colon and no slash. Raises DirectiveError for such text of another form.
    """
    if not is_read_as_module(target):
        return None
    if _CAPTURE.search(target):
        raise DirectiveError(CAPTURE_IN_MODULE.format(target))
    try:
        return ModuleTarget.of(target)
    except ValueError:
        raise DirectiveError(NOT_A_MODULE.format(target)) from None


def is_read_as_module(target: str) -> bool:
    """Whether text as an entry's target names a module; bytes, and paths, always name a file."""
    return ":" in target and "/" not in target


def is_module(script: str) -> bool:
    """Whether what is known as a script is a module and a name in it, and not a file's path."""
    return script[:1] != "/"


def find_module_script(target: str, uri: str, end: int) -> Script | None:
    """
    Return a module as the script of a uri, with the PATH_INFO; None where it answers no such uri.

    The rest of the uri behind a match is PATH_INFO, as where the target is a file. A slash at the
    end of the match belongs to it. A match that ends inside a name leads nowhere: of a file's name
    there would be too much.
    """
    start = end - 1 if uri[end - 1] == "/" else end
    path_info = uri[start:]
    if path_info and path_info[0] != "/":
        return None
    return Script(target, _SLASHES.sub("/", path_info))
