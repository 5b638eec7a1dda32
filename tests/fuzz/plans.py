"""
Compare the quick ways of the dispatcher with the corridor, on random sites.

``python -m tests.fuzz.plans --sites 2000 --seed 1`` prints how many answers agreed; the first that
does not ends it. A site is a random table with virtual hosts, groups, rules and links in the file
system; each of its requests comes several times, in any order, to a dispatcher that remembers and
to a corridor that does not.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from django_wsgimatch.aliases.alias import Alias, Denial, Redirection
from django_wsgimatch.aliases.file_options import FileOptions
from django_wsgimatch.aliases.resolve import Rules
from django_wsgimatch.aliases.roots import derive_roots
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.answers.proxies.mount import BEFORE, IN_PLACE, MOUNT
from django_wsgimatch.corridor import Corridor
from django_wsgimatch.daemon.place import Place
from django_wsgimatch.dispatcher import Dispatcher
from tests.support.wsgi import FOR_LOGS, make_environ, write_scripts

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger("django_wsgimatch")

SCRIPTS = (
    *("a.wsgi", "b.wsgi", "ab.wsgi", "h.py", "d/a.wsgi", "d/b", "d/c.wsgi/a.wsgi", "a/a.wsgi"),
    *("\xe9.wsgi", ".a.wsgi", "d/.a", "e/f/a.wsgi", "e/a", "% .wsgi"),
)
# A name, and where its link leads.
LINKS = {"l": "d", "l.wsgi": "a.wsgi", "d/l.wsgi": "../h.py", "dangling.wsgi": "nowhere", "o": "o"}
LOCATIONS = (
    *("/", "/", "/a", "/a", "/a", "/b", "/a/", "/a/b", "//a", "/a//b", "a", "/\xe9", "/d/"),
    *("/d/", "/d", "/e/", "/l/", "/.a", "/% "),
)
PLAIN_TARGETS = (
    *["a.wsgi", "h.py", "a.wsgi/tail", "d/", "d", "e/", ""] * 3,
    *("none.wsgi", "none.wsgi", "none/a.wsgi", "$1.wsgi", "l", "l/", "l.wsgi", "l/a.wsgi"),
    *("a.wsgi/", "a.wsgi/tail/", "a.wsgi//t", "a.wsgi/.t", "a.wsgi/x/../y", "dangling.wsgi", "o"),
    *("d/../a.wsgi", "./h.py", "d//a.wsgi", "d/c.wsgi", "a.wsgi/a", "h.py/a/b", "d/.", "d/l.wsgi"),
)
# What a trusted proxy may have taken off.
PREFIXES = ("/m", "/a", "/a/b", "/%", "/ b", "/\xe9")
PATTERNS = (
    *("^/(a|b)", "^/(a|b)", "^/([^/]+)", "^/([^/]+)/([^/]*)", "^/(.*)", "^/(.*)$", "^/a(/.*)?$"),
    *("/(b)", "^/", "^/(a)?", "(.)$", "^/(\\w+)/(\\w+)", "a", "^(?!/b)/(.)", "$", "^/(a)(b)?(/|$)"),
    *("^/d/([^/]+)", "^/(.+)$", "^(/.*)$"),
)
MATCH_TARGETS = (
    *["$1.wsgi", "h.py/$1", "h.py/$1", "d/$1", "h.py$0", "h.py", "e/$1", "$1"] * 3,
    *("h.py$1", "h.py/p/$1", "$1/a.wsgi", "$1$1.wsgi", "h.py/$2/$1", "h.py/.$1", "d/.$1/a.wsgi"),
    *("h.py//$1", "d/../$1.wsgi", "h.py/\\$1", "$1.wsgi/t", "$1.wsgi/$2", "d/$1/", "h.py/$9"),
    *("l/$1", "none/$1.wsgi", "e/f/$1.wsgi", "", "$9"),
)
# What a module in the folder of the scripts is named by; the last is nowhere.
MODULES = ("fuzzed.app:application", "fuzzed.app:other", "fuzzed.make:make()", "fuzzed.none:x")
URLS = ("/", "/new", "http://x.example/b?c", "//y", "x:")
URL_TEMPLATES = (*URLS, "$1", "/$0", "http://$1:80/$2?$1#$0", "/a?$0", "$9", "/" + 20 * "$1")
NAMES = (
    *("a", "a", "a", "b", "b", "ab", "d", "c.wsgi", "a.wsgi", "\xe9", "x", "a;v=1", "$1", "\\"),
    *("l", "l.wsgi", "e", "f", "o", "h.py", "none", "dangling", "x" * 300, "m"),
)
ODD = (
    *(".", "..", "", "", ".a", "a b", "%61", "%2e%2E", "%2f", "%20", "%e9", "%C3%A9", "%25", "%0a"),
    *("%", "%00", "\x7f", "#", "%3F", "%23", "%2E", ".%2e", "%7e", "\xa0", "%A0", "%5c", "%zz"),
)
QUERIES = (*[""] * 30, "?", "?q=1", "?a#b", "?a b", "?\xe9", "?\xa0", "?%zz&//../")
CALLABLES = (*[None] * 8, "application", "other", "missing")
GROUPS = (
    *[None] * 8,
    *("%{GLOBAL}", "blue", "nobody", "%{RESOURCE}", "%{SERVER}", "%{HOST}", "%{ENV:X}"),
    *("%{ENV:Y}", "x%{SERVER}", "%{NOPE}"),
)
VALUES = ("", "blue", "%{GLOBAL}", "%{RESOURCE}", "%{HOST}", "%{ENV:X}", "%{SERVER}", "nobody")
SCHEMES = ("http://b.example", "HTTP://a.example:81", "https://x", "http://")
PORTS = ("8000", "8000", "80", "443", "")
PATTERNS_OF_HOSTS = ("a.example", "B.example", ".example", ".b.example", "*", "c.example", ".test")
HOSTS = (
    *("localhost", "a.example", "b.example", "x.b.example", "A.Example:81", "test", "x.test:443"),
    *("a.example.:8000", "[::1]:8000", "x,y", "", "other"),
)


@dataclass(frozen=True)
class RandomSite:
    """A random table, its rules, and what a dispatcher is made with besides."""

    table: AliasTable
    rules: Rules
    options: dict[str, Any] = field(default_factory=dict)


class Told:
    """Places that answer with all that they are told."""

    def relay(
        self, place: Place, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        said = {name: value for name, value in environ.items() if type(value) is str}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps([repr(place), said]).encode()]


class Handler(logging.Handler):
    """Collects what is logged."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__()
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.append(f"{record.levelname}: {record.getMessage()}")


