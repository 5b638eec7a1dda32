from __future__ import annotations

import random
import re
import sys

import pytest

from django_wsgimatch.aliases.patterns import pattern as pattern_module
from django_wsgimatch.aliases.patterns.pattern import Pattern, compile_pattern
from django_wsgimatch.exceptions import InvalidPattern, PatternError, UnsupportedPattern
from tests.support.matches import told
from tests.thorough import mostly_thorough


def compile_for_re(source: str) -> Pattern:
    return compile_pattern(source, engine="re")


ATOMIC = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="re has atomic groups from Python 3.11 on"
)

# What PCRE2 accepts beyond re's syntax, and what re would read in another way.
MATCHES = [
    pytest.param("^/1foo$", "/1foo", ["/1foo"], id="$ at the end"),
    pytest.param("^/1foo$", "/1foo\n", None, id="$ is never before a final newline"),
    pytest.param(r"^/2foo\Z", "/2foo\n", ["/2foo"], id="Z may be before a final newline"),
    pytest.param(r"^/3foo\z", "/3foo\n", None, id="z is the very end"),
    pytest.param("^/4.foo", "/4\nfoo", ["/4\nfoo"], id="dot takes a newline"),
    pytest.param("(?-s)^/7(.*)x", "/7a\nbx", None, id="dot without s takes none"),
    pytest.param("(?m)^5foo$", "/z\n5foo\ny", ["5foo"], id="lines under m"),
    pytest.param("(?m)\n^", "/a\n", None, id="no line behind the last newline"),
    pytest.param("(?m)a$", "/a\nb", ["a"], id="line end under m"),
    pytest.param(r"^/a\Nb", "/a\nb", None, id="N takes no newline"),
    pytest.param(r"^/\N{2}x", "/abx", ["/abx"], id="N repeated"),
    pytest.param("^/[[:alpha:]]+$", "/abc", ["/abc"], id="POSIX class"),
    pytest.param("^/[[:^digit:]]+$", "/a1", None, id="negated POSIX class"),
    pytest.param("(?i)^/[[:upper:]]", "/a", ["/a"], id="POSIX upper without case"),
    pytest.param("[[:<:]]bar", "/foo-bar", ["bar"], id="word start"),
    pytest.param("foo[[:>:]]", "/foobar-foo", ["foo"], id="word end"),
    pytest.param("^/a++b", "/aab", ["/aab"], id="possessive", marks=ATOMIC),
    pytest.param("^/a++ab", "/aaab", None, id="possessive gives nothing back", marks=ATOMIC),
    pytest.param("^/a{1,2}+ab", "/aaab", ["/aaab"], id="possessive up to a limit", marks=ATOMIC),
    pytest.param(
        "^/x+y?+(?>z*)x", "/xxx", ["/xxx"], id="possessive options of one byte", marks=ATOMIC
    ),
    pytest.param("^/a?+a", "/a", None, id="possessive option", marks=ATOMIC),
    pytest.param("^/a{2,}b", "/aaab", ["/aaab"], id="at least"),
    pytest.param("^/a{2}+a", "/aaa", ["/aaa"], id="possessive count", marks=ATOMIC),
    pytest.param("^/(a)*+b", "/aab", ["/aab", "a"], id="possessive group", marks=ATOMIC),
    pytest.param("^/(?>a+)b", "/aab", ["/aab"], id="atomic", marks=ATOMIC),
    pytest.param(
        "^/(?>ab|cd)e", "/cde", ["/cde"], id="atomic choice that is decided", marks=ATOMIC
    ),
    pytest.param(r"^/a\hb", "/a\xa0b", ["/a\xa0b"], id="h takes a no-break space"),
    pytest.param(r"^/a\Hb", "/a b", None, id="H"),
    pytest.param(r"^/a\vb", "/a\x85b", ["/a\x85b"], id="v is any vertical space"),
    pytest.param(r"\G/a", "/a", ["/a"], id="G is the start"),
    pytest.param(r"^/\Qa.b+\E(c)", "/a.b+c", ["/a.b+c", "c"], id="Q to E"),
    pytest.param(r"^/a\Q+", "/a+", ["/a+"], id="Q to the end"),
    pytest.param(r"^/a\E+", "/aa", ["/aa"], id="a lone E is nothing"),
    pytest.param(r"^/\x{42}\x41\xg", "/BA\x00g", ["/BA\x00g"], id="x"),
    pytest.param(r"^/\o{101}\101\cA\e", "/AA\x01\x1b", ["/AA\x01\x1b"], id="o, octal, c and e"),
    pytest.param(r"^/\10", "/\x08", ["/\x08"], id="10 is octal without ten groups"),
    pytest.param(r"^/\18", "/\x018", ["/\x018"], id="octal ends before an 8"),
    pytest.param(r"^/\C", "/\xe9", ["/\xe9"], id="C is a byte"),
    pytest.param(r"^/(?<n>\w)(?P<m>\w)(?'k'\w)", "/abc", ["/abc", "a", "b", "c"], id="names"),
    pytest.param(r"^/(?:(?<n>a)|(?<n>b))", "/b", ["/b", None, "b"], id="duplicate names"),
    pytest.param(r"(?i)^/(a)\1", "/aA", ["/aA", "a"], id="back reference without case"),
    pytest.param(r"^/\1(a)", "/a", None, id="reference to a group that is not there yet"),
    pytest.param("^/(?=(a))*a", "/ab", ["/a", "a"], id="look ahead repeated"),
    pytest.param(
        "^/(?=(a))?+b", "/b", ["/b", None], id="look ahead repeated possessively", marks=ATOMIC
    ),
    pytest.param("^/(?=a){0}b", "/b", ["/b"], id="look ahead repeated never"),
    pytest.param("(?<=[ab]/)c", "/b/c", ["c"], id="look-behind of a class"),
    pytest.param(r"^/(?!(bad|worse)/)(\w+)", "/good", ["/good", None, "good"], id="group in a no"),
    pytest.param("^/(?i)ADMIN", "/admin", ["/admin"], id="option in mid-pattern"),
    pytest.param("^/(?:a(?i)b|c)D", "/CD", ["/CD"], id="option lasts to the group's end"),
    pytest.param("(?i)^/(?^:a)", "/A", None, id="options taken back"),
    pytest.param("(?i)^/\xc9", "/\xe9", None, id="case is ASCII's"),
    pytest.param("(?U)^/(a+)(a+?)", "/aaa", ["/aaa", "a", "aa"], id="U swaps greed"),
    pytest.param("(?n)^/(a)(?<x>b)", "/ab", ["/ab", "b"], id="n captures names only"),
    pytest.param("(?xi) ^ /x y # z", "/XY", ["/XY"], id="x ignores blanks"),
    pytest.param("(?x)^/a + +a", "/aa", None, id="x parts a possessive run", marks=ATOMIC),
    pytest.param("(?x)^/a (?-x) b", "/a b", ["/a b"], id="x taken back"),
    pytest.param(r"^/a\Q", "/a", ["/a"], id="Q before nothing"),
    pytest.param("(?<=(?<!b){2}a)/", "/a/", ["/"], id="look-behind repeated in a look-behind"),
    pytest.param("(?=(?:x|/)a)*+/a(?!b)?", "/ab", ["/a"], id="look-arounds repeated", marks=ATOMIC),
    pytest.param(
        r"^/(?:(\w)\1)*+b", "/aab", ["/aab", "a"], id="possessive reference", marks=ATOMIC
    ),
    pytest.param(
        r"^/(?:a|(?>b|c))*+d",
        "/abcd",
        ["/abcd"],
        id="atomic group in a possessive one",
        marks=ATOMIC,
    ),
    pytest.param(
        "^/(?:(?:a|b)x|(c)y)++d", "/axcyd", ["/axcyd", "c"], id="possessive choice", marks=ATOMIC
    ),
    pytest.param("^/a(?#no)b(?C1)c", "/abc", ["/abc"], id="comment and callout"),
    pytest.param("^/(?|ab|c)d", "/cd", ["/cd"], id="branch reset without groups"),
    pytest.param("^/(a(*F)|b)", "/b", ["/b", "b"], id="verb that fails"),
    pytest.param("^/a{,2}$", "/a{,2}", ["/a{,2}"], id="a missing least count is text"),
    pytest.param("^/a{$", "/a{", ["/a{"], id="a lone brace is text"),
    pytest.param("^/[]a]$", "/]", ["/]"], id="a bracket first in a class"),
    pytest.param("^/[[a]b]$", "/[b]", ["/[b]"], id="a bracket in a class"),
    pytest.param(r"^/[\d\-.]+$", "/1-.", ["/1-."], id="types in a class"),
    pytest.param(r"^/[\w-]+$", "/a-", ["/a-"], id="a hyphen last in a class"),
    pytest.param(r"^/[\Qa-\Ez]+", "/-az", ["/-az"], id="quoted in a class"),
    pytest.param(r"^/[a\E-\Ec\8\b]+", "/b8\x08", ["/b8\x08"], id="odd escapes in a class"),
    pytest.param("^/[^\\x00-\\xff]", "/a", None, id="a class of nothing"),
    pytest.param(r"^/\w+$", "/caf\xe9", None, id="no letter above ASCII"),
    pytest.param(r"^/a\sb", "/a\x1cb", None, id="no space but ASCII's"),
    pytest.param("^/(a)?b", "/b", ["/b", None], id="group that takes no part"),
    pytest.param("^/((a)(b)?)+", "/aba", ["/aba", "a", "a", "b"], id="group of an earlier round"),
    pytest.param("^/(?:(a)|b)*", "/ab", ["/ab", "a"], id="group kept in a loop"),
    pytest.param("^/(?=(a))(\\w)", "/ab", ["/a", "a", "a"], id="group in a look ahead"),
    pytest.param("^/(?:ab)*?$", "/abab", ["/abab"], id="a word repeated lazily"),
    pytest.param(r"^/[\E^a]", "/b", ["/b"], id="a lone E before the hat of a class"),
    pytest.param(r"^/[\Q\E^a]", "/a", None, id="quoted nothing before the hat of a class"),
    pytest.param(r"^/\c\\Qa.\E", "/\x1ca.", ["/\x1ca."], id="control backslash before a quotation"),
    pytest.param("bar", "/foobar", ["bar"], id="searched anywhere"),
]

