"""Random virtual hosts whose aliases get their options from the sections around them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

TREE = ("a.wsgi", "d/b.wsgi", "d/sub/c.wsgi")

_PLAIN = ("/", "/a", "/a/b", "/app", "/app/x", "/s/")
_TARGETS = ("a.wsgi", "a.wsgi/tail", "a.wsgi/a", "d", "d/sub", "d/b.wsgi", "d/sub/c.wsgi/b")
_MATCHES = (
    ("^/a/(\\w+)", "d/$1.wsgi"),
    ("^/(a|app)", "a.wsgi/$1"),
    ("/b", "a.wsgi"),
    ("^/app(/.*)?$", "a.wsgi$1"),
    ("^/x|^/s", "d/b.wsgi"),
    ("(\\w)$", "a.wsgi/$1"),
)
_SECTIONS = (
    *(f"Directory {path}" for path in ("/", "{ROOT}", "{ROOT}/d", "{ROOT}/d/sub", "{ROOT}/*")),
    *(f"Directory {path}" for path in ("{ROOT}/a.wsgi", "{ROOT}/d/", "{ROOT}/*/sub")),
    *(f"DirectoryMatch {text}" for text in ("sub", "wsgi$", "^{ROOT}/d", "/d/[^/]*$", "/")),
    'Directory ~ "d/."',
    *(f"Files {name}" for name in ("a.wsgi", "*.wsgi", "b*", "*", "?.wsgi")),
    *(f"FilesMatch {text}" for text in ("^c", "[ab]")),
    *(f"Location {path}" for path in (*_PLAIN, "/a/", "/a/*", "/*/b", "/ap")),
    *(f"LocationMatch {text}" for text in ("^/a", "b$", "^/app/.*x", "/x", "^/(a|s)/", ".*")),
    'Location ~ "x|b"',
)
_NESTED = ("Files a.wsgi", "Files *.wsgi", "FilesMatch ^b")
_VALUES = (
    *(f"WSGIApplicationGroup {name}" for name in ("one", "two", "three", "%{GLOBAL}")),
    *(f"WSGICallableObject {name}" for name in ("application", "handler", "app2")),
    *(f"WSGIProcessGroup {name}" for name in ("daemon", "%{GLOBAL}")),
)
_OPTIONS = ("application-group=line", "callable-object=handler", "process-group=daemon")
# Of the main server's sections each holds for all of an alias or for a part that can be told: what
# could not be told would be so for every virtual host.
_FOR_ALL = ("Directory /", "Directory {ROOT}", "Location /", "LocationMatch .*", "Files *")
_PATHS = ("a", "b", "app", "x", "s", "b.wsgi", "sub", "c.wsgi", "ap", "tail")


def random_server(rng: Random) -> list[str]:
    """Lines for the main server."""
    return ["WSGIDaemonProcess daemon threads=2", *_values(rng, 1), *_sections(rng, 2, _FOR_ALL)]


def random_host(rng: Random) -> list[str]:
    """Lines for a virtual host."""
    lines = [_alias(rng) for _ in range(rng.randint(1, 3))]
    lines += [*_values(rng, 1), *_sections(rng, 4, _SECTIONS)]
    return lines


def random_target(rng: Random) -> str:
    """A request target, most often one that begins like a location."""
    start = rng.choice(_PLAIN).rstrip("/") if rng.random() < 0.6 else ""
    return f"{start}/" + "/".join(rng.choice(_PATHS) for _ in range(rng.randint(0, 3)))


def _alias(rng: Random) -> str:
    options = f" {rng.choice(_OPTIONS)}" if rng.random() < 0.3 else ""
    if rng.random() < 0.3:
        pattern, target = rng.choice(_MATCHES)
        return f"WSGIScriptAliasMatch {pattern} {{ROOT}}/{target}{options}"
    return f"WSGIScriptAlias {rng.choice(_PLAIN)} {{ROOT}}/{rng.choice(_TARGETS)}{options}"


def _values(rng: Random, most: int) -> list[str]:
    return [rng.choice(_VALUES) for _ in range(rng.randint(0, most))]


def _sections(rng: Random, most: int, sections: Sequence[str]) -> Iterator[str]:
    for _ in range(rng.randint(0, most)):
        section = rng.choice(sections)
        yield f"<{section}>"
        if section.startswith("Directory {") and rng.random() < 0.3:
            nested = rng.choice(_NESTED)
            yield from (f"<{nested}>", rng.choice(_VALUES), f"</{nested.split()[0]}>")
        else:
            yield from (rng.choice(_VALUES) for _ in range(rng.randint(1, 2)))
        yield f"</{section.split()[0]}>"
