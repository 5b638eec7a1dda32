"""Random tables of Alias, Redirect and WSGIScriptAlias, and requests to them."""

from __future__ import annotations

import re
from random import Random

from tests.conformance.made.random_tables import (
    QUERIES,
    Case,
    Piece,
    quoted,
    random_location,
    random_path,
    random_pattern,
)
from tests.support.oracle import Request, Table
from tests.support.trees import TreeEntry, TreeItem

# Each file holds its own name.
FILES = ("a", "a.txt", "da.txt", "d/a", "d/a.txt", "d/b", "d/e/a.b", "d/a b", "d/\xe9", "d/$1")
SCRIPTS = ("s.wsgi", "t.wsgi", "w/a", "w/b", "w/a.wsgi")
TREE: tuple[TreeItem, ...] = (
    *(TreeEntry(path=name, text=name) for name in FILES),
    *SCRIPTS,
)

SIMPLE = (
    *("/", "/a", "/a", "/b", "/d", "/a/", "/d/", "/a/b", "//a", "/a//b", "/a b", "/\xe9", "/x"),
    *("a", "/app", "/d/e", "/%41", "/a?b"),
)
PATTERNS = (
    *("^/a(.*)", "^/(.*)", "^/(.*)$", "^/d/(.*)", "/(b)", "^/([^/]+)/?(.*)", "^/(a|b)(/.*)?$"),
    *("", "^", "$", "(?=/a)", "^(?!/a)", "^(?=/d)(?:/d(.*))?", "(?<=/)a", "^/$", "(a)(b)?", "\\K"),
    *("^/a\\K/?(.*)", "^(?=/x)", "b$", "^/d$"),
)
FOLDERS = ("d", "d", "d/", "", "w", "a.txt", "d/a.txt", "none", "d/../d", "./d", "d//e")
FILE_TEMPLATES = (
    *("d/$1", "d$1", "d/$2", "$1", "a.txt", "d/a$1", "d/$0", "d/../$1", "d/\\$1", "$1$2", "d/$9"),
)
SCRIPT_TARGETS = ("s.wsgi", "t.wsgi", "w/", "w", "s.wsgi/x")
SCRIPT_TEMPLATES = ("s.wsgi", "t.wsgi/$1", "w/$1", "w/$2", "s.wsgi$1")
URLS = (
    *("http://x.test/b", "http://x.test/b/", "http://x.test", "/new", "/new/", "/", "//y/z"),
    *("https://x.test:443/", "http://x.test/?k=v", "/b?c=d", "/b#f", "/b?c#d", "ftp:x", "x-y:"),
    *("/a b", "/\xe9", "/b?\xe9 x", "http://u:p@x/", "1:", "javascript:x", "/%41%zz", "/a&b$1\\x"),
)
URL_TEMPLATES = (
    *("$1", "/$1", "http://x.test/$1", "http://x.test$1", "/?q=$1", "/p#$1", "$0", "http:$1"),
    *(
        "http://$1/",
        "//$1",
        "/$1?$2#$0",
        "/\\$1",
        "/a&b",
        "x$1",
        "$2$1",
        "http://u:$1@x.test:80/$2",
    ),
    *(
        "http://x:$1/",
        "https://[$1]:443/",
        "/$9",
        "/$10",
        "$1:",
        "/\xe9?\xe9 $1",
        "/b?#$1",
        "HTTP:/",
    ),
    *("http://x.test:80$1", "/" + 20 * "$1", "http://x/#?$1"),
)
STATUSES = (
    *("", "", "", "permanent", "temp", "seeother", "Temp", "301", "303", "307", "308", "300x"),
    *("304", "306", "399"),
)
OTHER_STATUSES = ("gone", "404", "410", "403", "503", "418", "599", "200", "204", "451", "512")
HOSTS = ("{HOST}", "{HOST}", "{HOST}", "{HOST}.", "{HOST}:80", "{HOST}:443", "{HOST}:8080")


def random_site(seed: str, requests: int) -> Case:
    """The case of ``seed``: always the same one. Its virtual host is called after the seed."""
    rng = Random(seed)
    name = f"m{re.sub('[^0-9a-z]', '-', seed)}.test"
    kinds = tuple(rng.choices(KINDS, k=rng.choice((1, 2, 3, 4))))
    entries = [rng.choice(kinds)(rng) for _ in range(rng.choice((1, 2, 3, 4, 6, 12)))]
    lines = [*random_rules(rng), *(line for line, _ in entries)]
    pieces = [piece for _, piece in entries]
    asked = tuple(random_request(rng, pieces) for _ in range(requests))
    return Case(Table(name, tuple(lines), TREE), asked)