# What few patterns hold has no translation.
MATCHES_ON_PCRE2 = [
    pytest.param(r"^/(?<n>\w+)-\k<n>", "/a-a", ["/a-a", "a"], r"\k<n>", id="k"),
    pytest.param(
        r"^/(?<n>\w)\k{n}\k'n'\g{n}(?P=n)", "/aaaaa", ["/aaaaa", "a"], r"\k{n}", id="k and g"
    ),
    pytest.param(r"^/(\w)\g1(\w)\g{-1}", "/aabb", ["/aabb", "a", "b"], r"\g1", id="g"),
    pytest.param(
        "(?<=a|bc)d",
        "/bcd",
        ["d"],
        "a look-behind of several lengths",
        id="look-behind of two lengths",
    ),
    pytest.param(
        "(?<!a|bc)d",
        "/bcd",
        None,
        "a look-behind of several lengths",
        id="negative look-behind of two lengths",
    ),
    pytest.param("(?xx)^/[a b]+", "/a b", ["/a"], "(?xx)", id="xx ignores blanks in classes"),
    pytest.param(r"^/a\Rb", "/a\r\nb", ["/a\r\nb"], r"\R", id="R takes both"),
    pytest.param(r"^/a\R\nb", "/a\r\nb", None, r"\R", id="R is atomic"),
    pytest.param("^/(x)?(?:(?(1)a|b)c)*d$", "/xacacd", ["/xacacd", "x"], "(?(1)...)", id="loop"),
    pytest.param(
        r"^/(?(1)a|b)(c)", "/bc", ["/bc", "c"], "(?(1)...)", id="condition on a later group"
    ),
    pytest.param(r"^/(a)?(?(1)b|c)", "/ab", ["/ab", "a"], "(?(1)...)", id="condition"),
    pytest.param(
        r"^/(?<n>a)?(?(<n>)b)$", "/ab", ["/ab", "a"], "(?(<n>)...)", id="condition by name"
    ),
    pytest.param(
        "^/(a)?(?(-1)b|c|)".replace("|)", ")"), "/c", ["/c", None], "(?(-1)...)", id="relative"
    ),
    pytest.param("^/(?(?=a)ab|cd)", "/cd", ["/cd"], "(?(...)", id="condition that looks ahead"),
    pytest.param(r"(*pla:/a)(*nlb:b)(*atomic:/)", "/a", ["/"], "(*pla:...)", id="spelt-out groups"),
    pytest.param("(*NO_JIT)(*LF)^/a", "/a", ["/a"], "(*NO_JIT)", id="harmless start options"),
    pytest.param(
        r"^/\p{Lu}\pL\P{Lu}\p{^N}\p{Any}\p{L&}", "/Aab-1b", ["/Aab-1b"], r"\p{Any}", id="properties"
    ),
    pytest.param(
        "^/(a)?(?:(?(1)b|c))++d", "/abd", ["/abd", "a"], "(?(1)...)", id="possessive condition"
    ),
]


