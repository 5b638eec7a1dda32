"""
Modules that entries name: found on ``sys.path``, imported once, and run anew when they change.

A script is nobody's but its alias's; a module has a name that others import it by. So it is
imported as Python does, relative imports and all, and run anew by itself only where nobody holds
what it made before.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .aliases.module_target import ModuleTarget
from .exceptions import ScriptError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

NOT_ON_PATH = (
    "Target WSGI module '{}' not found: there is no '{}' on sys.path. The folder that holds it "
    "should be in python_path of the process group, or in PYTHONPATH of the server."
)
NOT_IN_PACKAGE = "Target WSGI module '{}' not found: there is no '{}', and '{}' is '{}'."
NOT_IMPORTED = "Target WSGI module '{}' cannot be imported."
NO_NAME = "Target WSGI module '{}' does not contain WSGI application '{}'."
NOT_CALLABLE = "Target WSGI module '{}' has '{}' of type {}, which cannot be called."
HAS_RAISED = "Target WSGI module '{}' has '{}', which should return the application and fails."
NOT_MADE = (
    "Target WSGI module '{}' has '{}', which should return the application and returns something "
    "of type {}."
)


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """
    Where a module was found: the file that holds its code, "" for one without.

    ``mtime`` is the file's, in nanoseconds; 0 without one.
    """

    path: str
    mtime: int

    @classmethod
    def of(cls, path: str | None) -> ModuleFile:
        """Look at a file; what is none, such as a name inside an archive, is left out."""
        try:
            return cls(path, os.stat(path).st_mtime_ns) if path else NOWHERE
        except (OSError, ValueError):
            return NOWHERE

    @property
    def source(self) -> bytes | None:
        """The source in it, None where there is none. Raises OSError."""
        if not self.path.endswith(".py"):
            return None
        with open(self.path, "rb") as file:
            return file.read()


NOWHERE = ModuleFile("", 0)


def find_module_file(name: str) -> ModuleFile:
    """
    Return where a module would be found, as far as that can be told without running anything.

    Its packages are looked for where they lie; one that changes its own path is not understood.
    """
    spec = _spec_without_running(name)
    return ModuleFile.of(spec.origin) if spec is not None and spec.has_location else NOWHERE


def _spec_without_running(name: str) -> ModuleSpec | None:
    path: Sequence[str] | None = None
    spec: ModuleSpec | None = None
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        if count > 1 and path is None:
            return None
        spec = _found(".".join(parts[:count]), path)
        if spec is None:
            return None
        path = spec.submodule_search_locations
    return spec


def module_spec(name: str) -> ModuleSpec | None:
    """
    Return where a module is now, None where it is nowhere; the packages above it are imported.

    Raises what these raise.
    """
    package = name.rpartition(".")[0]
    if not package:
        return _found(name, None)
    try:
        path = getattr(importlib.import_module(package), "__path__", None)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            return None
        raise
    return None if path is None else _found(name, path)


def _found(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Ask the finders as an import does, but not what is loaded already."""
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path)
        if spec is not None:
            return spec
    return None


def absence_of(name: str) -> str:
    """Return what is said of a module that is nowhere, nor perhaps a package above it."""
    above, missing = name, ""
    while above and above not in sys.modules:
        missing = above
        above = above.rpartition(".")[0]
    if not above:
        return NOT_ON_PATH.format(name, missing)
    where = getattr(sys.modules[above], "__file__", None) or "a folder without __init__.py"
    return NOT_IN_PACKAGE.format(name, missing, above, where)


def run_anew(spec: ModuleSpec, source: bytes | None) -> ModuleType:
    """
    Run a module that has been imported before once more, as a new module that replaces it.

    Python's own loader would take bytecode for current that is of the same second: so ``source`` is
    run, if it is that loader's. Raises what the module raises; then the old one is in its place
    again.
    """
    with_children = _loaded_children(spec.name) if spec.submodule_search_locations else {}
    module = importlib.util.module_from_spec(spec)
    vars(module).update(with_children)
    previous = sys.modules.get(spec.name)
    set_module(spec.name, module)
    try:
        if source is not None and type(spec.loader) is SourceFileLoader:
            code = compile(source, str(spec.origin), "exec", dont_inherit=True)
            exec(code, vars(module))
        elif spec.loader is not None:
            spec.loader.exec_module(module)
    except BaseException:
        set_module(spec.name, previous)
        raise
    return module


def set_module(name: str, module: ModuleType | None) -> None:
    """Have a module be the one of its name, for imports and in its package; None for no module."""
    package, _, last = name.rpartition(".")
    parent = sys.modules.get(package)
    if module is None:
        sys.modules.pop(name, None)
        if parent is not None:
            vars(parent).pop(last, None)
        return
    sys.modules[name] = module
    if parent is not None:
        setattr(parent, last, module)


