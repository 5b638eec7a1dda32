"""
Read random Apache configurations, sound ones and damaged ones: refusals only, nothing lost.

``python -m tests.fuzz.apache --cases 10000 --apache 200 --seed 1`` reads so many, the second number
of them beside the installed Apache; the first that is wrong ends it.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from django_wsgimatch.apache.lines.directive import ApacheConfiguration, Directive, Surroundings
from django_wsgimatch.apache.lines.lines import Lines, physical_lines
from django_wsgimatch.apache.reading.reading import read_file, read_text
from tests.fuzz.random_apache import FOREIGN, STRAY, random_configuration
from tests.support.apache_dump import (
    ENVIRONMENT,
    FOLLOWED,
    LOADED,
    READABLE,
    Dump,
    dump,
    version,
    write_files,
)

# A line of these is read as often as somebody uses it or includes it, or not for itself.
_NOT_COUNTED = re.compile(r"<macro|include|use", re.IGNORECASE)
_NO_DIRECTIVE = re.compile(r"#|[\"']?<|$")
Read = list[tuple[str, str, tuple[tuple[str, str], ...]]]


def surroundings(directory: Path) -> Surroundings:
    """What the installed Apache knows."""
    return Surroundings(
        str(directory), modules=frozenset(LOADED), version=version(), environ=ENVIRONMENT
    )


def as_read(directive: Directive) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    sections = tuple((each.name.lower(), each.argument) for each in directive.sections)
    return directive.name.lower(), directive.rest, sections


def takes_effect(configuration: ApacheConfiguration) -> Read:
    """The directives that Apache lists."""
    found = (each for each in configuration.directives if not each.is_off)
    return [as_read(each) for each in found if each.name.lower() not in FOLLOWED]


def differences(ours: ApacheConfiguration, apache: Dump) -> str:
    """What Apache reads otherwise, or ""; it says no more of what it refuses when all is read."""
    if "AH00526" in apache.refusal:
        return ""
    if bool(apache.refusal) != bool(ours.refusals):
        return f"Apache: {apache.refusal!r}, refused here: {ours.refusals}"
    theirs = [(each.name, each.arguments, each.sections) for each in apache.directives]
    if not apache.refusal and takes_effect(ours) != theirs:
        return f"Apache: {theirs}, read here: {takes_effect(ours)}"
    listed = read_text(apache.text, "list").directives
    again = [as_read(each) for each in listed if not each.spot.file.endswith("httpd.conf")]
    if not apache.refusal and again != theirs:
        return f"Apache: {theirs}, read from its list: {again}"
    return ""


def compare(random: Random, cases: int) -> Counter[str]:
    """Compare so many configurations with the installed Apache."""
    counts: Counter[str] = Counter()
    for _ in range(cases):
        files = random_configuration(random, random.choice([0, 0, 0.03]))
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            write_files(directory, files)
            apache = dump(directory)
            ours = read_file(str(directory / "main.conf"), surroundings(directory))
        difference = differences(ours, apache)
        assert not difference, f"{files}: {difference}"
        counts["refused" if apache.refusal else "read"] += 1
    return counts


def damaged(random: Random, text: str) -> str:
    """Change, take out or put in a few bytes."""
    for _ in range(random.choice([0, 0, 1, 3, 20])):
        position = random.randrange(len(text) + 1)
        new = random.choice(
            ["", "\n", "\\", "<", ">", '"', "\0", "\r", "${", "}", "#", "</", "\xff"]
        )
        text = text[:position] + new + text[position + random.randrange(2) :]
    return text


def check_case(random: Random, directory: Path) -> str:
    """Read one configuration; tell how it went."""
    files = random_configuration(random, random.choice([0, 0.05, 0.3]), STRAY + FOREIGN)
    files = {name: damaged(random, text) for name, text in files.items()}
    write_files(directory, files)
    read = read_file(str(directory / "main.conf"), Surroundings(version="2.4.68"))
    for refusal in read.refusals:
        assert all((refusal.spot.line, refusal.reason, refusal.cure)), refusal
    lines = [line.text for line in Lines(physical_lines(files["main.conf"], ""))]
    is_wide = files["main.conf"].startswith(("\xff\xfe", "\xfe\xff"))
    if not is_wide and not _NOT_COUNTED.search("\n".join(lines)):
        expected = sum(not _NO_DIRECTIVE.match(line) for line in lines)
        refused = sum(not _NO_DIRECTIVE.match(each.text) for each in read.refusals)
        kept = len(read.directives) + refused
        assert kept == expected, f"{files}: {expected} lines, {read}"
    return "refused in part" if read.refusals else "read"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--apache", type=int, default=200)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    random = Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        counts = Counter(check_case(random, Path(name)) for _ in range(arguments.cases))
    print(f"{arguments.cases} configurations: {dict(counts)}", flush=True)
    if READABLE:
        print(f"{arguments.apache} beside Apache agree: {dict(compare(random, arguments.apache))}")
    else:
        print("no Apache with mod_info and mod_macro is installed to compare with")


if __name__ == "__main__":
    main()
