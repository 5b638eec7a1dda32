"""
The CPU time of searches, in a process of its own that survives one without an end.

Run as ``python -m tests.support.cpu_time``, which reads a request of `seconds` from its input.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from time import thread_time

from django_wsgimatch.aliases.patterns.pattern import compile_pattern
from tests.support import pcre2_library

APACHES_LIMIT = 10_000_000


class OutOfTime(Exception):
    """A search took more CPU time than it may."""


def seconds(
    searches: Iterable[tuple[str, str]], most: float, *, pcre2: bool = False
) -> list[float | None]:
    """
    Return the CPU seconds of the search for each pattern in its uri, None for more than ``most``.

    :param pcre2: search with the system's PCRE2 and Apache's limit instead of ``re``.
    """
    request = json.dumps({"most": most, "pcre2": pcre2, "searches": list(searches)})
    answer = subprocess.run(
        [sys.executable, "-m", __name__],
        input=request,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: list[float | None] = json.loads(answer)
    return found


def _one(source: str, uri: str, most: float, pcre2: bool) -> float | None:
    find: Callable[[str], object]
    if pcre2:
        find = pcre2_library.Pattern(source, APACHES_LIMIT).search
    else:
        find = compile_pattern(source, engine="re", allow_exponential=True).find
    find("/")
    begin = thread_time()
    signal.setitimer(signal.ITIMER_PROF, most)
    try:
        find(uri)
    except OutOfTime:
        return None
    except pcre2_library.OutOfSteps:
        pass
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return thread_time() - begin


def _stop(*_: object) -> None:
    raise OutOfTime


def _main() -> None:
    request = json.load(sys.stdin)
    searches: Sequence[tuple[str, str]] = request["searches"]
    # re looks for signals now and then; the timer counts the CPU time of this process alone.
    signal.signal(signal.SIGPROF, _stop)
    found = [_one(source, uri, request["most"], request["pcre2"]) for source, uri in searches]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    _main()
