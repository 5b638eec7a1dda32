"""The only reader of settings: the alias table and its rules, built once."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from .aliases.access.rules import AccessRules
from .aliases.access.sections import AccessSection, SectionIndex, compile_section
from .aliases.alias import BROKEN, Alias, Rewriting
from .aliases.groups import GLOBAL
from .aliases.patterns.pattern import Pattern
from .aliases.resolve import Rules
from .aliases.roots import derive_roots
from .aliases.table import AliasTable, compile_location
from .aliases.target import Roots
from .answers.access.passwords import NOT_INSTALLED, are_installed
from .answers.proxies import reading as proxies
from .answers.proxies.trusted import TrustedProxies
from .answers.rewriting.rewrites import RewritesByHost, compile_rewriting
from .conf_shapes import DEFAULTS, SHAPES
from .configured import (
    Configuration,
    FirstEntry,
    GivenList,
    NamedTable,
    Problem,
    given_lists,
)
from .daemon.front import elsewhere
from .daemon.option_values import read_options
from .daemon.options import GroupOptions
from .entries import to_alias, to_first_alias
from .entry_options.access import to_section
from .entry_options.error_pages import ErrorPage, PagesByHost, read_error_page
from .entry_options.plain_http import check_plain_http
from .entry_options.texts import FilePath, utf8
from .exceptions import PlaceError, SettingError, WSGIMatchError


@dataclass(frozen=True, slots=True)
class _Entries:
    given: GivenList
    aliases: tuple[Alias, ...]
    locations: tuple[str | Pattern, ...]


def access_index(configured: Configuration) -> SectionIndex:
    """Return the sections of access rules, to be found by uri and host."""
    return SectionIndex(
        configured.access,
        hosts=configured.table.virtual_hosts,
        allow_exponential=configured.values["ALLOW_EXPONENTIAL_PATTERNS"],
    )


def has_access_rules(configured: Configuration) -> bool:
    """Whether there are sections of access rules, or an entry has some itself."""
    first = (each.table for each in configured.files_first)
    tables = configured.table, *configured.table.virtual_hosts.values(), *first
    return bool(configured.access) or any(
        alias.access is not None for table in tables for alias in table.aliases
    )


def rewrites_by_host(configured: Configuration) -> RewritesByHost:
    """Return the entries that rewrite URLs."""
    allowed = configured.values["ALLOW_EXPONENTIAL_PATTERNS"]
    return RewritesByHost(configured.table, allow_exponential=allowed)


@lru_cache(maxsize=1)
def configuration() -> Configuration:
    """Return the configuration, built at the first call and after a change of settings in tests."""
    problems: list[Problem] = []
    values = _read_values(problems)
    lists = given_lists(values)
    own = _read_entries(lists.pop(None), values, problems)
    hosts = {str(host): _read_entries(each, values, problems) for host, each in lists.items()}
    groups = dict(_read_groups(values["PROCESS_GROUPS"], problems))
    trusted = _trusted_proxies(values, problems)
    problems += _unfit_backend(values)
    problems += _unfit_sockets(groups)
    for each in (own, *hosts.values()):
        problems += _without_processes(each, values, groups)
    access = tuple(_read_access(values, problems))
    plain_http = _read_plain_http(values, problems)
    first = tuple(_read_first(values, problems))
    error_pages = _read_error_pages(values["ERROR_PAGES"], hosts, problems)
    tables = _host_tables(hosts, own)
    aliases = [alias for entries in (own, *hosts.values()) for alias in entries.aliases]
    return Configuration(
        table=AliasTable(own.aliases, virtual_hosts=tables, locations=own.locations),
        rules=_rules(values, aliases),
        values=values,
        problems=tuple(problems),
        groups=groups,
        proxies=trusted,
        time=time.monotonic(),
        access=access,
        plain_http=plain_http,
        files_first=first,
        error_pages=error_pages,
    )


def _host_tables(hosts: Mapping[str, _Entries], own: _Entries) -> dict[str, AliasTable]:
    """The tables of virtual hosts: those with the same entries share one, with all it learns."""
    made: dict[tuple[Alias, ...], AliasTable] = {}
    for entries in hosts.values():
        if entries.aliases not in made:
            aliases, locations = entries.aliases + own.aliases, entries.locations + own.locations
            made[entries.aliases] = AliasTable(aliases, locations=locations)
    return {host: made[entries.aliases] for host, entries in hosts.items()}


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: object) -> None:
    if setting.startswith("WSGIMATCH_") or setting == "BASE_DIR":
        configuration.cache_clear()


def _read_values(problems: list[Problem]) -> dict[str, Any]:
    values = {}
    for name, default in DEFAULTS.items():
        value = getattr(settings, f"WSGIMATCH_{name}", default)
        is_fit, shape = SHAPES[name]
        if not is_fit(value):
            error = SettingError(f"should be {shape}, not {value!r}")
            problems.append(Problem(f"WSGIMATCH_{name}", error))
            value = default
        values[name] = value
    return values


def _read_entries(
    given: GivenList,
    values: Mapping[str, Any],
    problems: list[Problem],
    check: Callable[[Alias], None] = lambda alias: None,
) -> _Entries:
    aliases, locations = [], []
    read = partial(
        to_alias,
        process_groups=values["PROCESS_GROUPS"],
        variables=_environment(),
        to_path=_path_of_user_file,
    )
    allowed = values["ALLOW_EXPONENTIAL_PATTERNS"]
    for number, entry in enumerate(given.entries):
        try:
            alias = read(entry)
            check(alias)
            _check_logins(alias.access)
            location = compile_location(alias, allow_exponential=allowed)
            if isinstance(alias.answer, Rewriting):
                compile_rewriting(alias.answer, allow_exponential=allowed)
        except WSGIMatchError as error:
            problems.append(Problem(given.name(number), error))
            alias, location = BROKEN, BROKEN.location
        aliases.append(alias)
        locations.append(location)
    return _Entries(given, tuple(aliases), tuple(locations))


def _read_plain_http(values: Mapping[str, Any], problems: list[Problem]) -> NamedTable | None:
    given = GivenList("WSGIMATCH_PLAIN_HTTP", values["PLAIN_HTTP"])
    if not given.entries:
        return None
    read = _read_entries(given, values, problems, check_plain_http)
    table = AliasTable(read.aliases, locations=read.locations)
    return NamedTable(None, table, given, GivenList("", ()))


def _read_access(values: Mapping[str, Any], problems: list[Problem]) -> Iterator[AccessSection]:
    given = GivenList("WSGIMATCH_ACCESS", values["ACCESS"])
    for number, entry in enumerate(given.entries):
        try:
            section = to_section(entry, _path_of_user_file)
            if section.kind == "match":
                allowed = values["ALLOW_EXPONENTIAL_PATTERNS"]
                compile_section(section, allow_exponential=allowed)
            _check_logins(section.rules)
        except WSGIMatchError as error:
            problems.append(Problem(given.name(number), error))
        else:
            yield section


def _read_first(values: Mapping[str, Any], problems: list[Problem]) -> Iterator[FirstEntry]:
    given = GivenList("WSGIMATCH_FILES_FIRST", values["FILES_FIRST"])
    for where, entry in zip(given.names(), given.entries, strict=True):
        try:
            alias = to_first_alias(entry, _path_of_user_file)
            _check_logins(alias.access)
            location = compile_location(
                alias, allow_exponential=values["ALLOW_EXPONENTIAL_PATTERNS"]
            )
        except WSGIMatchError as error:
            problems.append(Problem(where, error))
        else:
            yield FirstEntry(where, AliasTable([alias], locations=[location]))


def _read_error_pages(
    given: Mapping[Any, Any], virtual_hosts: Iterable[str], problems: list[Problem]
) -> PagesByHost:
    """Read the pages of all hosts, and those of some: their patterns are keys, too."""
    setting = "WSGIMATCH_ERROR_PAGES"
    general = {key: page for key, page in given.items() if not _is_host(key)}
    hosts = {}
    for host in (key for key in given if _is_host(key)):
        where = f"{setting}[{host!r}]"
        if isinstance(given[host], Mapping):
            hosts[host] = dict(_read_pages(given[host], where, problems))
        else:
            error = SettingError(f"should be a dict of statuses to pages, not {given[host]!r}")
            problems.append(Problem(where, error))
    pages = ((s, page) for s, page in _read_pages(general, setting, problems) if page is not None)
    return PagesByHost(dict(pages), hosts, virtual_hosts)


def _is_host(key: Any) -> bool:
    return isinstance(key, str) and bool(key) and not key.isdigit()


def _read_pages(
    given: Mapping[Any, Any], name: str, problems: list[Problem]
) -> Iterator[tuple[int, ErrorPage | None]]:
    """Yield the page of each status, None for the small one."""
    for status, page in given.items():
        where = f"{name}[{status!r}]"
        try:
            yield status, read_error_page(status, page, where)
        except SettingError as error:
            problems.append(Problem(where, error))


def _path_of_user_file(path: FilePath) -> str:
    return _path(getattr(settings, "BASE_DIR", ""), os.fsdecode(path))


def _check_logins(rules: AccessRules | None) -> None:
    """Raise SettingError where nobody's password could be compared."""
    if rules is not None and rules.login.users is not None and not are_installed():
        raise SettingError(NOT_INSTALLED)


