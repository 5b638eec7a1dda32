"""Scripts that do not load where they should, or have nothing there that answers: what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ...text import quoted, shown
from ..findings.finding import Finding, Subject
from ..findings.project_report import Told
from .projects_by_url import Key

_NEEDED = (
    "Install what is missing in the virtual environment of its process group, or add its folder "
    "to python_path. Or fix the script."
)
_NEEDED_HERE = (
    "Install what is missing in the server's virtual environment, or give the alias a process "
    "group with a python_home. Or fix the script."
)


def unloaded_finding(subject: Subject, key: Key, told: Told) -> Finding:
    """Return what is said of a script that has told nothing but why it cannot."""
    if told.is_late:
        return subject.finding(
            "W055",
            f"the script {quoted(key.script)} was not checked: {told.error}. It is not known "
            f"whether it loads in {place_in_settings(key)}, and whether it fits its URLs.",
            "Check on a less busy machine, or allow more time: `wsgimatch check --load-timeout "
            "SECONDS`.",
        )
    status = _status(key, told)
    line = f" ({shown(told.trouble.line)})" if told.trouble.line else ""
    return subject.finding(
        "E026",
        f"the script {quoted(key.script)} does not load in {place_in_settings(key)}: "
        f"{told.error}{line}. Requests get {status}.",
        " ".join(_cures(subject, key, told)),
    )


def place_in_settings(key: Key) -> str:
    """Return a place in the words of the settings."""
    names = (("process group", key.process_group), ("application group", key.application_group))
    return ", ".join(f"{what} {quoted(name)}" for what, name in names if name) or (
        "the server's own process"
    )


def _status(key: Key, told: Told) -> int:
    """The status that requests get: mod_wsgi's 404 for a missing name is embedded mode's."""
    if told.trouble.kind == "missing" and (key.process_group or key.application_group):
        return 500
    return told.trouble.status


def _cures(subject: Subject, key: Key, told: Told) -> Iterator[str]:
    trouble = told.trouble
    if trouble.kind == "missing" and trouble.instead:
        line = subject.line(callable_object=trouble.instead)
        yield f"It has {trouble.instead!r}: {line}."
    elif trouble.factory and subject.alias.is_module:
        yield f"Have it called: {subject.line(target=f'{subject.alias.target}()')}."
    elif trouble.factory:
        name = "application" if trouble.factory == key.callable_object else key.callable_object
        yield f"Make the application in the script: {name} = {trouble.factory}()."
        if name != key.callable_object:
            yield f"Then remove callable_object={key.callable_object!r} from the entry."
    elif trouble.kind in ("missing", "uncallable"):
        name = key.callable_object.removesuffix("()")
        yield f"Define {name}(environ, start_response) in it, or name the one that it has:"
        yield "callable_object='...'."
    elif trouble.kind == "asgi":
        yield from _instead_of_asgi(subject, key)
    elif trouble.kind == "barred":
        yield "Let that user read it and enter all directories above it; `namei -l` shows which"
        yield "ends."
    else:
        needed = _NEEDED if key.process_group else _NEEDED_HERE
        is_module = subject.alias.is_module
        yield (
            needed.replace("fix the script", "fix the module, or its name") if is_module else needed
        )


def _instead_of_asgi(subject: Subject, key: Key) -> Iterator[str]:
    if subject.alias.is_module:
        yield "Name the project's WSGI application, as in 'project.wsgi:application', or make one"
        yield "with a2wsgi.ASGIMiddleware(application)."
        return
    beside = os.path.join(os.path.dirname(key.script), "wsgi.py")
    target = subject.alias.target
    if os.path.basename(key.script) == "asgi.py" and os.path.isfile(beside.encode("latin-1")):
        line = subject.line(target=target.replace("asgi.py", "wsgi.py"))
        yield f"There is a wsgi.py beside it: {line}."
    else:
        yield "Let the script make a WSGI application, with django.core.wsgi.get_wsgi_application()"
        yield "or a2wsgi.ASGIMiddleware(application)."
