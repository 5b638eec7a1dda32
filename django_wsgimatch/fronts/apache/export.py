"""
From a configuration with mod_wsgi to the same one without: Apache passes requests on instead.

Every line that does not need mod_wsgi stays as it is, byte for byte. What cannot be said of
requests that are passed on is refused, never opened.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import merge
from operator import itemgetter

from ...apache.access.access_files import with_access_files
from ...apache.covering.coverage import FileKinds
from ...apache.covering.hosts import ALIASES, HANDLERS, Host, read_hosts
from ...apache.importing import kind_of_file
from ...apache.lines.directive import ApacheConfiguration, Directive, Section, Spot
from ...apache.lines.limits import COMPARED, Effort, Exhausted
from ...apache.outcomes.answers import is_internal
from ...apache.outcomes.outcome import Ledger
from ...apache.resolving.mounts import mount_as_aliases
from ...apache.resolving.resolving import Resolver
from ...exceptions import FrontError
from ..backend import Backend
from ..carried import Carried
from .handled import handled_lines
from .lines.path_rules import has_odd_urls
from .lines.source import SourceText
from .needs import carried_by, setting_lines
from .passing import header_lines
from .places import HostPlaces, first_lines, places_of_hosts
from .remains import (
    CLOSED,
    NOT_PASSED,
    Kind,
    Remains,
    handler_names,
    may_replace,
    remains_of,
    where_something_is,
    without_mod_wsgi,
)
from .scripts_access import EntryAccess, access_of
from .section_writer import SectionWriter, is_one
from .sections import asking_of, file_sections
from .staying_rules import WHY, StayingRule, copied_sections, staying_rules, told_of_entries

MODULES = ("proxy", "proxy_http", "headers")
_UNSEEN = "the variable does not reach the application, only Apache's own rules"
# What Apache itself goes on doing, and does not do for an application behind it.
FOR_APPLICATIONS: dict[str, tuple[Kind, str]] = {
    "limitrequestbody": (
        "exact",
        "body_limit of the entries says it: Apache does not apply it to what it passes on",
    ),
    "setenv": ("exact", "environ of the entries says it: Apache's variables do not reach them"),
    "passenv": ("exact", "environ of the entries has it, from the environment of their server"),
    "setenvif": ("lossy", _UNSEEN),
    "setenvifnocase": ("lossy", _UNSEEN),
}


@dataclass(frozen=True, slots=True)
class ExportNote:
    """What became of a line: ``kind`` says how much of it still holds."""

    kind: Kind
    spot: Spot
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Exported:
    """
    A configuration without mod_wsgi.

    ``settings`` are the lines that the project's settings need, ``notes`` say what became of lines.
    """

    text: str
    notes: tuple[ExportNote, ...]
    settings: tuple[str, ...]

    @property
    def refused(self) -> list[ExportNote]:
        """What is closed, as it could not be carried."""
        return [each for each in self.notes if each.kind == "refused"]


def export_configuration(
    configuration: ApacheConfiguration,
    text: str,
    name: str,
    backend: Backend,
    kind_of: FileKinds = kind_of_file,
) -> Exported:
    """
    Return the text of a file of a configuration without mod_wsgi.

    ``name`` is the file that ``text`` is the text of, with a character a byte; ``kind_of`` says
    what the file system has at a path. Raises FrontError where the configuration cannot be read.
    """
    if configuration.refusals:
        first = configuration.refusals[0]
        raise FrontError(f"{first.spot}: {first.reason}: {first.cure}")
    source = SourceText(text, name)
    try:
        export = _Export(configuration, {name: source}, backend, kind_of)
        export.run()
    except Exhausted as error:
        raise FrontError(f"{error.spot}: {error.reason}: {error.cure}") from error
    carried = export.carried
    settings = () if carried is None else tuple(setting_lines(carried, backend))
    return Exported(source.changed(), tuple(export.sorted_notes()), settings)


def told_by_export(
    configuration: ApacheConfiguration, backend: Backend, kind_of: FileKinds = kind_of_file
) -> tuple[list[ExportNote], Carried | None]:
    """
    Return what becomes of the lines of a configuration where all of its files are exported.

    What keeps a file from being exported is a note of the kind "refused". Behind the notes is what
    Apache must tell the server, None where it passes nothing on. Raises Exhausted.
    """
    # What becomes of a line hangs on no text around it.
    sources = {each.spot.file: SourceText("", "") for each in configuration.directives}
    if not sources:
        return [], None
    export = _Export(configuration, sources, backend, kind_of, is_told=True)
    export.run()
    return export.sorted_notes(), export.carried


class _Export:
    """
    One export, step by step: the lines to change are collected in the source texts.

    ``is_told`` has what cannot be exported noted, where FrontError would be raised.
    """

    def __init__(
        self,
        configuration: ApacheConfiguration,
        sources: Mapping[str, SourceText],
        backend: Backend,
        kind_of: FileKinds,
        *,
        is_told: bool = False,
    ) -> None:
        ledger = Ledger()
        whole, files = with_access_files(configuration, kind_of, ledger)
        self._active = [each for each in whole.directives if not each.is_off]
        self._main_source, *_ = sources.values()
        self._backend, self._is_told = backend, is_told
        self._kind_of = kind_of
        self._files = files
        self._main, self._hosts = read_hosts(self._active, ledger)
        files.put(self._main, self._hosts)
        mount_as_aliases(Resolver(self._main, ledger, kind_of), self._hosts)
        self._handlers = handler_names(self._active)
        self._by_host: defaultdict[Section | None, list[tuple[int, Directive]]] = defaultdict(list)
        for number, directive in enumerate(self._active):
            self._by_host[directive.host].append((number, directive))
        self._notes: dict[ExportNote, None] = {}
        self.carried: Carried | None = None
        # By name of a file its text, None for one that is not exported.
        self._sources: dict[str, SourceText | None] = {**sources}
        self._effort = Effort()
        conditions = {id(d): self._conditions_of(d) for d in self._active if self._is_here(d)}
        self._written = SectionWriter(backend.base, conditions, partial(self._note, "refused"))

    def run(self) -> None:
        """Change all lines, and note what becomes of them."""
        self._take_out()
        carried = carried_by(self._active)
        places = places_of_hosts(self._main, self._hosts, self._handlers)
        self.carried = carried if places else None
        entries = {id(each): self._access(each) for each in places}
        is_raw = all(map(is_one, entries.values()))
        is_raw = is_raw and not any(each.passes_rewritten for each in places)
        above = [
            line
            for each in places
            if each.host is self._main
            for line in self._written.lines(entries[id(each)], is_neutral=False)
        ]
        closed = {id(each): self._closed_rules(each) for each in places}
        for each in places:
            lines = [*each.lines(self._backend, is_raw=is_raw)]
            lines += [] if each.is_below else self._headers(carried)
            is_neutral = bool(above and each.is_below) or bool(self._proxy_lines(each.host))
            lines += self._written.lines(entries[id(each)], is_neutral=is_neutral)
            lines += closed[id(each)]
            self._note_entries(each)
            self._put(each, lines)
            if each.handled:
                self._put_at_end_of(each, handled_lines(each, self._held_by(each.host)))
        for source in filter(None, {*self._sources.values()}):
            _ask_for_proxy(source)
        self._note_lossy()

    def sorted_notes(self) -> list[ExportNote]:
        """Return what became of lines, by file and line."""
        return sorted(self._notes, key=lambda each: (each.spot.file, each.spot.line))

    def _held_by(self, host: Host) -> list[Directive]:
        """Return what a host says, and the main server, in the order of the configuration."""
        # Optimization: 1,500 hosts took 92 s of CPU time where each looked at the lines of all.
        own = () if host.section is None else self._by_host.get(host.section, ())
        return [each for _, each in merge(self._by_host.get(None, ()), own, key=itemgetter(0))]

    def _is_here(self, placed: Directive | Section) -> bool:
        return self._found_source(placed.spot.file) is not None

    def _found_source(self, file: str) -> SourceText | None:
        if file not in self._sources:
            path = os.path.realpath(file)
            same = (each for name, each in self._sources.items() if os.path.realpath(name) == path)
            self._sources[file] = next(same, None)
        return self._sources[file]

    def _source(self, placed: Directive | Section) -> SourceText:
        """Return the text in which a line stands that is exported."""
        source = self._found_source(placed.spot.file)
        assert source is not None
        return source

    def _conditions_of(self, directive: Directive) -> tuple[str, ...]:
        """Return the conditions around a directive that stand inside the section it is in."""
        line = self._source(directive).line_at(directive.spot.line)
        if line is None or not directive.sections or not self._is_here(directive.sections[-1]):
            return ()
        outer = self._source(directive.sections[-1]).line_at(directive.sections[-1].spot.line)
        count = len(outer.conditions) if outer is not None else 0
        return line.conditions[count:]

    def _take_out(self) -> None:
        """Take out the lines that need mod_wsgi, and close what they leave open."""
        order = {id(each): number for number, each in enumerate(self._active)}
        handling = (each for each in self._active if each.key in _HANDLING)
        others = [each for each in handling if remains_of(each, self._handlers) is None]
        for directive in self._active:
            remains = remains_of(directive, self._handlers)
            if remains is None:
                continue
            if not self._is_here(directive):
                self._note_elsewhere(directive, remains)
                continue
            if directive.spot.used_at is not None:
                self._refuse_macro(directive)
                continue
            lines: Sequence[str] = remains.lines
            behind = (each for each in others if may_replace(each, directive, order))
            if remains.is_of_files and next(behind, None) is None:
                lines = where_something_is(directive, lines)
            self._source(directive).put(directive.spot.line, lines)
            if remains.before_container:
                container = next(
                    each for each in directive.sections if each.name in _CONTAINER_NAMES
                )
                source = self._source(container)
                source.put_before(container.spot.line, remains.before_container)
            if directive.key not in ALIASES:
                self._note(remains.kind, directive, remains.note)

    def _refuse_macro(self, directive: Directive) -> None:
        text = "stands in a macro: write out the lines that use it, and export the file then"
        if not self._is_told:
            raise FrontError(f"{directive.spot}: {directive.name} {text}")
        self._note("refused", directive, f"it {text}")

    def _note_elsewhere(self, directive: Directive, remains: Remains) -> None:
        if directive.sections and directive.sections[0] in self._files.folders:
            self._note_access_file(directive, remains)
        elif remains.kind == "refused" or directive.key in ALIASES:
            note = f"it stands in another file: export {directive.spot.file}, too"
            self._note("refused", directive, note)

    def _note_access_file(self, directive: Directive, remains: Remains) -> None:
        """Close the folder of a .htaccess file that has mod_wsgi run what is in it."""
        if remains.is_of_files:
            folder = directive.sections[0].argument
            self._main_source.put_at_end(
                [f"# {directive.spot} has mod_wsgi run files: their source is not sent."]
                + [f"<Directory {folder}>", f'    <If "{NOT_PASSED}">']
                + [f"        {line}" for line in CLOSED]
                + ["    </If>", "</Directory>"]
            )
        file = directive.spot.file
        self._note("refused", directive, f"delete the line from {file}: Apache answers 500 there")

    def _access(self, places: HostPlaces) -> list[EntryAccess]:
        host = places.host
        held = self._held_by(host)
        sections = file_sections(held, host, self._files)
        is_tls = host.speaks_tls(self._main)
        asking = asking_of(held, host)
        aliases = dict.fromkeys(alias for alias, _ in places.answered)
        for alias, directive in places.answered:
            steps = COMPARED * (len(sections) + len(places.answered))
            self._effort.spend(steps, directive.spot, f"{directive.name} {alias.location}")
        return [
            access_of(each, sections, self._kind_of, is_tls=is_tls, asking=asking)
            for each in aliases
        ]

    def _headers(self, carried: Carried) -> Iterator[str]:
        yield from header_lines(self._backend, carried)

    def _proxy_lines(self, host: Host) -> list[int]:
        """
        Return the lines of <Proxy> sections that hold in a host, too: 0 for another place.

        Their rules would be merged with those of the sections that are written.
        """
        found = set()
        for directive in self._held_by(host):
            outer = next((s for s in directive.sections if s.key in ("proxy", "proxymatch")), None)
            if outer is not None:
                is_own = directive.host == host.section and self._is_here(directive)
                found.add(outer.spot.line if is_own else 0)
        return sorted(found)

    def _closed_rules(self, places: HostPlaces) -> list[str]:
        """Say rules about paths of URLs, and return the lines that close what is left of them."""
        aliases = [*dict.fromkeys(alias for alias, _ in places.answered)]
        held = self._held_by(places.host)
        is_odd = has_odd_urls(held)
        lines: list[str] = []
        section = places.host.section
        rules = [each for each in staying_rules(held) if each.among(aliases)]
        if section is not None and not is_odd and any(each.is_inherited for each in rules):
            copied = copied_sections(held, section, aliases)
            if copied is not None:
                lines += copied
                rules = [each for each in rules if not each.is_inherited]
        for rule in rules:
            is_told = self._is_own(rule, places) and not is_odd
            told = told_of_entries(rule, aliases) if is_told else None
            if told is None:
                lines += self._written.closed(rule.directive, rule.region, WHY)
            else:
                self._say_otherwise(rule, told)
        return lines

    def _is_own(self, rule: StayingRule, places: HostPlaces) -> bool:
        """Whether a rule holds in one host alone, and its lines can be changed."""
        is_alone = places.host.section is not None or not self._hosts
        if not is_alone or rule.directive.host != places.host.section:
            return False
        if not all(map(self._is_here, rule.lines)) or any(d.spot.used_at for d in rule.lines):
            return False
        return len({self._conditions_of(each) for each in rule.lines}) == 1

    def _say_otherwise(self, rule: StayingRule, lines: list[str]) -> None:
        for each in rule.conditions:
            self._source(each).put(each.spot.line, [])
        self._source(rule.directive).put(rule.directive.spot.line, lines)

    def _put(self, places: HostPlaces, lines: list[str]) -> None:
        """Put the lines of a host where its first entry stood, behind other lines of mod_proxy."""
        section = places.host.section
        source = self._main_source if section is None else self._found_source(section.spot.file)
        own = [d for _, d in self._by_host.get(section, ()) if self._is_here(d)]
        own = [d for d in own if source in (None, self._source(d))]
        here = {id(d) for d in own}
        entries = first_lines(each for each in places.own if id(each[1]) in here)
        proxied = [d.spot.line for d in places.proxied if id(d) in here]
        proxied += self._proxy_lines(places.host)
        for each in places.exclusions:
            if id(each) in here:
                lines_within = places.within(each, self._backend)
                self._source(each).put_before(each.spot.line, lines_within)
                if places.has_patterns_in(each):
                    self._note("lossy", each, "patterns that meet it are not passed on there")
        if entries and all(line < entries[0] for line in proxied):
            (source or self._main_source).put_before(entries[0], lines)
        elif section is not None or own:
            self._put_at_end_of(places, lines)

    def _put_at_end_of(self, places: HostPlaces, lines: list[str]) -> None:
        section = places.host.section
        source = self._main_source if section is None else self._found_source(section.spot.file)
        if section is None:
            self._main_source.put_at_end(lines)
        elif source is not None:
            end = _end_of_host(source, section.spot.line)
            source.put_before(end, [f"    {each}" for each in lines])

    def _note_entries(self, places: HostPlaces) -> None:
        for _, directive in places.own:
            if directive.key in ALIASES and self._is_here(directive):
                self._note("exact", directive, "passed on")
        for each in places.exempted:
            if each.region is None:
                note = "its URLs cannot be told: they are passed on"
                self._note("lossy", each.directive, note)

    def _note_lossy(self) -> None:
        for directive in self._active:
            found = FOR_APPLICATIONS.get(directive.key)
            if found and self._is_here(directive) and not is_internal(directive):
                self._note(found[0], directive, found[1])

    def _note(self, kind: Kind, directive: Directive, note: str) -> None:
        text = f"{directive.name} {' '.join(directive.rest.split())}"
        self._notes[ExportNote(kind, directive.spot, text, note)] = None


# What may give a handler in the place of mod_wsgi's, or take that away.
_HANDLING = (*HANDLERS, "forcetype", "addtype", "removetype")
_CONTAINER_NAMES = ("RequireAll", "RequireAny", "RequireNone", "Limit", "LimitExcept")


def _ask_for_proxy(source: SourceText) -> None:
    """Have sections that ask for mod_wsgi ask for what takes its place."""
    for line in source.lines:
        if line.key == "<ifmodule" and (changed := without_mod_wsgi(line.text)) != line.text:
            source.put(line.first, [changed])


def _end_of_host(source: SourceText, line: int) -> int:
    return next(
        (
            each.first
            for each in source.lines
            if each.first > line and each.key.startswith("</virtualhost")
        ),
        line,
    )
