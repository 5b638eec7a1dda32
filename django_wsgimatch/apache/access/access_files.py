"""
The .htaccess files on the way to scripts, as sections for their folders.

Mirrors ap_directory_walk() and ap_parse_htaccess(), for all folders that an alias can reach.
"""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice, product

from ...aliases.alias import Alias
from ..covering.access import CONTAINERS, LIMITS, RULES
from ..covering.access_rules import says_login
from ..covering.alias_lines import file_aliases, kinds_for, names_of_folders
from ..covering.coverage import (
    CONDITIONS,
    DIRECTORIES,
    FILES,
    FileKinds,
    Reach,
    above,
    coverage,
    heads_of,
    is_wildcard,
    reach_of,
    section_pattern,
)
from ..covering.extra_values import EXTRAS_READERS
from ..covering.hosts import (
    HANDLERS,
    REDIRECTS,
    REWRITING,
    TAKERS,
    Host,
    Rank,
    Scope,
    holder_of,
    rank_of,
    read_hosts,
    scope_sections,
)
from ..covering.option_values import ENTRY_OPTIONS, FILE_OPTIONS, SITE_OPTIONS
from ..lines.directive import ApacheConfiguration, Directive, Section, Spot, Unreadable
from ..outcomes.answers import answer_for
from ..outcomes.outcome import Category, Ledger
from ..reading.includes import is_private, read_text_of
from ..reading.reading import read_text
from ..reading.sections import section_for

# So many folders below one of scripts are looked at, and so much of a file is read, in bytes.
_MOST_FOLDERS, _LONGEST = 2000, 1 << 20
_DEFAULT = [".htaccess"]
# What counts of such a file, in which sections, and what belongs to servers alone.
_SECTIONS = (*FILES, *CONDITIONS, *CONTAINERS, *LIMITS)
_DIRECTIVES = (
    *(*RULES, *REWRITING, *REDIRECTS, "redirectpermanent", "redirecttemp"),
    *(*HANDLERS, *ENTRY_OPTIONS, *SITE_OPTIONS, *FILE_OPTIONS, *EXTRAS_READERS),
    *("wsgitrustedproxies", "wsgitrustedproxyheaders"),
)
_OF_SERVERS = ("wsgiimportscript", "sslengine", "accessfilename", "servername", "serveralias")
# What AllowOverride has to say for a rule of access.
_NEEDED = {
    **dict.fromkeys(("require", "authmerging", "sslrequiressl", "sslrequire"), "authconfig"),
    **dict.fromkeys(("order", "allow", "deny"), "limit"),
    "satisfy": "authconfig",
}
_NONE = "There is no such file on the path to a script"
_TOO_MANY = f"more than {_MOST_FOLDERS} folders: not all .htaccess files in them are read"
_MISSING = "is not on this machine: look there for .htaccess files, as their rules are missing here"

ALLOWING = ("allowoverride", "allowoverridelist")
# A directive with its place in the order in which Apache merges them.
_Ranked = tuple[tuple[Rank, bool, int], Directive]


@dataclass(slots=True)
class AccessFiles:
    """
    What the files make of the hosts.

    ``unread`` are those that cannot be read, and may keep people out of a folder: the virtual host,
    None for all, the folder, and what allows them. ``broken`` are the folders whose file Apache
    refuses. ``apart`` are virtual hosts in which other files
    are read than in the main server, which has some in ``folders``.
    """

    unread: list[tuple[Section | None, Section, Directive]] = field(default_factory=list)
    apart: set[Section | None] = field(default_factory=set)
    folders: frozenset[Section] = frozenset()
    broken: frozenset[Section] = frozenset()

    def put(self, main: Host, hosts: Iterable[Host]) -> None:
        """Close what is unread, and let files of the main server not hold in hosts apart."""
        by_section = {host.section: host for host in (main, *hosts)}
        for section, folder, allowed_by in self.unread:
            place = holder_of(by_section[section], (folder,))
            place.access.append(allowed_by)
            if isinstance(place, Scope):
                place.is_broken = folder in self.broken
        for section in self.apart:
            by_section[section].passed_over = self.folders


