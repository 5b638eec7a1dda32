"""``wsgimatch restart NAME --wait`` and ``stop NAME --wait``: what became of the order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from ..conf import Configuration
from ..daemon.front.answers import read_order, read_outcomes
from ..daemon.servers.directory import Directory
from ..daemon.wire.control import Order, give_order
from ..exceptions import ManagerError, ManagerGone
from ..text import readable, shown
from .status import order_each

# How often a manager is asked, in seconds.
ASK = 0.1

_VERBS = {"restart": "Restarting", "stop": "Stopping"}
_LATE = {
    "restart": "its new processes are not ready after {:g} s; they are waited for no longer",
    "stop": "its processes have not ended after {:g} s; they are waited for no longer",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a place, as a line of text, and whether it is what was wanted."""

    line: str
    is_success: bool


def order_lines(configured: Configuration, do: str, name: str) -> Iterator[str]:
    """
    Have all servers of this project restart or stop places; yield a line for each server.

    Raises ManagerError where there is none, or where one cannot do it.
    """
    for _, answer in order_each(configured, do=do, name=name):
        yield _said(do, answer)


def order_and_wait(
    configured: Configuration, do: str, name: str, seconds: float
) -> Iterator[str | Result]:
    """
    Do the same, and yield what became of each place as soon as it is known.

    What is not known after so many ``seconds`` is no success. Raises ManagerError as well.
    """
    deadline = time.monotonic() + seconds
    asked = []
    for directory, answer in order_each(configured, do=do, name=name):
        yield _said(do, answer)
        order = read_order(answer)
        asked.append((directory, {"of": do, "since": order["since"]}, order["places"]))
    for directory, question, places in asked:
        yield from _results(directory, question, places, seconds, deadline)


def _results(
    directory: Directory, question: Order, places: list[str], seconds: float, deadline: float
) -> Iterator[Result]:
    while places:
        is_last = time.monotonic() > deadline
        for outcome in _outcomes(directory, question, places):
            if outcome["state"] == "waiting" and not is_last:
                continue
            places = [name for name in places if name != outcome["name"]]
            yield _result(question["of"], outcome, seconds)
        if is_last:
            for name in places:
                yield Result(f"{readable(name)}: {_LATE[question['of']].format(seconds)}.", False)
            return
        if places:
            time.sleep(ASK)


def _outcomes(directory: Directory, question: Order, places: list[str]) -> list[Order]:
    try:
        order = {"do": "outcome", "places": places, **question}
        return read_outcomes(give_order(directory.manager, order))
    except ManagerGone:
        # Another manager takes its place, or nothing answers until the deadline.
        return []
    except ManagerError as error:
        failed: Order = {"state": "failed", "pids": [], "error": str(error)}
        return [{"name": name, **failed} for name in places]


def _result(do: str, outcome: Order, seconds: float) -> Result:
    name, state = readable(outcome["name"]), outcome["state"]
    if state == "done":
        return Result(f"{name}: {_done(do, outcome['pids'])}.", True)
    error = outcome["error"].removesuffix(".")
    if state == "waiting":
        late = _LATE[do].format(seconds)
        error = f"{late}. The newest error: {error}" if error else late
    return Result(f"{name}: {shown(error)}.", False)


def _done(do: str, pids: list[int]) -> str:
    if do == "stop":
        return "its processes have ended"
    if len(pids) == 1:
        return f"process {pids[0]} serves the new code"
    return f"processes {', '.join(map(str, pids))} serve the new code"


def _said(do: str, answer: Order) -> str:
    return f"{_VERBS[do]} {', '.join(map(readable, answer['places']))}."
