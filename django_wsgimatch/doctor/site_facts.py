"""
What the checks are told of the circumstances: where aliases run, as whom, and what lies around.

Here the settings, and what this process has loaded, are turned into what the checks ask for.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator

from django.conf import settings

from ..aliases.groups import GLOBAL
from ..configured import Configuration
from ..daemon.manager.starting import account_of
from ..daemon.options import GroupOptions
from ..exceptions import SettingError
from ..settings_guard import VARIABLE
from .findings.finding import Subject
from .processes.groups import literal_groups
from .processes.leaks import Interpreter, find_top_level
from .targets.files import TargetPlace
from .targets.writers import FIRST_PERSON, Guarded, Uploads

_LIBRARIES = tuple(
    sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


def settings_of(configured: Configuration, subject: Subject) -> tuple[str | None, bool]:
    """
    Return the DJANGO_SETTINGS_MODULE of the process that answers for an alias, if known.

    Beside it stands whether a process group's ``settings`` name it.
    """
    place = literal_groups(subject, configured.rules)
    if place == (GLOBAL, GLOBAL):
        return os.environ.get(VARIABLE), False
    options = configured.groups.get(place[0]) if place is not None else None
    module = options.settings if options is not None else None
    return module, bool(module)


def interpreters(configured: Configuration) -> Callable[[Subject], Interpreter | None]:
    """Return what tells the interpreter that answers for an alias, as far as is known."""
    paths = _own_paths()
    modules = _own_modules(paths)

    def interpreter_of(subject: Subject) -> Interpreter | None:
        place = literal_groups(subject, configured.rules)
        if place is None:
            return None
        settings_module, is_named = settings_of(configured, subject)
        if place == (GLOBAL, GLOBAL):
            return Interpreter(place, settings_module, {}, paths, modules)
        options = configured.groups.get(place[0], GroupOptions())
        inherited = paths if place[0] == GLOBAL else ()
        environment = dict(options.environment)
        paths_of = (*options.python_path, *inherited)
        return Interpreter(place, settings_module, environment, paths_of, is_named=is_named)

    return interpreter_of


def guarded_files(
    configured: Configuration, places: Iterable[tuple[Subject, TargetPlace]]
) -> Iterator[Guarded]:
    """Yield all that scripts lie in, and the scripts, with the user that each runs as."""
    for where, root in configured_roots(configured):
        yield Guarded(where, root or "/")
    seen: set[tuple[tuple[str, ...], int | None]] = set()
    for subject, place in places:
        user = user_of_alias(configured, subject)
        if place.state == "directory":
            yield Guarded(subject.where, place.path, user)
        # Optimization: many aliases may lead to one directory of many scripts.
        if (place.scripts, user) not in seen:
            seen.add((place.scripts, user))
            yield from (Guarded(subject.where, script, user) for script in place.scripts)


def user_of_alias(configured: Configuration, subject: Subject) -> int | None:
    """
    Return the user that an alias's application runs as, None where that cannot be told.

    Who runs the check as himself is a developer, and may change his own code; a service is not.
    """
    place = literal_groups(subject, configured.rules)
    options = configured.groups.get(place[0], GroupOptions()) if place else GroupOptions()
    if options.script_user is not None:
        # It is wanted so: mod_wsgi runs only what belongs to that user.
        return None
    try:
        account = account_of(options, may_switch=True if options.socket else None)
    except SettingError:
        return None
    user = account.user if account is not None else os.geteuid()
    return user if options.user is not None or user < FIRST_PERSON else None


def base_directory() -> str | None:
    """Return BASE_DIR, if there is one."""
    base = getattr(settings, "BASE_DIR", None)
    return os.fsdecode(base) if base is not None else None


def configured_roots(configured: Configuration) -> Iterable[tuple[str, str]]:
    """Return the directories of WSGIMATCH_ROOTS, each with its name."""
    if configured.values["ROOTS"] is None:
        return ()
    names = (f"WSGIMATCH_ROOTS[{number}]" for number in range(len(configured.values["ROOTS"])))
    return zip(names, configured.rules.roots or (), strict=True)


def uploads() -> Uploads:
    """Return where others than developers put files."""
    return Uploads(_directory(settings.MEDIA_ROOT), _directory(settings.STATIC_ROOT))


def _directory(path: str | os.PathLike[str] | None) -> str | None:
    return os.fsencode(os.path.abspath(path)).decode("latin-1") if path else None


def _own_paths() -> tuple[str, ...]:
    """The directories from which this process imports its own project: no libraries."""
    paths = dict.fromkeys(os.path.abspath(path) for path in sys.path)
    return tuple(path for path in paths if not path.startswith(_LIBRARIES))


def _own_modules(paths: tuple[str, ...]) -> dict[str, str]:
    """The files or folders of what this process has imported from some directories, by name."""
    found = {
        name: find_top_level(name, paths)
        for name, module in list(sys.modules.items())
        if "." not in name and (getattr(module, "__file__", None) or "").startswith(paths)
    }
    return {name: path for name, path in found.items() if path}
