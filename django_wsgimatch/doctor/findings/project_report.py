"""
What Django projects tell of themselves, read as what it is: the word of code that is not trusted.

Whatever is not of the type that it should have is left out, as if the project had not said it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from ...text import cut

NO_ANSWER = (
    "its answer is not that of a Django project: the script writes to files that it did not open"
)

LOGIN_SETTINGS = ("LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL")
# The settings that are asked for, by the type that they should have.
TEXTS = (
    *("STATIC_ROOT", "MEDIA_ROOT", "ROOT_URLCONF", "FORCE_SCRIPT_NAME", *LOGIN_SETTINGS),
    *("SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH", "SESSION_COOKIE_DOMAIN"),
    *("CSRF_COOKIE_NAME", "CSRF_COOKIE_PATH", "CSRF_COOKIE_DOMAIN"),
    *("LANGUAGE_COOKIE_NAME", "LANGUAGE_COOKIE_PATH", "LANGUAGE_COOKIE_DOMAIN"),
)
FLAGS = ("CSRF_USE_SESSIONS",)
LISTS = ("INSTALLED_APPS", "MIDDLEWARE")
_FILES = ("STATIC_URL", "MEDIA_URL")
# All of ASCII that can be printed: what is left is no part of a URL.
_IN_URLS = "".join(map(chr, range(0x21, 0x7F)))
_LONGEST_ERROR = 300
_LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Page:
    """
    What a project has answered to a GET for one of its own pages.

    ``at_root`` is the status of the same page where SCRIPT_NAME is empty, ``location`` where a
    redirect leads, and ``there`` the status of that page, if the project was asked for it.
    """

    url: str
    status: int
    at_root: int = 0
    location: str | None = None
    there: int = 0


@dataclass(frozen=True, slots=True)
class UrlAnswer:
    """
    What a project makes of one URL.

    ``view`` is the view's dotted name, ``appended`` where APPEND_SLASH redirects to. ``settings``
    holds the URLs among the settings and ``names`` those of the URLconf, all under the
    SCRIPT_NAME of the question. ``redirects`` says where those who have to log in are sent;
    ``front`` and ``admin`` are what the alias's front page and the admin's answer, ``files`` what
    one of the files does that STATIC_URL or MEDIA_URL stands for.
    """

    view: str | None = None
    appended: str | None = None
    settings: Mapping[str, str | None] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    redirects: Mapping[str, str] = field(default_factory=dict)
    front: Page | None = None
    admin: Page | None = None
    files: Mapping[str, Page] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trouble:
    """
    What is wrong with a script: the ``status`` that requests get, the ``kind``, and the ``line``.

    ``instead`` is a name in it that looks like an application, ``factory`` one that makes one.
    """

    status: int = 500
    kind: str = ""
    line: str = ""
    instead: str = ""
    factory: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """
    What a project has told of itself; ``error`` says why it has told nothing.

    ``is_late`` says that it has had too little time. ``secret`` is the same for two projects with
    the same SECRET_KEY; ``segments`` are the beginnings of its URLconf's patterns.
    ``needs_remote_user`` says that it takes its users from REMOTE_USER. Text is short, and URLs are
    ASCII.
    """

    error: str = ""
    trouble: Trouble = Trouble()
    is_late: bool = False
    needs_remote_user: bool = False
    is_django: bool = False
    settings_module: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    secret: str = ""
    segments: tuple[str, ...] = ()
    answers: tuple[UrlAnswer, ...] = ()


def read_told(output: bytes) -> Told:
    """Return what a project's process has printed as its answer, which may be anything."""
    try:
        said = json.loads(output)
    except (ValueError, RecursionError):
        return Told(error=NO_ANSWER)
    if not isinstance(said, dict):
        return Told(error=NO_ANSWER)
    if error := said.get("error"):
        if not isinstance(error, str):
            return Told(error=NO_ANSWER)
        return Told(error=cut(error, _LONGEST_ERROR), trouble=_trouble(said))
    return Told(
        needs_remote_user=said.get("needs_remote_user") is True,
        is_django=said.get("is_django") is True,
        settings_module=_text(said.get("settings_module")) or "",
        settings=_settings(_dict(said.get("settings"))),
        secret=_text(said.get("secret")) or "",
        segments=_texts(said.get("segments")),
        answers=tuple(map(_answer, _list(said.get("answers")))),
    )


def _trouble(said: Mapping[str, object]) -> Trouble:
    texts = {name: cut(_text(said.get(name)) or "", _LONGEST_ERROR) for name in ("kind", "line")}
    names = {name: _identifier(said.get(name)) for name in ("instead", "factory")}
    return Trouble(_number(said.get("status")) or 500, **texts, **names)


def _identifier(value: object) -> str:
    return value if isinstance(value, str) and value.isidentifier() and len(value) < 100 else ""


def _number(value: object) -> int:
    """Return a status, 0 if the value is not one."""
    return value if type(value) is int and 100 <= value <= 599 else 0


def _page(said: object) -> Page | None:
    given = _dict(said)
    url, status = _url(given.get("url")), _number(given.get("status"))
    if url is None or not status:
        return None
    at_root, there = (_number(given.get(name)) for name in ("at_root", "there"))
    return Page(url, status, at_root, _url(given.get("location")), there)


def _pages(said: object) -> dict[str, Page]:
    pages = {name: _page(page) for name, page in _dict(said).items() if name in _FILES}
    return {name: page for name, page in pages.items() if page is not None}


def _answer(said: object) -> UrlAnswer:
    given = _dict(said)
    return UrlAnswer(
        view=_text(given.get("view")),
        appended=_url(given.get("appended")),
        settings={name: _url(url) for name, url in _dict(given.get("settings")).items()},
        names=_urls(given.get("names")),
        redirects=_urls(given.get("redirects")),
        front=_page(given.get("front")),
        admin=_page(given.get("admin")),
        files=_pages(given.get("files")),
    )


def _settings(said: Mapping[str, object]) -> dict[str, Any]:
    texts = {name: _text(said[name]) for name in TEXTS if name in said}
    flags = {name: bool(said[name]) for name in FLAGS if name in said}
    lists = {name: list(_texts(said[name])) for name in LISTS if name in said}
    return texts | flags | lists


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value[:_LONGEST_TEXT] if isinstance(value, str) else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for text in map(_text, _list(value)) if text is not None)


def _urls(value: object) -> dict[str, str]:
    found = {name[:_LONGEST_TEXT]: _url(url) for name, url in _dict(value).items()}
    return {name: url for name, url in found.items() if url is not None}


def _url(value: object) -> str | None:
    """Return a URL in ASCII, as reverse() gives them, None if the value is not one."""
    text = _text(value)
    if text is None:
        return None
    url = quote(text, safe=_IN_URLS, errors="replace")
    try:
        urlsplit(url)
    except ValueError:
        return None
    return url
