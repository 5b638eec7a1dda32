"""
Text from others as it is shown: the one place that decides what reaches a terminal or a log.

Others are clients, tenants, their scripts and processes, and the sites that are compared.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

ELLIPSIS = "..."

# What json.dumps() writes for half of a surrogate pair that lacks its other half. The first two
# alternatives pass over an escaped backslash and a whole pair.
_LONE_SURROGATE = re.compile(
    r"\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(\\ud[89a-f][0-9a-f]{2})"
)


def shown(text: str) -> str:
    """
    Return text in which every character that cannot be printed is escaped, as Python writes it.

    These are control characters, C1 and line ends among them, what reverses or hides text
    (bidirectional controls, zero-width characters), line and paragraph separators, and lone
    surrogates. So the text is one line, moves no cursor, and can be encoded as UTF-8. To show
    it twice is to show it once.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def readable(text: str) -> str:
    """Return latin-1 text as one reads it: its bytes as UTF-8, what cannot be printed escaped."""
    # Optimization: most text is ASCII and is not copied, which saves memory for each alias.
    if text.isascii():
        return shown(text)
    return shown(text.encode("latin-1", "replace").decode("utf-8", "backslashreplace"))


def quoted(text: str, longest: int = 200) -> str:
    """Return latin-1 text readable and in quotes, cut where it is too long to be read."""
    # No character of UTF-8 has more than four bytes: what follows them would be cut anyway.
    legible = readable(text[: 4 * (longest + 1)])
    if len(legible) > longest:
        return f"'{legible[:40]}...' ({len(text)} bytes)"
    return f"'{legible}'"


def cut(text: str, longest: int) -> str:
    """Return text shown, and with an ellipsis at the end where it is longer than ``longest``."""
    # No escape is shorter than the character: what follows would be cut anyway.
    legible = shown(text[: longest + 1])
    if len(legible) <= longest:
        return legible
    return legible[: max(longest - len(ELLIPSIS), 0)] + ELLIPSIS


def last_line(output: str) -> str:
    """Return the last line of what a process has printed, which says what went wrong, or ""."""
    return cut(output.strip().rpartition("\n")[2].strip(), 300)


def aligned(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each row, its columns under each other with two blanks between them."""
    kept = list(rows)
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    for row in kept:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()


def to_json(value: Any) -> str:
    """
    Return a value as indented JSON that every parser takes, in ASCII.

    A lone surrogate is written as the text of its escape, a number that JSON does not have as
    null. Control characters are escaped.
    """
    try:
        text = json.dumps(value, indent=2, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), indent=2)
    text = text.replace("\x7f", "\\u007f")
    return _LONE_SURROGATE.sub(_escaped_surrogate, text) if "\\ud" in text else text


def _escaped_surrogate(match: re.Match[str]) -> str:
    return f"\\{match[1]}" if match[1] else match[0]


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return list(map(_finite, value)) if isinstance(value, list | tuple) else value
