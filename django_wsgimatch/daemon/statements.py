"""
What a group's processes say of themselves on their board, held to its form.

A group may run as a user that nobody trusts. What it says reaches the manager, the operator's
terminal and programs that read ``status --json``: so each value has its type and its bounds, and
one that has not counts as not said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, TypeGuard

from ..text import shown

# The kernel gives no process a higher id (PID_MAX_LIMIT).
LARGEST_PID = 1 << 22
# What a float holds exactly: more requests, or bytes, than there are.
LARGEST_COUNT = 1 << 53
# Seconds: far beyond any clock of today.
LARGEST_TIME = float(1 << 33)
# In characters, in paths, and in callables of one script; a worker says no more.
LONGEST_VERSION, LONGEST_NAME, LONGEST_ERROR, MOST_SCRIPTS, MOST_USED = 32, 200, 500, 50, 20


def read_pid(value: int) -> int:
    """Return a process's id, 0 for what can be none."""
    return value if 0 < value <= LARGEST_PID else 0


def read_count(value: int) -> int:
    """Return a number of things, 0 for what can be none."""
    return value if 0 <= value <= LARGEST_COUNT else 0


def read_time(value: float, now: float) -> float:
    """Return a time in seconds: 0 for what can be none, ``now`` for one that is yet to come."""
    # Nothing compares with what is no number.
    return min(value, now) if 0 <= value <= LARGEST_TIME else 0.0


def read_facts(value: object) -> dict[str, Any]:
    """Return those of a worker's facts that have their form; all others are left out."""
    if not isinstance(value, dict):
        return {}
    facts = {name: read(value[name]) for name, read in _FACTS.items() if name in value}
    return {name: fact for name, fact in facts.items() if fact is not None}


def _version(value: object) -> str | None:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_VERSION:
        return None
    return value if value.isascii() and value.isprintable() else None


def _name(value: object) -> str | None:
    return shown(value[:LONGEST_NAME]) if isinstance(value, str) else None


def read_error(value: object) -> str | None:
    """Return a message, as a terminal may show it; None for what is none."""
    if not isinstance(value, str):
        return None
    return "\n".join(shown(line) for line in value[:LONGEST_ERROR].split("\n"))


def _error_time(value: object) -> float | None:
    return read_time(value, time.time()) or None if isinstance(value, float) else None


def _scripts(value: object) -> list[str] | None:
    """Paths are latin-1 text, as in the environ."""
    if not isinstance(value, list):
        return None
    return [path for path in value[:MOST_SCRIPTS] if _is_path(path)]


def _used(value: object) -> dict[str, list[str]] | None:
    """By their scripts, the names of callables."""
    if not isinstance(value, dict):
        return None
    told = islice(value.items(), MOST_SCRIPTS)
    return {path: _names(names) for path, names in told if _is_path(path)}


def _names(value: object) -> list[str]:
    if not isinstance(value, list):
        return []
    texts = [name for name in value[:MOST_USED] if isinstance(name, str)]
    return [name for name in texts if len(name) <= LONGEST_NAME and name.isprintable()]


def _is_path(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and value != "" and max(value) <= "\xff" and "\0" not in value


def _unloaded(value: object) -> int | None:
    return read_count(value) if type(value) is int else None


def _whether(value: object) -> bool | None:
    return value if type(value) is bool else None


_FACTS: Mapping[str, Callable[[object], Any]] = {
    "python": _version,
    "settings": _name,
    "error": read_error,
    "error_time": _error_time,
    "scripts": _scripts,
    "used": _used,
    "unloaded": _unloaded,
    "closed": _whether,
}
