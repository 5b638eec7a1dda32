"""Which application answers a request in a daemon process: its script, loaded if it may be."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ....aliases.module_target import ModuleTarget, is_module
from ....aliases.target import OUTSIDE_ROOTS, FollowSymlinks, find_script, is_inside, split_filename
from ....exceptions import ScriptError, TargetError
from ....modules import find_module_file
from ....scripts import LoadedScript, Reloading, Scripts
from ...script_owner import ANYBODY, ScriptOwner
from .changes import change_time
from .serving import Superseded

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

NOT_NAMED = "No entry of this site names the WSGI module '{}' for this process group."
NOT_THIS_GROUP = (
    "A request for process group '{}' has come to this one, '{}': the socket of the former leads "
    "here."
)
NO_OWNER = "The WSGI module '{}' has no file that could belong to the script-user or script-group."


@dataclass(frozen=True, slots=True)
class Confinement:
    """
    The directories that scripts may lie in, None for any, and WSGIMATCH_FOLLOW_SYMLINKS.

    The rule is the front's own, ``aliases.target``: with symbolic links allowed, one that leads
    out of the directories is followed. A module lies in none: with ``roots`` it must be one of
    ``modules``, which are the texts of those that the site's entries name for the group.
    """

    roots: tuple[str, ...] | None
    follow_symlinks: FollowSymlinks = True
    modules: tuple[str, ...] = ()

    def require(self, script: str) -> None:
        """
        Raise ScriptError for a script that no front of this site would ask for: 403 or 404.

        ``script`` is a path as latin-1 text, or the text of a module's target.
        """
        if self.roots is None:
            return
        if is_module(script):
            if script not in self.modules:
                raise ScriptError(403, NOT_NAMED.format(script))
            return
        # Fronts ask for paths without "..", which may lie elsewhere than their text says.
        components, tail = split_filename(script)
        if script != f"/{'/'.join(components)}{tail}" or not is_inside(script, self.roots):
            raise ScriptError(403, f"{OUTSIDE_ROOTS}: {script}")
        try:
            found = find_script(script, follow_symlinks=self.follow_symlinks, roots=self.roots)
        except TargetError as error:
            raise ScriptError(error.status, str(error)) from None
        if found.path != script:
            raise ScriptError(403, f"{OUTSIDE_ROOTS}: {script}")


ANYWHERE = Confinement(None)


@dataclass(eq=False)
class Loader:
    """
    Finds applications for the requests of a process.

    ``renew`` asks for new processes, since a script has changed, and is told when
    (time.time()). With ``reloading`` "safe" they load while this process answers, as before; True
    gives the request back at once, as mod_wsgi ends a daemon process whose script has changed;
    False never looks, the others look at a file once in ``interval`` seconds. ``tell`` is called
    with the paths of all loaded scripts when there is a new one, and when that one began to load
    (time.time_ns()); ``fail`` with what a script has raised instead; ``tell_used`` when a request
    has asked for a callable that none had asked for before. ``owner`` must own the scripts, and
    they must lie within ``confinement``. What is for another than ``process_group`` is refused, if
    that is given: who runs a group of his own could lay a link to another's socket in his place.
    """

    reloading: Reloading
    settings_module: str | None
    owner: ScriptOwner = ANYBODY
    confinement: Confinement = ANYWHERE
    interval: float = 0.0
    process_group: str | None = None
    renew: Callable[[float], None] = lambda changed: None
    tell: Callable[[list[str], int], None] = lambda paths, since: None
    fail: Callable[[BaseException | None, int], None] = lambda error, since: None
    tell_used: Callable[[], None] = lambda: None
    _first_request: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        named = self.settings_module
        # One interpreter holds one Django project: the first script says which.
        self.scripts = Scripts(
            reloading=False, settings_module=named, is_named=bool(named), is_adopting=True
        )

    def find(self, environ: WSGIEnvironment) -> WSGIApplication:
        """Return the application for a request. Raises ScriptError and Superseded."""
        self.require_group(environ)
        script: str = environ["SCRIPT_FILENAME"]
        name: str = environ["mod_wsgi.callable_object"]
        loaded = self.scripts.loaded.get(script)
        if loaded is None:
            self._first_request = self._first_request or time.monotonic()
            loaded = self._load(script)
        else:
            self.owner.require(loaded.path)
            if self.reloading and time.monotonic() >= loaded.due:
                # Optimization: a stat() took 5 us of 32, and gives up the interpreter's lock.
                self._look_for_change(loaded)
        # Of a module, the file that it was found in.
        environ["SCRIPT_FILENAME"] = loaded.path
        is_new = name not in loaded.used
        try:
            application = loaded.application(name)
        except ScriptError as error:
            # As mod_wsgi in daemon mode, where embedded mode answers 404.
            raise ScriptError(500, str(error)) from None
        if is_new:
            self.tell_used()
        return application

    def is_late(self, seconds: float) -> bool:
        """Whether the first request came so long ago, and no script has been loaded yet."""
        began = self._first_request
        return bool(began) and not self.scripts.loaded and time.monotonic() - began > seconds

    def preload(self, scripts: Mapping[str, Iterable[str]]) -> list[ScriptError]:
        """
        Load scripts ahead of the first request; return what went wrong.

        Each is given with the names of the callables that it must have.
        """
        errors = []
        for path, names in scripts.items():
            try:
                loaded = self._load(path)
                for name in names:
                    loaded.application(name)
            except ScriptError as error:
                errors.append(error)
        return errors

    def used(self) -> dict[str, list[str]]:
        """Return the names of callables that requests have asked for, by their scripts."""
        return {path: sorted(script.used) for path, script in [*self.scripts.loaded.items()]}

    def require_group(self, environ: WSGIEnvironment) -> None:
        """Raise ScriptError, 403, for a request to another process group."""
        own, asked = self.process_group, environ.get("mod_wsgi.process_group")
        if own is not None and asked != own:
            raise ScriptError(403, NOT_THIS_GROUP.format(asked, own))

    def require_owner(self, script: str) -> None:
        """Raise ScriptError, 403, where another owns a script, or a module's file."""
        if self.owner == ANYBODY or not is_module(script):
            self.owner.require(script)
            return
        file = file_of_script(script)
        if file is None:
            raise ScriptError(403, NO_OWNER.format(script))
        self.owner.require(os.fsencode(file).decode("latin-1"))

    def _load(self, script: str) -> LoadedScript:
        self.require_owner(script)
        self.confinement.require(script)
        since = time.time_ns()
        try:
            loaded = self.scripts.get(script)
        except ScriptError as error:
            self.fail(error.__cause__, since)
            raise
        self.tell(list(self.scripts.loaded), since)
        return loaded

    def _look_for_change(self, loaded: LoadedScript) -> None:
        mtime = loaded.newest
        if mtime != loaded.mtime and mtime != loaded.rejected:
            self._supersede(loaded, mtime)
        loaded.due = time.monotonic() + self.interval

    def _supersede(self, loaded: LoadedScript, mtime: int) -> None:
        if self.reloading != "safe":
            self.renew(change_time(loaded.file))
            raise Superseded
        # New processes are wanted once for each version: if it does not load, this one stays.
        loaded.rejected = mtime
        logger.info("WSGI script '%s' has changed.", loaded.key)
        self.renew(change_time(loaded.file))


def file_of_script(script: str) -> str | None:
    """Return a script's file, as Python has it, or a module's; None where there is none."""
    if not is_module(script):
        return os.fsdecode(script.encode("latin-1"))
    return find_module_file(ModuleTarget.of(script).module).path or None
