"""
The .htaccess files on the way to scripts, as sections for their folders.

Mirrors ap_directory_walk() and ap_parse_htaccess(), for all folders that an alias can reach.
"""

from __future__ import annotations

import os
import posixpath
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from .coverage import DIRECTORIES, coverage, words_of
from .directive import ApacheConfiguration, Directive, Section, Spot
from .hosts import Host, place_of, rank_of, read_hosts, scope_sections
from .includes import is_private, read_text_of
from .outcome import Category, Ledger
from .reach import FileKinds, Reach, reach_of
from .reading import read_text
from .sections import section_for
from .unreadable import Unreadable
from .words import split_words

# So many folders below one of scripts are looked at, and so much of a file is read, in bytes.
_MOST_FOLDERS, _LONGEST = 2000, 1 << 20
_DEFAULT = [".htaccess"]
_ALLOWING = ("allowoverride", "allowoverridelist")
_NONE = "No such file lies on the way to a script"
_MISSING = "is not on this machine: look there for .htaccess files, whose rules are missing here"

TextOf = Callable[[str, int], str]


@dataclass(frozen=True, slots=True, eq=False)
class Unread:
    """A file that cannot be read, and may keep people out of a folder; without a host, of all."""

    host: Section | None
    folder: Section
    allowed_by: Directive


def with_access_files(
    configuration: ApacheConfiguration,
    kind_of: FileKinds,
    ledger: Ledger,
    text_of: TextOf = read_text_of,
) -> tuple[ApacheConfiguration, list[Unread]]:
    """
    Return a configuration with what .htaccess files say behind all else, and those left unread.

    Of each AllowOverride is noted which files there are.
    """
    directives = [each for each in configuration.directives if not each.is_off]
    allowing = [each for each in directives if _allows(each)]
    if not allowing:
        return configuration, []
    main, hosts = read_hosts(directives, Ledger())
    reader = _Reader(directives, kind_of, ledger, text_of)
    reader.read(None, [main, *hosts])
    for host in hosts:
        # Its own sections would otherwise come after the files of the main server.
        if any(_is_directory(sections) for sections in host.scopes):
            reader.read(host.section, [host] if host.aliases else [main])
    for directive in allowing:
        if _is_directory(scope_sections(directive)) and id(directive) not in reader.noted:
            ledger.note(directive, "not needed", _NONE)
    return (
        replace(
            configuration,
            directives=(*configuration.directives, *reader.found),
            private=configuration.private | reader.private,
        ),
        reader.unread,
    )


def close_unread(main: Host, hosts: Iterable[Host], unread: Iterable[Unread]) -> None:
    """Put the files that cannot be read to the access rules of their hosts: nobody gets in."""
    by_section = {host.section: host for host in hosts}
    for each in unread:
        host = main if each.host is None else by_section[each.host]
        place_of(host, (each.folder,)).access.append(each.allowed_by)


@dataclass(slots=True)
class _Reader:
    directives: Sequence[Directive]
    kind_of: FileKinds
    ledger: Ledger
    text_of: TextOf
    found: list[Directive] = field(default_factory=list)
    private: set[str] = field(default_factory=set)
    unread: list[Unread] = field(default_factory=list)
    noted: set[int] = field(default_factory=set)

    def read(self, host: Section | None, owners: Iterable[Host]) -> None:
        """Read the files that hold for a virtual host, or for all, on the way to their scripts."""
        given = self._given(host)
        reaches = [reach_of(alias, self.kind_of) for owner in owners for alias, _ in owner.aliases]
        folders: dict[str, bool] = {}
        for reach in reaches:
            folders |= dict.fromkeys(_above(reach.directory), False)
            folders |= dict.fromkeys(_below(reach), False)
        folders |= {reach.directory: True for reach in reaches}
        for folder, is_last in sorted(folders.items()):
            by = _last(given, folder)
            if by is not None and _allows(by):
                self._look(host, folder, by, is_last=is_last)

    def _look(self, host: Section | None, folder: str, by: Directive, *, is_last: bool) -> None:
        if self.kind_of(folder) == "missing":
            if is_last:
                self._note(by, "needs you", f"{folder} {_MISSING}")
            return
        for name in self._names(host):
            path = posixpath.join(folder, name)
            if self.kind_of(path) == "file":
                self._read(host, folder, path, by)
                return

    def _read(self, host: Section | None, folder: str, path: str, by: Directive) -> None:
        section = section_for("Directory", folder, Spot(path, 1))
        try:
            read = read_text(self.text_of(path, _LONGEST), path)
            if read.refusals:
                raise Unreadable(read.refusals[0].reason, read.refusals[0].cure)
        except Unreadable as error:
            self._note(by, "needs you", f"{path}: {error.reason}")
            self.unread.append(Unread(host, section, by))
            return
        self._note(by, "changed", f"{path} is read")
        around = (section,) if host is None else (host, section)
        self.found += (replace(d, sections=(*around, *d.sections)) for d in read.directives)
        self.private |= read.private | ({path} if is_private(path) else set())

    def _note(self, by: Directive, category: Category, text: str) -> None:
        self.noted.add(id(by))
        self.ledger.note(by, category, text)

    def _given(self, host: Section | None) -> list[Directive]:
        """Return the AllowOverride directives that count for a host, as Apache merges them."""
        own = [d for d in self.directives if d.name.lower() in _ALLOWING and _is_of(d, host)]
        own = [d for d in own if _is_directory(scope_sections(d))]
        return sorted(own, key=lambda d: (rank_of(scope_sections(d)), _host_of(d) is not None))

    def _names(self, host: Section | None) -> list[str]:
        given = [d for d in self.directives if d.name.lower() == "accessfilename"]
        own = sorted((d for d in given if _is_of(d, host)), key=lambda d: _host_of(d) is not None)
        return split_words(own[-1].rest) if own else _DEFAULT


def _allows(directive: Directive) -> bool:
    is_ours = directive.name.lower() in _ALLOWING
    return is_ours and [w.lower() for w in split_words(directive.rest)] != ["none"]


def _last(given: Sequence[Directive], folder: str) -> Directive | None:
    """Return the directive that decides in a folder whether a file there is read."""
    reach = Reach(None, folder, folder, None, None)
    holding = [d for d in given if coverage(scope_sections(d), reach) == "all"]
    return holding[-1] if holding else None


def _is_directory(sections: Sequence[Section]) -> bool:
    is_alone = len(sections) == 1 and sections[0].name.lower() in DIRECTORIES
    return is_alone and not words_of(sections[0])[1]


def _host_of(directive: Directive) -> Section | None:
    return next((s for s in directive.sections if s.name.lower() == "virtualhost"), None)


def _is_of(directive: Directive, host: Section | None) -> bool:
    return _host_of(directive) in (None, host)


def _above(folder: str) -> Iterator[str]:
    """Yield a folder and all above it."""
    yield folder
    while folder != "/":
        folder = posixpath.dirname(folder)
        yield folder


def _below(reach: Reach) -> Iterator[str]:
    """Yield the folders below one of scripts, as many as can be looked at."""
    if reach.script is None and reach.directory != "/":
        yield from islice(_folders(reach.directory), _MOST_FOLDERS)


def _folders(folder: str) -> Iterator[str]:
    waiting = deque([folder])
    while waiting:
        parent = waiting.popleft()
        try:
            with os.scandir(parent.encode("latin-1", "replace")) as entries:
                names = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
        except OSError:
            continue
        for name in names:
            waiting.append(posixpath.join(parent, name.decode("latin-1")))
            yield waiting[-1]
