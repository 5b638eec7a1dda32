"""
Which sections of access rules hold for a uri.

Mirrors ap_location_walk(): all that match, merged in their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ..hosts.virtual_hosts import HostIndex
from ..patterns.pattern import Pattern, compile_pattern
from .rules import AccessRules, merge_rules

_SLASHES = re.compile("//+")
# So many combinations of sections are kept merged.
_MOST_KEPT = 1024


@dataclass(frozen=True, slots=True)
class AccessSection:
    """
    One ``<Location>`` or ``<LocationMatch>`` of access rules, as an entry of WSGIMATCH_ACCESS.

    ``location`` is a url prefix or, for a match section, a pattern; text is latin-1. Where there
    is a ``host``, it holds for the requests of that pattern of hosts, or of these, alone.
    """

    location: str
    rules: AccessRules
    kind: Literal["plain", "match"] = "plain"
    host: str | tuple[str, ...] | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The patterns of hosts that it holds for, none where it holds for all."""
        if self.host is None:
            return ()
        return (self.host,) if isinstance(self.host, str) else self.host

    @property
    def directive(self) -> Literal["Location", "LocationMatch"]:
        """The name of the section in Apache."""
        return "Location" if self.kind == "plain" else "LocationMatch"


class SectionIndex:
    """
    Sections in order, found by host and uri.

    ``hosts`` are the patterns of the virtual hosts, in order: a request has the first that it
    fits. Raises PatternError where a pattern cannot be used.
    """

    def __init__(
        self,
        sections: Iterable[AccessSection],
        *,
        hosts: Iterable[str] = (),
        allow_exponential: bool = False,
    ) -> None:
        self.sections = tuple(sections)
        named = [pattern for each in self.sections for pattern in each.hosts]
        self._limits = [frozenset(each.hosts) for each in self.sections]
        self._hosts = HostIndex(dict.fromkeys([*hosts, *named])) if named else None
        self._plain: dict[str, list[int]] = {}
        self._patterns: list[tuple[int, Pattern]] = []
        for position, section in enumerate(self.sections):
            if section.kind == "plain":
                self._plain.setdefault(section.location, []).append(position)
            else:
                pattern = compile_section(section, allow_exponential=allow_exponential)
                self._patterns.append((position, pattern))
        # No more segments of a uri are looked at, however many a client sends.
        self._deepest = max((location.count("/") for location in self._plain), default=0)
        self._merged: dict[tuple[int, ...], AccessRules] = {}

    def find(self, uri: str, host: str) -> tuple[AccessSection, ...]:
        """Return the sections that hold for a uri (decoded, normalised) and a Host header."""
        return tuple(self.sections[position] for position in self._positions(uri, host))

    def rules_for(
        self, uri: str, host: str, own: Sequence[AccessRules] = (), *, is_whole: bool = False
    ) -> AccessRules | None:
        """
        Return what the sections of a uri say together, None where there are none.

        Of several slashes in a row a prefix sees one, and all of them where the uri ``is_whole``.

        ``own`` are the rules of the entry that answers. They come before the sections as those of a
        ``<Directory>`` do: what the sections say together is merged into what it says.
        """
        said = self._said_together(self._positions(uri, host, is_whole=is_whole))
        if not own:
            return said
        return merge_rules([*own] if said is None else [*own, said])

    def _said_together(self, positions: tuple[int, ...]) -> AccessRules | None:
        if not positions:
            return None
        # Optimization: merged anew, two sections took 4 us.
        merged = self._merged.get(positions)
        if merged is None:
            merged = merge_rules(self.sections[position].rules for position in positions)
            if len(self._merged) >= _MOST_KEPT:
                self._merged.clear()
            self._merged[positions] = merged
        return merged

    def _positions(self, uri: str, host: str, *, is_whole: bool = False) -> tuple[int, ...]:
        found = [number for number, pattern in self._patterns if pattern.find(uri) is not None]
        if self._plain:
            # Apache compares them with one slash for several, whatever MergeSlashes says. With it
            # a uri has none any more, but where a RewriteRule has made it: that stays as it is.
            compared = uri if is_whole else _SLASHES.sub("/", uri)
            for prefix in {*locations_above(compared, self._deepest)}:
                found += self._plain.get(prefix, ())
        if not found:
            return ()
        if self._hosts is not None:
            named = self._hosts.find(host)
            limits = self._limits
            found = [each for each in found if not limits[each] or named in limits[each]]
        return tuple(sorted(found))


def locations_above(uri: str, deepest: int) -> Iterator[str]:
    """Yield the locations that match a uri: up to each slash, with it and without it, and all."""
    start = 0
    for _ in range(deepest + 1):
        end = uri.find("/", start)
        if end < 0:
            break
        if end:
            yield uri[:end]
        yield uri[: end + 1]
        start = end + 1
    else:
        return
    if start < len(uri):
        yield uri


def compile_section(section: AccessSection, *, allow_exponential: bool = False) -> Pattern:
    """Return the pattern of a match section; an empty match counts. Raises PatternError."""
    return compile_pattern(section.location, allow_exponential=allow_exponential, empty_counts=True)
