"""A sample of tests.daemon_conformance: the environ in a group, in a worker, in mod_wsgi."""

from __future__ import annotations

import re

import pytest

from tests.daemon_conformance import DIFFERENT, MOVED, compare
from tests.documentation import read
from tests.oracle import HOW_TO_INSTALL, INSTALLED


def test_a_group_is_given_what_the_server_s_own_worker_would_be(tmp_path):
    assert compare(60, 7, tmp_path, with_apache=False) == []


@pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)
def test_a_group_is_given_what_mod_wsgi_s_daemon_process_would_be(tmp_path):
    for path in [tmp_path, *tmp_path.parents[:3]]:
        path.chmod(0o755)

    assert compare(60, 8, tmp_path, with_apache=True) == []


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        pytest.param("In a process group", MOVED, id="between a worker and a group"),
        pytest.param("Beside mod_wsgi's daemon mode", DIFFERENT, id="between mod_wsgi and a group"),
    ],
)
def test_documented_keys_are_those_that_may_differ(title, keys):
    section = read("reference/environ.rst").partition(f"\n{title}\n")[2]
    section = re.split(r"\n\n.+\n---+\n", section)[0]

    described = dict(re.findall(r"^``(.+?)`` +(.+)$", section, re.MULTILINE))

    assert described == keys
