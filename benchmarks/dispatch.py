"""
What sending a request to its application costs, side by side with other dispatchers.

``python -m benchmarks.dispatch`` prints tables and says whether the contracts are kept, with the
default settings at every size: at most 0.9 of werkzeug's time for repeated requests, 1.5 for a mix
of both and 1.7 for new ones; for patterns with substitution, beside werkzeug with as many prefixes,
0.9, 2.2 and 2.5. With ``--output`` it also writes ``dispatch.json`` and ``dispatch.svg``.

A request is a fresh copy of an environ as gunicorn makes it, with the raw target and a query, and
is answered by an application that does nothing. A quarter of the requests each goes to the first,
the middle and the last entry and to none; behind the entry there are 1, 3 and 6 segments. "New"
requests are so many different ones that hardly any is remembered, "repeated" are twelve. A "mix"
is of 50,000 paths, of which the n-th comes as often as 1 / n^0.9 says (Zipf). Net times have the
loop and the copy alone taken off; calling the application is part of them.

paste and Starlette go through their entries one by one and remember nothing; they get the twelve.
Starlette is asynchronous: its figure is what ``Router.app()`` does until it awaits the mounted
application, on a scope instead of an environ.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from paste.urlmap import URLMap  # type: ignore[import-untyped,unused-ignore]
from starlette.routing import Match, Mount, Router
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from benchmarks.measure import (
    Row,
    draw_lines,
    median_ratio,
    medians,
    nanoseconds,
    parser,
    rounds,
    table,
    verdict,
    write_json,
)
from django_wsgimatch.aliases.alias import Alias
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.dispatcher import Dispatcher

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SIZES = (3, 10, 100, 1_000, 10_000)
SEGMENTS_BEHIND = (1, 3, 6)
PREFIXES, PATTERNS = "prefixes", "patterns"
# What werkzeug has as a prefix in either table.
PREFIX = {PREFIXES: "/app{}", PATTERNS: "/app{}/hello"}
NEW, REPEATED, MIXED = "new", "repeated", "mix"
VARIANTS = {NEW: 200, REPEATED: 1, MIXED: 4167}
MOST = {
    (PREFIXES, NEW): 1.7,
    (PREFIXES, REPEATED): 0.9,
    (PREFIXES, MIXED): 1.5,
    (PATTERNS, NEW): 2.5,
    (PATTERNS, REPEATED): 0.9,
    (PATTERNS, MIXED): 2.2,
}
# Of the mix so many requests are drawn, with a weight of 1 / n^EXPONENT for the n-th path.
MIXED_REQUESTS, EXPONENT = 20_000, 0.9
COPY, OURS, LOOKING = "loop and copy", "wsgimatch", "wsgimatch, a stat() a request"
WERKZEUG, PASTE, STARLETTE = "werkzeug", "paste", "starlette"

SCRIPT = """
def application(environ, start_response):
    return BODY

