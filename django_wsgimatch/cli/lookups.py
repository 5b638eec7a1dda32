"""What ``manage.py wsgimatch`` shows: the findings, the table, and what becomes of targets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from django.conf import settings
from django.core.checks import ERROR, INFO, WARNING
from django.urls import Resolver404, get_resolver, resolve
from django.utils.encoding import repercent_broken_unicode
from django.utils.translation import get_language_from_path, override

from ..aliases.alias import Alias
from ..aliases.groups import Server, split_host, variable
from ..aliases.resolve import Rules
from ..aliases.table import AliasTable
from ..aliases.uri import parse_target
from ..checks import file_system_findings, settings_findings, tables
from ..conf import Configuration, configuration
from ..daemon.place import Place
from ..doctor.processes.sources import effects_of
from ..doctor.projects.asking import MOST_PROJECTS, Asker, is_project
from ..doctor.projects.probe import Question
from ..doctor.projects.reached import Key
from ..doctor.table.wholes import whole_findings
from ..doctor.targets.files import TargetPlace, script_findings, survey
from ..doctor.targets.listing import Listings
from ..doctor.told.findings import Finding
from ..doctor.told.progress import Progress, untold
from ..doctor.told.subject import Subject
from ..doctor.told.telling import Told, UrlAnswer
from ..places import server_ports
from ..preview import Preview, PreviewSite, Try, preview, tries
from ..text import quoted

BROKEN = "broken"
DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Row:
    """
    One entry of the table, as ``list --json`` has it.

    ``host`` is the virtual host's pattern, None for the entries of all hosts. What a broken
    entry, or one without an application, does not have is None; ``reason`` says what is wrong with
    it or its script, or why it refuses requests.
    """

    host: str | None
    position: int
    where: str
    kind: str | None
    location: str | None
    target: str | None
    process_group: str | None
    application_group: str | None
    callable_object: str | None
    pass_authorization: bool | None
    state: str
    script: str | None
    reason: str


def findings(
    *, is_thorough: bool = False, seconds: float | None = None, progress: Progress = untold
) -> list[Finding]:
    """
    Return all that the checks find, without what SILENCED_SYSTEM_CHECKS names.

    A thorough check asks all projects behind the aliases, however many there are. Each has so many
    ``seconds`` to load and answer. ``progress`` is told how far it is.
    """
    configured = configuration()
    most = None if is_thorough else MOST_PROJECTS
    found = [
        *settings_findings(configured, progress),
        *file_system_findings(configured, most_projects=most, seconds=seconds, progress=progress),
    ]
    silenced = settings.SILENCED_SYSTEM_CHECKS
    told = [finding for finding in found if f"wsgimatch.{finding.id}" not in silenced]
    return sorted(told, key=partial(_order, _positions(configured)))


def _positions(configured: Configuration) -> dict[str, int]:
    """Where each entry stands in what ``list`` shows."""
    wheres = [where for _, _, sources in tables(configured) for where in sources]
    return {where: position for position, where in enumerate(wheres)}


def _order(positions: Mapping[str, int], finding: Finding) -> tuple[int, str, int]:
    """Settings come first, by name, then entries as in ``list``; of each the errors first."""
    position = positions.get(finding.where, -1)
    return position, finding.where if position < 0 else "", -level(finding)


def level(finding: Finding) -> int:
    """Return how grave a finding is, on the scale of Django's checks."""
    return {"E": ERROR, "W": WARNING, "I": INFO}[finding.id[0]]


def rows(configured: Configuration) -> Iterator[Row]:
    """Yield all entries, first each virtual host's own, then those for every host."""
    problems = {problem.where: str(problem.error) for problem in configured.problems}
    listings = Listings()
    for host, table, sources in tables(configured):
        for position, where in enumerate(sources):
            if where in problems:
                yield _broken_row(host, position, where, problems[where])
                continue
            alias = table.aliases[position]
            if alias.answer is not None:
                yield _denied_row(host, position, where, alias, alias.answer.note)
                continue
            place = survey(alias, configured.rules, listings)
            yield _row(host, position, where, alias, place, configured.rules)


