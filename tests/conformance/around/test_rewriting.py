"""Imported rules that pass URLs on beside Apache, a short run of the comparison."""

from __future__ import annotations

import pytest

from tests.conformance.around.rewriting import compare_rewriting
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)


@pytest.mark.parametrize("seed", mostly_thorough(["1", "2"]))
def test_random_urls_are_passed_on_as_in_apache(seed):
    compared = compare_rewriting(seed, requests=300)

    assert compared.differences == [], str(compared)
    assert compared.counts["rewritten to scripts"] > 5
