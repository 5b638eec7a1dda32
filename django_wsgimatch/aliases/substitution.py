"""From a match to the filename: what the captures fill in, and what is put behind it."""

from __future__ import annotations

import re
from typing import Any

from .patterns.engine import Found

# Apache's HUGE_STRING_LEN * 8: a longer result of ap_pregsub() is thrown away.
LONGEST_SUBSTITUTION = 65535

_TOKEN = re.compile(r"\\(.)|\$([0-9])|((?:[^\\$]|\$(?![0-9])|\\\Z)+)", re.DOTALL)


Template = tuple[str | int, ...]
# A function of a filling and a match, and what it fills in.
# Optimization: a closure for each alias took four times the memory, and is no quicker.
Filling = tuple[Any, ...]


def parse_template(target: str) -> Template:
    """
    Split the target of a match alias into literal text and the numbers of groups.

    As ap_pregsub() reads it: ``$0`` to ``$9`` are groups (``$10`` is group 1 and a zero), a
    backslash takes the next character literally, all else is plain text.
    """
    parts: list[str | int] = []
    for escaped, digit, text in _TOKEN.findall(target):
        part = int(digit) if digit else escaped or text
        if parts and isinstance(part, str) and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return tuple(parts)


def as_template(text: str) -> str:
    """Return a target that parse_template() reads as this text, with no group in it."""
    return text.replace("\\", "\\\\").replace("$", "\\$")


def groups_in_words(count: int) -> str:
    """Return how many groups a pattern has, as messages say it."""
    return {0: "no group", 1: "one group"}.get(count, f"{count} groups")


def group_numbers(template: Template) -> tuple[int, ...]:
    """The groups a template asks for, in order."""
    return tuple(part for part in template if isinstance(part, int))


def make_filling(template: Template, groups: int) -> Filling:
    """
    Return what fill() fills a template by.

    A group that the pattern (with ``groups`` groups) does not define, or that took no part in
    the match, becomes the empty string, as in ap_pregsub().
    """
    known = tuple(part for part in template if isinstance(part, str) or part <= groups)
    match known:
        # Optimization: the two usual forms, /dir/$1.wsgi and x.wsgi/$1, took 0.4 of the time.
        case (str(), int(), str()):
            return (_with_tail, *known)
        case (str(), int()):
            return (_without_tail, *known)
    return _with_any, known


def fill(filling: Filling, found: Found) -> str:
    """Return a template filled from a match."""
    filled: str = filling[0](filling, found)
    return filled


def _with_tail(filling: Filling, found: Found) -> str:
    _, head, number, tail = filling
    return f"{head}{found.group(number) or ''}{tail}"


def _without_tail(filling: Filling, found: Found) -> str:
    _, head, number = filling
    return f"{head}{found.group(number) or ''}"


def _with_any(filling: Filling, found: Found) -> str:
    return "".join(
        part if isinstance(part, str) else found.group(part) or "" for part in filling[1]
    )


def filename_for(target: str, location: str, uri: str, end: int) -> str:
    """
    The file that a match stands for: the target and the rest of the uri.

    Nothing is put in between. Where the location, that is the alias itself or the text up to
    the end of a regex match, is exactly ``/``, the whole uri follows (wsgi_hook_intercept()).
    """
    return target + (uri if location == "/" else uri[end:])
