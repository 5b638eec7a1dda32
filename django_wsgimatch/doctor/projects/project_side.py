"""
What a Django project says of itself in the place that it runs in: its settings, URLs and answers.

A process of its own, that runs the project's Python as the project's user, loads the script as
the place would, answers the questions on standard input on standard output, and ends.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from ...daemon.group.paths import set_sys_path
from ...exceptions import ScriptError
from ...scripts import Scripts
from ..targets import unusable
from . import page_visits

SETTINGS = (
    *("STATIC_ROOT", "MEDIA_ROOT", "DEBUG", "ROOT_URLCONF"),
    *("LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL"),
    *("FORCE_SCRIPT_NAME", "APPEND_SLASH", "INSTALLED_APPS", "MIDDLEWARE", "MESSAGE_STORAGE"),
    *("SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH", "SESSION_COOKIE_DOMAIN"),
    *("CSRF_COOKIE_NAME", "CSRF_COOKIE_PATH", "CSRF_COOKIE_DOMAIN", "CSRF_USE_SESSIONS"),
    *("LANGUAGE_COOKIE_NAME", "LANGUAGE_COOKIE_PATH", "LANGUAGE_COOKIE_DOMAIN"),
)
# So many names of URLs are reversed, and so many first segments of the URLconf told.
MOST_NAMES = 50
# How many characters of an exception's text are told.
LONGEST_ERROR = 1000
# Django's own view that redirects to a login.
ADMIN = "admin:index"


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
    if told := unusable.of_application(callable_object, application):
        return _cut(told)
    django = _django()
    if django is None:
        return {"is_django": False}
    told = _project(django)
    told["answers"] = [_answer(told, application, each) for each in questions]
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


def _django() -> Any:
    """Django's settings, if the script has set a project up."""
    if "django.conf" not in sys.modules:
        return None
    settings = sys.modules["django.conf"].settings
    return settings if settings.configured else None


def _project(settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in SETTINGS:
        with suppress(Exception):
            found[name] = _plain(getattr(settings, name))
    # Not the key: whether two projects have the same one.
    key = hashlib.sha256(str(getattr(settings, "SECRET_KEY", "")).encode()).hexdigest()
    module = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    return {
        "is_django": True,
        "settings_module": module,
        "settings": found,
        "secret": key,
        "segments": list(_first_segments()),
        "needs_remote_user": _needs_remote_user(found.get("MIDDLEWARE", ())),
    }


def _needs_remote_user(middleware: Iterable[str]) -> bool:
    """Whether a middleware takes the user from REMOTE_USER itself, and not from a header."""
    for name in middleware:
        with suppress(Exception):
            module, _, attribute = name.rpartition(".")
            kind = getattr(importlib.import_module(module), attribute)
            names = [each.__name__ for each in getattr(kind, "__mro__", ())]
            if "RemoteUserMiddleware" in names and kind.header == "REMOTE_USER":
                return True
    return False


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _views() -> Any:
    """What looks views up: it needs Django, which is there where a project has been set up."""
    return importlib.import_module("django_wsgimatch.doctor.projects.views")


def _resolver() -> Any:
    return importlib.import_module("django.urls").get_resolver()


def _first_segments() -> Iterator[str]:
    """What the patterns of the URLconf begin with, as far as it is literal."""
    with suppress(Exception):
        for pattern in _resolver().url_patterns[: 10 * MOST_NAMES]:
            text = str(pattern.pattern).lstrip("^")
            # An empty one is the root alone, unless it includes others.
            if text.strip("$") or hasattr(pattern, "url_patterns"):
                yield text


def _answer(told: dict[str, Any], application: Any, question: dict[str, str]) -> dict[str, Any]:
    script_name, path_info = question["script_name"], question["path_info"]
    urls = importlib.import_module("django.urls")
    forced = told["settings"].get("FORCE_SCRIPT_NAME")
    prefix = script_name if forced is None else forced
    # As django.core.handlers.wsgi.WSGIHandler does for each request.
    urls.set_script_prefix(f"{_text(prefix).rstrip('/')}/")
    with _views().path_language(path_info):
        answer = _urls(prefix, path_info)
    if question.get("logins"):
        answer |= _pages(application, question, answer["view"], answer["appended"] is not None)
        answer["files"] = page_visits.file_answers(
            application, script_name, answer["settings"], told["settings"], _host()
        )
    return answer


def _urls(prefix: str, path_info: str) -> dict[str, Any]:
    """What the settings and the URLconf make of a request, in the language that is active."""
    view = appended = None
    with suppress(Exception):
        view = _views().view_name(path_info)
        if _views().lacks_slash(path_info):
            appended = f"{prefix.rstrip('/')}{path_info}/"
    answer: dict[str, Any] = {"view": view, "appended": appended, "settings": {}}
    for name in ("STATIC_URL", "MEDIA_URL"):
        with suppress(Exception):
            answer["settings"][name] = _url_setting(_django(), name)
    shortcuts = importlib.import_module("django.shortcuts")
    for name in ("LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL"):
        with suppress(Exception):
            value = getattr(_django(), name)
            answer["settings"][name] = shortcuts.resolve_url(value) if value else None
    return {**answer, "names": dict(_reversed())}


def _pages(
    application: Any, question: dict[str, str], view: str | None, lacks_slash: bool
) -> dict[str, Any]:
    """What the alias's front page and the admin's answer to a GET."""
    script_name, path_info = question["script_name"], question["path_info"]
    front = admin = None
    if view or lacks_slash:
        path = f"{path_info}/" if lacks_slash else path_info
        front = page_visits.page(application, script_name, path, _host())
    with suppress(Exception):
        admin = page_visits.page(application, script_name, _admin_path(), _host())
    is_redirect = admin is not None and admin.get("location") is not None
    redirects = {admin["url"]: admin["location"]} if admin is not None and is_redirect else {}
    return {"front": front, "admin": admin, "redirects": redirects}


def _admin_path() -> str:
    """The PATH_INFO of the admin's first page, wherever the project is mounted."""
    urls = importlib.import_module("django.urls")
    prefix = urls.get_script_prefix()
    urls.set_script_prefix("/")
    try:
        return unquote(urls.reverse(ADMIN), "latin-1")
    finally:
        urls.set_script_prefix(prefix)


def _host() -> str:
    hosts = [host for host in getattr(_django(), "ALLOWED_HOSTS", ()) if host[:1] not in ("*", ".")]
    return hosts[0] if hosts else "localhost"


def _text(prefix: str) -> str:
    """A SCRIPT_NAME as Django decodes it."""
    return prefix.encode("latin-1", "replace").decode("utf-8", "replace")


def _url_setting(settings: Any, name: str) -> Any:
    """
    STATIC_URL or MEDIA_URL for a request.

    A relative one gains the SCRIPT_NAME of the moment in which it is asked for first, and keeps
    it: perhaps when the project was loaded, before there was any.
    """
    was_asked = name in settings.__dict__
    value = getattr(settings, name)
    if not was_asked:
        settings.__dict__.pop(name, None)
    return value


def _reversed() -> Iterator[tuple[str, str]]:
    """The URLs of names that need nothing else."""
    urls = importlib.import_module("django.urls")
    with suppress(Exception):
        names = [name for name in _resolver().reverse_dict if isinstance(name, str)]
        for name in [*names[:MOST_NAMES], ADMIN]:
            with suppress(Exception):
                yield name, urls.reverse(name)
