"""
Files that answer where they are there, before the table does, as nginx's ``try_files`` has them.

Only what is asked for by GET and HEAD is a file: all other methods go on to the application, as
under uWSGI and Unit. A folder is one only where the entry names its index.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ..aliases.alias import Alias, Denial, Redirection, Rewriting
from ..aliases.file_options import FileOptions
from ..aliases.hosts.validity import is_valid_host
from ..aliases.patterns.engine import Find
from ..aliases.resolve import DEFAULTS, Rules
from ..aliases.roots import folder_of
from ..aliases.table import AliasTable, Match
from ..aliases.target import is_inside, split_filename
from ..configured import Configuration
from ..plans.names import ALIAS
from ..plans.targets import is_clean
from ..text import readable
from .direct import direct, send_from_folder
from .proxies.asked import Asked, asked_of, request_target
from .proxies.mount import script_name_below
from .rewriting.rewrites import compile_rewriting

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READING = frozenset({"GET", "HEAD"})

# An entry by its number, and an application: that one, or what stands before it.
Guard = Callable[[int, "WSGIApplication"], "WSGIApplication"]


@dataclass(frozen=True, slots=True)
class TriedFile:
    """What an entry makes of a uri, and whether that is there: the entry is the ``number``th."""

    number: int
    match: Match
    is_there: bool

    @property
    def filename(self) -> str:
        """The name of the file, relative to settings.BASE_DIR if the entry's path is."""
        return self.match.filename


class TriedFiles:
    """
    Which files answer before a table does.

    ``entries`` are tables with one entry each, asked in this order. ``table`` stands behind them,
    with those of its virtual hosts: what a redirect or a deny() of it answers, no file does, nor
    what an entry that rewrites answers itself.
    """

    def __init__(
        self, entries: Sequence[AliasTable], table: AliasTable, rules: Rules = DEFAULTS
    ) -> None:
        self.entries = tuple(entries)
        self._base = rules.base_directory
        self._folders = [folder_of(each.aliases[0], self._base) for each in self.entries]
        self._table = table
        # Optimization: 5,000 virtual hosts took 0.4 s also where no file comes first.
        tables = {id(each): each for each in (table, *table.virtual_hosts.values()) if entries}
        found = {key: _answering_first(each) for key, each in tables.items()}
        self._before = {key: each for key, each in found.items() if each is not None}
        refusing = {key: _refusing(each) for key, each in tables.items()}
        self._refusing = {key: each for key, each in refusing.items() if each}

    def find(self, uri: str, host: str) -> TriedFile | None:
        """Return the file that answers a uri (decoded and normalised) of a host, None for none."""
        return next((each for each in self.tries(uri, host) if each.is_there), None)

    def tries(self, uri: str, host: str) -> Iterator[TriedFile]:
        """Yield what each entry makes of a uri, up to the file that answers."""
        if (self._before or self._refusing) and self._is_answered_before(uri, host):
            return
        for number, entry in enumerate(self.entries):
            match = entry.match(uri)
            if match is None or not match.filename:
                continue
            is_there = self._is_there(number, match.filename)
            yield TriedFile(number, match, is_there)
            if is_there:
                return

    def _is_answered_before(self, uri: str, host: str) -> bool:
        key = id(self._table.for_host(host))
        before = self._before.get(key)
        if before is not None and before.match(uri) is not None:
            return True
        # Whom a condition refuses is not asked here: a file must not answer in its place.
        return any(find(uri) is not None for find in self._refusing.get(key, ()))

    def may_have(self, uri: str) -> bool:
        """
        Whether a file may answer a uri that has no two slashes in a row.

        Optimization: nearly all requests ask for none, and are told apart in 4 us instead of 30.
        """
        for number, entry in enumerate(self.entries):
            alias = entry.aliases[0]
            if alias.kind == "plain":
                hit = entry.lookup_merged(uri)
                end = None if hit is None else hit[1]
                filename = alias.target + uri[end:] if isinstance(end, int) else ""
            else:
                match = entry.match(uri)
                filename = "" if match is None else match.filename
            if filename and self._is_there(number, filename):
                return True
        return False

    def _is_there(self, number: int, filename: str) -> bool:
        """
        Whether there is a regular file, or a folder with an index.

        Links are followed whatever the policy: where it forbids them the answer is 403, as is
        Apache's behind ``-f``.
        """
        if filename[0] != "/":
            filename = f"{self._base}/{filename}"
        if "/." in filename or "//" in filename:
            components, tail = split_filename(filename)
            path = "".join("/" + name for name in components)
            if not is_inside(path, self._folders[number]):
                return False
            filename = path + tail
        if "\0" in filename:
            return False
        name = filename.encode("latin-1")
        # Optimization: to catch the error of stat() took twice as long.
        if not os.access(name, os.F_OK):
            return False
        mode = _mode(name)
        if not stat.S_ISDIR(mode):
            return stat.S_ISREG(mode)
        options = self.entries[number].aliases[0].answer
        assert isinstance(options, FileOptions)
        indexes = (f"{filename}/{each}".encode("latin-1") for each in options.index)
        return any(stat.S_ISREG(_mode(each)) for each in indexes)


