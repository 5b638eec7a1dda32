"""
Compare files below an Alias with what a real Apache answers, on random requests.

``python -m tests.fuzz.files --requests 20000 --seed 1`` prints how many answers agreed; the first
that does not ends it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from email.utils import formatdate
from random import Random

from tests.answers.files.sites import (
    HOW_TO_INSTALL,
    INSTALLED,
    LONG_AGO,
    NUMBERS,
    PATHS,
    PLACES,
    FileSites,
    Question,
    can_be_compared,
    file_sites,
)
from tests.support.oracle import as_apache

NAMES = sorted({part for path in PATHS for part in path.split("/")})
ODD = (
    "",
    ".",
    "..",
    "none",
    ".htx",
    "x" * 256,
    "A.TXT",
    "index.html",
    "home.html",
    "...",
    "~",
    "*",
)
METHODS = (
    *("GET", "GET", "GET", "GET", "HEAD", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"),
    *("PROPFIND", "FOO", "get"),
)
HOSTS = ("localhost", "LocalHost:80", "a.test:8080", "a.test:443", "[::1]:81", "127.0.0.1", "a.b.")
# How often a question is asked again: the second may have passed in between.
ATTEMPTS = 4


def random_target(random: Random) -> str:
    """A target below one of the places: mostly a path that is there, mostly spelled plainly."""
    if random.random() < 0.4:
        name = random.choice(["a.txt", "numbers.txt", "recent.txt", "page.html", "d/", "empty.txt"])
        return f"/{random.choice(PLACES).name}/{name}"
    path = random.choice(PATHS)
    if random.random() < 0.3:
        parts = path.split("/") + random.choices([*NAMES, *ODD], k=random.randint(0, 3))
        random.shuffle(parts)
        path = "/".join(parts)
    path += random.choice(["", "", "", "", "/", "//", "/x", "/.", "/..", "/index.html"])
    written = "".join(escaped(random, character) for character in path)
    place = random.choice(PLACES).name
    query = random.choice(["", "", "", "?", "?a=b&c=%20", "?x?y", "?\xe9"])
    return f"/{place}{random.choice(['/', '/', '/', '//', '/./'])}{written}{query}"


def escaped(random: Random, character: str) -> str:
    """A character, as an escape where it must be one, and at times where it need not."""
    if character in ' %?#\\"<>^`{|}' or ord(character) > 0x7E or random.random() < 0.01:
        return f"%{ord(character):02{random.choice('xX')}}"
    return character


def random_headers(random: Random, now: float) -> Iterator[tuple[str, str]]:
    """Conditions and ranges, most of them near the truth."""
    if random.random() < 0.2:
        yield "Host", random.choice(HOSTS)
    if random.random() < 0.5:
        return
    for name in ("If-Match", "If-None-Match"):
        if random.random() < 0.25:
            yield name, random_tags(random)
    for name in ("If-Modified-Since", "If-Unmodified-Since"):
        if random.random() < 0.25:
            yield name, random_date(random, now)
    if random.random() < 0.5:
        yield "Range", random_ranges(random)
        if random.random() < 0.3:
            yield "If-Range", random.choice([random_tags, lambda r: random_date(r, now)])(random)


def random_tags(random: Random) -> str:
    """A list of entity tags."""
    size = random.choice([0, 1, 5, 5, 5, len(NUMBERS)])
    tag = f'"{size:x}-{round(LONG_AGO * 1e6):x}"'
    others = ["*", '"x"', 'W/"x"', tag, tag, f"W/{tag}", "x", '"a,b"', '"\\"', "(", "", f"{tag} x"]
    return (
        random.choice([", ", ",", " , ", ",,"])
        .join(random.choices(others, k=random.choice([1, 1, 1, 2, 3])))
        .strip()
    )


def random_date(random: Random, now: float) -> str:
    """A date, in one of the three forms, or nearly."""
    at = random.choice([LONG_AGO, LONG_AGO, LONG_AGO - 1, LONG_AGO + 1, now - 20, now + 1000, 0])
    date = formatdate(int(at), usegmt=True)
    _, day, month, year, clock, _ = date.split()
    forms = [
        *(date, date, date, date.replace("GMT", "+0200"), date.removesuffix(" GMT"), ""),
        f"Sunday, {day}-{month}-{year[2:]} {clock} GMT",
        f"Sun {month} {int(day):2} {clock} {year}",
        f"Sun, {int(day)} {month} {year} {clock} GMT",
        f"Sun, 32 {month} {year} {clock} GMT",
        f"{day} {month} {year} {clock} GMT",
        *("0", "Sun, 13 Sep 20 12:26:40 GMT", f"  {date}", date.lower()),
    ]
    return random.choice(forms)


def random_ranges(random: Random) -> str:
    """A Range header for a file of 0 to 4,000 bytes."""

    def number() -> str:
        most = random.choice([3, 6, 100, 4100])
        return random.choice(["", str(random.randint(0, most)), str(random.randint(0, most))])

    def word() -> str:
        if random.random() < 0.05:
            return random.choice(
                ["", "x", "1", "1-2-3", " 1-2", "1 -2", "+1-2", "-0", "9" * 20 + "-"]
            )
        return f"{number()}-{number()}"

    count = random.choice([1, 1, 1, 1, 2, 2, 3, 5, 30, 230])
    if count > 5:
        step = random.choice([2, 9, 16])
        words = [f"{step * n}-{step * n + random.choice([0, 1, 12])}" for n in range(count)]
        if random.random() < 0.3:
            random.shuffle(words)
    else:
        words = [word() for _ in range(count)]
    unit = random.choice(["bytes=", "bytes=", "bytes=", "bytes=", "Bytes=", "bytes =", "items="])
    return unit + ",".join(words)


def random_question(random: Random, now: float) -> Question:
    return Question(
        random_target(random), random.choice(METHODS), tuple(random_headers(random, now))
    )


def compare(sites: FileSites, random: Random, requests: int) -> int:
    """Compare so many answers; return how many of them were files."""
    found = 0
    for _ in range(requests):
        question = random_question(random, time.time())
        if can_be_compared(question):
            found += check(sites, question)
    return found


def check(sites: FileSites, question: Question) -> bool:
    for _ in range(ATTEMPTS):
        try:
            expected = sites.apache(question)
        except OSError as error:
            raise AssertionError(f"{question}: Apache does not answer") from error
        given = sites.ours(question)
        if given == expected:
            return expected.status in (200, 206)
    raise AssertionError(f"{question}:\n{given}\nand from Apache\n{expected}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    arguments = parser.parse_args()
    if not INSTALLED:
        raise SystemExit(f"tests.fuzz.files {HOW_TO_INSTALL}")
    print(f"seed {arguments.seed}", flush=True)
    with file_sites() as sites, as_apache():
        found = compare(sites, Random(arguments.seed), arguments.requests)
    print(f"{arguments.requests} answers agree with Apache's, {found} of them with a file")


if __name__ == "__main__":
    main()
