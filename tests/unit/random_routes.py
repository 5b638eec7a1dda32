"""Random routes, and URIs that they tell apart."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.unit.sites import LISTENER

# Each folder has an index: without one Unit answers 404, and Apache 403.
FILES = {
    **{f"www/{name}": name for name in ("f.txt", "a/f.txt", "b/a.txt")},
    **{f"www/{folder}index.html": f"in {folder}" for folder in ("", "a/", "b/")},
}
APPLICATIONS = {
    name: {"type": "python", "path": "{ROOT}", "module": name, **more}
    for name, more in {
        "shop": {},
        "wiki": {"prefix": "/a"},
        "front": {"prefix": "/a/b/", "callable": "other"},
    }.items()
}
_NAMES = ("a", "b", "ab", "f.txt", "a.txt", "c d")
_PATTERNS = (
    *("/a", "/a/*", "/b/*", "/a/b", "/a/b/*", "/ab*", "*.txt", "/*/b", "/a*b", "*", "/", "/%61/*"),
    *("~^/a(?:/|$)", "~b$", "~/a/", "~^/[ab]/[^/]+$", "~^/ab?", "/c d", "/c%20d*", "*b*"),
)
_HOSTS = ("one.test", "*.one.test", "a.one.test", "*.test", "two.test")


def random_site(random: Random) -> dict[str, Any]:
    """A configuration that Unit takes."""
    inner = [_step(random, ["403", "shop", "wiki"]) for _ in range(random.randint(1, 3))]
    kinds = ["shop", "wiki", "front", "404", "403", "301", "410", "share", "file", "inner"]
    main = [_step(random, kinds) for _ in range(random.randint(1, 6))]
    return {
        "listeners": {LISTENER: {"pass": "routes/main"}},
        "routes": {"main": main, "inner": inner},
        "applications": APPLICATIONS,
    }


def random_uri(random: Random) -> str:
    """A host and a path, which may be spelt oddly."""
    host = random.choice(["one.test", "a.one.test", "b.a.one.test", "two.test", "else", "test"])
    path = "/".join(["", *(random.choice(_NAMES) for _ in range(random.randint(0, 3)))]) or "/"
    path = path.replace(" ", "%20") + random.choice(["", "", "/"])
    if random.random() < 0.2:
        path = path.replace("/", random.choice(["//", "/./", "/x/../", "/"]), 1)
    if random.random() < 0.2:
        path = path.replace("a", "%61", 1)
    return host + path


def _step(random: Random, kinds: list[str]) -> dict[str, Any]:
    match: dict[str, Any] = {}
    if random.random() < 0.85:
        match["uri"] = _some(random, _PATTERNS)
    if random.random() < 0.25:
        match["host"] = _some(random, _HOSTS)
    action = _action(random.choice(kinds))
    return {"match": match, "action": action} if match else {"action": action}


def _some(random: Random, texts: tuple[str, ...]) -> str | list[str]:
    if random.random() < 0.5:
        return random.choice(texts)
    chosen = random.sample(texts, random.randint(1, 3))
    return [f"{random.choice(['', '', '!'])}{each}" for each in chosen]


def _action(kind: str) -> dict[str, Any]:
    if kind == "share":
        return {"share": "{ROOT}/www$uri"}
    if kind == "file":
        return {"share": "{ROOT}/www/f.txt"}
    if kind == "inner":
        return {"pass": "routes/inner"}
    if kind == "301":
        return {"return": 301, "location": "/moved"}
    return {"return": int(kind)} if kind.isdigit() else {"pass": f"applications/{kind}"}
