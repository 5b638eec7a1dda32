"""Whatever a client or a settings file says, only the documented errors come of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from random import Random

import pytest

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.directives import parse_directive
from django_wsgimatch.aliases.patterns.pattern import compile_pattern
from django_wsgimatch.aliases.resolve import MOD_WSGI, Rules, resolve, resolve_path_info
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.aliases.uri import parse_target
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.entries import script_alias, script_alias_match, to_alias
from django_wsgimatch.exceptions import (
    BadTarget,
    DirectiveError,
    ExponentialPattern,
    InvalidPattern,
    TableError,
    UnsupportedPattern,
)
from django_wsgimatch.settings_guard import settings_modules
from tests.support.wsgi import get, write_scripts
from tests.thorough import mostly_thorough

CASES = 10_000
TARGET_PARTS = (
    *("/", "/", "/", "//", "..", ".", "%2e", "%2F", "%00", "%", "%4", "%zz", "%25", "?", "#"),
    *(" ", "\t", "\n", "\0", "\x7f", "\xff", "\xe9", "\xa0", ";", "http://", "https:", "h", ":80"),
    *("@", "[::1]", "a", "app", "$1", "\\", "x" * 300, "a/" * 2100),
)
LINE_PARTS = (
    *("WSGIScriptAlias ", "WSGIScriptAliasMatch ", "wsgiscriptalias\t", "/a ", "^/(.*) ", "/x "),
    *(" ", "\t", "\v", "\\", "\\\n", "\n", '"', "'", "=", "#", "$1", "${HOME}", "${", "%{GLOBAL}"),
    *("process-group=", "application-group=", "callable-object=", "pass-authorization=", "On", "("),
    *("\0", "\xff", "\u0142", "\ud800"),
)
PATTERN_PARTS = (
    *("^", "$", "/", "a", "b", ".", "*", "+", "?", "{2}", "{,3}", "{1,", "(", ")", "(?:", "(?=a)"),
    *("(?<=b)", "(?<n>", "(?i)", "(?>", "(?|", "(?1)", "\\1", "\\g{-1}", "\\k<n>", "\\Q", "\\E"),
    *("[", "]", "[^", "a-z", "[:alpha:]", "\\w", "\\d", "\\p{L}", "\\x{e9}", "\\", "|", "\\K"),
    *("(*UTF)", "(*SKIP)", "\0", "\xff", "#", " ", "-", "\\N", "\\z", "(?#", "(?(1)", "++"),
)


def random_text(rng: Random, parts: tuple[str, ...]) -> str:
    """Half of the time noise, half of the time parts that mean something."""
    if rng.random() < 0.3:
        return rng.randbytes(rng.randrange(40)).decode("latin-1")
    return "".join(rng.choice(parts) for _ in range(rng.randrange(12)))


def raised(call: Callable[[str], object], texts: list[str]) -> set[type[BaseException]]:
    """The types of all the errors that a function raises."""
    found: set[type[BaseException]] = set()
    for text in texts:
        try:
            call(text)
        except Exception as error:
            if type(error) not in found:
                logging.getLogger("tests").error("%r: %r", text, error)
            found.add(type(error))
    return found


@pytest.fixture(params=mostly_thorough(range(2)), ids=lambda seed: f"seed {seed}")
def rng(request):
    return Random(request.param)


@pytest.fixture
def targets(rng):
    return [random_text(rng, TARGET_PARTS) for _ in range(CASES // 2)]


@pytest.fixture
def lines(rng):
    return [random_text(rng, LINE_PARTS) for _ in range(CASES // 2)]


@pytest.fixture
def patterns(rng):
    # A pattern takes ten times as long as a line; `make fuzz` tries more of them.
    return [random_text(rng, PATTERN_PARTS) for _ in range(CASES // 10)]


@pytest.fixture
def table(tmp_path):
    path = write_scripts(tmp_path, "x.wsgi", "d/a.wsgi")
    return AliasTable(
        [
            Alias("/a", str(path)),
            Alias("^/([^/]+)/(.*)", f"{tmp_path}/d/$1.wsgi/$2", "match"),
            Alias("(.)(.*)", f"{tmp_path}$1$2", "match"),
        ]
    )


@pytest.mark.parametrize("allow_encoded_slashes", [False, True, "NoDecode"])
def test_targets(targets, allow_encoded_slashes):
    errors = raised(
        lambda target: parse_target(target, allow_encoded_slashes=allow_encoded_slashes), targets
    )

    assert errors == {BadTarget}


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(Rules(), id="the project's rules"),
        pytest.param(MOD_WSGI, id="mod_wsgi's rules"),
        pytest.param(
            Rules(allow_encoded_slashes=True, merge_slashes=False, roots=("/srv",)), id="others"
        ),
    ],
)
def test_targets_that_walk_the_corridor(table, targets, rules):
    errors = raised(lambda target: resolve(table, target, rules=rules), targets)

    assert errors == set()


def test_paths_that_walk_the_corridor(table, targets):
    errors = raised(lambda path: resolve_path_info(table, path, ""), targets)

    assert errors == set()


@pytest.mark.parametrize(
    "without", [pytest.param([], id="RAW_URI"), pytest.param(["RAW_URI"], id="PATH_INFO")]
)
def test_requests(table, targets, without):
    dispatcher = Dispatcher(table)

    errors = raised(
        lambda target: get(dispatcher, target, without=without, HTTP_HOST=target[:20]), targets
    )

    assert errors == set()


def test_requests_in_text_that_is_no_bytes(table):
    """PEP 3333 forbids it; a server that does so all the same gets an answer."""
    dispatcher = Dispatcher(table)

    codes = [
        get(dispatcher, "/a", **{name: f"/a/\u0142{end}"}).code
        for name in ("RAW_URI", "PATH_INFO")
        for end in ("", "//", "?\u0142")
    ]

    assert {*codes} <= {200, 400, 404}


def test_lines(lines):
    errors = raised(parse_directive, lines)

    assert errors == {DirectiveError}


def test_tables(lines):
    errors = raised(lambda line: AliasTable.from_directives(line.split("\n")), lines)

    assert errors == {TableError}


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda text: text, id="directive line"),
        pytest.param(lambda text: text.encode("utf-8", "surrogatepass"), id="in bytes"),
        pytest.param(lambda text: script_alias(text, text), id="script_alias"),
        pytest.param(lambda text: script_alias_match("^/a", text), id="script_alias_match"),
        pytest.param(
            lambda text: script_alias("/a", "/x", callable_object=text), id="callable_object"
        ),
    ],
)
def test_entries(lines, form):
    errors = raised(
        lambda line: to_alias(form(line), process_groups=(), variables={"HOME": "/x"}), lines
    )

    assert errors == {DirectiveError}


def test_patterns(patterns):
    errors = raised(lambda source: compile_pattern(source).find("/a/b\xff\n"), patterns)

    documented = {InvalidPattern, UnsupportedPattern, ExponentialPattern}
    assert errors <= documented
    assert InvalidPattern in errors


def test_sources_of_scripts(lines):
    errors = raised(lambda line: settings_modules(line.encode("latin-1", "replace")), lines)

    assert errors == set()


def test_table_with_50_broken_entries_reports_them_all():
    aliases = [Alias("(", f"/{number}", "match") for number in range(50)]

    with pytest.raises(TableError) as caught:
        AliasTable([Alias("/a", "/x"), *aliases])

    assert [position for position, _ in caught.value.errors] == [*range(1, 51)]


def test_lines_with_50_broken_entries_reports_them_all():
    with pytest.raises(TableError) as caught:
        AliasTable.from_directives(["WSGIScriptAlias /a", "# note"] * 50)

    assert [position for position, _ in caught.value.errors] == [*range(50)]
