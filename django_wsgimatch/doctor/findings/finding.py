"""
What the checks find, of which entry and in which words; the one table of ids is here.

How far a long check is, and what an operator reads where a server does not start, is here too.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias, TypeVar

from django.core.exceptions import ImproperlyConfigured

from ...aliases.alias import Alias, Denial, Redirection
from ...aliases.file_options import FileOptions
from ...aliases.module_target import is_read_as_module
from ...aliases.patterns.pattern import Pattern
from ...aliases.quoting import directive_line
from ...aliases.table import AliasTable, Match
from ...daemon.options import GroupOptions
from ...entries import OPTIONS, Entry, FileEntry
from ...entry_options.extras import EXTRAS
from ...text import readable, shown

# An id has one meaning and is never used again for another. docs/reference/checks.rst has a
# section for each.
CATALOGUE = {
    "E001": "a setting has a value that it cannot have",
    "E002": "an entry is not a directive that Apache would accept",
    "E003": "a pattern is not a regular expression",
    "E004": "a pattern needs the pcre2 extra",
    "E005": "a pattern is prone to catastrophic backtracking (ReDoS)",
    "E006": "a process group or an application group in which nothing can run",
    "E007": "the fallback cannot be imported",
    "E010": "a script does not exist",
    "E011": "a script cannot be read or reached",
    "E012": "a target is outside WSGIMATCH_ROOTS",
    "E013": "a script asks for another DJANGO_SETTINGS_MODULE",
    "E014": "uploaded files would run: scripts are in MEDIA_ROOT",
    "E015": "a script is not valid Python",
    "E016": "two Django projects in one interpreter",
    "E017": "a process group cannot run as its user",
    "E018": "a process group has no Python, or one that is too old",
    "E019": "a directory of a process group does not exist",
    "E020": "the settings module of a process group does not import there",
    "E021": "the groups' sockets cannot be created",
    "E022": "gunicorn is not installed",
    "E023": "two projects of one interpreter have modules of the same name",
    "E024": "a URL can name a script where any user may write",
    "E026": "a script does not load in its place",
    "E030": "a process group cannot start",
    "E031": "the environment file of a process group cannot be used",
    "E040": "a file of users or groups cannot be read",
    "E041": "a file of users or groups can be downloaded",
    "E050": "a folder of files does not exist",
    "E051": "a folder of files cannot be read",
    "W001": "a target uses a group that the pattern does not have",
    "W002": "a pattern can take long",
    "W003": "a pattern is found anywhere in a URL",
    "W004": "^ or $ belongs to only some branches of a pattern",
    "W005": "an unescaped dot stands before an extension",
    "W006": "an alias is hidden by earlier ones",
    "W007": "an alias can never match",
    "W008": "a location ends in a slash and its target does not",
    "W009": "SCRIPT_NAME and PATH_INFO do not rebuild the URL",
    "W010": "a directive line is not UTF-8",
    "W011": "a target is a directory in which nothing can run",
    "W012": "any user may write where scripts are",
    "W013": "a setting that does not exist",
    "W014": "scripts are in STATIC_ROOT and can be downloaded",
    "W015": "MEDIA_ROOT is below a directory of scripts",
    "W016": "a project's links lead away from its alias",
    "W017": "a login leads away from its alias",
    "W018": "another application answers the URLs of a project's static files",
    "W019": "the URLconf repeats the alias's location",
    "W020": "the URLconf has nothing for the URLs of its alias",
    "W021": "APPEND_SLASH redirects away from the alias",
    "W022": "a cookie is not sent where the alias is",
    "W023": "two projects share one session cookie",
    "W024": "two projects share one CSRF or language cookie",
    "W025": "not all projects were asked",
    "W028": "two scripts of one interpreter set a variable to different values",
    "W029": "the environment names another project than manage.py",
    "W030": "an alias is often hidden by earlier ones",
    "W031": "a target names a group as Apache does not read it",
    "W032": "an application may change its own code",
    "W033": "members of a group may write where scripts are",
    "W034": "a capture can lead to another script or directory",
    "W035": "a URL can choose a directory at any depth",
    "W036": "clients can tell the server its SCRIPT_NAME",
    "W038": "a process group runs as the server's user beside others that do not",
    "W039": "a process group has the server's secrets in its environment",
    "W040": "a process group was not tested as its user",
    "W041": "any user may read the environment file of a process group",
    "W046": "clients choose which processes are started, and nothing limits it",
    "W050": "a pattern takes the whole URL",
    "W051": "a location contains a query string or an escape",
    "W052": "a plain location is written as a pattern",
    "W053": "a process group starts without one of its options",
    "W054": "a page that has a view answers 404 below its alias",
    "W055": "a script was not checked in time",
    "W056": "a page redirects away from its alias",
    "W057": "a project has an admin that no alias leads to",
    "W058": "a project relies on REMOTE_USER",
    "W059": "one project answers below several prefixes of one interpreter",
    "W060": "the server's SCRIPT_NAME is not a prefix of any URL",
    "W061": "the server gives up on requests that a process group may take",
    "W062": "a virtual host whose entries never answer",
    "W065": "an access rule of Apache needs a decision",
    "W066": "the page of an error is an error itself",
    "W067": "the page of a refusal is closed to those who are refused",
    "W070": "every visitor has the address ''",
    "W071": "a trusted proxy may be anybody",
    "W072": "headers of proxies are trusted, and no proxy",
    "W073": "proxies are trusted, and no header",
    "W074": "two headers tell the same",
    "W075": "gunicorn believes others about the scheme",
    "W076": "headers with underscores are part of those of proxies",
    "W077": "requests over HTTPS look like plain HTTP, and are redirected",
    "W078": "a redirect of the table names a host as only WSGIMATCH_PLAIN_HTTP does",
    "W080": "any user may read a file of users",
    "W081": "access rules protect no URL",
    "W082": "access rules let everybody in",
    "W083": "access rules ask for addresses that clients do not have",
    "W084": "nobody can log in with an entry of a file of users",
    "W089": "a section replaces the access rules of an entry",
    "W090": "redirects lead round in a circle",
    "W091": "a redirect puts two slashes into URLs",
    "W092": "files that nobody should get are below a folder of files",
    "W093": "two projects have their files at one URL",
    "W094": "a project's files are in another folder than the one that is served",
    "W100": "uploaded files answer before the application",
    "W101": "a rewritten URL is refused, or nothing answers it",
    "W102": "an entry that rewrites URLs is hidden by earlier ones",
    "W103": "an entry that rewrites URLs hides a redirect",
    "I001": "a project answers its files with its own 404",
    "I002": "nobody here answers the URLs of a project's files",
}
_LEVELS = {"E": "ERROR", "W": "WARNING", "I": "INFO"}
# gunicorn ends with this status where a worker does, instead of starting one after another.
STATUS = 3

# The options of an entry whose files answer.
_OF_FILES = [*(each.name for each in fields(FileOptions)), "headers", "access"]

Item = TypeVar("Item")
# A long check calls it: so many are done, of so many, of that which the text names.
Progress: TypeAlias = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that is wrong, or may be.

    ``where`` is the name of the setting or entry, ``message`` says what is wrong and with which
    value, ``hint`` what to do about it. What cannot be printed is escaped in all of them: much of
    it is text of scripts and processes, and Django's own ``check`` prints it too.
    """

    id: str
    where: str
    message: str
    hint: str

    def __post_init__(self) -> None:
        """Escape what cannot be printed."""
        for each in fields(self):
            object.__setattr__(self, each.name, shown(getattr(self, each.name)))

    @property
    def level(self) -> str:
        """ERROR, WARNING or INFO."""
        return _LEVELS[self.id[0]]

    def lines(self) -> Iterator[str]:
        """Yield it in two lines: what is wrong, and the cure."""
        yield f"{self.level} wsgimatch.{self.id} {self.where}: {self.message}"
        yield f"    hint: {self.hint}"


