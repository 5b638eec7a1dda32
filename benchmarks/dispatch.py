"""
What sending a request to its application costs, side by side with other dispatchers.

``python -m benchmarks.dispatch`` prints tables and says whether the contracts are kept, with the
default settings at every size: at most 0.9 of werkzeug's time for repeated requests, 1.5 for a mix
of both and 1.7 for new ones; for patterns with substitution, beside werkzeug with as many prefixes,
0.9, 2.2 and 2.5. With ``--output`` it also writes ``dispatch.json`` and ``dispatch.svg``.

A request is a fresh environ as gunicorn makes it, with the raw target and a query, and
is answered by an application that does nothing. A quarter of the requests each goes to the first,
the middle and the last entry and to none; behind the entry there are 1, 3 and 6 segments. "New"
requests are for paths that have never been asked for, "repeated" ones for twelve paths. A "mix"
is of 50,000 paths, of which the n-th comes as often as 1 / n^0.9 says (Zipf). Net times have the
loop and the making of the environ taken off; calling the application is part of them.

paste and Starlette go through their entries one by one and remember nothing; they get the twelve.
Starlette is asynchronous: its figure is what ``Router.app()`` does until it awaits the mounted
application, on a scope instead of an environ.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count, product
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from paste.urlmap import URLMap  # type: ignore[import-untyped,unused-ignore]
from starlette.routing import Match, Mount, Router
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from benchmarks.measure import (
    Row,
    draw_lines,
    has_missed,
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

SIZES = (3, 10, 100, 1_000, 10_000, 100_000)
# What tries its entries one by one takes so long for more that nothing is left to learn from it.
LONGEST_SCAN = 10_000
SEGMENTS_BEHIND = (1, 3, 6)
PREFIXES, PATTERNS = "prefixes", "patterns"
# What werkzeug has as a prefix in either table.
PREFIX = {PREFIXES: "/app{}", PATTERNS: "/app{}/hello"}
NEW, REPEATED, MIXED = "new", "repeated", "mix"
MOST = {
    (PREFIXES, NEW): 1.7,
    (PREFIXES, REPEATED): 0.9,
    (PREFIXES, MIXED): 1.5,
    (PATTERNS, NEW): 2.5,
    (PATTERNS, REPEATED): 0.9,
    (PATTERNS, MIXED): 2.2,
}
# Of the paths of the mix, twelve times so many variants, so many requests are drawn, with a weight
# of 1 / n^EXPONENT for the n-th path.
MIXED_VARIANTS, MIXED_REQUESTS, EXPONENT = 4167, 20_000, 0.9
MAKING, OURS, LOOKING = "loop and environ", "wsgimatch", "wsgimatch, a stat() a request"
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

# What makes the environ of a request, or of each request.
Request = Callable[[], dict[str, Any]]
Call = Callable[[Any], object]
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


def asking(path: str) -> Request:
    """Return what makes an environ that asks for a path."""
    own = {"RAW_URI": f"{path}?{ENVIRON['QUERY_STRING']}", "PATH_INFO": path}
    return lambda: ENVIRON | own


def asking_anew(start: str) -> Request:
    """Return what makes environs that each ask for a path of their own."""
    numbers, query = count(), ENVIRON["QUERY_STRING"]

    def make() -> dict[str, Any]:
        path = f"{start}{next(numbers)}"
        return {**ENVIRON, "RAW_URI": f"{path}?{query}", "PATH_INFO": path}

    return make


def requests_of(kind: str, sort: str, size: int) -> list[Request]:
    if sort == NEW:
        return [asking_anew(path) for path in paths(kind, size, 1)]
    if sort == REPEATED:
        return [asking(path) for path in paths(kind, size, 1)]
    return [asking(path) for path in drawn(paths(kind, size, MIXED_VARIANTS))]


def drawn(known: Sequence[str]) -> list[str]:
    """Draw paths at random, the n-th as often as 1 / n^EXPONENT says."""
    rng = Random(size := len(known))
    weights = [(number + 1) ** -EXPONENT for number in range(size)]
    return rng.choices(rng.sample(known, size), weights, k=MIXED_REQUESTS)


def scopes(size: int) -> list[dict[str, Any]]:
    """The same requests as an ASGI server tells them."""
    headers = [(b"host", b"www.example.com")]
    scope = {"type": "http", "method": "GET", "root_path": "", "headers": headers}
    return [{**scope, "path": path} for path in paths(PREFIXES, size, 1)]


def make(request: Request) -> None:
    request()


def asked(dispatch: WSGIApplication) -> Call:
    return lambda request: dispatch(request(), no_start)


def wsgimatch(kind: str, size: int, scripts: Path, **options: Any) -> Call:
    if kind == PREFIXES:
        aliases = [Alias(f"/app{n}", f"{scripts}/hello.wsgi") for n in range(size)]
    else:
        target = f"{scripts}/$1.wsgi"
        aliases = [Alias(f"^/app{n}/([^/]+)", target, "match") for n in range(size)]
    return asked(Dispatcher(AliasTable(aliases), fallback, **options))


def werkzeug(kind: str, size: int) -> Call:
    mounts: dict[str, WSGIApplication] = {PREFIX[kind].format(n): mounted for n in range(size)}
    return asked(DispatcherMiddleware(fallback, mounts))


def paste(size: int) -> Call:
    urls = URLMap(not_found_app=fallback)
    # Setting one item after the other sorts them all each time.
    urls.applications = [((None, f"/app{n}"), mounted) for n in range(size)]
    urls.sort_apps()
    return asked(urls)


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
    yield MAKING, make
    yield OURS, wsgimatch(kind, size, scripts)
    yield LOOKING, wsgimatch(kind, size, scripts, reload_interval=0)
    yield WERKZEUG, werkzeug(kind, size)


def one_by_one(size: int) -> Iterator[tuple[str, Call, Sequence[Any]]]:
    """The dispatchers that try their entries one by one, with their requests."""
    yield PASTE, paste(size), requests_of(PREFIXES, REPEATED, size)
    yield STARLETTE, starlette(size), scopes(size)


def samplers(scripts: Path, least: int) -> dict[Key, Callable[[], float]]:
    """For each contender in each table what takes a sample of its nanoseconds a request."""
    taken: dict[Key, Callable[[], float]] = {}
    for kind, size in product(PREFIX, SIZES):
        calls = dict(contenders(kind, size, scripts))
        for sort in (NEW, REPEATED, MIXED):
            requests = requests_of(kind, sort, size)
            for name, call in calls.items():
                check(name, call, requests)
                taken[kind, sort, name, size] = partial(nanoseconds, call, requests, least)
    for size in SIZES[: SIZES.index(LONGEST_SCAN) + 1]:
        for name, call, their_requests in one_by_one(size):
            check(name, call, their_requests)
            sample = partial(nanoseconds, call, their_requests, least)
            taken[PREFIXES, REPEATED, name, size] = sample
    return taken


def check(name: str, call: Call, requests: Sequence[Any]) -> None:
    """Fail unless a contender sends all requests but the misses to the mounted application."""
    for request in requests if name != MAKING else []:
        path = request["path"] if name == STARLETTE else request()["PATH_INFO"]
        assert call(request) == ([] if path.startswith(MISSES) else [b"hit"]), (name, path)


def net(samples: Mapping[Key, Sequence[float]]) -> dict[Key, list[float]]:
    """Take the loop and the making of the environ off each sample."""
    return {
        (kind, sort, name, size): [
            sample - copied
            for sample, copied in zip(values, samples[kind, sort, MAKING, size], strict=True)
        ]
        for (kind, sort, name, size), values in samples.items()
        if name != MAKING
    }


def judge(samples: Mapping[Key, Sequence[float]]) -> list[str]:
    """The contracts, a line for each, at the size where the ratio is highest."""
    lines = []
    for (kind, sort), most in MOST.items():
        ratios = {
            size: median_ratio(samples[kind, sort, OURS, size], samples[kind, sort, WERKZEUG, size])
            for size in SIZES
        }
        worst = max(ratios, key=ratios.__getitem__)
        name = f"{kind}, {sort} requests, {OURS} / {WERKZEUG}, most at {worst:,} entries"
        lines.append(verdict(name, ratios[worst], most))
    return lines


def report(title: str, cost: Mapping[Key, float]) -> str:
    names = list(dict.fromkeys(key[:3] for key in cost))
    rows: list[Row] = [
        [f"{kind}, {sort}: {name}", *(cost.get((kind, sort, name, size)) for size in SIZES)]
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
    return int(has_missed(lines))


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
