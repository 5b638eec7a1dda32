"""From a match to the filename: what the captures fill in, and what is put behind it."""

from __future__ import annotations

import re
from collections.abc import Callable

from .patterns.engine import Found

# Apache's HUGE_STRING_LEN * 8: a longer result of ap_pregsub() is thrown away.
LONGEST_SUBSTITUTION = 65535

_TOKEN = re.compile(r"\\(.)|\$([0-9])|((?:[^\\$]|\$(?![0-9])|\\\Z)+)", re.DOTALL)


Template = tuple[str | int, ...]


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


def group_numbers(template: Template) -> tuple[int, ...]:
    """The groups a template asks for, in order."""
    return tuple(part for part in template if isinstance(part, int))


def make_substitute(template: Template, groups: int) -> Callable[[Found], str]:
    """
    Return a function that fills the template from a match.

    A group that the pattern (with ``groups`` groups) does not define, or that took no part in
    the match, becomes the empty string, as in ap_pregsub().
    """
    known = tuple(part for part in template if isinstance(part, str) or part <= groups)
    match known:
        # Optimization: the two usual forms, /dir/$1.wsgi and x.wsgi/$1, took 0.4 of the time.
        case (str(head), int(number), str(tail)):
            return lambda found: f"{head}{found.group(number) or ''}{tail}"
        case (str(head), int(number)):
            return lambda found: f"{head}{found.group(number) or ''}"

    def substitute(found: Found) -> str:
        return "".join(p if isinstance(p, str) else found.group(p) or "" for p in known)

    return substitute


def filename_for(target: str, location: str, uri: str, end: int) -> str:
    """
    The file that a match stands for: the target and the rest of the uri.

    Nothing is put in between. Where the location, that is the alias itself or the text up to
    the end of a regex match, is exactly ``/``, the whole uri follows (wsgi_hook_intercept()).
    """
    return target + (uri if location == "/" else uri[end:])