Findings: TypeAlias = Iterator[Finding]


class Diagnosed:
    """What findings are about; ``where`` is its name in the settings."""

    __slots__ = ()
    # Text: an attribute of some, a property of others.
    where: Any

    def finding(self, id: str, message: str, hint: str) -> Finding:
        """Return what is said of it."""
        return Finding(id, self.where, message, hint)


@dataclass(frozen=True, slots=True)
class DiagnosedGroup(Diagnosed):
    """A process group and its options."""

    name: str
    options: GroupOptions

    @property
    def where(self) -> str:
        return f"WSGIMATCH_PROCESS_GROUPS[{self.name!r}]"

    @property
    def user(self) -> str:
        """Whom it runs as, in words."""
        user = self.options.user
        return "the server's user" if user is None else f"user {user!r}"


@dataclass(frozen=True, slots=True)
class Subject(Diagnosed):
    """
    What is diagnosed: an alias at its place in a table.

    ``where`` is the entry's name in the settings, ``entry`` what stands there. ``table`` is the
    one it belongs to, ``position`` its place in it.
    """

    where: str
    entry: object
    table: AliasTable
    position: int

    @property
    def alias(self) -> Alias:
        return self.table.aliases[self.position]

    @property
    def location(self) -> str | Pattern:
        """What the alias is looked up by."""
        return self.table.locations[self.position]

    def match(self, uri: str) -> Match | None:
        """Return the match of a uri, None where the alias does not match it or another has won."""
        match = self.table.match(uri)
        return match if match is not None and match.position == self.position else None

    def line(self, **changes: Any) -> str:
        """Return the entry with some changes, to paste, in the words in which it is written."""
        changed = replace(self.alias, **changes)
        if isinstance(self.entry, str | bytes | FileEntry):
            return readable(directive_line(changed))
        return f"{changed.function}({', '.join(_arguments(changed, self.entry))})"