BODY = [b"hit"]
"""
ENVIRON = {
    "wsgi.errors": None,
    "wsgi.version": (1, 0),
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.file_wrapper": None,
    "wsgi.input_terminated": True,
    "wsgi.input": None,
    "wsgi.url_scheme": "http",
    "gunicorn.socket": None,
    "SERVER_SOFTWARE": "gunicorn/27.0.1",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "REMOTE_PORT": "40000",
    "REQUEST_METHOD": "GET",
    "QUERY_STRING": "page=2&q=a",
    "HTTP_HOST": "www.example.com",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "HTTP_ACCEPT_LANGUAGE": "en-US,en;q=0.5",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
    "HTTP_COOKIE": "sessionid=3b6f0c5a1d5e4c0f9a57; csrftoken=8RzX0d5s0qXv3L",
    "HTTP_CONNECTION": "keep-alive",
    "HTTP_X_FORWARDED_PROTO": "https",
    "SCRIPT_NAME": "",
}
MISSES = "/other"

Call = Callable[[dict[str, Any]], object]
# The sort of table and of requests, the contender and the number of entries.
Key = tuple[str, str, str, int]


def mounted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return [b"hit"]


def fallback(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return []


def no_start(*_: object) -> Callable[[bytes], object]:
    raise AssertionError("No application here starts a response.")


def paths(kind: str, size: int, variants: int) -> list[str]:
    """Of each sort of hit a path for each number of segments, and as many misses; and variants."""
    hits = [PREFIX[kind].format(number) for number in (0, size // 2, size - 1)]
    segments = ["archive", "2024", "november", "week", "page"]
    return [
        "/".join([start, *segments[: count - 1], f"item{variant}"])
        for variant in range(variants)
        for start in (*hits, MISSES)
        for count in SEGMENTS_BEHIND
    ]


def environs(kind: str, size: int, variants: int) -> list[dict[str, Any]]:
    query = ENVIRON["QUERY_STRING"]
    return [
        {**ENVIRON, "RAW_URI": f"{path}?{query}", "PATH_INFO": path}
        for path in paths(kind, size, variants)
    ]


def drawn(requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Draw requests at random, the n-th as often as 1 / n^EXPONENT says."""
    rng = Random(size := len(requests))
    weights = [(number + 1) ** -EXPONENT for number in range(size)]
    return rng.choices(rng.sample(requests, size), weights, k=MIXED_REQUESTS)


def scopes(size: int) -> list[dict[str, Any]]:
    """The same requests as an ASGI server tells them."""
    headers = [(b"host", b"www.example.com")]
    scope = {"type": "http", "method": "GET", "root_path": "", "headers": headers}
    return [{**scope, "path": path} for path in paths(PREFIXES, size, 1)]


def copy(request: dict[str, Any]) -> None:
    request.copy()


def with_copy(dispatch: WSGIApplication) -> Call:
    return lambda environ: dispatch(environ.copy(), no_start)


def wsgimatch(kind: str, size: int, scripts: Path, **options: Any) -> Call:
    if kind == PREFIXES:
        aliases = [Alias(f"/app{n}", f"{scripts}/hello.wsgi") for n in range(size)]
    else:
        target = f"{scripts}/$1.wsgi"
        aliases = [Alias(f"^/app{n}/([^/]+)", target, "match") for n in range(size)]
    return with_copy(Dispatcher(AliasTable(aliases), fallback, **options))


def werkzeug(kind: str, size: int) -> Call:
    mounts: dict[str, WSGIApplication] = {PREFIX[kind].format(n): mounted for n in range(size)}
    return with_copy(DispatcherMiddleware(fallback, mounts))


def paste(size: int) -> Call:
    urls = URLMap(not_found_app=fallback)
    # Setting one item after the other sorts them all each time.
    urls.applications = [((None, f"/app{n}"), mounted) for n in range(size)]
    urls.sort_apps()
    return with_copy(urls)


def starlette(size: int) -> Call:
    routes = [Mount(f"/app{n}", app=Router()) for n in range(size)]

    def dispatch(scope: dict[str, Any]) -> object:
        scope = scope.copy()
        for route in routes:
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                scope["route"] = route
                scope.update(child_scope)
                return [b"hit"]
        return []

    return dispatch


def contenders(kind: str, size: int, scripts: Path) -> Iterator[tuple[str, Call]]:
    yield COPY, copy
    yield OURS, wsgimatch(kind, size, scripts)
    yield LOOKING, wsgimatch(kind, size, scripts, reload_interval=0)
    yield WERKZEUG, werkzeug(kind, size)


def one_by_one(size: int) -> Iterator[tuple[str, Call, list[dict[str, Any]]]]:
    """The dispatchers that try their entries one by one, with their requests."""
    yield PASTE, paste(size), environs(PREFIXES, size, 1)
    yield STARLETTE, starlette(size), scopes(size)


