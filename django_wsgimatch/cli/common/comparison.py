"""The same requests to two sites, and what differs: of ``compare`` and ``import --verify``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ...answers.first_files import READING
from ...apache.importing import kind_of_file
from ...apache.reading.reading import read_file
from ...comparing.differences import Compared, Pair, compare_all
from ...comparing.expected import Expected, expected_lines, read_expected, without_expected
from ...comparing.http_client import Manner, Site
from ...comparing.reasons import by_reason
from ...comparing.rules import HEADERS, ComparisonRules
from ...comparing.targets import SAFE_METHODS, Request, RequestFile, read_requests
from ...conf import configuration
from ...doctor.findings.finding import Progress, counted
from ...exceptions import CompareError
from ...fronts.questions.questions import questions_of
from ...previews.preview import preview, preview_site
from ...previews.values import PreviewSite
from ...text import cut, readable, shown
from ...whole_files import write_whole
from .output import Output
from .subcommand import (
    ArgumentGroup,
    Options,
    add_repeatable,
    command_error,
    seconds_above_zero,
)
from .surroundings import given_surroundings
from .terminal import Screen

STANDARD_INPUT = "-"
NOTHING = "nothing was compared: there is no request in what was read"


def add_comparison_arguments(parser: ArgumentGroup) -> None:
    """Add what says how two sites are asked and compared: ``compare_sites`` takes it."""
    _add_what_is_sent(parser)
    _add_how_it_is_sent(parser)
    _add_what_is_known(parser)


def _add_what_is_sent(parser: ArgumentGroup) -> None:
    parser.add_argument("--host", default="", help="the Host header for both sites")
    send = "send this header to both sites, such as a Cookie"
    add_repeatable(parser, "--send", metavar="'NAME: VALUE'", help=send)
    header = "compare this header instead of the default ones"
    add_repeatable(parser, "--header", metavar="NAME", help=header)
    add_repeatable(parser, "--ignore", metavar="REGEX", help="ignore what matches in bodies")


def _add_how_it_is_sent(parser: ArgumentGroup) -> None:
    parser.add_argument("--jobs", type=int, default=4, help="concurrent requests (default 4)")
    parser.add_argument("--limit", type=int, help="stop after this many requests")
    parser.add_argument(
        "--timeout",
        type=seconds_above_zero,
        default=30.0,
        metavar="SECONDS",
        help="seconds to wait for the whole of a response (default 30)",
    )
    parser.add_argument("--insecure", action="store_true", help="do not verify TLS certificates")


def _add_what_is_known(parser: ArgumentGroup) -> None:
    parser.add_argument(
        "--expected", metavar="FILE", help="pass over the differences that this file keeps"
    )
    parser.add_argument(
        "--write-expected", metavar="FILE", help="write all differences to this file"
    )


@dataclass(frozen=True, slots=True)
class AliasRequests:
    """
    The requests that one alias takes, or none: how many were asked, and those that differ.

    ``alias`` is its position, as in ``preview``; None where no alias matches. Of requests that are
    made of a configuration ``directive`` is the line that they are made of.
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
    def reasons(self) -> dict[str, int]:
        """How many requests differ for what reason, the most frequent first."""
        return by_reason(each for group in self.groups for each in group.different)

    @property
    def is_success(self) -> bool:
        """Whether something was compared, and nothing differs."""
        return bool(self.reading.requests) and not self.different


def compare_sites(options: Options, output: Output) -> int:
    """Show what differs between two sites; 1 if anything does, or if nothing was asked."""
    found = _compare(options, output)
    if options["as_json"]:
        output.write_json(comparison_record(found))
        return int(not found.is_success)
    if (screen := output.screen) is not None:
        _draw(found, screen)
    else:
        output.write_lines(_lines(found))
    for remark in _remarks(found):
        output.remark(shown(remark))
    output.stdout.write(comparison_summary(found))
    return int(not found.is_success)


