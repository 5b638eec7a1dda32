"""What the commands that compare random configurations with Apache have in common."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from tests.support.oracle import HOW_TO_INSTALL, INSTALLED

# Of all differences so many are printed.
_MOST_SHOWN = 3


def read_seeds(
    description: str, arguments: Sequence[str] | None, *, random: int
) -> list[str] | None:
    """The seed of each random configuration that a command is to make, None without Apache."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--random", type=int, default=random, help="random configurations")
    parser.add_argument("--seed", default=str(time.time_ns() % 10**9))
    options = parser.parse_args(arguments)
    if not INSTALLED:
        print(HOW_TO_INSTALL, file=sys.stderr)
        return None
    if not settings.configured:
        settings.configure(BASE_DIR="/", SECRET_KEY="only for the tests")
    return [f"{options.seed}-{number}" for number in range(options.random)]


def with_differences(counts: str, differences: Sequence[tuple[Any, Any, Any]]) -> str:
    """Counts, and below them the first of what was asked and answered differently."""
    shown = (
        f"{asked}\n    ours   {ours}\n    Apache {theirs}"
        for asked, ours, theirs in differences[:_MOST_SHOWN]
    )
    return "\n  ".join([f"{counts}, {len(differences)} differences", *shown])
