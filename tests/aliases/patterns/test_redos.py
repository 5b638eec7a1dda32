from __future__ import annotations

import json
import re
import sys

import pytest

from django_wsgimatch.aliases.patterns import attacks, counting, redos
from django_wsgimatch.aliases.patterns.automaton import ROUNDS_TO_COUNT, build
from django_wsgimatch.aliases.patterns.canonical import canonical
from django_wsgimatch.aliases.patterns.pattern import compile_pattern
from django_wsgimatch.aliases.patterns.pcre.parser import parse
from django_wsgimatch.aliases.patterns.plain import is_plain
from django_wsgimatch.exceptions import ExponentialPattern
from tests.aliases.patterns.redos_corpus import (
    COSTLY,
    EXPONENTIAL,
    HARMLESS,
    MADE_QUICK,
    MADE_QUICK_BY_POSSESSIVE_RUNS,
    POLYNOMIAL,
)
from tests.fuzz import redos as fuzz_redos
from tests.support import cpu_time, pcre2_library
from tests.support.made_once import made_once
from tests.thorough import mostly_thorough

if sys.version_info >= (3, 11):
    MADE_QUICK = [*MADE_QUICK, *MADE_QUICK_BY_POSSESSIVE_RUNS]

# CPU seconds: a hundred times what a sound search takes, well below what these could take.
LONG = 0.05
# What the worst uris could take is far more.
ENOUGH = 0.02


def blow_up(source: str) -> redos.BlowUp | None:
    return redos.blow_up(parse(source).tree)


def attack_on(source: str) -> str:
    found = blow_up(source)
    return found.attack if found else ""


@pytest.fixture(scope="module")
def times(tmp_path_factory):
    """The CPU time of the worst uri of every pattern that can blow up, None where it is long."""

    def measure(folder):
        searches = [(source, attack_on(source)) for source in sources]
        (folder / "times.json").write_text(json.dumps(cpu_time.seconds(searches, ENOUGH)))

    sources = [*EXPONENTIAL, *COSTLY]
    folder = made_once(tmp_path_factory, "times_of_bad_patterns", measure)
    return dict(zip(sources, json.loads((folder / "times.json").read_text()), strict=True))


@pytest.mark.parametrize("source", EXPONENTIAL)
def test_exponential_pattern_is_found_with_a_uri_that_shows_it(source, times):
    found = blow_up(source)

    assert found is not None
    assert found.degree == "exponential"
    assert times[source] is None


@pytest.mark.parametrize("source", COSTLY)
def test_costly_pattern_is_found_with_a_uri_that_shows_it(source, times):
    found = blow_up(source)

    assert found is not None
    assert found.nanoseconds > fuzz_redos.MOST_SECONDS * 1e9
    assert times[source] is None


@pytest.mark.parametrize("source", [*EXPONENTIAL, *COSTLY])
def test_pattern_that_can_take_long_is_refused_by_re(source):
    with pytest.raises(ExponentialPattern, match="pip install"):
        compile_pattern(source, engine="re")


@pytest.mark.parametrize("source", MADE_QUICK)
def test_pattern_that_is_bad_as_written_is_quick_as_re_is_given_it(source):
    assert blow_up(source) is not None
    assert compile_pattern(source, engine="re").blow_up is None


def test_patterns_that_are_made_quick_take_no_time_for_the_uris_that_were_bad():
    taken = cpu_time.seconds([(source, attack_on(source)) for source in MADE_QUICK], LONG)

    assert [source for source, time in zip(MADE_QUICK, taken, strict=True) if time is None] == []


@pytest.mark.parametrize("source", [*EXPONENTIAL, *COSTLY])
def test_pattern_that_can_take_long_runs_with_a_limit(source):
    pytest.importorskip("pcre2", reason="needs the pcre2 extra")

    assert compile_pattern(source).engine == "pcre2"


