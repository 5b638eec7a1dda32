"""
Why a script cannot answer: what it raises and where, or what stands under the name that is asked.

Runs in the script's own place, so it knows nothing of Django or of what is installed there.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Mapping
from typing import Any

from ...daemon.raised import line_of
from ...exceptions import ScriptError

# Under these names others keep their WSGI application, the likeliest first.
_USUAL = ("app", "application", "wsgi_app", "wsgi", "api", "handler", "server")
_MAKES = re.compile(r"(?:create|make|get|build|init)_?\w*(?:app|application|wsgi)\w*\Z|factory\Z")


def of_error(script: str, error: ScriptError) -> dict[str, Any]:
    """Return what is told of a script that does not load."""
    barred = first_unusable(script)
    if barred:
        return {
            "error": f"its user may not access {barred!r}",
            "kind": "barred",
            "status": error.status,
        }
    cause = error.__cause__
    text = f"{type(cause).__name__}: {cause}" if cause else str(error).removesuffix(".")
    return {"error": text, "status": error.status, "line": line_of(cause) if cause else ""}


def first_unusable(path: str) -> str | None:
    """Return the first directory on a file's way, or the file, that this user may not use."""
    names = os.fsdecode(path.encode("latin-1")).split("/")
    for count in range(2, len(names)):
        above = "/".join(names[:count])
        if os.path.isdir(above) and not os.access(above, os.X_OK):
            return above
    whole = "/".join(names)
    return whole if os.path.exists(whole) and not os.access(whole, os.R_OK) else None


def of_missing(name: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of a script that has nothing under a name."""
    return {
        "error": f"it has no {name!r}",
        "kind": "missing",
        "status": 404,
        "instead": _application_in(namespace) or "",
        "factory": _factory_in(namespace) or "",
    }


def _application_in(namespace: Mapping[str, Any]) -> str | None:
    module = namespace.get("__name__")
    own = [name for name, v in namespace.items() if name[:1] != "_" and _answers(name, v, module)]
    usual = [name for name in _USUAL if name in own]
    return usual[0] if usual else (own[0] if len(own) == 1 else None)


def _answers(name: str, value: Any, module: object) -> bool:
    """Whether something looks like an application, and not like what was imported to make one."""
    if inspect.isclass(value) or inspect.ismodule(value) or of_application(name, value):
        return False
    if name in _USUAL or not inspect.isfunction(value):
        return name in _USUAL or hasattr(value, "wsgi_app")
    return value.__module__ == module and len(inspect.signature(value).parameters) == 2


def _factory_in(namespace: Mapping[str, Any]) -> str | None:
    return next(
        (n for n, v in namespace.items() if inspect.isfunction(v) and _MAKES.match(n)), None
    )


def of_application(name: str, application: Any) -> dict[str, Any] | None:
    """Return why a value is not a WSGI application, None where it may be one."""
    if not callable(application):
        what = f"{name} is {_shown(application)}, which cannot be called"
        return {"error": what, "kind": "uncallable", "status": 500}
    if _is_asgi(application):
        return {"error": f"{name} is an ASGI application", "kind": "asgi", "status": 500}
    if not _takes_a_request(name, application):
        what = f"{name} does not take an environ and a start_response"
        return {"error": what, "kind": "factory", "status": 500, "factory": name}
    return None


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"an object of {type(value).__name__}"
    return text if len(text) <= 60 else f"an object of {type(value).__name__}"


def _is_asgi(application: Any) -> bool:
    call = application if inspect.isroutine(application) else type(application).__call__
    return inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call)


def _takes_a_request(name: str, application: Any) -> bool:
    try:
        signature = inspect.signature(application)
    except (TypeError, ValueError):
        # Many built-in callables do not say what they take.
        return True
    try:
        signature.bind({}, print)
    except TypeError:
        return False
    parameters = signature.parameters.values()
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    return bool(needed) or not (inspect.isfunction(application) and _MAKES.match(name))
