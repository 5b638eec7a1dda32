"""By which URLs a table's aliases reach which projects, and what these say of themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ...aliases.file_options import FileOptions
from ...aliases.groups import Server
from ...aliases.quoting import directive_line
from ...aliases.resolve import Resolution, Rules, resolve
from ...aliases.table import AliasTable
from ...text import quoted
from ..findings.finding import Finding, Subject
from ..findings.project_report import Told, UrlAnswer
from ..targets.leads import examples
from ..uris.hidden_aliases import branch_uris

# So many URLs of an alias are asked about.
MOST_EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class Key:
    """
    What tells one project from another: its place, its script and the callable in it.

    The project that answers where no alias matches has no script.
    """

    process_group: str = ""
    application_group: str = ""
    script: str = ""
    callable_object: str = "application"


FALLBACK = Key()


@dataclass(frozen=True, slots=True)
class Reached:
    """A URL by which an alias reaches a project, and what the project makes of it."""

    subject: Subject
    uri: str
    script_name: str
    path_info: str
    key: Key


@dataclass(frozen=True, slots=True)
class Projects:
    """
    What all projects of a table have told.

    ``server`` is what group names are made from; ``has_fallback`` says whether the server's own
    project answers what no alias matches. ``others`` are the tables of other hosts, ``first`` those
    of the files that come before all tables.
    """

    table: AliasTable
    rules: Rules
    server: Server
    told: Mapping[Key, Told]
    has_fallback: bool = True
    others: tuple[AliasTable, ...] = ()
    first: tuple[AliasTable, ...] = ()

    def is_reached_anywhere(self, url: str, key: Key) -> bool:
        """Whether a URL leads to the same Django project on this host or on another."""
        tables = (self.table, *self.others)
        return any(replace(self, table=table).comes_back(url, key) for table in tables)

    def who(self, url: str) -> Key | None:
        """Return the project that answers a URL of this host, None where none does."""
        resolution = self._resolve(url)
        if resolution.status is None:
            return FALLBACK if self.has_fallback else None
        return project_key(resolution) if resolution.script is not None else None

    def label(self, url: str) -> str:
        """Return what findings call what answers a URL of this host."""
        match = self._resolve(url).match
        if match is not None and match.alias.answer is not None:
            return f"the entry {quoted(directive_line(match.alias))}"
        return project_label(self.who(url))

    def folder_at(self, url: str) -> str | None:
        """Return the folder with whose files a URL of this host is answered, if it is."""
        match = self._resolve(url).match
        if match is None or not isinstance(match.alias.answer, FileOptions) or not match.filename:
            return None
        path = os.fsdecode(match.filename.encode("latin-1"))
        base = os.fsdecode(self.rules.base_directory.encode("latin-1"))
        return os.path.normpath(os.path.join(base, path))

    def comes_first(self, url: str, folder: str) -> bool:
        """Whether the files of a folder answer below a URL before the table does."""
        folders = (replace(self, table=table).folder_at(url) for table in self.first)
        wanted = os.path.realpath(folder)
        return any(each is not None and os.path.realpath(each) == wanted for each in folders)

    def _resolve(self, url: str) -> Resolution:
        path = quote_uri(unquote(urlsplit(url).path, "latin-1"))
        return resolve(self.table, path, rules=self.rules, server=self.server)

    def comes_back(self, url: str, key: Key) -> bool:
        """Whether a URL leads to the same Django project, in whatever place."""
        other = self.who(url)
        return other == key or (other is not None and self._same(other, key))

    def _same(self, one: Key, other: Key) -> bool:
        first, second = self.told.get(one), self.told.get(other)
        if first is None or second is None or not (first.is_django and second.is_django):
            return False
        return (first.settings_module, first.secret) == (second.settings_module, second.secret)


@dataclass(frozen=True, slots=True)
class Answered:
    """A URL by which an alias reaches a project, and what all projects have told."""

    projects: Projects
    at: Reached
    answer: UrlAnswer

    @property
    def told(self) -> Told:
        """What the project has told of itself."""
        return self.projects.told[self.at.key]

    def setting(self, name: str) -> Any:
        """Return a setting of the project, None where it does not tell it."""
        return self.told.settings.get(name)

    def comes_back(self, url: str) -> bool:
        """Whether a URL leads to the same Django project, in whatever place."""
        return self.projects.comes_back(url, self.at.key)

    def whose(self, url: str) -> str:
        """Return what findings call the project that answers a URL of this host."""
        return self.projects.label(url)

    def finding(self, id: str, message: str, hint: str) -> Finding:
        """Return what is said of the alias."""
        return self.at.subject.finding(id, message, hint)


def is_path(url: str) -> bool:
    """Whether a URL stays on its host: another one may well log people in for this one."""
    parts = urlsplit(url)
    return not parts.scheme and not parts.netloc and url.startswith("/")


def reached(subject: Subject, rules: Rules, server: Server) -> Iterator[Reached]:
    """Yield some URLs by which an alias reaches scripts that are there."""
    for uri in dict.fromkeys(_examples(subject, rules)):
        found = resolve(subject.table, quote_uri(uri), rules=rules, server=server)
        is_own = found.match is not None and found.match.position == subject.position
        if found.script is not None and is_own:
            script_name, path_info = str(found.script_name), str(found.path_info)
            yield Reached(subject, uri, script_name, path_info, project_key(found))


def is_mount(at: Reached) -> bool:
    """Whether a SCRIPT_NAME is a prefix with pages below it, and not a whole URL."""
    if at.path_info.startswith("/"):
        return True
    match = at.subject.match(f"{at.uri.rstrip('/')}/x")
    return match is not None and match.uri[: match.end] == at.script_name


def _examples(subject: Subject, rules: Rules) -> Iterator[str]:
    is_plain = subject.alias.kind != "match"
    if is_plain:
        yield f"{subject.alias.location.rstrip('/')}/"
    yield from examples(subject, rules, MOST_EXAMPLES - is_plain)
    yield from islice(branch_uris(subject.location), MOST_EXAMPLES)


def project_key(found: object) -> Key:
    """Return the key of the project that a resolution or a preview has found: its own fields."""
    return Key(*(str(getattr(found, each.name)) for each in fields(Key)))


def project_label(key: Key | None) -> str:
    """Return what a project is called in findings; None is nobody."""
    if key is None:
        return "no application: it is a 404"
    return "the fallback, this project" if key == FALLBACK else f"the script {quoted(key.script)}"


def quote_uri(uri: str) -> str:
    """Return the request target for a uri, both latin-1 text."""
    return quote(uri.encode("latin-1"), safe="/:@!$&'()*+,;=~")
