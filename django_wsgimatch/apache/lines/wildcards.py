"""Wildcards in the paths of Include, as apr_fnmatch() reads them."""

from __future__ import annotations

import re
from functools import lru_cache

_CLASS = re.compile(r"\[([!^]?)((?:\\.|[^]\\])*)\]", re.DOTALL)


def has_wildcard(text: str) -> bool:
    """Mirror apr_fnmatch_test(): a lone bracket is none, and a backslash hides one."""
    shown = re.sub(r"\\.", "", text, flags=re.DOTALL)
    return "?" in shown or "*" in shown or "]" in shown.partition("[")[2]


def fits(pattern: str, name: str) -> bool:
    """Whether a pattern matches a file's name; no wildcard stands for a leading dot."""
    if name.startswith(".") and pattern[:1] in ("*", "?", "["):
        return False
    return _compiled(pattern).fullmatch(name) is not None


@lru_cache(maxsize=64)
def _compiled(pattern: str) -> re.Pattern[str]:
    pieces = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "[" and (found := _CLASS.match(pattern, position)):
            pieces.append(_class(found[1], found[2]))
            position = found.end()
            continue
        if character == "\\" and position + 1 < len(pattern):
            position += 1
            character = re.escape(pattern[position])
        elif character in "*?":
            character = {"*": ".*", "?": "."}[character]
        else:
            character = re.escape(character)
        # Repeated stars would let a match take exponential time.
        if not (character == ".*" and pieces[-1:] == [".*"]):
            pieces.append(character)
        position += 1
    return re.compile("".join(pieces), re.DOTALL)


def _class(negation: str, members: str) -> str:
    """Return a bracket expression; a range whose ends are the wrong way round is empty."""
    characters = re.findall(r"\\.|[^\\]", members, re.DOTALL)
    plain = [each[-1] for each in characters]
    found = set()
    while plain:
        first = plain.pop(0)
        last = first
        if len(plain) > 1 and plain[0] == "-":
            last = plain[1]
            del plain[:2]
        found |= {chr(code) for code in range(ord(first), ord(last) + 1)}
    if not found:
        return "." if negation else r"(?!)"
    inside = "".join(map(re.escape, sorted(found)))
    return f"[{'^' if negation else ''}{inside}]"
