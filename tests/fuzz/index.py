"""
Compare the index with a linear scan on random tables.

``python -m tests.fuzz.index --lookups 100000 --seed 1`` prints how many look-ups agreed; the
first that does not ends it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from random import Random

from django_wsgimatch.aliases.index.index import build_index
from django_wsgimatch.aliases.patterns.pattern import Found, Pattern, compile_pattern

Location = str | Pattern
Answer = tuple[int, int | Found] | None

SEGMENTS = ("a", "b", "ab", "abc", "x", "ac", "abb", "a.b", "", "..", "\xe9")
LOCATIONS = (
    *("/%s", "/%s", "/%s/%s", "/%s/%s/%s", "/%s/", "/%s/%s/", "//%s//", "/%s//%s"),
    *("/", "//", "%s", "/%s/../%s", "/%s.", "/a" * 15 + "/%s", "/a" * 16 + "/%s/", "/a" * 20),
)
ANCHORED = (
    *("^/%s", "^/%s", "^/%s/", "^/%s$", "^/%s/([^/]+)", "^/%s/%s/(.*)", "^/(%s|%s)", "^/%s?/"),
    *("^/(%s|%s)/%s", "^/(%s|%s)/(%s|%s)", "^/%s(b*)c?/", "^/[ab]%s", "^/(?:%s)+/%s", "^/%s{1,2}/"),
    *("^/(?:%s/)?%s", "^/(?=%s)%s", "^/(?!%s)%s", "^(?:/%s)?/%s", "^/?%s", "^/%s//%s", "^//%s"),
    *("^/%s|^/%s", "^/%s(?:ab|c)?", "^/%s|%s", "^/", "^", "^/*", "^%s", "^/.*%s", r"^/%s\b"),
    *("^" + "/a" * 17 + "%s", "^" + "/a" * 16 + "/%s", "(?i)^/%s/%s", "^/(?i:%s)/%s"),
)
UNANCHORED = (
    *("/%s/", "/%s/%s/", "%s$", "/%s$", "%s", "$", "x*", "(?=/%s)", "/%s|/%s", "(?i)/%s/"),
    *(r"(?<=/)%s", r"(?<=/%s)", r"\b%s\b", "[^/]+/%s/", "/%s/[^/]+/%s/", "(?:/%s)+$", "//%s"),
)
CROWDED = ("^/a/[^/]+/%s%s/", "^/a/[^/]*%s%s", "^/[^/]+/%s%s/", "/%s%s/", "/%s%s/%s/x?$")


def naive_alias_matches(uri: str, location: str) -> int:
    """Transcribe alias_matches() of mod_alias, byte by byte, with its terminating NULs."""
    uri, alias = uri + "\0", location + "\0"
    u = a = 0
    while alias[a] != "\0":
        if alias[a] == "/":
            if uri[u] != "/":
                return 0
            while alias[a] == "/":
                a += 1
            while uri[u] == "/":
                u += 1
        else:
            if uri[u] != alias[a]:
                return 0
            u, a = u + 1, a + 1
    return 0 if location[-1:] != "/" and uri[u] not in "\0/" else u


def linear_scan(locations: Sequence[Location], uri: str) -> Answer:
    """Return the first match as Apache finds it: one location after the other."""
    for position, location in enumerate(locations):
        if isinstance(location, str):
            found: int | Found | None = naive_alias_matches(uri, location) or None
        else:
            found = location.find(uri)
        if found is not None:
            return position, found
    return None


def shown(answer: Answer) -> tuple[int, int, str | None] | None:
    """Return an answer as a value that can be compared."""
    if answer is None or isinstance(answer[1], int):
        return answer and (answer[0], answer[1], None)  # type: ignore[return-value]
    return answer[0], answer[1].end(), answer[1].group(0)


def fill(random: Random, template: str) -> str:
    segments = SEGMENTS if template in LOCATIONS else SEGMENTS[:5]
    return template % tuple(random.choice(segments) for _ in range(template.count("%s")))


def random_locations(random: Random) -> Iterator[Location]:
    """Yield the entries of a table; each table leans to one sort of entry."""
    kinds = [LOCATIONS, ANCHORED, UNANCHORED, CROWDED]
    leaning = random.choices(kinds, k=random.choice([1, 2, 6]))
    for _ in range(random.choice([1, 2, 4, 8, 20, 60, 120])):
        templates = random.choice(leaning)
        text = fill(random, random.choice(templates))
        yield text if templates is LOCATIONS else compile_pattern(text)


def random_uri(random: Random) -> str:
    depth = random.choice([1, 1, 2, 2, 3, 4, 5, 18])
    uri = "/" + "/".join(random.choice(SEGMENTS[:-2]) for _ in range(depth))
    if depth == 18:
        uri = "/a" * random.randint(14, 21) + uri[:4]
    if random.random() < 0.8:
        while "//" in uri:
            uri = uri.replace("//", "/")
    return uri


def compare(random: Random, lookups: int, per_table: int = 50) -> int:
    """Compare so many look-ups; return how many tables that took."""
    tables = lookups // per_table
    for _ in range(tables):
        locations = list(random_locations(random))
        look_up, look_up_merged = build_index(locations), build_index(locations, merged=True)
        for _ in range(per_table):
            uri = random_uri(random)
            check(look_up, locations, uri)
            if "//" not in uri:
                check(look_up_merged, locations, uri)
    return tables


def check(look_up: Callable[[str], Answer], locations: Sequence[Location], uri: str) -> None:
    expected, given = shown(linear_scan(locations, uri)), shown(look_up(uri))
    table = [each if isinstance(each, str) else each.source for each in locations]
    assert given == expected, f"{uri!r} in {table!r}: {given}, not {expected}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--lookups", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    tables = compare(Random(arguments.seed), arguments.lookups)
    print(f"{arguments.lookups} look-ups in {tables} tables agree with the linear scan")


if __name__ == "__main__":
    main()
