"""No file, function or folder of the package is larger than one can take in."""

from __future__ import annotations

from tests.house.counts import faults, modules
from tests.house.modules import PACKAGE


def test_nothing_is_too_large_but_the_folder_of_the_package_itself():
    found = list(faults(PACKAGE, modules(PACKAGE)))

    # Its modules are what users import, and what stands above all folders.
    assert found == ["django_wsgimatch has 20 files"]