def _read_groups(
    given: Mapping[Any, Any], problems: list[Problem]
) -> Iterable[tuple[str, GroupOptions]]:
    base = f"/{_path(getattr(settings, 'BASE_DIR', '')).strip('/')}"
    for name, value in given.items():
        where = f"WSGIMATCH_PROCESS_GROUPS[{name!r}]"
        if not _is_group_name(name):
            words = f"a name should be text without % (but {GLOBAL}) or line breaks, not {name!r}"
            problems.append(Problem(where, SettingError(words)))
            continue
        options, errors = read_options(value, os.fsdecode(base.encode("latin-1")))
        problems += [Problem(where, error) for error in errors]
        yield utf8(name), options


def _trusted_proxies(values: Mapping[str, Any], problems: list[Problem]) -> TrustedProxies | None:
    return proxies.read_trusted_proxies(
        values[proxies.PROXIES],
        values[proxies.HEADERS],
        values[proxies.VARIABLES],
        lambda name, error: problems.append(Problem(f"WSGIMATCH_{name}", error)),
    )


def _is_group_name(name: object) -> bool:
    if not isinstance(name, str) or not name.isprintable():
        return False
    return name == GLOBAL or (name != "" and "%" not in name)


def _unfit_backend(values: Mapping[str, Any]) -> Iterable[Problem]:
    backend = values["APPLICATION_GROUP_BACKEND"]
    if backend != "process" and sys.version_info < (3, 13):
        yield Problem(
            "WSGIMATCH_APPLICATION_GROUP_BACKEND",
            PlaceError(
                f"{backend!r} needs Python 3.13 or newer, and this is "
                f"{platform.python_version()}: before that, Django does not work in a sub "
                "interpreter",
                "Remove the setting: each application group then has its own processes. Or serve "
                "with a newer Python.",
            ),
        )


