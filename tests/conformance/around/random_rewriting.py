"""Random virtual hosts with rules that pass URLs on, and what these lead to."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

REWRITTEN_TREE = (
    *("a.wsgi", "d/b.wsgi", "d/c.wsgi"),
    *("files/x.txt", "files/img/z.css", "files/img/index.html", "doc/x.txt"),
)

_PATTERNS = (
    *("^/old", "^/old$", "^/old/(.*)$", "^/old(.*)$", "^(.*)$", "^/(.*)$", "^/([^/]+)/(.*)$"),
    *("^/p/([a-z]+)", "x$", "/x/", "^/(old|p)/", "^(/p.*)$", "^/p(/.*)?$", "(?i)^/OLD/(.*)"),
    *("!^/app", "^/q/.(.*)$", "^/(?!app|f)(.*)$", ".*", "^/old/(.)(.*)$"),
)
_BASES = ("/app", "/app/", "/f", "/f/", "/n", "/app/sec", "/r", "/app.py", "/none", "/", "//app")
_TAILS = ("", "/$1", "$1", "/$2/$1", "/y", "/$0", "/.$1", "/..$1", "/$1?q=$1", "?a=1", "?", "/$1/")
_FLAGS = (
    "PT",
    "PT",
    "PT,L",
    "L,PT",
    "QSA,PT,L",
    "PT,NC",
    "PT,QSD",
    "PT,END",
    "passthrough",
    "PT,NE",
)
_PLACES = ("/app", "/app/sec", "/n", "/f", "/f/img", "/old", "/r", "/old/sec", "/app.py", "/p")
_SCRIPTS = ("a.wsgi", "d/b.wsgi", "a.wsgi/t")
_SEGMENTS = (
    *("old", "p", "app", "f", "n", "x", "x.txt", "sec", "img", "z.css", "r", "q", "app.py", "OLD"),
    *("y", "", "..", ".", "%2e%2e", "caf%c3%a9", "a%20b", "a%25b", "a%3fb", "a%26b=c", ".y", "a+b"),
)
_QUERIES = ("", "", "", "?", "?a=b", "?a=%3f", "?a=b&c")
_CONDITIONS = (
    *("%{REQUEST_URI} !^/app", "%{REQUEST_URI} ^/(old|p)", "%{REQUEST_METHOD} =POST"),
    *("%{REQUEST_METHOD} !^POST$", "%{HTTP_USER_AGENT} Robot [NC]", "%{QUERY_STRING} a="),
    *("%{HTTP_USER_AGENT} ^$ [OR]\nRewriteCond %{HTTP_USER_AGENT} ^x", "%{HTTP:X-Way} !^b"),
    *("%{HTTPS} off", "%{REQUEST_METHOD} !=GET"),
)
_OTHERS = (
    *("^/old/sec - [F]", "^/p/x http://o.test/$0 [R=301,L]", "^/app/(.*)$ /r/$1 [R,L]", "x - [F]"),
    *(
        "^/old/r - [L]",
        "^/q - [G]",
        "^/p - [PT]",
        ".* - [E=A:1]",
        "^/n/(.*) /app/$1",
        "y$ /f [R,L]",
    ),
    *("^/f/(.*)$ {ROOT}/doc/$1 [L]", "^/old/x - [END]", "^/sec - [F,NC]"),
)
_METHODS = ("GET", "GET", "GET", "POST")
AGENTS = ("", "x", "a robot")


def random_rewriting(rng: Random) -> list[str]:
    """Lines for a virtual host."""
    lines = ["RewriteEngine On"]
    for _ in range(rng.randint(1, 3)):
        lines += _rule(rng)
    lines += _aliases(rng)
    lines += _sections(rng)
    return lines


def random_rewritten_target(rng: Random) -> str:
    """A request target, most often one that a rule takes."""
    segments = [rng.choice(_SEGMENTS) for _ in range(rng.randint(0, 4))]
    if rng.random() < 0.6:
        segments = [rng.choice(("old", "p", "app", "q", "n")), *segments]
    return f"/{'/'.join(segments)}{rng.choice(_QUERIES)}"


def random_method(rng: Random) -> str:
    """A method of a request."""
    return rng.choice(_METHODS)


def _rule(rng: Random) -> Iterator[str]:
    if rng.random() < 0.25:
        yield f"RewriteRule {rng.choice(_OTHERS)}"
        return
    if rng.random() < 0.25:
        yield f"RewriteCond {rng.choice(_CONDITIONS)}"
    base, tail = rng.choice(_BASES), rng.choice(_TAILS)
    url = (
        "$1" if rng.random() < 0.04 else base.rstrip("/") + tail if tail[:1] == "/" else base + tail
    )
    yield f"RewriteRule {rng.choice(_PATTERNS)} {url} [{rng.choice(_FLAGS)}]"


def _aliases(rng: Random) -> Iterator[str]:
    if rng.random() < 0.6:
        yield f"WSGIScriptAlias / {{ROOT}}/{rng.choice(_SCRIPTS)}"
    for _ in range(rng.randint(0, 2)):
        yield f"WSGIScriptAlias {rng.choice(_PLACES)} {{ROOT}}/{rng.choice(_SCRIPTS)}"
    if rng.random() < 0.3:
        yield "WSGIScriptAliasMatch ^/n/+([a-z]+) {ROOT}/d/$1.wsgi"
    if rng.random() < 0.5:
        yield f"Alias {rng.choice(('/f', '/f/img', '/app/f'))} {{ROOT}}/files"
    if rng.random() < 0.3:
        yield f"Redirect {rng.choice(_PLACES)} http://o.test/to"
    if rng.random() < 0.15:
        yield "RedirectMatch ^/app/(.*)x$ /n/$1"
    if rng.random() < 0.3:
        yield "DocumentRoot {ROOT}/doc"


def _sections(rng: Random) -> Iterator[str]:
    for _ in range(rng.randint(0, 2)):
        place = rng.choice(_PLACES)
        name = f"Location {place}" if rng.random() < 0.7 else f"LocationMatch ^{place}/+[a-y]"
        rule = rng.choice(("Require all denied", "Require ip 10.0.0.1", "Require all granted"))
        yield from (f"<{name}>", rule, f"</{name.split()[0]}>")
