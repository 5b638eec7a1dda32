"""Patterns that can take long, and uris that make them: the same answers as the live Apache."""

from __future__ import annotations

import pytest

from django_wsgimatch.aliases.patterns.pattern import compile_pattern
from django_wsgimatch.exceptions import PatternError
from tests.aliases.patterns.redos_corpus import COSTLY, EXPONENTIAL, POLYNOMIAL
from tests.fuzz import redos as fuzz_redos
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED, Oracle, Request, Table
from tests.thorough import mostly_thorough

pytest.importorskip("pcre2", reason="needs the pcre2 extra")
pytestmark = pytest.mark.skipif(not INSTALLED, reason=HOW_TO_INSTALL)

# What an alias line can hold as it is: no quotes, no blanks.
SOURCES = [
    source
    for source in (*EXPONENTIAL[::40], *COSTLY[::6], *POLYNOMIAL[::6])
    if not set(source) & set("\"' ") and "\\\\" not in source
]
# Matches that come late: PCRE2 takes more than a million steps, and fewer than Apache's limit.
LATE = [
    (r"^/(.*)/(.*)/x(.*)$", "/a/a/x" + "/a" * 1100),
    (r"^/(?:(a*)(a*)(a*)b|.*)", "/" + "a" * 150),
    # More than Apache's limit: it gives up on what would match.
    (r"^/(.*)/(.*)/x(.*)$", "/a/a/x" + "/a" * 3900),
    (r"^/(?:(a*)(a*)(a*)b|.*)", "/" + "a" * 2000),
]


def questions(late: int, step: int) -> list[tuple[str, str]]:
    generator = fuzz_redos.Generator(seed=1)
    found = LATE[:late]
    for source in SOURCES[::step]:
        blow_up = compile_pattern(source).blow_up
        attack = blow_up.attack if blow_up else "/a"
        found += [(source, attack), (source, attack[:40] + "!"), (source, generator.uri(source))]
    return [(source, uri) for source, uri in found if can_be_sent(source, uri)]


def can_be_sent(source: str, uri: str) -> bool:
    """Whether a uri reaches the pattern as it is: printable, no escapes, nothing to normalise."""
    try:
        compile_pattern(source)
    except PatternError:
        return False
    plain = all("!" <= character <= "~" for character in uri)
    return plain and not set(uri) & set("%?#\\") and "//" not in uri and "/." not in uri


@pytest.mark.parametrize(("late", "step"), mostly_thorough([(2, 3), (4, 1)]))
def test_uri_that_takes_long_gets_apaches_answer(late, step):
    asked = questions(late, step)
    tables = {
        source: Table(
            f"t{number}.test", (f"WSGIScriptAliasMatch {source} {{ROOT}}/a.wsgi",), ("a.wsgi",)
        )
        for number, source in enumerate(dict(asked))
    }

    with Oracle(tables.values()) as oracle:
        answers = oracle.ask_all([(tables[source].name, Request(uri)) for source, uri in asked])

    assert oracle.refused == {}
    ours = [compile_pattern(source).find(uri) is not None for source, uri in asked]
    apaches = [answer.matched for answer in answers]
    assert [
        (source, uri[:40], len(uri), apache)
        for (source, uri), our, apache in zip(asked, ours, apaches, strict=True)
        if our is not apache
    ] == []
    assert {True, False} == set(apaches)
