"""What an import from another server makes of options, and the report on each of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from ..aliases.alias import CONDITION, Alias
from ..apache.importing import Imported
from ..apache.lines.directive import Directive, Refusal, Spot
from ..apache.outcomes.outcome import Category, Ledger, outcome, refused
from ..apache.processes.processes import ProcessGroup
from ..apache.writing.setting import Setting
from ..apache.writing.settings import Hosts, Settings, Written

UNKNOWN = "the import does not know it: see what it does, and whether a setting says the same"
ROOT_USER = (
    "it would run as root, which no process group may: name another user, and `serve "
    "--allow-user NAME`"
)
_NOTHING = "What no entry answers is 404. Without this line, Django answers."


@dataclass(slots=True)
class Draft:
    """
    The settings as they grow, and the ledger in which the report is kept.

    ``options`` are all that was read, in the report's order. ``groups`` are by their names,
    ``first`` are the files that come before the entries.
    """

    options: list[Directive] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    groups: dict[str, ProcessGroup] = field(default_factory=dict)
    entries: list[Written] = field(default_factory=list)
    hosts: dict[str, list[Written]] = field(default_factory=dict)
    others: list[Setting] = field(default_factory=list)
    first: list[Written] = field(default_factory=list)

    def note(self, option: Directive, category: Category, text: str) -> None:
        """Say what became of an option."""
        self.ledger.note(option, category, text)

    def refuse(self, spot: Spot, text: str, reason: str, cure: str) -> None:
        """Say that something cannot be read: then there are no settings."""
        self.refusals.append(Refusal(spot, text, reason, cure))

    def new_group_name(self, wanted: str) -> str:
        """Return a name for a process group that no other one has."""
        name = "".join(c if c.isprintable() and c != "%" else "_" for c in wanted) or "imported"
        names = chain([name], (f"{name}-{number}" for number in count(2)))
        return next(each for each in names if each not in self.groups)

    def add_group(self, name: str, options: dict[str, Any], source: Directive) -> None:
        """Define a process group; ``source`` is where the configuration speaks of it first."""
        self.groups[name] = ProcessGroup(name, options, {}, source)

    def imported(self) -> Imported:
        """Return the settings and the report."""
        outcomes = [*map(refused, self.refusals)]
        for each in self.options:
            if each.is_off:
                outcomes.append(outcome(each, "off", each.because))
            else:
                told = self.ledger.outcome(each)
                outcomes.append(told or outcome(each, "unknown", UNKNOWN))
        settings = None if self.refusals else self._settings()
        return Imported(settings, tuple(outcomes))

    def _settings(self) -> Settings:
        hosts = tuple(self._hosts())
        # What any host has, and the list for all others, where that is not empty by design.
        lists = [*([] if "*" in self.hosts else [self.entries]), *self.hosts.values()]
        others = list(self.others)
        if not all(any(each.alias.location == "/" for each in entries) for entries in lists):
            others.append(Setting("WSGIMATCH_FALLBACK", None, _NOTHING))
        return Settings(
            tuple(self.entries),
            hosts,
            tuple(self.groups.values()),
            tuple(others),
            first=tuple(self.first),
        )

    def _hosts(self) -> Iterator[Hosts]:
        """Yield the hosts; one that has the same entries as an earlier one names that."""
        first: dict[tuple[Written, ...], str] = {}
        for name, entries in self.hosts.items():
            same_as = first.setdefault(tuple(entries), name)
            is_first = same_as == name
            yield Hosts(name, tuple(entries) if is_first else (), None if is_first else same_as, ())


def written(alias: Alias, options: Iterable[Directive], comment: str = "") -> Written:
    """Return an entry as the settings have it, with the places that it comes from."""
    return Written(alias, tuple(dict.fromkeys(each.spot for each in options)), comment)


def latin1(text: str) -> str:
    """Return text as entries have it, a character a byte of its UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def path_within(base: str, path: str) -> str:
    """Return a path, made absolute from a folder and without ``.`` and ``..`` in it."""
    return os.path.normpath(os.path.join(base, path))


def account_to_allow(options: Mapping[str, Any]) -> str:
    """Return what --allow-user says for the user and the group of a process group."""
    names = (options[key] for key in ("user", "group") if key in options)
    return ":".join(str(name).removeprefix("#") for name in names)


def closing_note(options: Sequence[Directive]) -> str:
    """Return what the note of an entry says that refuses what nobody has decided on yet."""
    return f"{CONDITION}: {', '.join(str(each.spot) for each in options)}"
