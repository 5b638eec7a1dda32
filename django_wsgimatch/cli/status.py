"""``manage.py wsgimatch status``: the groups of the running servers."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias, TypeGuard

from ..conf import configuration
from ..exceptions import ManagerError
from ..text import aligned, cut, readable, shown
from .common.output import Output
from .common.running_servers import manager_refusal, order_all
from .common.subcommand import Options, Subcommand, add_json_option
from .common.terminal import Screen

COLUMNS = (
    *("name", "state", "processes", "threads", "python", "settings", "uptime", "requests"),
    *("memory", "restarts", "last error"),
)
# The most characters of each column: a row that a group fills should still be one to read.
WIDTHS = (40, 12, 40, 12, 20, 40, 12, 16, 16, 12, 100)

Status: TypeAlias = dict[str, Any]
# What is greater is no time and no size, and an int may be too great for a float.
_MOST = 1 << 62


def _run(options: Options, output: Output) -> int:
    """Show the groups of every running server of this project."""
    try:
        servers = order_all(configuration(), do="status")
    except ManagerError as error:
        raise manager_refusal(error) from error
    if options["as_json"]:
        output.write_json(servers)
    elif (screen := output.screen) is not None:
        draw_status(servers, screen)
    else:
        output.write_lines(status_lines(servers))
    return 0


def status_lines(servers: Iterable[Status]) -> Iterator[str]:
    """Yield each server and its groups, their columns under each other."""
    for server in servers:
        yield _title(server)
        lines = aligned([COLUMNS, *map(status_cells, server["places"])])
        yield from (f"  {line}" for line in lines)


def draw_status(servers: Iterable[Status], screen: Screen) -> None:
    """Draw each server's groups."""
    for server in servers:
        rows = []
        for place in server["places"]:
            name, state, *texts = status_cells(place)
            rows.append([(name, ""), (state, state), *((text, "") for text in texts)])
        screen.table(COLUMNS, rows, title=_title(server), folded=COLUMNS)


def _title(server: Status) -> str:
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


SUBCOMMAND = Subcommand(add_json_option, _run)
