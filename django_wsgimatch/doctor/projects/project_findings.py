"""Asks the Django projects behind the aliases who they are and what they make of their URLs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ...aliases.groups import Server, variable
from ...aliases.table import AliasTable
from ...conf_shapes import DEFAULTS
from ...configured import Configuration
from ...daemon.definition import Definition
from ...daemon.group_spec import GroupSpec
from ...daemon.options import GroupOptions
from ...daemon.place import Place
from ...daemon.servers.own_python import own_python
from ...settings_guard import VARIABLE
from ..findings.finding import Finding, Findings, Progress, Subject, counted, untold
from ..findings.project_report import Told
from ..targets.files import read_script
from .prefixes import prefix_findings
from .project_files import has_files, project_file_findings
from .project_processes import Project, Question, ask_all
from .projects_by_url import FALLBACK, Answered, Key, Projects, Reached
from .shared import cookie_findings, shared_findings
from .unloaded import unloaded_finding

# So many projects are asked: each is a process that loads a Django project.
MOST_PROJECTS = 20


@dataclass(frozen=True, slots=True)
class Asker:
    """Makes the processes that are asked, from the settings."""

    definition: Definition
    seconds: float | None = None

    @classmethod
    def of(cls, configured: Configuration, seconds: float | None = None) -> Asker:
        """Return what asks the projects of a configuration, each for so many seconds."""
        sys_path = tuple(os.path.abspath(path) for path in sys.path)
        return cls(
            Definition(
                configured.time, own_python(), {}, sys_path, os.getcwd(), groups=configured.groups
            ),
            seconds,
        )

    def project(self, key: Key) -> Project:
        """Return how a project is asked: in a process such as it runs in."""
        place = Place(key.process_group, key.application_group)
        if place.is_here:
            own = self.definition
            spec = GroupSpec(place, GroupOptions(), sys_path=own.sys_path, directory=own.directory)
        else:
            spec = self.definition.spec(place, ())
        return Project(
            spec,
            key.script,
            key.callable_object,
            self.settings_module(place),
            self.definition.python,
            self.seconds,
        )

    def settings_module(self, place: Place) -> str | None:
        """Return the DJANGO_SETTINGS_MODULE that a place's processes have from the start."""
        if place.is_here:
            return os.environ.get(VARIABLE)
        return self.definition.options(place).settings

    def ask(
        self, asked: Mapping[Key, tuple[Question, ...]], progress: Progress = untold
    ) -> dict[Key, Told]:
        told = ask_all((self.project(key), questions) for key, questions in asked.items())
        return dict(zip(counted(tuple(asked), "projects", progress), told, strict=True))


def server_of(configured: Configuration) -> Server:
    """Return what group names are made from, where no request names a host."""
    name = configured.values["SERVER_NAME"] or "localhost"
    return Server(name, "", partial(variable, environ={}, process_environ=os.environ))


def is_project(configured: Configuration) -> bool:
    """Whether it is this Django project that answers what no alias matches."""
    return bool(configured.values["FALLBACK"] == DEFAULTS["FALLBACK"])