def _row(
    host: str | None, position: int, where: str, alias: Alias, place: TargetPlace, rules: Rules
) -> Row:
    return Row(
        host,
        position,
        where,
        kind=alias.kind,
        location=alias.location,
        target=alias.target,
        process_group=alias.process_group or rules.process_group,
        application_group=alias.application_group or rules.application_group,
        callable_object=alias.callable_object or "application",
        pass_authorization=(
            rules.pass_authorization
            if alias.pass_authorization is None
            else alias.pass_authorization
        ),
        state=place.state,
        script=place.path,
        reason=place.reason,
    )


def _broken_row(host: str | None, position: int, where: str, reason: str) -> Row:
    nothing = (None,) * 7
    return Row(host, position, where, *nothing, state=BROKEN, script=None, reason=reason)


def _denied_row(host: str | None, position: int, where: str, alias: Alias, note: str) -> Row:
    nothing = (None,) * 5
    return Row(
        host,
        position,
        where,
        alias.directive,
        alias.location,
        *nothing,
        state=DENIED,
        script=None,
        reason=note,
    )


def site(configured: Configuration, host: str = "") -> PreviewSite:
    """
    Return what previews are made from; ``host`` is a Host header.

    Its port is taken for the one that the server listens on, unless the settings list ports.
    """
    name = configured.values["SERVER_NAME"] or split_host(host)[0] or "localhost"
    port, ports = split_host(host)[1], server_ports(configured)
    lookup = partial(variable, environ={}, process_environ=os.environ)
    listed = None if ports is None else [str(each) for each in ports]
    return PreviewSite(
        table=configured.table,
        rules=configured.rules,
        server=Server(name, host, lookup, "" if ports else port, listed),
        has_fallback=configured.values["FALLBACK"] is not None,
        view=view_name if urlconf_error() is None else lambda path_info: None,
        load_error=lru_cache(maxsize=None)(partial(_load_error, configured)),
    )


def previews(
    configured: Configuration, at: PreviewSite, targets: Iterable[str]
) -> Iterator[Preview]:
    """
    Yield what becomes of each target.

    Each script is loaded once, for all targets, in a process of its own, where a Django project of
    another place is asked for its views. Of the server's own scripts only the first few are.
    """
    shown = [preview(at, target) for target in targets]
    asked: dict[Key, dict[Question, None]] = {}
    for each in shown:
        # A whole log may lead to very many scripts.
        is_asked = is_elsewhere(each) or _key(each) in asked or len(asked) < MOST_PROJECTS
        if each.status == 200 and not each.load_error and is_asked:
            asked.setdefault(_key(each), {})[_question(each)] = None
    told = Asker.of(configured).ask({key: tuple(asked[key]) for key in asked})
    answers = {
        (key, question): answer
        for key, questions in asked.items()
        for question, answer in zip(questions, told[key].answers, strict=False)
    }
    is_django_here = partial(
        _is_django_here,
        is_fallback=is_project(configured),
        is_script=lru_cache(maxsize=None)(_is_script_of_django),
    )
    has_urlconf = urlconf_error() is None
    for each in shown:
        answered = _taken_whole(_with_answer(each, at, told, answers), at)
        if is_elsewhere(each):
            is_django = _key(each) in told and told[_key(each)].is_django
        else:
            is_django = has_urlconf and is_django_here(answered)
        is_missing = is_django and answered.view is None and answered.urlconf_status is None
        yield replace(answered, urlconf_status=404) if is_missing else answered


def _taken_whole(shown: Preview, at: PreviewSite) -> Preview:
    """Say so where the pattern leaves nothing of any URL for PATH_INFO."""
    if shown.status != 200 or shown.alias is None or shown.path_info:
        return shown
    subject = Subject("", None, _table_for(at, shown.target), shown.alias)
    found = next(whole_findings(subject, at.rules), None)
    if found is None:
        return shown
    warning = f"The pattern takes the whole URL. {found.hint} (W050)"
    return replace(shown, warnings=(*shown.warnings, warning))


def _is_django_here(shown: Preview, *, is_fallback: bool, is_script: Callable[[str], bool]) -> bool:
    """Whether it is known that the project of this process answers a target."""
    if shown.status == 200:
        return not shown.load_error and is_script(str(shown.script))
    return shown.status is None and is_fallback


def _is_script_of_django(script: str) -> bool:
    """Whether a script of this process, which is only read, serves the Django project in it."""
    try:
        with open(script.encode("latin-1"), "rb") as file:
            return "django.core.wsgi" in effects_of(file.read(), script).imports
    except OSError:
        return False


