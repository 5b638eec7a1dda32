"""
The times of log lines: in one zone, the server's, whatever zone a project sets for its process.

Django puts its TIME_ZONE into the environment and sets the process's clock by it, so gunicorn's
formatter, which asks that clock, would write each process's lines in another zone. What an
application sees of the time is not touched.
"""

from __future__ import annotations

import io
import logging
import os
import time
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

# The system's own, where TZ is not set.
LOCAL = "/etc/localtime"
# The variables that this process was started with.
ENVIRON = "/proc/self/environ"
# How the file of a zone ends that is always UTC.
_UTC = b"\nUTC0\n"
_AT_IMPORT = os.environ.get("TZ")


def given_zone() -> str | None:
    """Return TZ as it was when this process was started, None where it was not set."""
    try:
        with open(ENVIRON, "rb") as file:
            items = file.read().split(b"\0")
    except OSError:
        return _AT_IMPORT
    for item in items:
        if item.startswith(b"TZ="):
            return os.fsdecode(item[3:])
    # Whoever gives a process a title writes over its variables.
    is_whole = any(item.startswith(b"PATH=") for item in items)
    return None if is_whole else _AT_IMPORT


def zone_of(name: str | None) -> tzinfo:
    """
    Return the zone that TZ names, the system's for None.

    One that is no name of a zone, such as ``CET-1CEST``, has the offset that the clock has now.
    """
    path = LOCAL if name is None else name.removeprefix(":")
    try:
        content = _read(path) if path[:1] == "/" else b""
        is_utc = path in ("", "UTC") or content.endswith(_UTC)
        return timezone.utc if is_utc else _zone(path, content)
    # KeyError: there is no such zone.
    except (OSError, ValueError, KeyError):
        now = time.localtime()
        return timezone(timedelta(seconds=now.tm_gmtoff), now.tm_zone)


def _zone(path: str, content: bytes) -> tzinfo:
    # Most servers' clocks are in UTC: their groups' processes do without it, and without sysconfig.
    import zoneinfo

    if not path.startswith("/"):
        return zoneinfo.ZoneInfo(path)
    return zoneinfo.ZoneInfo.from_file(io.BytesIO(content))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def time_in(zone: tzinfo, seconds: float) -> time.struct_time:
    """Return a time.time() as strftime() takes it, with its offset and the name of its zone."""
    moment = datetime.fromtimestamp(seconds, zone)
    offset = moment.utcoffset() or timedelta()
    told = {"tm_zone": moment.tzname(), "tm_gmtoff": int(offset.total_seconds())}
    # Where it is not known whether it is summer, %z is left out.
    fields = [*moment.timetuple()[:8], int(bool(moment.dst()))]
    return time.struct_time(fields, told)


def write_times_in(zone: tzinfo, handlers: Iterable[logging.Handler] | None = None) -> None:
    """Have handlers, gunicorn's by default, write their times in a zone; UTC stays UTC."""
    if handlers is None:
        handlers = logging.getLogger("gunicorn.error").handlers
    for handler in handlers:
        if handler.formatter is not None and handler.formatter.converter is time.localtime:
            handler.formatter.converter = lambda seconds: time_in(zone, seconds or 0.0)


def write_access_times_in(zone: tzinfo, log: Any) -> None:
    """Have gunicorn's logger write the times of its access log in a zone, too."""
    if hasattr(log, "now"):
        log.now = lambda: time.strftime("[%d/%b/%Y:%H:%M:%S %z]", time_in(zone, time.time()))
