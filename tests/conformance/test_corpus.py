"""Every line of the corpus, which holds what Apache answered, put to django-wsgimatch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from django_wsgimatch.aliases.patterns.engine import pcre2_package
from django_wsgimatch.exceptions import TableError
from tests.conformance.corpus_cases import (
    CASES,
    HOST,
    OUT_OF_REACH,
    Case,
    Sites,
    asked,
    headers_of,
    questions,
    text,
)
from tests.support.oracle import Answer, as_apache
from tests.support.serving import serve
from tests.support.trees import open_directory

# Here the script, once it runs, decides what becomes of the request.
SCRIPT_DECIDES = {"broken-scripts", "env-group"}
# In these tables are patterns that Python's re cannot run exactly.
NEEDS_PCRE2 = {"groups", "pcre", "pcre-flags", "pcre-quirks"}


def is_refused(case: Case) -> bool:
    return "rejected" in case["observed"]


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
