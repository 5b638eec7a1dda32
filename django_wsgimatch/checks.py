"""System checks: what Django and ``manage.py wsgimatch check`` say of the settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning
from django.utils.module_loading import import_string

from .aliases.alias import Alias, Denial
from .aliases.file_options import FileOptions
from .aliases.resolve import Rules
from .aliases.roots import folder_of
from .aliases.table import AliasTable
from .answers.first_files import tried_files
from .answers.rewriting.rewrites import is_rewriting
from .conf import access_index, configuration
from .conf_shapes import DEFAULTS
from .configured import Configuration
from .doctor.access.login_files import ServedFolder, login_file_findings
from .doctor.access.own_rules import GuardedEntry, own_rules_findings
from .doctor.access.section_findings import (
    DiagnosedSection,
    address_findings,
    open_to_all_findings,
    section_findings,
)
from .doctor.findings.finding import Finding, Progress, Subject, counted, untold
from .doctor.processes.exposure import exposure_findings
from .doctor.processes.groups import group_findings, literal_groups, undefined_groups
from .doctor.processes.leaks import (
    Interpreter,
    inherited_findings,
    leak_findings,
    with_file_of_module,
)
from .doctor.processes.plain_http import loop_findings
from .doctor.processes.proxies import peer_findings, trust_findings
from .doctor.processes.serving import (
    SettingValue,
    forwarding_findings,
    gunicorn_settings,
    mount_findings,
    patience_findings,
)
from .doctor.projects.project_findings import MOST_PROJECTS, project_findings, server_of
from .doctor.projects.projects_by_url import Reached, reached
from .doctor.site_facts import (
    base_directory,
    configured_roots,
    guarded_files,
    interpreters,
    settings_of,
    uploads,
)
from .doctor.table.answering import answering_findings
from .doctor.table.captures import capture_findings
from .doctor.table.chosen import chosen_findings, limits_of
from .doctor.table.error_pages import DiagnosedPage, error_page_findings
from .doctor.table.host_names import host_findings
from .doctor.table.mistakes import mistake
from .doctor.table.miswritten import miswritten_findings
from .doctor.table.order import order_findings
from .doctor.table.patterns import Timing, pattern_findings
from .doctor.table.rewriting import rewriting_findings
from .doctor.table.urls import url_findings
from .doctor.table.wholes import whole_findings
from .doctor.targets.below import scripts_below
from .doctor.targets.files import TargetPlace, file_findings, survey
from .doctor.targets.listing import Listings
from .doctor.targets.served import served_findings, uploaded_findings
from .doctor.targets.writers import root_findings, writer_findings
from .doctor.uris.hidden_aliases import example_uris
from .entries import FileEntry
from .places import has_places, nesting_groups, socket_directory
from .previews.preview import preview, preview_sites
from .settings_guard import VARIABLE
from .text import quoted

PREFIX = "WSGIMATCH_"


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Check the settings by themselves: quick, and without a look at the file system."""
    return [to_message(finding) for finding in settings_findings(configuration())]


def to_message(finding: Finding) -> CheckMessage:
    """Return a finding as Django's own checks would say it."""
    kind = {"E": Error, "W": Warning, "I": Info}[finding.id[0]]
    anchor = f"wsgimatch-{finding.id.lower()}"
    return kind(
        f"{finding.where}: {finding.message}",
        hint=f"{finding.hint} (Docs: reference/checks.html#{anchor})",
        id=f"wsgimatch.{finding.id}",
    )