def _compare(options: Options, output: Output) -> Comparison:
    """Ask both sites. Raises CommandError."""
    try:
        pair = _pair_of(options)
        expected = _expected(options["expected"])
        made = _made(options)
        reading = made.reading or _read(options["file"], options["method"], options["limit"])
        with output.progress() as progress:
            jobs = max(options["jobs"], 1)
            compared = ask_sites(pair, reading, jobs, progress)
        if options["write_expected"]:
            lines = "".join(f"{line}\n" for line in expected_lines(compared))
            write_whole(options["write_expected"], lines.encode())
        compared = [without_expected(each, expected) for each in compared]
        if made.sources:
            return Comparison(reading, tuple(_by_source(made.sources, compared)))
        host = pair.manner.host or pair.new.authority
        # What is sent may name another scheme to a server that believes it.
        told = {} if pair.manner.headers else {"wsgi.url_scheme": pair.new.scheme}
        table = preview_site(configuration(), host, environ=told)
        return Comparison(reading, tuple(_groups(table, compared)))
    except CompareError as error:
        raise command_error(f"{error}.") from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise command_error(f"{error.filename}: {error.strerror}.") from error


def _pair_of(options: Options) -> Pair:
    """Return the sites and the rules that a command line names. Raises CompareError."""
    try:
        ignored = tuple(re.compile(os.fsencode(each)) for each in options["ignore"])
    except re.error as error:
        pattern = os.fsdecode(error.pattern or b"")
        raise CompareError(f"--ignore {pattern!r} is not a regular expression: {error}") from None
    return Pair(
        Site.of(options["old"]),
        Site.of(options["new"]),
        Manner(
            host=options["host"] or None,
            headers=tuple(map(_header, options["send"])),
            timeout=options["timeout"],
            verifies=not options["insecure"],
        ),
        ComparisonRules(tuple(options["header"] or HEADERS), ignored),
    )


def _header(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"([!#-'*+.^-z|~\w-]+):\s*([^\r\n\0]*)", text, re.ASCII)
    if match is None:
        raise CompareError(f"--send {text!r} should be 'NAME: VALUE', a header")
    return match[1], match[2]


def _read(path: str, methods: Iterable[str], most: int | None) -> RequestFile:
    """Read what is to be asked; "-" is standard input. Raises OSError."""
    allowed = (*SAFE_METHODS, *methods)
    if path == STANDARD_INPUT:
        return read_requests(sys.stdin.buffer, allowed, most)
    with open(path, "rb") as file:
        return read_requests(file, allowed, most)


@dataclass(frozen=True, slots=True)
class _Made:
    """Requests that are made of a configuration, each with its line; none without one."""

    reading: RequestFile | None
    sources: Mapping[Request, str]


def _made(options: Options) -> _Made:
    """Return what is made of a configuration. Raises CompareError."""
    if not options["from_import"]:
        return _Made(None, {})
    found = read_file(options["file"], given_surroundings(options))
    if found.refusals:
        first = found.refusals[0]
        raise CompareError(f"{first.spot}: {first.reason}: {first.cure}")
    questions = questions_of(found, kind_of_file)[: options["limit"]]
    host = options["host"]
    made = {Request("GET", each.target, host or each.host): each.source for each in questions}
    return _Made(RequestFile(tuple(made), (), 0), made)


def _expected(path: str | None) -> Expected:
    """Read the differences that are expected. Raises OSError, and CompareError."""
    if path is None:
        return frozenset()
    with open(path, encoding="utf-8", errors="replace") as file:
        return read_expected(file, path)


def ask_sites(pair: Pair, reading: RequestFile, jobs: int, progress: Progress) -> list[Compared]:
    """Ask both sites everything, and return what differs. Raises CompareError."""
    told = counted(reading.requests, "Comparing", progress)
    asked = compare_all(pair, reading.requests, jobs)
    return [each for _, each in zip(told, asked, strict=True)]


def _by_source(
    sources: Mapping[Request, str], compared: Iterable[Compared]
) -> Iterator[AliasRequests]:
    """Yield what differs by the lines of a configuration, in their order."""
    found: dict[str, list[Compared]] = {}
    for each in compared:
        found.setdefault(sources[each.request], []).append(each)
    for source, asked in found.items():
        different = tuple(each for each in asked if each.differences)
        yield AliasRequests(None, source, len(asked), different)


