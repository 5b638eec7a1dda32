"""
The long comparison of trusted proxies: ``python -m tests.conformance.proxies``.

Random headers, from trusted peers and from others, go to a real Apache with mod_wsgi and, as
gunicorn reads the same bytes, to ours. REMOTE_ADDR, the scheme, HTTP_HOST, SERVER_NAME,
SERVER_PORT, SCRIPT_NAME, PATH_INFO and all headers that mod_wsgi knows must be equal, but for what
stands in ``expected()`` and in ``docs/differences.rst``.

``WSGIMATCH_BENCH_MOD_WSGI`` names another ``mod_wsgi.so`` than Debian's.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import ip_address

from tests.conformance.made.proxy_requests import (
    FLAG,
    REGISTRY,
    SCHEME,
    Asked,
    random_asked,
    random_trusts,
)
from tests.conformance.proxy_sides import Ours, Theirs, Told, apache, module
from tests.support.oracle import HOW_TO_INSTALL, INSTALLED
from tests.support.serving import key_of
from tests.support.trees import open_directory

TRUSTS = 40
REPORTED = 10
HEADERS = [key_of(name) for name in REGISTRY]
FACTS = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT")
KEYS = [*FACTS, "SCRIPT_NAME", "PATH_INFO", *HEADERS]

# "localhost" and "127.1" are looked up by Apache.
_WRITTEN = re.compile(r"[0-9A-Fa-f:.]+")
_HOST = re.compile(r"(?!.*\.\.)[A-Za-z0-9_.-]+(?::[0-9]+)?|\[[0-9A-Fa-f:]+\](?::[0-9]+)?")
_PORT = re.compile(r"(?!0)[0-9]{1,4}|[1-5][0-9]{4}")
_PREFIX = re.compile(r"(?:/(?!\.\.?(?:/|$))[^/\\?,]+)*")
_FORMS = {"HTTP_HOST": _HOST, "SERVER_NAME": _HOST, "SERVER_PORT": _PORT, "SCRIPT_NAME": _PREFIX}


@dataclass(frozen=True, slots=True)
class Difference:
    """A request, and what the two sides tell of it."""

    asked: Asked
    found: tuple[str, ...]

    def __str__(self) -> str:
        lines = "".join(f"\n  {line}" for line in self.found)
        return f"{self.asked}{lines}"


@dataclass(slots=True)
class Tally:
    """What was compared, what was left out and why, and what differs."""

    requests: int = 0
    facts: int = 0
    apart: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def __str__(self) -> str:
        apart = ", ".join(f"{count} {why}" for why, count in sorted(self.apart.items()))
        return (
            f"{self.requests} requests, {self.facts} facts compared; documented: {apart}; "
            f"{len(self.differences)} requests differ"
        )


def compare(theirs: Theirs, ours: Ours, requests: Iterator[Asked]) -> Tally:
    """Ask both sides the same."""
    tally = Tally()
    for asked in requests:
        tally.requests += 1
        left, right = theirs.ask(asked), ours.ask(asked)
        found = tuple(_differences(tally, asked, left, right))
        if found:
            tally.differences.append(Difference(asked, found))
    tally.apart["schemes that gunicorn refuses"] = ours.refused
    return tally


def _differences(tally: Tally, asked: Asked, left: Told, right: Told) -> Iterator[str]:
    if left is None or right is None:
        if right is None and left is not None and not _HOST.fullmatch(_last(left["HTTP_HOST"])):
            tally.apart["hosts that are 400"] += 1
        elif left is not right:
            yield f"a script: {left is not None} | {right is not None}"
        return
    expected = dict(_expected(asked, left, right))
    for key in KEYS:
        theirs, here = left.get(key), right.get(key)
        if key == "SCRIPT_NAME":
            theirs = str(theirs).rstrip("/")
        if key in expected:
            tally.apart[expected[key]] += 1
        elif _merged(theirs) != _merged(here):
            yield f"{key}: {theirs!r} | {here!r}"
        else:
            tally.facts += 1


def _expected(
    asked: Asked, left: dict[str, str], right: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """The keys that may differ, and why: docs/differences.rst says the same."""
    hops = [hop.strip() for value in asked.values("X-Forwarded-For") for hop in value.split(",")]
    if any(hop and not _is_written(hop) for hop in hops) and _is_written_or_empty(right):
        yield "REMOTE_ADDR", "lists with what is no address"
        yield "HTTP_X_FORWARDED_FOR", "lists with what is no address"
    elif not _is_written(left["REMOTE_ADDR"]) and _is_written_or_empty(right):
        yield "REMOTE_ADDR", "clients that are no address"
    if "mod_wsgi/4." in left["SERVER_SOFTWARE"]:
        yield from _expected_of_4(hops, left, right)
    schemes = [asked.values(name) for name in (*SCHEME, *FLAG)]
    if any(len(values) > 1 or "," in "".join(values) for values in schemes):
        yield "wsgi.url_scheme", "schemes in a list"
    for key, form in _FORMS.items():
        told, last = left[key].rstrip("/"), _last(left[key])
        if form.fullmatch(told) or (last and form.fullmatch(last) and right[key] != last):
            continue
        yield key, f"values of {key} that are none"


def _expected_of_4(
    hops: list[str], left: dict[str, str], right: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """mod_wsgi 4.9 passes two headers on from anybody, and takes an empty item for a hop."""
    for name in ("HTTP_X_FORWARDED_SERVER", "HTTP_X_FORWARDED_PORT"):
        if name in left and name not in right:
            yield name, "headers that 4.9 does not drop"
    if not all(hops):
        yield "REMOTE_ADDR", "lists with an empty item in 4.9"
        yield "HTTP_X_FORWARDED_FOR", "lists with an empty item in 4.9"


def _last(value: str) -> str:
    """The last item of a list: what ours takes."""
    return value.rpartition(",")[2].strip().rstrip("/")


def _is_written(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return _WRITTEN.fullmatch(text) is not None


def _is_written_or_empty(told: dict[str, str]) -> bool:
    return not told["REMOTE_ADDR"] or _is_written(told["REMOTE_ADDR"])


def _merged(value: str | None) -> str | None:
    """A header without the blanks that servers write between values of the same name."""
    return None if value is None else re.sub(r"\s*,\s*", ",", value)


def compare_all(seed: str, count: int) -> Tally:
    """Compare so many random requests."""
    trusts = random_trusts(seed, TRUSTS)
    with ExitStack() as stack:
        theirs = stack.enter_context(apache(trusts))
        ours = Ours(trusts, theirs.port, stack.enter_context(open_directory()))
        return compare(theirs, ours, random_asked(seed, trusts, count))


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and print what differs; the exit code is 1 where something does."""
    parser = argparse.ArgumentParser(description="Compare trusted proxies with mod_wsgi's.")
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    options = parser.parse_args(arguments)
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return 2
    print(f"--seed {options.seed}, {module()}")
    tally = compare_all(options.seed, options.requests)
    print(tally)
    for difference in tally.differences[:REPORTED]:
        print(difference)
    return int(bool(tally.differences))


if __name__ == "__main__":
    raise SystemExit(main())
