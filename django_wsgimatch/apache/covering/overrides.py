"""Which .htaccess files count: what AllowOverride says of a folder."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from ..lines.directive import Directive, Section
from ..lines.words import split_words
from .alias_reach import Reach
from .coverage import DIRECTORIES, coverage, heads_of, is_wildcard, section_pattern
from .hosts import Rank, rank_of, scope_sections

ALLOWING = ("allowoverride", "allowoverridelist")

# A directive with its place in the order in which Apache merges them.
_Ranked = tuple[tuple[Rank, bool, int], Directive]


class Overrides:
    """
    The AllowOverride directives, by the folder that they stand for.

    Optimization: 5,000 hosts with a folder each would be 25,000,000 comparisons.
    """

    def __init__(self, directives: Iterable[Directive]) -> None:
        self._plain: defaultdict[tuple[Section | None, str], list[_Ranked]] = defaultdict(list)
        self._wild: defaultdict[Section | None, list[_Ranked]] = defaultdict(list)
        self._on_the_way: set[str] = set()
        for number, directive in enumerate(directives):
            sections, host = scope_sections(directive), host_of(directive)
            if directive.name.lower() not in ALLOWING or not is_directory(sections):
                continue
            order = (rank_of(sections), host is not None, number)
            [head] = heads_of(sections[0]) or ("",)
            if is_wildcard(section_pattern(sections[0])[0]):
                self._wild[host].append((order, directive))
            else:
                self._plain[host, head].append((order, directive))
                self._on_the_way.update(above(head))

    def allowing(self, host: Section | None, folder: str) -> Directive | None:
        """Return the directive that has files in a folder read, None where none does."""
        # AllowOverride takes nothing back of what AllowOverrideList allows, nor the other way.
        last = {d.name.lower(): d for _, d in sorted(self._holding(host, folder), key=_place)}
        return next(filter(allows, last.values()), None)

    def _holding(self, host: Section | None, folder: str) -> list[_Ranked]:
        reach = Reach(None, folder, folder, None, None)
        owners = dict.fromkeys((None, host))
        found = [
            e for path in above(folder) for o in owners for e in self._plain.get((o, path), ())
        ]
        for owner in owners:
            for each in self._wild[owner]:
                if coverage(scope_sections(each[1]), reach) == "all":
                    found.append(each)
        return found

    def may_hold_below(self, host: Section | None, folder: str) -> bool:
        """Whether a file may be read in a folder below another one."""
        is_open = self.allowing(host, folder) is not None
        return is_open or folder in self._on_the_way or any(self._wild[o] for o in (None, host))


def _place(ranked: _Ranked) -> tuple[Rank, bool, int]:
    return ranked[0]


def allows(directive: Directive) -> bool:
    """Whether a directive has files read."""
    is_ours = directive.name.lower() in ALLOWING
    return is_ours and [w.lower() for w in split_words(directive.rest)] != ["none"]


def is_directory(sections: Sequence[Section]) -> bool:
    """Whether these are one <Directory>, and no pattern: there AllowOverride may stand."""
    is_alone = len(sections) == 1 and sections[0].name.lower() in DIRECTORIES
    return is_alone and not section_pattern(sections[0])[1]


def host_of(directive: Directive) -> Section | None:
    """Return the virtual host that a directive stands in, None for the main server."""
    return next((s for s in directive.sections if s.name.lower() == "virtualhost"), None)


def above(folder: str) -> Iterator[str]:
    """Yield a folder and all above it."""
    yield folder
    while folder != "/":
        folder = posixpath.dirname(folder)
        yield folder
