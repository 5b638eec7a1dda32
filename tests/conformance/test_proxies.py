"""A short run of tests.conformance.proxies: what a proxy's headers make of a request."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.conformance.made.proxy_requests import random_asked, random_trusts
from tests.conformance.proxies import TRUSTS, compare, compare_all
from tests.conformance.proxy_sides import Ours, apache
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED
from tests.support.trees import open_directory

pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)

REQUESTS = 600


def test_mod_wsgi_and_we_make_the_same_of_random_headers():
    tally = compare_all("1", REQUESTS)

    assert [str(difference) for difference in tally.differences] == []
    assert tally.requests == REQUESTS
    assert tally.facts > 20 * REQUESTS


def test_the_comparison_finds_a_server_that_trusts_everybody():
    trusts = random_trusts("1", TRUSTS)
    gullible = [replace(trust, proxies=("0.0.0.0/0",)) for trust in trusts]
    with ExitStack() as stack:
        theirs = stack.enter_context(apache(trusts))
        ours = Ours(gullible, theirs.port, stack.enter_context(open_directory()))

        tally = compare(theirs, ours, random_asked("1", trusts, 100))

    assert len(tally.differences) > 20
