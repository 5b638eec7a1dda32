from __future__ import annotations

import pytest

from django_wsgimatch.aliases.alias import Alias, Redirection
from django_wsgimatch.aliases.directives import (
    check_option,
    check_process_group,
    expand_variables,
    get_word,
    join_lines,
    make_alias,
    parse_directive,
    preloads,
)
from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.exceptions import DirectiveError

TWO_ARGUMENTS = (
    "WSGIScriptAlias requires at least two arguments, Map location to target WSGI script file."
)
TWO_ARGUMENTS_MATCH = (
    "WSGIScriptAliasMatch requires at least two arguments, "
    "Map location pattern to target WSGI script file."
)
INVALID_OPTION = "Invalid option to WSGI script alias definition."


@pytest.mark.parametrize(
    ("line", "word", "rest"),
    [
        pytest.param("a b c", "a", "b c", id="split at a blank"),
        pytest.param(" \ta\v\f b", "a", "b", id="every blank of the C locale"),
        pytest.param("a\xa0b c", "a\xa0b", "c", id="a no-break space is no blank"),
        pytest.param('"a b" c', "a b", "c", id="double quotes"),
        pytest.param("'a b' c", "a b", "c", id="single quotes"),
        pytest.param('"a"b', "a", "b", id="a closing quote ends the word"),
        pytest.param('a"b c"', 'a"b', 'c"', id="a quote inside a word is text"),
        pytest.param('"a b', "a b", "", id="the closing quote may be missing"),
        pytest.param(r'"a\"b\\c\d" e', r'a"b\c\d', "e", id="escapes in quotes"),
        pytest.param("'a\\\"b'", 'a\\"b', "", id="the other quote is not escaped"),
        pytest.param(r"a\\b\ c", "a\\b\\", "c", id="outside quotes a doubled backslash only"),
        pytest.param('"" b', "", "b", id="an empty word in quotes"),
        pytest.param("", "", "", id="nothing"),
    ],
)
def test_get_word(line, word, rest):
    found = get_word(line)

    assert found == (word, rest)


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        pytest.param([" a \r\n", "\tb\n"], ["a", "b"], id="trimmed"),
        pytest.param(["", "  ", "# a", "  #b"], [], id="blank lines and comments go"),
        pytest.param(["a \\", "b"], ["a b"], id="a backslash joins"),
        pytest.param(["a\\\r\n", "b"], ["ab"], id="also before a carriage return"),
        pytest.param(["# a \\", "b"], [], id="a comment goes on too"),
        pytest.param(["a # b"], ["a # b"], id="no comment behind text"),
        pytest.param(["a\\"], ["a"], id="a backslash in the last line"),
        pytest.param(["  \\"], [], id="nothing but a backslash"),
    ],
)
def test_join_lines(lines, joined):
    found = list(join_lines(lines))

    assert found == joined


@pytest.mark.parametrize(
    ("line", "expanded"),
    [
        pytest.param("${A}/x ${A}", "/srv/x /srv", id="everywhere"),
        pytest.param("${B}", "${B}", id="an unknown one stays"),
        pytest.param("$A $1 ${A", "$A $1 ${A", id="only in braces"),
    ],
)
def test_expand_variables(line, expanded):
    found = expand_variables(line, {"A": "/srv"})

    assert found == expanded


