"""
What the index costs: to build it, to keep it, to look a uri up, in tables of all sizes.

``python -m benchmarks.index`` prints tables and says whether the contracts are kept: 100,000
entries build in under 3 s, and a look-up there costs at most 8 times one at 10 entries. With
``--output`` it also writes ``index.json`` and ``index.svg``.

Of ten entries seven are plain, one is plain and nested in another, and two are patterns with a
capture. "Linear" is one ``re`` search after the other, as a loop in Python.
"""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from time import process_time

from benchmarks.measure import (
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
from django_wsgimatch.aliases.index.index import build_index
from django_wsgimatch.aliases.patterns.pattern import Pattern, compile_pattern

SIZES = (10, 100, 1_000, 10_000, 100_000)
MOST_SECONDS, MOST_RATIO = 3, 8
# A linear scan of more entries takes so long that nothing is left to learn from it.
LONGEST_SCAN = 10_000
INDEX, LINEAR = "index", "linear re"

LookUp = Callable[[str], object]


def location(number: int) -> str:
    """The text of an entry; a pattern begins with ``^``."""
    if number % 10 in (3, 6):
        return f"^/app{number}/([^/]+)"
    # The next entry is the one it is nested in: a first match asks for this order.
    return f"/app{number + 1}/admin" if number % 10 == 7 else f"/app{number}"


def uri(number: int) -> str:
    """A uri that this entry is the first to match, two segments deeper."""
    return location(number).lstrip("^").replace("([^/]+)", "name") + "/some/page"


def compiled(size: int) -> list[str | Pattern]:
    texts = map(location, range(size))
    return [compile_pattern(text) if text.startswith("^") else text for text in texts]


def build(size: int) -> LookUp:
    return build_index(compiled(size), merged=True)


def linear(size: int) -> LookUp:
    """The same table as one bound ``match`` method after the other."""
    texts = [each if isinstance(each, str) else each.source for each in compiled(size)]
    tries = [
        re.compile(each if each.startswith("^") else re.escape(each) + r"(?=/|\Z)").match
        for each in texts
    ]

    def look_up(uri: str) -> object:
        for position, find in enumerate(tries):
            found = find(uri)
            if found is not None:
                return position, found
        return None

    return look_up


def uris(size: int) -> dict[str, list[str]]:
    """What is looked up: one uri again and again, or a thousand from all over the table."""
    numbers = [Random(1).randrange(size) for _ in range(1000)]
    return {
        "hit first": [uri(0)],
        "hit last": [uri(size - 1)],
        "miss": ["/no/such/alias/here"],
        "hit anywhere": [uri(number) for number in dict.fromkeys(numbers)],
    }


def build_costs(size: int) -> tuple[float, float]:
    """Return the seconds of CPU time to build an index from its texts, and the MB it keeps."""
    started = process_time()
    build(size)
    seconds = process_time() - started
    tracemalloc.start()
    index = build(size)
    megabytes = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    assert index(uri(0)) == (0, len(location(0)))
    return seconds, megabytes


Key = tuple[str, str, int]


def samplers(least: int) -> dict[Key, Callable[[], float]]:
    """For each way to look up, sort of uri and size what takes a sample of its nanoseconds."""
    look_ups = {(INDEX, size): build(size) for size in SIZES}
    look_ups |= {(LINEAR, size): linear(size) for size in SIZES if size <= LONGEST_SCAN}
    taken: dict[Key, Callable[[], float]] = {}
    for (name, size), look_up in look_ups.items():
        for sort, asked in uris(size).items():
            assert (look_up(asked[-1]) is None) is (sort == "miss")
            taken[name, sort, size] = partial(nanoseconds, look_up, asked, least)
    return taken


def judge(samples: Mapping[Key, Sequence[float]], seconds: float) -> list[str]:
    """The contracts, a line for each."""
    small, large = SIZES[0], SIZES[-1]
    lines = [verdict(f"seconds to build {large:,} entries", seconds, MOST_SECONDS)]
    for sort in uris(small):
        ratio = median_ratio(samples[INDEX, sort, large], samples[INDEX, sort, small])
        lines.append(verdict(f"{sort} at {large:,} / at {small} entries", ratio, MOST_RATIO))
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    options = parser(str(__doc__), rounds=15, microseconds=1000).parse_args(argv)
    costs = {size: build_costs(size) for size in SIZES}
    print(table(["entries", "build s", "MB"], [[f"{n:,}", *costs[n]] for n in SIZES]), end="\n\n")
    samples = rounds(samplers(options.microseconds * 1000), options.rounds)
    cost = medians(samples)
    names = list(dict.fromkeys((name, sort) for name, sort, _ in samples))
    rows = [[f"{n}, {s}", *(cost.get((n, s, size)) for size in SIZES)] for n, s in names]
    print(table(["ns a look-up at", *(f"{size:,}" for size in SIZES)], rows), end="\n\n")
    lines = judge(samples, costs[SIZES[-1]][0])
    print(*lines, sep="\n")
    if options.output:
        figures = [
            {"name": n, "uri": s, "entries": size, "ns": v} for (n, s, size), v in cost.items()
        ]
        builds = [{"entries": n, "seconds": s, "megabytes": m} for n, (s, m) in costs.items()]
        document = {"contracts": lines, "build": builds, "look_ups": figures}
        write_json(options.output / "index.json", document)
        draw(cost, options.output / "index.svg")
    return int(has_missed(lines))


def draw(cost: Mapping[Key, float], path: Path) -> None:
    panels: dict[str, dict[str, dict[int, float]]] = {}
    for (name, sort, size), value in cost.items():
        panels.setdefault(sort, {}).setdefault(name, {})[size] = value
    draw_lines(path, panels)


if __name__ == "__main__":
    raise SystemExit(main())
