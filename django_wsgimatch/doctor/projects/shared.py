"""
What projects of one host share by mistake, and what one project below several prefixes does.

Cookies of one name: each takes the other's. What an interpreter keeps has the first prefix.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from ...text import quoted
from ..findings.finding import Finding, Findings, Subject
from ..findings.project_report import Told, UrlAnswer
from .prefixes import covers
from .projects_by_url import FALLBACK, Answered, Key, Projects, is_mount

# Which cookies a project sets, as its middleware tells: what they are for, and the setting.
KINDS = (
    ("SessionMiddleware", "session", "SESSION_COOKIE"),
    ("CsrfViewMiddleware", "CSRF", "CSRF_COOKIE"),
    ("LocaleMiddleware", "language", "LANGUAGE_COOKIE"),
)


@dataclass(frozen=True, slots=True)
class _Mounted:
    """A prefix under which a project answers, and what it makes of its settings there."""

    subject: Subject | None
    prefix: str
    answer: UrlAnswer


def shared_findings(projects: Projects, asked: Iterable[Answered]) -> Findings:
    """Yield the projects that answer below several prefixes in one interpreter."""
    mounted: dict[tuple[str, str, str, str], list[_Mounted]] = {}
    fallback = projects.told.get(FALLBACK)
    if projects.has_fallback and fallback is not None and fallback.answers:
        own = _Mounted(None, "", fallback.answers[0])
        mounted[_interpreter(FALLBACK, fallback)] = [own]
    for on in asked:
        if on.told.is_django and is_mount(on.at):
            where = _Mounted(on.at.subject, on.at.script_name, on.answer)
            mounted.setdefault(_interpreter(on.at.key, on.told), []).append(where)
    for (*_, settings_module), those in mounted.items():
        yield from _kept_for_both(settings_module, those, projects)


def _interpreter(key: Key, told: Told) -> tuple[str, str, str, str]:
    return key.process_group, key.application_group, told.secret, told.settings_module


def _kept_for_both(settings_module: str, mounted: list[_Mounted], projects: Projects) -> Findings:
    used = [s for s in ("STATIC_URL", "MEDIA_URL") if _is_used(s, settings_module, projects)]
    first = mounted[0]
    for other in mounted[1:]:
        for setting in used:
            one, two = (each.answer.settings.get(setting) for each in (first, other))
            is_other = other.prefix != first.prefix and one != two
            if other.subject is not None and is_other and one and two:
                yield _finding(other.subject, settings_module, setting, (first, other))
                return


def _finding(
    subject: Subject, settings_module: str, setting: str, mounted: tuple[_Mounted, _Mounted]
) -> Finding:
    one, two = (quoted(each.answer.settings[setting] or "") for each in mounted)
    prefixes = " and ".join(quoted(each.prefix or "/") for each in mounted)
    return subject.finding(
        "W059",
        f"the project of {settings_module!r} answers below {prefixes} in one interpreter, and "
        f"keeps the URL that it makes for the first request: {setting} is {one} or {two} for both.",
        f"Write {setting} with a leading slash, or give each prefix its own interpreter: "
        "application_group='%{RESOURCE}'.",
    )


def _is_used(setting: str, settings_module: str, projects: Projects) -> bool:
    told = next(t for t in projects.told.values() if t.settings_module == settings_module)
    if setting == "MEDIA_URL":
        return bool(told.settings.get("MEDIA_ROOT"))
    return "django.contrib.staticfiles" in (told.settings.get("INSTALLED_APPS") or ())


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
        if told[one].secret == told[other].secret:
            # They are one, or share their key: then they share their sessions, too.
            continue
        for cookie in cookies(told[one]):
            for second in cookies(told[other]):
                key = (where[other], second.kind, second.name)
                if key not in reported and _collide(cookie, second):
                    reported.add(key)
                    yield _taken(second, where[one], where[other], told[other], other)


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


def _collide(one: Cookie, other: Cookie) -> bool:
    return (
        (one.kind, one.name) == (other.kind, other.name)
        and (covers(one.path, other.path) or covers(other.path, one.path))
        and (one.domain == other.domain or not (one.domain and other.domain))
    )


def _taken(cookie: Cookie, first: str, second: str, told: Told, key: Key) -> Finding:
    project = told.settings_module.partition(".")[0] or "site"
    name = f"{project}_{cookie.name}"
    what = {
        "session": "logging in to one logs you out of the other",
        "CSRF": "after a login to one, open forms of the other are refused",
        "language": "choosing a language in one changes it in the other",
    }[cookie.kind]
    return Finding(
        "W023" if cookie.kind == "session" else "W024",
        first if key == FALLBACK else second,
        f"the {cookie.kind} cookie {quoted(cookie.name)} of {told.settings_module!r} has the same "
        f"name and path as that of {first}: {what}.",
        f"In {told.settings_module!r}: {cookie.setting} = {name!r}.",
    )