def settings_findings(configured: Configuration, progress: Progress = untold) -> Iterator[Finding]:
    """Yield what can be told from the settings alone; ``progress`` is told how far it is."""
    yield from _unknown_settings()
    entries = configured.entries()
    for problem in configured.problems:
        yield mistake(problem.where, problem.error, entries.get(problem.where))
    yield from _bad_fallback(configured.values["FALLBACK"])
    yield from undefined_groups(scripts_of(configured), configured.rules)
    yield from host_findings(tuple(configured.values["VIRTUAL_HOSTS"]))
    yield from trust_findings(configured.values)
    hosts = {each.table: each.host for each in configured.tables()}
    yield from chosen_findings(
        ((hosts[subject.table], subject) for subject in scripts_of(configured)),
        configured.rules,
        limits_of(configured.values["PROCESS_GROUPS"], configured.groups),
    )
    timing = Timing()
    every = [*first_subjects(configured), *subjects(configured)]
    for subject in counted(every, "entries", progress):
        yield from _not_utf8(subject)
        yield from _undecided(subject)
        yield from answering_findings(subject)
        yield from pattern_findings(subject, timing)
        yield from miswritten_findings(subject, configured.rules.allow_encoded_slashes)
    yield from _rewriting_findings(configured)
    sections = _sections(configured)
    yield from section_findings(
        sections,
        merge_slashes=configured.rules.merge_slashes,
        allow_exponential=configured.values["ALLOW_EXPONENTIAL_PATTERNS"],
    )
    guarded = list(_guarded_entries(configured))
    for each in guarded:
        yield from open_to_all_findings(each.section)
    yield from own_rules_findings(guarded, sections, access_index(configured))


def file_system_findings(
    configured: Configuration,
    *,
    most_projects: int | None = MOST_PROJECTS,
    seconds: float | None = None,
    progress: Progress = untold,
) -> Iterator[Finding]:
    """
    Yield what takes time, the file system or the projects themselves to tell.

    At most so many Django projects are asked, all where it is None, and each has so many
    ``seconds`` to load and answer. ``progress`` is told how far it is.
    """
    rules = configured.rules
    listings = Listings()
    interpreter_of = interpreters(configured)
    places = [
        (subject, _surveyed(subject, rules, listings, interpreter_of))
        for subject in counted(list(scripts_of(configured)), "targets", progress)
    ]
    broken = [*_start_findings(configured, places, interpreter_of, progress)]
    yield from broken
    yield from exposure_findings(configured.groups, os.environ)
    # The aliases and groups of which it is known already that a script or place does not start.
    failing = frozenset(each.where for each in broken if each.id.startswith("E"))
    found = _found_by_urls(configured, places, failing, progress)
    yield from project_findings(
        configured, found.reached, most=most_projects, seconds=seconds, progress=progress
    )
    yield from root_findings(places, configured_roots(configured), uploads())
    first = [*first_subjects(configured)]
    with_files = [*first, *subjects(configured)]
    yield from served_findings(with_files, places, rules, listings, _guarded(configured))
    yield from uploaded_findings(first, uploads().media, rules)
    yield from writer_findings(guarded_files(configured, places))
    yield from _server_findings(configured, places)
    yield from error_page_findings(_error_pages(configured))
    yield from found.of_order
    yield from found.of_urls


def _server_findings(
    configured: Configuration, places: Sequence[tuple[Subject, TargetPlace]]
) -> Iterator[Finding]:
    """Yield what the server's environment and gunicorn's settings tell."""
    started_in = base_directory() or os.getcwd()
    yield from forwarding_findings(started_in, os.environ, _example(places))
    yield from mount_findings(os.environ)
    yield from patience_findings(configured.groups, started_in, os.environ)
    given = gunicorn_settings(started_in, os.environ)
    yield from peer_findings(configured.values, given)
    yield from _plain_http_findings(configured, given)
    yield from _access_findings(configured, given)


def _plain_http_findings(
    configured: Configuration, given: Mapping[str, SettingValue]
) -> Iterator[Finding]:
    """Yield what gunicorn's settings, as ``given``, tell of requests over plain HTTP."""
    if configured.plain_http is not None:
        table, header = configured.plain_http.table, settings.SECURE_PROXY_SSL_HEADER
        yield from loop_findings(table, configured.values, given, header)


def _access_findings(
    configured: Configuration, given: Mapping[str, SettingValue]
) -> Iterator[Finding]:
    """Yield what the files and gunicorn's settings, as ``given``, tell of access rules."""
    sections = [*_sections(configured), *(e.section for e in _guarded_entries(configured))]
    folders = (("STATIC_ROOT", uploads().static), ("MEDIA_ROOT", uploads().media))
    served = [ServedFolder(path, name) for name, path in folders if path]
    for subject in (*first_subjects(configured), *subjects(configured)):
        if isinstance(subject.alias.answer, FileOptions):
            [folder] = folder_of(subject.alias, configured.rules.base_directory)
            served.append(ServedFolder(folder, subject.where))
    yield from login_file_findings(sections, served)
    if sections:
        yield from address_findings(sections, given.get("bind"), configured.values)


