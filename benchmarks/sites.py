"""
What a request costs on the sites that people really have, side by side with the plainest one.

``python -m benchmarks.sites`` prints a table and says whether the contracts are kept: each case
costs at most 2.5 times a planned request, and 10,000 virtual hosts at most 1.3 times one. With
``--output`` it also writes ``sites.json``.

Every case is a table of ten entries with the default settings but for what its name says. A request
is a fresh environ as gunicorn makes it, and asks for a path that has never been asked for: ever new
names behind the entry. The scripts have been loaded before, and the application does nothing.
"Missing" cases are answered 404. Net times have the making of the environ taken off. Ever new names
have to be looked for in their folder: a row tells what this look takes alone.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any

from benchmarks.dispatch import ENVIRON, SCRIPT, fallback, no_start
from benchmarks.measure import (
    Row,
    has_missed,
    median_ratio,
    medians,
    nanoseconds,
    parser,
    rounds,
    table,
    texts,
    verdict,
    write_json,
)
from benchmarks.site_cases import MANY, MANY_HOSTS, ONE_HOST, PLANNED, Case, cases
from django_wsgimatch.aliases.table import AliasTable
from django_wsgimatch.dispatcher import Dispatcher

MAKING = "making the environ"
HEADER = ("site", "net ns a request", f"of {PLANNED}")
MOST, MOST_FOR_MANY = 2.5, 1.3
# So many requests are made between two looks at the clock, at least.
REQUESTS = [None] * 64
LOOK = "a look for an ever new name that is missing"
HIT, MISSING = [b"hit"], "404 Not Found"


def dispatcher_for(case: Case) -> Dispatcher:
    hosts = dict.fromkeys(case.hosts, AliasTable(case.aliases))
    given = AliasTable([] if hosts else case.aliases, virtual_hosts=hosts)
    return Dispatcher(given, fallback, rules=case.rules, **case.options)


def requests(case: Case) -> Callable[[object], dict[str, Any]]:
    """Return what makes the next request's environ."""
    numbers = count()
    hosts = cycle(case.hosts if len(case.hosts) == MANY + 1 else ["www.example.com"])
    mount = case.environ.get("SCRIPT_NAME", "")

    def make(_: object) -> dict[str, Any]:
        path = case.path.format(next(numbers))
        own = {"RAW_URI": path, "PATH_INFO": path.removeprefix(mount), "HTTP_HOST": next(hosts)}
        return {**ENVIRON, **case.environ, **own}

    return make


def check(name: str, case: Case, dispatch: Dispatcher) -> None:
    """Fail unless the requests are answered as they should be."""
    said: list[str] = []
    number = max(20, 2 * len(case.hosts))
    make = requests(case)

    def start(status: str, *_: object) -> Callable[[bytes], object]:
        said.append(status)
        return no_start

    for _ in range(number):
        body = dispatch(make(None), start)
        assert case.is_missing or body == HIT, name
    assert said == ([MISSING] * number if case.is_missing else []), name


def ignored(*_: object) -> Callable[[bytes], object]:
    return no_start


def samplers(scripts: Path, least: int) -> Iterator[tuple[tuple[str, str], Callable[[], float]]]:
    """For each case what takes a sample of its nanoseconds a request, with and without us."""
    for name, case in cases(scripts).items():
        dispatch = dispatcher_for(case)
        check(name, case, dispatch)
        make = requests(case)
        yield (name, PLANNED), partial(nanoseconds, asked(dispatch, make), REQUESTS, least)
        yield (name, MAKING), partial(nanoseconds, make, REQUESTS, least)
    named = new_names(scripts)
    yield (LOOK, PLANNED), partial(nanoseconds, look_for(named), REQUESTS, least)
    yield (LOOK, MAKING), partial(nanoseconds, named, REQUESTS, least)


def new_names(scripts: Path) -> Callable[[object], bytes]:
    """Return what makes a name that has never been looked for."""
    numbers = count()
    return lambda _: b"%b/noone%d.wsgi" % (bytes(scripts), next(numbers))


def look_for(named: Callable[[object], bytes]) -> Callable[[object], bool]:
    return lambda _: os.access(named(None), os.F_OK, follow_symlinks=False)


def asked(dispatch: Dispatcher, make: Callable[[object], dict[str, Any]]) -> Callable[[Any], Any]:
    return lambda _: dispatch(make(None), ignored)


def net(samples: Mapping[tuple[str, str], Sequence[float]]) -> dict[str, list[float]]:
    """Take the making of the environ off each sample."""
    names = dict.fromkeys(name for name, _ in samples)
    return {
        name: [
            gross - made
            for gross, made in zip(samples[name, PLANNED], samples[name, MAKING], strict=True)
        ]
        for name in names
    }


def judge(samples: Mapping[str, Sequence[float]]) -> list[str]:
    """The contracts, a line for each."""
    lines = [
        verdict(
            f"{name} / {PLANNED}",
            median_ratio(taken, samples[PLANNED]),
            MOST,
        )
        for name, taken in samples.items()
        if name not in (PLANNED, LOOK)
    ]
    ratio = median_ratio(samples[MANY_HOSTS], samples[ONE_HOST])
    return [*lines, verdict(f"{MANY_HOSTS} / {ONE_HOST}", ratio, MOST_FOR_MANY)]


def main(argv: Sequence[str] | None = None) -> int:
    options = parser(str(__doc__), rounds=15, microseconds=2000).parse_args(argv)
    with tempfile.TemporaryDirectory() as directory:
        scripts = Path(directory)
        (scripts / "hello.wsgi").write_text(SCRIPT)
        taken = rounds(dict(samplers(scripts, options.microseconds * 1000)), options.rounds)
    samples = net(taken)
    rows: list[Row] = [
        [name, cost, median_ratio(samples[name], samples[PLANNED])]
        for name, cost in medians(samples).items()
    ]
    print(table(HEADER, rows), end="\n\n")
    lines = judge(samples)
    print(*lines, sep="\n")
    if options.output:
        costs = [{"site": name, "net_ns": cost} for name, cost in medians(samples).items()]
        document = {"contracts": lines, "tables": {"": texts(HEADER, rows)}, "figures": costs}
        write_json(options.output / "sites.json", document)
    return int(has_missed(lines))


if __name__ == "__main__":
    raise SystemExit(main())