def _arguments(alias: Alias, entry: object) -> Iterator[str]:
    yield _literal(alias.location)
    if alias.template:
        yield _target(alias) if alias.answer is None else _literal(alias.template)
    match alias.answer:
        case Denial(note, status):
            yield from [f"note={_literal(note)}"] if note else []
            yield from [f"status={status}"] if status != Denial().status else []
        case Redirection(status=status) if status != Redirection("").status:
            yield f"status={status}"
        case None:
            # The target of a module names its callable.
            named = [each for each in OPTIONS if each != "callable_object" or not alias.is_module]
            given = ((option, getattr(alias, option)) for option in named)
            yield from (f"{name}={_literal(value)}" for name, value in given if value is not None)
            yield from _as_written(entry, [*EXTRAS, "access"])
        case FileOptions():
            yield from _as_written(entry, _OF_FILES)


def _as_written(entry: object, names: Iterable[str]) -> Iterator[str]:
    """The options that stand in the settings as they are to stand there again."""
    written = entry.options if isinstance(entry, Entry) else {}
    yield from (f"{name}={written[name]!r}" for name in names if name in written)


def _target(alias: Alias) -> str:
    """An alias's target as Python code; a file's name that is read as a module's is bytes."""
    if is_read_as_module(alias.target) and not alias.is_module:
        return repr(alias.target.encode("latin-1"))
    return _literal(alias.target)


def _literal(value: object) -> str:
    """A value as Python code; text with backslashes as a raw string."""
    if not isinstance(value, str):
        return repr(value)
    text = readable(value)
    is_raw = "\\" in text and "'" not in text and not text.endswith("\\")
    return f"r'{text}'" if is_raw else repr(text)


def up_to(script: str, target: str, base_directory: str) -> str:
    """Return what of a target names the script; all of it where a capture does."""
    names = target.split("/")
    for count in range(1, len(names)):
        begun = "/".join(names[:count])
        if os.path.normpath(os.path.join(base_directory, begun)) == script:
            return begun
    return target


def listed(names: Sequence[str], most: int | None = None) -> str:
    """Return names as a sentence has them: "a, b and c"; "a, b and 7 more" beyond ``most``."""
    if most is not None and len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]


def findings_summary(findings: Sequence[Finding]) -> str:
    """Return how many errors and warnings there are, and how many notes if there are any."""
    counts = Counter(finding.id[0] for finding in findings)
    notes = f", {_count(counts['I'], 'note')}" if counts["I"] else ""
    return f"{_count(counts['E'], 'error')}, {_count(counts['W'], 'warning')}{notes}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


class CannotStart(ImproperlyConfigured):
    """The settings cannot be used; the text says all of it, as ``wsgimatch check`` does."""


def untold(done: int, total: int, what: str) -> None:
    """Do not show anything: the Progress of a check that nobody watches."""


def counted(items: Sequence[Item], what: str, progress: Progress) -> Iterator[Item]:
    """Yield the items, and tell after each how many of them are done."""
    for done, item in enumerate(items, 1):
        yield item
        progress(done, len(items), what)
