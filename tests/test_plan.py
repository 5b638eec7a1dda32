from __future__ import annotations

from random import Random

import pytest

from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.resolve import Rules, resolve
from django_wsgimatch.aliases.roots import derive_roots
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.aliases.uri import parse_target
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.plan import is_clean
from tests.support.wsgi import get, write_scripts

SCRIPTS = (
    "a.wsgi",
    "b.wsgi",
    "ab.wsgi",
    "h.py",
    "d/a.wsgi",
    "d/b",
    "d/c.wsgi/a.wsgi",
    "a/a.wsgi",
    "\xe9.wsgi",
)
LOCATIONS = ("/", "/", "/a", "/a", "/a", "/b", "/a/", "/a/b", "//a", "/a//b", "a", "/\xe9", "/d/")
PLAIN_TARGETS = (
    *["a.wsgi", "h.py", "a.wsgi/tail"] * 3,
    *("d", "d/", "", "none.wsgi", "$1.wsgi"),
    *("a.wsgi/", "a.wsgi/tail/", "a.wsgi//t", "a.wsgi/.t", "a.wsgi/x/../y"),
    *("d/../a.wsgi", "./h.py", "d//a.wsgi", "d/c.wsgi", "a.wsgi/a", "h.py/a/b"),
)
PATTERNS = (
    *("^/(a|b)", "^/(a|b)", "^/([^/]+)", "^/([^/]+)/([^/]*)", "^/(.*)", "^/(.*)$", "^/a(/.*)?$"),
    *("/(b)", "^/", "^/(a)?", "(.)$", "^/(\\w+)/(\\w+)", "a", "^(?!/b)/(.)", "$", "^/(a)(b)?(/|$)"),
)
MATCH_TARGETS = (
    *["$1.wsgi", "h.py/$1", "h.py/$1", "d/$1", "h.py$0", "h.py"] * 3,
    *("h.py$1", "h.py/p/$1", "$1/a.wsgi", "$1$1.wsgi", "h.py/$2/$1", "h.py/.$1", "d/.$1/a.wsgi"),
    *("h.py//$1", "d/../$1.wsgi", "h.py/\\$1", "$1.wsgi/t", "$1.wsgi/$2", "d/$1/", "h.py/$9"),
)
NAMES = ("a", "a", "a", "b", "b", "ab", "d", "c.wsgi", "a.wsgi", "\xe9", "x", "a;v=1", "$1", "\\")
ODD = (
    *(".", "..", "", "", ".a", "a b", "%61", "%2e%2E", "%2f", "%20", "%e9"),
    *("%", "%00", "\x7f", "#"),
)
QUERIES = (*[""] * 30, "?", "?q=1", "?a#b", "?a b", "?\xe9", "?\xa0", "?%zz&//../")
CALLABLES = (*[None] * 8, "application", "other", "missing")


def fallback(environ, start_response):
    start_response("299 Fallback", [("Content-Type", "text/plain")])
    return [b"fallback"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    directory = tmp_path_factory.mktemp("scripts")
    write_scripts(
        directory, *(name.encode("latin-1").decode("utf-8", "surrogateescape") for name in SCRIPTS)
    )
    return str(directory)


def random_alias(rng: Random, root: str) -> Alias:
    kind = rng.choice(("plain", "match", "match"))
    location = rng.choice(LOCATIONS if kind == "plain" else PATTERNS)
    target = rng.choice(PLAIN_TARGETS if kind == "plain" else MATCH_TARGETS)
    target = target if target and rng.random() < 0.1 else f"{root}/{target}"
    return Alias(
        location,
        target,
        "plain" if kind == "plain" else "match",
        callable_object=rng.choice(CALLABLES),
        pass_authorization=rng.choice((None, None, True, False)),
    )


def random_rules(rng: Random, root: str, aliases: list[Alias]) -> Rules:
    return Rules(
        allow_encoded_slashes=rng.choice((False, False, True, "NoDecode")),
        merge_slashes=rng.random() < 0.7,
        roots=rng.choice((None, None, None, derive_roots(aliases, root), (f"{root}/d",))),
        base_directory=root,
        pass_authorization=rng.random() < 0.7,
    )


def random_target(rng: Random) -> str:
    segments = [rng.choice(NAMES) for _ in range(rng.choice((1, 1, 2, 2, 3, 4)))]
    if rng.random() < 0.15:
        segments.insert(rng.randrange(len(segments) + 1), rng.choice(ODD))
    if rng.random() < 0.02:
        segments.append("a/" * 1500)
    path = "/" + "/".join(segments) + rng.choice(("", "", "", "/"))
    return (path if rng.random() < 0.99 else path[1:]) + rng.choice(QUERIES)


def answered(dispatcher: Dispatcher, target: str) -> tuple[object, ...]:
    answer = get(dispatcher, target, headers={"Authorization": "Basic x"})
    if answer.code != 200:
        return (answer.code,)
    told = answer.told
    return (*answer.corridor, told["callable"], "HTTP_AUTHORIZATION" in told)


def expected(table: AliasTable, target: str, rules: Rules) -> tuple[object, ...]:
    found = resolve(table, target, rules=rules)
    if found.status != 200:
        return (found.status or 299,)
    if found.callable_object == "missing":
        return (404,)
    split = (200, found.script, found.script_name, found.path_info)
    return (*split, found.callable_object, found.pass_authorization)


@pytest.mark.parametrize("seed", range(6))
def test_every_way_to_an_answer_gives_that_of_the_corridor(root, seed):
    rng = Random(seed)
    for _ in range(10):
        aliases = [random_alias(rng, root) for _ in range(rng.choice((1, 2, 3, 12)))]
        rules = random_rules(rng, root, aliases)
        table = AliasTable(aliases)
        dispatcher = Dispatcher(table, fallback, rules=rules)
        # Each target comes again when more has been learnt of the aliases, and of the target.
        targets = [random_target(rng) for _ in range(20)] * 4
        rng.shuffle(targets)

        answers = [(aliases, target, answered(dispatcher, target)) for target in targets]

        assert answers == [(aliases, target, expected(table, target, rules)) for target in targets]


@pytest.mark.parametrize(
    ("uri", "clean"),
    [
        pytest.param("/", True, id="the root"),
        pytest.param("/a/b.c;d=1/", True, id="plain text"),
        pytest.param("/\xe9", True, id="a printable byte"),
        pytest.param("", False, id="nothing"),
        pytest.param("a", False, id="no slash"),
        pytest.param("http://h/a", False, id="absolute form"),
        pytest.param("/a//b", False, id="slashes to merge"),
        pytest.param("/a/..", False, id="dots to resolve"),
        pytest.param("/.a", False, id="a dot that may be one to resolve"),
        pytest.param("/%61", False, id="an escape"),
        pytest.param("/a b", False, id="a blank"),
        pytest.param("/a#b", False, id="a fragment"),
        pytest.param("/a\t", False, id="a control character"),
        pytest.param("/" + "a" * 2046, False, id="very long"),
    ],
)
def test_is_clean(uri, clean):
    found = is_clean(uri)

    assert found is clean


def test_clean_target_is_its_own_uri():
    rng = Random(1)
    targets = (random_target(rng).partition("?")[0] for _ in range(5000))
    clean = [target for target in targets if is_clean(target)]

    uris = [parse_target(target).uri for target in clean]

    assert uris == clean
    assert len(clean) > 500
