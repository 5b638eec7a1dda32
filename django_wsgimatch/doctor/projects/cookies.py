"""Cookies of several Django projects behind one host, by the same name: each takes the other's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from ...text import quoted
from ..findings.finding import Finding, Findings
from ..findings.project_report import Told
from .prefixes import covers
from .projects_by_url import FALLBACK, Key

# Which cookies a project sets, as its middleware tells: what they are for, and the setting.
KINDS = (
    ("SessionMiddleware", "session", "SESSION_COOKIE"),
    ("CsrfViewMiddleware", "CSRF", "CSRF_COOKIE"),
    ("LocaleMiddleware", "language", "LANGUAGE_COOKIE"),
)


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie that a project sets, and the setting that names it."""

    kind: str
    setting: str
    name: str
    path: str
    domain: str


def cookie_findings(told: Mapping[Key, Told], where: Mapping[Key, str]) -> Findings:
    """
    Yield the cookies that projects of one host have in common.

    ``where`` names the alias that leads to a project.
    """
    reported: set[tuple[str, str, str]] = set()
    for one, other in combinations(told, 2):
        if _share(told[one], told[other]):
            continue
        for cookie in cookies(told[one]):
            for second in cookies(told[other]):
                key = (where[other], second.kind, second.name)
                if key not in reported and _collide(cookie, second):
                    reported.add(key)
                    yield _finding(second, where[one], where[other], told[other], other)


def cookies(told: Told) -> Iterator[Cookie]:
    if not told.is_django:
        return
    names = [name.rpartition(".")[2] for name in told.settings.get("MIDDLEWARE") or ()]
    for middleware, kind, setting in KINDS:
        if middleware in names and not (kind == "CSRF" and told.settings.get("CSRF_USE_SESSIONS")):
            yield Cookie(
                kind,
                f"{setting}_NAME",
                str(told.settings.get(f"{setting}_NAME")),
                told.settings.get(f"{setting}_PATH") or "/",
                (told.settings.get(f"{setting}_DOMAIN") or "").lstrip("."),
            )


def _share(one: Told, other: Told) -> bool:
    """Whether two projects are one, or share their key: then they share their sessions, too."""
    return one.secret == other.secret


def _collide(one: Cookie, other: Cookie) -> bool:
    return (
        (one.kind, one.name) == (other.kind, other.name)
        and (covers(one.path, other.path) or covers(other.path, one.path))
        and (one.domain == other.domain or not (one.domain and other.domain))
    )


def _finding(cookie: Cookie, first: str, second: str, told: Told, key: Key) -> Finding:
    project = told.settings_module.partition(".")[0] or "site"
    name = f"{project}_{cookie.name}"
    what = {
        "session": "logging in to one logs you out of the other",
        "CSRF": "after a login to one, open forms of the other are refused",
        "language": "choosing a language in one changes it in the other",
    }[cookie.kind]
    other = "the fallback" if key == FALLBACK else second
    return Finding(
        "W023" if cookie.kind == "session" else "W024",
        other if key != FALLBACK else first,
        f"the {cookie.kind} cookie {quoted(cookie.name)} of {told.settings_module!r} has the same "
        f"name and path as that of {first}: {what}.",
        f"In {told.settings_module!r}: {cookie.setting} = {name!r}.",
    )