@pytest.mark.parametrize("source", POLYNOMIAL)
def test_polynomial_pattern_is_found_and_accepted(source):
    found = compile_pattern(source, engine="re").blow_up

    assert found is not None
    assert found.degree == "polynomial"
    assert found.nanoseconds < fuzz_redos.MOST_SECONDS * 1e9


def test_polynomial_pattern_takes_no_longer_than_allowed():
    slow = [(source, attack_on(source)) for source in POLYNOMIAL]

    # A search takes more CPU time where its core is shared: the best of three counts.
    for _ in range(3):
        taken = cpu_time.seconds(slow, 5)
        # Twice what is allowed, for machines that are slow.
        most = 2 * fuzz_redos.MOST_SECONDS
        slow = [each for each, time in zip(slow, taken, strict=True) if time is None or time > most]

    assert slow == []


@pytest.mark.parametrize(
    ("source", "factor"),
    [
        pytest.param("^/a*!", 2, id="one repeat"),
        pytest.param("^/a*a*!", 4, id="two repeats"),
        pytest.param("^/a*a*a*!", 8, id="three repeats"),
        pytest.param("a*a*!", 8, id="two repeats, searched for anywhere"),
        pytest.param("^/(?:a?){5}!", 1, id="a few optional parts"),
        pytest.param("^/a{2,9}a{2,9}!", 1, id="bounded repeats"),
    ],
)
def test_twice_the_uri_takes_as_much_more_as_it_should(source, factor):
    once, twice = (counted(source, "/" + "a" * length) for length in (400, 800))

    assert twice / once == pytest.approx(factor, rel=0.05)


def counted(source: str, uri: str) -> float:
    """The estimate of what re takes for a uri that fails."""
    automaton = build(parse(source).tree, not source.startswith("^"), ROUNDS_TO_COUNT)
    counter = counting.Counter(automaton)
    return counter.ended(counter.after(counter.at(automaton.start), uri)).nanoseconds


@pytest.mark.parametrize("source", HARMLESS)
def test_harmless_pattern_gives_no_alarm(source):
    assert blow_up(source) is None


@pytest.mark.parametrize("source", HARMLESS)
def test_harmless_pattern_runs_on_re(source):
    if sys.version_info < (3, 11) and ("(?>" in source or "++" in source):
        pytest.skip("re has atomic groups from Python 3.11 on")

    assert compile_pattern(source).engine == "re"


@pytest.mark.parametrize("source", [*EXPONENTIAL, *COSTLY])
def test_no_costly_pattern_is_plain(source):
    assert not is_plain(parse(source).tree)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(r"^/app/([^/]+)/(\d+)/(.*)$", id="runs that end where they must"),
        pytest.param(r"^/(admin|files|photologue)(/.*)?$", id="branches and an optional part"),
        pytest.param(r"/app12/.*\.(php|cgi)$", id="searched for"),
    ],
)
def test_common_pattern_is_plain(source):
    assert is_plain(parse(source).tree)


def test_attack_fails_behind_the_part_that_lasts():
    found = blow_up("^/(x+x+)+y$")

    assert found == redos.BlowUp(
        "exponential",
        (("/xxx", 1), ("xxx", 32), ("!y", 1)),
        "one more 'xxx' in the uri can double the time",
    )


