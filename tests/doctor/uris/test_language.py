from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from django_wsgimatch.aliases.index.prefix import alias_matches
from django_wsgimatch.aliases.patterns.pattern import Pattern, compile_pattern
from django_wsgimatch.doctor.uris.language import Language, language_of
from django_wsgimatch.exceptions import PatternError
from tests.fuzz.patterns import Generator

# Every construct that a language tells exactly, and some that it cannot.
PATTERNS = [
    pytest.param("^/a", id="anchored"),
    pytest.param("/a", id="searched for"),
    pytest.param("a$", id="anchored at the end"),
    pytest.param("^/(a|b/)+$", id="repeated branches"),
    pytest.param("^/[^/]{1,2}/?$", id="counted repeat"),
    pytest.param("^/(?=a)[ab]+$", id="look-ahead"),
    pytest.param("^/(?!a)", id="negative look-ahead"),
    pytest.param("^/(?!a/?$)", id="negative look-ahead to the end"),
    pytest.param("^(?=/a$)", id="look-ahead alone"),
    pytest.param("^/a(?=b$)b|/b(?!/)", id="look-aheads in branches"),
    pytest.param("(?=.*b$)/a", id="look-ahead with a repeat"),
    pytest.param("(?!)", id="nothing"),
    pytest.param("^/a|b$", id="anchors in branches"),
    pytest.param("", id="empty"),
    pytest.param("a*", id="empty or more"),
    pytest.param("^/?", id="empty or a slash"),
    pytest.param(".{70}|^/b", id="more copies than are made"),
    pytest.param(r"^/([ab])\1", id="back reference"),
    pytest.param("^/[ab]++b", id="possessive"),
    pytest.param("^/(?>a|ab)b", id="atomic"),
    pytest.param("(?<=/a)b", id="look-behind"),
    pytest.param(r"^/a\b", id="word edge"),
    pytest.param("^/(a)?(?(1)b|/)", id="condition"),
    pytest.param(r"^/a\Kb", id="only PCRE2 knows it"),
    pytest.param("^/(?!(?=a)a)", id="look-ahead in a look-ahead"),
    pytest.param(r"^/(?!(?>a))", id="absence of what is not exact"),
]


def holds(language: Language, uri: str) -> bool:
    runs = language.starts
    for byte in uri.encode("latin-1"):
        runs = language.step(runs, byte)
    return language.holds(runs)


def uris(seed: int) -> list[str]:
    random = Random(seed)
    return ["/" + "".join(random.choices("ab/\n", k=random.randrange(7))) for _ in range(400)]


def random_patterns(generator: Generator, count: int) -> Iterator[Pattern]:
    for _ in range(count):
        try:
            yield compile_pattern(generator.pattern(), engine="re")
        except PatternError:
            continue


@pytest.mark.parametrize("source", PATTERNS)
def test_language_holds_what_the_pattern_matches(source):
    pattern = compile_pattern(source)
    language = language_of(pattern)

    wrong = [uri for uri in uris(1) if holds(language, uri) < (pattern.find(uri) is not None)]

    assert wrong == []


@pytest.mark.parametrize("source", PATTERNS)
def test_exact_language_holds_nothing_else(source):
    pattern = compile_pattern(source)
    language = language_of(pattern)

    wrong = [uri for uri in uris(2) if holds(language, uri) > (pattern.find(uri) is not None)]

    assert wrong == [] or not language.exact


def test_languages_of_random_patterns():
    generator = Generator(seed=11)
    wrong = []
    for pattern in random_patterns(generator, 400):
        language = language_of(pattern)
        for uri in (generator.uri() for _ in range(10)):
            held, found = holds(language, uri), pattern.find(uri) is not None
            if held < found or (language.exact and held > found):
                wrong.append((pattern.source, uri))

    assert wrong == []


@pytest.mark.parametrize(
    ("source", "exact"),
    [
        pytest.param("^/(a|b)/[^/]+$", True, id="regular"),
        pytest.param("^/(?!static/)", True, id="look-ahead"),
        pytest.param("(?!)", True, id="nothing"),
        pytest.param(r"^/(a)\1", False, id="back reference"),
        pytest.param("^/a++", False, id="possessive"),
        pytest.param("a*", False, id="preference decides"),
        pytest.param("a{100}", False, id="too many copies"),
        pytest.param("(?:(?:[ab]c{50}){50}){2}", False, id="too many states"),
        pytest.param(r"^/a\Kb", False, id="only PCRE2 knows it"),
        pytest.param(r"\Kb", False, id="only PCRE2 knows it, unanchored"),
    ],
)
def test_language_knows_whether_it_is_exact(source, exact):
    language = language_of(compile_pattern(source, engine="auto"))

    assert language.exact == exact


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("/a", id="segment"),
        pytest.param("/a/", id="slash at the end"),
        pytest.param("/", id="root"),
        pytest.param("/a//b", id="run of slashes"),
        pytest.param("a", id="no slash in front"),
        pytest.param("//a", id="run of slashes in front"),
    ],
)
def test_language_of_a_plain_location(location):
    language = language_of(location)

    wrong = [uri for uri in uris(3) if holds(language, uri) != bool(alias_matches(uri, location))]

    assert (wrong, language.exact) == ([], True)
