"""``wsgimatch status``, ``restart`` and ``stop``: the running servers of this project, asked."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

from ..conf import Configuration
from ..daemon.front.answers import read_places, read_status
from ..daemon.servers.directory import Directory, running_servers
from ..daemon.wire.control import give_order
from ..exceptions import ManagerError
from ..places import project_name, socket_directories
from ..text import cut, readable, shown

COLUMNS = (
    *("name", "state", "processes", "threads", "python", "settings", "uptime", "requests"),
    *("memory", "restarts", "last error"),
)
# The most characters of each column: a row that a group fills should still be one to read.
WIDTHS = (40, 12, 40, 12, 20, 40, 12, 16, 16, 12, 100)
NONE_RUNS = (
    "no running server of this project has process groups or application groups: {}. Ask as the "
    "user that the server runs as"
)

NOBODY_ASKS = (
    "WSGIMATCH_HEALTH_PATH is None, so no balancer asks whether a server is ready. Give it a path "
    "such as '/-/wsgimatch/' and start the server again"
)
NOTHING_TO_DRAIN = (
    "no running server of this project: {}. Ask as the user that the server runs as, in its "
    "container"
)

Status = dict[str, Any]
# What is greater is no time and no size, and an int may be too great for a float.
_MOST = 1 << 62


def order_all(configured: Configuration, **order: Any) -> list[Status]:
    """
    Give an order to the managers of this project's running servers and return their answers.

    Raises ManagerError where there is none, where one cannot do it, or where its answer is none.
    """
    return [answer for _, answer in order_each(configured, **order)]


def order_each(configured: Configuration, **order: Any) -> list[tuple[Directory, Status]]:
    """Do the same, and return with each answer where its manager is."""
    bases = socket_directories(configured)
    name = project_name()
    answers = []
    for _, directory in running_servers(bases):
        try:
            status = give_order(directory.manager, {"do": "status"})
        except ManagerError:
            # It has no groups yet, or no more.
            continue
        status = read_status(status)
        if status["project"] == name:
            is_status = order["do"] == "status"
            asked = status if is_status else read_places(give_order(directory.manager, order))
            answers.append((directory, asked))
    if not answers:
        raise ManagerError(NONE_RUNS.format(_where(bases)))
    return answers


def drain(configured: Configuration, *, on: bool) -> list[int]:
    """
    Have this project's running servers say that they are not ready, or no longer.

    Returns their main processes. Raises ManagerError where there is none, or none can be told.
    """
    if configured.values["HEALTH_PATH"] is None:
        raise ManagerError(NOBODY_ASKS)
    bases = socket_directories(configured)
    name = project_name()
    drained = []
    for owner, directory in running_servers(bases):
        if directory.is_of_project(name):
            try:
                directory.drain(on=on)
            except OSError as error:
                raise ManagerError(f"server {owner.pid}: {error}") from error
            drained.append(owner.pid)
    if not drained:
        raise ManagerError(NOTHING_TO_DRAIN.format(_where(bases)))
    return drained


def _where(bases: Iterable[str]) -> str:
    folders = ", ".join(map(repr, bases))
    return f"none has its folder in {folders}" if folders else "no folder of sockets is there"


def status_lines(servers: Iterable[Status]) -> Iterator[str]:
    """Yield each server's groups, its columns under each other, and below them its processes."""
    for server in servers:
        yield title(server)
        lines = [COLUMNS, *map(status_cells, server["places"])]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            yield f"  {'  '.join(padded)}".rstrip()


def title(server: Status) -> str:
    """Return which server it is."""
    return shown(f"server {server['server']}, manager {server['pid']}")


def status_cells(place: Status) -> tuple[str, ...]:
    """
    Return a place as the texts of its columns; "-" stands for nothing, "?" for what is no value.

    A group tells its Python, its settings and its errors itself, and may tell anything.
    """
    pids = [str(process["pid"]) for process in place["processes"]]
    texts = (
        readable(str(place["name"])),
        place["state"],
        ",".join(pids),
        f"{place['busy']}/{place['threads']}",
        place["python"],
        place["settings"],
        duration(place["uptime"]),
        place["requests"],
        size(place["memory"]),
        place["restarts"],
        _remark(place),
    )
    return tuple(map(_cell, texts, WIDTHS))


def _cell(value: object, width: int) -> str:
    if value is None or value == "":
        return "-"
    return cut(str(value), width) if isinstance(value, str | int) else "?"


def duration(seconds: object) -> str:
    """Return a time as one says it: 12 s, 3 min, 5 h, 2 d."""
    if seconds is None:
        return "-"
    if not _is_number(seconds):
        return "?"
    for unit, least in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * least:
            return f"{seconds / least:.0f} {unit}"
    return f"{seconds:.0f} s"


def size(count: object) -> str:
    """Return a number of bytes in MiB."""
    if count is None:
        return "-"
    return f"{count / (1 << 20):.1f} MiB" if _is_number(count) else "?"


def _remark(place: Status) -> object:
    """The newest error, or where a group is that is run elsewhere: no more is known of it."""
    if place["state"] == "elsewhere":
        return f"at {place['socket']}"
    return _error(place["error"], place["error_time"])


def _error(error: object, when: object) -> object:
    if not error or not isinstance(error, str):
        return error
    ago = f" ({duration(time.time() - when)} ago)" if when and _is_number(when) else ""
    return cut(error.partition("\n")[0], WIDTHS[-1] - len(ago)) + ago


def _is_number(value: object) -> TypeGuard[float]:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < _MOST
        and math.isfinite(value)
    )