def project_findings(
    configured: Configuration,
    found: Sequence[Reached],
    *,
    most: int | None = MOST_PROJECTS,
    seconds: float | None = None,
    progress: Progress = untold,
) -> Findings:
    """
    Yield what the Django projects behind the aliases tell is wrong; runs them, so it takes time.

    ``found`` is by which URLs they are reached. At most ``most`` projects are asked, all where it
    is None, and each has so many ``seconds``; ``progress`` is told how many.
    """
    questions = _questions(found)
    asked = dict(list(questions.items())[:most])
    asker = Asker.of(configured, seconds)
    told = asker.ask(asked, progress)
    subjects = {each.key: each.subject for each in reversed(found)}
    where = {key: subject.where for key, subject in subjects.items()}
    yield from _not_loaded(told, subjects)
    yield from _not_asked(len(questions), len(asked))
    if not any(each.is_django for each in told.values()):
        return
    tables = (configured.table, *configured.table.virtual_hosts.values())
    if is_project(configured):
        told |= asker.ask({FALLBACK: (Question("", "/", logins=any(map(has_files, tables))),)})
    told_by_us = any(section.rules.login.kind == "Basic" for section in configured.access)
    if not told_by_us and "REMOTE_USER" not in configured.values["TRUSTED_PROXY_VARIABLES"]:
        yield from remote_user_findings(told, subjects)
    for table in {id(each.subject.table): each.subject.table for each in found}.values():
        of_table = [each for each in found if each.subject.table is table and each.key in told]
        projects = _projects(configured, table, told, tables)
        answered = list(_answered(projects, of_table, asked))
        yield from prefix_findings(answered)
        yield from shared_findings(projects, answered)
        yield from project_file_findings(projects, answered)
        keys = dict.fromkeys([FALLBACK, *(each.key for each in of_table)])
        behind = {key: told[key] for key in keys if key in told}
        yield from cookie_findings(behind, {FALLBACK: "the fallback", **where})


def _projects(
    configured: Configuration,
    table: AliasTable,
    told: Mapping[Key, Told],
    tables: tuple[AliasTable, ...],
) -> Projects:
    return Projects(
        table,
        configured.rules,
        server_of(configured),
        told,
        is_project(configured),
        tables,
        tuple(each.table for each in configured.files_first),
    )


def _questions(found: Iterable[Reached]) -> dict[Key, tuple[Question, ...]]:
    asked: dict[Key, dict[Question, None]] = {}
    first: set[str] = set()
    for each in found:
        is_first = each.subject.where not in first
        first.add(each.subject.where)
        asked.setdefault(each.key, {})[_question(each, is_first)] = None
    return {key: tuple(questions) for key, questions in asked.items()}


def _question(each: Reached, is_first: bool) -> Question:
    return Question(each.script_name, each.path_info, logins=is_first)


def _answered(
    projects: Projects, found: Iterable[Reached], asked: Mapping[Key, tuple[Question, ...]]
) -> Iterator[Answered]:
    for each in found:
        answers = dict(zip(asked[each.key], projects.told[each.key].answers, strict=False))
        for is_first in (True, False):
            answer = answers.get(_question(each, is_first))
            if answer is not None:
                yield Answered(projects, each, answer)
                break


def _not_loaded(told: Mapping[Key, Told], subjects: Mapping[Key, Subject]) -> Findings:
    for key, each in told.items():
        if each.error and key in subjects:
            yield unloaded_finding(subjects[key], key, each)


def _not_asked(count: int, asked: int) -> Findings:
    if count > asked:
        yield Finding(
            "W025",
            "WSGIMATCH_ALIASES",
            f"{asked} of {count} projects were asked about their URLs and cookies.",
            "`wsgimatch check --thorough` asks all of them. It has to load each one, which takes "
            "time.",
        )


def remote_user_findings(told: Mapping[Key, Told], subjects: Mapping[Key, Subject]) -> Findings:
    """Yield the projects whose middleware waits for REMOTE_USER."""
    reported: set[str] = set()
    for key, each in told.items():
        # A script that names it has its own way to come by it.
        is_served = b"REMOTE_USER" in read_script(key.script) if key.script else False
        if each.needs_remote_user and not is_served and each.settings_module not in reported:
            reported.add(each.settings_module)
            yield Finding(
                "W058",
                "MIDDLEWARE" if key == FALLBACK else subjects[key].where,
                f"RemoteUserMiddleware in {each.settings_module!r} takes the user from "
                "REMOTE_USER. Apache sets it for requests that it has authenticated, and gunicorn "
                "never does: nobody is ever logged in.",
                "Let the server in front send the name in a header such as X-Remote-User, name "
                "that server in WSGIMATCH_TRUSTED_PROXIES, and set "
                'WSGIMATCH_TRUSTED_PROXY_VARIABLES = {"REMOTE_USER": "X-Remote-User"}.',
            )