def _mode(name: bytes) -> int:
    try:
        return os.stat(name).st_mode
    except OSError:
        return 0


def _answering_first(table: AliasTable) -> AliasTable | None:
    """Return the redirects and denials of a table as a table of their own, None without any."""
    pairs = zip(table.aliases, table.locations, strict=True)
    own = [pair for pair in pairs if isinstance(pair[0].answer, Redirection | Denial)]
    if not own:
        return None
    return AliasTable([alias for alias, _ in own], locations=[location for _, location in own])


def _refusing(table: AliasTable) -> list[Find]:
    """Return what takes a URL for entries that rewrite and answer, as rules with R or F do."""
    answers = (each.answer for each in table.aliases)
    return [
        compile_rewriting(answer, allow_exponential=True).pattern.find
        for answer in answers
        if isinstance(answer, Rewriting) and answer.status is not None
    ]


def tried_files(configured: Configuration) -> TriedFiles:
    """Return the files that come before the table of a configuration."""
    entries = [each.table for each in configured.files_first]
    return TriedFiles(entries, configured.table, configured.rules)


class FilesFirst:
    """
    A WSGI application that sends a file where there is one, and asks another one elsewhere.

    ``guard`` puts access rules before what sends the files of an entry. ``is_exempt`` tells of a
    request that asks for no file, as of those for the pages of WSGIMATCH_HEALTH_PATH.
    """

    def __init__(
        self,
        application: WSGIApplication,
        files: TriedFiles,
        *,
        rules: Rules = DEFAULTS,
        guard: Guard | None = None,
        is_exempt: Callable[[WSGIEnvironment], bool] | None = None,
    ) -> None:
        self.application = application
        self.files = files
        self._rules = rules
        self._is_exempt = is_exempt
        senders: list[WSGIApplication] = [partial(self._send, entry) for entry in files.entries]
        if guard is not None:
            senders = [guard(number, each) for number, each in enumerate(senders)]
        self._senders = senders

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        if environ["REQUEST_METHOD"] not in READING:
            return self.application(environ, start_response)
        path = request_target(environ).partition("?")[0]
        if not environ.get("SCRIPT_NAME") and is_clean(path) and not self.files.may_have(path):
            return self.application(environ, start_response)
        number = self._number(environ)
        answers = self.application if number is None else self._senders[number]
        return answers(environ, start_response)

    def _number(self, environ: WSGIEnvironment) -> int | None:
        """Return the number of the entry that answers, None where none does."""
        asked = self._asked(environ)
        if asked is None or (self._is_exempt is not None and self._is_exempt(environ)):
            return None
        found = self.files.find(asked.uri, asked.host)
        return None if found is None else found.number

    def _asked(self, environ: WSGIEnvironment) -> Asked | None:
        """Return what a request asks for: a shorter way than asked_of() for what comes often."""
        path = request_target(environ).partition("?")[0]
        host = environ.get("HTTP_HOST", "")
        is_plain = host and is_valid_host(host) and not environ.get("SCRIPT_NAME")
        if is_plain and is_clean(path):
            return Asked(path, host)
        return asked_of(environ, self._rules)

    def _send(
        self, entry: AliasTable, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        asked = self._asked(environ)
        match = None if asked is None else entry.match(asked.uri)
        assert asked is not None
        assert match is not None
        alias: Alias = match.alias
        environ[ALIAS] = readable(alias.location)
        if environ.get("HTTP_HOST", asked.host) != asked.host:
            # An absolute-form target names the host.
            environ = environ | {"HTTP_HOST": asked.host}
        mount_point = script_name_below(environ, "")
        return send_from_folder(direct(match), mount_point, self._rules, environ, start_response)
