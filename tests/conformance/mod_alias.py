"""
The long comparison with mod_alias: ``python -m tests.conformance.mod_alias --requests 20000``.

Random tables of Alias, Redirect and WSGIScriptAlias are put to a real Apache and to
django-wsgimatch, and random requests to both: their status, their Location, and which entry
answers, which the file or the script tells. Every run prints its seed, and the first differences.

What is overlooked: Apache adds the port that it listens on to the host, which a client would have
named, and sends blanks and bytes that are not ASCII in a Location as they are. What a missing file
is answered with is the file server's concern.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import posixpath
import sys
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from django_wsgimatch.aliases.alias import Redirection
from django_wsgimatch.aliases.redirecting import header_url
from django_wsgimatch.aliases.resolve import Resolution
from django_wsgimatch.aliases.table import NOT_COMPILED
from django_wsgimatch.dispatcher import Dispatcher
from tests.conformance.configuration import Site
from tests.conformance.made.random_mod_alias import common_table, random_mod_alias_line, random_site
from tests.conformance.made.random_tables import Case
from tests.conformance.tables import (
    Difference,
    Tally,
    message_of,
    report,
    site_or_refusal,
    usable,
)
from tests.support.oracle import (
    HOW_TO_INSTALL,
    INSTALLED,
    Oracle,
    Reply,
    Request,
    Table,
    as_apache,
    refused_lines,
)
from tests.support.trees import open_directory
from tests.support.wsgi import make_environ

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SITES_AT_ONCE = 250
REQUESTS_TO_A_SITE = 8
# What Apache takes and cannot answer.
OWN_WORDS = ("the location of a redirect should", "the status of a redirect should")

Question = tuple[Table, Site, Request]


def compare_sites(seed: str, requests: int) -> Tally:
    """Compare at least so many random pairs of a table and a request."""
    tally = Tally()
    batch = 0
    count = min(SITES_AT_ONCE, 1 + requests // REQUESTS_TO_A_SITE)
    while tally.counts["requests"] < requests:
        names = [f"{seed}-{batch}-{number}" for number in range(count)]
        cases = [usable(random_site(name, REQUESTS_TO_A_SITE), tally) for name in names]
        main = common_table(f"{seed}-{batch}")
        compare_batch(cases, main, tally)
        batch += 1
    return tally


def compare_batch(cases: Sequence[Case], main: Table, tally: Tally) -> None:
    """Add to ``tally`` what Apache and django-wsgimatch answer to ``cases``."""
    with Oracle([case.table for case in cases], main) as oracle:
        asked: list[Question] = []
        for case in cases:
            site = site_or_refusal(oracle, case.table, main)
            message = oracle.refused.get(case.table.name)
            if isinstance(site, Site) and message is None:
                asked += [(case.table, site, request) for request in case.requests]
            elif site != message:
                said = None if isinstance(site, Site) else site
                tally.differences.append(Difference(case.table, None, said, message))
        replies = oracle.replies([(table.name, request) for table, _, request in asked])
        with as_apache():
            compare_replies(asked, replies, oracle, tally)


def compare_replies(
    asked: Sequence[Question], replies: Sequence[Reply], oracle: Oracle, tally: Tally
) -> None:
    """Add to ``tally`` where the corridor or a dispatcher answers otherwise than Apache."""
    dispatchers: dict[str, Dispatcher] = {}
    for (table, site, request), reply in zip(asked, replies, strict=True):
        dispatcher = dispatchers.setdefault(table.name, site.dispatcher())
        resolution, environ = site.resolve(request), environ_of(request.to(site.name))
        tally.counts["requests"] += 1
        tally.counts[f"requests to {kind_of(resolution)}"] += 1
        # The second round meets what the first one has left.
        for answer in (dispatcher.walk, dispatcher, dispatcher):
            told = difference(resolution, answer, environ, reply, oracle)
            if told is not None:
                tally.differences.append(Difference(table, request, *told))
                break


def difference(
    resolution: Resolution,
    application: WSGIApplication,
    environ: dict[str, Any],
    reply: Reply,
    oracle: Oracle,
) -> tuple[str, str] | None:
    """What both say, in words, where they differ."""
    ours, theirs = served(resolution, application, environ), as_told(resolution, reply, oracle)
    return None if ours == theirs else (str(ours), str(theirs))


def served(
    resolution: Resolution, application: WSGIApplication, environ: dict[str, Any]
) -> tuple[object, ...]:
    """What django-wsgimatch answers: its kind, and what tells the entry."""
    kind = kind_of(resolution)
    if kind == "missing files":
        return kind, True
    status, headers, body = ask(application, environ)
    match kind:
        case "redirects":
            return kind, status, headers.get("Location") if 300 <= status <= 399 else None
        case "files":
            return kind, status, body
        case "scripts" if status == 200:
            return kind, status, json.loads(body)["file"]
    return kind, status


def as_told(resolution: Resolution, reply: Reply, oracle: Oracle) -> tuple[object, ...]:
    """What Apache answers, in the same words; which entry it was, its file tells."""
    kind, match = kind_of(resolution), resolution.match
    found = reply.filename.removeprefix(str(oracle.directory))
    if kind == "nothing":
        return kind, 204 if found.startswith("/empty") and not reply.is_script else found
    if kind == "missing files":
        assert match is not None
        wanted = posixpath.normpath(match.filename)
        begins = f"{wanted}/".startswith(f"{reply.filename.rstrip('/')}/")
        return kind, begins and not reply.is_script and reply.status in (403, 404)
    if kind == "redirects":
        location = reply.location if 300 <= reply.status <= 399 else None
        own_port = f":{oracle.port}/"
        return kind, reply.status, location and header_url(location.replace(own_port, "/", 1))
    if kind == "files":
        return kind, reply.status, reply.body
    if kind == "scripts" and reply.is_script:
        return kind, reply.status, reply.filename
    return kind, reply.status


def kind_of(resolution: Resolution) -> str:
    """What answers a request."""
    match = resolution.match
    if match is None:
        return "nothing" if resolution.status is None else "no entry"
    if isinstance(match.alias.answer, Redirection):
        return "redirects"
    if match.alias.answer is None:
        return "scripts"
    if not match.filename:
        return "no file"
    return "files" if os.path.isfile(match.filename.encode("latin-1")) else "missing files"


def environ_of(request: Request) -> dict[str, Any]:
    return make_environ(
        request.target, HTTP_HOST=request.host, SERVER_NAME="server.test", SERVER_PORT="80"
    )


def ask(application: WSGIApplication, environ: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *error: object) -> Any:
        started.append((status, headers))

    body = b"".join(application(dict(environ), start_response))
    [(status, headers)] = started
    return int(status[:3]), dict(headers), body


def compare_mod_alias_lines(seed: str, count: int) -> Tally:
    """Compare what is said of ``count`` random directive lines."""
    rng = Random(seed)
    lines = [random_mod_alias_line(rng) for _ in range(count)]
    with open_directory() as directory:
        refused = refused_lines(lines, directory)
    tally = Tally(Counter({"directive lines": count, "refused lines": len(refused)}))
    for number, line in enumerate(lines):
        ours, apache = message_of(line), refused.get(number)
        is_own = apache is None and ours is not None and ours.startswith(OWN_WORDS)
        # Of two mistakes in a line Apache tells the pattern's first.
        if ours != apache and not is_own and (ours is None or apache != NOT_COMPILED):
            tally.differences.append(Difference(Table("lines.test", (line,)), None, ours, apache))
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare django-wsgimatch with mod_alias.")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--lines", type=int, default=1_000, help="directive lines")
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    options = parser.parse_args(arguments)
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return 2
    print(f"--seed {options.seed}")
    logging.disable(logging.CRITICAL)
    return report(
        (
            compare_sites(options.seed, options.requests),
            compare_mod_alias_lines(options.seed, options.lines),
        )
    )


if __name__ == "__main__":
    raise SystemExit(main())
