"""uWSGI's ``for``, ``if-env`` and their like: which options hold, and how often."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

# No loop of a configuration is longer, and none makes more of one option.
_MOST_TIMES = 1000
ENDS = ("end", "endfor", "endif", "end-if", "end-for")


@dataclass(frozen=True, slots=True)
class LogicFacts:
    """What conditions ask: the environment, and the options that stand before them."""

    environ: Mapping[str, str]
    values: Mapping[str, str]


def _holds_in(values: Mapping[str, str], argument: str) -> bool:
    name, equals, wanted = argument.partition("=")
    return name in values and (not equals or values[name] == wanted)


_CONDITIONS: dict[str, Callable[[LogicFacts, str], bool]] = {
    "env": lambda facts, argument: _holds_in(facts.environ, argument),
    "opt": lambda facts, argument: _holds_in(facts.values, argument),
    "exists": lambda facts, argument: os.path.exists(argument),
    "file": lambda facts, argument: os.path.isfile(argument),
    "dir": lambda facts, argument: os.path.isdir(argument),
    "directory": lambda facts, argument: os.path.isdir(argument),
    # An import is no reload, and what plugins a uWSGI has built in is not known: nearly all have
    # Python's.
    "reload": lambda facts, argument: False,
    "plugin": lambda facts, argument: "python" in argument,
}


def is_logic(key: str) -> bool:
    """Whether an option says for which of those behind it something holds."""
    return key in ("for", "for-times") or _condition(key) is not None


def _condition(key: str) -> tuple[str, bool] | None:
    for prefix, wanted in (("if-not-", False), ("if-", True), ("if", True)):
        name = key.removeprefix(prefix)
        if key.startswith(prefix) and name in _CONDITIONS:
            return name, wanted
    return None


def replacements(key: str, argument: str, facts: LogicFacts) -> Iterator[str]:
    """
    Yield once for each time that an option behind a logical one counts.

    What is yielded stands for ``%(_)`` in its value. uWSGI 2.0 has no ``else``.
    """
    if key == "for":
        yield from argument.split()[:_MOST_TIMES]
    elif key == "for-times":
        times = int(argument) if argument.isascii() and argument.isdigit() else 0
        yield from (str(number) for number in range(1, min(times, _MOST_TIMES) + 1))
    elif (found := _condition(key)) is not None:
        name, wanted = found
        if _CONDITIONS[name](facts, argument) is wanted:
            yield argument
