"""Imported ErrorDocument lines beside Apache, a short run of the comparison."""

from __future__ import annotations

import pytest

from tests.conformance.around.error_pages import compare_error_pages
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED
from tests.thorough import mostly_thorough

pytestmark = [
    pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL),
    # A method that nobody knows is 501.
    pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD"),
]


@pytest.mark.parametrize("seed", mostly_thorough(["1", "2"]))
def test_errors_have_the_pages_that_apache_sends(seed):
    compared = compare_error_pages(seed, sites=10)

    assert compared.differences == [], str(compared)
    assert compared.pages > 40
