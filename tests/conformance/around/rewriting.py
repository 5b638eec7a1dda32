"""
Rules that pass URLs on (RewriteRule with PT): imported sites beside Apache with mod_wsgi.

``python -m tests.conformance.around.rewriting --requests 4000`` makes random virtual hosts with
such rules among others, aliases, redirects and access rules, imports them, and compares the status,
who answers, SCRIPT_NAME, PATH_INFO, REQUEST_URI and QUERY_STRING. Of hosts of which the import
leaves something to the user it only counts what they answer and Apache refuses.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from django_wsgimatch.aliases.redirecting import header_url
from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.answers.proxies.asked import asked_of
from django_wsgimatch.answers.rewriter import Rewriter
from django_wsgimatch.answers.rewriting.rewrites import NewUrl, RewritesByHost
from django_wsgimatch.apache.importing import Imported, import_configuration
from django_wsgimatch.apache.lines.directive import Surroundings
from django_wsgimatch.apache.reading.reading import read_file
from django_wsgimatch.conf import configuration, rewrites_by_host
from django_wsgimatch.configured import Configuration
from django_wsgimatch.dispatcher import Dispatcher
from tests.conformance.around.extras import hosts_told
from tests.conformance.around.random_rewriting import (
    AGENTS,
    REWRITTEN_TREE,
    random_method,
    random_rewriting,
    random_rewritten_target,
)
from tests.conformance.imports import settings_of
from tests.conformance.sites.gates import gate_before
from tests.support.both_servers import apache
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED, MODULES, as_apache
from tests.support.raw_http import fetch
from tests.support.trees import open_directory
from tests.support.wsgi import TELL, call, make_environ

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOSTS_AT_ONCE, TARGETS = 60, 14
_MODULES = ("alias", "rewrite", "env", "mime", "dir", "authz_host")
_TOLD = ("SCRIPT_NAME", "PATH_INFO", "REQUEST_URI", "QUERY_STRING")
_CLOSED = (403, "")
_SERVER = "AllowEncodedSlashes {}\n"


@dataclass(frozen=True, slots=True)
class RewrittenQuestion:
    """A request to a virtual host."""

    host: str
    target: str
    method: str
    agent: str

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The headers of the request."""
        found = {b"Host": self.host.encode(), b"User-Agent": self.agent.encode()}
        return {name: value for name, value in found.items() if value}


# The status, and what a script was told, the text of a file or a Location.
Seen = tuple[int, tuple[str | None, ...] | str]