def is_elsewhere(shown: Preview) -> bool:
    """Whether another process would run the script of a previewed target."""
    return shown.status == 200 and bool(shown.process_group or shown.application_group)


def _key(shown: Preview) -> Key:
    return Key(
        str(shown.process_group),
        str(shown.application_group),
        str(shown.script),
        str(shown.callable_object),
    )


def _question(shown: Preview) -> Question:
    return Question(str(shown.script_name), str(shown.path_info))


def _with_answer(
    shown: Preview,
    at: PreviewSite,
    told: Mapping[Key, Told],
    answers: Mapping[tuple[Key, Question], UrlAnswer],
) -> Preview:
    key = _key(shown)
    if key in told and (error := told[key].error):
        return _unloaded(shown, told[key], error)
    if not is_elsewhere(shown):
        return _with_slash(shown, at)
    answer = answers.get((key, _question(shown)))
    if answer is None:
        return replace(shown, view=None)
    return _redirected(replace(shown, view=answer.view), answer.appended)


def _unloaded(shown: Preview, told: Told, error: str) -> Preview:
    """Say why the script does not load, as far as there was time to find out."""
    line = f" ({told.trouble.line})" if told.trouble.line else ""
    if told.is_late:
        warnings = (*shown.warnings, f"Its place cannot be asked: {error}.")
        return replace(shown, view=None if is_elsewhere(shown) else shown.view, warnings=warnings)
    warnings = (*shown.warnings, f"The script does not load: {error}{line}.")
    return replace(shown, view=None, load_error=error, warnings=warnings)


def _with_slash(shown: Preview, at: PreviewSite) -> Preview:
    """What APPEND_SLASH makes of a URL of this project that has no view."""
    path = shown.path_info if shown.status == 200 else shown.uri
    has_middleware = any(name.endswith(".CommonMiddleware") for name in settings.MIDDLEWARE)
    may_append = shown.status in (200, None) and shown.view is None and path is not None
    if not (may_append and settings.APPEND_SLASH and has_middleware):
        return shown
    if path is None or path.endswith("/") or at.view(f"{path}/") is None:
        return shown
    return _redirected(shown, f"{shown.script_name or ''}{path}/")


def _redirected(shown: Preview, url: str | None) -> Preview:
    if url is None:
        return shown
    warning = f"Django redirects to {quoted(url)} (APPEND_SLASH)."
    return replace(shown, urlconf_status=301, warnings=(*shown.warnings, warning))


def explained(at: PreviewSite, shown: Preview) -> tuple[Try, ...]:
    """Return how each alias fared with a previewed target, none where none was tried."""
    if shown.uri is None:
        return ()
    return tuple(tries(_table_for(at, shown.target), shown.uri))


def urlconf_error() -> str | None:
    """Return what keeps the project's URLconf from being loaded, or None."""
    try:
        # The URLconf is code of the project: whatever it raises should be shown, not end this.
        _ = get_resolver().url_patterns
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def view_name(path_info: str) -> str | None:
    """Return the dotted name of the view that answers a PATH_INFO, as Django would find it."""
    path = repercent_broken_unicode(path_info.encode("latin-1")).decode()
    try:
        with _language_of(path):
            found = resolve(path or "/")
    except Resolver404:
        return None
    view = getattr(found.func, "view_class", found.func)
    named = view if hasattr(view, "__qualname__") else type(view)
    return f"{named.__module__}.{named.__qualname__}"


def _language_of(path: str) -> AbstractContextManager[None]:
    """The language in which LocaleMiddleware would have a path resolved: i18n_patterns."""
    has_languages = any(name.endswith("LocaleMiddleware") for name in settings.MIDDLEWARE)
    language = get_language_from_path(path) if has_languages else None
    return override(language) if language else nullcontext()


def _load_error(
    configured: Configuration, script: str, process_group: str, application_group: str
) -> str:
    place = Place(process_group, application_group)
    settings_module = Asker.of(configured).settings_module(place)
    is_named = bool(settings_module) and not place.is_here
    found = next(script_findings("", script, settings_module, is_named), None)
    return f"500: {found.message}" if found else ""


def _table_for(at: PreviewSite, target: str) -> AliasTable:
    host = parse_target(target, allow_encoded_slashes=at.rules.allow_encoded_slashes).host
    return at.table.for_host(at.server.host if host is None else host)