def holders(module: ModuleType, made: Iterable[object]) -> Iterator[str]:
    """
    Yield the other modules that hold a module, a function or class of its own, or what it ``made``.

    They would go on with those, whatever is run anew.
    """
    name = module.__name__
    package, _, last = name.rpartition(".")
    own = {id(module), *map(id, made), *(id(v) for v in vars(module).values() if _is_of(v, name))}
    for other_name, other in [*sys.modules.items()]:
        if other is module or not isinstance(other, ModuleType):
            continue
        names = [key for key, value in [*vars(other).items()] if id(value) in own]
        if other_name == package and names == [last] and vars(other)[last] is module:
            # Every package has its modules.
            continue
        if names:
            yield other_name


def _is_of(value: Any, name: str) -> bool:
    return isinstance(value, FunctionType | type) and value.__module__ == name


def _loaded_children(package: str) -> dict[str, ModuleType]:
    """The modules of a package that are there already: an import would not put them in again."""
    beginning = f"{package}."
    return {
        name.removeprefix(beginning): module
        for name, module in [*sys.modules.items()]
        if name.startswith(beginning) and "." not in name.removeprefix(beginning)
    }


@dataclass(frozen=True, slots=True)
class ModuleApplication:
    """An application that a module has: the version of the module, and the file of that."""

    application: WSGIApplication
    module: ModuleType
    file: ModuleFile


class ImportedModules:
    """
    The modules that scripts have been asked for in this interpreter, each in its newest version.

    ``check`` is called with the text of a target and a module's source, None where there is none,
    before that is run, and ``settle`` with the text after that. Both may raise ScriptError.
    """

    def __init__(
        self, check: Callable[[str, bytes | None], None], settle: Callable[[str], None]
    ) -> None:
        self._check = check
        self._settle = settle
        # By name: the module, and the mtime of the file when it was run.
        self._versions: dict[str, tuple[ModuleType, int]] = {}

    def load(self, target: ModuleTarget) -> ModuleApplication:
        """
        Return the application of a target; where the module's file has changed, it is run anew.

        Where that, or what follows, fails, all is as before. Raises ScriptError (500).
        """
        name = target.module
        previous, was_there = self._versions.get(name), target.module in sys.modules
        try:
            spec, file, source = self._find(target)
            self._check(str(target), source)
            module = self._run(target, spec, file, source)
            self._versions[name] = module, file.mtime
            application = _application_in(module, target)
            self._settle(str(target))
        except BaseException:
            if previous is not None:
                self._versions[name] = previous
                set_module(name, previous[0])
            elif not was_there:
                self._versions.pop(name, None)
                set_module(name, None)
            raise
        return ModuleApplication(application, module, file)

    def _find(self, target: ModuleTarget) -> tuple[ModuleSpec, ModuleFile, bytes | None]:
        try:
            importlib.invalidate_caches()
            spec = module_spec(target.module)
            file = ModuleFile.of(spec.origin if spec is not None and spec.has_location else None)
            source = file.source
        except (Exception, SystemExit) as error:
            raise ScriptError(500, NOT_IMPORTED.format(target.module)) from error
        if spec is None:
            raise ScriptError(500, absence_of(target.module))
        return spec, file, source

    def _run(
        self, target: ModuleTarget, spec: ModuleSpec, file: ModuleFile, source: bytes | None
    ) -> ModuleType:
        present, known = sys.modules.get(target.module), self._versions.get(target.module)
        # Others may have imported it before, or have put another in its place.
        if present is not None and (known is None or known[0] is not present):
            return present
        if present is not None and known is not None and known[1] == file.mtime:
            return present
        try:
            if present is None:
                return importlib.import_module(target.module)
            return run_anew(spec, source)
        except (Exception, SystemExit) as error:
            raise ScriptError(500, NOT_IMPORTED.format(target.module)) from error


def _application_in(module: ModuleType, target: ModuleTarget) -> WSGIApplication:
    """Return what a target names, made if it is a factory. Raises ScriptError (500)."""
    where = target.module, target.callable_object
    try:
        found: Any = getattr(module, target.name)
    except AttributeError:
        raise ScriptError(500, NO_NAME.format(target.module, target.name)) from None
    if not callable(found):
        raise ScriptError(500, NOT_CALLABLE.format(*where, type(found).__name__))
    if target.is_factory:
        try:
            found = found()
        except (Exception, SystemExit) as error:
            raise ScriptError(500, HAS_RAISED.format(*where)) from error
        if not callable(found):
            raise ScriptError(500, NOT_MADE.format(*where, type(found).__name__))
    application: WSGIApplication = found
    return application
