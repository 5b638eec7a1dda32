"""Imported headers, variables and limits beside Apache, a short run of the comparison."""

from __future__ import annotations

import pytest

from tests.conformance.around.extras import compare_extras
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED

pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)


@pytest.mark.parametrize("seed", ["4-11", "1"])
def test_random_sites_are_answered_as_in_apache(seed):
    compared = compare_extras(seed, hosts=25)

    assert compared.differences == [], str(compared)
    assert compared.to_scripts > 40