@dataclass(slots=True)
class RewritingComparison:
    """What became of some requests: how many there were, by kind, and the differences."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[tuple[str, RewrittenQuestion, Seen, Seen]] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        shown = (
            f"{asked}\n{lines}\n    ours   {ours}\n    Apache {theirs}"
            for lines, asked, ours, theirs in self.differences[:4]
        )
        return "\n  ".join([f"{counts}; {len(self.differences)} differences", *shown])


def compare_rewriting(seed: str, requests: int) -> RewritingComparison:
    """Compare what Apache and the import answer to at least so many requests."""
    compared = RewritingComparison()
    batch = 0
    while compared.counts["requests"] < requests:
        count = min(HOSTS_AT_ONCE, 1 + requests // TARGETS)
        _compare_batch(compared, Random(f"{seed}-{batch}"), count)
        batch += 1
    return compared


def _compare_batch(compared: RewritingComparison, rng: Random, hosts: int) -> None:
    with open_directory() as directory:
        root = directory / "tree"
        for name in REWRITTEN_TREE:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(TELL if name.endswith(".wsgi") else f"the file {name}")
        lines = [_SERVER.format(rng.choice(("Off", "Off", "On", "NoDecode"))).strip()]
        starts, texts = {}, {}
        for number in range(hosts):
            host = f"host{number}.test"
            own = [line.replace("{ROOT}", str(root)) for line in random_rewriting(rng)]
            starts[host], texts[host] = len(lines) + 1, "\n".join(own)
            slashes = lines[0]
            own = "\n".join(["<VirtualHost *>", f"ServerName {host}", slashes, *own]).split("\n")
            lines += [*own, "</VirtualHost>"]
        (directory / "site.conf").write_text("\n".join([*lines, ""]))
        imported = import_configuration(read_file(str(directory / "site.conf"), Surroundings()))
        asked = [
            RewrittenQuestion(
                host, random_rewritten_target(rng), random_method(rng), rng.choice(AGENTS)
            )
            for host in starts
            for _ in range(TARGETS)
        ]
        theirs = _ask_apache(directory, asked)
        _compare(compared, imported, starts, texts, list(zip(asked, theirs, strict=True)))


def _compare(
    compared: RewritingComparison,
    imported: Imported,
    starts: dict[str, int],
    texts: dict[str, str],
    asked: Sequence[tuple[RewrittenQuestion, Seen]],
) -> None:
    assert imported.settings is not None
    told = hosts_told(imported, starts)
    compared.counts["hosts told"] += len(told)
    compared.counts["hosts left out"] += len(starts) - len(told)
    with settings_of(imported.settings), as_apache():
        configured = configuration()
        configured.require()
        rewrites = rewrites_by_host(configured)
        application = _application(configured, rewrites)
        for question, theirs in asked:
            ours, is_rewritten = _ask_us(application, question)
            compared.counts["requests"] += 1
            is_told = question.host in told
            compared.counts["compared"] += is_told
            compared.counts["rewritten"] += is_told and is_rewritten
            compared.counts["rewritten to scripts"] += (
                is_told and is_rewritten and isinstance(theirs[1], tuple)
            )
            # Apache rewrites no encoded question mark into a URL.
            is_opened = theirs[0] in (401, 403) and ours[0] == 200 and "%3f" not in question.target
            compared.counts["opened"] += is_opened and is_told
            # A rule that is left, and named, sends nothing elsewhere.
            compared.counts["opened by what is left to the user"] += is_opened and not is_told
            if is_told and ours == _CLOSED and theirs != ours:
                new = _new_url(configured.rules, rewrites, question)
                if new is not None and ("dots" in new.reason or "//" in new.uri):
                    # Access rules of the plain URL hold here for these, too.
                    compared.counts["closed here"] += 1
                    continue
            where = 0 if is_opened else len(compared.differences)
            if is_told and not _agree(ours, theirs):
                found = texts[question.host], question, ours, theirs
                compared.differences.insert(where, found)


def _application(configured: Configuration, rewrites: RewritesByHost) -> WSGIApplication:
    """What the server has for these settings, with all scripts in its own process."""
    dispatcher = Dispatcher(
        configured.table,
        rules=configured.rules,
        server_name=configured.values["SERVER_NAME"],
        server_ports=None,
    )
    return Rewriter(
        gate_before(configured, dispatcher),
        rewrites,
        dispatcher.server_of,
        rules=configured.rules,
    )


def _new_url(rules: Rules, rewrites: RewritesByHost, asked: RewrittenQuestion) -> NewUrl | None:
    environ = make_environ(asked.target, method=asked.method, HTTP_HOST=asked.host)
    environ["HTTP_USER_AGENT"] = asked.agent
    found = asked_of(environ, rules)
    if found is None:
        return None
    return rewrites.for_host(asked.host).apply(found.uri, environ["QUERY_STRING"], environ)


def _agree(ours: Seen, theirs: Seen) -> bool:
    if ours == theirs:
        return True
    if 300 <= ours[0] <= 399 and theirs == _CLOSED and "?" in ours[1]:
        # An encoded question mark in the URL of a redirect, where no rule passes URLs on.
        return True
    if theirs == (500, "") and ours[0] in (403, 404, 405):
        # Apache rewrites the names of index files, too, and may go round in a circle.
        return True
    # What a missing or closed file is answered with is the file server's concern.
    return ours[0] in (403, 404, 405) and theirs[0] in (403, 404, 405)


def _ask_apache(directory: Path, asked: Sequence[RewrittenQuestion]) -> list[Seen]:
    (directory / "nothing").mkdir()
    (directory / "mime.types").write_text("text/html html\ntext/plain txt\ntext/css css\n")
    modules = "".join(f"LoadModule {n}_module {MODULES}/mod_{n}.so\n" for n in _MODULES)
    modules += f"DocumentRoot {directory}/nothing\nTypesConfig {directory}/mime.types\n"
    lines = f'{modules}Include "{directory}/site.conf"\n'
    with apache(directory, lines, ()) as address:
        port = int(address.rpartition(":")[2])
        return [_asked_of_apache(port, each) for each in asked]


def _asked_of_apache(port: int, asked: RewrittenQuestion) -> Seen:
    found = fetch(
        ("127.0.0.1", port),
        asked.target.encode("latin-1"),
        method=asked.method.encode(),
        headers={**asked.headers, **({b"Content-Length": b"0"} if asked.method == "POST" else {})},
    )
    location = found.headers.get("location", "").replace(f":{port}/", "/", 1)
    return _seen(found.status, header_url(location), found.body)


def _ask_us(application: WSGIApplication, asked: RewrittenQuestion) -> tuple[Seen, bool]:
    headers = {"User-Agent": asked.agent} if asked.agent else {}
    environ = make_environ(asked.target, method=asked.method, headers=headers)
    environ |= {"HTTP_HOST": asked.host, "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1"}
    environ["REQUEST_URI"] = asked.target
    # The second time meets what the first one has left: plans, and what is remembered.
    answers = [call(application, environ) for _ in range(3)]
    found = [_seen(e.code, dict(e.headers).get("Location", ""), e.body) for e in answers]
    if found != found[:1] * 3:
        return (0, f"it is not always the same: {found}"), False
    return found[0], b'"wsgimatch.uri"' in answers[0].body


def _seen(status: int, location: str, body: bytes) -> Seen:
    if status == 200 and body.startswith(b"{"):
        said = json.loads(body)
        name = said["__file__"].rpartition("/tree/")[2]
        return status, (name, *(said.get(key) for key in _TOLD))
    if 300 <= status <= 399:
        return status, location
    return status, body.decode("latin-1") if status == 200 else ""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare rules that pass URLs on with Apache.")
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    options = parser.parse_args(arguments)
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    print(f"--seed {options.seed}")
    logging.disable(logging.CRITICAL)
    compared = compare_rewriting(options.seed, options.requests)
    print(compared)
    return int(bool(compared.differences))


if __name__ == "__main__":
    raise SystemExit(main())
