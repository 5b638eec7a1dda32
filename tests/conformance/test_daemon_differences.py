"""The documented list of what may differ is the one that tests.conformance.daemon goes by."""

from __future__ import annotations

import pytest

from tests.conformance.daemon import APART_FROM_APACHE, APART_FROM_EMBEDDED
from tests.support.documentation import read, rows


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        pytest.param("In a process group", APART_FROM_EMBEDDED, id="worker and group"),
        pytest.param("Beside mod_wsgi's daemon mode", APART_FROM_APACHE, id="mod_wsgi and group"),
    ],
)
def test_documented_keys_are_those_that_may_differ(title, keys):
    page = read("reference/environ.rst").partition(f"\n{title}\n")[2]

    documented = [row[0] for row in next(rows(page))]

    assert sorted(documented) == sorted(keys)