@pytest.mark.parametrize(("source", "uri", "groups"), MATCHES)
def test_pattern_matches_as_in_pcre2(source, uri, groups):
    pattern = compile_for_re(source)

    answer = told(pattern, pattern.find(uri))

    end = len(uri) if groups is None else uri.rindex(groups[0]) + len(groups[0])
    assert answer == (groups and (groups, end))


@pytest.mark.parametrize(("source", "uri", "groups", "construct"), MATCHES_ON_PCRE2)
def test_pcre2_package_runs_what_has_no_translation(source, uri, groups, construct):
    pytest.importorskip("pcre2", reason="needs the pcre2 extra")
    pattern = compile_pattern(source)

    answer = told(pattern, pattern.find(uri))

    end = len(uri) if groups is None else uri.rindex(groups[0]) + len(groups[0])
    assert pattern.engine == "pcre2"
    assert answer == (groups and (groups, end))


@pytest.mark.parametrize(("source", "uri", "groups"), MATCHES)
def test_pcre2_package_matches_in_the_same_way(source, uri, groups):
    pytest.importorskip("pcre2", reason="needs the pcre2 extra")
    ours = compile_for_re(source)
    try:
        exact = compile_pattern(source, engine="pcre2")
    except UnsupportedPattern as error:
        pytest.skip(str(error))

    assert told(exact, exact.find(uri)) == told(ours, ours.find(uri))