def with_access_files(
    configuration: ApacheConfiguration,
    kind_of: FileKinds,
    ledger: Ledger,
) -> tuple[ApacheConfiguration, AccessFiles]:
    """
    Return a configuration with what .htaccess files say behind all else, and what is left to do.

    Of each AllowOverride is noted which files there are.
    """
    directives = [each for each in configuration.directives if not each.is_off]
    allowing = [each for each in directives if allows(each)]
    if not allowing:
        return configuration, AccessFiles()
    main, hosts = read_hosts(directives, Ledger())
    reader = _Reader(directives, kind_of, ledger)
    everywhere = [alias for each in (main, *hosts) for alias in _answering(each, main)]
    reader.read(None, dict.fromkeys(everywhere))
    files = AccessFiles(reader.unread, set(), frozenset(d.sections[0] for d in reader.found))
    overriding = {each.host for each in directives if each.key in ALLOWING}
    for host in hosts:
        # Its own sections would otherwise come after the files of the main server.
        if host.section in overriding or any(map(is_directory, host.scopes)):
            has_own = host.aliases or host.takers
            reader.read(host.section, _answering(host if has_own else main, main))
            files.apart.add(host.section)
    files.broken = frozenset(reader.broken)
    for directive in allowing:
        if is_directory(scope_sections(directive)) and id(directive) not in reader.noted:
            ledger.note(directive, "not needed", _NONE)
    directives = [*configuration.directives, *reader.found]
    private = configuration.private | reader.private
    return replace(configuration, directives=tuple(directives), private=private), files


def _answering(host: Host, main: Host) -> list[Alias]:
    """Return what leads to scripts and files in a host."""
    return [*(alias for alias, _ in host.aliases), *file_aliases(host, main)]


class Overrides:
    """The AllowOverride directives, by the virtual host and the folder that they stand for."""

    def __init__(self, directives: Iterable[Directive]) -> None:
        self._placed: defaultdict[tuple[Section | None, str | None], list[_Ranked]]
        self._placed = defaultdict(list)
        for number, directive in enumerate(directives):
            sections, host = scope_sections(directive), directive.host
            if directive.key not in ALLOWING or not is_directory(sections):
                continue
            is_wild = is_wildcard(section_pattern(sections[0])[0])
            [head] = (None,) if is_wild else heads_of(sections[0]) or ("",)
            order = (rank_of(sections), host is not None, number)
            self._placed[host, head].append((order, directive))

    def allowing(self, host: Section | None, folder: str) -> Directive | None:
        """Return the directive that has files in a folder read, None where none does."""
        reach = Reach(None, folder, folder, None, None)
        places = product(dict.fromkeys((None, host)), (None, *above(folder)))
        near = (each for place in places for each in self._placed.get(place, ()))
        holding = sorted(e for e in near if coverage(scope_sections(e[1]), reach) == "all")
        # AllowOverride takes nothing back of what AllowOverrideList allows, nor the other way.
        last = {directive.key: directive for _, directive in holding}
        return next(filter(allows, last.values()), None)


def allows(directive: Directive) -> bool:
    """Whether a directive has files read."""
    return directive.key in ALLOWING and [w.lower() for w in directive.words] != ["none"]


def is_directory(sections: Sequence[Section]) -> bool:
    """Whether these are one <Directory>, and no pattern: there AllowOverride may stand."""
    is_alone = len(sections) == 1 and sections[0].key in DIRECTORIES
    return is_alone and not section_pattern(sections[0])[1]


