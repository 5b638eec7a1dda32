"""
The long comparison of files that come first: ``python -m tests.conformance.first_files.comparing``.

A real Apache sends what is a file, by ``RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-f``, and says
410 to all else; we send what WSGIMATCH_FILES_FIRST finds, and an application says 410. Random
requests go to both: who answers, the status, the headers and the body. Every run prints its seed,
and the first difference ends it.

Apache sends a file for POST, too, and has answers of its own for other methods: here they are the
application's, which is looked at without Apache.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.answers.first_files import READING, FilesFirst, TriedFiles
from django_wsgimatch.dispatcher import Dispatcher
from tests.answers.files.sites import (
    HOW_TO_INSTALL,
    INSTALLED,
    LOADED,
    MIME_CONFIGURATION,
    PLACES,
    FileSites,
    Place,
    Question,
    can_be_compared,
    make_folder,
)
from tests.fuzz.files import random_question
from tests.support.oracle import MODULES, Apache, as_apache, configuration, free_port
from tests.support.trees import open_directory

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

GONE = 410
FOLDERS = tuple(place for place in PLACES if not place.file and place.name != "plain")
# Without an index of its own a folder is the application's.
PLAIN = Place("plain", "DirectoryIndex disabled", replace(PLACES[0].options, index=()))
FIRST = (PLAIN, *FOLDERS)
RULE = """\
RewriteCond %{{REQUEST_URI}} ^/{name}(/|$)
RewriteCond %{{DOCUMENT_ROOT}}%{{REQUEST_URI}} !-f
{indexes}RewriteRule ^ - [G]
"""
INDEX = "RewriteCond %{{DOCUMENT_ROOT}}%{{REQUEST_URI}}/{index} !-f\n"
# How often a question is asked again: the second may have passed in between.
ATTEMPTS = 4


def gone(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("410 Gone", [("Content-Type", "text/html"), ("Content-Length", "0")])
    return []


class FirstSites(FileSites):
    """The folders of all places below one DocumentRoot, and an application behind them."""

    def __init__(self, directory, port):
        super().__init__(directory, port)
        entries = [
            Alias(
                f"/{place.name}",
                f"{directory}/{place.name}",
                answer=replace(place.options, follow_symlinks=place.follow_symlinks),
            )
            for place in FIRST
        ]
        files = TriedFiles([AliasTable([each]) for each in entries], AliasTable([]))
        self._first = FilesFirst(Dispatcher(AliasTable([]), gone), files)

    def application(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        return self._first(environ, start_response)


@contextmanager
def first_sites() -> Iterator[FirstSites]:
    """Run an Apache that sends what is a file, and says 410 to all else."""
    with ExitStack() as stack:
        directory = stack.enter_context(open_directory())
        port = free_port()
        text = configuration(directory, port).replace("WSGI", "#WSGI")
        text = re.sub(r"(?m)^LoadModule (wsgi|env)_module.*$", "", text)
        for name in (*LOADED, "rewrite"):
            text += f"LoadModule {name}_module {MODULES}/mod_{name}.so\n"
        text += f'Include "{MIME_CONFIGURATION}"\n'
        text += '<FilesMatch "^\\.ht">\nRequire all denied\n</FilesMatch>\nTraceEnable Off\n'
        (directory / "root").mkdir()
        text += f'DocumentRoot "{directory}/root"\nRewriteEngine On\n'
        for place in FIRST:
            make_folder(directory / "root" / place.name)
            indexes = "".join(INDEX.format(index=each) for each in place.options.index)
            text += RULE.format(name=place.name, indexes=indexes)
            text += (
                f'<Directory "{directory}/root/{place.name}">\n{place.directives}\n</Directory>\n'
            )
        (directory / "httpd.conf").write_text(text)
        Apache(directory, directory / "httpd.conf", port, stack)
        sites = FirstSites(directory / "root", port)
        # Another user may not come to Python's own files, and some are imported late.
        sites.ours(Question("/plain/a.txt", headers=(("Range", "bytes=0-0,2-2"),)))
        yield sites


def compare(sites: FirstSites, random: Random, requests: int) -> Counter[str]:
    """Compare so many answers; return how many there were of each kind."""
    found: Counter[str] = Counter()
    while found.total() < requests:
        question = random_question(random, time.time())
        if is_compared(question):
            found[check(sites, question)] += 1
    return found


def is_compared(question: Question) -> bool:
    """Whether it asks for a place of ours, and nothing that we answer otherwise on purpose."""
    return can_be_compared(question) and question.target.strip("/").split("/")[0] not in (
        "one.txt",
    )


def check(sites: FirstSites, question: Question) -> str:
    """Compare one answer, and return what kind it is. Raises AssertionError."""
    if question.method not in READING:
        ours = sites.ours(question)
        assert ours.status in (GONE, 400, 404), (question, ours)
        return "other methods"
    for attempt in range(ATTEMPTS):
        ours, theirs = sites.ours(question), sites.apache(question)
        if ours == theirs:
            break
        assert attempt < ATTEMPTS - 1, f"{question}\nours:   {ours}\nApache: {theirs}"
    kinds = {GONE: "the application", 200: "files", 206: "files", 304: "files", 301: "redirects"}
    return kinds.get(ours.status, f"status {ours.status}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare files that come first with Apache's.")
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    options = parser.parse_args()
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return 2
    print(f"--seed {options.seed}")
    with first_sites() as sites, as_apache():
        for kind, count in compare(sites, Random(options.seed), options.requests).most_common():
            print(f"{count:7} {kind}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
