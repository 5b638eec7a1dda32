"""Options within a pattern, ``(?i)``, ``(?i-s:...)``, ``(?^)``: the letters in force."""

from __future__ import annotations

import re

from .cursor import Cursor

OPTIONS = re.compile(r"\?(\^?)([imnsxJU]*)(?:(-)([imnsxJU]*))?[:)]")


def changed(cursor: Cursor, found: re.Match[str], before: frozenset[str]) -> frozenset[str]:
    """Return the letters behind what OPTIONS has found; ``X`` stands for ``xx``."""
    reset, on, hyphen, off = found.groups()
    if reset and hyphen:
        raise cursor.invalid("invalid hyphen in option setting")
    options = before - frozenset("imnsxX") if reset else before
    if "x" in on:
        # xx is x, and blanks in classes are ignored as well.
        options -= {"X"}
        on += "X" if "xx" in on else ""
    off = off or ""
    return (options | set(on)) - set(off + "X" if "x" in off else off)
