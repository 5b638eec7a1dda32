"""Whether an import opens anything in silence, a short run of tests.conformance.silence."""

from __future__ import annotations

import pytest

from tests.conformance.silence import compare, compare_random
from tests.support.imports import CONFIGURATIONS
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED
from tests.thorough import mostly_thorough

pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)


@pytest.mark.parametrize("seed", mostly_thorough(["8-1", "8-5", "900-9"]))
def test_a_random_configuration_is_opened_nowhere_in_silence(seed):
    found = compare_random(seed)

    assert found.opened == [], str(found)
    assert found.requests > 500


@pytest.mark.parametrize("seed", mostly_thorough(["h1", "e15", "b3"], "e15"))
def test_redirects_and_files_answer_as_in_apache(seed):
    found = compare_random(seed, "answers")

    assert (found.opened, found.others) == ([], []), str(found)
    assert found.same > 200


def test_what_is_left_open_is_seen():
    found = [compare_random(seed, is_open=True) for seed in ("8-2", "8-4")]

    assert sum(len(each.opened) for each in found) > 50


@pytest.mark.skipif(not CONFIGURATIONS.exists(), reason="needs the real configurations")
@pytest.mark.parametrize("number", mostly_thorough(["003", "239", "084"]))
def test_a_real_configuration_is_opened_nowhere_in_silence(number):
    [path] = CONFIGURATIONS.glob(f"{number}_*.conf")

    found = compare(path)

    assert found.opened == [], str(found)