INVALID = [
    *("x{2,1}", "*", "a**", "a{2}{3}", "a+*", "^*", r"\b+", "|*", "{1}", "a(?i)*"),
    *("a{99999}", "[[:nope:]]", "[[.a.]]", "[:alpha:]", "[z-a]", r"[a-\d]", r"[\w-.]", "[a"),
    *(r"[\R]", r"[\k]", r"[\u]", "[", "[]", "(", ")", "a)", "^/a(p", "(?:a", "(?#", "(?", "(?i"),
    *("(?z)a", "(?u)x", "(?L)x", "(?a)x", "(?^-i)a", "(?P", "(?Px)", "(?<1>a)", "(?<n)a)"),
    *(r"^/\Lx", r"\i", r"\u0041", r"\N{U+41}", r"\9", r"\1", r"\g", r"\k"),
    *(r"\p", r"\x{100}", r"\x{", r"\o{400}", r"\o1", r"\400", r"\c", "\\"),
    *("(?<=a+)d", "(?<=a(b|cd))", "(?<=a{65535}a)", "(?<=(?<=a)*b)"),
    *("(*a", "(?Cx)", "(?<" + "n" * 33 + ">a)", "\u0100"),
]
# PCRE2 itself finds these: what they begin with is left to it.
INVALID_IN_PCRE2 = [
    *(r"\k<n>", r"\g{0}", r"\p{Nope}", r"\pQ", r"(?=a\K)", "(?(1)a)", "()(?(1)a|b|c)", "(?(n)a)"),
    *("(?(?:a)b)", "(?()a)", "(?(R1)a)", "(?(DEFINE)a|b)", "(?(R&n)a)", "(?1)", "(?&n)", "(?P=n)"),
    *("(?-1)", "(?+0)(a)", r"\g<1>", "(*)", "(*NOPE)", "(*MARK)", "a(*UTF)", "(*LIMIT_MATCH=)"),
    *("(*foo:a)", "(?C256)", "(?|(?<n>a)|(?<m>b))"),
]


