from __future__ import annotations

import sys

import pytest

from django_wsgimatch.aliases.patterns.engine import MATCH_LIMIT, pcre2_package
from django_wsgimatch.aliases.patterns.pattern import compile_pattern
from django_wsgimatch.exceptions import InvalidPattern, UnsupportedPattern
from tests.support.matches import told


@pytest.fixture
def package():
    return pytest.importorskip("pcre2", reason="needs the pcre2 extra")


def test_missing_package_is_told_by_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "pcre2", None)

    assert pcre2_package() is None


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize(
    ("source", "uri", "answer"),
    [
        pytest.param(r"^/g14\K/(x)", "/g14/x", (["/x", "x"], 6), id="kept out"),
        pytest.param(
            r"^/(\((?:[^()]++|(?1))*\))", "/(a(b))", (["/(a(b))", "(a(b))"], 7), id="call"
        ),
        pytest.param("^/(?|(a)x|(b)y)(z)", "/byz", (["/byz", "b", "z"], 4), id="branch reset"),
        pytest.param("^/(a*)*(b)", "/aab", (["/aab", "", "b"], 4), id="group in an empty round"),
        pytest.param("(*UTF)^/u(.)$", "/u\xc3\xa9", (["/u\xc3\xa9", "\xc3\xa9"], 4), id="UTF"),
        pytest.param("(*UTF)^/u(.)$", "/u\xe9", None, id="not UTF-8"),
        pytest.param("(*UCP)^/w(\\w)$", "/w\xe9", (["/w\xe9", "\xe9"], 3), id="UCP"),
        pytest.param(r"^/a{,2}\Kb?", "/a{,2}", ([""], 6), id="text that later is a quantifier"),
        pytest.param(r"^/\x{41}\x\C\101\K", "/A\x00zA", ([""], 5), id="escapes spelt anew"),
        pytest.param(r"(?=/)\K", "/a", None, id="ends at 0"),
        pytest.param(r"^/a\Kb", "/c", None, id="no match"),
        pytest.param("^/a(?R)?(b)?", "/a", (["/a", None], 2), id="group that takes no part"),
    ],
)
def test_pcre2_runs_what_re_lacks(source, uri, answer):
    pattern = compile_pattern(source)

    assert pattern.engine == "pcre2"
    assert told(pattern, pattern.find(uri)) == answer


@pytest.mark.usefixtures("package")
def test_index_keys_are_known_for_pcre2_too():
    pattern = compile_pattern(r"^/app/(?R)?x")

    assert (pattern.anchored, pattern.prefixes, pattern.segments) == (True, ("/app/",), ())


@pytest.mark.usefixtures("package")
def test_exponential_pattern_gives_up_which_is_logged_once(caplog):
    pattern = compile_pattern("^/(a+)+$")
    uri = "/" + "a" * 60 + "!"

    answers = [pattern.find(uri), pattern.find(uri)]

    assert (pattern.engine, answers) == ("pcre2", [None, None])
    assert caplog.record_tuples == [
        (
            "django_wsgimatch",
            30,
            (
                f"Pattern '^/(a+)+$' gave up after {MATCH_LIMIT} steps, which counts as no match,"
                f" on {uri!r} (reported once a pattern)."
            ),
        )
    ]


@pytest.mark.usefixtures("package")
def test_pattern_that_pcre2_alone_can_refuse_is_invalid():
    with pytest.raises(InvalidPattern, match="too large"):
        compile_pattern("(?:(?:(?:a{1000}b){1000})c){1000}", engine="pcre2")


@pytest.mark.usefixtures("package")
def test_construct_that_releases_differ_on_is_refused():
    with pytest.raises(UnsupportedPattern, match=r"\\p\{Lu\} under \(\?i\); releases of PCRE2"):
        compile_pattern(r"(?i)^/\p{Lu}", engine="pcre2")


@pytest.mark.usefixtures("package")
def test_no_group_beyond_the_last():
    found = compile_pattern(r"^/a\Kb").find("/ab")

    assert found is not None
    with pytest.raises(IndexError):
        found.group(1)