def _unfit_sockets(groups: Mapping[str, GroupOptions]) -> Iterable[Problem]:
    for name, reason in elsewhere.mistakes(groups):
        yield Problem(f"WSGIMATCH_PROCESS_GROUPS[{name!r}]", SettingError(reason))


def _without_processes(
    entries: _Entries, values: Mapping[str, Any], groups: Mapping[str, GroupOptions]
) -> Iterable[Problem]:
    """Application groups in process groups that somebody else runs: those have one process each."""
    away = {name for name, options in groups.items() if options.socket is not None}
    if not away or values["APPLICATION_GROUP_BACKEND"] != "process":
        return
    for alias, source in zip(entries.aliases, entries.given.names(), strict=True):
        process_group = alias.process_group or values["PROCESS_GROUP"]
        application_group = alias.application_group or values["APPLICATION_GROUP"]
        if alias is not BROKEN and process_group in away and application_group != GLOBAL:
            reason = elsewhere.refusal(process_group, application_group)
            yield Problem(source, PlaceError(reason, elsewhere.WRITE_GLOBAL))


def _rules(values: Mapping[str, Any], aliases: Iterable[Alias]) -> Rules:
    base = getattr(settings, "BASE_DIR", "")
    base_directory = _path(base) or "/"
    roots = values["ROOTS"]
    return Rules(
        allow_encoded_slashes=values["ALLOW_ENCODED_SLASHES"],
        merge_slashes=values["MERGE_SLASHES"],
        follow_symlinks=values["FOLLOW_SYMLINKS"],
        roots=derive_roots(aliases, base_directory)
        if roots is None
        else Roots(_path(base, root) for root in roots),
        base_directory=base_directory,
        process_group=values["PROCESS_GROUP"],
        application_group=values["APPLICATION_GROUP"],
        process_groups=tuple(name for name in values["PROCESS_GROUPS"] if name != GLOBAL),
        pass_authorization=values["PASS_AUTHORIZATION"],
        directory_slash=values["DIRECTORY_SLASH"],
    )


def _path(*parts: str | os.PathLike[str]) -> str:
    """An absolute path without a slash at its end: the root directory is ""."""
    path = os.fsencode(os.path.abspath(os.path.join(*parts))).decode("latin-1")
    return f"/{path.strip('/')}".rstrip("/")


def _environment() -> dict[str, str]:
    """What ``${NAME}`` stands for in a directive line, as latin-1 text like the line itself."""
    return {name.decode("latin-1"): v.decode("latin-1") for name, v in os.environb.items()}
