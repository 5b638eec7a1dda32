"""
What the Django project in this process says of itself: its settings, its views, its pages.

A PATH_INFO holds one byte a character, as in WSGI.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any
from urllib.parse import unquote

from django import urls
from django.conf import settings
from django.shortcuts import resolve_url
from django.utils.encoding import repercent_broken_unicode
from django.utils.translation import get_language_from_path, override
from django.utils.translation.trans_real import get_supported_language_variant

from ..findings.project_report import FLAGS, LISTS, LOGIN_SETTINGS, TEXTS
from .page_visits import Visitor

# So many names of URLs are reversed, and so many first segments of the URLconf told.
MOST_NAMES = 50
# Django's own view that redirects to a login.
ADMIN = "admin:index"


def urlconf_error() -> str | None:
    """Return what keeps the project's URLconf from being loaded, or None."""
    try:
        # The URLconf is code of the project: whatever it raises should be shown, not end this.
        _ = urls.get_resolver().url_patterns
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def view_name(path_info: str) -> str | None:
    """
    Return the dotted name of the view that answers a PATH_INFO, as Django would find it.

    Of ``i18n_patterns()`` those of the active language count. Raises what the project's code does.
    """
    path = repercent_broken_unicode(path_info.encode("latin-1")).decode()
    try:
        found = urls.resolve(path or "/")
    except urls.Resolver404:
        return None
    view = getattr(found.func, "view_class", found.func)
    named = view if hasattr(view, "__qualname__") else type(view)
    return f"{named.__module__}.{named.__qualname__}"


def path_language(path_info: str) -> AbstractContextManager[None]:
    """Return the language in which LocaleMiddleware would have a path resolved."""
    with suppress(Exception):
        if any(name.endswith("LocaleMiddleware") for name in settings.MIDDLEWARE):
            # Without one in the path: as for a visitor who has not said what he speaks.
            own = get_supported_language_variant(settings.LANGUAGE_CODE)
            return override(get_language_from_path(path_info) or own)
    return nullcontext()


def lacks_slash(path_info: str) -> bool:
    """Return whether CommonMiddleware redirects a PATH_INFO to one with a slash (APPEND_SLASH)."""
    has_middleware = any(name.endswith(".CommonMiddleware") for name in settings.MIDDLEWARE)
    if not (settings.APPEND_SLASH and has_middleware) or path_info.endswith("/"):
        return False
    return view_name(path_info) is None and view_name(f"{path_info}/") is not None


def told_by_project(
    application: Callable[..., Any], questions: Iterable[dict[str, str]]
) -> dict[str, Any]:
    """Return what the project says of itself, and what it makes of some URLs."""
    found: dict[str, Any] = {}
    for name in (*TEXTS, *FLAGS, *LISTS):
        with suppress(Exception):
            found[name] = _plain(getattr(settings, name))
    hosts = [host for host in settings.ALLOWED_HOSTS if host[:1] not in ("*", ".")]
    visitor = Visitor(application, hosts[0] if hosts else "localhost")
    # Not the key: whether two projects have the same one.
    key = hashlib.sha256(str(getattr(settings, "SECRET_KEY", "")).encode()).hexdigest()
    return {
        "is_django": True,
        "settings_module": os.environ.get("DJANGO_SETTINGS_MODULE", ""),
        "settings": found,
        "secret": key,
        "segments": list(_first_segments()),
        "needs_remote_user": _needs_remote_user(found.get("MIDDLEWARE", ())),
        "answers": [_answer(found, visitor, each) for each in questions],
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


def _first_segments() -> Iterator[str]:
    """What the patterns of the URLconf begin with, as far as it is literal."""
    with suppress(Exception):
        for pattern in urls.get_resolver().url_patterns[: 10 * MOST_NAMES]:
            text = str(pattern.pattern).lstrip("^")
            # An empty one is the root alone, unless it includes others.
            if text.strip("$") or hasattr(pattern, "url_patterns"):
                yield text


def _answer(told: dict[str, Any], visitor: Visitor, question: dict[str, str]) -> dict[str, Any]:
    script_name, path_info = question["script_name"], question["path_info"]
    forced = told.get("FORCE_SCRIPT_NAME")
    prefix = script_name if forced is None else forced
    # As django.core.handlers.wsgi.WSGIHandler does for each request.
    decoded = prefix.encode("latin-1", "replace").decode("utf-8", "replace")
    urls.set_script_prefix(f"{decoded.rstrip('/')}/")
    with path_language(path_info):
        answer = _urls(prefix, path_info)
    if question.get("logins"):
        answer |= _pages(visitor, question, answer["view"], answer["appended"] is not None)
        answer["files"] = visitor.files(script_name, answer["settings"], told)
    return answer


def _urls(prefix: str, path_info: str) -> dict[str, Any]:
    """What the settings and the URLconf make of a request, in the language that is active."""
    view = appended = None
    with suppress(Exception):
        view = view_name(path_info)
        if lacks_slash(path_info):
            appended = f"{prefix.rstrip('/')}{path_info}/"
    answer: dict[str, Any] = {"view": view, "appended": appended, "settings": {}}
    for name in ("STATIC_URL", "MEDIA_URL"):
        with suppress(Exception):
            answer["settings"][name] = _url_setting(name)
    for name in LOGIN_SETTINGS:
        with suppress(Exception):
            value = getattr(settings, name)
            answer["settings"][name] = resolve_url(value) if value else None
    return {**answer, "names": dict(_reversed())}


def _pages(
    visitor: Visitor, question: dict[str, str], view: str | None, lacks_slash: bool
) -> dict[str, Any]:
    """What the alias's front page and the admin's answer to a GET."""
    script_name, path_info = question["script_name"], question["path_info"]
    front = admin = None
    if view or lacks_slash:
        path = f"{path_info}/" if lacks_slash else path_info
        front = visitor.page(script_name, path)
    with suppress(Exception):
        admin = visitor.page(script_name, _admin_path())
    is_redirect = admin is not None and admin.get("location") is not None
    redirects = {admin["url"]: admin["location"]} if admin is not None and is_redirect else {}
    return {"front": front, "admin": admin, "redirects": redirects}


def _admin_path() -> str:
    """The PATH_INFO of the admin's first page, wherever the project is mounted."""
    prefix = urls.get_script_prefix()
    urls.set_script_prefix("/")
    try:
        return unquote(urls.reverse(ADMIN), "latin-1")
    finally:
        urls.set_script_prefix(prefix)


def _url_setting(name: str) -> Any:
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
    with suppress(Exception):
        names = [name for name in urls.get_resolver().reverse_dict if isinstance(name, str)]
        for name in [*names[:MOST_NAMES], ADMIN]:
            with suppress(Exception):
                yield name, urls.reverse(name)
