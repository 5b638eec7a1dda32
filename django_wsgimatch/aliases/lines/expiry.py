"""
How long an answer may be kept: the codes of ExpiresDefault and ExpiresByType.

Mirrors check_code(), set_expiration_fields() and expires_filter() of mod_expires.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ...exceptions import DirectiveError


@dataclass(frozen=True, slots=True)
class SinceChange:
    """So many seconds from a file's last change on (``"modification plus ..."``)."""

    seconds: int

    def __str__(self) -> str:
        for name, factor in _NAMED_UNITS:
            count = self.seconds // factor
            if count > 0 and not self.seconds % factor:
                return f"modification plus {count} {name}{'' if count == 1 else 's'}"
        return f"M{self.seconds}"


Expires: TypeAlias = int | SinceChange
"""Seconds from the request on, or from the change of its file on."""
ExpiresByType: TypeAlias = tuple[tuple[str, Expires], ...]
"""Types in lower case, or ``text/*`` for all of a kind, each with its own."""

EXPIRES_WANTED = (
    "a number of seconds, or text such as 'access plus 1 week' or 'modification plus 1 day'"
)
EXPIRES_BY_TYPE_WANTED = (
    "a dict of types such as 'text/css' or 'image/*' (for all others there is expires), each with "
    f"{EXPIRES_WANTED}"
)

# The largest number that mod_expires counts with.
_MOST = 2**31 - 1
# The last date that four digits of a year can say.
_LAST_SECOND = 253402300799
# How a unit may begin, and its seconds.
_UNITS = (
    *(("y", 31536000), ("mo", 2592000), ("w", 604800), ("d", 86400)),
    *(("h", 3600), ("mi", 60), ("s", 1)),
)
_NAMED_UNITS = (
    *(("week", 604800), ("day", 86400), ("hour", 3600)),
    *(("minute", 60), ("second", 1)),
)
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE = re.compile(rf"(?!\*/){_TOKEN}/{_TOKEN}")


def read_expiry(code: str) -> Expires | None:
    """
    Return what a code of mod_expires says, as in ``ExpiresDefault``.

    What ends before it begins is 0 seconds; of more seconds than Apache can count None is told.
    Raises DirectiveError for what Apache refuses.
    """
    if code[:1] in ("A", "M"):
        number = re.match(r"\s*([+-]?\d+)", code[1:])
        base, seconds = code[0], _number(number[1]) if number else 0
    else:
        base, seconds = _read_words(code.split())
    if abs(seconds) > _MOST:
        return None
    return SinceChange(seconds) if base == "M" else max(seconds, 0)


def _read_words(words: list[str]) -> tuple[str, int]:
    base, *rest = words or [""]
    known = {"n": "A", "a": "A", "m": "M"}.get(base[:1].lower())
    if known is None:
        raise DirectiveError(f"bad expires code, unrecognised <base> {base!r}")
    if rest and rest[0][:1].lower() == "p":
        rest = rest[1:]
    seconds = 0
    for number, unit in zip(rest[::2], [*rest[1::2], ""], strict=False):
        digits = re.match(r"\d+", number)
        factor = next((each for start, each in _UNITS if unit.lower().startswith(start)), None)
        if digits is None or factor is None:
            raise DirectiveError(f"bad expires code, near {number!r}")
        seconds += factor * _number(digits[0])
    return known, seconds


def _number(digits: str) -> int:
    """Return a number; one that is too large for Apache is so here, without reading all of it."""
    return int(digits[:20])


def expires_option(value: object) -> Expires:
    """Return what an author writes for ``expires``. Raises TypeError for what it does not take."""
    if isinstance(value, str):
        try:
            found = read_expiry(value)
        except DirectiveError as error:
            raise TypeError from error
        if found is not None:
            return found
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError
    return value


def expires_by_type_option(value: object) -> ExpiresByType:
    """Return what an author writes for ``expires_by_type``. Raises TypeError."""
    if not isinstance(value, Mapping):
        raise TypeError
    for name in value:
        if not isinstance(name, str) or not is_media_type(name):
            raise TypeError
    return tuple((name.lower(), expires_option(each)) for name, each in value.items())


def is_media_type(name: str) -> bool:
    """Whether a name is a type, or stands for all types of a kind."""
    return _TYPE.fullmatch(name) is not None


def expires_for(media_type: str, by_type: ExpiresByType, default: Expires | None) -> Expires | None:
    """Return for how long an answer of a type may be kept, None where nothing is said of it."""
    if not by_type:
        return default
    known = dict(by_type)
    name = media_type.partition(";")[0].rstrip().lower()
    found = known.get(name)
    if found is None and "/" in name:
        found = known.get(f"{name.partition('/')[0]}/*")
    return default if found is None else found


def kept_until(expires: Expires, changed: float | None, now: float) -> tuple[int, int] | None:
    """
    Return for how many seconds an answer may be kept, and until when, in seconds since 1970.

    ``changed`` is when its file was changed, None where it has no file: then nothing is said of
    an answer that counts from there on.
    """
    if not isinstance(expires, SinceChange):
        return expires, min(int(now) + expires, _LAST_SECOND)
    if changed is None:
        return None
    end = max(changed + expires.seconds, now)
    return int(end - now), min(int(end), _LAST_SECOND)
