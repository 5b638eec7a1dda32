"""
The long comparison with Apache: ``python -m tests.conformance.tables --pairs 20000 --lines 1000``.

Random tables are put to a real Apache with mod_wsgi and to django-wsgimatch, and random requests
to both. Every run prints its seed, and what differs as the smallest table and target that still
do. Debian's mod_wsgi 4.9 writes SCRIPT_NAME in lower case into the names of application groups;
that is overlooked, unless ORACLE_MODULE names another mod_wsgi.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from django_wsgimatch.aliases.directives import parse_directive
from django_wsgimatch.aliases.table import AliasTable, compile_location
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.exceptions import (
    DirectiveError,
    ExponentialPattern,
    TableError,
    UnsupportedPattern,
)
from tests.conformance.configuration import Site, read_configuration
from tests.conformance.made.random_tables import Case, main_table, random_case, random_line
from tests.support.oracle import (
    HOW_TO_INSTALL,
    INSTALLED,
    Answer,
    Oracle,
    Request,
    Table,
    as_apache,
    refused_lines,
)
from tests.support.serving import serve
from tests.support.trees import CALLABLE_OBJECTS, open_directory

Question = tuple[Table, Site, Request]

TABLES_AT_ONCE = 250
REQUESTS_TO_A_TABLE = 8
REPORTED = 5
LOWER_CASE_GROUPS = "ORACLE_MODULE" not in os.environ


@dataclass(frozen=True, slots=True)
class Difference:
    """One question and the two answers; where there is no request, what is said of the table."""

    table: Table
    request: Request | None
    ours: Answer | str | None
    apache: Answer | str | None

    def __str__(self) -> str:
        lines = [*self.table.directives, f"tree {self.table.tree}", f"{self.request}"]
        return "\n    ".join([*lines, f"ours   {self.ours}", f"Apache {self.apache}"])


@dataclass(slots=True)
class Tally:
    """What has been compared so far."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        return f"{counts}; {len(self.differences)} differences"