@pytest.mark.parametrize(
    ("pattern", "seconds"),
    [
        pytest.param(
            "^(/v3/OS-FEDERATION/identity_providers/.*?/protocols/.*?/auth)$",
            0.005,
            id="two repeats",
        ),
        pytest.param(
            "^/v3/OS-FEDERATION/.*?/protocols/.*?/protocols/.*?/auth$", 1, id="three repeats"
        ),
        pytest.param(
            "^/api/identity-providers/.*/protocols/.*/protocols/.*/auth$", 1, id="greedy ones"
        ),
        pytest.param(f"^/{'a' * 200}/.*?/b/.*?/b/.*?/auth$", 1, id="behind 200 letters"),
        pytest.param(r"^.*(a-\w+?){20,40}[^/]+?\.html$", 1, id="rounds that must come often"),
        pytest.param(r"^(a-\w+?){20,40}[^/]+?\.html$", 1, id="such rounds at the beginning"),
        pytest.param(r"^.*(a-\w){20,40}[^/]+?\.html$", 1, id="such rounds of one length"),
    ],
)
def test_a_long_text_before_the_repeats_hides_nothing(pattern, seconds):
    found = blow_up(pattern)

    assert found is not None
    assert found.degree == "polynomial"
    assert found.nanoseconds > seconds * 1e9


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"^/(?:[a-z]+?-|[ab]){8,}", id="a lazy one"),
        pytest.param(r"^/(?:\w+\.|[a-z])*", id="a greedy one"),
        pytest.param("^/([a-z]+-|b)*", id="one letter of its class"),
        pytest.param("^/(?:[a-z]+-|bc)*", id="a word of its class"),
        pytest.param("^/(?:x[a-z]+-|xab)*", id="a word that begins as it does"),
        pytest.param("^/(?:[ac]+-|[ab])*", id="a class that shares a letter"),
        pytest.param("^/(?:[a-z]+-|b?c)*", id="an optional letter before"),
        pytest.param("^/(?:[a-z]+-|b?)*", id="an optional letter alone"),
        pytest.param("^/(?:(?:[a-z]+-)?b)*", id="an optional part itself"),
        pytest.param("^/(?:/?(?:[a-z]+-|b))*", id="a branch within the round"),
        pytest.param("^/(?:a|[^/]*x|b)*", id="behind one that reads something else"),
    ],
)
def test_a_branch_that_fails_late_in_each_round_is_found_where_the_pattern_matches(pattern):
    found = blow_up(pattern)

    assert found is not None
    assert found.nanoseconds > 10e6


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"^/(?:(?>a+)b|c)*d$", id="no other branch reads what it reads"),
        pytest.param(r"^/(?:[^/]+/)*[^/]+\.html$", id="one branch alone"),
        pytest.param(r"^/(a|b)*$", id="branches without repeats"),
        pytest.param("^/(?:[a-z]+-|1)*", id="no shared letter"),
        pytest.param("^/(?:(?:[a-z]+-)?1)*", id="no letter shared with an optional part"),
        pytest.param("^/(?:b|[bc]+=)*", id="the other branch reads it first"),
    ],
)
def test_a_repeated_choice_whose_branches_fail_at_once_is_harmless(pattern):
    assert blow_up(pattern) is None


def test_worst_uri_is_told_so_that_it_can_be_read_and_made():
    found = blow_up(r"^/(.*)/(.*)\.html$")

    assert found is not None
    assert found.recipe == "'/m' * 3995 + '/a/a.html!'"
    assert found.attack == eval(found.recipe)


def test_worst_uri_holds_no_run_of_slashes_which_servers_merge():
    attacks_on = [attack_on(r"^/(.*)/(.*)\.html$"), attack_on("^/x/([^/]*)/([^/]*)/(.*)-(.*)-$")]

    assert [uri for uri in attacks_on if "//" in uri] == []


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        pytest.param(r"^/dee2/(.*)/y(.*)\.html$", True, id="other letters"),
        pytest.param(r"^/dde2/(.*)/y(.*)\.html$", False, id="another letter twice in a row"),
        pytest.param(r"^/app1/(.*)/1(.*)\.html$", False, id="the same digit twice"),
    ],
)
def test_patterns_that_differ_in_their_words_are_examined_once(other, is_same):
    one, _ = canonical(parse(r"^/app1/(.*)/x(.*)\.html$").tree)

    assert (canonical(parse(other).tree)[0] == one) is is_same


def test_canonical_form_is_translated_back():
    tree, back = canonical(parse("^/foo[x]*").tree)

    assert [text.translate(back) for text in texts(tree)] == ["/foo"]