@pytest.mark.parametrize("source", INVALID)
def test_pattern_that_pcre2_refuses_is_invalid(source):
    with pytest.raises(InvalidPattern) as caught:
        compile_for_re(source)

    assert caught.value.pattern == source
    assert str(caught.value) == f"pattern {source!r}: {caught.value.reason}"


@pytest.mark.parametrize("source", INVALID_IN_PCRE2)
def test_pattern_that_the_pcre2_package_refuses_is_invalid(source):
    pytest.importorskip("pcre2", reason="needs the pcre2 extra")

    with pytest.raises(InvalidPattern) as caught:
        compile_pattern(source)

    assert caught.value.pattern == source
    assert str(caught.value) == f"pattern {source!r}: {caught.value.reason}"


@pytest.mark.parametrize("source", INVALID_IN_PCRE2)
def test_pattern_that_only_pcre2_finds_invalid_is_unsupported_for_re(source):
    with pytest.raises(UnsupportedPattern, match="no exact equivalent"):
        compile_for_re(source)


EMPTY_ATOMIC = "an atomic group or possessive quantifier that can match nothing"
UNSUPPORTED = [
    ("^/(?R)", "(?R)"),
    (r"^/(a)\g<1>", r"\g<1>"),
    (r"^/(?P<n>a)(?P>n)", "(?P>n)"),
    (r"^/a\Kb", r"\K"),
    (r"^/\X", r"\X"),
    ("^/(?|(a)|(b))", "(?|...)"),
    ("(*UTF)^/a", "(*UTF)"),
    ("(*UCP)^/a", "(*UCP)"),
    ("(*LIMIT_MATCH=5)^/a", "(*LIMIT_MATCH=5)"),
    ("(*CRLF)^/a", "(*CRLF)"),
    ("^/a(*COMMIT)b", "(*COMMIT)"),
    ("^/a(*:x)b", "(*:x)"),
    ("^/a(*ACCEPT)b", "(*ACCEPT)"),
    (r"^/\p{Greek}", r"\p{Greek}"),
    (r"^/[\p{sc=Latin}]", r"\p{sc=Latin}"),
    ("(?(DEFINE)(a))b", "(?(DEFINE)...)"),
    ("^/a(?(R)b|c)", "(?(R)...)"),
    ("^/(?(VERSION>=10)b|c)", "(?(VERSION>=10)...)"),
    ("^/(?(?C1)(?=a)b|c)", "(?(...)"),
    ("^/(?(?=(a))b|c)", "(?(...)"),
    ("^/(a*)*b", "a group inside a repeat that can match nothing"),
    (r"^/(?:\2b|(a)(c))+", "a reference in a loop to a group that is not complete there"),
    (r"^/(?!(a)\1)b", "a reference to a group in a negative look-around"),
    ("(?<=(a)|(bc))d", "a look-behind of several lengths"),
    (r"(?<=(a)(?=\1))", "a reference within a look-behind to a group in it"),
    ("^/(?(1)(a)|b)", "(?(1)...)"),
    (r"^/(?<n>a)(?<n>b)\k<n>", r"\k<n>"),
    (r"^/(?<n>a)\k<n>(?<n>b)", r"\k<n>"),
    ("(a)" * 100 + r"\100", "a back reference beyond group 99"),
    pytest.param("^/x+(?>|y)x", EMPTY_ATOMIC, marks=ATOMIC),
    pytest.param("^/x+(?:y)?+x", EMPTY_ATOMIC, marks=ATOMIC),
    pytest.param("^/x+(?>(?:y|z)*)x", EMPTY_ATOMIC, marks=ATOMIC),
    pytest.param("^/x+(?:ya)?+x", EMPTY_ATOMIC, marks=ATOMIC),
    ("^/(?=((?(1)a|b)|)){1,2}", "(?(1)...)"),
    (r"^/\S+\h", r"\S beside \h or \v"),
    (r"(?-s)^/\s+\R.", r"\R"),
    ("(?*a)b", "(?*...)"),
    ("(*napla:a)b", "(*napla:...)"),
    ("^/(?:ab){10000}", "a pattern this large"),
    ("a" * 33_000, "a pattern this large"),
    ("(*sr:a)", "(*sr:...)"),
    *((case.values[0], case.values[3]) for case in MATCHES_ON_PCRE2),
]