def compare_tables(seed: str, pairs: int) -> Tally:
    """Compare at least ``pairs`` random pairs of a table and a request."""
    tally = Tally()
    batch = 0
    while tally.counts["pairs"] < pairs:
        left = -(-(pairs - tally.counts["pairs"]) // REQUESTS_TO_A_TABLE)
        names = [f"{seed}-{batch}-{number}" for number in range(min(left, TABLES_AT_ONCE))]
        cases = [usable(random_case(name, REQUESTS_TO_A_TABLE), tally) for name in names]
        main = main_table(f"{seed}-{batch}")
        known = len(tally.differences)
        compare_cases(cases, main, tally)
        for number in range(known, min(len(tally.differences), REPORTED)):
            tally.differences[number] = shrink(tally.differences[number], main)
        batch += 1
    return tally


def usable(case: Case, tally: Tally) -> Case:
    """``case`` without the lines whose patterns django-wsgimatch declines to use."""
    lines = tuple(line for line in case.table.directives if not is_declined(line))
    tally.counts["lines"] += len(case.table.directives)
    tally.counts["lines declined"] += len(case.table.directives) - len(lines)
    return replace(case, table=replace(case.table, directives=lines))


def is_declined(line: str) -> bool:
    """Whether a line's pattern wants the pcre2 engine, or could keep it busy for ages."""
    try:
        compile_location(parse_directive(line))
    except (UnsupportedPattern, ExponentialPattern):
        return True
    except DirectiveError:
        pass
    return False


def compare_cases(cases: Sequence[Case], main: Table, tally: Tally) -> None:
    """Add to ``tally`` what Apache and django-wsgimatch say of ``cases``."""
    with Oracle([case.table for case in cases], main) as oracle:
        sites = {case.table.name: site_or_refusal(oracle, case.table, main) for case in cases}
        asked = []
        for case in cases:
            site, message = sites[case.table.name], oracle.refused.get(case.table.name)
            if isinstance(site, Site) and message is None:
                asked += [(case.table, site, request) for request in case.requests]
                continue
            tally.counts["refused tables"] += 1
            if site != message:
                refusal = None if isinstance(site, Site) else site
                tally.differences.append(Difference(case.table, None, refusal, message))
        answers = oracle.ask_all([(table.name, request) for table, _, request in asked])
        with as_apache():
            compare_answers(asked, answers, tally)
            # An empty target is no target to a WSGI application.
            compare_dispatchers([question for question in asked if question[2].target], tally)


def compare_answers(asked: Sequence[Question], answers: Sequence[Answer], tally: Tally) -> None:
    """Add to ``tally`` where a resolution is not what Apache answered."""
    for (table, site, request), answer in zip(asked, answers, strict=True):
        tally.counts["pairs"] += 1
        tally.counts[f"answered {answer.status}"] += 1
        ours = site.answer(request)
        if not agree(ours, answer):
            tally.differences.append(Difference(table, request, ours, answer))


def compare_dispatchers(asked: Sequence[Question], tally: Tally) -> None:
    """Add to ``tally`` where serving a request gives anything but what its resolution says."""
    dispatchers: dict[str, Dispatcher] = {}
    # The second round meets what the first one left: loaded scripts and kept plans.
    for table, site, request in (*asked, *asked):
        if table.name not in dispatchers:
            dispatchers[table.name] = site.dispatcher()
        resolved = site.answer(request)
        variables = site.configuration.environment_of({})
        served = serve(dispatchers[table.name], request.to(site.name), variables=variables)
        if not is_served(resolved, served):
            tally.differences.append(Difference(table, request, str(served), resolved))


def is_served(resolved: Answer, served: dict[str, Any]) -> bool:
    if resolved.status != 200:
        return served == {"status": resolved.status or 204}
    if resolved.callable_object not in CALLABLE_OBJECTS:
        return served == {"status": 404}
    return served == {
        "status": 200,
        "file": resolved.script,
        "callable": resolved.callable_object,
        "SCRIPT_NAME": resolved.script_name,
        "PATH_INFO": resolved.path_info,
        "QUERY_STRING": resolved.query_string,
        "HTTP_AUTHORIZATION": None,
    }


def site_or_refusal(oracle: Oracle, table: Table, main: Table) -> Site | str:
    """The site of a table, or why it is refused: Apache ends at the first error."""
    configuration = read_configuration(table.directives, oracle.root(table.name))
    rest = read_configuration(main.directives, oracle.root(main.name)).table().aliases
    try:
        aliases = (*configuration.table().aliases, *rest)
    except TableError as error:
        return str(error.errors[0][1])
    hosts = {table.name: AliasTable(aliases)}
    return Site(table.name, AliasTable(rest, virtual_hosts=hosts), configuration)


def agree(ours: Answer, apache: Answer) -> bool:
    if LOWER_CASE_GROUPS and ours.application_group and apache.application_group:
        ours = replace(ours, application_group=ours.application_group.lower())
        apache = replace(apache, application_group=apache.application_group.lower())
    return ours == apache


def shrink(found: Difference, main: Table) -> Difference:
    """The smallest difference that leaving out lines and characters leads to."""
    while True:
        tally = Tally()
        compare_cases(list(smaller(found)), main, tally)
        if not tally.differences:
            return found
        found = min(tally.differences, key=size)


def size(difference: Difference) -> int:
    target = difference.request.target if difference.request else ""
    return len("".join(difference.table.directives)) + len(target)


def smaller(found: Difference) -> Iterator[Case]:
    """The difference's question with one line or one piece of the target left out."""
    lines = found.table.directives
    requests = (found.request,) if found.request else ()
    for place in range(len(lines)):
        rest = lines[:place] + lines[place + 1 :]
        yield Case(Table(f"line{place}.test", rest, found.table.tree), requests)
    for request in requests:
        step = max(1, len(request.target) // 40)
        for place in range(0, len(request.target), step):
            target = request.target[:place] + request.target[place + step :]
            table = replace(found.table, name=f"target{place}.test")
            yield Case(table, (replace(request, target=target),))


def compare_lines(seed: str, count: int) -> Tally:
    """Compare what is said of ``count`` random directive lines."""
    rng = Random(seed)
    lines = [random_line(rng) for _ in range(count)]
    with open_directory() as directory:
        refused = refused_lines(lines, directory)
    tally = Tally(Counter({"directive lines": count, "refused lines": len(refused)}))
    for number, line in enumerate(lines):
        ours, apache = message_of(line), refused.get(number)
        if ours != apache:
            table = Table("lines.test", (line,))
            tally.differences.append(Difference(table, None, ours, apache))
    return tally


def message_of(line: str) -> str | None:
    """Why a directive line is refused, None if it is not."""
    try:
        AliasTable.from_directives([line, "#"], process_groups=())
    except TableError as error:
        [(_, reason)] = error.errors
        return str(reason) if isinstance(reason, DirectiveError) else None
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare django-wsgimatch with Apache.")
    parser.add_argument("--pairs", type=int, default=20_000, help="of a table and a request")
    parser.add_argument("--lines", type=int, default=1_000, help="directive lines")
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    options = parser.parse_args(arguments)
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return 2
    print(f"--seed {options.seed}")
    # Every script that cannot answer would be told of.
    logging.disable(logging.CRITICAL)
    return report(
        (compare_tables(options.seed, options.pairs), compare_lines(options.seed, options.lines))
    )


def report(tallies: Iterable[Tally]) -> int:
    """Print the tallies; the exit code is 1 where something differs."""
    differ = False
    for tally in tallies:
        print(tally)
        for difference in tally.differences[:REPORTED]:
            print(difference)
        differ = differ or bool(tally.differences)
    return int(differ)


if __name__ == "__main__":
    raise SystemExit(main())