def texts(tree):
    return [item.text for item in tree.items if hasattr(item, "text")]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("(?:" + "|".join(f"w{n}" for n in range(300)) + ")+x", id="states"),
        pytest.param("(?:" + "(?:a?|b?)" * 6 + ")*c", id="ways without reading"),
        pytest.param("^/" + "".join(f"(?:(?:abc|abd|abe)*{c})*" for c in "fgh") + "$", id="places"),
        pytest.param("^/" + "(?:a{1,99}b{1,99}){1,99}" * 3 + "$", id="rounds"),
        pytest.param("^/" + "(?:x*)?" * 500 + "y", id="optional parts"),
    ],
)
def test_analysis_is_bounded(source, monkeypatch):
    looked_at = watched(monkeypatch)

    blow_up(source)

    # Two rounds of counting, each with its own limit.
    assert sum(looked_at) <= 2 * counting.MOST_PLACES + 10_000


def watched(monkeypatch) -> list[int]:
    looked_at: list[int] = []
    spend = counting.Counter._spend

    def spend_and_tell(self, places):
        looked_at.append(places)
        spend(self, places)

    monkeypatch.setattr(counting.Counter, "_spend", spend_and_tell)
    return looked_at


def test_pattern_too_large_to_be_examined_is_refused():
    source = "^/(?:" + "|".join(f"w{n}(?:a|aa)*" for n in range(300)) + ")+x"

    with pytest.raises(ExponentialPattern) as caught:
        compile_pattern(source, engine="re")

    assert "too large to be tested for catastrophic backtracking; let no" in str(caught.value)
    assert caught.value.attack == ""


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


def test_refusal_tells_the_time_that_a_long_uri_takes():
    with pytest.raises(ExponentialPattern) as caught:
        compile_pattern(r"^/.*a.*b.*c$", engine="re")

    told = "in every proportion, so that 8,000 bytes of uri take about [0-9]+ (s|minutes); let no"
    assert re.search(told, str(caught.value))


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [
        pytest.param(3.2e5, "1 ms", id="next to nothing"),
        pytest.param(1.4e8, "140 ms", id="milliseconds"),
        pytest.param(2.5e9, "2 s", id="seconds"),
        pytest.param(600e9, "10 minutes", id="minutes"),
        pytest.param(36000e9, "10 hours", id="hours"),
        pytest.param(float("inf"), "more than a day", id="for ever"),
    ],
)
def test_time_in_words(nanoseconds, words):
    assert redos.time_in_words(nanoseconds) == words


@pytest.mark.skipif(
    pcre2_library.LIBRARY is None, reason="needs the system's PCRE2: apt install libpcre2-8-0"
)
@pytest.mark.parametrize("count", mostly_thorough([10, 30]))
def test_generated_patterns_are_refused_limited_or_quick(count):
    pytest.importorskip("pcre2", reason="needs the pcre2 extra")

    tally = fuzz_redos.compare(count, seed=1)

    assert tally.too_long == []
    assert {"re", "pcre2"} <= set(tally.verdicts)


@pytest.mark.parametrize("count", mostly_thorough([5, 15]))
def test_generated_patterns_are_refused_or_quick_without_the_extra(count):
    tally = fuzz_redos.compare(count, seed=1, without_package=True)

    assert tally.too_long == []
    assert {"re", "refused"} <= set(tally.verdicts)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="re refuses the pattern before 3.11")
def test_pattern_that_takes_too_long_is_found_and_told(monkeypatch, capsys):
    """The comparison itself must be able to fail."""
    monkeypatch.setattr(fuzz_redos.Generator, "pattern", lambda self: r"^/[ab]+a\w+$")
    monkeypatch.setattr(fuzz_redos, "RANDOM_URIS", 0)
    monkeypatch.setattr(fuzz_redos, "MOST_SECONDS", 0.001)

    status = fuzz_redos.main(["--patterns", "1", "--seed", "1"])

    assert status == 1
    assert r"too long: '^/[ab]+a\\w+$' on '/aaaaaaaaaaaaaaaaaaa'...'aaaaabab!'" in (
        capsys.readouterr().out
    )


def test_longest_uri_is_what_apache_lets_through():
    assert len("GET  HTTP/1.1\r\n") + attacks.LONGEST_URI <= 8190