def _error_pages(configured: Configuration) -> Iterator[DiagnosedPage]:
    """Yield the pages that have a URL-path, once for each list of entries."""
    if not configured.error_pages:
        return
    patterns = (_host_of(each) for each in configured.error_pages.patterns)
    hosts = [*dict.fromkeys([*_hosts(configured).values(), *patterns])]
    for host, site in zip(hosts, preview_sites(configured, hosts), strict=True):
        for status, page in configured.error_pages.for_host(host).items():
            if page.kind == "path":
                found = preview(site, page.value)
                asked = page.where, status, page.value, host
                yield DiagnosedPage(*asked, found.status, found.demands)


def _guarded(configured: Configuration) -> Callable[[Subject, str], bool]:
    """Return what tells whether access rules hold for a uri of an entry's own host."""
    index, hosts = access_index(configured), _hosts(configured)
    first = tried_files(configured)

    def is_guarded(subject: Subject, uri: str) -> bool:
        if subject.table not in hosts and next(first.tries(uri, ""), None) is None:
            # A redirect or a deny() of the table answers.
            return True
        has_own = subject.alias.access is not None
        return has_own or index.rules_for(uri, hosts.get(subject.table, "")) is not None

    return is_guarded


def _hosts(configured: Configuration) -> dict[AliasTable, str]:
    """A host for each table that it answers for, "" for that of all hosts."""
    return {each.table: _host_of(each.host or "") for each in configured.tables()}


def _host_of(pattern: str) -> str:
    """Return a host that fits a pattern, "" for one of those that fit no other."""
    return pattern.lstrip("*.")


def _guarded_entries(configured: Configuration) -> Iterator[GuardedEntry]:
    """Yield the entries that have access rules themselves."""
    hosts = _hosts(configured)
    for subject in (*first_subjects(configured), *subjects(configured)):
        alias = subject.alias
        if alias.access is not None:
            host = hosts.get(subject.table, "")
            yield GuardedEntry(subject.where, alias.location, alias.kind, alias.access, host)


def _sections(configured: Configuration) -> list[DiagnosedSection]:
    return [DiagnosedSection(where, each) for where, each in configured.access_sections()]


def _start_findings(
    configured: Configuration,
    places: Sequence[tuple[Subject, TargetPlace]],
    interpreter_of: Callable[[Subject], Interpreter | None],
    progress: Progress,
) -> Iterator[Finding]:
    """Yield what keeps scripts and groups from starting, or has them start as another project."""
    base = configured.rules.base_directory
    yield from file_findings(places, partial(settings_of, configured), base)
    yield from leak_findings(places, interpreter_of)
    yield from inherited_findings(base_directory(), os.environ.get(VARIABLE))
    yield from group_findings(
        configured.groups,
        needs_places=has_places(configured),
        socket_directory=socket_directory(configured),
        nesting=nesting_groups(configured),
        progress=progress,
    )


def _surveyed(
    subject: Subject,
    rules: Rules,
    listings: Listings,
    interpreter_of: Callable[[Subject], Interpreter | None],
) -> TargetPlace:
    place = survey(subject.alias, rules, listings)
    if place.state == "module":
        return with_file_of_module(place, interpreter_of(subject))
    return replace(place, below=scripts_below(subject, place, rules, listings))


@dataclass(frozen=True, slots=True)
class _ByUrls:
    """What the aliases' example urls tell."""

    reached: list[Reached] = field(default_factory=list)
    of_order: list[Finding] = field(default_factory=list)
    of_urls: list[Finding] = field(default_factory=list)


def _found_by_urls(
    configured: Configuration,
    places: Sequence[tuple[Subject, TargetPlace]],
    broken: frozenset[str],
    progress: Progress,
) -> _ByUrls:
    """Optimization: all that is asked of one alias's urls is asked in a row, and they are kept."""
    rules = configured.rules
    server = server_of(configured)
    named = {each.table: each for each in configured.all_tables()}
    found = _ByUrls()
    media = uploads().media
    for subject in subjects(configured):
        if subject.alias.answer is not None:
            name = named[subject.table].name
            found.of_order.extend(order_findings(subject, name, merge_slashes=rules.merge_slashes))
    for subject, place in counted(places, "urls", progress):
        if broken.isdisjoint(_names_of(subject, rules)):
            found.reached.extend(reached(subject, rules, server))
        name = named[subject.table].name
        found.of_order.extend(order_findings(subject, name, merge_slashes=rules.merge_slashes))
        found.of_urls.extend(whole_findings(subject, rules))
        found.of_urls.extend(url_findings(subject, rules))
        found.of_urls.extend(capture_findings(subject, place, rules, media))
    return found