@pytest.mark.parametrize(("source", "construct"), UNSUPPORTED)
def test_construct_that_re_lacks_is_refused_by_name(source, construct):
    with pytest.raises(UnsupportedPattern) as caught:
        compile_for_re(source)

    assert caught.value.construct == construct
    assert str(caught.value) == (
        f"pattern {source!r}: Python's re has no exact equivalent of {construct};"
        ' to run it on PCRE2 itself, pip install "django-wsgimatch[pcre2]"'
    )


LOOK_AT_START = "a search that begins with a look ahead, not with the text looked for"
LOOKS_AT_START = [
    "(?=b)a?b",
    "(?=(ab|a))+?b*(a)",
    "(?=b)(?:ab|b)",
    r"(?:(?=b))\b((?:a|c)?)b+",
    "(?i)((?=b))+(?:a|)(?>b)",
    "c|(?<!a)(?=(?>b+))(?:a)*[b]",
    r"(?=\b(?=b)b)(?(?=a)a)b",
]


@pytest.mark.parametrize(
    "source",
    [
        "^(?=b)a?b",
        "(?=b)",
        "(?=b)b",
        "(?=b)(?=a?)(b)c",
        r"(?=b)\w*",
        "(?=b)[bc]*",
        "(?=b)[bc]b",
        "(?=b)(?:a|b|.)?",
        "(?=.)a?b",
        "(?=a?)a?b",
        "(?=$)a?b",
        "(?=b)?a?b",
        "(?!b)a?b",
        "(?=)",
    ],
)
def test_harmless_look_at_the_start_is_accepted(source):
    assert compile_for_re(source).engine == "re"


@pytest.mark.parametrize(
    ("source", "construct"),
    [
        (r"(a+)(?<=\1)", "a back reference in a look-behind"),
        ("(?<=(?1))(a|bc)", "(?1) in a look-behind"),
        (r"(?<=\R)", r"\R in a look-behind"),
        (r"(?<=\X)", r"\X in a look-behind"),
        ("(a|^){0}b", "a group of several alternatives that is repeated no times"),
        *((source, LOOK_AT_START) for source in LOOKS_AT_START),
        ("(?<=(?<!a|bc)+)d", "a look-behind of several lengths in a look-behind"),
        ("(?<=(?(?=a)b|c))", "(?(...) in a look-behind"),
        ("(?<*a)b", "a non-atomic look-behind"),
        (r"(*UTF)\x{100}", "(*UTF)"),
        (r"(*UTF)\C", r"\C under (*UTF)"),
        ("(" * 41 + ")" * 41, "parentheses nested more than 40 deep"),
    ],
)
def test_construct_that_pcre2_releases_differ_on_is_refused_by_name(source, construct):
    with pytest.raises(UnsupportedPattern) as caught:
        compile_pattern(source)

    assert caught.value.construct == construct
    assert str(caught.value) == (
        f"pattern {source!r}: Python's re has no exact equivalent of {construct};"
        " releases of PCRE2 differ on it, so write the pattern without it"
    )


