"""One project below several prefixes: what its interpreter keeps has the first one's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...text import quoted
from ..findings.finding import Finding, Findings, Subject
from ..findings.project_report import Told, UrlAnswer
from .projects_by_url import FALLBACK, Answered, Key, Projects, is_mount

_NEEDED_APP = {"STATIC_URL": "django.contrib.staticfiles"}


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
    return _NEEDED_APP[setting] in (told.settings.get("INSTALLED_APPS") or ())