def _groups(table: PreviewSite, compared: Sequence[Compared]) -> Iterator[AliasRequests]:
    # By what takes a request: an alias, or an entry that comes before all of them.
    of_taker: dict[tuple[int | None, str | None], list[Compared]] = {}
    without_files = replace(table, files=None)
    for each in compared:
        asked_for_file = each.request.method in READING
        shown = preview(table if asked_for_file else without_files, each.request.target)
        taker = shown.alias, shown.file_first or shown.directive
        of_taker.setdefault(taker, []).append(each)
    for taker in sorted(of_taker, key=_order):
        asked = of_taker[taker]
        different = tuple(each for each in asked if each.differences)
        yield AliasRequests(*taker, len(asked), different)


def _order(taker: tuple[int | None, str | None]) -> tuple[bool, int, bool, str]:
    """Aliases as they are tried, then what comes before them, then the fallback."""
    alias, directive = taker
    return alias is None, alias or 0, directive is None, directive or ""


def _heading(group: AliasRequests) -> str:
    """An alias as ``preview`` shows it, and how many of its requests differ."""
    if group.alias is not None:
        alias = readable(f"[{group.alias}] {group.directive}")
    else:
        alias = "no alias" if group.directive is None else readable(group.directive)
    return f"{alias}: {len(group.different)} of {group.asked} differ"


def _lines(comparison: Comparison) -> Iterator[str]:
    """What differs, by alias, as text."""
    for group in comparison.groups:
        yield _heading(group)
        for each in group.different:
            yield f"  {readable(str(each.request))}"
            for difference in each.differences:
                yield f"    {shown(difference.what)}"
                yield f"      old: {shown(difference.old)}"
                yield f"      new: {shown(difference.new)}"
    if comparison.different:
        yield "By reason:"
    for reason, count in comparison.reasons.items():
        yield f"  {count} {shown(reason)}"


def _draw(comparison: Comparison, screen: Screen) -> None:
    """Draw a table of what differs, below the alias that takes the requests."""
    for group in comparison.groups:
        screen.line(_heading(group), "different" if group.different else "same")
        rows = []
        for each in group.different:
            for number, difference in enumerate(each.differences):
                request = "" if number else readable(str(each.request))
                texts = (request, difference.what, difference.old, difference.new)
                rows.append([(text, "") for text in texts])
        if rows:
            screen.table(("request", "what", "old", "new"), rows)
    counted_by_reason = [
        [(str(count), ""), (shown(reason), "")] for reason, count in comparison.reasons.items()
    ]
    if counted_by_reason:
        screen.table(("requests", "reason"), counted_by_reason)


def _remarks(comparison: Comparison) -> Iterator[str]:
    """Yield what was not asked, and why."""
    for skipped in comparison.reading.skipped:
        told = f"line {skipped.line}: {cut(skipped.reason, 100)}"
        yield f"{told}: {cut(readable(skipped.text), 200)}"


def comparison_summary(comparison: Comparison) -> str:
    """Return the counts in a sentence."""
    reading = comparison.reading
    more = []
    if reading.repeated:
        more.append(_counted(reading.repeated, "line repeats another", "lines repeat others"))
    if reading.skipped:
        more.append(_counted(len(reading.skipped), "line was skipped", "lines were skipped"))
    asked = _counted(len(reading.requests), "request", "requests")
    told = f"{asked}, {comparison.different} differ" if reading.requests else NOTHING
    return "; ".join([told, *more]) + "."


def _counted(count: int, one: str, more: str) -> str:
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
        "groups": [
            {
                "alias": group.alias,
                "directive": group.directive,
                "requests": group.asked,
                "different": len(group.different),
            }
            for group in comparison.groups
        ],
        "reasons": [
            {"reason": reason, "requests": count} for reason, count in comparison.reasons.items()
        ],
    }
