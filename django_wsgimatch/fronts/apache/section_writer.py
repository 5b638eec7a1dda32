"""What sections about files say of the URLs of a host, as sections of mod_proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ...aliases.alias import Alias
from ...apache.covering.indexes import in_words
from ...apache.lines.directive import Directive
from .remains import SHUT
from .scripts_access import EntryAccess, pattern_of, plans
from .sections import FileSection, copied_lines, proxy_section

_NEUTRAL = (
    "Require all granted",
    "<IfModule mod_access_compat.c>",
    "    Order deny,allow",
    "    Allow from all",
    "</IfModule>",
)


class SectionWriter:
    """
    Writes the sections for requests that are passed to ``base``.

    ``conditions`` are the <IfModule> and the like around each directive, by its identity;
    ``refuse`` is told of each line whose URLs are closed, and why.
    """

    def __init__(
        self,
        base: str,
        conditions: Mapping[int, Sequence[str]],
        refuse: Callable[[Directive, str], None],
    ) -> None:
        self._base = base
        self._conditions = conditions
        self._refuse = refuse

    def lines(self, entries: Sequence[EntryAccess], *, is_neutral: bool) -> list[str]:
        """Return what sections about files say of the URLs of a host, after nothing or as if."""
        lines: list[str] = []
        if is_neutral:
            lines += proxy_section(None, self._base, _NEUTRAL)
        if is_one(entries):
            for section in entries[0].sections:
                lines += self._copied(section, None)
        else:
            lines += self._by_entry(entries)
        return lines

    def _by_entry(self, entries: Sequence[EntryAccess]) -> Iterator[str]:
        untold: list[EntryAccess] = []
        for number, (entry, others) in enumerate(plans(entries)):
            pattern = pattern_of(entry.alias, self._base, others)
            before = [each.alias for each in entries[:number]]
            parts = [(pattern_of(each, self._base, before), part) for each, part in entry.parts]
            is_said = bool(entry.sections or entry.refused or parts)
            if is_said and None in (pattern, *(each for each, _ in parts)):
                untold.append(entry)
                continue
            said = [*((pattern, each) for each in entry.sections), *parts]
            for place, section in sorted(said, key=lambda each: each[1].place):
                yield from self._copied(section, place)
        for entry in entries:
            yield from self._refused(entry)
        for entry in untold:
            yield from self._untold(entry)

    def _refused(self, entry: EntryAccess) -> Iterator[str]:
        for each in entry.refused:
            is_all = each.region is entry.alias
            region = None if is_all else pattern_of(each.region, self._base)
            region = region or pattern_of(entry.alias, self._base)
            yield f"# Refused: {each.section}: {each.reason}."
            yield from proxy_section(region, self._base, each.lines)
            urls = in_words(each.region)
            self._refuse(each.directive, f"{urls}: {each.status}, as {each.reason}")

    def closed(self, directive: Directive, region: Alias | None, why: str) -> Iterator[str]:
        """Yield the lines that close URLs, all of the host for None, for what a line says."""
        pattern = None if region is None else pattern_of(region, self._base)
        urls = "all URLs of this host" if pattern is None or region is None else in_words(region)
        yield f"# Refused: {directive.name} of {directive.spot}: {why}."
        yield from proxy_section(pattern, self._base, SHUT)
        self._refuse(directive, f"{urls}: 403, as {why}")

    def _untold(self, entry: EntryAccess) -> Iterator[str]:
        reason = f"no pattern tells the URLs of {entry.alias.location} from others"
        yield f"# Refused: {reason}."
        yield from proxy_section(None, self._base, SHUT)
        for section in (*entry.sections, *(part for _, part in entry.parts)):
            told = (section.directives or section.unread)[0]
            self._refuse(told, f"all URLs of this host: 403, as {reason}")

    def _copied(self, section: FileSection, pattern: str | None) -> Iterator[str]:
        lines = list(copied_lines(section, self._conditions))
        if lines:
            yield f"# {section}:"
            yield from proxy_section(pattern, self._base, lines)


def is_one(entries: Iterable[EntryAccess]) -> bool:
    """Whether the same is said of all entries, and nothing else of some of their URLs."""
    found = list(entries)
    is_whole = not any(each.refused or each.parts for each in found)
    return is_whole and len({each.sections for each in found}) < 2
