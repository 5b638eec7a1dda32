"""
What a Django project says of itself in the place that it runs in: its settings, URLs and answers.

A process of its own, that runs the project's Python as the project's user, loads the script as
the place would, answers the questions on standard input on standard output, and ends.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from ...daemon.group.paths import set_sys_path
from ...exceptions import ScriptError
from ...scripts import Scripts
from ..targets import unusable

# How many characters of an exception's text are told.
LONGEST_ERROR = 1000


def answer_questions() -> None:
    """Answer what standard input asks; what the project prints goes to standard error."""
    asked = json.loads(sys.stdin.read())
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    set_sys_path(
        tuple(asked["sys_path"]) if asked["sys_path"] is not None else None,
        tuple(asked["python_path"]),
    )
    told = look(
        asked["script"],
        asked["callable_object"],
        asked["settings"],
        asked["questions"],
        is_named=asked["is_named"],
    )
    json.dump(told, answer)
    answer.flush()
    # Threads that the project has started are not waited for.
    os._exit(0)


def look(
    script: str,
    callable_object: str,
    settings_module: str | None,
    questions: list[dict[str, str]],
    *,
    is_named: bool = False,
) -> dict[str, Any]:
    """
    Load a script, or the project itself where ``script`` is "", and answer the questions.

    A question is a SCRIPT_NAME and a PATH_INFO. ``is_named`` is that of ``scripts.Scripts``.
    """
    try:
        namespace = _namespace(script, settings_module, is_named)
    except ScriptError as error:
        return _cut(unusable.of_error(script, error))
    if callable_object not in namespace:
        return _cut(unusable.of_missing(callable_object, namespace))
    application = namespace[callable_object]
    if trouble := unusable.of_application(callable_object, application):
        return _cut(trouble)
    if not _is_django():
        return {"is_django": False}
    # It needs Django, which is there where a project has been set up.
    views: Any = importlib.import_module("django_wsgimatch.doctor.projects.views")
    told: dict[str, Any] = views.told_by_project(application, questions)
    return told


def _cut(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "error": told["error"][:LONGEST_ERROR]}


def _namespace(script: str, settings_module: str | None, is_named: bool) -> Mapping[str, Any]:
    """The globals of a loaded script; of the project itself, its application alone."""
    if script:
        scripts = Scripts(reloading=False, settings_module=settings_module, is_named=is_named)
        return scripts.get(script).namespace
    try:
        make = importlib.import_module("django.core.wsgi").get_wsgi_application
        return {"application": make()}
    except Exception as error:
        raise ScriptError(500, "the project cannot be set up") from error


def _is_django() -> bool:
    """Whether the script has set a Django project up."""
    django_conf: Any = sys.modules.get("django.conf")
    return django_conf is not None and bool(django_conf.settings.configured)