def common_table(seed: str) -> Table:
    """What the main server says, which holds in every virtual host too."""
    rng = Random(seed)
    lines = [rng.choice(KINDS)(rng)[0] for _ in range(4)]
    # What takes every URL would leave little to compare.
    lines = [line for line in lines if "Match" not in line and re.search(r"/[a-z]", line)]
    return Table("main.test", tuple(lines), TREE)


def random_rules(rng: Random) -> list[str]:
    rules = ["MergeSlashes Off"] if rng.random() < 0.2 else []
    if rng.random() < 0.2:
        rules.append(f"AllowEncodedSlashes {rng.choice(('On', 'NoDecode'))}")
    return rules


def random_redirect(rng: Random) -> tuple[str, Piece]:
    """A line, and a maker of uris that it may well match."""
    if rng.random() < 0.15:
        other = rng.choice(OTHER_STATUSES)
        if rng.random() < 0.5:
            location = some_location(rng)
            return f"Redirect {other} {quoted(rng, location.source)}", location
        pattern = some_pattern(rng)
        return f"RedirectMatch {other} {quoted(rng, pattern.source)}", pattern
    status = rng.choice(STATUSES)
    if rng.random() < 0.4:
        location, url = some_location(rng), quoted(rng, rng.choice(URLS))
        directive = rng.choice(("RedirectTemp", "RedirectPermanent", f"Redirect {status}"))
        return f"{directive} {quoted(rng, location.source)} {url}", location
    pattern, url = some_pattern(rng), quoted(rng, rng.choice(URL_TEMPLATES))
    return f"RedirectMatch {status} {quoted(rng, pattern.source)} {url}", pattern


def random_files(rng: Random) -> tuple[str, Piece]:
    return targeted(rng, "Alias", FOLDERS, FILE_TEMPLATES)


def random_script(rng: Random) -> tuple[str, Piece]:
    return targeted(rng, "WSGIScriptAlias", SCRIPT_TARGETS, SCRIPT_TEMPLATES)


def targeted(
    rng: Random, name: str, plain: tuple[str, ...], templates: tuple[str, ...]
) -> tuple[str, Piece]:
    if rng.random() < 0.6:
        piece, target = some_location(rng), rng.choice(plain)
    else:
        piece, target, name = some_pattern(rng), rng.choice(templates), f"{name}Match"
    return f"{name} {quoted(rng, piece.source)} {quoted(rng, '{ROOT}/' + target)}", piece


def some_location(rng: Random) -> Piece:
    if rng.random() < 0.3:
        return random_location(rng)
    location = rng.choice(SIMPLE)
    return Piece(location, lambda: location)


def some_pattern(rng: Random) -> Piece:
    if rng.random() < 0.3:
        return random_pattern(rng)
    # mod_alias takes no empty pattern.
    pattern = rng.choice(PATTERNS) or "^"
    samples = ("/a", "/a/d/a", "/b/x", "/d/a.txt", "/ab", "/", "/x", "/a" + "y" * 3_400)
    return Piece(pattern, lambda: rng.choice(samples))


def random_request(rng: Random, pieces: list[Piece]) -> Request:
    target = random_path(rng, pieces) + rng.choice(QUERIES)
    if rng.random() < 0.1:
        target = target.replace(
            "/", "/" + rng.choice(("%0a", "%0d%0aX:y", "%01", "%7f", "%ff", "%20")), 1
        )
    if rng.random() < 0.02 and target.startswith("/"):
        return Request("http://{HOST}" + rng.choice(("", ":81", ":080", ".")) + target, "else.test")
    # To a WSGI application, an empty target is none.
    return Request(target or "/", rng.choice(HOSTS))


KINDS = (random_redirect, random_redirect, random_files, random_script)
LINE_WORDS = (
    *("/a", "/b", "^/a(.*)", "(", "http://x/", "/x/$1", "x", '""', "''", "permanent", "temp"),
    *("gone", "GONE", "seeother", "301", "302x", "404", "410", "99", "0", "+301", "a:b", "a_b:c"),
    *(
        "//x",
        "?x",
        '"a b"',
        "'a b'",
        '"a',
        "a\\\\",
        "1:",
        ":",
        "\xff",
        "foo",
        "200",
        "999999999999",
    ),
)
LINE_NAMES = (
    *("Alias", "AliasMatch", "Redirect", "RedirectMatch", "RedirectPermanent", "RedirectTemp"),
    *("alias", "REDIRECT", "redirectmatch"),
)


def random_mod_alias_line(rng: Random) -> str:
    """A directive line, as often as not one that Apache refuses."""
    words = [rng.choice(LINE_WORDS) for _ in range(rng.choice((0, 1, 2, 2, 2, 3, 3, 4)))]
    return " ".join([rng.choice(LINE_NAMES), *words])
