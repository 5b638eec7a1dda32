"""Application groups that are sub interpreters of a daemon process: which answers a request."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ....aliases.module_target import ModuleTarget, is_module
from ....exceptions import DaemonError, ScriptError
from ....modules import find_module_file
from ....scripts import GONE, file_mtime
from ...front.relay import relay
from ...place import NAMED_BY, Place
from .changes import change_time
from .group import Group
from .interpreters import OLDEST_PYTHON, Interpreters
from .loading import Loader, file_of_script
from .serving import Superseded

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

# So many scripts are remembered as lying where they may.
MOST_SCRIPTS = 1024


@dataclass(eq=False)
class InterpreterLoader:
    """
    Finds applications as a Loader does, those of application groups in sub interpreters.

    A script that has changed there asks for a new process, as nothing is loaded anew in one.
    """

    group: Group
    loader: Loader
    renew: Callable[[float], None]
    # Each script's mtime, and when its file is to be looked at again (time.monotonic()).
    _seen: dict[str, tuple[int | None, float]] = field(default_factory=dict, init=False)
    _inside: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._interpreters = Interpreters(
            self.group.backend,
            packages=self.group.packages,
            settings_module=self.group.options.settings,
            threads=self.group.options.threads,
            label=self.group.label,
            most=self.group.options.maximum_application_groups,
        )

    def find(self, environ: WSGIEnvironment) -> WSGIApplication:
        """Return the application for a request. Raises as Loader.find() does."""
        place = Place.named_by(environ.pop(NAMED_BY, ""), environ["mod_wsgi.application_group"])
        if not place.application_group:
            return self.loader.find(environ)
        self.loader.require_group(environ)
        if error := refusal_of_interpreters(sys.version_info[:2]):
            raise error
        script: str = environ["SCRIPT_FILENAME"]
        self.loader.require_owner(script)
        self._require_inside(script)
        self._look_for_change(script)
        try:
            link = self._interpreters.link(place, environ)
        except DaemonError as failure:
            raise ScriptError(failure.status, str(failure)) from failure

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            return relay(link, environ, start_response)

        return application

    def _require_inside(self, script: str) -> None:
        """Look once at where each script lies, as a Loader does when it loads one."""
        if script not in self._inside:
            self.loader.confinement.require(script)
            if len(self._inside) >= MOST_SCRIPTS:
                self._inside.clear()
            self._inside.add(script)

    def _look_for_change(self, script: str) -> None:
        known, due = self._seen.get(script, (None, 0.0))
        if not self.group.reloading or time.monotonic() < due:
            return
        mtime = _mtime_of(script)
        self._seen[script] = (mtime, time.monotonic() + self.group.reload_interval)
        if known is not None and mtime != known:
            logger.info("WSGI script '%s' has changed.", script)
            self.renew(change_time(file_of_script(script) or ""))
            if self.group.reloading != "safe":
                raise Superseded


def _mtime_of(script: str) -> int:
    """The mtime of a script's file. Raises ScriptError (404) where that is gone."""
    if not is_module(script):
        return file_mtime(script)
    found = find_module_file(ModuleTarget.of(script).module)
    return found.mtime if found.path else GONE


def refusal_of_interpreters(version: tuple[int, ...]) -> ScriptError | None:
    """Return why a group's Python cannot have sub interpreters, None where it can."""
    if version >= OLDEST_PYTHON:
        return None
    found = ".".join(map(str, version[:2]))
    return ScriptError(
        500,
        f"application groups as sub interpreters need Python 3.13, and the group's is {found}: "
        "leave WSGIMATCH_APPLICATION_GROUP_BACKEND out, or give the group a newer python_home",
    )
