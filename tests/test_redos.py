from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from django_wsgimatch.aliases import redos
from django_wsgimatch.aliases.pattern import compile_pattern
from django_wsgimatch.aliases.pcre.parser import parse
from django_wsgimatch.exceptions import ExponentialPattern
from tests.redos_corpus import EXPONENTIAL, HARMLESS, POLYNOMIAL


class OutOfTime(Exception):
    pass


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in a search of re that lasts: re looks for signals now and then."""

    def stop(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def blow_up(source: str) -> redos.BlowUp | None:
    return redos.blow_up(parse(source).tree)


@pytest.mark.parametrize("source", EXPONENTIAL)
def test_exponential_pattern_is_found_with_a_uri_that_shows_it(source):
    found = blow_up(source)

    assert found is not None
    assert found.degree == "exponential"
    search = compile_pattern(source, engine="re", allow_exponential=True).find
    with pytest.raises(OutOfTime), at_most(0.05):
        search(found.attack)


@pytest.mark.parametrize("source", POLYNOMIAL)
def test_polynomial_pattern_is_found_with_a_uri_that_shows_it(source, monkeypatch):
    # Ten times the length, so that a hundred times the time stands out.
    monkeypatch.setattr(redos, "_POLYNOMIAL_LENGTH", 40_000)

    found = blow_up(source)

    assert found is not None
    assert found.degree == "polynomial"
    search = compile_pattern(source, engine="re").find
    with pytest.raises(OutOfTime), at_most(0.02):
        search(found.attack)


@pytest.mark.parametrize("source", HARMLESS)
def test_harmless_pattern_gives_no_alarm(source):
    assert blow_up(source) is None


def test_attack_fails_behind_the_part_that_lasts():
    found = blow_up("^/(x+x+)+y$")

    assert found == redos.BlowUp(
        "exponential", "/" + "x" * 99, "one more 'xxx' in the uri can double the time"
    )


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("(?:" + "|".join(f"w{n}" for n in range(300)) + ")+x", id="states"),
        pytest.param("(?:" + "a?" * 100 + ")*b", id="ways to pass"),
        pytest.param("(?:" + "(?:a|b?)" * 40 + ")*c", id="ways through choices"),
        pytest.param("(?:" + "(?:a?|b?)" * 6 + ")*c", id="ways without reading"),
        pytest.param("^/" + "".join(f"(?:(?:abc|abd|abe)*{c})*" for c in "fgh") + "$", id="places"),
    ],
)
def test_analysis_gives_up_in_time_and_says_so(source):
    with at_most(5):
        found = blow_up(source)

    assert found == redos.BlowUp(
        "unknown", "", "too large to be tested for catastrophic backtracking"
    )


def test_pattern_too_large_to_be_tested_is_not_refused():
    source = "(?:" + "|".join(f"w{n}" for n in range(300)) + ")+x"

    assert compile_pattern(source, engine="re").blow_up is not None


def test_long_pattern_with_one_loop_needs_no_test():
    source = "^/(" + "|".join(f"application{n}" for n in range(300)) + ")(/.*)?$"

    assert blow_up(source) is None


def test_refusal_names_the_cause_the_uri_and_both_cures():
    with pytest.raises(ExponentialPattern) as caught:
        compile_pattern("^/(a+)+$", engine="re")

    assert caught.value.attack == "/" + "a" * 66 + "!"
    assert str(caught.value) == (
        "pattern '^/(a+)+$': one more 'aa' in the uri can double the time; let no two repeats in"
        " it match the same text, or run it under PCRE2's limit of steps:"
        ' pip install "django-wsgimatch[pcre2]"'
    )


def test_polynomial_pattern_is_accepted_and_reported():
    found = compile_pattern("^/(.*)/(.*)x$", engine="re").blow_up

    assert found is not None
    assert found.degree == "polynomial"
