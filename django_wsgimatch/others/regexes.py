"""Text as a regular expression has it, and whether a table can have one."""

from __future__ import annotations

import re

from ..aliases.patterns.pattern import compile_pattern
from ..exceptions import PatternError

_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")


def as_regex(text: str) -> str:
    """Return the regular expression that matches a text and nothing else."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def is_pattern(regex: str) -> bool:
    """Whether a table can have a pattern."""
    try:
        compile_pattern(regex)
    except PatternError:
        return False
    return True
