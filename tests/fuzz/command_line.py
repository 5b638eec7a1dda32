"""The command line of the fuzzers that answer how many cases had which outcome."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence


def run_fuzzers(
    description: str | None,
    fuzzers: Mapping[str, Callable[[int, int], Counter[str]]],
    arguments: Sequence[str] | None = None,
) -> int:
    """Run each fuzzer with ``--cases`` and ``--seed``, and print its outcomes by its name."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    for name, fuzz in fuzzers.items():
        began = time.monotonic()
        outcomes = fuzz(given.cases, given.seed)
        print(f"{name}: {given.cases} cases in {time.monotonic() - began:.0f} s: {dict(outcomes)}")
    return 0