def fallback(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("299 Fallback", [("Content-Type", "text/plain")])
    return [json.dumps({name: v for name, v in environ.items() if type(v) is str}).encode()]


def write_files(directory: Path) -> str:
    """Write the scripts and links that random sites lead to; return the folder."""
    names = (name.encode("latin-1").decode("utf-8", "surrogateescape") for name in SCRIPTS)
    write_scripts(directory, *names)
    for name, target in LINKS.items():
        os.symlink(target, directory / name)
    package = write_scripts(directory, "fuzzed/app.py").parent
    (package / "make.py").write_text("from .app import tell\nmake = lambda: tell('make')\n")
    for path in directory.rglob("*"):
        # What has changed within a second has a weak tag, and may have another a moment later.
        if path.is_file() and not path.is_symlink():
            os.utime(path, (1_600_000_000, 1_600_000_000))
    return str(directory)


def random_alias(rng: Random, root: str) -> Alias:
    kind = rng.choice(("plain", "match", "match"))
    location = rng.choice(LOCATIONS if kind == "plain" else PATTERNS)
    chance = rng.random()
    if chance < 0.15:
        return random_answer(rng, location, "plain" if kind == "plain" else "match", root)
    if chance < 0.3:
        return random_module(rng, location, kind)
    target = rng.choice(PLAIN_TARGETS if kind == "plain" else MATCH_TARGETS)
    target = target if target and rng.random() < 0.1 else f"{root}/{target}"
    return Alias(
        location,
        target,
        "plain" if kind == "plain" else "match",
        process_group=rng.choice(GROUPS),
        application_group=rng.choice(GROUPS),
        callable_object=rng.choice(CALLABLES),
        pass_authorization=rng.choice((None, None, True, False)),
    )


def random_module(rng: Random, location: str, kind: str) -> Alias:
    target = rng.choice(MODULES)
    return Alias(
        location,
        target,
        "plain" if kind == "plain" else "match",
        process_group=rng.choice(GROUPS),
        application_group=rng.choice(GROUPS),
        callable_object=target.partition(":")[2],
        is_module=True,
    )


def random_answer(rng: Random, location: str, kind: Literal["plain", "match"], root: str) -> Alias:
    """An entry that needs no application. It names files that are there."""
    chance = rng.random()
    if chance < 0.3:
        return Alias(location, "", kind, answer=Denial("why"))
    if chance < 0.4:
        return Alias(location, "", kind, answer=Redirection("", rng.choice((410, 404, 204, 418))))
    if chance < 0.8 or kind == "plain":
        urls = URLS if kind == "plain" else URL_TEMPLATES
        answer = Redirection(rng.choice(urls), rng.choice((301, 302, 308, 304, 399)))
        return Alias(location, "", kind, answer=answer)
    return Alias(location, f"{root}/{rng.choice(SCRIPTS[:4])}", kind, answer=FileOptions())


def random_site(rng: Random, root: str) -> RandomSite:
    own = [random_alias(rng, root) for _ in range(rng.choice((1, 2, 3, 12)))]
    hosts = rng.sample(PATTERNS_OF_HOSTS, rng.choice((0, 0, 1, 2, 4)))
    shared = AliasTable([random_alias(rng, root), *own])
    tables = {host: rng.choice((shared, random_table(rng, root, own))) for host in hosts}
    rules = Rules(
        allow_encoded_slashes=rng.choice((False, False, True, "NoDecode")),
        merge_slashes=rng.random() < 0.7,
        follow_symlinks=rng.choice((True, True, False, "owner")),
        roots=rng.choice((None, None, None, derive_roots(own, root), (f"{root}/d",))),
        base_directory=root,
        process_group=rng.choice(("%{GLOBAL}", "%{GLOBAL}", "blue", "%{ENV:X}")),
        application_group=rng.choice(("%{GLOBAL}", "%{RESOURCE}", "%{HOST}")),
        process_groups=("blue",),
        pass_authorization=rng.random() < 0.7,
    )
    options = {
        "chunked_request": rng.random() < 0.7,
        "server_name": rng.choice((None, "www.example")),
        "server_ports": rng.choice((None, (), (81,))),
        "reloading": rng.choice((True, False, "safe")),
        "reload_interval": rng.choice((0, 1000)),
        "places": rng.choice((None, Told())),
    }
    return RandomSite(AliasTable(own, virtual_hosts=tables), rules, options)


def random_table(rng: Random, root: str, own: list[Alias]) -> AliasTable:
    return AliasTable([*(random_alias(rng, root) for _ in range(rng.choice((0, 1, 3)))), *own])


def random_target(rng: Random) -> str:
    segments = [rng.choice(NAMES) for _ in range(rng.choice((1, 1, 2, 2, 3, 4)))]
    for _ in range(rng.choice((0, 0, 0, 0, 1, 2))):
        segments.insert(rng.randrange(len(segments) + 1), rng.choice(ODD))
    if rng.random() < 0.02:
        segments.append("a/" * 1500)
    path = "/" + "/".join(segments) + rng.choice(("", "", "", "/"))
    if rng.random() < 0.03:
        path = rng.choice(SCHEMES) + path
    return (path if rng.random() < 0.99 else path[1:]) + rng.choice(QUERIES)


def random_request(rng: Random) -> dict[str, Any]:
    """The arguments of make_environ()."""
    target = random_target(rng)
    mount = rng.choice(("", "", "", "", "/m", "/m/", "/a"))
    if mount and rng.random() < 0.8:
        target = mount.rstrip("/") + target
    request: dict[str, Any] = {"target": target, "script_name": mount, "without": []}
    if rng.random() < 0.2:
        prefix = rng.choice(PREFIXES)
        request |= rng.choice(
            (
                {"SCRIPT_NAME": prefix + mount, MOUNT: BEFORE + mount},
                {"SCRIPT_NAME": rng.choice((prefix, "/")), MOUNT: IN_PLACE + mount},
            )
        )
    if rng.random() < 0.8:
        request["HTTP_HOST"] = rng.choice(HOSTS)
    if rng.random() < 0.3:
        request["without"].append("RAW_URI")
    if rng.random() < 0.1:
        request |= {"HTTP_TRANSFER_ENCODING": "chunked", "REQUEST_METHOD": "POST"}
    if rng.random() < 0.1:
        request |= {"SERVER_PROTOCOL": "HTTP/1.0"}
        request["without"] += rng.choice(([], ["HTTP_HOST"]))
    if rng.random() < 0.1:
        request |= {"PATH_INFO": rng.choice(("", "x", "/a%b", "/a?b", "/a b", "//a", "/a/../b"))}
    for name in ("X", "Y"):
        if rng.random() < 0.5:
            request[name] = rng.choice(VALUES)
    return {**request, "headers": {"Authorization": "Basic x"}, "SERVER_PORT": rng.choice(PORTS)}


def answer(
    application: WSGIApplication, request: dict[str, Any], connection: socket.socket | None
) -> tuple[object, ...]:
    """All that can be seen of an answer: status, headers, body, what environ and log gain."""
    environ = make_environ(**request) | {"wsgi.errors": io.StringIO()}
    if connection is not None:
        environ["gunicorn.socket"] = connection
    before = {**environ}
    logged: list[str] = []
    handler = Handler(logged)
    started: list[object] = []

    def start_response(status: str, headers: object, exc_info: object = None) -> Any:
        started.append((status, headers))
        return lambda data: None

    logger.addHandler(handler)
    body = application(environ, start_response)
    text = b"".join(body)
    if hasattr(body, "close"):
        body.close()
    logger.removeHandler(handler)
    gained = {name: environ.get(name) for name in FOR_LOGS}
    left = {name: value for name, value in environ.items() if name not in FOR_LOGS} == before
    # In what order an environ holds its items is nobody's concern.
    said = json.loads(text) if text.startswith((b"{", b"[")) else text
    return started, said, gained, left, logged


def compare(seed: int, root: str, count: int = 30) -> Iterator[tuple[object, object, object]]:
    """Yield for each request of a random site what it was, the quick answer and the slow one."""
    logger.setLevel(logging.INFO)
    rng = Random(seed)
    site = random_site(rng, root)
    quick = Dispatcher(site.table, fallback, rules=site.rules, **site.options)
    slow = Corridor(site.table, fallback, rules=site.rules, **site.options)
    requests = [random_request(rng) for _ in range(count)] * 4
    rng.shuffle(requests)
    with socket.socket(socket.AF_UNIX) as connection:
        for request in requests:
            peer = rng.choice((None, connection))
            given = (seed, site, request, peer is not None)
            yield given, answer(quick, request, peer), answer(slow.walk, request, peer)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    logger.propagate = False
    agreed = 0
    with tempfile.TemporaryDirectory() as directory:
        root = write_files(Path(directory))
        sys.path.insert(0, root)
        for seed in range(options.seed, options.seed + options.sites):
            for given, quick, slow in compare(seed, root):
                if quick != slow:
                    print(given, quick, slow, sep="\n")
                    return 1
                agreed += 1
    print(f"{agreed} answers agreed (--seed {options.seed} --sites {options.sites}).")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
