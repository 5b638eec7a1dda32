"""What is told of a file's state: its entity tag, its date, and the headers that say so."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache

from ...aliases.file_options import FileOptions
from ...aliases.lines.expiry import Expires, expires_for, kept_until
from .media_types import describe

Headers = tuple[tuple[str, str], ...]

# Ten years, as WhiteNoise says it, whose users know it.
FOR_EVER = "max-age=315360000, public, immutable"
# A part of a name that Django's ManifestStaticFilesStorage writes.
_HASHED = re.compile(r"\.[0-9a-f]{12}(?:\.|\Z)")

# A file that has changed within so many seconds may change again without its date telling.
WEAK_FOR = 1.0
# The headers of so many files are remembered.
MOST_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Representation:
    """
    A file as it is at a moment, and what a response says of it.

    ``modified`` is in seconds since 1970. ``state`` are the headers that a 304 has, too;
    ``description`` those that tell what the file is.
    """

    size: int
    mtime_ns: int
    options: FileOptions
    etag: str
    modified: int
    expires: Expires | None
    state: Headers
    description: Headers
    whole: Headers

    def expiry(self, now: float) -> Headers:
        """Return the headers of mod_expires."""
        if self.expires is None:
            return ()
        added = expiry(self.expires, self.mtime_ns, now)
        return added[self.options.cache_control is not None :]


_remembered: dict[tuple[str, str], Representation] = {}


def representation(
    path: str, status: os.stat_result, options: FileOptions, now: float, coding: str = ""
) -> Representation:
    """
    Return what is told of a file.

    ``path`` is what it answers for, and ``coding`` how it is compressed then, "" for not at all.
    """
    # Optimization: to make it anew takes 12 us, to look it up 0.4.
    known = _remembered.get((path, coding))
    if (
        known is not None
        and known.mtime_ns == status.st_mtime_ns
        and known.size == status.st_size
        and known.options is options
    ):
        return known
    made = _make(path, status, options, now, coding)
    if now - status.st_mtime > WEAK_FOR:
        if len(_remembered) >= MOST_REMEMBERED:
            _remembered.clear()
        _remembered[path, coding] = made
    return made


def _make(
    path: str, status: os.stat_result, options: FileOptions, now: float, coding: str
) -> Representation:
    name = path.rpartition("/")[2]
    etag = entity_tag(status, now, coding)
    # A date in the future is no date of a change.
    modified = int(min(max(status.st_mtime, 0), now))
    is_immutable = options.immutable and _HASHED.search(name) is not None
    state = [("Last-Modified", http_date(modified)), ("ETag", etag), ("Accept-Ranges", "bytes")]
    if options.precompressed:
        state.append(("Vary", "Accept-Encoding"))
    if cache_control := FOR_EVER if is_immutable else options.cache_control:
        state.append(("Cache-Control", cache_control))
    description = _with_coding(describe(name, options), coding)
    return Representation(
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        options=options,
        etag=etag,
        modified=modified,
        expires=None if is_immutable else expires_of_type(description, options),
        state=tuple(state),
        description=description,
        whole=(*state, ("Content-Length", str(status.st_size)), *description),
    )


def _with_coding(description: Headers, coding: str) -> Headers:
    """Say that a file is compressed, over what its name says already."""
    if not coding:
        return description
    said = dict(description)
    codings = [each for each in (said.get("Content-Encoding"), coding) if each]
    return tuple((said | {"Content-Encoding": ", ".join(codings)}).items())


def entity_tag(status: os.stat_result, now: float, coding: str = "") -> str:
    """Return the entity tag that Apache makes of size and time: ap_make_etag()."""
    weak = "W/" if now - status.st_mtime < WEAK_FOR else ""
    microseconds = status.st_mtime_ns // 1000 % 2**64
    suffix = f"-{coding}" if coding else ""
    return f'{weak}"{status.st_size:x}-{microseconds:x}{suffix}"'


def expires_of_type(description: Headers, options: FileOptions) -> Expires | None:
    """Return for how long what is described so may be kept."""
    if not options.expires_by_type:
        return options.expires
    media_type = dict(description).get("Content-Type", "")
    return expires_for(media_type, options.expires_by_type, options.expires)


def expiry(expires: Expires, mtime_ns: int | None, now: float) -> Headers:
    """
    Return the headers that mod_expires adds to what was changed at a time, or is no file.

    The first is Cache-Control, which another one of the entry's own takes the place of.
    """
    kept = kept_until(expires, None if mtime_ns is None else mtime_ns / 1e9, now)
    if kept is None:
        return ()
    date = http_date(kept[1])
    return (("Cache-Control", f"max-age={kept[0]}"), ("Expires", date))


@lru_cache(maxsize=1024)
def http_date(seconds: int) -> str:
    """Return seconds since 1970 as a date of HTTP."""
    # Optimization: to write a date takes 2.2 us, and files are asked for again and again.
    return formatdate(seconds, usegmt=True)
