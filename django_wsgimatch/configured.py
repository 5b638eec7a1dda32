"""What the settings hold, read and judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .aliases.access.sections import AccessSection
from .aliases.alias import Alias
from .aliases.resolve import Rules
from .aliases.table import AliasTable
from .answers.proxies.trusted import TrustedProxies
from .daemon.options import GroupOptions
from .doctor.findings.finding import CannotStart, findings_summary
from .doctor.table.mistakes import mistake
from .entries import FileEntry
from .entry_options.error_pages import PagesByHost
from .exceptions import WSGIMatchError

# The lists of entries beside the tables.
_MORE = ("PLAIN_HTTP", "FILES_FIRST", "ACCESS")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a setting or an entry; ``where`` is its name, as in a settings file."""

    where: str
    error: WSGIMatchError

    def __str__(self) -> str:
        cause = self.error.__cause__
        return f"{self.where}: {self.error}" + (f" ({cause})" if cause else "")


@dataclass(frozen=True, slots=True)
class Configuration:
    """
    The settings, read and judged.

    ``table`` holds the usable entries at their places; what is unusable stands in ``problems``.
    ``groups`` are the process groups' options; ``access`` the usable sections of access rules;
    ``proxies`` says what is taken from trusted proxies, None where that is nothing; ``time`` is
    when all this was read, on time.monotonic()'s clock, which all processes of a machine share.
    ``plain_http`` are the entries that answer requests over plain HTTP before all else, None where
    there are none. ``files_first`` are the usable entries of files that come before the table;
    ``error_pages`` are what takes the place of our own small pages.
    """

    table: AliasTable
    rules: Rules
    values: Mapping[str, Any]
    problems: tuple[Problem, ...]
    groups: Mapping[str, GroupOptions]
    proxies: TrustedProxies | None
    time: float
    access: tuple[AccessSection, ...] = ()
    plain_http: NamedTable | None = None
    files_first: tuple[FirstEntry, ...] = ()
    error_pages: PagesByHost = field(default_factory=lambda: PagesByHost({}))

    def require(self) -> None:
        """Raise CannotStart with what ``wsgimatch check`` says of all problems, if any."""
        if not self.problems:
            return
        entries = self.entries()
        found = [mistake(each.where, each.error, entries.get(each.where)) for each in self.problems]
        lines = [line for finding in found for line in finding.lines()]
        raise CannotStart("\n".join([*lines, findings_summary(found)]))

    def entries(self) -> dict[str, object]:
        """Return the entries as the settings hold them, by name."""
        named: dict[str, object] = {}
        more = (GivenList(f"WSGIMATCH_{name}", self.values[name]) for name in _MORE)
        for given in (*given_lists(self.values).values(), *more):
            named.update(zip(given.names(), given.entries, strict=True))
        return named

    def all_tables(self) -> Iterator[NamedTable]:
        """Yield the entries for plain HTTP, which come first, and then all tables."""
        yield from self.tables_before_files()
        yield from self.tables()

    def tables_before_files(self) -> tuple[NamedTable, ...]:
        """Return the entries for plain HTTP, which answer before the files that come first."""
        return () if self.plain_http is None else (self.plain_http,)

    def names_in_order(self) -> Iterator[str]:
        """Yield the names of all entries, as requests meet them."""
        for named in self.tables_before_files():
            yield from (name for _, name in named.own_names())
        yield from self.names_of_first_files()
        for named in self.tables():
            yield from (name for _, name in named.own_names())

    def access_sections(self) -> Iterator[tuple[str, AccessSection]]:
        """Yield the usable sections of access rules, each with its name in the settings."""
        broken = {problem.where for problem in self.problems}
        names = GivenList("WSGIMATCH_ACCESS", self.values["ACCESS"]).names()
        return zip((name for name in names if name not in broken), self.access, strict=True)

    def names_of_first_files(self) -> Iterator[str]:
        """Yield the names of all entries of files that come first, usable or not."""
        return GivenList("WSGIMATCH_FILES_FIRST", self.values["FILES_FIRST"]).names()

    def tables(self) -> Iterator[NamedTable]:
        """Yield the table of each virtual host, and last that for every host."""
        lists = given_lists(self.values)
        for host, given in lists.items():
            table = self.table if host is None else self.table.virtual_hosts[host]
            yield NamedTable(host, table, given, lists[None])


@dataclass(frozen=True, slots=True)
class FirstEntry:
    """An entry of WSGIMATCH_FILES_FIRST, ``table`` holds it alone; ``where`` is its name."""

    where: str
    table: AliasTable

    @property
    def alias(self) -> Alias:
        """The entry as an alias."""
        return self.table.aliases[0]


@dataclass(frozen=True, slots=True)
class NamedTable:
    """
    The table of a virtual host, or of all others (``host`` None), and what its entries are called.

    The entries for every host are in a virtual host's table too, but are not its own.
    """

    host: str | None
    table: AliasTable
    _own: GivenList
    _common: GivenList

    def own_names(self) -> Iterator[tuple[int, str]]:
        """Yield the position and the name of each of its own entries, as they are tried."""
        most = len(self._own.entries)
        for position, number in enumerate(self.table.order):
            if number < most:
                yield position, self._own.name(number)

    def name(self, position: int) -> str:
        """Return the name of the entry at a position of the table, its own or not."""
        number, most = self.table.order[position], len(self._own.entries)
        return self._own.name(number) if number < most else self._common.name(number - most)


@dataclass(frozen=True, slots=True)
class GivenList:
    """A list of entries as the settings hold it, and its name there."""

    setting: str
    entries: Sequence[object]

    def names(self) -> Iterator[str]:
        """Yield the names of the entries: they are made when somebody asks."""
        return map(self.name, range(len(self.entries)))

    def name(self, number: int) -> str:
        entry = self.entries[number]
        file = f" ({entry.source})" if isinstance(entry, FileEntry) and entry.line else ""
        return f"{self.setting}[{number}]{file}"


def given_lists(values: Mapping[str, Any]) -> dict[str | None, GivenList]:
    """The lists of entries by virtual host, that for every host last."""
    lists: dict[str | None, GivenList] = {
        host: GivenList(f"WSGIMATCH_VIRTUAL_HOSTS[{host!r}]", entries)
        for host, entries in values["VIRTUAL_HOSTS"].items()
    }
    lists[None] = GivenList("WSGIMATCH_ALIASES", values["ALIASES"])
    return lists
