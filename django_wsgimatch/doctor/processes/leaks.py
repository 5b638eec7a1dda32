"""
What scripts of one interpreter do to each other: settings, environment variables, modules.

One interpreter holds one environment and one module of each name. What the first script puts there
the second one gets, whatever it asks for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from ...aliases.module_target import ModuleTarget
from ...settings_guard import VARIABLE, settings_modules
from ...text import quoted
from ..findings.finding import Finding, Findings, Subject
from ..targets.files import ENDINGS, TargetPlace, read_script
from .sources import Effects, Variable, effects_of

_APART = "Give each project its own process group or application group."


@dataclass(frozen=True, slots=True)
class Interpreter:
    """
    What is known of the interpreter that answers for an alias.

    ``name`` tells it from others. ``settings`` is its DJANGO_SETTINGS_MODULE from the start,
    ``environment`` are variables that it surely has, ``paths`` the directories that it imports
    from, and ``modules`` the files of what it has imported before any script, by name.
    ``is_named`` says that a process group's option names the settings.
    """

    name: tuple[str, str]
    settings: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """
    A script as its interpreter would load it.

    ``asked`` are the settings that it asks for, each with the module that it imports for that,
    "" for itself; ``variables`` are the others that it sets; ``modules`` the files of the top level
    modules that it uses. ``uri`` is a URL that it answers, where URLs choose it.
    """

    subject: Subject
    script: str
    asked: tuple[tuple[Variable, str], ...]
    variables: tuple[Variable, ...]
    modules: Mapping[str, str]
    uri: str = ""

    @property
    def name(self) -> str:
        """What it is called in findings."""
        answers = f", which answers {quoted(self.uri)}," if self.uri else ""
        return f"the script {quoted(self.script)}{answers}"


def leak_findings(
    places: Iterable[tuple[Subject, TargetPlace]],
    interpreter_of: Callable[[Subject], Interpreter | None],
) -> Findings:
    """
    Yield what scripts of one interpreter do to each other.

    ``interpreter_of`` tells where an alias's script runs; None where that differs from request to
    request.
    """
    seen: set[tuple[tuple[str, str], str | tuple[str, ...]]] = set()
    interpreters: dict[tuple[str, str], _Inhabited] = {}
    for subject, place in places:
        at = interpreter_of(subject)
        # Optimization: many aliases may lead to one directory of many scripts.
        if at is None or (at.name, (*place.scripts, *place.below)) in seen:
            continue
        seen.add((at.name, (*place.scripts, *place.below)))
        inhabited = interpreters.setdefault(at.name, _Inhabited(at))
        found: list[Finding] = []
        for script in (*place.scripts, *place.below):
            if (at.name, script) not in seen:
                seen.add((at.name, script))
                is_script = place.is_known or script in place.below
                if is_script or _holds_application(subject, script):
                    uri = place.below.get(script, "")
                    found += inhabited.load(_loaded(subject, script, at, uri))
        yield from _once(found)


def _once(found: Iterable[Finding]) -> Findings:
    """One finding of each kind, and how many more scripts of an alias have the same fault."""
    by_id: dict[str, list[Finding]] = {}
    for each in found:
        by_id.setdefault(each.id, []).append(each)
    for first, *others in by_id.values():
        more = f" The same is true of {len(others)} more scripts of this alias." if others else ""
        yield replace(first, message=first.message + more)


def inherited_findings(directory: str | None, settings: str | None) -> Findings:
    """
    Yield whether the environment names another project than ``manage.py`` in a directory does.

    ``settings`` is the DJANGO_SETTINGS_MODULE that this process has.
    """
    if directory is None:
        return
    try:
        with open(os.path.join(directory, "manage.py"), "rb") as file:
            named = settings_modules(file.read(), is_main=True)
    except OSError:
        return
    if settings and named and _project(settings) not in map(_project, named):
        yield Finding(
            "W029",
            VARIABLE,
            f"the environment has {settings!r}, and manage.py names {named[0]!r}. "
            "os.environ.setdefault() keeps the environment's value, so commands and servers "
            "started from here run the other project.",
            f"unset {VARIABLE}, or set it to a settings module of this project.",
        )


def _project(settings: str) -> str:
    return settings.partition(".")[0]


def _holds_application(subject: Subject, script: str) -> bool:
    """Whether a file of a directory of scripts seems to be one."""
    callable_object = (subject.alias.callable_object or "application").encode("latin-1")
    return script.endswith(ENDINGS) and callable_object in read_script(script)


class _Inhabited:
    """An interpreter, and what the scripts that were loaded so far have left in it."""

    def __init__(self, at: Interpreter) -> None:
        self.at = at
        self.settings: dict[str, str] = {}
        self.variables: dict[str, tuple[Variable, str]] = {}
        self.modules = {name: (file, "this project") for name, file in at.modules.items()}

    def load(self, loaded: Loaded) -> Findings:
        """Yield what a script finds there that it does not expect."""
        yield from self._other_settings(loaded)
        yield from self._other_values(loaded)
        yield from self._other_modules(loaded)

    def _other_settings(self, loaded: Loaded) -> Findings:
        for variable, through in loaded.asked:
            if self.at.settings:
                if through and self._is_another(variable):
                    yield _of_the_process(loaded, variable, through, self.at.settings)
                continue
            other, script = next(iter(self.settings.items()), (variable.value, loaded.script))
            self.settings.setdefault(variable.value, loaded.script)
            if other != variable.value:
                yield _of_another_script(loaded, variable, through, other, script)

    def _is_another(self, variable: Variable) -> bool:
        """Whether settings are another project's than the interpreter's."""
        own = self.at.settings or ""
        if variable.default and self.at.is_named:
            return _project(variable.value) != _project(own)
        return variable.value != own

    def _other_values(self, loaded: Loaded) -> Findings:
        for variable in loaded.variables:
            if variable.default and variable.name in self.at.environment:
                # That the environment decides is what setdefault() is for.
                continue
            other, script = self.variables.setdefault(variable.name, (variable, loaded.script))
            if script != loaded.script and other.value != variable.value:
                yield _of_another_value(loaded, variable, other, script)

    def _other_modules(self, loaded: Loaded) -> Findings:
        for name, file in loaded.modules.items():
            other, owner = self.modules.setdefault(name, (file, loaded.script))
            if os.path.realpath(other) != os.path.realpath(file):
                yield _of_another_module(loaded, name, file, other, owner)


def _of_the_process(loaded: Loaded, asked: Variable, through: str, process: str) -> Finding:
    outcome = (
        "setdefault() keeps that value, so the script serves that project's pages."
        if asked.default
        else "One process holds one Django project: the script answers 500."
    )
    return loaded.subject.finding(
        "E013",
        f"{loaded.name} imports {through}, which asks for "
        f"{VARIABLE} {asked.value!r}, but the process runs {process!r}. {outcome}",
        "Give its alias its own process group: process_group='...'.",
    )


def _of_another_script(
    loaded: Loaded, asked: Variable, through: str, other: str, script: str
) -> Finding:
    imports = f"imports {through}, which asks" if through else "asks"
    outcome = (
        "The script that is loaded second serves the other one's pages."
        if through and asked.default
        else "The script that is loaded second answers 500."
    )
    return loaded.subject.finding(
        "E016",
        f"{loaded.name} {imports} for {VARIABLE} {asked.value!r}, and "
        f"{quoted(script)} in the same place for {other!r}. {outcome}",
        _APART,
    )


def _of_another_value(loaded: Loaded, variable: Variable, other: Variable, script: str) -> Finding:
    decides = "The script that is loaded first decides for both."
    if not variable.default or not other.default:
        decides = "The script that is loaded last decides for both."
    return loaded.subject.finding(
        "W028",
        f"{loaded.name} sets the environment variable {variable.name} to "
        f"{variable.value!r}, and {quoted(script)} in the same place to {other.value!r}. {decides}",
        "Give each script its own process group, and set the variable in the group's environment "
        "option.",
    )


def _of_another_module(loaded: Loaded, name: str, file: str, other: str, owner: str) -> Finding:
    other_owner = owner if owner == "this project" else quoted(owner)
    return loaded.subject.finding(
        "E023",
        f"the module {name!r} of {loaded.name} is {file!r}, and that of {other_owner}, in the "
        f"same place, is {other!r}. An interpreter has only one module of a name: the one that is "
        "imported first.",
        _APART,
    )


def _loaded(subject: Subject, script: str, at: Interpreter, uri: str = "") -> Loaded:
    file = os.fsdecode(script.encode("latin-1"))
    own = effects_of(read_script(script), file)
    paths = (*own.paths, *at.paths)
    parts = [("", own)]
    # The project of the server itself is known: what it imports of that does nothing more.
    for name in dict.fromkeys(own.imports):
        found = find_module(name, paths)
        if found:
            parts.append((name, _effects_of_file(found)))
    asked = tuple((v, through) for through, part in parts for v in part.settings_modules)
    variables = tuple(v for _, part in parts for v in part.variables if v.name != VARIABLE)
    used = [*own.imports, *(variable.value for variable, _ in asked)]
    return Loaded(subject, script, asked, variables, _top_level(used, paths), uri)


@lru_cache(maxsize=1024)
def _effects_of_file(path: str) -> Effects:
    try:
        with open(path, "rb") as file:
            return effects_of(file.read(), path)
    except OSError:
        return Effects()


def _top_level(names: Iterable[str], paths: Sequence[str]) -> dict[str, str]:
    """The files or folders of the top level modules of some modules, as far as they are found."""
    tops = dict.fromkeys(name.partition(".")[0] for name in names)
    found = ((name, find_top_level(name, paths)) for name in tops)
    return {name: path for name, path in found if path}


def find_module(name: str, paths: Iterable[str]) -> str | None:
    """Return the file of a module, looked for in some directories, None if it is not there."""
    top, _, rest = name.partition(".")
    found = find_top_level(top, paths)
    if found is None or (rest and not os.path.isdir(found)):
        return None
    path = os.path.join(found, *rest.split(".")) if rest else found
    for candidate in (f"{path}.py", os.path.join(path, "__init__.py"), path):
        if os.path.isfile(candidate):
            return candidate
    return None


def with_file_of_module(place: TargetPlace, at: Interpreter | None) -> TargetPlace:
    """Return where a module is, with its file if that is where its interpreter looks for it."""
    name = ModuleTarget.of(place.path).module
    file = find_module(name, at.paths) if at is not None else None
    if file is None:
        return place
    return replace(place, scripts=(os.fsencode(file).decode("latin-1"),))


def find_top_level(name: str, paths: Iterable[str]) -> str | None:
    """Return the folder of a package or the file of a module, the first in some directories."""
    for directory in paths:
        path = os.path.join(directory, name)
        # A folder without __init__.py counts only where no directory has more of that name.
        if os.path.isfile(os.path.join(path, "__init__.py")):
            return path
        if os.path.isfile(f"{path}.py"):
            return f"{path}.py"
    return next((p for d in paths if os.path.isdir(p := os.path.join(d, name))), None)
