from __future__ import annotations

from random import Random

import pytest

from django_wsgimatch.aliases.alias import Alias, Denial
from django_wsgimatch.aliases.resolve import Rules, resolve
from django_wsgimatch.aliases.roots import derive_roots
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.dispatcher import Dispatcher
from django_wsgimatch.plans.plan import why_unplanned
from tests.fuzz.plans import compare, write_files
from tests.support.wsgi import get, write_scripts
from tests.thorough import mostly_thorough

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


@pytest.mark.parametrize("seed", mostly_thorough(range(6), 0, 1))
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


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("files"))


@pytest.mark.parametrize("seed", mostly_thorough(range(12), 0, 1, 2, 3))
def test_a_dispatcher_that_remembers_answers_as_a_corridor_that_does_not(files, seed, monkeypatch):
    monkeypatch.syspath_prepend(files)
    answers = [answer for part in range(5) for answer in compare(100 * seed + part, files)]

    assert [quick for _, quick, _ in answers] == [slow for _, _, slow in answers]


@pytest.mark.parametrize(
    ("target", "kind", "why"),
    [
        pytest.param("/srv/x.wsgi", "plain", "", id="a script"),
        pytest.param("x.wsgi/$1", "match", "", id="a relative one"),
        pytest.param("/srv/d/../x.wsgi", "plain", "resolved each time", id="dots"),
        pytest.param("/srv//x.wsgi", "plain", "resolved each time", id="slashes"),
        pytest.param("$1.wsgi", "match", "", id="a capture"),
        pytest.param("\\$1.wsgi", "match", "does not begin", id="an escape"),
        pytest.param("", "match", "does not begin", id="nothing"),
        pytest.param("$1.wsgi", "plain", "", id="a dollar"),
        pytest.param("/" + "x" * 2100, "plain", "more than 2046 characters", id="too long"),
    ],
)
def test_why_an_entry_has_no_plan(target, kind, why):
    found = why_unplanned(Alias("/a", target, kind), Rules(base_directory="/srv"))

    assert (why in found, bool(found)) == (True, bool(why))


@pytest.mark.parametrize(
    ("group", "has_plan"),
    [
        pytest.param("blue", True, id="a defined one"),
        pytest.param("%{GLOBAL}", True, id="the server's own"),
        pytest.param("green", False, id="one that nobody has defined"),
        pytest.param("%{ENV:x}", True, id="one that a request names"),
    ],
)
def test_plans_of_process_groups(group, has_plan):
    alias = Alias("/a", "/srv/x.wsgi", process_group=group)

    found = why_unplanned(alias, Rules(process_groups=("blue",)))

    assert found is not has_plan


def test_an_entry_that_refuses_has_a_plan():
    assert not why_unplanned(Alias("/a", "", answer=Denial()), Rules())