@pytest.mark.parametrize(
    ("line", "alias"),
    [
        pytest.param("WSGIScriptAlias /a /x.wsgi", Alias("/a", "/x.wsgi"), id="plain"),
        pytest.param("wsgiSCRIPTalias /a /x.wsgi", Alias("/a", "/x.wsgi"), id="any case"),
        pytest.param(
            "WSGIScriptAliasMatch ^/(a|b) /$1.wsgi",
            Alias("^/(a|b)", "/$1.wsgi", "match"),
            id="match",
        ),
        pytest.param(
            'WSGIScriptAlias "/a b" "/x y.wsgi"', Alias("/a b", "/x y.wsgi"), id="quoted words"
        ),
        pytest.param(
            "WSGIScriptAlias /a /x.wsgi callable-object=handler pass-authorization=oN"
            " application-group=%{GLOBAL} process-group=blue",
            Alias("/a", "/x.wsgi", "plain", "blue", "%{GLOBAL}", "handler", True),
            id="every option",
        ),
        pytest.param(
            "WSGIScriptAlias /a /x.wsgi pass-authorization=off",
            Alias("/a", "/x.wsgi", pass_authorization=False),
            id="an option that says no",
        ),
        pytest.param(
            "WSGIScriptAlias /a /x.wsgi process-group=a process-group= 'b c'",
            Alias("/a", "/x.wsgi", process_group="b c"),
            id="the last option counts, its value is a word",
        ),
        pytest.param(
            "WSGIScriptAliasMatch ( /x", Alias("(", "/x", "match"), id="not compiled here"
        ),
    ],
)
def test_parse_directive(line, alias):
    parsed = parse_directive(line)

    assert parsed == alias


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("WSGIScriptAlias", TWO_ARGUMENTS, id="no words"),
        pytest.param("WSGIScriptAlias /a", TWO_ARGUMENTS, id="no target"),
        pytest.param('WSGIScriptAlias "" /x.wsgi', TWO_ARGUMENTS, id="an empty location"),
        pytest.param('WSGIScriptAliasMatch /a ""', TWO_ARGUMENTS_MATCH, id="an empty target"),
        pytest.param("WSGIScriptAlias /a /x y", INVALID_OPTION, id="a third word"),
        pytest.param("WSGIScriptAlias /a /x y=1", INVALID_OPTION, id="an unknown option"),
        pytest.param("WSGIScriptAlias /a /x =1", INVALID_OPTION, id="an option without name"),
        pytest.param("WSGIScriptAlias /a /x a b=1", INVALID_OPTION, id="a blank in the name"),
        pytest.param("WSGIScriptAlias /a /x # b=1", INVALID_OPTION, id="no comment in a line"),
        pytest.param("WSGIScriptAlias /a /x Process-Group=b", INVALID_OPTION, id="option's case"),
        pytest.param(
            "WSGIScriptAlias /a /x process-group=",
            "Invalid name for WSGI process group.",
            id="an empty process group",
        ),
        pytest.param(
            "WSGIScriptAlias /a /x application-group=''",
            "Invalid name for WSGI application group.",
            id="an empty application group",
        ),
        pytest.param(
            "WSGIScriptAlias /a /x callable-object=",
            "Invalid name for WSGI callable object.",
            id="an empty callable object",
        ),
        pytest.param(
            "WSGIScriptAlias /a /x pass-authorization=1",
            "Invalid value for authorization flag.",
            id="a flag that is neither on nor off",
        ),
        pytest.param(
            "ScriptAlias /a /x",
            "Invalid command 'ScriptAlias', perhaps misspelled or defined by a module not included "
            "in the server configuration",
            id="another directive",
        ),
    ],
)
def test_line_that_apache_refuses(line, message):
    with pytest.raises(DirectiveError) as caught:
        parse_directive(line)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("alias", "expected"),
    [
        pytest.param(Alias("/a", "/x", "plain", "g", "h"), True, id="both groups literal"),
        pytest.param(
            Alias("/a", "/x", "match", "%{GLOBAL}", "%{GLOBAL}"), True, id="both the main ones"
        ),
        pytest.param(Alias("/a", "/x", "plain", "g", None), False, id="one group only"),
        pytest.param(Alias("/a", "/x", "plain", "g", "%{SERVER}"), False, id="a group by request"),
        pytest.param(Alias("/a", "/$1", "match", "g", "h"), False, id="a capture in the target"),
        pytest.param(Alias("/a", "/x\\$", "match", "g", "h"), False, id="any dollar in a template"),
        pytest.param(Alias("/a", "/$1", "plain", "g", "h"), True, id="a dollar in a file's name"),
    ],
)
def test_preloads(alias, expected):
    found = preloads(alias)

    assert found is expected


@pytest.mark.parametrize(
    ("alias", "groups"),
    [
        pytest.param(Alias("/a", "/x", "plain", "g", "h"), None, id="the question is left open"),
        pytest.param(Alias("/a", "/x", "plain", "g", "h"), ["g"], id="a group that is defined"),
        pytest.param(Alias("/a", "/x", "plain", "%{GLOBAL}", "h"), [], id="the server itself"),
        pytest.param(
            Alias("/a", "/x", "plain", "g", None), [], id="an alias that does not preload"
        ),
    ],
)
def test_process_group_that_is_accepted(alias, groups):
    checked = check_process_group(alias, groups)

    assert checked is alias


def test_process_group_of_a_preloading_alias_must_be_defined():
    alias = Alias("/a", "/x", "plain", "g", "h")

    with pytest.raises(DirectiveError, match=r"^WSGI process group not yet configured\.$"):
        check_process_group(alias, ["other"])


def test_make_alias_reads_the_flag():
    alias = make_alias("plain", "/a", "/x", {"pass-authorization": "On"})

    assert alias == Alias("/a", "/x", pass_authorization=True)


def test_check_option_returns_the_value():
    value = check_option("callable-object", "handler")

    assert value == "handler"


@pytest.mark.parametrize(
    ("kind", "directive"), [("plain", "WSGIScriptAlias"), ("match", "WSGIScriptAliasMatch")]
)
def test_directive_of_an_alias(kind, directive):
    name = Alias("/a", "/x", kind).directive

    assert name == directive


