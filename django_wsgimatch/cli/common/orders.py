"""What ``restart`` and ``stop`` have in common: an order to places, and what became of it."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.core.management.base import CommandError

from ...conf import configuration
from ...configured import Configuration
from ...daemon.front.answers import read_order, read_outcomes
from ...daemon.servers.directory import Directory
from ...daemon.wire.control import Order, give_order
from ...exceptions import ManagerError, ManagerGone
from ...text import readable, shown
from .output import Output
from .running_servers import manager_refusal, order_each
from .subcommand import Options, Subcommand, seconds_above_zero

# How long `--wait` waits, in seconds.
PATIENCE = 120.0
# How often a manager is asked, in seconds.
ASK = 0.1


@dataclass(frozen=True, slots=True)
class OrderWords:
    """
    An order to places, and how it is told.

    ``said`` is what happens now; ``done`` returns what has, from the processes that are there;
    ``late`` is what has not in the seconds for which it has a field.
    """

    do: str
    said: str
    done: Callable[[list[int]], str]
    late: str


@dataclass(frozen=True, slots=True)
class OrderResult:
    """What became of a place, as a line of text, and whether it is what was wanted."""

    line: str
    is_success: bool


def order_subcommand(words: OrderWords) -> Subcommand:
    """Return the subcommand that gives an order to the places of a name, and may wait for it."""
    return Subcommand(_add_arguments, lambda options, output: _run(words, options, output))


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a process group or application group")
    parser.add_argument(
        "--wait", action="store_true", help="wait until it is done; exit with 1 if it fails"
    )
    parser.add_argument(
        "--timeout",
        type=seconds_above_zero,
        metavar="SECONDS",
        help=f"seconds to wait (default {PATIENCE:g})",
    )


def _run(words: OrderWords, options: Options, output: Output) -> int:
    """Give the order; 1 if it is waited for, and fails."""
    if options["timeout"] and not options["wait"]:
        raise CommandError("--timeout needs --wait: it says how long to wait.")
    seconds = (options["timeout"] or PATIENCE) if options["wait"] else None
    lines = order_and_wait(configuration(), words, options["name"], seconds)
    try:
        return int(sum(_has_failed(line, output) for line in lines) > 0)
    except ManagerError as error:
        raise manager_refusal(error) from error


def _has_failed(said: str | OrderResult, output: Output) -> bool:
    """Show a line of what became of an order, at once."""
    if isinstance(said, str):
        output.stdout.write(said)
        output.stdout.flush()
        return False
    (output.stdout if said.is_success else output.stderr).write(said.line)
    return not said.is_success


def order_and_wait(
    configured: Configuration, words: OrderWords, name: str, seconds: float | None
) -> Iterator[str | OrderResult]:
    """
    Have all servers of this project restart or stop places; yield a line for each server.

    Unless ``seconds`` is None, what became of each place follows as soon as it is known. What is
    not known after so many is a failure.
    Raises ManagerError where there is no server, or where one cannot do it.
    """
    deadline = time.monotonic() + (seconds or 0)
    asked = []
    for directory, answer in order_each(configured, do=words.do, name=name):
        yield f"{words.said} {', '.join(map(readable, answer['places']))}."
        if seconds is None:
            continue
        order = read_order(answer)
        asked.append((directory, order["since"], order["places"]))
    for directory, since, places in asked:
        question = {"of": words.do, "since": since}
        for outcome in _outcomes(directory, question, places, deadline):
            yield _result(words, outcome, words.late.format(seconds))


def _outcomes(
    directory: Directory, question: Order, places: list[str], deadline: float
) -> Iterator[Order]:
    """What became of each place; that is "waiting" still where the time is over."""
    while places:
        is_last = time.monotonic() > deadline
        for outcome in _known(directory, question, places):
            if outcome["state"] == "waiting" and not is_last:
                continue
            places = [name for name in places if name != outcome["name"]]
            yield outcome
        if is_last:
            yield from ({"name": name, "state": "waiting", "error": ""} for name in places)
            return
        if places:
            time.sleep(ASK)


def _known(directory: Directory, question: Order, places: list[str]) -> list[Order]:
    try:
        order = {"do": "outcome", "places": places, **question}
        return read_outcomes(give_order(directory.manager, order))
    except ManagerGone:
        # Another manager takes its place, or nothing answers until the deadline.
        return []
    except ManagerError as error:
        failed: Order = {"state": "failed", "pids": [], "error": str(error)}
        return [{"name": name, **failed} for name in places]


def _result(words: OrderWords, outcome: Order, late: str) -> OrderResult:
    name, state = readable(outcome["name"]), outcome["state"]
    if state == "done":
        return OrderResult(f"{name}: {words.done(outcome['pids'])}.", True)
    error = outcome["error"].removesuffix(".")
    if state == "waiting":
        error = f"{late}. The newest error: {error}" if error else late
    return OrderResult(f"{name}: {shown(error)}.", False)