@pytest.mark.parametrize(
    ("source", "construct"),
    [
        ("^/(?>a|ab)c", "an atomic group or possessive quantifier (Python 3.11 has them)"),
        ("^/a++b", "an atomic group or possessive quantifier (Python 3.11 has them)"),
        ("^/(a+){0,2}?.b", "a group in a lazy repeat (Python 3.11 has it)"),
    ],
)
def test_construct_needs_python_3_11(source, construct, monkeypatch):
    for name in ("_HAS_ATOMIC_GROUPS", "_HAS_LAZY_GROUPS"):
        monkeypatch.setattr(f"django_wsgimatch.aliases.patterns.pcre.translate.{name}", False)

    with pytest.raises(UnsupportedPattern) as caught:
        compile_for_re(source)

    assert caught.value.construct == construct


@pytest.mark.parametrize(
    ("source", "uri", "ending"),
    [
        pytest.param("^", "/a", None, id="start"),
        pytest.param("x*", "/a", None, id="nothing at the start"),
        pytest.param("(?=/app)", "/app", None, id="look ahead at the start"),
        pytest.param("$", "/a", 2, id="end"),
        pytest.param("(?<=/app)", "/app", 4, id="look behind"),
        pytest.param("^(/a)?", "/a", 2, id="optional part that is there"),
        pytest.param("^(/a)?", "/b", None, id="optional part that is not"),
    ],
)
def test_match_counts_only_if_it_ends_past_offset_0(source, uri, ending):
    found = compile_for_re(source).find(uri)

    assert (found and found.end()) == ending


@pytest.mark.parametrize(
    ("source", "name"),
    [
        pytest.param("^/app", "match", id="anchored"),
        pytest.param(".*/app", "match", id="anything in front"),
        pytest.param("/app", "search", id="anywhere"),
    ],
)
def test_search_that_cannot_end_at_0_is_the_compiled_patterns_own(source, name):
    find = compile_for_re(source).find

    owner = getattr(find, "__self__", None)
    assert isinstance(owner, re.Pattern)
    assert find == getattr(owner, name)


@pytest.mark.parametrize(
    ("source", "anchored", "prefixes"),
    [
        ("^/app", True, ("/app",)),
        (r"\A/app", True, ("/app",)),
        ("^/(admin|files|photologue)", True, ("/admin", "/files", "/photologue")),
        ("^/(?:a|b)/(?:c|d)x", True, ("/a/cx", "/a/dx", "/b/cx", "/b/dx")),
        (r"^/a\.b/[/]x\x2fy", True, ("/a.b//x/y",)),
        ("^/(a)(?=b)b", True, ("/ab",)),
        ("^/(?:ab){2}c", True, ("/ab",)),
        ("^/(?:ab)+c", True, ("/ab",)),
        ("^/a|^/b", True, ("/a", "/b")),
        ("(?:^/a|^/b)c", True, ("/ac", "/bc")),
        ("(?=/)^/a", True, ("/a",)),
        ("^/app?", True, ("/ap",)),
        ("^/(?i)app", True, ("/",)),
        ("^/(" + "|".join(f"a{n}" for n in range(33)) + ")", True, ("/",)),
        ("^/[ab](?:c|[12])", True, ("/a1", "/a2", "/ac", "/b1", "/b2", "/bc")),
        ("^/[0-9][ab]", True, ("/",)),
        ("^/" + "[abcd]" * 3, True, tuple(f"/{a}{b}" for a in "abcd" for b in "abcd")),
        ("^/?app", True, None),
        ("^.*", True, None),
        ("(^/a)?b", False, None),
        ("^/a|/b", False, None),
        ("/app", False, None),
        ("(?m)^/a", False, None),
        (".*/app", True, None),
        ("(.*)/app", True, None),
        ("(?:.*a|.*b)c", True, None),
        (r"(.*)/app\1", False, None),
        ("(?>.*?a)b", False, None),
        (".*+a", False, None),
        ("x.*", False, None),
    ],
)
def test_anchor_and_prefixes(source, anchored, prefixes):
    pattern = compile_pattern(source)

    assert (pattern.anchored, pattern.prefixes) == (anchored, prefixes)