class _Reader:
    def __init__(self, directives: Sequence[Directive], kind_of: FileKinds, ledger: Ledger) -> None:
        self._kind_of = lru_cache(maxsize=None)(kind_of)
        self._below = lru_cache(maxsize=None)(_below)
        self._ledger = ledger
        self._overrides = Overrides(directives)
        self._named = names_of_folders(directives)
        self._names: dict[Section | None, list[str]] = {None: _DEFAULT}
        for directive in directives:
            if directive.key == "accessfilename":
                self._names[directive.host] = directive.words
        self.found: list[Directive] = []
        self.private: set[str] = set()
        self.unread: list[tuple[Section | None, Section, Directive]] = []
        self.broken: set[Section] = set()
        self.noted: set[int] = set()

    def read(self, host: Section | None, aliases: Iterable[Alias]) -> None:
        """Read the files that hold for a virtual host, or for all, on the way to what answers."""
        folders: dict[str, bool] = {}
        last: dict[str, bool] = {}
        for alias in aliases:
            reach = reach_of(alias, kinds_for(alias, self._kind_of, self._named))
            folders |= dict.fromkeys(above(reach.directory), False)
            last[reach.directory] = True
            if reach.script is None:
                folders |= dict.fromkeys(self._all_below(host, reach.directory), False)
        for folder, is_last in sorted({**folders, **last}.items()):
            by = self._overrides.allowing(host, folder)
            if by is not None:
                self._look(host, folder, by, is_last=is_last)

    def _all_below(self, host: Section | None, folder: str) -> list[str]:
        """Return the folders below one; where there are too many, rules in them are unread."""
        found = self._below(folder)
        by = self._overrides.allowing(host, folder)
        if len(found) > _MOST_FOLDERS and by is not None:
            self._note(by, "needs you", f"{folder}: {_TOO_MANY}")
            section = section_for("Directory", folder, by.spot)
            self.unread.append((host, section, by))
        return found[:_MOST_FOLDERS]

    def _look(self, host: Section | None, folder: str, by: Directive, *, is_last: bool) -> None:
        if self._kind_of(folder) == "missing":
            if is_last:
                self._note(by, "needs you", f"{folder} {_MISSING}")
            return
        for name in self._names.get(host, self._names[None]):
            path = posixpath.join(folder, name)
            if self._kind_of(path) == "file":
                self._read(host, folder, path, by)
                return

    def _read(self, host: Section | None, folder: str, path: str, by: Directive) -> None:
        section = section_for("Directory", folder, Spot(path, 1))
        text = None
        try:
            text = read_text_of(path, _LONGEST)
            read = _checked(text, path, by)
        except Unreadable as error:
            self._note(by, "needs you", f"{path}: {error.reason}")
            self.unread.append((host, section, by))
            if text is not None:
                self.broken.add(section)
            return
        self._note(by, "changed", f"{path} is read")
        around = (section,) if host is None else (host, section)
        self.found += (replace(d, sections=(*around, *d.sections)) for d in read.directives)
        self.private |= read.private | ({path} if is_private(path) else set())

    def _note(self, by: Directive, category: Category, text: str) -> None:
        self.noted.add(id(by))
        self._ledger.note(by, category, text)


def _checked(text: str, path: str, by: Directive) -> ApacheConfiguration:
    """Return what stands in a file. Raises Unreadable for what Apache refuses in it."""
    read = read_text(text, path)
    if read.refusals:
        raise Unreadable(read.refusals[0].reason, read.refusals[0].cure)
    for directive in read.directives:
        _check_allowed(directive, path)
        _check_overridden(directive, by)
    return read


def _check_allowed(directive: Directive, path: str) -> None:
    """
    Raise Unreadable for what Apache takes in no such file: it answers 500 then.

    Whoever may write the file may not choose which scripts are run, and as whom.
    """
    foreign = [s.name for s in directive.sections if s.key not in _SECTIONS]
    name = directive.key
    is_ours = answer_for(name).is_read or name in (*TAKERS, *ALLOWING, *_OF_SERVERS)
    if foreign or directive.spot.file != path:
        what = f"<{foreign[0]}>" if foreign else "Include"
        raise Unreadable(f"{what} is not allowed in such a file", "take it out")
    if is_ours and name not in _DIRECTIVES:
        raise Unreadable(f"{directive.name} is not allowed in such a file", "take it out")


def _check_overridden(directive: Directive, by: Directive) -> None:
    """Raise Unreadable for a rule of access that may not stand there: Apache answers 500."""
    needed = _NEEDED.get(directive.key, "authconfig" if says_login(directive.key) else "")
    words = [word.lower() for word in by.words]
    is_list = by.key == "allowoverridelist"
    if directive.key == "allowmethods":
        raise Unreadable(f"{directive.name} is not allowed in such a file", "take it out")
    if needed and not {"all", directive.key if is_list else needed} & {*words}:
        raise Unreadable(f"{by.name} does not allow {directive.name}", "take it out")


def _below(folder: str) -> list[str]:
    """Return the folders below one of scripts, as many as can be looked at."""
    return [] if folder == "/" else list(islice(_folders(folder), _MOST_FOLDERS + 1))


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
