"""``wsgimatch status``, ``restart`` and ``stop``: the running servers of this project, asked."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from .conf import Configuration
from .daemon.control import give_order
from .daemon.directory import running_servers
from .diagnose.findings import readable
from .exceptions import ManagerError
from .places import project_name, socket_directories

COLUMNS = (
    *("name", "state", "processes", "threads", "python", "settings", "uptime", "requests"),
    *("memory", "restarts", "last error"),
)
NONE_RUNS = (
    "no running server of this project has process groups or application groups: none was found "
    "in {}. Ask as the user that the server runs as"
)

Status = dict[str, Any]


def order_all(configured: Configuration, **order: Any) -> list[Status]:
    """
    Give an order to the managers of this project's running servers and return their answers.

    Raises ManagerError where there is none, or where one cannot do it.
    """
    bases = socket_directories(configured)
    name = project_name()
    answers = []
    for _, directory in running_servers(bases):
        try:
            status = give_order(directory.manager, {"do": "status"})
        except ManagerError:
            # It has no groups yet, or no more.
            continue
        if status["project"] == name:
            is_status = order["do"] == "status"
            answers.append(status if is_status else give_order(directory.manager, order))
    if not answers:
        raise ManagerError(NONE_RUNS.format(", ".join(map(repr, bases)) or "no folder of sockets"))
    return answers


def status_lines(servers: Iterable[Status]) -> Iterator[str]:
    """Yield each server's groups, its columns under each other, and below them its processes."""
    for server in servers:
        yield f"server {server['server']}, manager {server['pid']}"
        lines = [COLUMNS, *map(status_cells, server["places"])]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            yield f"  {'  '.join(padded)}".rstrip()


def status_cells(place: Status) -> tuple[str, ...]:
    """Return a place as the texts of its columns; "-" stands for nothing."""
    pids = [str(process["pid"]) for process in place["processes"]]
    return (
        readable(place["name"]),
        _state(place),
        ",".join(pids) or "-",
        f"{place['busy']}/{place['threads']}",
        place["python"] or "-",
        place["settings"] or "-",
        duration(place["uptime"]),
        str(place["requests"]),
        size(place["memory"]),
        str(place["restarts"]),
        _error(place),
    )


def duration(seconds: float | None) -> str:
    """Return a time as one says it: 12 s, 3 min, 5 h, 2 d."""
    if seconds is None:
        return "-"
    for unit, least in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * least:
            return f"{seconds / least:.0f} {unit}"
    return f"{seconds:.0f} s"


def size(count: int | None) -> str:
    """Return a number of bytes in MiB."""
    return "-" if count is None else f"{count / (1 << 20):.1f} MiB"


def _state(place: Status) -> str:
    is_elsewhere = place["state"] == "elsewhere"
    return f"elsewhere, {place['socket']}" if is_elsewhere else place["state"]


def _error(place: Status) -> str:
    if not place["error"]:
        return "-"
    ago = f" ({duration(time.time() - place['error_time'])} ago)" if place["error_time"] else ""
    lines: list[str] = place["error"].splitlines() or [""]
    return "".join(c if c.isprintable() else "?" for c in lines[0])[:120] + ago
