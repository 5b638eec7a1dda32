"""What ``manage.py wsgimatch compare`` does: ask two sites the same, sort by alias what differs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..comparing.asking import Manner, Site
from ..comparing.differences import Compared, Pair
from ..comparing.rules import HEADERS, ComparisonRules
from ..comparing.running import compare_all
from ..comparing.targets import SAFE_METHODS, RequestFile, read_requests
from ..conf import Configuration
from ..doctor.told.progress import Progress
from ..exceptions import CompareError
from ..preview import PreviewSite, preview
from ..text import cut, readable, shown
from .lookups import site

STANDARD_INPUT = "-"
NO_ALIAS = "no alias"
NOTHING = "nothing was compared: there is no request in what was read"


@dataclass(frozen=True, slots=True)
class AliasRequests:
    """
    The requests that one alias takes, or none: how many were asked, and those that differ.

    ``alias`` is its position, as in ``preview``; None where no alias matches.
    """

    alias: int | None
    directive: str | None
    asked: int
    different: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that was read and compared."""

    reading: RequestFile
    groups: tuple[AliasRequests, ...]

    @property
    def different(self) -> int:
        """How many requests differ."""
        return sum(len(group.different) for group in self.groups)

    @property
    def is_success(self) -> bool:
        """Whether something was compared, and nothing differs."""
        return bool(self.reading.requests) and not self.different


def pair_of(options: dict[str, Any]) -> Pair:
    """Return the sites and the rules that a command line names. Raises CompareError."""
    try:
        ignored = tuple(re.compile(os.fsencode(each)) for each in options["ignore"])
    except re.error as error:
        pattern = os.fsdecode(error.pattern or b"")
        raise CompareError(f"--ignore {pattern!r} is no regular expression: {error}") from None
    return Pair(
        Site.of(options["old"]),
        Site.of(options["new"]),
        Manner(
            host=options["host"] or None,
            headers=tuple(map(_header, options["send"])),
            timeout=options["timeout"],
            verifies=not options["insecure"],
        ),
        ComparisonRules(tuple(options["headers"] or HEADERS), ignored),
    )


def _header(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"([!#-'*+.^-z|~\w-]+):\s*([^\r\n\0]*)", text, re.ASCII)
    if match is None:
        raise CompareError(f"--send {text!r} should be 'NAME: VALUE', a header")
    return match[1], match[2]


def read_request_file(path: str, methods: Iterable[str], most: int | None) -> RequestFile:
    """Read what is to be asked; "-" is standard input. Raises OSError."""
    allowed = (*SAFE_METHODS, *methods)
    if path == STANDARD_INPUT:
        return read_requests(sys.stdin.buffer, allowed, most)
    with open(path, "rb") as file:
        return read_requests(file, allowed, most)


def compare_sites(
    configured: Configuration, pair: Pair, reading: RequestFile, jobs: int, progress: Progress
) -> Comparison:
    """Ask both sites, and sort what differs by alias. Raises CompareError."""
    compared = []
    for done, each in enumerate(compare_all(pair, reading.requests, jobs), 1):
        compared.append(each)
        progress(done, len(reading.requests), "Comparing")
    table = site(configured, pair.manner.host or pair.new.authority)
    return Comparison(reading, tuple(_groups(table, compared)))


def _groups(table: PreviewSite, compared: Sequence[Compared]) -> Iterator[AliasRequests]:
    of_alias: dict[int | None, list[Compared]] = {}
    directives: dict[int | None, str | None] = {None: None}
    for each in compared:
        shown = preview(table, each.request.target)
        directives[shown.alias] = shown.directive
        of_alias.setdefault(shown.alias, []).append(each)
    for alias in sorted(of_alias, key=lambda position: (position is None, position)):
        asked = of_alias[alias]
        different = tuple(each for each in asked if each.differences)
        yield AliasRequests(alias, directives[alias], len(asked), different)


def alias_name(group: AliasRequests) -> str:
    """Return an alias as ``preview`` shows it."""
    if group.alias is None:
        return NO_ALIAS
    return readable(f"[{group.alias}] {group.directive}")


def lines(comparison: Comparison) -> Iterator[str]:
    """Yield what differs, by alias, as text."""
    for group in comparison.groups:
        yield f"{alias_name(group)}: {len(group.different)} of {group.asked} differ"
        for each in group.different:
            yield f"  {readable(str(each.request))}"
            for difference in each.differences:
                yield f"    {shown(difference.what)}"
                yield f"      old: {shown(difference.old)}"
                yield f"      new: {shown(difference.new)}"


def remarks(comparison: Comparison) -> Iterator[str]:
    """Yield what was not asked, and why."""
    for skipped in comparison.reading.skipped:
        told = f"line {skipped.line}: {cut(skipped.reason, 100)}"
        yield f"{told}: {cut(readable(skipped.text), 200)}"


def comparison_summary(comparison: Comparison) -> str:
    """Return the counts in a sentence."""
    reading = comparison.reading
    more = []
    if reading.repeated:
        more.append(_lines(reading.repeated, "line repeats another", "lines repeat others"))
    if reading.skipped:
        more.append(_lines(len(reading.skipped), "line was skipped", "lines were skipped"))
    asked = _lines(len(reading.requests), "request", "requests")
    told = f"{asked}, {comparison.different} differ" if reading.requests else NOTHING
    return "; ".join([told, *more]) + "."


def _lines(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def comparison_record(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as ``compare --json`` has it."""
    return {
        "requests": len(comparison.reading.requests),
        "repeated": comparison.reading.repeated,
        "skipped": [asdict(each) for each in comparison.reading.skipped],
        "different": [
            {
                "method": each.request.method,
                "target": each.request.target,
                "alias": group.alias,
                "directive": group.directive,
                "differences": [asdict(difference) for difference in each.differences],
            }
            for group in comparison.groups
            for each in group.different
        ],
    }