@pytest.mark.parametrize(
    ("source", "segments"),
    [
        ("/api/v[0-9]+/", ("api",)),
        ("(.*)/annex/objects/(.*)", ("annex", "objects")),
        ("/a/b$", ("a", "b")),
        ("/a/b", ("a",)),
        ("/a/b(/.*)?$", ("a", "b")),
        ("/a/b(/.*)?x", ("a",)),
        ("/a/b(?=/|$)", ("a", "b")),
        ("/a/b(?=/)(?!x)", ("a", "b")),
        ("/a/b[/]", ("a", "b")),
        ("/a/b(?:/c)+", ("a", "b")),
        ("/a(?:/|$)", ("a",)),
        ("/a/x?/b/", ("a", "b")),
        ("/a/(b|c)/d/", ("a", "d")),
        ("/(a)(b)/", ("ab",)),
        ("/a/a/", ("a",)),
        ("/a(?!b)/c/", ("a", "c")),
        ("x/y", ()),
        ("(?i)/a/", ()),
        ("(/a/)?b", ()),
        (r"\.cgi$", ()),
        ("/a[^/]", ()),
        ("/a/|/b/", ()),
    ],
)
def test_segments(source, segments):
    assert compile_pattern(source).segments == segments


def test_patterns_of_one_shape_keep_their_own_words():
    first, second = (compile_for_re(f"^/{word}(/.*)?/x/({word}|y)$") for word in ("app1", "other"))

    assert (first.prefixes, second.prefixes) == (("/app1",), ("/other",))
    assert (first.segments, second.segments) == (("app1", "x"), ("other", "x"))
    assert first.find("/other/x/y") is None
    assert told(second, second.find("/other/x/other")) == (
        ["/other/x/other", None, "other"],
        14,
    )


def test_pattern_tells_what_it_is():
    assert repr(compile_for_re("^/a(.)")) == (
        "Pattern(source='^/a(.)', engine='re', groups=1, anchored=True, prefixes=('/a',),"
        " segments=())"
    )


@pytest.mark.parametrize("count", mostly_thorough([300, 1000]))
def test_random_bytes_as_patterns_raise_pattern_errors_only(count):
    seed = random.randrange(10**6)
    generator = random.Random(seed)
    for _ in range(count):
        source = generator.randbytes(generator.randint(1, 20)).decode("latin-1")
        try:
            compile_pattern(source).find("/")
        except PatternError:
            continue
        except Exception:  # pragma: no cover - the seed is what a failure is reported with
            pytest.fail(f"seed {seed}: {source!r}")


class TestWithoutThePackage:
    @pytest.fixture(autouse=True)
    def no_package(self, monkeypatch):
        monkeypatch.setattr(pattern_module, "pcre2_package", lambda: None)

    def test_what_re_lacks_is_refused(self):
        with pytest.raises(UnsupportedPattern, match="pip install"):
            compile_pattern(r"^/a\Kb")

    def test_what_can_blow_up_is_refused(self):
        with pytest.raises(PatternError, match="pip install"):
            compile_pattern("^/(a+)+$")

    def test_what_can_blow_up_runs_if_allowed(self):
        pattern = compile_pattern("^/(a+)+$", allow_exponential=True)

        assert pattern.engine == "re"
        assert told(pattern, pattern.find("/aa")) == (["/aa", "aa"], 3)
