"""Scripts that are loaded before the first request, and what keeps them from it."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from .aliases.alias import Alias
from .aliases.module_target import ModuleTarget, is_module
from .aliases.resolve import Rules
from .aliases.target import IS_DIRECTORY, OUTSIDE_ROOTS, find_script, is_inside
from .exceptions import ScriptError, TargetError
from .modules import find_module_file
from .scripts import Scripts, file_mtime
from .text import readable

logger = logging.getLogger("django_wsgimatch")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a script is not loaded, and the mtime of the file that would not load; None without."""

    reason: str
    mtime: int | None


class Preloads:
    """Loads scripts ahead, within the roots of ``rules``, and remembers those that do not load."""

    def __init__(self, scripts: Scripts, rules: Rules) -> None:
        self._scripts = scripts
        self._rules = rules
        self._failures: dict[str, Failure] = {}

    def load(self, path: str, *, is_required: bool = True) -> None:
        """Load a script; what keeps it from it is logged, and remembered of a required one."""
        mtime = _mtime(path)
        self._failures.pop(path, None)
        reason = self._try(path)
        if reason and is_required:
            self._failures[path] = Failure(reason, mtime)

    def failures(self) -> list[str]:
        """Why scripts are not loaded; one whose file has changed since is tried again."""
        for path, failure in [*self._failures.items()]:
            if path in self._scripts.loaded:
                # A request has loaded it.
                self._failures.pop(path, None)
            elif _mtime(path) != failure.mtime:
                self.load(path)
        return [failure.reason for failure in [*self._failures.values()]]

    def _try(self, path: str) -> str:
        if not is_module(path) and not is_inside(os.path.normpath(path), self._rules.roots):
            logger.error("%s: %s", OUTSIDE_ROOTS, path)
            return f"{OUTSIDE_ROOTS}: {readable(path)}"
        try:
            self._scripts.get(path)
        except ScriptError as error:
            logger.error("%s", error, exc_info=error.__cause__)
            return _reason(error)
        return ""


def script_path(alias: Alias, base_directory: str) -> str:
    """Return what a script is known by that an alias names in full."""
    return alias.target if alias.is_module else os.path.join(base_directory, alias.target)


def literal_script(alias: Alias, rules: Rules) -> str | None:
    """
    Return the script that an alias without captures leads to, None for a directory's target.

    What is behind the script in the target is left out. Where nothing is there, that is returned.
    """
    if alias.is_module:
        return alias.target
    path = os.path.normpath(os.path.join(rules.base_directory, alias.target))
    try:
        return find_script(
            alias.target, base_directory=rules.base_directory, follow_symlinks=rules.follow_symlinks
        ).path
    except TargetError as error:
        return None if error.reason == IS_DIRECTORY else path


def _reason(error: ScriptError) -> str:
    """The error without what the script itself has said: that may hold secrets, and is logged."""
    cause = error.__cause__
    text = readable(str(error)).rstrip(".")
    return f"{text}: {type(cause).__name__}, see the log" if cause is not None else text


def _mtime(path: str) -> int | None:
    if is_module(path):
        return find_module_file(ModuleTarget.of(path).module).mtime
    try:
        return file_mtime(path)
    except ScriptError:
        return None
