"""
Which view of the Django project in this process answers a URL, and what APPEND_SLASH makes of it.

A PATH_INFO holds one byte a character, as in WSGI.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress

from django.conf import settings
from django.urls import Resolver404, get_resolver, resolve
from django.utils.encoding import repercent_broken_unicode
from django.utils.translation import get_language_from_path, override
from django.utils.translation.trans_real import get_supported_language_variant


def urlconf_error() -> str | None:
    """Return what keeps the project's URLconf from being loaded, or None."""
    try:
        # The URLconf is code of the project: whatever it raises should be shown, not end this.
        _ = get_resolver().url_patterns
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
        found = resolve(path or "/")
    except Resolver404:
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