def _names_of(subject: Subject, rules: Rules) -> tuple[str, str]:
    """What findings call an alias and its process group."""
    place = literal_groups(subject, rules)
    return subject.where, f"WSGIMATCH_PROCESS_GROUPS[{place[0] if place else None!r}]"


def subjects(configured: Configuration) -> Iterator[Subject]:
    """Yield the usable aliases, each in its own table, but for entries that rewrite URLs."""
    return (each for each in _usable(configured) if not is_rewriting(each.alias))


def _usable(configured: Configuration) -> Iterator[Subject]:
    broken = {problem.where for problem in configured.problems}
    entries = configured.entries()
    for named in configured.all_tables():
        for position, where in named.own_names():
            if where not in broken:
                yield Subject(where, entries[where], named.table, position)


def first_subjects(configured: Configuration) -> Iterator[Subject]:
    """Yield the usable entries of files that come before the table, each in a table of its own."""
    entries = configured.entries()
    for each in configured.files_first:
        yield Subject(each.where, entries[each.where], each.table, 0)


def _rewriting_findings(configured: Configuration) -> Iterator[Finding]:
    """Yield what is doubtful about entries that rewrite URLs, and about what they hide."""
    tables = [t for t in configured.tables() if any(map(is_rewriting, t.table.aliases))]
    of_table: dict[AliasTable, list[Subject]] = {}
    for each in _usable(configured) if tables else ():
        of_table.setdefault(each.table, []).append(each)
    for named in tables:
        yield from rewriting_findings(
            of_table.get(named.table, []),
            named.name,
            merge_slashes=configured.rules.merge_slashes,
            has_fallback=configured.values["FALLBACK"] is not None,
        )


def scripts_of(configured: Configuration) -> Iterator[Subject]:
    """Yield the usable aliases that lead to scripts."""
    return (subject for subject in subjects(configured) if subject.alias.answer is None)


def _example(places: Iterable[tuple[Subject, TargetPlace]]) -> str:
    """A uri that some alias matches."""
    uris = (uri for subject, _ in places for uri in example_uris(subject.location))
    return next(uris, "/")


def _unknown_settings() -> Iterator[Finding]:
    known = [PREFIX + name for name in DEFAULTS]
    for name in sorted(dir(settings)):
        if name.startswith(PREFIX) and name not in known:
            close = get_close_matches(name, known, n=1, cutoff=0.8)
            hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(known)}."
            yield Finding("W013", name, "there is no such setting.", hint)


def _bad_fallback(path: str | None) -> Iterator[Finding]:
    if path is None:
        return
    try:
        import_string(path)
    except ImportError as error:
        yield Finding(
            "E007",
            f"{PREFIX}FALLBACK",
            f"{path!r} cannot be imported: {error}.",
            "Write the dotted path of a function that returns a WSGI application, or None for "
            "404 where no alias matches.",
        )


def _not_utf8(subject: Subject) -> Iterator[Finding]:
    if isinstance(subject.entry, str | FileEntry) and not _is_utf8(subject.alias):
        yield Finding(
            "W010",
            subject.where,
            f"{quoted(subject.alias.location)} contains bytes that are not UTF-8. In a directive "
            "line, one character stands for one byte; browsers send two or more bytes for each "
            "character that is not ASCII.",
            "Write script_alias() or script_alias_match(), or save a file of directives as UTF-8.",
        )


def _undecided(subject: Subject) -> Iterator[Finding]:
    answer = subject.alias.answer
    if isinstance(answer, Denial) and answer.is_undecided:
        yield Finding(
            "W065",
            subject.where,
            f"{quoted(subject.alias.location)} answers {answer.status} to everybody: "
            f"{answer.note}.",
            "Decide: delete the entry once a view or the server in front enforces the rule, or "
            "give it your own note to leave it closed.",
        )


def _is_utf8(alias: Alias) -> bool:
    try:
        alias.location.encode("latin-1").decode()
    except UnicodeDecodeError:
        return False
    return True
