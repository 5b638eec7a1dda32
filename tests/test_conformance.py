"""
Every line of the corpus, which holds what Apache answered, put to django-wsgimatch.

``tests/corpus/public.jsonl`` is a survey, ``found.jsonl`` what random comparisons have turned up
since. In both ``{ROOT}`` is a table's directory and ``{HOST}`` its ServerName; ``observed_6.1.1``
holds what mod_wsgi 6.1.1 answers otherwise than 4.9.4, and wins.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from django_wsgimatch.aliases.patterns.engine import pcre2_package
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.exceptions import TableError
from tests.configuration import Site, read_configuration
from tests.oracle import Answer, Request, as_apache
from tests.serving import serve
from tests.trees import build_tree, open_directory

Case = dict[str, Any]

CORPUS = Path(__file__).parent / "corpus"
HOST = "corpus.test"

# These topics exercise Apache itself, not what it makes of an alias.
APACHE_ITSELF = {"wire", "bodies", "methods", "access", "outside-mod-wsgi", "debian-modules"}
# Here the script, once it runs, decides what becomes of the request.
SCRIPT_DECIDES = {"broken-scripts", "env-group"}
# In these tables are patterns that Python's re cannot run exactly.
NEEDS_PCRE2 = {"groups", "pcre", "pcre-flags", "pcre-quirks"}
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


def is_refused(case: Case) -> bool:
    return "rejected" in case["observed"]


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


@pytest.fixture(scope="module")
def sites() -> Iterator[Sites]:
    with open_directory() as directory:
        yield Sites(directory)


@pytest.fixture(autouse=True)
def _skip_what_cannot_be_tried(case: Case) -> None:
    if case["id"] in OUT_OF_REACH:
        pytest.skip(OUT_OF_REACH[case["id"]])
    if case["tag"] in NEEDS_PCRE2 and pcre2_package() is None:
        pytest.skip("needs the pcre2 extra")
    if os.geteuid() != 0 and ("owner" in str(case["table"]["tree"]) or is_private(case)):
        pytest.skip("needs root, to give files away and to read them as another user")


def is_private(case: Case) -> bool:
    return bool(case["tag"] == "fs-permissions")


def headers_of(case: Case) -> dict[str, str]:
    return dict(header.split(": ", 1) for header in case["request"].get("headers", []))


def asked(case: Case) -> Request:
    return Request(case["request"]["target"], case["request"].get("host", "{HOST}"))


def text(value: str | None) -> str | None:
    return None if value is None else value.replace("{HOST}", HOST)


@questions(case for case in CASES if is_refused(case))
def test_a_line_is_refused_in_the_words_of_apache(case: Case, sites: Sites) -> None:
    with pytest.raises(TableError) as caught:
        sites.site(case)

    [(_, reason)] = caught.value.errors
    assert str(reason) == case["observed"]["rejected"]


@questions(case for case in CASES if not is_refused(case) and case["observed"]["matched"])
def test_a_matched_request_is_mapped_as_by_mod_wsgi(case: Case, sites: Sites) -> None:
    observed = case["observed"]
    site = sites.site(case)

    with as_apache() if is_private(case) else nullcontext():
        answer = site.answer(asked(case), headers_of(case))

    if case["tag"] in SCRIPT_DECIDES and observed["script"] is None:
        assert (answer.status, answer.matched) == (200, True)
    elif observed["status"] != 200:
        assert answer == Answer(observed["status"], True)
    else:
        assert answer == Answer(
            200,
            True,
            f"{sites.root(case)}/{observed['script']}",
            observed["script_name"],
            observed["path_info"],
            observed["query_string"],
            observed["process_group"],
            text(observed["application_group"]),
            observed.get("callable", "application"),
        )


@questions(case for case in CASES if not is_refused(case) and not case["observed"]["matched"])
def test_any_other_request_is_left_alone_or_refused(case: Case, sites: Sites) -> None:
    status = case["observed"]["status"]
    site = sites.site(case)

    answer = site.answer(asked(case), headers_of(case))

    # A 404 may be Apache's for the target, or for a file that is not in the document root.
    assert answer == Answer(400) if status == 400 else answer in (Answer(None), Answer(404))


@questions(case for case in CASES if not is_refused(case))
def test_a_request_is_dispatched_as_by_mod_wsgi(case: Case, sites: Sites) -> None:
    observed = case["observed"]
    site, dispatcher = sites.site(case), sites.dispatcher(case)
    headers = headers_of(case)
    variables = site.configuration.environment_of(headers)
    # The broken scripts break PEP 3333 as well.
    validate = case["tag"] != "broken-scripts"

    with as_apache() if is_private(case) else nullcontext():
        first, second = (
            serve(dispatcher, asked(case).to(HOST), headers, variables, validate=validate)
            for _ in range(2)
        )

    assert second == first
    if not observed["matched"]:
        assert first["status"] in ((400,) if observed["status"] == 400 else (204, 404))
    elif observed["script"] is None:
        assert first["status"] == observed["status"]
    else:
        assert first == {
            "status": 200,
            "file": f"{sites.root(case)}/{observed['script']}",
            "callable": observed.get("callable", "application"),
            "SCRIPT_NAME": observed["script_name"],
            "PATH_INFO": observed["path_info"],
            "QUERY_STRING": observed["query_string"],
            "HTTP_AUTHORIZATION": observed.get("authorization"),
        }
