"""
The corpus: requests and lines, and what Apache made of them.

``tests/corpus/public.jsonl`` is a survey, ``found.jsonl`` what random comparisons have turned up
since. In both ``{ROOT}`` is a table's directory and ``{HOST}`` its ServerName; ``observed_6.1.1``
holds what mod_wsgi 6.1.1 answers otherwise than 4.9.4, and wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from django_wsgimatch.dispatcher import Dispatcher
from tests.conformance.configuration import Site, read_configuration
from tests.support.oracle import Request
from tests.support.trees import build_tree

Case = dict[str, Any]

CORPUS = Path(__file__).parent / "corpus"
HOST = "corpus.test"

# These topics exercise Apache itself, not what it makes of an alias.
APACHE_ITSELF = {"wire", "bodies", "methods", "access", "outside-mod-wsgi", "debian-modules"}

OUT_OF_REACH = {
    "public-0403": "how long a request line may be is for the WSGI server to say",
    "public-0425": "UseCanonicalName On has no setting: group names keep the port of the Host",
    "public-0428": "UseCanonicalName On has no setting: group names keep the port of the target",
    "public-0463": "WSGIRestrictProcess has no setting",
}
# What a table says of a <Location> or a <Directory> is said by an alias of its own here.
SECTIONS = {
    "public-server_groups": (
        'WSGIScriptAliasMatch "^/a(?=/loc(/|$))" {ROOT}/s.wsgi application-group=locgrp',
        "WSGIScriptAlias /c {ROOT}/d application-group=dirgrp",
    ),
    "public-process_group_default": (
        'WSGIScriptAliasMatch "^/auth(?=/emb(/|$))" {ROOT}/s.wsgi process-group=%{GLOBAL}',
    ),
}


def read_corpus() -> list[Case]:
    files = [CORPUS / "public.jsonl", CORPUS / "found.jsonl"]
    cases = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    for case in cases:
        case["observed"] |= case.get("observed_6.1.1", {})
    return [case for case in cases if case["tag"] not in APACHE_ITSELF]


CASES = read_corpus()


def questions(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """One test for each case, named after its line of the corpus."""
    return pytest.mark.parametrize(
        "case", [pytest.param(case, id=f"{case['id']}-{case['tag']}") for case in cases]
    )


class Sites:
    """The corpus's tables and their files, made when first asked for."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.dispatchers: dict[str, Dispatcher] = {}
        self.sites: dict[str, Site] = {}

    def root(self, case: Case) -> Path:
        return self.directory / str(case["table"]["name"])

    def site(self, case: Case) -> Site:
        name: str = case["table"]["name"]
        if name not in self.sites:
            lines = [
                *case["table"].get("server_directives", []),
                *SECTIONS.get(name, []),
                *case["table"]["directives"],
            ]
            configuration = read_configuration(lines, self.root(case))
            self.sites[name] = Site(HOST, configuration.table(), configuration)
            build_tree(self.root(case), case["table"]["tree"])
        return self.sites[name]

    def dispatcher(self, case: Case) -> Dispatcher:
        name = case["table"]["name"]
        if name not in self.dispatchers:
            self.dispatchers[name] = self.site(case).dispatcher()
        return self.dispatchers[name]


def headers_of(case: Case) -> dict[str, str]:
    return dict(header.split(": ", 1) for header in case["request"].get("headers", []))


def asked(case: Case) -> Request:
    return Request(case["request"]["target"], case["request"].get("host", "{HOST}"))


def text(value: str | None) -> str | None:
    return None if value is None else value.replace("{HOST}", HOST)