ALIAS_TAKES = "Alias takes 1-2 arguments, a fakename and a realname, or a realname in a Location"
ALIAS_MATCH_TAKES = "AliasMatch takes two arguments, a regular expression and a filename"
REDIRECT_TAKES = (
    "Redirect takes one, two or three arguments, an optional status, then document to be "
    "redirected and destination URL"
)
REDIRECT_MATCH_TAKES = (
    "RedirectMatch takes two or three arguments, an optional status, then a regular expression and "
    "destination URL"
)
PERMANENT_TAKES = (
    "RedirectPermanent takes two arguments, a document to be redirected, then the destination URL"
)
MISSING, NOT_VALID = "URL to redirect to is missing", "Redirect URL not valid for this status"
NON_URL, OF_THREE = "Redirect to non-URL", "Redirect: invalid first argument (of three)"


def redirecting(location, url, status=302, kind="plain"):
    return Alias(location, "", kind, answer=Redirection(url, status))


@pytest.mark.parametrize(
    ("line", "alias"),
    [
        ("Alias /a /srv/a", Alias("/a", "/srv/a", answer=FileOptions())),
        ('ALIAS "/a b" "/srv/a b"', Alias("/a b", "/srv/a b", answer=FileOptions())),
        ("AliasMatch ^/(.) /srv/$1", Alias("^/(.)", "/srv/$1", "match", answer=FileOptions())),
        ("Redirect /a http://x/", redirecting("/a", "http://x/")),
        ("Redirect permanent /a /b", redirecting("/a", "/b", 301)),
        ("Redirect SeeOther /a /b", redirecting("/a", "/b", 303)),
        ("redirect 307 /a javascript:b", redirecting("/a", "javascript:b", 307)),
        ("Redirect 301x /a 1:", redirecting("/a", "1:", 301)),
        ("Redirect gone /a", redirecting("/a", "", 410)),
        ("Redirect 404 /a", redirecting("/a", "", 404)),
        ("RedirectMatch ^/a x$1", redirecting("^/a", "x$1", kind="match")),
        ("RedirectMatch temp ^/a x", redirecting("^/a", "x", 302, "match")),
        ("RedirectMatch 410 ^/a", redirecting("^/a", "", 410, "match")),
        ("RedirectPermanent /a /b", redirecting("/a", "/b", 301)),
        ("RedirectTemp /a /b", redirecting("/a", "/b", 302)),
        ("RedirectPermanent gone /b", redirecting("/b", "", 410)),
    ],
)
def test_a_line_of_mod_alias(line, alias):
    assert parse_directive(line) == alias


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Alias", ALIAS_TAKES),
        ("Alias /a", "Alias must have two arguments when used globally"),
        ('Alias /a ""', "Alias must have two arguments when used globally"),
        ('alias "" /b', ALIAS_TAKES),
        ("Alias /a /b c", ALIAS_TAKES),
        ("AliasMatch ^/a", ALIAS_MATCH_TAKES),
        ('AliasMatch ^/a ""', ALIAS_MATCH_TAKES),
        ("AliasMatch ^/a b c", ALIAS_MATCH_TAKES),
        ("Redirect", REDIRECT_TAKES),
        ('Redirect "" /a', REDIRECT_TAKES),
        ("Redirect permanent /a /b c", REDIRECT_TAKES),
        ("Redirect /a", MISSING),
        ("Redirect permanent /a", MISSING),
        ("Redirect /a b", NON_URL),
        ("Redirect /a a_b:c", NON_URL),
        ('Redirect /a ""', NON_URL),
        ("Redirect gone /a /b", NOT_VALID),
        ("Redirect 404 /a /b", NOT_VALID),
        ("Redirect foo /a /b", OF_THREE),
        ("Redirect +301 /a /b", OF_THREE),
        ("RedirectMatch ^/a", REDIRECT_MATCH_TAKES),
        ("RedirectMatch 301 ^/a", MISSING),
        ('RedirectMatch 301 ^/a ""', MISSING),
        ("RedirectMatch 410 ^/a x", NOT_VALID),
        ("RedirectPermanent /a", PERMANENT_TAKES),
        ("RedirectPermanent 302 /b", MISSING),
        ("redirectpermanent /a b", NON_URL),
        ("Redirect gone", "the location of a redirect should not be empty"),
        ('Redirect 301 "" /b', "the location of a redirect should not be empty"),
        ("Redirect 0 /a", "the status of a redirect should be 200 or more, not 0"),
        ("Redirect 101 /a", "the status of a redirect should be 200 or more, not 101"),
    ],
)
def test_a_line_of_mod_alias_is_refused_in_the_words_of_apache(line, message):
    with pytest.raises(DirectiveError) as refused:
        parse_directive(line)

    assert str(refused.value) == message


def test_a_status_of_thousands_of_digits_is_read_at_once():
    found = parse_directive(f"Redirect {'9' * 100_000} /a")

    assert found == redirecting("/a", "", 999_999_999)
