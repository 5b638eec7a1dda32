"""Read a configuration's file: a regular one, of a bounded size, as latin-1."""

from __future__ import annotations

import os

from ..apache.lines.directive import Unreadable
from ..apache.lines.limits import Volume
from ..apache.reading.includes import read_text_of

# Files within files; uWSGI itself ends at none, and runs out of memory.
DEEPEST = 32
_CURE = "copy the file from the server, correct its name, or run the command as a user who may"


def read_source(path: str, volume: Volume) -> str:
    """
    Return a file's text, a character a byte, counted in ``volume``.

    Raises Unreadable for a file that cannot be read, and TooMuch where there is more than an import
    takes.
    """
    try:
        text = read_text_of(os.fsencode(path).decode("latin-1"), volume.room)
    except Unreadable as error:
        raise Unreadable(error.reason, _CURE) from error
    volume.add_text(len(text), f"{path} is too long")
    volume.add_lines(text.count("\n") + 1, f"{path} is too long")
    return text
