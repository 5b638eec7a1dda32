"""Whether an exported configuration answers as the original, a short run of its harness."""

from __future__ import annotations

import pytest

from tests.conformance.apache_site import ApacheSite
from tests.conformance.export_cases import CASES, TREE
from tests.conformance.exports import LOADED_HERE, PASSWORD_LINE, verify_random, verify_site
from tests.support.both_servers import needs_apache
from tests.support.oracle import free_port
from tests.support.trees import build_tree, open_directory

pytestmark = needs_apache


def verified(name):
    """What became of one of the cases."""
    with open_directory() as directory:
        tree, port = directory / "tree", free_port()
        build_tree(tree, TREE)
        (tree / "users").write_text(PASSWORD_LINE)
        text = CASES[name].replace("{ROOT}", str(tree)).replace("{PORT}", str(port))
        return verify_site(name, ApacheSite(directory, text, {80: port}, [], LOADED_HERE))


@pytest.mark.parametrize("name", CASES)
def test_what_apache_keeps_stays_kept(name):
    found = verified(name)

    assert found.opened == 0, str(found)
    assert found.requests > 50


@pytest.mark.parametrize(("seed", "kind"), [("77-3", "access"), ("77-4", "refusals")])
def test_a_random_configuration_is_opened_nowhere(seed, kind):
    found = verify_random(seed, kind)

    assert found.opened == 0, str(found)
