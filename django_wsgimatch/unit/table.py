"""The entries of a table as they grow, in Unit's order, which is not always that of a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from ..aliases.alias import Alias, Denial, Extras, Redirection
from ..aliases.directives import root_of
from ..aliases.file_options import FileOptions
from ..apache.lines.directive import Directive
from ..apache.writing.settings import Written
from ..others.draft import closing_note, written
from ..others.regexes import as_regex
from .applications import UnitTarget
from .patterns import UriRegion

_REDIRECT, _FIRST, _FILES, _SCRIPT = range(4)
_REST = "(?s:/.*)"


@dataclass(slots=True)
class UnitTable:
    """
    The entries of a host.

    A table tries redirects first, then files, then applications, whatever their order, up to an
    entry that refuses: what comes later in Unit's and sooner in a table's order leaves out the URIs
    of those before it. ``first`` are files that come before all of them, where they are there.
    """

    entries: list[Written] = field(default_factory=list)
    first: list[Written] = field(default_factory=list)
    _before: list[tuple[int, UriRegion]] = field(default_factory=list)
    # The same, those before an entry that refuses too: files come before all of that.
    _all_before: list[tuple[int, UriRegion]] = field(default_factory=list)

    def send(
        self,
        target: UnitTarget,
        region: UriRegion,
        lines: Iterable[Directive],
        extras: Extras | None = None,
    ) -> None:
        """Send URIs to an application, with its prefix as SCRIPT_NAME where it has one."""
        lines = list(lines)
        if target.prefix:
            self._send_below(target, region, lines, extras)
        if not (target.prefix and _is_below(region, target.prefix)):
            # Where a match is "/", SCRIPT_NAME is empty, and PATH_INFO the whole path.
            location = "/" if region.is_all else f"^{region.lookaheads()}/"
            found = self._script(target, location, is_plain=region.is_all)
            self._add(replace(found, extras=extras), lines)
        self._answered(_SCRIPT, region)

    def _send_below(
        self,
        target: UnitTarget,
        region: UriRegion,
        lines: list[Directive],
        extras: Extras | None,
    ) -> None:
        prefix = target.prefix
        below = {rf"{as_regex(prefix)}\z", f"{as_regex(prefix)}/"}
        has_all = len(region.rules) == 1 and not region.rules[0].negatives
        is_plain = region.is_all or (
            has_all and {test.regex for test in region.rules[0].positives} == below
        )
        pattern = rf"^{region.lookaheads()}{as_regex(prefix)}(?=/|\z)"
        found = self._script(target, prefix if is_plain else pattern, is_plain=is_plain)
        self._add(replace(found, extras=extras), lines)

    def _script(self, target: UnitTarget, location: str, *, is_plain: bool) -> Alias:
        kind: Literal["plain", "match"] = "plain" if is_plain else "match"
        return Alias(location, target.target, kind, process_group=target.group, is_module=True)

    def share(
        self,
        path: str,
        index: str,
        region: UriRegion,
        lines: Iterable[Directive],
        extras: Extras | None = None,
    ) -> None:
        """Answer URIs with a file, or with those of a folder where ``path`` ends in ``$uri``."""
        alias = self._files(path, index, region, _FILES)
        self._add(replace(alias, extras=extras), lines)
        self._answered(_FILES, region)

    def share_first(
        self,
        path: str,
        index: str,
        region: UriRegion,
        lines: Iterable[Directive],
        extras: Extras | None = None,
    ) -> None:
        """Answer URIs with what is there of a folder, before all other entries."""
        alias = replace(self._files(path, index, region, _FIRST), extras=extras)
        if alias.kind == "plain" and alias.location == "/":
            assert isinstance(alias.answer, FileOptions)
            alias = replace(root_of(alias.target, alias.answer), extras=extras)
        self.first.append(written(alias, lines))

    def _files(self, path: str, index: str, region: UriRegion, rank: int) -> Alias:
        options = FileOptions((index,))
        folder, is_folder = path.removesuffix("$uri"), path.endswith("$uri")
        without = self._without(rank, region)
        test = region.test
        is_plain = (
            is_folder
            and not without
            and (
                region.is_all or (test is not None and test.is_prefix and test.start.endswith("/"))
            )
        )
        if is_plain:
            start = "/" if test is None else test.start
            return Alias(start, f"{folder}{start}", answer=options)
        pattern = f"^{region.lookaheads(without)}{_REST}"
        target = f"{_escaped_template(folder)}$0" if is_folder else _escaped_template(path)
        return Alias(pattern, target, "match", answer=options)

    def answer(self, status: int, url: str, region: UriRegion, lines: Iterable[Directive]) -> None:
        """Answer URIs with a status, and with a URL that ``$0`` stands for the path in."""
        if status == 403:
            self.close(region, lines, "return 403")
            return
        pattern = f"^{region.lookaheads(self._without(_REDIRECT, region))}{_REST}"
        self._add(Alias(pattern, "", "match", answer=Redirection(url, status)), lines)
        self._answered(_REDIRECT, region)

    def close(self, region: UriRegion, lines: Iterable[Directive], note: str = "") -> None:
        """Refuse URIs with 403; without a ``note`` until somebody decides."""
        lines = list(lines)
        denial = Denial(note or closing_note(lines))
        if region.is_all:
            self._add(Alias("/", "", answer=denial), lines)
        else:
            self._add(Alias(f"^{region.lookaheads()}/", "", "match", answer=denial), lines)
        # What is written behind an entry that refuses is tried behind it.
        self._before.clear()

    def _answered(self, rank: int, region: UriRegion) -> None:
        self._before.append((rank, region))
        self._all_before.append((rank, region))

    def _without(self, rank: int, region: UriRegion) -> list[UriRegion]:
        before = self._all_before if rank == _FIRST else self._before
        return [each for other, each in before if other > rank and not region.is_apart_from(each)]

    def _add(self, alias: Alias, lines: Iterable[Directive]) -> None:
        self.entries.append(written(alias, lines))


def _is_below(region: UriRegion, prefix: str) -> bool:
    """Whether all URIs of a region are a prefix or below it."""
    return any(
        rule.positives
        and all(
            test.start.startswith(f"{prefix}/") or (test.is_exact and test.start == prefix)
            for test in rule.positives
        )
        for rule in region.rules
    )


def _escaped_template(text: str) -> str:
    """Return text as the target of a match alias has it, in which ``$`` and ``&`` are special."""
    return text.replace("\\", r"\\").replace("$", r"\$").replace("&", r"\&")
