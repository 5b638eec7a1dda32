"""Patterns against the system's PCRE2, which is what Apache runs them on."""

from __future__ import annotations

import sys

import pytest

from tests.fuzz import patterns as fuzz_patterns
from tests.support import pcre2_library

pytestmark = pytest.mark.skipif(
    pcre2_library.LIBRARY is None,
    reason="needs the system's PCRE2: apt install libpcre2-8-0",
)


# Fixed, so that a run tells about the code and not about luck; make fuzz takes others.
SEED = 1


def test_random_patterns_match_as_in_pcre2():
    tally = fuzz_patterns.compare(5000, SEED)

    assert tally.differences == []
    # Before, re had no atomic groups.
    assert tally.refused_share < (0.12 if sys.version_info >= (3, 11) else 0.17)


def test_random_patterns_match_as_in_pcre2_on_the_package_too():
    pytest.importorskip("pcre2", reason="needs the pcre2 extra")

    tally = fuzz_patterns.compare(2000, SEED, engine="pcre2")

    assert tally.differences == []
    assert tally.refused_share < 0.015


def test_difference_is_found_and_told(monkeypatch, capsys):
    """The comparison itself must be able to fail."""
    monkeypatch.setattr(fuzz_patterns.Generator, "pattern", lambda self: "^/a")
    monkeypatch.setattr(fuzz_patterns.Generator, "uri", lambda self: "/a")
    monkeypatch.setattr(pcre2_library.Pattern, "search", lambda self, uri: None)

    status = fuzz_patterns.main(["--cases", "4", "--seed", "1"])

    assert status == 1
    assert "'^/a' on '/a': (('/a',), 2) instead of None" in capsys.readouterr().out
