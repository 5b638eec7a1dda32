"""
WSGI scripts, files and modules: loaded once, kept, and loaded anew when they change.

A script is known by its file's path, or by the text of its ``ModuleTarget``. For files this
mirrors mod_wsgi's wsgi_load_source(), wsgi_reload_required() and wsgi_module_name().
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import math
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from .aliases.module_target import ModuleTarget, is_module
from .exceptions import ScriptError
from .modules import ImportedModules, holders
from .settings_guard import VARIABLE, settings_modules

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Reloading = bool | Literal["safe"]

NOT_FOUND = "Target WSGI script not found or unable to stat: {}"
NOT_LOADED = "Target WSGI script '{}' cannot be loaded as Python module."
NO_APPLICATION = "Target WSGI script '{}' does not contain WSGI application '{}'."
OTHER_SETTINGS = (
    "Target WSGI script '{}' asks for DJANGO_SETTINGS_MODULE {!r}, but this process runs {!r}: "
    "one interpreter holds one Django project. Give its alias a process group of its own "
    "(process_group=...) or an application group of its own (application_group=...); if it is "
    "this project's script, take the line that names the settings out of it."
)

HELD = (
    "WSGI module '{}' has changed, and is not loaded anew: {} would keep what the old one has "
    "made. Restart the server, or give the alias a process group, whose processes are replaced."
)
# The mtime of a module whose file is gone.
GONE = -1

logger = logging.getLogger("django_wsgimatch")


@dataclass(slots=True, eq=False)
class LoadedScript:
    """
    A script in memory: its file, the file's mtime in nanoseconds, and its module's globals.

    Of a ``module`` that an entry names the globals are not all kept, but the application alone,
    and ``key``, which it is known by, is the text of its target. For others that is the path.

    ``rejected`` is the mtime of a newer version that would not load; ``used`` are the names of
    the callables that requests have asked for. Before ``due`` (time.monotonic()) nobody looks at
    the file again.
    """

    path: str
    mtime: int
    namespace: dict[str, Any]
    rejected: int | None = None
    used: set[str] = field(default_factory=set)
    due: float = 0.0
    key: str = ""
    module: ModuleType | None = None
    file: bytes = field(init=False)

    def __post_init__(self) -> None:
        """Keep the path as the file system takes it."""
        self.file = self.path.encode("latin-1")
        self.key = self.key or self.path

    @property
    def newest(self) -> int:
        """The file's mtime now; a module's is GONE without it. Raises ScriptError (404)."""
        try:
            return file_mtime(self.path)
        except ScriptError:
            if self.module is None:
                raise
            return GONE

    def application(self, callable_object: str) -> WSGIApplication:
        """Look the callable up by name, as for every request. Raises ScriptError (404)."""
        try:
            application: WSGIApplication = self.namespace[callable_object]
        except KeyError:
            raise ScriptError(404, NO_APPLICATION.format(self.path, callable_object)) from None
        self.used.add(callable_object)
        return application


class Scripts:
    """
    The loaded scripts of one application group.

    ``reloading`` is False (a loaded script stays), True (as mod_wsgi's WSGIScriptReloading On: a
    changed file is loaded anew, a broken one answers 500) or "safe" (the old version is served
    until a newer one loads). ``settings_module`` is the DJANGO_SETTINGS_MODULE of the process; a
    script that asks for another is refused. Where it is ``is_named``, as in a process group's
    ``settings``, a script's ``setdefault()`` changes nothing, and asks for nothing. With
    ``is_adopting`` the first script that names one decides it for all. A file is looked at once in
    ``interval`` seconds, with 0 whenever it is asked for. Threads that ask for the same script load
    it once.
    """

    def __init__(
        self,
        *,
        reloading: Reloading = "safe",
        settings_module: str | None = None,
        is_named: bool = False,
        is_adopting: bool = False,
        interval: float = 0.0,
    ) -> None:
        self.reloading = reloading
        self.interval = interval
        self.settings_module = settings_module
        self.is_named = is_named
        self.is_adopting = is_adopting
        self._modules = ImportedModules(self._check_source, self._check_environment)
        self.loaded: dict[str, LoadedScript] = {}
        # One lock for all, as mod_wsgi's wsgi_module_lock: imports of scripts depend on each
        # other in ways that no order of finer locks could foresee.
        self._lock = threading.RLock()

    def get(self, path: str) -> LoadedScript:
        """
        Return the script in its newest usable version; ``path`` is what it is known by.

        Raises ScriptError: 404 where the file is gone, 500 where it cannot be loaded.
        """
        loaded = self.loaded.get(path)
        if loaded is None:
            return self._first_load(path)
        if self.is_current(loaded) or self._is_held(loaded):
            return loaded
        return self._reload_safely(loaded) if self.reloading == "safe" else self._reload(path)

    def is_current(self, loaded: LoadedScript) -> bool:
        """Whether the script may serve as it is: one stat() at most."""
        now = time.monotonic()
        if now < loaded.due:
            return True
        if self.reloading and not self._is_unchanged(loaded):
            return False
        loaded.due = now + self.interval
        return True

    def _is_unchanged(self, loaded: LoadedScript) -> bool:
        if self.loaded.get(loaded.key) is not loaded:
            return False
        try:
            mtime = os.stat(loaded.file).st_mtime_ns
        except OSError:
            return loaded.module is not None and loaded.rejected == GONE
        return mtime == loaded.mtime or mtime == loaded.rejected

    def _is_held(self, loaded: LoadedScript) -> bool:
        """Whether other modules hold what a changed module has made: then the old one stays."""
        if loaded.module is None or self.loaded.get(loaded.key) is not loaded:
            return False
        names = sorted(holders(loaded.module, loaded.namespace.values()))
        if names:
            loaded.rejected = loaded.newest
            logger.error("%s", HELD.format(loaded.key, ", ".join(names)))
        return bool(names)

    def _first_load(self, path: str) -> LoadedScript:
        with self._lock:
            loaded = self.loaded.get(path)
            if loaded is None:
                loaded = self.loaded[path] = self._load(path)
            return loaded

    def _reload(self, path: str) -> LoadedScript:
        with self._lock:
            loaded = self.loaded.pop(path, None)
            if loaded is None or loaded.mtime != loaded.newest:
                logger.info("Reloading WSGI script '%s'.", path)
                loaded = self._load(path)
            self.loaded[path] = loaded
            return loaded

    def _reload_safely(self, old: LoadedScript) -> LoadedScript:
        if not self._lock.acquire(blocking=False):
            # Another thread is at it; until it has succeeded, the old version serves.
            return old
        try:
            return self._replace(old)
        finally:
            self._lock.release()

    def _replace(self, old: LoadedScript) -> LoadedScript:
        mtime = old.newest
        if self.loaded.get(old.key) is not old or mtime in (old.mtime, old.rejected):
            return self.loaded.get(old.key, old)
        previous = sys.modules.get(module_name(old.path))
        try:
            new = self._load(old.key)
            for name in old.used:
                new.application(name)
        except ScriptError as error:
            _restore_module(old.path, previous)
            old.rejected = mtime
            message = "Still serving the previous version of '%s': %s"
            logger.error(message, old.key, error, exc_info=error.__cause__)
            return old
        logger.info("Reloaded WSGI script '%s'.", old.key)
        self.loaded[old.key] = new
        return new

    def _load(self, path: str) -> LoadedScript:
        if is_module(path):
            return self._load_module(path)
        mtime = file_mtime(path)
        try:
            source = _read_source(path)
        except OSError as error:
            raise ScriptError(500, NOT_LOADED.format(path)) from error
        self._check_source(path, source)
        module = _new_module(path)
        self._execute(path, source, module)
        return LoadedScript(path, mtime, module.__dict__)

    def _load_module(self, key: str) -> LoadedScript:
        target = ModuleTarget.of(key)
        try:
            made = self._modules.load(target)
        except ScriptError:
            self._restore_environment()
            raise
        return LoadedScript(
            os.fsencode(made.file.path).decode("latin-1") or key,
            made.file.mtime,
            {target.callable_object: made.application},
            # Without a file there is nothing to look at.
            due=0.0 if made.file.path else math.inf,
            key=key,
            module=made.module,
        )

    def _execute(self, path: str, source: bytes, module: ModuleType) -> None:
        previous = sys.modules.get(module.__name__)
        sys.modules[module.__name__] = module
        try:
            _run(path, source, module)
            self._check_environment(path)
        except BaseException:
            _restore_module(path, previous)
            self._restore_environment()
            raise

    def _check_source(self, path: str, source: bytes | None) -> None:
        for asked in settings_modules(source or b"", with_defaults=not self.is_named):
            self._check_settings_module(path, asked)

    def _check_environment(self, path: str) -> None:
        self._check_settings_module(path, os.environ.get(VARIABLE))
        if self.is_adopting:
            self.settings_module = self.settings_module or os.environ.get(VARIABLE)

    def _restore_environment(self) -> None:
        if self.settings_module:
            os.environ[VARIABLE] = self.settings_module

    def _check_settings_module(self, path: str, asked: str | None) -> None:
        if self.settings_module and asked != self.settings_module:
            raise ScriptError(500, OTHER_SETTINGS.format(path, asked, self.settings_module))


def file_mtime(path: str) -> int:
    """The file's modification time in nanoseconds. Raises ScriptError (404) where it is gone."""
    try:
        return os.stat(path.encode("latin-1")).st_mtime_ns
    except (OSError, ValueError):
        raise ScriptError(404, NOT_FOUND.format(path)) from None


def module_name(path: str) -> str:
    """The name of a script's module: mod_wsgi 6's, made from the md5 of the path as it is."""
    digest = hashlib.md5(path.encode("latin-1"), usedforsecurity=False).hexdigest()
    return f"_mod_wsgi_{digest}"


def _read_source(path: str) -> bytes:
    with open(path.encode("latin-1"), "rb") as file:
        # A NUL ends the source, as in mod_wsgi, which reads it as a C string.
        return file.read().partition(b"\0")[0]


def _new_module(path: str) -> ModuleType:
    filename = os.fsdecode(path.encode("latin-1"))
    name = module_name(path)
    loader = SourceFileLoader(name, filename)
    spec = importlib.util.spec_from_file_location(name, filename, loader=loader)
    assert spec is not None
    return importlib.util.module_from_spec(spec)


def _run(path: str, source: bytes, module: ModuleType) -> None:
    try:
        exec(compile(source, str(module.__file__), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:
        raise ScriptError(500, NOT_LOADED.format(path)) from error


def _restore_module(path: str, previous: ModuleType | None) -> None:
    if previous is None:
        sys.modules.pop(module_name(path), None)
    else:
        sys.modules[module_name(path)] = previous
