"""Plain locations: how a url prefix is compared with a uri."""

from __future__ import annotations

import re
from collections.abc import Callable

SLASHES = re.compile("/+")
_RUNS = re.compile("/+|[^/]+")


def alias_matches(uri: str, location: str) -> int:
    """
    Return the offset in the uri where a plain location ends, or 0 where it does not match.

    Mirrors alias_matches() of mod_alias and mod_wsgi: a run of slashes in the location matches
    a run in the uri, all else is compared literally, and unless the location ends in a slash the
    match must end before a slash or at the end of the uri.
    """
    end = 0
    for run in _RUNS.findall(location):
        if run[0] != "/":
            end = end + len(run) if uri.startswith(run, end) else 0
        else:
            slashes = SLASHES.match(uri, end)
            end = slashes.end() if slashes else 0
        if not end:
            return 0
    return end if location.endswith("/") or uri[end : end + 1] in ("", "/") else 0


def merge_slashes(path: str) -> str:
    """Make one slash of every run of slashes, as ap_no2slash() does."""
    return SLASHES.sub("/", path) if "//" in path else path


def find_prefix(location: str) -> Callable[[str], int | None]:
    """Return alias_matches() for one location and uris without runs of slashes; None is a miss."""
    end = len(location)
    closed = location if location.endswith("/") else location + "/"

    def find(uri: str) -> int | None:
        return end if uri.startswith(closed) or uri == location else None

    return find