def samplers(scripts: Path, least: int) -> dict[Key, Callable[[], float]]:
    """For each contender in each table what takes a sample of its nanoseconds a request."""
    taken: dict[Key, Callable[[], float]] = {}
    for kind, size in product(PREFIX, SIZES):
        calls = dict(contenders(kind, size, scripts))
        for sort, variants in VARIANTS.items():
            requests = environs(kind, size, variants)
            if sort == MIXED:
                requests = drawn(requests)
            for name, call in calls.items():
                check(name, call, requests)
                taken[kind, sort, name, size] = partial(nanoseconds, call, requests, least)
    for size in SIZES:
        for name, call, requests in one_by_one(size):
            check(name, call, requests)
            taken[PREFIXES, REPEATED, name, size] = partial(nanoseconds, call, requests, least)
    return taken


def check(name: str, call: Call, requests: Sequence[dict[str, Any]]) -> None:
    """Fail unless a contender sends all requests but the misses to the mounted application."""
    for request in requests if name != COPY else []:
        path = request["path" if name == STARLETTE else "PATH_INFO"]
        assert call(request) == ([] if path.startswith(MISSES) else [b"hit"]), (name, path)


def net(samples: Mapping[Key, Sequence[float]]) -> dict[Key, list[float]]:
    """Take the loop and the copy off each sample."""
    return {
        (kind, sort, name, size): [
            sample - copied
            for sample, copied in zip(values, samples[kind, sort, COPY, size], strict=True)
        ]
        for (kind, sort, name, size), values in samples.items()
        if name != COPY
    }


def judge(samples: Mapping[Key, Sequence[float]]) -> list[str]:
    """The contracts, a line for each."""
    lines = []
    for ((kind, sort), most), size in product(MOST.items(), SIZES):
        ours, rival = samples[kind, sort, OURS, size], samples[kind, sort, WERKZEUG, size]
        name = f"{size:,} {kind}, {sort} requests, {OURS} / {WERKZEUG}"
        lines.append(verdict(name, median_ratio(ours, rival), most))
    return lines


def report(title: str, cost: Mapping[Key, float]) -> str:
    names = list(dict.fromkeys(key[:3] for key in cost))
    rows: list[Row] = [
        [f"{kind}, {sort}: {name}", *(cost[kind, sort, name, size] for size in SIZES)]
        for kind, sort, name in names
    ]
    return table([title, *(f"{size:,}" for size in SIZES)], rows)


def main(argv: Sequence[str] | None = None) -> int:
    options = parser(str(__doc__), rounds=15, microseconds=2000).parse_args(argv)
    with tempfile.TemporaryDirectory() as directory:
        scripts = Path(directory)
        (scripts / "hello.wsgi").write_text(SCRIPT)
        gross = rounds(samplers(scripts, options.microseconds * 1000), options.rounds)
    costs = {"gross": medians(gross), "net": medians(net(gross))}
    for title, cost in costs.items():
        print(report(f"{title} ns a request at", cost), end="\n\n")
    lines = judge(net(gross))
    print(*lines, sep="\n")
    if options.output:
        write_json(options.output / "dispatch.json", document(costs, lines))
        draw(costs["net"], options.output / "dispatch.svg")
    return 1 if any(line.startswith("MISSED") for line in lines) else 0


def document(costs: Mapping[str, Mapping[Key, float]], lines: list[str]) -> dict[str, object]:
    figures = [
        {"table": kind, "requests": sort, "dispatcher": name, "entries": size, "gross_ns": value}
        | {"net_ns": costs["net"].get((kind, sort, name, size))}
        for (kind, sort, name, size), value in costs["gross"].items()
    ]
    return {"contracts": lines, "figures": figures}


def draw(cost: Mapping[Key, float], path: Path) -> None:
    """Draw the tables' costs for new requests, and with them those that remember nothing."""
    panels: dict[str, dict[str, dict[int, float]]] = {}
    for (kind, sort, name, size), value in cost.items():
        if sort == NEW or name in (PASTE, STARLETTE):
            panels.setdefault(kind, {}).setdefault(name, {})[size] = value
    draw_lines(path, panels)


if __name__ == "__main__":
    raise SystemExit(main())
